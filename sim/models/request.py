"""A logical request: what a user asked for, and the business facts that came of it."""

from __future__ import annotations

import math
from typing import Any, Protocol

from sim.models.clock import Clock

PENDING = math.nan


class Closing(Protocol):
    """Who is told when nothing more can come of a request: the recorder (`models/recorder.py`)."""

    env: Clock

    def close(self, request: Request) -> None:
        """Write its row."""


class Request:
    """One logical request. It is closed, and its row written, when it was answered and nothing alive relates to it.

    A request can stand as the `caller` of its only attempt: the answer then ends it.
    """

    __slots__ = (
        "alive",  # attempts, outbox rows, messages x groups, delayed retries that may still act on it
        "arrival",  # s; as intended
        "attempts",  # of the client
        "charges",
        "completion",  # s; when the last effect of `needs` came to exist
        "effects",  # bit mask
        "end",  # s; when the client had its answer
        "id",
        "item",
        "keys",  # what is known of its idempotency keys; None: nothing yet
        "marks",  # the marks of the attempts of it that have arrived; None: no marked one has
        "needs",  # bit mask of the effects that complete it
        "outcome",
        "recorder",
        "reservations",
        "retry_after",  # s; what a 429, or a 503 of a limit, asked for
        "root",  # why its only attempt failed in the first place, where the answer said something else; 0: it did not
        "route",  # index of the name of what was called
        "source",  # index of the name of its traffic
        "told_by",  # the outcome that came with `retry_after`, until it has been heard
        "user",
        "where",
    )

    def __init__(self, entity: int, arrival: float, source: int, route: int, needs: int, recorder: Closing):
        self.id = entity
        self.arrival = arrival
        self.source = source
        self.route = route
        self.needs = needs
        self.recorder = recorder
        self.alive = 0
        self.attempts = 1
        self.charges = 0
        self.completion = PENDING
        self.effects = 0
        self.end = PENDING
        self.item = -1
        self.keys: dict[int, Any] | None = None  # `Kept` of models/idempotency.py
        self.marks: list[int] | None = None
        self.outcome = 0
        self.reservations = 0
        self.retry_after = 0.0
        self.told_by = 0
        self.root = 0
        self.user = -1
        self.where = -1

    @property
    def answered(self) -> bool:
        """The client has its answer."""
        return not math.isnan(self.end)

    def knows(self, mark: int) -> bool:
        """Whether an attempt with this mark has arrived before; from now on, one has."""
        marks = self.marks
        if marks is None:
            self.marks = [mark]
            return False
        if mark in marks:
            return True
        marks.append(mark)
        return False

    def then(self, _: object) -> None:
        """The answer of the only attempt has come (called from the ready queue)."""
        self.outcome = self.root or self.outcome
        self.end = self.recorder.env.now
        if self.alive == 0:
            self.recorder.close(self)

    def done(self) -> None:
        """One thing that was alive is not any more."""
        self.alive -= 1
        if self.alive == 0 and self.answered:
            self.recorder.close(self)
