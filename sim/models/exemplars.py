"""Spans and stages of exemplars alone: the rows of a request are kept while it is open, and dropped with it unless it
is one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.chance.keyed import lot
from sim.models.columns import Table
from sim.models.request import Request
from sim.records.exemplars import CANDIDATE, UNANSWERED, Exemplars
from sim.records.tables import SPAN, STAGE

AT_ONCE = 256  # candidates that are looked through together


class OpenTable(Table):
    """Rows of open requests, each with its own, in the order in which they were written; then of those that were handed
    over.
    """

    def __init__(self, dtype: np.dtype[np.void]):
        super().__init__(dtype)
        self.open: dict[float, list[bytes]] = {}

    def append(self, *row: float) -> None:
        """Add one row, its values in the order of the dtype; the first is the id of its request."""
        self.open.setdefault(row[0], []).append(self.pack(*row))

    def hand_over(self, request: int) -> int:
        """The rows of this request join those of the others; how many there are."""
        rows = self.open.pop(request, [])
        self.buffer += b"".join(rows)
        return len(rows)

    def forget(self, request: int) -> None:
        """Drop the rows of this request."""
        self.open.pop(request, None)


class ExemplarTables:
    """Which requests may be exemplars, and the rows of those that are."""

    def __init__(self, warmup: float):
        self.warmup = warmup
        self.spans = OpenTable(SPAN)
        self.stages = OpenTable(STAGE)
        self.candidates = Table(CANDIDATE)
        self.exemplars = Exemplars()

    def close(self, request: Request) -> None:
        """The request is closed, and nothing more will be written of it."""
        entity, response, its_lot = request.id, request.end - request.arrival, int(lot(request.id))
        if request.arrival >= self.warmup and (response >= self.exemplars.slow or its_lot <= self.exemplars.lucky):
            known = UNANSWERED if math.isnan(response) else response
            self.candidates.append(entity, known, its_lot, self.spans.hand_over(entity), self.stages.hand_over(entity))
            if len(self.candidates.buffer) >= AT_ONCE * CANDIDATE.itemsize:
                self._look_through()
        else:
            self.spans.forget(entity)
            self.stages.forget(entity)

    def rows(self) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Spans and stages of the exemplars, of which the first closed comes first."""
        self._look_through()
        return self.exemplars.spans, self.exemplars.stages

    def _look_through(self) -> None:
        tables = (self.candidates, self.spans, self.stages)
        self.exemplars.add(*(table.rows() for table in tables))
        for table in tables:
            table.buffer = bytearray()
