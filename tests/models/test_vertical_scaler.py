"""A service whose CPU limit follows what its replicas use. Times and limits by hand, from the rules of Kubernetes' VPA."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.vocabulary import EventKind

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

# Four replicas that are never idle: each uses all of its limit, 100m. By p50 and the confidence of n minutes the lower
# bound is 126m (1 + 1.44 / n)^-2, above 100m from n = 12.2 on; each measurement is a minute after the one before it.
ALWAYS_BUSY = """
services:
  shop:
    replicas: {replicas}
    workers: 1
    cpu: {{limit: 100m, request: {request}, period: 1s}}
    cost: 1/h
    start: 10s
    vertical_scaling: {{{said}}}
    endpoints: {{buy: [{{work: 1000s}}]}}
duration: {minutes}m
"""


def busy(said="", replicas=4, minutes=17, request="100m"):
    text = ALWAYS_BUSY.format(said=said, replicas=replicas, minutes=minutes, request=request)
    return testing.play_on_both(text, [0.0] * (replicas * 4))


def told(played, *kinds):
    records = played.records
    return [
        (float(row["time"]), records.names[row["subject"]], round(float(row["value"]), 6))
        for row in records.events
        if row["kind"] in kinds
    ]


def level(played, name, at):
    frame = played.records.gauge_frame()
    return float(frame.loc[frame.index <= at, f"shop.{name}"].iloc[-1])


def test_half_of_the_replicas_are_replaced_a_minute_by_larger_ones():
    """13 minutes after the first measurement, which ends at 1:00: at 14:00 two of four, at 15:00 the other two, in
    the places of those whose grace ended at 14:30."""
    played = busy()
    assert told(played, EventKind.REPLICA_RESIZED) == [
        (840.0, "shop[4]", 0.126), (840.0, "shop[5]", 0.126), (900.0, "shop[0]", 0.126), (900.0, "shop[1]", 0.126),
    ]  # fmt: skip
    assert [line[:2] for line in told(played, EventKind.REPLICA_READY)] == [
        (850.0, "shop[4]"), (850.0, "shop[5]"), (910.0, "shop[0]"), (910.0, "shop[1]"),
    ]  # fmt: skip
    assert level(played, "cpu_target", 840.0) == pytest.approx(0.126)


def test_a_resize_in_place_cuts_nobody_off():
    played = busy("mode: in_place_or_recreate")
    assert [line[:1] + line[2:] for line in told(played, EventKind.REPLICA_RESIZED)] == [(840.0, 0.126)] * 2 + [
        (900.0, 0.126)
    ] * 2
    assert told(played, EventKind.REPLICA_DRAINING) == []
    assert level(played, "cores", 830.0) == pytest.approx(0.4)
    assert level(played, "cores", 1000.0) == pytest.approx(0.504)
    assert level(played, "replicas_paid", 1000.0) == pytest.approx(5.04)


@pytest.mark.parametrize("said", ["mode: recommend", "mode: initial", "min_replicas: 5", "max_allowed: 100m"])
def test_nobody_is_replaced(said):
    assert told(busy(said), EventKind.REPLICA_RESIZED, EventKind.REPLICA_DRAINING) == []


def test_a_replica_that_starts_is_given_the_target_of_that_moment():
    """Of an autoscaler by schedule, with `initial`."""
    text = ALWAYS_BUSY.format(said="mode: initial", replicas=2, minutes=4, request="100m")
    text = text.replace(
        "    start: 10s\n", "    start: 10s\n    autoscaling: {max: 4, scheduled: [{at: 2m, for: 1h, replicas: 3}]}\n"
    )
    played = testing.play_on_both(text, [0.0] * 4)
    assert told(played, EventKind.REPLICA_RESIZED) == [(120.0, "shop[2]", 0.126)]


def test_the_limit_grows_in_proportion_to_what_is_asked_for():
    """50m with a limit of 100m: with 126m recommended the limit is 252m, and each asks for less than the lower bound
    as soon as 126m (1 + 1.44 / n)^-2 is above 50m: after 2.5 minutes."""
    played = busy("mode: in_place_or_recreate", minutes=5, request="50m")
    assert told(played, EventKind.REPLICA_RESIZED)[0][::2] == (240.0, 0.252)


def test_a_larger_quota_lets_go_on_who_stood_still():
    """Linux refills the group that it changes: from 14:00 on one replica of two has 126 ms in each second."""
    played = busy("mode: in_place_or_recreate", replicas=2, minutes=15)
    used = level(played, "cores_busy", 900.0)
    assert used == pytest.approx(0.1 + 0.126)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("vertical_scaling: {}", "without `cpu`"),
        ("cpu: 1, autoscaling: {max: 3}, vertical_scaling: {}", "`autoscaling` by cpu beside `vertical_scaling`"),
        ("cpu: {limit: 1, request: 2}", "found a request of 2 cores, expected at most the limit, 1"),
        ("cpu: 1, vertical_scaling: {interval: 10s}", "metrics_window that is longer than the interval"),
        ("cpu: 1, vertical_scaling: {min_allowed: 2, max_allowed: 1}", "min_allowed 2 above max_allowed 1"),
    ],
)
def test_what_does_not_go_together_is_an_error(more, words):
    text = f"version: 1\nduration: 1m\ntraffic: {{users: {{arrivals: {{poisson: 1/s}}, sends: shop.buy}}}}\nservices: {{shop: {{workers: 1, {more}, endpoints: {{buy: [{{work: 1ms}}]}}}}}}\n"
    with pytest.raises(ScenarioError, match=words):
        sim.load_text(text)
