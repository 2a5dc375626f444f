"""Events of the near future, in buckets of time: a calendar queue (Brown, 1988) in front of the heap.

An event costs the heap some twenty comparisons that nobody can guess; here it costs a multiplication. Buckets are as
wide as the usual time between two events and several times as many as there are events to come, so that most hold
none or one; `machine.py` sees to that. What comes later than the last bucket, or into a crowded one, is for the heap:
where an event stands changes nothing, since the next one is the first of both.
"""

from __future__ import annotations

from sim.compiled.base import inlined
from sim.compiled.rows.bits import bit, lowest
from sim.compiled.rows.events import Event, near_events, used, wheel
from sim.compiled.rows.state import State

CROWD = 8  # events of one bucket that are looked at to find a place among them
WORD_BITS = 6


@inlined
def before(event: Event, time: float, order: int) -> int:
    """1 if the event comes before another. Without a branch: which of two events is first is not to be guessed."""
    return (event.time < time) | ((event.time == time) & (event.order < order))


@inlined
def into_wheel(s: State, time: float, order: int, what: int) -> bool:
    """Put an event into its bucket, in its order. False: it is too far off, or among too many."""
    new = s.near_free
    if new < 0 or (time - s.now) * s.buckets_per_second >= s.reach:
        return False
    place = int(time * s.buckets_per_second) & s.wheel_mask
    event = near_events(s)[new]
    first = wheel(s)[place]
    if first < 0 or not before(near_events(s)[first], time, order):
        following = event.next
        event.next = first
        wheel(s)[place] = new
        if first < 0:
            used(s)[place >> WORD_BITS] |= bit(place & 63)
    else:
        last = first
        room = CROWD
        while True:
            first = near_events(s)[last].next
            if first < 0 or not before(near_events(s)[first], time, order):
                break
            last = first
            room -= 1
            if room == 0:
                return False
        following = event.next
        event.next = first
        near_events(s)[last].next = new
    s.near_free = following
    event.time = time
    event.order = order
    event.what = what
    if s.near_size == 0 or time < near_events(s)[wheel(s)[s.bucket]].time:
        s.bucket = place
    s.near_size += 1
    return True


@inlined
def from_wheel(s: State) -> int:
    """Take the first event out; what it is about."""
    place = s.bucket
    first = wheel(s)[place]
    event = near_events(s)[first]
    following = event.next
    wheel(s)[place] = following
    event.next = s.near_free
    s.near_free = first
    s.near_size -= 1
    if following < 0:
        word = place >> WORD_BITS
        used(s)[word] &= ~bit(place & 63)
        if s.near_size > 0:
            s.bucket = next_bucket(s, place)
    return int(event.what)


@inlined
def next_bucket(s: State, place: int) -> int:
    """The next bucket with something in it, round the wheel."""
    word = place >> WORD_BITS
    found = used(s)[word] & (-1 << (place & 63))
    while found == 0:
        word = (word + 1) & s.wheel_words
        found = used(s)[word]
    return word << WORD_BITS | lowest(found)
