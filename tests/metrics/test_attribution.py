"""Every second of a response belongs to exactly one part: facts by hand, and every request of systems made at random."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.errors import UsageError
from sim.metrics.attribution import compositions
from sim.metrics.ways import PARTS, Part, Ways
from sim.models import simulate
from sim.spec import load_document
from sim.testing import play, scripted
from tests.models.any_scenario import any_scenario

from .random_systems import random_system


def parts(system, arrivals, number=0, **options):
    """What the request of this number spent its time on: {(place, what): seconds}, what was made again with a star."""
    played = play(system, arrivals, **options)
    ids = played.records.requests["id"] & ((1 << 40) - 1)
    row = int(np.flatnonzero(ids == number)[0])
    found = Ways(played.records, played.scenario, np.array([row])).parts(row)
    return {(part.place, part.what + "*" * part.again): round(seconds, 9) for part, seconds in found.items()}


def test_the_second_of_two_waits_and_works():
    shop = "services: {shop: {workers: 1, endpoints: {buy: [{work: 100ms}]}}}"
    assert parts(shop, [0.0, 0.03], 1) == {("shop", "queue"): 0.07, ("shop", "work"): 0.1}


PAIR = """
network: {default: {latency: 1ms}}
services:
  front: {workers: 4, endpoints: {ask: [{work: 10ms}, {call: back.answer, policy: guarded}, {wait: 5ms}]}}
  back: {workers: 1, endpoints: {answer: [{work: 20ms}]}}
policies: {guarded: {}}
"""


def test_a_callee_and_the_way_to_it_and_back():
    expected = {("front", "work"): 0.01, ("back", "network"): 0.002, ("back", "work"): 0.02, ("front", "wait"): 0.005}
    assert parts(PAIR, [0.0], sends="front.ask") == expected


def guarded(**policy):
    return {
        "network": {"default": {"latency": "1ms"}},
        "services": {
            "front": {"workers": 4, "endpoints": {"ask": [{"call": "back.answer", "policy": "guarded"}]}},
            "back": {"workers": 2, "endpoints": {"answer": [{"work": scripted(0.1, 0.02)}]}},
        },
        "policies": {"guarded": policy},
    }


def test_an_attempt_that_was_made_again_is_told_apart_and_so_is_the_pause():
    """The draw of the first request is 100 ms in every attempt: the first is given up after 30 ms, the second fails the request."""
    system = guarded(timeout="30ms", retry={"max_attempts": 2, "backoff": {"constant": "5ms"}, "jitter": "none"})
    expected = {
        ("back", "network*"): 0.001,
        ("back", "work*"): 0.029,
        ("back", "backoff"): 0.005,
        ("back", "network"): 0.001,
        ("back", "work"): 0.029,
    }
    assert parts(system, [0.0], sends="front.ask") == expected


def test_the_last_attempt_that_failed_counts_up_to_the_moment_its_caller_gave_up():
    assert parts(guarded(timeout="30ms"), [0.0], sends="front.ask") == {
        ("back", "network"): 0.001,
        ("back", "work"): 0.029,
    }


def test_a_message_that_is_lost_is_travel():
    system = {**guarded(timeout="30ms"), "network": {"default": {"latency": "1ms", "loss": "100%"}}}
    assert parts(system, [0.0], sends="front.ask") == {("back", "network"): 0.03}


def test_the_clients_own_patience_and_pause():
    system = {
        "traffic": {
            "clients": {
                "sends": "shop.buy",
                "timeout": "30ms",
                "retry": {"max_attempts": 2, "backoff": {"constant": "5ms"}, "jitter": "none"},
            }
        },
        "services": {"shop": {"workers": 1, "endpoints": {"buy": [{"work": "40ms"}]}}},
    }
    expected = {
        ("shop", "work*"): 0.03,
        ("clients", "backoff"): 0.005,
        ("shop", "queue"): 0.005,
        ("shop", "work"): 0.025,
    }
    assert parts(system, [0.0]) == expected


def test_of_branches_the_one_that_was_over_last_counts():
    shop = """
    network: {default: {latency: 1ms}}
    services:
      shop: {workers: 4, endpoints: {buy: [{parallel: [[{work: 5ms}], [{call: back.answer}], [{wait: 7ms}]]}]}}
      back: {workers: 4, endpoints: {answer: [{work: 20ms}]}}
    """
    assert parts(shop, [0.0], sends="shop.buy") == {("back", "network"): 0.002, ("back", "work"): 0.02}


def test_what_goes_on_after_the_reply_is_nobodys_wait():
    shop = """
    network: {default: {latency: 2ms}}
    services:
      front: {workers: 4, endpoints: {ask: [{call: back.answer}]}}
      back: {workers: 4, endpoints: {answer: [{work: 5ms}, {reply: null}, {work: 100ms}]}}
    """
    assert parts(shop, [0.0], sends="front.ask") == {("back", "network"): 0.004, ("back", "work"): 0.005}


def test_of_branches_the_one_that_gave_the_answer_counts():
    shop = """
    network: {default: {latency: 2ms}}
    services:
      front: {workers: 4, endpoints: {ask: [{call: back.answer}]}}
      back: {workers: 4, endpoints: {answer: [{parallel: [[{wait: 50ms}], [{work: 5ms}, {reply: null}]]}]}}
    """
    assert parts(shop, [0.0], sends="front.ask") == {("back", "network"): 0.004, ("back", "work"): 0.005}


def test_threads_that_share_a_core_take_longer_than_alone():
    shop = "services: {shop: {workers: 2, cores: 1, endpoints: {buy: [{work: 100ms}]}}}"
    assert parts(shop, [0.0, 0.0], 1) == {("shop", "work"): 0.1, ("shop", "cores"): 0.1}


def test_an_event_loop_comes_back_to_a_thread():
    shop = "services: {shop: {workers: 1, concurrency: event_loop, endpoints: {buy: [{work: 10ms}, {wait: 5ms}, {work: 10ms}]}}}"
    assert parts(shop, [0.0, 0.012], 0) == {("shop", "work"): 0.02, ("shop", "wait"): 0.005, ("shop", "thread"): 0.007}


def test_a_bulkhead_lets_wait_before_its_callee():
    system = guarded(bulkhead={"max_concurrent_calls": 1, "max_wait": "1s"})
    found = parts(system, [0.0, 0.0], 1, sends="front.ask")
    assert found == {("back", "bulkhead"): 0.102, ("back", "network"): 0.002, ("back", "work"): 0.02}


@pytest.mark.parametrize("cores", ["", "cores: 1, "])
def test_a_freeze_is_told_apart_from_the_work_that_it_stops(cores):
    shop = f"""
    services: {{shop: {{workers: 1, {cores}endpoints: {{buy: [{{work: 100ms}}]}}}}}}
    faults: [{{name: f, at: 30ms, for: 1s, outage: shop, how: hang}}]
    """
    assert parts(shop, [0.0]) == {("shop", "work"): 0.1, ("shop", "frozen"): 1.0}


def test_a_freeze_that_comes_by_chance_is_told_apart_too():
    """Two spells of 20 ms, 10 ms apart, stop the work of 40 ms."""
    shop = """
    duration: 1s
    services: {shop: {workers: 1, cores: 1, endpoints: {buy: [{work: 40ms}]}}}
    faults: [{name: f, at: 10ms, for: 65ms, random: {mtbf: 10ms, mttr: 20ms, fault: {outage: shop, how: hang}}}]
    """
    assert parts(shop, [0.0]) == {("shop", "work"): 0.04, ("shop", "frozen"): 0.04}


def test_a_publication_travels_and_is_replicated():
    shop = """
    network: {default: {latency: 2ms}}
    services: {shop: {workers: 1, endpoints: {buy: [{work: 5ms}, {publish: order.events}]}}}
    brokers: {kafka: {kind: log, acks: all, replication: 7ms, topics: {order.events: {partitions: 1}}}}
    """
    assert parts(shop, [0.0]) == {
        ("shop", "work"): 0.005,
        ("order.events", "network"): 0.004,
        ("order.events", "replication"): 0.007,
    }


def test_a_gateway_is_a_station_like_any_other():
    system = """
    network: {default: {latency: 1ms}}
    gateway: {workers: 1, work: 2ms, routes: {GET /: {to: shop.buy, translate: {to: grpc, work: 3ms}}}}
    services: {shop: {workers: 1, endpoints: {buy: [{work: 10ms}]}}}
    """
    assert parts(system, [0.0]) == {("gateway", "work"): 0.005, ("shop", "network"): 0.002, ("shop", "work"): 0.01}


def assert_all_adds_up(seed):
    document = random_system(seed)
    (scenario,) = load_document(document).variants.values()
    records = simulate(scenario)
    plain = simulate(scenario.model_copy(update={"record": scenario.record.model_copy(update={"spans": "none"})}))
    assert records.fingerprint() == plain.fingerprint(), "that spans are kept changes nothing"
    assert not plain.stages.size
    rows = np.flatnonzero(~np.isnan(records.requests["end"]))
    ways, shared = Ways(records, scenario, rows), "oauth" in str(document)
    for row in rows.tolist():
        found = ways.parts(row)
        response = float(records.requests["end"][row] - records.requests["arrival"][row])
        assert sum(found.values()) == pytest.approx(response, rel=0, abs=1e-9)
        assert min(found.values(), default=0.0) >= 0.0
        assert {part.what for part in found} <= PARTS.keys()
        if not shared:  # misses of one user share one call of the identity provider
            assert all(seconds < 1e-9 for part, seconds in found.items() if part.what == "other")
    return len(rows)


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(first, first + 5) for first in range(0, 20, 5)])
def test_in_systems_made_at_random_every_second_of_every_request_is_attributed_once(seeds):
    assert sum(map(assert_all_adds_up, seeds)) > 200


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(20, 320, 20)])
def test_in_many_more_too(seeds):
    for seed in seeds:
        assert_all_adds_up(seed)


QUEUE = {"services": {"shop": {"workers": 1, "endpoints": {"buy": [{"work": "100ms"}]}}}}


def test_a_composition_is_the_mean_of_the_requests_around_the_quantile():
    """Ten at once: the k-th waits for k others. Around p50 are the ranks from 4.5 to 5.5, around p99 the last."""
    played = play(QUEUE, [0.0] * 10)
    found = compositions(played.records, played.scenario)
    assert found[0.5].value == pytest.approx(0.5)
    assert found[0.5].count == 2
    assert found[0.5].parts == pytest.approx({Part("shop", "queue"): 0.45, Part("shop", "work"): 0.1})
    assert found[0.99].parts == pytest.approx({Part("shop", "queue"): 0.9, Part("shop", "work"): 0.1})
    assert sum(found[0.99].parts.values()) == pytest.approx(found[0.99].response)


def test_exemplars_are_too_few_for_a_composition():
    played = play({**QUEUE, "record": {"spans": "exemplars"}}, [0.0] * 10)
    with pytest.raises(UsageError, match=r"record\.spans: found exemplars, expected all"):
        compositions(played.records, played.scenario)


def test_requests_that_failed_are_left_out_unless_asked_for():
    system = {"services": {"shop": {"workers": 1, "queue": {"capacity": 0}, "endpoints": {"buy": [{"work": "100ms"}]}}}}
    played = play(system, [0.0, 0.01, 0.02])
    assert compositions(played.records, played.scenario)[0.5].count == 1
    assert compositions(played.records, played.scenario, failures=True)[0.5].response == 0.0


def test_a_route_of_which_nothing_was_answered_has_no_composition():
    played = play(QUEUE, [0.0])
    assert compositions(played.records, played.scenario, route="nowhere") == {}


def test_work_that_was_cut_off_on_shared_cores_counts_evenly():
    system = {
        "traffic": {"clients": {"sends": "shop.buy", "timeout": "150ms"}},
        "services": {"shop": {"workers": 2, "cores": 1, "endpoints": {"buy": [{"work": "100ms"}]}}},
    }
    found = parts(system, [0.0, 0.0])
    assert found == {("shop", "work"): 0.075, ("shop", "cores"): 0.075}
    assert math.isclose(sum(found.values()), 0.15)


# ---- until the order is complete


def until_complete(system, arrivals, number=0, **options):
    """The same of the completion."""
    played = play(system, arrivals, **options)
    ids = played.records.requests["id"] & ((1 << 40) - 1)
    row = int(np.flatnonzero(ids == number)[0])
    found = Ways(played.records, played.scenario, np.array([row])).until_complete(row)
    return {(part.place, part.what): round(seconds, 9) for part, seconds in found.items()}


EVENTS = """
traffic: {{clients: {{sends: shop.buy, completes_with: [sent]}}}}
network: {{default: {{latency: 2ms}}}}
services:
  shop: {{workers: 1, endpoints: {{buy: [{{work: 5ms}}, {{publish: order.events{via}}}, {{wait: 1s}}]}}}}
  mail: {{workers: 1, endpoints: {{stamp: [{{work: 3ms}}]}}, consumes: {{order.events: {{group: g, {consume}}}}}}}
brokers: {{kafka: {{kind: log, acks: {acks}, replication: 7ms, topics: {{order.events: {{}}}}}}}}
"""


def test_an_order_completes_along_the_way_of_its_event():
    """The publisher's own second comes after the event, and is not on its way. The fetch that was waiting takes one hop: the consumer is waited for."""
    for acks in ("all", 1, 0):
        system = EVENTS.format(via="", acks=acks, consume="do: [{work: 100ms}, {effect: sent}, {work: 50ms}]")
        own = {("shop", "work"): 0.005, ("order.events", "network"): 0.002, ("order.events", "replication"): 0.007}
        assert until_complete(system, [0.0]) == {**own, ("g", "lag"): 0.002, ("mail", "work"): 0.1}, acks
        # 100 ms later: the first keeps its consumer until 0.116 + 0.05, and has left it before the event of the second is there
        assert until_complete(system, [0.0, 0.1], 1)["shop", "queue"] > 0.9


def test_the_second_order_waits_for_the_consumer_of_the_first():
    system = EVENTS.format(via="", acks="all", consume="do: [{work: 100ms}, {effect: sent}]").replace(
        "workers: 1, endpoints: {buy", "workers: 9, endpoints: {buy"
    )
    found = until_complete(system, [0.0, 0.03], 1)
    assert found["g", "lag"] == pytest.approx(0.002 + 0.07)
    assert found["mail", "work"] == pytest.approx(0.1)


def test_an_event_waits_in_the_outbox_for_its_relay():
    """Written at 5 ms, looked for at 100 ms, at the broker at 102 ms, replicated at 109 ms."""
    system = EVENTS.format(via=", via: outbox, poll: 100ms", acks="all", consume="do: [{effect: sent}]")
    found = until_complete(system, [0.0])
    assert found == {
        ("shop", "work"): 0.005,
        ("shop", "outbox"): 0.097,
        ("order.events", "replication"): 0.007,
        ("g", "lag"): 0.002,
    }


def test_a_delay_in_a_retry_topic_is_on_the_way():
    """The first try of the only record fails, 40 % of them do; the seed is one at which it is so."""
    consume = "retry_topic: [300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 300ms], do: [{work: 10ms}, {fail: 40%}, {effect: sent}]"
    system = EVENTS.format(via="", acks="all", consume=consume)
    found = next(
        found
        for found in (until_complete(f"seed: {seed}{system}", [0.0]) for seed in range(20))
        if ("g", "retry topic") in found
    )
    tries = round(found["g", "retry topic"] / 0.3)
    assert found["g", "retry topic"] == pytest.approx(0.3 * tries)
    assert found["mail", "work"] == pytest.approx(0.01 * (tries + 1))


def test_what_a_consumer_calls_is_on_the_way_and_an_unfinished_order_is_where_it_stands():
    system = EVENTS.format(via="", acks="all", consume="do: [{call: mail.stamp}, {effect: sent}]")
    assert until_complete(system, [0.0])["mail", "work"] == 0.003
    dead = EVENTS.format(via="", acks="all", consume="do: [{wait: 1h}, {effect: sent}]").replace(
        "workers: 1, endpoints: {buy", "workers: 9, endpoints: {buy"
    )
    played = play(f"duration: 20s{dead}", [0.0, 1.0])
    ways = Ways(played.records, played.scenario, np.arange(2))
    row = int(np.argmax(played.records.requests["arrival"]))
    found = ways.until_complete(row)
    assert found[Part("g", "lag")] == pytest.approx(20.0 - 1.0 - 0.005 - 0.002 - 0.007)
    bands = compositions(played.records, played.scenario, clock="completion")
    assert bands[0.99].open
    assert sum(bands[0.99].parts.values()) == pytest.approx(bands[0.99].response)


def assert_completion_adds_up(seed):
    document = {**any_scenario(seed), "record": {"spans": "all"}}
    (scenario,) = load_document(document).variants.values()
    records = simulate(scenario)
    requests = records.requests
    complete = ~np.isnan(requests["completion"])
    rows = np.flatnonzero(complete | (requests["expects"] & requests["pending"]))
    if not rows.size:
        return 0
    ways, shared = Ways(records, scenario, rows), "oauth" in str(document)
    for row in rows.tolist():
        found = ways.until_complete(row)
        end = requests["completion"][row] if complete[row] else records.duration
        assert sum(found.values()) == pytest.approx(float(end - requests["arrival"][row]), rel=0, abs=1e-9)
        assert min(found.values(), default=0.0) >= 0.0
        assert {part.what for part in found} <= PARTS.keys()
        if complete[row] and not shared:
            assert all(seconds < 1e-9 for part, seconds in found.items() if part.what == "other"), row
    return int(complete.sum())


@pytest.mark.long
def test_in_systems_made_at_random_every_second_of_a_completion_is_attributed_once():
    assert sum(map(assert_completion_adds_up, range(24))) > 100  # most systems complete next to nothing


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(24, 324, 20)])
def test_of_a_completion_in_many_more_too(seeds):
    for seed in seeds:
        assert_completion_adds_up(seed)
