"""A logical request: what a user asked for, and the business facts that came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.models.recorder import Recorder
    from sim.models.workload import Door

PENDING = math.nan


class Request:
    """One logical request. It is closed, and its row written, when it was answered and nothing alive relates to it.

    A request can stand as the `caller` of its only attempt: the answer then ends it.
    """

    __slots__ = ("alive", "arrival", "attempts", "charges", "completion", "door", "effects", "end", "id", "item", "needs", "outcome", "recorder", "reservations", "retry_after", "source", "user", "where")

    def __init__(self, entity: int, arrival: float, source: int, door: Door, recorder: Recorder):
        self.id = entity
        self.arrival = arrival  # s; as intended
        self.source = source
        self.door = door
        self.needs = door.needs  # bit mask of the effects that complete it
        self.recorder = recorder
        self.user = -1
        self.item = -1
        self.end = PENDING
        self.completion = PENDING
        self.effects = 0
        self.charges = 0
        self.reservations = 0
        self.attempts = 1
        self.outcome = 0
        self.where = -1
        self.retry_after = 0.0  # s; what a 429 asked for
        self.alive = 0  # attempts, outbox rows, messages x groups, delayed retries that may still act on it

    def send(self, _: Any) -> None:
        """The answer of the only attempt has come (called from the ready queue)."""
        self.end = self.recorder.env.now
        if self.alive == 0:
            self.recorder.close(self)

    def done(self) -> None:
        """One thing that was alive is not any more."""
        self.alive -= 1
        if self.alive == 0 and self.end == self.end:
            self.recorder.close(self)
