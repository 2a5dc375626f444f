"""Steps that are made of other steps, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.program import row_of
from sim.compiled.rows import composed as rows
from sim.compiled.wiring.found import Filled, Found, fractions

if TYPE_CHECKING:
    from sim.models.composed import Repeat


class ComposedTables:
    """Their rows."""

    def __init__(self) -> None:
        self.repetitions = Found(rows.Repetition)
        self.tails: list[float] = []

    def repetition(self, step: Repeat) -> int:
        """How many times a step is done."""
        first = len(self.tails)
        self.tails += [-falling for falling in step.falling]
        return self.repetitions.add(
            draw=row_of(step.chance), kept=step.kept, salt=step.salt, first=first, count=len(step.falling)
        )

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.repetitions, self.repetitions.array()
        yield rows.tails, fractions(self.tails)
