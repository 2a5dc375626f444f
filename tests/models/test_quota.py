"""The CPU quota of a control group: exact timelines, and random ones against an event-by-event reckoning of another kind."""

import math
import random

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.spec.loading import load_document
from sim.testing import scripted

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def under_quota(works, arrivals, limit, period=0.1, cores=math.inf):
    """Ends of jobs that share `cores` and a quota, worked out piece by piece between arrivals, ends and periods."""
    left, ends, now, budget, boundary = dict(enumerate(works)), [0.0] * len(works), 0.0, limit * period, period
    while left:
        active = [j for j in left if arrivals[j] <= now + 1e-12]
        busy = min(len(active), cores) if budget > 1e-12 else 0
        rate = busy / len(active) if active else 0.0
        following = [boundary, *(t for t in arrivals if t > now + 1e-12)]
        if rate:
            following += [now + budget / busy, *(now + left[j] / rate for j in active)]
        step = min(following)
        for j in active:
            left[j] -= (step - now) * rate
        now, budget = step, budget - busy * (step - now)
        if now >= boundary - 1e-12:
            now, budget, boundary = boundary, limit * period, boundary + period
        for j in [j for j in active if left[j] <= 1e-12]:
            ends[j] = now
            del left[j]
    return ends


def played(works, arrivals, cpu, more="", play=testing.play_on_both):
    service = {"workers": "unlimited", "cpu": cpu, "endpoints": {"get": [{"work": scripted(*works)}]}}
    if isinstance(more, dict):
        service |= more
    return play({"duration": "60s", "services": {"app": service}}, arrivals)


def ends(run):
    return run.requests["end"].tolist()


def test_four_threads_use_up_a_limit_of_one_core_in_25_ms_and_stand_still_for_75():
    """100 ms of work each: 25 ms in each of four periods, the last from 300 ms on; after that nobody is there to be throttled."""
    run = played([0.1] * 4, [0.0] * 4, 1)
    assert ends(run) == pytest.approx([0.325] * 4)
    assert run.records.gauge("app", "throttled_periods")[-1] == 3.0
    assert run.records.gauge("app", "throttled")[1] == pytest.approx(3 * 0.075)  # s in the first second
    assert run.records.gauge("app", "cores_busy")[1] == pytest.approx(0.4)


def test_a_request_of_60_ms_under_half_a_core_takes_110_ms_and_the_one_behind_it_what_is_left():
    """50 ms of the first period, 10 of the second; 40 are left there for the next, which ends at 210 ms."""
    run = played([0.06, 0.05], [0.0, 0.11], "500m")
    assert ends(run) == pytest.approx([0.11, 0.21])


def test_what_a_period_does_not_use_is_lost():
    """Idle for ten periods, the group has the quota of one."""
    run = played([0.15], [1.0], 0.5)
    assert ends(run) == pytest.approx([1.25])


def test_a_job_that_comes_while_all_stand_still_waits_for_the_next_period():
    """From 100 ms on both compute: 20 ms of quota until the second is done at 110 ms, and 30 for the first, which lacks 10 then."""
    run = played([0.1, 0.01], [0.0, 0.07], 0.5)
    assert ends(run) == pytest.approx([0.21, 0.11])


def test_as_many_cores_as_the_limit_are_never_throttled():
    run = played([0.5] * 4, [0.0] * 4, 2, {"cores": 2})
    assert ends(run) == pytest.approx([1.0] * 4)
    assert run.records.gauge("app", "throttled_periods")[-1] == 0.0


TIES = [(period, limit, threads) for period in (10, 13, 70) for limit in (1, 1.5, 2) for threads in (3, 4, 7)]


@pytest.mark.parametrize(("period", "limit", "threads"), TIES)
def test_who_is_done_when_the_quota_is_used_up_is_done_then(period, limit, threads):
    """Work that fills the quotas of two periods exactly ends with the second, and not a period later for a rounding."""
    quota = limit * period / 1000
    run = played([2 * quota / threads] * threads, [0.0] * threads, {"limit": limit, "period": f"{period}ms"})
    assert ends(run) == pytest.approx([period / 1000 + quota / threads] * threads)


def test_a_part_of_a_core_is_a_limit():
    service = {"workers": 1, "cores": 0.5, "endpoints": {"get": [{"work": "60ms"}]}}
    run = testing.play({"services": {"app": service}}, [0.0])
    assert ends(run) == pytest.approx([0.11])


def test_a_freeze_uses_up_nothing_and_the_thaw_finds_the_quota_of_its_period():
    """30 ms done at the freeze; thawed at 1.02 s with 80 ms of that period ahead and 50 of quota, 20 of which are needed."""
    system = {
        "duration": "5s",
        "services": {"app": {"workers": 1, "cpu": 0.5, "endpoints": {"get": [{"work": "50ms"}]}}},
        "faults": [{"outage": "app", "at": "30ms", "for": "990ms"}],
    }
    assert ends(testing.play_on_both(system, [0.0])) == pytest.approx([1.04])


@pytest.mark.parametrize("seed", range(12))
def test_random_jobs_end_when_the_reckoning_says(seed):
    draw = random.Random(seed)
    count = draw.randint(1, 25)
    works = [draw.choice((0.001, 0.013, 0.05, 0.2)) * draw.uniform(0.5, 2.0) for _ in range(count)]
    arrivals = sorted(draw.uniform(0.0, 1.5) for _ in range(count))
    limit, period = draw.choice((0.2, 0.5, 1.0, 1.5, 3.0)), draw.choice((0.01, 0.1, 0.3))
    cores = draw.choice((None, 1, 2))
    run = played(works, arrivals, {"limit": limit, "period": f"{period}s"}, {"cores": cores} if cores else "")
    assert ends(run) == pytest.approx(under_quota(works, arrivals, limit, period, cores or math.inf), abs=1e-9)


@pytest.mark.parametrize(
    ("cpu", "words"),
    [
        ("half", "found 'half', expected cores such as 0.5, 2 or 500m"),
        ({"limit": "5m"}, "found 0.005 cores in periods of 100ms, 0.5ms in each, expected at least 1ms"),
        ({"limit": 1, "period": "2s"}, "found '2s', expected at most 1"),
    ],
)
def test_what_the_kernel_does_not_take_is_refused(cpu, words):
    with pytest.raises(ScenarioError, match=words):
        played([0.1], [0.0], cpu, play=testing.play)


def test_a_part_of_a_core_beside_a_limit_is_refused():
    with pytest.raises(ScenarioError, match=r"found cores: 1\.5 beside cpu"):
        played([0.1], [0.0], 1, {"cores": 1.5}, play=testing.play)


def test_check_says_how_soon_the_threads_of_a_busy_moment_use_up_a_limit():
    """30/s of 20 ms: 0.6 at once on average, more than 4 in less than a thousandth of the time (Poisson): 100 / 4 = 25 ms."""
    endpoints = {"get": [{"work": "20ms"}]}
    document = {
        "version": 1,
        "duration": "60s",
        "traffic": {"users": {"sends": "app.get", "arrivals": {"poisson": "30/s"}}},
        "services": {"app": {"workers": 50, "cpu": 1, "endpoints": endpoints}},
    }
    (scenario,) = load_document(document).variants.values()
    analysis = analysis_of(scenario)
    found = [(one.finding, one.why) for one in findings(analysis, analysis.load("")) if one.place == "services.app.cpu"]
    assert found == [
        (
            "4 threads at once use up its 100ms in 25ms",
            "then all stand still for the other 75ms of the period, though 60% of the limit are used on average: a tail that no utilisation shows",
        )
    ]
    (cores,) = (station for station in analysis.load("").stations if station.resource == "cores")
    assert (cores.servers, cores.utilisation) == (1.0, pytest.approx(0.6))
