"""What waits in a queue, in order, and whose turn it is: `models/queues/waiting.py` and the rounds of `queue.py`."""

from __future__ import annotations

from sim.compiled.base import NONE, handler
from sim.compiled.calendar import TIMER, push
from sim.compiled.letters import WAITING
from sim.compiled.lists import add_last, unlink
from sim.compiled.queue_events import EXPIRY, queue_event
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.queues import (
    Letter,
    MessageQueue,
    channels,
    letters,
    message_queues,
    queue_timers,
    rounds,
    take_queue_timer,
)
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows
from sim.policies import base

noise = base.noise.compiled


# -- the order in which they wait --------------------------------------------------------------------------------------


@handler
def put(s: State, queue: int, letter: int) -> None:
    """A new one, at the end, or behind all of its priority."""
    row = message_queues(s)[queue]
    row.ready += 1
    own = letters(s)[letter]
    own.place = WAITING
    if row.ranked:
        own.previous = NOBODY
        own.next = NOBODY
        row.returned = merged(letters(s), row.returned, letter)
        return
    add_last(letters(s), row.new, letter)


@handler
def put_back(s: State, queue: int, letter: int) -> None:
    """One that was handed out: where it was, or behind all that have come back."""
    row = message_queues(s)[queue]
    row.ready += 1
    own = letters(s)[letter]
    own.place = WAITING
    if row.quorum:
        add_last(letters(s), row.back, letter)
        return
    own.previous = NOBODY
    own.next = NOBODY
    row.returned = merged(letters(s), row.returned, letter)


@handler
def head_of(s: State, queue: int) -> int:
    """The next one; NOBODY where none waits."""
    row = message_queues(s)[queue]
    if row.back.first >= 0:
        return row.back.first
    return row.returned if is_returned_first(s, row) else row.new.first


@handler
def is_returned_first(s: State, row: MessageQueue) -> bool:
    """Whether one that has come back is before all that are new."""
    if row.returned < 0 or row.new.first < 0:
        return row.returned >= 0
    return letters(s)[row.returned].order < letters(s)[row.new.first].order


@handler
def take(s: State, queue: int) -> int:
    """The next one, which waits no longer."""
    row = message_queues(s)[queue]
    row.ready -= 1
    letter = head_of(s, queue)
    if row.back.first >= 0:
        unlink(letters(s), row.back, letter)
    elif letter == row.returned:
        own = letters(s)[letter]
        row.returned = merged(letters(s), own.previous, own.next)
    else:
        unlink(letters(s), row.new, letter)
    letters(s)[letter].place = 0
    return letter


@handler
def merged(table: Rows[Letter], one: int, other: int) -> int:
    """The top of two heaps by order as one: a skew heap, whose left below is `previous` and right below `next`."""
    if one < 0:
        return other
    if other < 0:
        return one
    if table[other].order < table[one].order:
        one, other = other, one
    top = one
    while True:
        row = table[one]
        below = row.next
        row.next = row.previous
        if below < 0:
            row.previous = other
            return top
        if table[other].order < table[below].order:
            below, other = other, below
        row.previous = below
        one = below


# -- whose turn it is --------------------------------------------------------------------------------------------------


@handler
def has_room(s: State, channel: int) -> bool:
    """For one more unacknowledged message; who closes wants none."""
    row = channels(s)[channel]
    if not row.open or row.closing:
        return False
    return row.automatic or row.prefetch == 0 or row.unacked < row.prefetch


@handler
def line_up(s: State, channel: int) -> None:
    """Stand at the end of the round, where it has room and does not stand there."""
    row = channels(s)[channel]
    queue = message_queues(s)[row.queue]
    if row.in_line or not has_room(s, channel) or (queue.single and queue.active != channel):
        return
    row.in_line = True
    add_last(channels(s), rounds(s)[row.round], channel)


@handler
def pass_over(s: State, channel: int) -> None:
    """It gets no more, until it lines up again."""
    row = channels(s)[channel]
    if row.in_line:
        unlink(channels(s), rounds(s)[row.round], channel)
        row.in_line = False


@handler
def next_taker(s: State, queue: int) -> int:
    """The consumer whose turn it is; NONE: nobody has room."""
    row = message_queues(s)[queue]
    for place in range(row.first_round, row.first_round + row.rounds):
        channel = rounds(s)[place].first
        if channel >= 0:
            pass_over(s, channel)
            return channel
    return NONE


# -- time --------------------------------------------------------------------------------------------------------------


@handler
def watch_head(s: State, queue: int) -> None:
    """Look again when the head expires."""
    head = head_of(s, queue)
    row = message_queues(s)[queue]
    if head < 0 or letters(s)[head].expires >= row.armed:
        return
    row.armed = letters(s)[head].expires
    new = take_queue_timer(s)
    timer = queue_timers(s)[new]
    timer.due = max(row.armed, s.now)
    timer.queue = queue
    push(s, timer.due + noise(timer.due), TIMER, queue_event(EXPIRY, new))
