"""What an event of a producer is about, as the calendar knows it."""

from __future__ import annotations

from sim.compiled.base import handler, whole
from sim.compiled.calendar import KIND_BITS, OF_PRODUCERS

# a producer looks; a request is at its broker, has been handled there, or is answered; what was sent without an answer;
# a look at the oldest batch, and at the oldest request; its node reads on behind one that is answered; its client hears
# that its node is lost
WOKEN, ARRIVED, HANDLED, ANSWERED, SENT, EXPIRY, TIME_OUT, READ_ON, LOST_NODE = map(whole, range(9))
PURPOSE_BITS = 4


@handler
def producer_event(purpose: int, index: int) -> int:
    """As the calendar holds it."""
    return OF_PRODUCERS | (index << PURPOSE_BITS | purpose) << KIND_BITS
