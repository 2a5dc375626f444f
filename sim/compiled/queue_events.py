"""What an event of a queue broker is about, as the calendar knows it."""

from __future__ import annotations

from sim.compiled.base import handler, whole
from sim.compiled.calendar import KIND_BITS, OF_QUEUES

# a message is taken in, or committed; a publication is stored; a delivery has come, there or back; a look at the head
# of a queue, at the oldest delivery of a channel; a try to open one; a wire over which nothing has come
TAKEN_IN, COMMITTED, STORED, CARRIED, EXPIRY, PATIENCE, RECONNECT, HEARTBEAT = map(whole, range(8))
PURPOSE_BITS = 3


@handler
def queue_event(purpose: int, index: int) -> int:
    """As the calendar holds it."""
    return OF_QUEUES | (index << PURPOSE_BITS | purpose) << KIND_BITS
