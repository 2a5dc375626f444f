"""Network hops: one-way latency and loss between two components, and what network faults add to them.

Not modelled: bandwidth, connection set-up, retransmission (a lost message is lost; the caller's timeout notices), TCP back-pressure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.models.world import World

LOST = -1.0


class Wire:
    """What faults do to the messages between two components now, both directions alike."""

    __slots__ = ("cuts", "delays", "disturbed", "loss", "losses")

    def __init__(self, loss: float):
        self.loss = loss
        self.delays: list[Callable[[int, int], float]] = []
        self.losses: list[float] = []
        self.cuts = 0
        self.disturbed = loss > 0

    def change(self) -> None:
        """A fault began or ended."""
        self.disturbed = bool(self.loss > 0 or self.delays or self.losses or self.cuts)


class Hop:
    """One direction of one kind of message."""

    __slots__ = ("chance", "draw", "fixed", "wire")

    def __init__(self, world: World, wire: Wire, draw: Callable[[int, int], float] | None, stream: str):
        self.wire = wire
        self.draw = draw if draw is not None else _instant
        self.fixed = -1.0 if draw is not None else 0.0  # s; set where every message takes the same time, so that nothing need be drawn
        self.chance = world.uniform(f"{stream}.loss")

    def delay(self, entity: int, chain: int) -> float:
        """Seconds that this message travels; LOST if it never arrives. 0 takes no event."""
        seconds = self.draw(entity, chain)
        wire = self.wire
        if not wire.disturbed:
            return seconds
        if wire.cuts:
            return LOST
        kept = 1.0 - wire.loss
        for loss in wire.losses:
            kept = kept * (1.0 - loss)
        if kept < 1.0 and self.chance(entity, chain) >= kept:
            return LOST
        for extra in wire.delays:
            seconds = seconds + extra(entity, chain)
        return seconds


def _instant(_entity: int, _chain: int) -> float:
    """No latency was given."""
    return 0.0
