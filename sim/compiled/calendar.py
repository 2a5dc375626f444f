"""The order of events (ARCHITECTURE.md): a heap of (time, rank, sequence), the ready queue, and the lanes of timers.

Room is looked after before it is needed: whoever takes the last but few of anything sets `s.short`, and the interpreter returns to
Python at the next boundary of an operation, where all arrays can grow. Heap, belt and ready queue are not guarded so: `machine.py` sizes them
by what they can hold at most.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.state import State, belt_order, belt_time, belt_what, handler, heap_order, heap_time, heap_what, lanes, ready, slots, timers, whole

CONTROL, ORDINARY, TIMER, OBSERVATION = map(whole, range(4))  # the ranks of `models/task.py`
TASK, LANE, ARRIVAL, REPLICATED, DUE, CPU, ORDER, TICK = map(whole, range(8))  # what an event is about; ORDER: Python has something to do
KIND_BITS = 3
RANK_BITS = 58  # a sequence is below 2**58
TIMERS_MARGIN, ROOM = 8, 64


@compiled
def schedule(s: State, rank: int, delay: float, kind: int, index: int) -> None:
    """An event `delay` seconds from now."""
    push(s, s.now + delay, rank, kind | index << KIND_BITS)


@compiled
def push(s: State, time: float, rank: int, what: int) -> None:
    """An event at a time; it stands behind all that have the same time and rank."""
    times, orders, whats = heap_time(s), heap_order(s), heap_what(s)
    order = rank << RANK_BITS | s.sequence
    s.sequence += 1
    place = s.heap
    s.heap = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if times[above] < time or (times[above] == time and orders[above] < order):
            break
        times[place], orders[place], whats[place] = times[above], orders[above], whats[above]
        place = above
    times[place], orders[place], whats[place] = time, order, what


@handler
def next_event(s: State) -> int:
    """What the next event is about; the clock is set to its time. The heap is never empty: there is always an observation to come."""
    if s.belt > 0:
        place = s.belt_first & s.belt_mask
        time = belt_time(s)[place]
        if time < heap_time(s)[0] or (time == heap_time(s)[0] and belt_order(s)[place] < heap_order(s)[0]):
            s.now = time
            s.belt_first += 1
            s.belt -= 1
            return belt_what(s)[place]
    return pop(s)


@handler
def pop(s: State) -> int:
    """The same from the heap alone."""
    times, orders, whats = heap_time(s), heap_order(s), heap_what(s)
    s.now = times[0]
    what = whats[0]
    last = s.heap - 1
    s.heap = last
    time, order = times[last], orders[last]
    place, below = 0, 1
    while below < last:
        other = below + 1
        if other < last and (times[other] < times[below] or (times[other] == times[below] and orders[other] < orders[below])):
            below = other
        if time < times[below] or (time == times[below] and order < orders[below]):
            break
        times[place], orders[place], whats[place] = times[below], orders[below], whats[below]
        place, below = below, 2 * below + 1
    times[place], orders[place], whats[place] = time, order, whats[last]
    return what


@handler
def hold(s: State, task: int, seconds: float) -> None:
    """Wake the task some seconds from now.

    Those of the usual length of a hop come due in the order in which they were scheduled, and stand on a belt beside the heap.
    """
    slots(s)[task].held += 1
    if seconds == s.belt_delay:
        place = (s.belt_first + s.belt) & s.belt_mask
        belt_time(s)[place] = s.now + seconds
        belt_order(s)[place] = ORDINARY << RANK_BITS | s.sequence
        belt_what(s)[place] = TASK | task << KIND_BITS
        s.sequence += 1
        s.belt += 1
    else:
        schedule(s, ORDINARY, seconds, TASK, task)


@compiled
def make_ready(s: State, task: int) -> None:
    """Let the task run when its turn in the ready queue comes."""
    slots(s)[task].held += 1
    put_ready(s, task)


@compiled
def put_ready(s: State, item: int) -> None:
    """Append to the ready queue: a task, or a request r as -1 - r. It holds each at most once, so it never overflows."""
    ready(s)[(s.ready_first + s.ready) & s.ready_mask] = item
    s.ready += 1


@handler
def arm(s: State, lane: int, task: int) -> None:
    """Expire the task's present wait when the lane's duration is over, unless it ends before.

    Stale timers at the head go now, which changes nothing but how much memory is in use.
    """
    row = lanes(s)[lane]
    while row.first >= 0 and slots(s)[timers(s)[row.first].slot].ticket != timers(s)[row.first].ticket:
        drop_head(s, lane)
    new = s.timer
    entry = timers(s)[new]
    s.timer = entry.next
    s.timers_free -= 1
    if s.timers_free < TIMERS_MARGIN:
        s.short = 1
    entry.deadline = s.now + row.duration
    entry.slot = task
    entry.ticket = slots(s)[task].ticket
    entry.next = -1
    if row.last < 0:
        row.first = new
    else:
        timers(s)[row.last].next = new
    row.last = new
    if row.armed == 0:
        row.armed = 1
        schedule(s, TIMER, row.duration, LANE, lane)


@handler
def drop_head(s: State, lane: int) -> None:
    """Forget the first timer of a lane."""
    row = lanes(s)[lane]
    head = row.first
    row.first = timers(s)[head].next
    if row.first < 0:
        row.last = -1
    timers(s)[head].next = s.timer
    s.timer = head
    s.timers_free += 1
