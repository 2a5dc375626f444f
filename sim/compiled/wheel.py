"""Events of the near future, in buckets of time: a calendar queue (Brown, 1988) in front of the heap.

An event costs the heap some twenty comparisons that nobody can guess; here it costs a multiplication. Buckets are as wide as the usual time
between two events and several times as many as there are events to come, so that most hold none or one; `machine.py` sees to that. What comes
later than the last bucket, or into a crowded one, is for the heap: where an event stands changes nothing, since the next one is the first of both.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sim.compiled.state import Row, State, near, soon, used, wheel

CROWD = 8  # events of one bucket that are looked at to find a place among them
WORD_BITS = 6


@near
def before(event: Row, time: float, order: int) -> int:
    """1 if the event comes before another. Without a branch: which of two events is first is not to be guessed."""
    return (event.time < time) | ((event.time == time) & (event.order < order))


@intrinsic
def _lowest(_typing: Any, word: Any) -> Any:  # noqa: ANN401 - numba's own types
    """The number of the lowest bit of a word that is set; one is."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), generate


lowest: Any = _lowest


@near
def into_wheel(s: State, time: float, order: int, what: int) -> bool:
    """Put an event into its bucket, in its order. False: it is too far off, or among too many."""
    new = s.soon_free
    if new < 0 or (time - s.now) * s.pace >= s.reach:
        return False
    place = int(time * s.pace) & s.wheel_mask
    event = soon(s)[new]
    first = wheel(s)[place]
    if first < 0 or not before(soon(s)[first], time, order):
        following = event.next
        event.next = first
        wheel(s)[place] = new
        if first < 0:
            used(s)[place >> WORD_BITS] |= 1 << (place & 63)
    else:
        last = first
        room = CROWD
        while True:
            first = soon(s)[last].next
            if first < 0 or not before(soon(s)[first], time, order):
                break
            last = first
            room -= 1
            if room == 0:
                return False
        following = event.next
        event.next = first
        soon(s)[last].next = new
    s.soon_free = following
    event.time = time
    event.order = order
    event.what = what
    if s.soon == 0 or time < soon(s)[wheel(s)[s.bucket]].time:
        s.bucket = place
    s.soon += 1
    return True


@near
def from_wheel(s: State) -> int:
    """Take the first event out; what it is about."""
    place = s.bucket
    first = wheel(s)[place]
    event = soon(s)[first]
    following = event.next
    wheel(s)[place] = following
    event.next = s.soon_free
    s.soon_free = first
    s.soon -= 1
    if following < 0:
        word = place >> WORD_BITS
        used(s)[word] &= ~(1 << (place & 63))
        if s.soon > 0:
            s.bucket = next_bucket(s, place)
    return int(event.what)


@near
def next_bucket(s: State, place: int) -> int:
    """The next bucket with something in it, round the wheel."""
    word = place >> WORD_BITS
    found = used(s)[word] & (-1 << (place & 63))
    while found == 0:
        word = (word + 1) & s.wheel_words
        found = used(s)[word]
    return word << WORD_BITS | lowest(found)
