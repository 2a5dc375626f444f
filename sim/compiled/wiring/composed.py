"""Steps that are made of other steps, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.compiled.draw_rows import row_of
from sim.compiled.rows import composed as rows
from sim.compiled.wiring.found import Filled, Found, fractions

if TYPE_CHECKING:
    from sim.models.composed import Repeat
    from sim.models.draws import Draw


class ComposedTables:
    """Their rows."""

    def __init__(self) -> None:
        self.repetitions = Found(rows.Repetition)
        self.tails: list[float] = []

    def repetition(self, step: Repeat) -> int:
        """How many times a step is done."""
        return self.times(step.chance, step.falling, kept=step.kept, salt=step.salt)

    def times(self, chance: Draw, falling: Sequence[float], kept: bool = True, salt: int = 0) -> int:
        """A number of times: chances to do it so often, less than nothing, and what is drawn against them."""
        first = len(self.tails)
        self.tails += [-tail for tail in falling]
        return self.repetitions.add(draw=row_of(chance), kept=kept, salt=salt, first=first, count=len(falling))

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.repetitions, self.repetitions.array()
        yield rows.tails, fractions(self.tails)
