"""Places and queues: exact timelines of stations, and random ones against a simulation of another kind."""

import heapq
import math
import random

import pytest

from sim import testing
from sim.testing import scripted


def station(works, arrivals, workers, capacity=math.inf, lifo=False, patience=math.inf):
    """(outcome, end) of each: a plain event list over one station."""
    events = [(t, 1, j) for j, t in enumerate(arrivals)]
    heapq.heapify(events)
    free, queue, ends = workers, [], {}
    while events:
        now, kind, j = heapq.heappop(events)
        if kind == 0:
            ends[j] = ("ok", now)
            free += 1
        elif kind == 2:
            if j in queue:
                queue.remove(j)
                ends[j] = ("shed", now)
        elif free or len(queue) < capacity:
            queue.append(j)
            if patience < math.inf and not free:
                heapq.heappush(events, (now + patience, 2, j))
        else:
            ends[j] = ("shed", now)
        while free and queue:
            chosen = queue.pop(-1 if lifo else 0)
            free -= 1
            heapq.heappush(events, (now + works[chosen], 0, chosen))
    return [ends[j] for j in range(len(works))]


def played(works, arrivals, workers, capacity="unlimited", lifo=False, patience=None, **more):
    queue = {
        "capacity": capacity,
        "discipline": "lifo" if lifo else "fifo",
        **({"timeout": f"{patience}s"} if patience else {}),
    }
    return testing.play(
        {
            "services": {
                "app": {"workers": workers, "queue": queue, "endpoints": {"get": [{"work": scripted(*works)}]}}
            },
            **more,
        },
        arrivals,
    )


def test_first_in_first_out():
    assert played([1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.2, 0.3], 1).responses() == [1.0, 1.9, 2.8, 3.7]


def test_last_in_first_out():
    assert played([1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.2, 0.3], 1, lifo=True).responses() == [1.0, 3.9, 2.8, 1.7]


def test_a_full_queue_sheds():
    run = played([1.0] * 4, [0.0, 0.1, 0.2, 1.0], 1, capacity=1)
    assert run.outcomes() == ["ok", "ok", "shed", "ok"]
    assert run.requests["where"].tolist() == ["", "", "app.get", ""]


def test_without_a_queue_whoever_finds_no_worker_is_shed():
    assert played([1.0] * 3, [0.0, 0.5, 1.0], 1, capacity=0).outcomes() == ["ok", "shed", "ok"]


def test_a_request_that_waited_too_long_is_shed_and_leaves_no_ghost():
    run = played([1.0, 1.0, 1.0], [0.0, 0.1, 0.7], 1, capacity=1, patience=0.5)
    assert run.outcomes() == ["ok", "shed", "ok"]
    assert run.responses() == [1.0, 0.5, 1.3]


def test_a_place_that_becomes_free_at_the_very_end_of_the_patience_is_in_time():
    assert played([1.0, 1.0], [0.0, 0.5], 1, patience=0.5).outcomes() == ["ok", "ok"]


def test_a_freed_place_goes_to_the_head_of_the_queue_and_nobody_barges_in():
    """At 1.0 s the first leaves and a third arrives: the second has the place, whoever is looked at first."""
    run = played([1.0, 1.0, 1.0], [0.0, 0.5, 1.0], 1)
    assert run.responses() == [1.0, 1.5, 2.0]


def test_the_order_of_grants_is_the_order_of_the_queue_also_when_many_leave_at_once():
    run = played([1.0] * 9, [0.0] * 9, 3)
    assert [attempt.request for attempt in sorted(run.attempts(), key=lambda attempt: attempt.started)] == list(
        range(9)
    )


def test_queue_and_busy_are_time_averages():
    run = played([1.0, 1.0], [0.0, 0.0], 1, duration="4s")
    assert run.records.gauge("app", "busy").tolist()[1:] == [1.0, 1.0, 0.0, 0.0]
    assert run.records.gauge("app", "queue").tolist()[1:] == [1.0, 0.0, 0.0, 0.0]
    assert run.records.gauge("app", "in_flight").tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(40))
def test_random_timelines_agree_with_a_plain_event_list(seed):
    dice = random.Random(seed)
    n = dice.randint(5, 40)
    arrivals = sorted(dice.uniform(0, 2) for _ in range(n))
    works = [dice.expovariate(10) for _ in range(n)]
    workers, capacity, lifo = dice.randint(1, 3), dice.choice((0, 2, 5, "unlimited")), dice.random() < 0.5
    patience = dice.choice((None, 0.05, 0.2))
    run = played(works, arrivals, workers, capacity, lifo, patience)
    expected = station(
        works, arrivals, workers, math.inf if capacity == "unlimited" else capacity, lifo, patience or math.inf
    )
    assert run.outcomes() == [outcome for outcome, _ in expected]
    assert [arrival + response for arrival, response in zip(arrivals, run.responses(), strict=True)] == pytest.approx(
        [end for _, end in expected], abs=1e-8
    )


@pytest.mark.parametrize("how", ["hang", "refuse"])
def test_a_fault_that_never_happens_changes_nothing(how):
    """A fault makes the engine look out for it: the same requests must come of it as without."""
    works, arrivals = [0.1 * (k % 7) for k in range(50)], [0.05 * k for k in range(50)]
    plain, watchful = (
        played(works, arrivals, 2),
        played(works, arrivals, 2, faults=[{"at": "60s", "outage": "app", "how": how}]),
    )
    assert plain.lines() == watchful.lines()[:-1]


def test_the_replicas_of_a_service_have_queues_of_their_own():
    system = "services: {app: {replicas: 2, workers: 1, endpoints: {get: [{work: WORK}]}}}".replace(
        "WORK", "{replay: {data: [1.0, 0.1]}}"
    )
    run = testing.play(system, [0.0, 0.0, 0.2, 0.2])
    assert [attempt.replica for attempt in run.attempts()] == [0, 1, 0, 1]
    assert run.responses() == [
        1.0,
        0.1,
        1.8,
        0.1,
    ]  # the third waits behind the slow first, though the other replica idles
