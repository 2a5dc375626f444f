"""Cores shared by threads: exact timelines, and random ones against a simulation of another kind."""

import math
import random

import pytest

from sim import testing
from sim.testing import scripted


def shared(works, arrivals, cores, freezes=(), limit=None):
    """Ends of jobs that share `cores`, worked out by small pieces between the events; jobs die at arrival + limit."""
    left, ends = dict(enumerate(works)), [math.nan] * len(works)
    moments = sorted(
        {*arrivals, *(t for freeze in freezes for t in freeze), *((a + limit for a in arrivals) if limit else ())}
    )
    now = 0.0
    while True:
        active = [j for j in left if arrivals[j] <= now + 1e-12]
        frozen = any(begin <= now + 1e-12 < end for begin, end in freezes)
        rate = 0.0 if frozen or not active else min(1.0, cores / len(active))
        following = [t for t in moments if t > now + 1e-12]
        finish = min((now + left[j] / rate for j in active), default=math.inf) if rate else math.inf
        step = min(following[0] if following else math.inf, finish)
        if step == math.inf:
            return ends
        for j in active:
            left[j] -= (step - now) * rate
        now = step
        for j in [j for j in active if left[j] <= 1e-12]:
            ends[j] = now
            del left[j]
        if limit:
            for j in [j for j in left if arrivals[j] + limit <= now + 1e-12]:
                ends[j] = now
                del left[j]


def played(works, arrivals, cores, freezes=(), limit=None):
    policy = {"timeout": f"{limit}s", "on_timeout": "cancel"} if limit else {}
    system = {
        "services": {
            "edge": {"workers": "unlimited", "endpoints": {"get": [{"call": "app.get", "policy": policy}]}},
            "app": {"workers": "unlimited", "cores": cores, "endpoints": {"get": [{"work": scripted(*works)}]}},
        },
        "faults": [
            {"name": f"f{i}", "at": f"{a!r}s", "for": f"{b - a!r}s", "outage": "app"}
            for i, (a, b) in enumerate(freezes)
        ],
    }
    return testing.play(system, arrivals, sends="edge.get")


def test_a_job_that_joins_halves_the_pace_of_the_one_that_was_there():
    """One alone for 50 ms, then two: the first has 50 ms left at half pace, the second is alone again for its last 50 ms."""
    run = played([0.1, 0.1], [0.0, 0.05], 1)
    assert [attempt.ended for attempt in run.attempts("app.get")] == [0.15, 0.2]


def test_as_many_jobs_as_cores_do_not_notice_one_another():
    run = played([0.1, 0.2, 0.3], [0.0, 0.0, 0.0], 3)
    assert [attempt.ended for attempt in run.attempts("app.get")] == [0.1, 0.2, 0.3]


def test_jobs_that_end_together_end_in_the_order_in_which_they_came():
    run = played([0.1] * 4, [0.0] * 4, 1)
    assert [(attempt.request, attempt.ended) for attempt in run.attempts("app.get")] == [(k, 0.4) for k in range(4)]


def test_a_freeze_stops_the_cores_and_no_work_is_lost():
    run = played([0.1, 0.1], [0.0, 0.05], 1, freezes=[(0.1, 1.1)])
    assert [attempt.ended for attempt in run.attempts("app.get")] == [1.15, 1.2]


def test_busy_cores_are_counted_as_such():
    run = testing.play(
        "services: {app: {workers: 4, cores: 2, endpoints: {get: [{work: 300ms}]}}}\nrecord: {interval: 100ms}\nduration: 1s",
        [0.0, 0.0, 0.0],
    )
    busy = run.records.gauge("app", "cores_busy")
    assert busy.round(6).tolist() == [
        0.0,
        2.0,
        2.0,
        2.0,
        2.0,
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]  # 900 ms of work on two cores


@pytest.mark.parametrize("seed", range(30))
def test_random_timelines_agree_with_a_simulation_by_small_steps(seed):
    dice = random.Random(seed)
    n = dice.randint(2, 12)
    arrivals = sorted(dice.uniform(0, 1) for _ in range(n))
    works = [dice.expovariate(5) for _ in range(n)]
    cores = dice.randint(1, 4)
    freezes = [(a, a + dice.uniform(0.1, 0.5)) for a in (dice.uniform(0, 0.5), dice.uniform(1.1, 1.5))][
        : dice.randint(0, 2)
    ]
    limit = dice.choice([None, 0.4])
    ends = [attempt.ended for attempt in played(works, arrivals, cores, freezes, limit).attempts("app.get")]
    assert ends == pytest.approx(shared(works, arrivals, cores, freezes, limit), abs=1e-8)
