"""The calendar of the compiled engine gives events in the order (time, rank, sequence), wherever each of them stands: wheel, heap or belt."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

import sim
from sim import compiled as compiled_engine
from sim import models
from sim.chance.compiler import compiled
from sim.compiled import calendar
from sim.compiled.machine import Machine
from sim.compiled.rows.events import heap
from sim.compiled.rows.state import State
from sim.compiled.wiring import Wiring
from tests.compiled.same import differences

pytestmark = pytest.mark.xdist_group("compiled")

QUEUE = """
version: 1
name: queue
duration: 1s
traffic: {users: {sends: shop.buy, arrivals: {poisson: 1/s}}}
services: {shop: {workers: 1, endpoints: {buy: [{work: 1ms}]}}}
"""


@compiled
def take(s: State) -> int:
    """What the next event is about; the clock goes there."""
    return calendar.next_event(s)


@compiled
def hop(s: State) -> None:
    """Let the first task travel for as long as hops mostly do."""
    calendar.hold(s, 0, s.fixed_delay)


def machine(buckets: int, pace: float) -> Machine:
    """A calendar with nothing in it but the observation at 1e6 s, which is never taken out."""
    made = Machine(Wiring(next(iter(sim.load_text(QUEUE).variants.values())), 0))
    made.s.heap_size = made.s.fixed_size = made.s.near_size = 0
    made.s.fixed_delay = 0.001
    if buckets:
        made.room.new_wheel(buckets, pace)
    calendar.push(made.s, 1e6, int(calendar.OBSERVATION), 0)
    return made


SHAPES = {
    "no wheel": (0, 0.0),
    "as wide as events are dense": (256, 128.0),
    "all in one bucket": (64, 2.0**-10),
    "all too far": (64, 2.0**30),
    "64": (64, 64.0),
}


@pytest.mark.parametrize(("buckets", "pace"), SHAPES.values(), ids=SHAPES)
def test_events_come_in_their_order_from_wherever_they_stand(buckets, pace):
    """Times of equal and of different lengths, some at this very moment, some never; some hops of the usual length, which stand on the belt."""
    luck = np.random.default_rng(7)
    made = machine(buckets, pace)
    expected: list[tuple[float, int, int, int]] = []
    for step in range(1, 4000):
        now = made.s.now
        if len(expected) < 200 and luck.random() < 0.55:
            if luck.random() < 0.2:
                heapq.heappush(expected, (now + 0.001, int(calendar.ORDINARY), made.s.sequence, 0))
                hop(made.s)
                continue
            delay = float(luck.choice([0.0, 0.25, luck.exponential(0.3), luck.exponential(5.0), 1e300]))
            rank, number = int(luck.integers(3)), made.s.sequence
            calendar.schedule(made.s, rank, delay, 0, step)
            if delay < 1e300:
                heapq.heappush(expected, (now + delay, rank, number, step))
        elif expected:
            time, _, _, about = heapq.heappop(expected)
            assert take(made.s) >> calendar.KIND_BITS == about
            assert made.s.now == time
        if step == 2000:
            calendar.leave_wheel(made.s)  # as when another wheel is made
            assert made.s.near_size == 0
    while expected:
        assert take(made.s) >> calendar.KIND_BITS == heapq.heappop(expected)[-1]
    assert made.s.near_size == 0


@pytest.mark.parametrize("rate", ["1/s", "5/s", "1/min"])
def test_the_heap_is_never_empty_where_all_that_is_to_come_is_near(rate):
    """So few events are to come, and the buckets are so wide, that even the next observation is near: the wheel could hold all there is."""
    sets = ["duration=6000s", f"traffic.users.arrivals.poisson={rate}"]
    scenario = next(iter(sim.load_text(QUEUE, sets=sets).variants.values()))
    assert differences(models.simulate(scenario), compiled_engine.simulate(scenario)) == []


@pytest.mark.long
def test_there_is_room_for_the_events_of_thousands_of_faults():
    """All of them are planned before anything has happened."""
    faults = ", ".join(f"{{name: f{i}, at: {i}ms, for: 500us, slow: {{of: shop, by: 2x}}}}" for i in range(5000))
    made = Machine(
        Wiring(next(iter(sim.load_text(f"{QUEUE}faults: [{faults}]", sets=["duration=10s"]).variants.values())), 0)
    )
    assert 10_000 < made.s.heap_size <= made.s.size_of(heap)


def test_buckets_are_no_finer_than_the_clock():
    """Many events at one instant, years after the beginning: the number of a bucket is still a whole number."""
    made = Machine(
        Wiring(
            next(
                iter(sim.load_text(QUEUE, sets=["duration=300000000s", "record.interval=1000000s"]).variants.values())
            ),
            0,
        )
    )
    made.fit_wheel(200_000, 0.0)
    assert 3e8 * made.s.buckets_per_second <= 2.0**52
