"""The order of events (ARCHITECTURE.md): by (time, rank, sequence) from the wheel, the belt or the heap; the ready queue, and the lanes of timers.

Room is looked after before it is needed: whoever takes the last but few of anything sets `s.short`, and the interpreter returns to
Python at the next boundary of an operation, where all arrays can grow. Heap, belt and ready queue are not guarded so: `machine.py` sizes them
by what they can hold at most. What the wheel has no room for stands in the heap.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.state import Row, State, belt, handler, heap, lanes, near, ready, slots, soon, timers, wheel, whole
from sim.compiled.wheel import before, from_wheel, into_wheel
from sim.policies import base

CONTROL, ORDINARY, TIMER, OBSERVATION = map(whole, range(4))  # the ranks of `models/task.py`
TASK, LANE, ARRIVAL, REPLICATED, DUE, CPU, ORDER, TICK = map(whole, range(8))  # what an event is about; ORDER: Python has something to do
IN_HEAP, IN_WHEEL = map(whole, range(2))
KIND_BITS = 3
RANK_BITS = 58  # a sequence is below 2**58
TIMERS_MARGIN, ROOM = 8, 64
noise = base.noise.compiled


@compiled
def schedule(s: State, rank: int, delay: float, kind: int, index: int) -> None:
    """An event `delay` seconds from now."""
    push(s, s.now + delay, rank, kind | index << KIND_BITS)


@compiled
def push(s: State, time: float, rank: int, what: int) -> None:
    """An event at a time; it stands behind all that have the same time and rank."""
    order = rank << RANK_BITS | s.sequence
    s.sequence += 1
    if not into_wheel(s, time, order, what):
        into_heap(s, time, order, what)


@handler
def into_heap(s: State, time: float, order: int, what: int) -> None:
    """The heap has room for all events that there may be."""
    s.heap += 1
    rise(s, s.heap - 1, time, order, what)


@handler
def observe(s: State, time: float) -> None:
    """The next observation. It stands in the heap and nowhere else, so that the heap is never empty."""
    into_heap(s, time + (OBSERVATION - ORDINARY) * noise(time), OBSERVATION << RANK_BITS | s.sequence, TICK)
    s.sequence += 1


@compiled
def leave_wheel(s: State) -> None:
    """Put all events of the wheel into the heap: there is to be another wheel."""
    while s.soon > 0:
        event = soon(s)[wheel(s)[s.bucket]]
        into_heap(s, event.time, event.order, event.what)
        from_wheel(s)


@near
def rise(s: State, place: int, time: float, order: int, what: int) -> None:
    """Put an event into the heap, where there is a hole, or above it."""
    events = heap(s)
    while place > 0:
        above = (place - 1) >> 1
        if before(events[above], time, order):
            break
        move(events[above], events[place])
        place = above
    hole = events[place]
    hole.time = time
    hole.order = order
    hole.what = what


@near
def move(event: Row, place: Row) -> None:
    """Field by field: a copy of the whole would have to wait for the fields, which were written one by one."""
    place.time = event.time
    place.order = event.order
    place.what = event.what


@near
def next_event(s: State) -> int:
    """What the next event is about; the clock is set to its time. The heap is never empty: see `observe`."""
    time, order = heap(s)[0].time, heap(s)[0].order
    where = IN_HEAP
    if s.soon > 0:
        event = soon(s)[wheel(s)[s.bucket]]
        if before(event, time, order):
            time, order = event.time, event.order
            where = IN_WHEEL
    if s.belt > 0:
        event = belt(s)[s.belt_first & s.belt_mask]
        if before(event, time, order):
            s.now = event.time
            s.belt_first += 1
            s.belt -= 1
            return int(event.what)
    s.now = time
    return from_wheel(s) if where == IN_WHEEL else pop(s)


@handler
def pop(s: State) -> int:
    """Take the first event out of the heap. The hole at its top sinks to the bottom, where the last event nearly belongs."""
    events = heap(s)
    what = events[0].what
    last = s.heap - 1
    s.heap = last
    place, below = 0, 1
    while below < last:
        other = below + (below + 1 < last)
        below += (other != below) & before(events[other], events[below].time, events[below].order)
        move(events[below], events[place])
        place, below = below, 2 * below + 1
    rise(s, place, events[last].time, events[last].order, events[last].what)
    return int(what)


@near
def hold(s: State, task: int, seconds: float) -> None:
    """Wake the task some seconds from now.

    Those of the usual length of a hop come due in the order in which they were scheduled, and stand on a belt beside the heap.
    """
    slots(s)[task].held += 1
    if seconds == s.belt_delay:
        event = belt(s)[(s.belt_first + s.belt) & s.belt_mask]
        event.time = s.now + seconds
        event.order = ORDINARY << RANK_BITS | s.sequence
        event.what = TASK | task << KIND_BITS
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
    put_timer(s, lane, task, slots(s)[task].ticket)


@handler
def arm_errand(s: State, lane: int, task: int) -> None:
    """Expire the call that the task begins when the lane's duration is over, unless it ends before. No two calls have one number."""
    row = lanes(s)[lane]
    while row.first >= 0 and slots(s)[timers(s)[row.first].slot].errand != timers(s)[row.first].ticket:
        drop_head(s, lane)
    s.errands += 1
    own = slots(s)[task]
    own.errand = s.errands
    own.deadline = s.now + row.duration
    put_timer(s, lane, task, own.errand)


@handler
def put_timer(s: State, lane: int, task: int, ticket: int) -> None:
    """Append a timer to a lane."""
    row = lanes(s)[lane]
    new = s.timer
    entry = timers(s)[new]
    s.timer = entry.next
    s.timers_free -= 1
    if s.timers_free < TIMERS_MARGIN:
        s.short = 1
    entry.deadline = s.now + row.duration
    entry.slot = task
    entry.ticket = ticket
    entry.next = -1
    if row.last < 0:
        row.first = new
    else:
        timers(s)[row.last].next = new
    row.last = new
    if row.armed == 0:
        row.armed = 1
        wait_for_lane(s, lane, s.now + row.duration)


@handler
def wait_for_lane(s: State, lane: int, time: float) -> None:
    """The event of a lane, for its head that is due at this time."""
    lanes(s)[lane].due = time
    push(s, time + (TIMER - ORDINARY) * noise(time), TIMER, LANE | lane << KIND_BITS)


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
