"""A logical request: what a user asked for, and the business facts that came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.models.recorder import Recorder
    from sim.models.workload import Door

PENDING = math.nan


class Request:
    """One logical request. It is closed, and its row written, when it was answered and nothing alive relates to it.

    A request can stand as the `caller` of its only attempt: the answer then ends it.
    """

    # most requests leave most of these alone, so that making one costs nothing for them
    user = -1
    item = -1
    end = PENDING  # s; when the client had its answer
    completion = PENDING  # s; when the last effect of `needs` came to exist
    effects = 0  # bit mask
    charges = 0
    reservations = 0
    attempts = 1  # of the client
    outcome = 0
    where = -1
    retry_after = 0.0  # s; what a 429 asked for
    alive = 0  # attempts, outbox rows, messages x groups, delayed retries that may still act on it

    def __init__(self, entity: int, arrival: float, source: int, door: Door, recorder: Recorder):
        self.id = entity
        self.arrival = arrival  # s; as intended
        self.source = source
        self.door = door
        self.needs = door.needs  # bit mask of the effects that complete it
        self.recorder = recorder

    def send(self, _: object) -> None:
        """The answer of the only attempt has come (called from the ready queue)."""
        self.end = self.recorder.env.now
        if self.alive == 0:
            self.recorder.close(self)

    def done(self) -> None:
        """One thing that was alive is not any more."""
        self.alive -= 1
        if self.alive == 0 and self.end == self.end:
            self.recorder.close(self)
