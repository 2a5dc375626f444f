"""The strongest test in the house: both engines give the same records, to the last bit, for whatever can be said in the language."""

import numpy as np
import pytest

import sim
from sim import compiled, models
from sim.experiments import shipped
from sim.experiments.on_paper.load_factor import open_rate
from sim.spec import load_document
from sim.spec.walk import what_only_simpy_runs
from sim.vocabulary import Stage
from tests.compiled.same import differences
from tests.models.any_scenario import any_scenario

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

MOST = 40_000  # requests of a shipped scenario: longer ones are cut
KEPT = pytest.mark.parametrize(
    "spans", ["none", "all", "exemplars"]
)  # work that is nothing but time is written otherwise where spans tell of it


def only(study):
    return next(iter(study.variants.values()))


def apart(scenario, replication=0):
    return differences(models.simulate(scenario, replication), compiled.simulate(scenario, replication))


def any_system(seed, spans):
    return only(
        load_document(
            {**any_scenario(seed), "warmup": "2s" if spans == "exemplars" else "0s", "record": {"spans": spans}}
        )
    )


@KEPT
@pytest.mark.parametrize("seed", range(24))
def test_random_systems(seed, spans):
    assert apart(any_system(seed, spans)) == []


@pytest.mark.parametrize("seed", range(3000, 3040))
def test_random_systems_with_later_words(seed):
    assert apart(any_system(seed, ("none", "all", "exemplars")[seed % 3])) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(3040, 3340, 50))
def test_many_random_systems_with_later_words(first):
    found = {seed: apart(any_system(seed, ("none", "all", "exemplars")[seed % 3])) for seed in range(first, first + 50)}
    assert {seed: words for seed, words in found.items() if words} == {}


@KEPT
@pytest.mark.long
@pytest.mark.parametrize("first", range(24, 224, 50))
def test_many_random_systems(first, spans):
    found = {seed: apart(any_system(seed, spans), seed % 3) for seed in range(first, first + 50)}
    assert {seed: words for seed, words in found.items() if words} == {}


@pytest.mark.long
@pytest.mark.parametrize("name", ["05-breaker", "07-first-event"])
def test_spans_of_shipped_scenarios(name):
    """Calls with timeouts, retries, breakers and bulkheads; events with consumers."""
    for variant, scenario in sim.load(name, sets=["record.spans=all"]).variants.items():
        assert apart(scenario) == [], variant


KITCHEN_SINK = """
version: 1
duration: 30s
record: {spans: all}
gateway:
  workers: 4
  work: 1ms
  authentication: {oauth: {introspect: identity.check, lookup: 0s, cache_ttl: 1s}}
  routes: {POST /buy: {to: shop.buy, completes_with: [sent]}}
services:
  identity: {workers: 2, endpoints: {check: [{wait: {exponential: 20ms}}]}}
  shop:
    workers: 1
    replicas: 2
    concurrency: event_loop
    queue: {capacity: 20}
    endpoints:
      buy:
        - work: 2ms
        - parallel:
            - [{call: stock.take, policy: {timeout: 100ms, retry: {max_attempts: 2, backoff: {constant: 5ms}}}}, {work: 1ms}]
            - [{wait: {exponential: 10ms}}, {publish: bought, policy: {timeout: 1s}}, {reply: {}}, {work: 4ms}]
        - {publish: shipped, via: outbox, poll: 50ms}
  stock: {workers: 3, cores: 1, endpoints: {take: [{lock: row, key: all, do: [{work: {exponential: 8ms}}]}]}}
  mail: {workers: 1, endpoints: {send: [{wait: 1ms}]}, consumes: {bought: {group: mail, do: [{call: stock.take}]}, shipped: {group: post, retry_topic: [500ms], do: [{fail: 20%}, {wait: 1ms}, {effect: sent}]}}}
brokers: {kafka: {kind: log, acks: all, replication: {exponential: 3ms}, topics: {bought: {partitions: 2}, shipped: {partitions: 1}}}}
network: {default: {latency: 0.5ms}}
traffic: {crowd: {sends: POST /buy, arrivals: {poisson: 60/s}, users: {count: 50, popularity: {zipf: 1.0}}, timeout: 2s, retry: {max_attempts: 2, backoff: {constant: 0s}}}}
faults: [{name: frozen, at: 8s, for: 2s, outage: shop, how: hang}, {name: dead, at: 20s, for: 2s, outage: stock, how: refuse}]
"""


def test_every_stage_there_is_is_told_alike():
    scenario = only(sim.load_text(KITCHEN_SINK))
    records = compiled.simulate(scenario)
    assert {Stage(kind) for kind in set(records.stages["kind"])} == set(Stage) - {Stage.BULKHEAD}
    assert (records.spans["flow"] >= 0).all(), "what a consumer calls is on the way to the completion of its order"
    assert np.isnan(records.spans["ended"]).any()
    assert differences(models.simulate(scenario), records) == []


@KEPT
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in shipped.names() if "plugin" not in name])
def test_shipped_scenarios(name, spans):
    for variant, whole in sim.load(name, sets=["record.keep=rows", f"record.spans={spans}"]).variants.items():
        if any(what_only_simpy_runs(whole)):
            continue
        rate = open_rate(whole)
        cut = rate * whole.duration > MOST
        scenario = whole.model_copy(update={"duration": MOST / rate, "warmup": 0.0}) if cut else whole
        assert apart(scenario) == [], variant


NODES = """
version: 1
duration: 40s
gateway:
  replicas: 3
  workers: 2
  authentication: {oauth: {introspect: identity.check, lookup: 0.1ms, cache_ttl: 4s}}
  rate_limits: [{per: user, rate: 300/m}, {per: user, rate: 3/s, burst: 4, scope: node}]
  routes: {POST /buy: {to: shop.buy}}
services:
  identity: {workers: 9, endpoints: {check: [{wait: {exponential: 20ms}}]}}
  shop:
    replicas: 4
    workers: 50
    endpoints: {buy: [{work: 2ms}, {publish: bought}, {publish: bought, via: outbox, poll: 50ms}]}
  post: {workers: 1, queue: {capacity: 3}, endpoints: {send: [{work: {exponential: 4ms}}]}}
  mail: {replicas: 2, workers: 9, consumes: {bought: {group: mail, do: [{wait: 2ms}, {call: post.send, policy: brief}]}}}
policies: {brief: {total_timeout: 5ms, timeout: 2ms, retry: {max_attempts: 9, backoff: {constant: 1ms}, jitter: 50%}}}
brokers: {kafka: {kind: log, acks: all, replication: 1ms, topics: {bought: {partitions: 12, key: sticky}}}}
network: {default: {latency: 0.5ms}}
traffic:
  crowd: {sends: POST /buy, arrivals: {poisson: 40/s}, users: {count: 10}, timeout: 2s}
  bots: {sends: POST /buy, arrivals: {poisson: 40/s}, users: {count: 5, popularity: {zipf: 1.0}}, timeout: 2s}
  friends: {sends: POST /buy, arrivals: {poisson: 20/s}, users: {population: crowd, count: 20}, timeout: 2s}
faults:
  - {name: node, at: 8s, crash: {of: gateway, restart_after: 3s}}
  - {name: producer, at: 12s, crash: {of: shop, replicas: 2, restart_after: 2s}}
  - {name: dark, at: 20s, for: 5s, broker_down: kafka}
  - {name: frozen, at: 26s, for: 2s, outage: shop, how: hang}
"""


@KEPT
def test_what_every_replica_remembers_for_itself(spans):
    """Tokens, limits of a node, the partitions of a producer; populations; producers that try again, and calls with a total timeout."""
    scenario = only(sim.load_text(NODES, sets=[f"record.spans={spans}"]))
    assert apart(scenario) == []


OVERLOADED = """
version: 1
duration: 60s
services:
  shop:
    workers: 1200
    cores: 1
    queue: {capacity: unlimited, timeout: 50s}
    endpoints:
      buy:
        - work: {exponential: 20ms}
        - {publish: orders, policy: patient}
        - effect: ordered
    consumes:
      orders: {group: mail, idempotent: true, consumers: 1, do: [{wait: 300ms}]}
brokers:
  kafka: {kind: log, acks: all, replication: {exponential: 5ms}, topics: {orders: {partitions: 3, key: user}}}
policies: {patient: {timeout: 30s}}
gateway:
  workers: 8
  rate_limits: [{per: user, rate: 5/s, burst: 5, algorithm: sliding_log, window: 2s}]
  routes: {POST /buy: {to: shop.buy, completes_with: [ordered]}}
traffic:
  crowd: {sends: POST /buy, arrivals: {poisson: 300/s}, users: {count: 3000, popularity: {zipf: 0.8}}}
"""


GROWING = ("tasks", "flows", "requests", "timers", "jobs", "messages", "deliveries", "entries", "limiters")


@pytest.mark.parametrize(
    ("spans", "growing"), [("all", GROWING), ("exemplars", (*GROWING, "request_notes", "stage_notes", "span_notes"))]
)
def test_everything_grows(monkeypatch, spans, growing):
    """Tasks, requests, timers, jobs, messages, deliveries, limits per user and rows all outgrow what they began with."""
    from sim.compiled import machine, room

    monkeypatch.setattr(room, "RECORDS", 256)
    monkeypatch.setattr(room, "CANDIDATES", 8)
    monkeypatch.setattr(machine, "EVENTS_AT_ONCE", 999)
    scenario = only(sim.load_text(OVERLOADED, sets=[f"record.spans={spans}"]))
    made = []
    original = machine.Machine.grow

    def grow(self):
        made.append({name: self.s.tables[name].size for name in growing})
        original(self)

    monkeypatch.setattr(machine.Machine, "grow", grow)
    assert apart(scenario) == []
    assert [name for name in made[0] if made[-1][name] <= made[0][name]] == []


TOLD_APART = """
version: 1
duration: 12s
gateway:
  workers: 1
  work: 8ms
  queue: {discipline: fair, capacity: unlimited}
  rate_limits:
  - {per: [user, traffic], rate: 2/s, preset: nginx, burst: 3}
  - {per: user, rate: 9/s, preset: guava, wait: 5s}
  - {per: user, rates: [5/s, 20/m], algorithm: sliding_log}
  routes: {POST /buy: {to: shop.buy}}
services: {shop: {workers: 1200, endpoints: {buy: [{wait: {exponential: 20ms}}]}}}
traffic:
  crowd: {sends: POST /buy, arrivals: {poisson: 250/s}, users: {count: 3000, popularity: {zipf: 0.8}}}
"""


def test_counters_and_turns_of_many_users_grow(monkeypatch):
    """Of all three families of counters, and of turns, there are more than there was room for in the beginning."""
    from sim.compiled import machine

    names = ("turns", "standings", "library_counters", "waiting_counters", "limiters", "limiter_rings", "entries")
    made = []
    original = machine.Machine.grow

    def grow(self):
        made.append({name: self.s.tables[name].size for name in names})
        original(self)

    monkeypatch.setattr(machine.Machine, "grow", grow)
    assert apart(only(sim.load_text(TOLD_APART))) == []
    assert [name for name in names if made[-1][name] <= made[0][name]] == []


OUTBOX = """
version: 1
duration: 40s
services:
  shop:
    workers: 50
    endpoints: {buy: [{publish: orders, via: outbox, poll: 100ms, batch: 50}, {publish: unread, via: outbox, poll: 100ms}]}
  mail: {workers: 1, endpoints: {}, consumes: {orders: {group: mail, do: [{wait: 1ms}]}}}
brokers:
  kafka: {kind: log, acks: all, topics: {orders: {partitions: 2}, unread: {partitions: 1}}}
traffic: {crowd: {sends: shop.buy, arrivals: {poisson: 200/s}}}
faults: [{name: dark, at: 2s, for: 30s, broker_down: kafka}]
"""


def test_a_relay_works_off_a_backlog_at_one_instant_also_of_what_nobody_reads():
    """Without latency and replication delay one wake of a relay publishes thousands of rows: more than any one operation may."""
    assert apart(only(sim.load_text(OUTBOX))) == []


CANCELLED = """
version: 1
duration: 9s
services:
  shop: {workers: unlimited, endpoints: {buy: [{call: desk.ask, policy: {timeout: 100ms, on_timeout: cancel}}]}}
  desk: {workers: unlimited, endpoints: {ask: [{call: bank.pay}]}}
  bank: {workers: 2, endpoints: {pay: [{work: 50ms}]}}
traffic: {crowd: {sends: shop.buy, arrivals: {replay: {data: [AT]}}}}
"""


@pytest.mark.parametrize("spans", ["all", "exemplars"])
def test_thousands_of_attempts_are_cancelled_at_one_instant(monkeypatch, spans):
    """By one event of one lane of timers, which is more than any one operation may write: there is room for the spans of all who are inside."""
    from sim.compiled import initial, room

    monkeypatch.setattr(room, "RECORDS", 16)
    monkeypatch.setattr(initial, "start_of", lambda _: 16)
    scenario = only(sim.load_text(CANCELLED.replace("AT", ", ".join(["1.0"] * 2500)), sets=[f"record.spans={spans}"]))
    assert apart(scenario) == []


FROZEN = """
version: 1
duration: 20s
traffic: {crowd: {sends: shop.buy, arrivals: {poisson: 40/s}}}
services: {shop: {workers: 3, replicas: 2, queue: {capacity: 4, timeout: 300ms, discipline: DISCIPLINE}, endpoints: {buy: [work: {exponential: 100ms}]}}}
faults:
  - {name: one, at: 3s, for: 2s, outage: shop, how: hang}
  - {name: other, at: 4s, for: 3s, outage: shop, how: hang}
  - {name: last, at: 15s, outage: shop, how: hang}
"""
DEAD = "  - {name: dead, at: 6s, crash: {of: shop, restart_after: 4s}}\n"


@pytest.mark.parametrize("more", ["", DEAD])
@pytest.mark.parametrize("discipline", ["fifo", "lifo"])
@pytest.mark.parametrize("spans", ["none", "all", "exemplars"])
def test_who_comes_to_a_frozen_process(discipline, spans, more):
    """Freezes that overlap, one in which a replica dies, and one that lasts: those outside are counted to the end."""
    assert (
        apart(only(sim.load_text(FROZEN.replace("DISCIPLINE", discipline) + more, sets=[f"record.spans={spans}"])))
        == []
    )


def deep(length):
    """A chain of services, each of which asks the next one twice, the second time in vain, under clients who try again."""
    services = {
        f"s{i}": {"workers": 9, "endpoints": {"go": [{"call": f"s{i + 1}.go", "policy": "again"}]}}
        for i in range(1, length)
    }
    services[f"s{length // 2}"]["endpoints"]["go"].append({"call": f"s{length}.go"})
    services[f"s{length}"] = {"workers": 9, "endpoints": {"go": [{"wait": "1s"}]}}
    client = {"sends": "s1.go", "arrivals": {"deterministic": "20/s"}, "timeout": "700ms", "retry": {"max_attempts": 3}}
    policies = {"again": {"timeout": "800ms", "retry": {"max_attempts": 2, "backoff": {"constant": "0s"}}}}
    return {"version": 1, "duration": "12s", "traffic": {"t": client}, "services": services, "policies": policies}


@pytest.mark.parametrize("length", [6, 70])
def test_a_deep_chain_of_retries(length):
    """A request knows where it has been, however many calls there are: more than bits in a word, and more marks than there is room for at first."""
    assert apart(only(load_document(deep(length)))) == []


def test_replications_differ():
    scenario = only(sim.load_text(KITCHEN_SINK))
    assert compiled.simulate(scenario, 1).fingerprint() != compiled.simulate(scenario, 0).fingerprint()


STILL = """
version: 1
duration: 20m
warmup: 100.3s
gateway: {workers: 4, rate_limits: [{per: all, rate: 1/s}], routes: {/buy: {to: shop.buy}}}
services:
  shop: {replicas: 2, workers: 3, endpoints: {buy: [{call: stock.take, policy: careful}, {publish: bought}]}}
  stock: {workers: unlimited, cores: 2, endpoints: {take: [{work: {exponential: 40s}}]}}
  mail: {workers: 1, consumes: {bought: {group: mail, do: [{wait: 50s}]}}}
brokers: {kafka: {kind: log, topics: {bought: {partitions: 3}}}}
policies: {careful: {timeout: 90s, bulkhead: {max_concurrent_calls: 2}, circuit_breaker: {failures: 3, within: 5m}}}
traffic: {users: {sends: /buy, arrivals: {poisson: 40/h}}}
faults: [{at: 300s, for: 77s, outage: shop, how: hang}, {at: 700s, crash: {of: mail, restart_after: 100s}}]
record: {interval: 300ms}
"""


def test_a_tick_that_sees_what_the_one_before_saw_is_not_looked_at_and_its_numbers_are_the_same(monkeypatch):
    """Work of half a minute, and hours between the events of an instant: nearly all ticks pass by. Never two numbers that differ in their last bit."""
    from sim.models import observing, recorder

    passed = []
    pass_still = recorder.Recorder.pass_still
    monkeypatch.setattr(
        recorder.Recorder, "pass_still", lambda self, moments: [passed.append(len(moments)), pass_still(self, moments)]
    )
    scenario = only(sim.load_text(STILL))
    quick = models.simulate(scenario)
    assert sum(passed) > 0.8 * len(quick.ticks)
    assert differences(quick, compiled.simulate(scenario)) == []
    monkeypatch.setattr(observing, "MANY", 10**9)
    assert differences(quick, models.simulate(scenario)) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_the_same_of_random_systems_that_are_looked_at_ever_so_often(seed, monkeypatch):
    from sim.models import observing

    monkeypatch.setattr(observing, "MANY", 3)
    scenario = only(load_document({**any_scenario(seed), "record": {"interval": "1ms"}}))
    assert apart(scenario) == []
