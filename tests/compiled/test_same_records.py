"""The strongest test in the house: both engines give the same records, to the last bit, for whatever can be said in the language."""

import pytest

import sim
from sim import compiled, models
from sim.experiments import shipped
from sim.experiments.load import open_rate
from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.any_scenario import any_scenario

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

MOST = 40_000  # requests of a shipped scenario: longer ones are cut


def only(study):
    return next(iter(study.variants.values()))


def apart(scenario, replication=0):
    return differences(models.simulate(scenario, replication), compiled.simulate(scenario, replication))


@pytest.mark.parametrize("seed", range(24))
def test_random_systems(seed):
    assert apart(only(load_document(any_scenario(seed)))) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(24, 624, 50))
def test_many_random_systems(first):
    found = {seed: apart(only(load_document(any_scenario(seed))), seed % 3) for seed in range(first, first + 50)}
    assert {seed: words for seed, words in found.items() if words} == {}


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in shipped.names() if "plugin" not in name])
def test_shipped_scenarios(name):
    for variant, whole in sim.load(name).variants.items():
        rate = open_rate(whole)
        cut = rate * whole.duration > MOST
        scenario = whole.model_copy(update={"duration": MOST / rate, "warmup": 0.0}) if cut else whole
        assert apart(scenario) == [], variant


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


def test_everything_grows(monkeypatch):
    """Tasks, requests, timers, jobs, messages, deliveries, limits per user and rows all outgrow what they began with."""
    from sim.compiled import machine

    monkeypatch.setattr(machine, "ROWS", 256)
    monkeypatch.setattr(machine, "EVENTS_AT_ONCE", 999)
    scenario = only(sim.load_text(OVERLOADED))
    made = []
    original = machine.Machine.grow

    def grow(self):
        made.append({name: self.tables[name].size for name in ("slots", "requests", "timers", "jobs", "messages", "deliveries", "entries", "limiters")})
        original(self)

    monkeypatch.setattr(machine.Machine, "grow", grow)
    assert apart(scenario) == []
    assert [name for name in made[0] if made[-1][name] <= made[0][name]] == []


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


def test_replications_differ():
    scenario = only(load_document(any_scenario(1)))
    assert compiled.simulate(scenario, 1).fingerprint() != compiled.simulate(scenario, 0).fingerprint()
