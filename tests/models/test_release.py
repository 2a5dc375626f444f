"""Canaries and blue-green: when each step comes, what makes one go back, and what callers meet meanwhile. Times by hand."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.spec import load_document

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

OUTCOMES = {"error", "unreachable"}


def play(deploy, arrivals=(), replicas=4, more="", steps="[{work: 1s}]", others=""):
    text = f"""
    duration: 200s
    traffic: {{clients: {{sends: shop.buy}}}}
    services: {{shop: {{replicas: {replicas}, workers: 9, start: {{time: 10s}}, {more} endpoints: {{buy: {steps}}}}}}}
    faults: [{{name: release, at: 10s, deploy: shop, {deploy}}}{others}]
    """
    return testing.play_on_both(text, list(arrivals))


def times(played, kind):
    return [event.time for event in played.events(kind)]


def told(played, *kinds):
    return [(event.time, event.kind, event.value) for kind in kinds for event in played.events(kind)]


STEPS = "surge: 25%, unavailable: 0%, canary: {steps: [{weight: 25%, pause: 20s}, {weight: 50%, pause: 20s}] ABORT}"


def test_a_canary_goes_by_steps_and_each_pause_begins_when_its_replicas_are_ready():
    """One of four at 20 s, when the new one is ready and the old one goes; a pause of 20 s; one more at 50 s; the last two one by one, at 80 s and 90 s."""
    played = play(STEPS.replace("ABORT", ""))
    assert told(played, "canary_stepped") == [
        (10.0, "canary_stepped", 0.25),
        (40.0, "canary_stepped", 0.5),
        (70.0, "canary_stepped", 1.0),
    ]
    assert times(played, "replica_ready") == [20.0, 50.0, 80.0, 90.0]
    assert times(played, "replica_draining") == [20.0, 50.0, 80.0, 90.0]
    assert times(played, "version_promoted") == [90.0]


BAD = "new_version: {errors: 100%}, " + STEPS.replace("ABORT", ", abort: {errors: 30%, interval: 15s}")
EACH_SECOND = [float(second) + 0.5 for second in range(10, 120)]


def test_a_canary_whose_attempts_fail_goes_back_at_the_first_measurement_that_sees_them():
    """The new one is ready at 20 s; the measurement at 25 s sees a second of its attempts fail, all of them. From 20 s on one in four of the
    requests, in turn, fails: those of 20.5 s ... 24.5 s are five, of which round robin sends one or two to it. The old one that replaces it is ready
    at 35 s, and only then it may go (unavailable 0 %): up to then it takes its quarter.
    """
    played = play(BAD, EACH_SECOND)
    assert told(played, "canary_aborted") == [(25.0, "canary_aborted", 1.0)]
    assert times(played, "replica_ready") == [20.0, 35.0]
    assert not played.events("version_promoted")
    failed = [request.arrived for request in played.attempts() if request.outcome == "error"]
    assert failed
    assert min(failed) > 20.0
    assert max(failed) < 35.0
    assert {attempt.replica for attempt in played.attempts() if attempt.outcome == "error"} == {4}


def test_failures_up_to_the_limit_are_suffered():
    """With a limit of one the measurement of 40 s is the second that fails."""
    played = play(BAD.replace("interval: 15s", "interval: 15s, failure_limit: 1"), EACH_SECOND)
    assert told(played, "canary_aborted") == [(40.0, "canary_aborted", 2.0)]


def test_a_slow_version_is_found_by_its_99th_percentile():
    """Three times one second is more than two; the old version takes one, and its attempts are no matter. With four requests a second two of the eight
    that come until 22 s go to the new one, and have ended at 25 s.
    """
    four_a_second = [10.1 + second / 4 for second in range(400)]
    slow = "new_version: {slow: 3x}, " + STEPS.replace("ABORT", ", abort: {p99: 2s, interval: 15s}")
    assert times(play(slow, four_a_second), "canary_aborted") == [25.0]
    assert not play(slow.replace("p99: 2s", "p99: 4s"), four_a_second).events("canary_aborted")


def test_without_attempts_nothing_is_known_and_the_bad_version_is_released():
    played = play(BAD, [])
    assert not played.events("canary_aborted")
    assert times(played, "version_promoted") == [90.0]


def test_without_an_abort_half_of_the_requests_fail_in_the_second_step():
    """From 50 s to 80 s two of four replicas fail all: in turn, half of twenty requests."""
    played = play("new_version: {errors: 100%}, " + STEPS.replace("ABORT", ""), [50.5 + second for second in range(20)])
    assert [attempt.outcome for attempt in played.attempts()].count("error") == 10


def test_blue_green_switches_all_callers_at_once_and_the_old_ones_stay_for_a_while():
    """Four new ones are ready at 20 s; before that old ones answer, after it only new ones do; the old ones go 30 s later."""
    played = play("blue_green: {}", [float(second) + 0.5 for second in range(10, 30)])
    assert times(played, "replica_ready") == [20.0] * 4
    assert times(played, "version_promoted") == [20.0]
    assert times(played, "replica_draining") == [50.0] * 4
    before = {attempt.replica for attempt in played.attempts() if attempt.arrived < 20.0}
    after = {attempt.replica for attempt in played.attempts() if attempt.arrived > 20.0}
    assert (before, after) == ({0, 1, 2, 3}, {4, 5, 6, 7})
    assert set(played.outcomes()) == {"ok"}


def test_an_autoscaler_scales_both_versions_while_they_are_side_by_side():
    """From two to three at 15 s, while two new ones start: a third one of each; the new ones are complete at 25 s."""
    more = "autoscaling: {min: 1, max: 4, scheduled: [{at: 12s, for: 900s, replicas: 3}]},"
    played = play("blue_green: 5s", [], replicas=2, more=more)
    assert times(played, "version_promoted") == [25.0]
    assert len(times(played, "replica_draining")) == 3


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"canary": [{"weight": "50%", "pause": "1s"}], "blue_green": {}}, "found canary and blue_green together"),
        ({"canary": [{"weight": "50%", "pause": "1s"}, {"weight": "20%", "pause": "1s"}]}, "smaller weight"),
        ({"canary": {"steps": [{"weight": "50%", "pause": "1s"}], "abort": {}}}, "neither `errors` nor `p99`"),
    ],
)
def test_what_cannot_be_meant_is_told(said, message):
    document = {
        "version": 1,
        "duration": "10s",
        "traffic": {"a": {"sends": "shop.buy", "arrivals": {"poisson": "1/s"}}},
        "services": {"shop": {"workers": 1, "endpoints": {"buy": [{"work": "1ms"}]}}},
        "faults": [{"at": "1s", "deploy": "shop", **said}],
    }
    with pytest.raises(ScenarioError, match=message):
        load_document(document)
