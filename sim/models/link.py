"""Network hops: one-way latency and loss between two components, and what network faults add to them.

Not modelled: bandwidth, connection set-up, retransmission (a lost message is lost; the caller's timeout notices), TCP
back-pressure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number

if TYPE_CHECKING:
    from sim.models.draws import Draw

LOST = -1.0


class Wire:
    """What faults do to the messages between two components now, both directions alike."""

    __slots__ = ("cuts", "delays", "hops", "loss", "losses")

    def __init__(self, loss: float):
        self.loss = loss
        self.delays: list[Draw] = []
        self.losses: list[float] = []
        self.cuts = 0
        self.hops: list[Hop] = []

    @property
    def disturbed(self) -> bool:
        """Messages do not simply take their time."""
        return bool(self.loss > 0 or self.delays or self.losses or self.cuts)

    def change(self) -> None:
        """A fault began or ended: hops of fixed length must look again, or need not any more."""
        for hop in self.hops:
            hop.settle()


class Hop:
    """One direction of one kind of message.

    `fixed` is its length, seconds, while nothing need be drawn or looked up; else negative.
    """

    __slots__ = ("between_zones", "chance", "draw", "fixed", "length", "salt", "wire")

    def __init__(
        self, wire: Wire, draw: Draw | None, chance: Draw, stream: str, length: float = 0.0, between_zones: float = -1.0
    ):
        self.wire = wire
        self.draw = draw
        self.length = length
        self.between_zones = between_zones  # s, more from zone to zone; negative: an end of it is in none
        self.chance = chance  # of being lost
        # Keeps the draws of a fault on this hop apart from those on others of its wire.
        self.salt = stream_number(stream) >> 33
        wire.hops.append(self)
        self.settle()

    def settle(self) -> None:
        """Decide whether messages simply take `length`."""
        self.fixed = self.length if self.is_plain and not self.wire.disturbed else -1.0

    @property
    def is_plain(self) -> bool:
        """Whether it has one length, where nothing disturbs it."""
        return self.draw is None and self.between_zones < 0.0

    def delay(self, entity: int, chain: int) -> float:
        """Seconds that this message travels; LOST if it never arrives. 0 takes no event."""
        wire = self.wire
        if wire.cuts:
            return LOST
        kept = 1.0 - wire.loss
        for loss in wire.losses:
            kept = kept * (1.0 - loss)
        if kept < 1.0 and self.chance(entity, chain) >= kept:
            return LOST
        return self.travel(entity, chain)

    def delay_between(self, entity: int, chain: int, crosses: bool) -> float:
        """The same for a message that stays in its zone, or crosses from one into another."""
        seconds = self.delay(entity, chain)
        return seconds + self.between_zones if crosses and seconds >= 0.0 else seconds

    def travel(self, entity: int, chain: int) -> float:
        """Seconds on the way, for what is not lost."""
        seconds = self.draw(entity, chain) if self.draw is not None else self.length
        for extra in self.wire.delays:
            seconds = seconds + extra(entity, link_chain(chain, self.salt, 0))
        return seconds
