"""Zones: how many calls stay in one by Envoy's rule, what crossing costs, and what is left when one is gone."""

from collections import Counter

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.policies.balancing import BalancingRow, PeerRow
from sim.policies.zones import ANY, choose_zone
from sim.spec import load_text

TEXT = """
duration: 2m
traffic: {clients: {sends: front.get}}
network: {between_zones: FAR}
services:
  front: {replicas: 3, workers: unlimited, zones: FRONT, endpoints: {get: [{call: back.get}]}}
  back: {replicas: N, workers: unlimited, zones: BACK, load_balancing: {zone_aware: {}}, MORE endpoints: {get: [{wait: 10ms}]}}
faults: [FAULT]
"""
NONE = "{slow: {of: back, by: 1x}, at: 119s}"


def text_of(front, back, replicas=6, far="0s", fault=NONE, more=""):
    text = TEXT
    for word, value in {
        "FRONT": front,
        "BACK": back,
        "FAR": far,
        "FAULT": fault,
        "MORE": more,
        "N": str(replicas),
    }.items():
        text = text.replace(word, value)
    return text


def played(front, back, times, **words):
    return testing.play(text_of(front, back, **words), times)


def crossed(run):
    frame = run.records.gauge_frame()
    return frame["back.from_same_zone"].iloc[-1], frame["back.from_other_zone"].iloc[-1]


def test_where_callers_and_callees_are_spread_alike_nothing_leaves_its_zone():
    run = played("[a, b, c]", "[a, b, c]", [i / 100 for i in range(3000)])
    assert crossed(run) == (3000, 0)
    here = Counter(attempt.replica for attempt in run.attempts("back.get"))
    assert set(here.values()) == {500}


def test_as_much_stays_as_leaves_every_replica_the_same_share():
    """Two thirds of the callers, and half of the callees, are in a: half of all calls stay there, all of b's third do, and a sixth crosses."""
    run = played("[a, a, b]", "[a, b]", [i / 100 for i in range(9000)])
    same, other = crossed(run)
    assert same + other == 9000
    assert other / 9000 == pytest.approx(1 / 6, abs=0.015)  # four deviations
    shares = Counter(attempt.replica % 2 for attempt in run.attempts("back.get"))
    assert shares[0] / 9000 == pytest.approx(1 / 2, abs=0.015)


def test_with_fewer_replicas_than_envoy_wants_zones_do_not_matter():
    """Five: each caller goes round them all. Front a reaches b twice of five times, and the other way round three times."""
    same, other = crossed(played("[a, b]", "[a, b]", [i / 100 for i in range(3000)], replicas=5))
    assert (same, other) == (2000 * 3 // 5 + 1000 * 2 // 5, 2000 * 2 // 5 + 1000 * 3 // 5)


def test_who_crosses_takes_longer_there_and_back():
    run = played("[a]", "[b]", [1.0, 2.0], far="4ms")
    assert run.responses() == pytest.approx([0.018, 0.018])
    assert played("[a]", "[a]", [1.0], far="4ms").responses() == pytest.approx([0.010])


def test_on_paper_the_way_is_as_much_longer_as_calls_cross():
    """A sixth of 4 ms more each way: 10 ms and 1.333 ms are the time in which a call of 30/s holds a place of front: 0.34 in all."""
    flow = [(0.0, "[a, b]", "[a, b]"), (1 / 6, "[a, a, b]", "[a, b]"), (1.0, "[a]", "[b]")]
    for share, front, back in flow:
        text = text_of(front, back, far="4ms").replace(
            "sends: front.get", "sends: front.get, arrivals: {poisson: 30/s}"
        )
        text = text.replace("front: {replicas: 3, workers: unlimited", "front: {replicas: 3, workers: 10")
        load = check(load_text(f"version: 1\n{text}")).loads["base"]
        busy = next(station.utilisation for station in load.stations if station.name == "front")
        assert busy == pytest.approx(30 * (0.010 + share * 0.008) / 30, rel=1e-6)


def test_all_of_a_zone_dies_and_the_rest_goes_on():
    """Zone b, a third of everything, is gone from 10 to 20 s; 10 ms of work was under way in one of its replicas at most."""
    run = played("[a, b, c]", "[a, b, c]", [i / 100 + 0.005 for i in range(3000)], fault="{zone: b, at: 10s, for: 10s}")
    crashed = [(event.time, event.subject) for event in run.events("replica_crashed")]
    assert crashed == [(10.0, "front[1]"), (10.0, "back[1]"), (10.0, "back[4]")]
    assert [event.time for event in run.events("replica_restarted")] == [20.0] * 3
    there = {attempt.replica for attempt in run.attempts("back.get") if 10.1 < attempt.arrived < 20.0}
    assert there == {0, 2, 3, 5}
    assert run.outcomes().count("unreachable") <= 1


def test_with_health_checks_callers_go_on_sending_to_a_zone_that_is_gone_until_these_notice():
    """All calls of front[1] stay in b. It dies itself; a caller in b alone, front[0], goes there until 15 s: all of five seconds."""
    checks = "health_checks: {interval: 5s, unhealthy_threshold: 2},"
    words = {"fault": "{crash: {of: back, replicas: 1}, at: 7s}", "more": checks}
    run = played("[a, b, c]", "[a, b, c]", [i / 10 for i in range(300)], **words)
    assert run.outcomes().count("unreachable") == pytest.approx(
        80 / 6, abs=2
    )  # every second call of front[0], from 7 to 15 s


def test_a_zone_that_nobody_is_in_is_told():
    with pytest.raises(ScenarioError, match=r"unknown zone 'bb'; did you mean 'b'"):
        played("[a, b]", "[a, b]", [1.0], fault="{zone: bb, at: 1s}")


def test_zones_that_cannot_matter_are_a_warning():
    assert [its.place for its in warned("[a, b]", "[a, b]", replicas=5)] == ["services.back.load_balancing"]
    assert [its.place for its in warned("[a, b]", "[]")] == ["services.back.load_balancing"]
    assert warned("[a, b]", "[a, b]") == []


def warned(front, back, **words):
    text = text_of(front, back, **words).replace("sends: front.get", "sends: front.get, arrivals: {poisson: 30/s}")
    return [its for its in check(load_text(f"version: 1\n{text}")).warnings if its.kind == "zones_in_vain"]


def chosen(u1, u2, own=0, least=1, sick=()):
    """Callers are 40, 40 and 20 %, callees 25, 50 and 25 %, as in a comment of Envoy's load_balancer_impl.cc."""
    row, alive = BalancingRow(zones=3, least_replicas=least), [int(index not in sick) for index in range(4)]
    known = row, [PeerRow() for _ in range(4)], [1] * 4, alive, [0, 1, 1, 2], 4
    return choose_zone(*known, own, [1] * 5, [0, 0, 1, 1, 2], 5, [0] * 3, [0] * 3, u1, u2)


def test_the_example_of_envoys_source():
    """25 of 40 stay; what is left over goes where there is room, 10 in the second and 5 in the third zone."""
    steps = [(index + 0.5) / 10_000 for index in range(10_000)]
    assert sum(chosen(u, 0.0) == 0 for u in steps) == 6250
    assert Counter(chosen(0.99, u) for u in steps) == {1: 6667, 2: 3333}
    assert {chosen(u, 0.5, own) for u in steps[::100] for own in (1, 2)} == {1, 2}
    assert chosen(0.0, 0.0, least=5) == ANY
    assert chosen(0.0, 0.0, own=-1) == ANY
    assert chosen(0.0, 0.0, sick=(0,)) == 1  # nobody is left in its own
