"""A frozen process and its bounds: every request of random freezes, against an event-by-event reckoning that knows nothing of the engine."""

import heapq
import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import testing
from sim.vocabulary import Outcome

from .systems import run

SYSTEM = """
version: 1
duration: 40s
traffic: {clients: {sends: station.serve, arrivals: {poisson: 60/s}}}
services:
  station: {workers: 4, queue: {capacity: 196}, endpoints: {serve: [work: {exponential: 50ms}]}}
faults: [{name: freeze, at: 10s, for: 10s, outage: station, how: hang}]
"""
some = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
FAULT, ARRIVE, END, GIVE_UP = range(4)  # the order at one instant; of faults the order in which they are written


def station(arrivals, works, freezes, workers, capacity, patience=math.inf, lifo=False):
    """(end, outcome) of each request: in a freeze work stands still and who comes waits outside; at the thaw they come in, in order of arrival."""
    events = [(time, ARRIVE, i) for i, time in enumerate(arrivals)]
    for number, (begins, lasts) in enumerate(freezes):
        events += [(begins, FAULT, 2 * number), (begins + lasts, FAULT, 2 * number + 1)]
    heapq.heapify(events)
    running, queue, outside, due, found = {}, [], [], {}, {}  # running: when each ends; due: until when each is patient
    frozen, since = 0, 0.0

    def start(i, now):
        running[i] = now + works[i]
        heapq.heappush(events, (running[i], END, i))

    def come(i, now):
        if len(running) < workers:
            start(i, now)
        elif len(queue) >= capacity:
            found[i] = (now, Outcome.SHED)
        else:
            queue.append(i)
            due[i] = now + patience
            heapq.heappush(events, (due[i], GIVE_UP, i))

    while events:
        now, kind, i = heapq.heappop(events)
        if kind == FAULT and i % 2 == 0:
            frozen, since = frozen + 1, since if frozen else now
        elif kind == FAULT:
            frozen -= 1
            if frozen:
                continue
            for late in [j for j in queue if due[j] <= now]:
                queue.remove(late)
                found[late] = (now, Outcome.SHED)
            for j, end in list(running.items()):
                running[j] = end + now - since
                heapq.heappush(events, (running[j], END, j))
            came, outside = outside, []
            for j in came:
                come(j, now)
        elif kind == ARRIVE:
            outside.append(i) if frozen else come(i, now)
        elif frozen:
            continue  # it will be seen to at the thaw
        elif kind == END and running.get(i) == now:
            del running[i]
            found[i] = (now, Outcome.OK)
            if queue:
                start(queue.pop() if lifo else queue.pop(0), now)
        elif kind == GIVE_UP and i in queue:
            queue.remove(i)
            found[i] = (now, Outcome.SHED)
    return [found[i] for i in range(len(arrivals))]


def compare(*sets, freezes=((10.0, 10.0),), **shape):
    system = run(SYSTEM, *sets, "traffic.clients.arrivals.poisson=60/s")
    rows = system.requests
    works = system.draws(
        system.scenario.services["station"].endpoints["serve"].do[0].time, "station.serve.work", rows["id"]
    )
    told = station(rows["arrival"].tolist(), works.tolist(), freezes, **shape)
    ended = [(end, outcome) if end <= 40.0 else (math.inf, Outcome.IN_FLIGHT) for end, outcome in told]
    assert [Outcome(row["outcome"]) for row in rows] == [outcome for _, outcome in ended]
    closed = rows["outcome"] != Outcome.IN_FLIGHT
    assert rows["end"][closed] == pytest.approx(
        [end for end, outcome in ended if outcome != Outcome.IN_FLIGHT], abs=1e-9
    )
    return system, rows


def test_at_the_thaw_as_many_come_in_as_there_is_room_and_the_rest_is_shed_at_once():
    system, rows = compare(workers=4, capacity=196)
    came = rows[(rows["arrival"] >= 10.0) & (rows["arrival"] < 20.0)]
    shed = came[came["outcome"] == Outcome.SHED]
    inside = int(((rows["arrival"] < 10.0) & (rows["end"] > 10.0)).sum())
    assert len(came) - len(shed) == 200 - inside
    assert (shed["end"] == 20.0).all()
    assert shed["arrival"].min() > came[came["outcome"] == Outcome.OK]["arrival"].max()
    later = rows[rows["arrival"] >= 20.0]
    assert (later["outcome"] == Outcome.OK).mean() > 0.8
    assert system.records.gauge("station", "queue").max() <= 196


@pytest.mark.long
@some
@given(
    st.integers(1, 6),
    st.sampled_from([0, 1, 7, 50, "unlimited"]),
    st.sampled_from(["fifo", "lifo"]),
    st.sampled_from([None, "100ms", "3s"]),
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from([0.25, 2.0, 7.5])),
        min_size=1,
        max_size=3,
        unique_by=lambda freeze: freeze[0],
    ),
)
def test_every_request_of_every_freeze(workers, capacity, discipline, patience, freezes):
    """One, two that overlap, or one after the other; no queue, a short one, one without a bound; the first or the last of it first."""
    faults = ", ".join(
        f"{{name: f{at}, at: {at}s, for: {lasts}s, outage: station, how: hang}}" for at, lasts in freezes
    )
    timeout = f", timeout: {patience}" if patience else ""
    compare(
        f"services.station.workers={workers}",
        f"services.station.queue={{capacity: {capacity}, discipline: {discipline}{timeout}}}",
        f"faults=[{faults}]",
        freezes=[(float(at), lasts) for at, lasts in freezes],
        workers=workers,
        capacity=math.inf if capacity == "unlimited" else capacity,
        patience={None: math.inf, "100ms": 0.1, "3s": 3.0}[patience],
        lifo=discipline == "lifo",
    )


def frozen(faults, station="workers: 1, queue: {capacity: 2}", step="work: 100ms", more=""):
    return f"duration: 30s\nservices: {{station: {{{station}, endpoints: {{serve: [{step}]}}}}}}\nfaults: [{faults}]\n{more}"


HANG = "{name: f, at: 1s, for: 5s, outage: station, how: hang}"
EARLY = [0.95, 0.96, 2.0, 3.0, 4.0]
"""The first is at work when the process freezes, with 50 ms left, the second in the queue; three come meanwhile."""


def test_those_who_come_meanwhile_find_the_room_that_there_is():
    played = testing.play(frozen(HANG), EARLY)
    assert played.outcomes() == ["ok", "ok", "ok", "shed", "shed"]
    assert played.requests["end"].tolist() == pytest.approx([6.05, 6.15, 6.25, 6.0, 6.0])


def test_idle_workers_are_taken_by_the_first_who_come_and_the_others_wait_outside():
    played = testing.play(frozen(HANG, "workers: 2, queue: {capacity: 1}"), [2.0, 3.0, 4.0, 5.0])
    assert played.outcomes() == ["ok", "ok", "ok", "shed"]
    assert played.requests["end"].tolist() == pytest.approx([6.1, 6.1, 6.2, 6.0])
    assert [played.records.gauge("station", what)[5] for what in ("busy", "queue", "listen_backlog")] == [2.0, 0.0, 1.0]


def test_a_worker_that_is_freed_in_a_freeze_goes_to_who_has_waited_longest():
    """The one at work is cancelled at 1.5 s. Who comes at 3 s finds its worker idle, but another was there before."""
    text = f"""
    duration: 30s
    services:
      front: {{workers: 9, endpoints: {{get: [{{call: station.serve, policy: {{timeout: 600ms, on_timeout: cancel}}}}]}}}}
      station: {{workers: 1, queue: {{capacity: 0}}, endpoints: {{serve: [work: 100ms]}}}}
    traffic: {{a: {{sends: front.get}}, b: {{sends: station.serve}}}}
    faults: [{HANG}]
    """
    played = testing.play(text, {"a": [0.95], "b": [1.2, 3.0]})
    assert dict(zip(played.requests["arrival"].tolist(), played.outcomes(), strict=True)) == {
        0.95: "timeout",
        1.2: "ok",
        3.0: "shed",
    }


def test_an_answer_that_came_meanwhile_frees_a_worker_in_its_turn():
    """The call of the first was answered at 1.2 s, before the others came: it goes on first, and leaves its worker to them."""
    text = f"""
    duration: 30s
    services:
      station: {{workers: 1, queue: {{capacity: 0}}, endpoints: {{serve: [call: back.get]}}}}
      back: {{workers: 9, endpoints: {{get: [wait: 250ms]}}}}
    faults: [{HANG}]
    """
    played = testing.play(text, [0.95, 2.0, 3.0], sends="station.serve")
    assert played.outcomes() == ["ok", "ok", "shed"]
    assert played.requests["end"].tolist() == pytest.approx([6.0, 6.25, 6.0])
    later = testing.play(text.replace("250ms", "1500ms"), [0.95, 2.0, 3.0], sends="station.serve")
    assert later.outcomes() == ["ok", "shed", "ok"]  # one came before the answer of 2.45 s, and one behind it


def test_a_crash_kills_those_who_wait_at_the_door_too():
    played = testing.play(frozen(HANG + ", {name: g, at: 3500ms, crash: {of: station, restart_after: 1s}}"), EARLY)
    assert Counter(played.outcomes()) == {"unreachable": 5}
    assert played.requests["end"].tolist() == [3.5, 3.5, 3.5, 3.5, 4.0]
    back = testing.play(
        frozen(HANG + ", {name: g, at: 3500ms, crash: {of: station, restart_after: 1s}}"), [*EARLY, 5.0]
    )
    assert back.outcomes()[-1] == "ok"  # restarted, and still frozen


def test_a_slow_process_that_thaws_is_slow():
    played = testing.play(frozen(HANG + ", {name: g, at: 0s, slow: {of: station, by: 2x}}"), [2.0, 3.0])
    assert played.requests["end"].tolist() == pytest.approx([6.2, 6.4])


def test_the_timeout_of_the_queue_counts_from_the_door():
    station = "workers: 1, queue: {timeout: 150ms}"
    played = testing.play(frozen(HANG, station), [0.95, 0.96, 2.0, 3.0, 4.0])
    assert played.outcomes() == ["ok", "shed", "ok", "ok", "shed"]
    assert played.requests["end"].tolist() == pytest.approx([6.05, 6.0, 6.15, 6.25, 6.15])


@pytest.mark.parametrize(("on_timeout", "worked"), [("abandon", 3), ("cancel", 0)])
def test_who_gave_up_at_the_door_is_let_in_all_the_same_unless_cancelled(on_timeout, worked):
    text = f"""
    duration: 30s
    services:
      front: {{workers: 9, endpoints: {{get: [{{call: station.serve, policy: {{timeout: 500ms, on_timeout: {on_timeout}}}}}]}}}}
      station: {{workers: 1, queue: {{capacity: 5}}, endpoints: {{serve: [work: 100ms]}}}}
    faults: [{HANG}]
    """
    played = testing.play(text, [2.0, 3.0, 4.0], sends="front.get")
    assert played.outcomes() == ["timeout"] * 3
    assert played.records.gauge("station", "work_done")[-1] == pytest.approx(0.1 * worked)
    assert played.records.gauge("station", "work_wasted")[-1] == pytest.approx(0.1 * worked)


@pytest.mark.parametrize("concurrency", ["event_loop", "threads"])
def test_a_frozen_gateway_has_the_same_door(concurrency):
    text = f"""
    duration: 30s
    gateway: {{workers: 1, concurrency: {concurrency}, queue: {{capacity: 1}}, work: 10ms, routes: {{GET /: {{to: station.serve}}}}}}
    services: {{station: {{workers: 9, endpoints: {{serve: [work: 100ms]}}}}}}
    faults: [{HANG.replace("station", "gateway")}]
    """
    played = testing.play(text, [2.0, 3.0, 4.0, 5.0])
    assert played.outcomes() == ["ok", "ok", "shed", "shed"]
    assert played.requests["end"].tolist() == pytest.approx(
        [6.11, 6.12 if concurrency == "event_loop" else 6.22, 6.0, 6.0]
    )
