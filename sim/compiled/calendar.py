"""The order of events (ARCHITECTURE.md): by (time, rank, sequence), from wherever they stand.

They stand in the wheel, the queue of fixed delays or the heap. Beside them are the ready queue and the lanes of timers.

Heap, queue of fixed delays and ready queue have room for all that they can hold at most: see `room.py`. What the
wheel has no room for stands in the heap.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import handler, inlined, whole
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import (
    Event,
    fixed_delay_queue,
    give_back_timer,
    heap,
    near_events,
    ready,
    take_timer,
    timer_lanes,
    timers,
    wheel,
)
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.wheel import before, from_wheel, into_wheel
from sim.policies import base

CONTROL, ORDINARY, TIMER, OBSERVATION = map(whole, range(4))  # the ranks of `models/task.py`
# what an event is about; ORDER: Python has something to do, OF_QUEUES: a queue broker (queue_events.py), OF_NODES: a
# log with nodes (leaders.py), OF_PRODUCERS: who publishes to a log (producer_events.py), OF_LOCKS: a lock of one who
# has crashed (locking.py)
TASK, LANE, ARRIVAL, REPLICATED, DUE, CPU, ORDER, TICK, OF_QUEUES, OF_NODES, OF_PRODUCERS, OF_LOCKS = map(
    whole, range(12)
)
IN_HEAP, IN_WHEEL = map(whole, range(2))
KIND_BITS = 4
RANK_BITS = 58  # a sequence is below 2**58
# purposes of lanes of timers; from the last on, of layers of calls
OF_QUEUE, OF_CLIENT, OF_MEMBERS, OF_MEMORY, OF_LOCK, OF_DEADLOCK, OF_LAYERS = map(whole, range(7))
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
    s.heap_size += 1
    rise(s, s.heap_size - 1, time, order, what)


@handler
def observe(s: State, time: float) -> None:
    """The next observation. It stands in the heap and nowhere else, so that the heap is never empty."""
    into_heap(s, time + (OBSERVATION - ORDINARY) * noise(time), OBSERVATION << RANK_BITS | s.sequence, TICK)
    s.sequence += 1


@compiled
def leave_wheel(s: State) -> None:
    """Put all events of the wheel into the heap: there is to be another wheel."""
    while s.near_size > 0:
        event = near_events(s)[wheel(s)[s.bucket]]
        into_heap(s, event.time, event.order, event.what)
        from_wheel(s)


@inlined
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


@inlined
def move(event: Event, place: Event) -> None:
    """Field by field: a copy of the whole would have to wait for the fields, which were written one by one."""
    place.time = event.time
    place.order = event.order
    place.what = event.what


@inlined
def next_event(s: State) -> int:
    """What the next event is about; the clock is set to its time. The heap is never empty: see `observe`."""
    time, order = heap(s)[0].time, heap(s)[0].order
    where = IN_HEAP
    if s.near_size > 0:
        event = near_events(s)[wheel(s)[s.bucket]]
        if before(event, time, order):
            time, order = event.time, event.order
            where = IN_WHEEL
    if s.fixed_size > 0:
        event = fixed_delay_queue(s)[s.fixed_first & s.fixed_mask]
        if before(event, time, order):
            s.now = event.time
            s.fixed_first += 1
            s.fixed_size -= 1
            return int(event.what)
    s.now = time
    return from_wheel(s) if where == IN_WHEEL else pop(s)


@handler
def pop(s: State) -> int:
    """Take the first event out of the heap.

    The hole at its top sinks to the bottom, where the last event nearly belongs.
    """
    events = heap(s)
    what = events[0].what
    last = s.heap_size - 1
    s.heap_size = last
    place, below = 0, 1
    while below < last:
        other = below + (below + 1 < last)
        below += (other != below) & before(events[other], events[below].time, events[below].order)
        move(events[below], events[place])
        place, below = below, 2 * below + 1
    rise(s, place, events[last].time, events[last].order, events[last].what)
    return int(what)


@inlined
def hold(s: State, task: int, seconds: float) -> None:
    """Wake the task some seconds from now.

    Those of the usual length of a hop come due in the order in which they were scheduled, and stand in a queue of
    their own beside the heap.
    """
    tasks(s)[task].held += 1
    if seconds == s.fixed_delay:
        event = fixed_delay_queue(s)[(s.fixed_first + s.fixed_size) & s.fixed_mask]
        event.time = s.now + seconds
        event.order = ORDINARY << RANK_BITS | s.sequence
        event.what = TASK | task << KIND_BITS
        s.sequence += 1
        s.fixed_size += 1
    else:
        schedule(s, ORDINARY, seconds, TASK, task)


@handler
def occur(s: State, what: int, seconds: float) -> None:
    """An ordinary event some seconds from now that is about no task; those of the usual length of a hop stand in the
    same queue.
    """
    if seconds == s.fixed_delay:
        event = fixed_delay_queue(s)[(s.fixed_first + s.fixed_size) & s.fixed_mask]
        event.time = s.now + seconds
        event.order = ORDINARY << RANK_BITS | s.sequence
        event.what = what
        s.sequence += 1
        s.fixed_size += 1
    else:
        push(s, s.now + seconds, ORDINARY, what)


@compiled
def make_ready(s: State, task: int) -> None:
    """Let the task run when its turn in the ready queue comes."""
    tasks(s)[task].held += 1
    put_ready(s, task)


@compiled
def put_ready(s: State, item: int) -> None:
    """Append to the ready queue: a task, or a request r as -1 - r.

    It holds each at most once, so it never overflows.
    """
    ready(s)[(s.ready_first + s.ready_size) & s.ready_mask] = item
    s.ready_size += 1


@handler
def ask_python(s: State, order: int) -> None:
    """Python carries out an order before anything else goes on."""
    s.errand = order
    s.must_grow = True


@handler
def arm(s: State, lane: int, task: int) -> None:
    """Expire the task's present wait when the lane's duration is over, unless it ends before.

    Stale timers at the head go now, which changes nothing but how much memory is in use.
    """
    row = timer_lanes(s)[lane]
    while row.first >= 0 and tasks(s)[timers(s)[row.first].task].ticket != timers(s)[row.first].ticket:
        drop_head(s, lane)
    put_timer(s, lane, task, tasks(s)[task].ticket)


@handler
def arm_total(s: State, lane: int, task: int) -> None:
    """Expire the call that the task begins when the lane's duration is over, unless it ends before.

    No two calls have one number.
    """
    row = timer_lanes(s)[lane]
    while row.first >= 0 and tasks(s)[timers(s)[row.first].task].call_number != timers(s)[row.first].ticket:
        drop_head(s, lane)
    s.calls_made += 1
    own = tasks(s)[task]
    own.call_number = s.calls_made
    own.deadline = s.now + row.duration
    put_timer(s, lane, task, own.call_number)


@handler
def arm_at(s: State, task: int, deadline: float) -> None:
    """The same for a call whose deadline was told, and is no fixed time from now: a timer with an event of its own."""
    s.calls_made += 1
    own = tasks(s)[task]
    own.call_number = s.calls_made
    own.deadline = deadline
    put_lone_timer(s, task, own.call_number, deadline, NOBODY)


@handler
def put_lone_timer(s: State, task: int, ticket: int, deadline: float, workload: int) -> None:
    """A timer with an event of its own, of a call or of a client of this workload."""
    new = take_timer(s)
    entry = timers(s)[new]
    entry.deadline = deadline
    entry.task = task
    entry.ticket = ticket
    entry.workload = workload
    push(s, deadline + (TIMER - ORDINARY) * noise(deadline), TIMER, LANE | (-1 - new) << KIND_BITS)


@handler
def put_timer(s: State, lane: int, task: int, ticket: int) -> None:
    """Append a timer to a lane."""
    row = timer_lanes(s)[lane]
    new = take_timer(s)
    entry = timers(s)[new]
    entry.deadline = s.now + row.duration
    entry.task = task
    entry.ticket = ticket
    entry.next = -1
    if row.last < 0:
        row.first = new
    else:
        timers(s)[row.last].next = new
    row.last = new
    if not row.armed:
        row.armed = True
        wait_for_lane(s, lane, s.now + row.duration)


@handler
def wait_for_lane(s: State, lane: int, time: float) -> None:
    """The event of a lane, for its head that is due at this time."""
    timer_lanes(s)[lane].due = time
    push(s, time + (TIMER - ORDINARY) * noise(time), TIMER, LANE | lane << KIND_BITS)


@handler
def drop_head(s: State, lane: int) -> None:
    """Forget the first timer of a lane."""
    row = timer_lanes(s)[lane]
    head = row.first
    row.first = timers(s)[head].next
    if row.first < 0:
        row.last = -1
    give_back_timer(s, head)
