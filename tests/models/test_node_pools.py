"""Nodes: who waits for one, when it comes, when it goes and what becomes of those on it. Times by hand from the rules of Kubernetes' cluster autoscaler."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.metrics import measure

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

GROWS = "autoscaling: {min: 1, max: 9, scheduled: [{at: 20s, for: FOR, replicas: WANTED}], behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100}]}}}"


def play(pool, wanted=4, most=5, lasts="2000s", duration="600s", more="", arrivals=()):
    text = f"""
    duration: {duration}
    traffic: {{clients: {{sends: shop.buy}}}}
    node_pools: {{general: {{cores: 4, start: 90s, max: {most}, {pool}}}}}
    services:
      shop: {{workers: 9, cores: 2, node_pool: general, start: {{time: 7s}}, {GROWS.replace("WANTED", str(wanted)).replace("FOR", lasts)}, endpoints: {{buy: [{{work: 1s}}]}}, {more}}}
    """
    return testing.play_on_both(text, list(arrivals))


def times(played, kind):
    return [event.time for event in played.events(kind)]


def level(played, name, at):
    frame = played.records.gauge_frame()
    return float(frame.loc[frame.index <= at, name].iloc[-1])


def test_a_replica_waits_for_a_scan_a_node_and_its_own_start():
    """The autoscaler wants four at 30 s, the first multiple of 15 s in the schedule. Two cores of four are free, so one starts at once and two
    are pending. The scan of that instant comes after it (it was planned at 20 s, the other at 15 s), and brings one node: 30 + 90 + 7 s.
    """
    played = play("min: 1")
    assert times(played, "replica_pending") == [30.0, 30.0]
    assert times(played, "node_starting") == [30.0]
    assert times(played, "node_ready") == [120.0]
    assert times(played, "replica_ready") == [37.0, 127.0, 127.0]
    assert level(played, "general.replicas_pending", 100.0) == 2.0
    assert level(played, "shop.replicas_paid", 100.0) == 2.0  # who is pending is not paid for
    assert (level(played, "general.nodes", 100.0), level(played, "general.nodes_paid", 100.0)) == (1.0, 2.0)


def test_nodes_under_way_count_for_what_is_pending():
    """Five wanted: one has room, three are pending, and two nodes hold them: the eight scans until those are ready bring no more."""
    played = play("min: 1", wanted=5)
    assert times(played, "replica_pending") == [30.0] * 3
    assert times(played, "node_starting") == [30.0, 30.0]


def test_there_are_no_more_nodes_than_max_and_the_others_stay_pending():
    """Two nodes hold four of the nine."""
    played = play("min: 1", wanted=9, most=2)
    assert len(times(played, "node_starting")) == 1
    assert level(played, "general.replicas_pending", 500.0) == 5.0


def test_an_empty_node_goes_when_it_was_unneeded_for_longer_than_ten_minutes():
    """The schedule is over at 200 s, so at 210 s three are drained: both of the second node, and the later one of the first. They end in
    that instant, after the scan of 210 s: the node is unneeded from that of 220 s on, not yet longer than 600 s at 820 s, and goes at 830 s.
    """
    played = play("min: 1", lasts="180s", duration="900s")
    assert times(played, "replica_stopped") == [210.0] * 3
    assert times(played, "node_stopped") == [830.0]


def test_no_node_goes_for_ten_minutes_after_one_was_added():
    """The same with nodes that may go after a second: the addition at 30 s is longer than 600 s ago at 640 s."""
    played = play("min: 1, scale_down_unneeded_time: 1s", lasts="180s", duration="900s")
    assert times(played, "node_stopped") == [640.0]


MOVED = """
duration: 100s
traffic: {clients: {sends: left.buy}}
node_pools: {general: {cores: 8, max: 5, start: 90s, scale_down_unneeded_time: 20s, scale_down_delay_after_add: 0s MORE}}
services:
  filler: {workers: 1, cores: 4, node_pool: general, autoscaling: {min: 0, max: 1, scheduled: [{at: 0s, for: 15s, replicas: 1}], cooldown_period: 0s}}
  left: {workers: 9, cores: 3, node_pool: general, start: {time: 7s}, drain: 2s, endpoints: {buy: [{work: 5s}]}}
  right: {workers: 9, cores: 3, node_pool: general}
"""


def test_whoever_stands_on_a_node_that_goes_is_not_there_until_it_has_started_elsewhere():
    """Filler and left fill seven cores of eight, so right has a node of its own. Filler goes at 30 s, after the scan of that instant. From 40 s
    on three of eight cores are asked for on each, less than half, and each would fit on the other. They are unneeded for longer than 20 s at 70 s, and
    the first of them goes. Left begins anew at once and takes 7 s; what is inside has 2 s, then the node goes. So who comes at 69.5 s is cut off,
    and who comes at 73 s finds nobody.
    """
    played = testing.play_on_both(MOVED.replace("MORE", ""), [69.5, 73.0, 77.5], sends="left.buy")
    assert [(event.time, event.subject) for event in played.events("node_draining")] == [(70.0, "general[0]")]
    assert [(event.time, event.subject) for event in played.events("replica_starting")] == [(70.0, "left[1]")]
    assert times(played, "replica_ready") == [77.0]
    assert times(played, "node_stopped") == [72.0]
    assert played.outcomes() == ["unreachable", "unreachable", "ok"]


def test_a_node_stays_where_more_of_it_is_asked_for_than_the_threshold():
    """Three of eight are 37.5 %."""
    played = testing.play_on_both(
        MOVED.replace("MORE", ", scale_down_utilization_threshold: 37%"), [1.0], sends="left.buy"
    )
    assert not played.events("node_draining")


def test_nodes_have_a_price_beside_that_of_replicas():
    """One node at 0.36 for an hour and two replicas at 0.72: 600 s of them are 0.06 and 0.24."""
    text = """
    version: 1
    duration: 600s
    traffic: {clients: {sends: shop.buy, arrivals: {deterministic: 1/s}}}
    node_pools: {general: {cores: 4, max: 5, start: 90s, cost: 0.36/h}}
    services: {shop: {workers: 9, replicas: 2, cores: 2, node_pool: general, cost: 0.72/h, endpoints: {buy: [{work: 1ms}]}}}
    """
    (scenario,) = sim.load_text(text).variants.values()
    figures = measure(sim.models.simulate(scenario), scenario).values
    assert figures["cost"] == pytest.approx(0.06 + 0.24)


@pytest.mark.parametrize(
    ("pool", "service", "message"),
    [
        ("cores: 4, max: 5, start: 1m", "node_pool: genral", "unknown node pool 'genral'; did you mean 'general'"),
        (
            "cores: 1, max: 5, start: 1m",
            "node_pool: general",
            "whose nodes have 1 cores; a replica of 'shop' asks for 2",
        ),
        ("cores: 4, max: 1, start: 1m", "node_pool: general, replicas: 3", "found 1, expected at least 2"),
        ("cores: 4, min: 3, max: 1, start: 1m", "node_pool: general", "found min 3 above max 1"),
        ("cores: 4, max: 1", "node_pool: general", "start"),
    ],
)
def test_what_cannot_be_meant_is_told(pool, service, message):
    text = f"""
    version: 1
    duration: 10s
    traffic: {{clients: {{sends: shop.buy, arrivals: {{poisson: 1/s}}}}}}
    node_pools: {{general: {{{pool}}}}}
    services: {{shop: {{workers: 9, cores: 2, {service}, endpoints: {{buy: [{{work: 1ms}}]}}}}}}
    """
    with pytest.raises(ScenarioError, match=message.replace("(", ".")):
        sim.load_text(text)
