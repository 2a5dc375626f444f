"""Draws that are rows of a table: the models are wired with these, and never draw."""

from __future__ import annotations

from typing import Any

from sim.chance.table import DrawTable
from sim.compiled.program import Unsupported
from sim.errors import UsageError
from sim.models.draws import Draw, Draws
from sim.spec.base import word_of


class DrawRow:
    """A row of the table of draws, where the models expect something to draw from."""

    def __init__(self, row: int):
        self.row = row

    def __call__(self, _entity: int, _chain: int) -> float:
        """Never."""
        raise AssertionError("a model that is only wired does not draw")


class UniformRow(DrawRow):
    """A row that draws a uniform; a coordinator of a group, which is the model's own, does draw."""

    def __init__(self, row: int, drawn: Draw):
        super().__init__(row)
        self.drawn = drawn

    def __call__(self, entity: int, chain: int) -> float:
        """A uniform in (0, 1)."""
        return self.drawn(entity, chain)


class TableOfDraws(Draws):
    """Draws that are rows of a table."""

    def __init__(self, seed: int, replication: int):
        super().__init__(seed, replication)
        self.table = DrawTable()

    def sampler(self, distribution: Any, stream: str) -> Any:  # noqa: ANN401 - a spec, and a DrawRow
        """A row that draws from this distribution; Unsupported where the table has none for it."""
        if hasattr(distribution, "quantile"):
            raise Unsupported(f"the distribution '{word_of(distribution)}'")
        try:
            return DrawRow(self.table.add(distribution, stream))
        except UsageError as error:
            raise Unsupported(f"the distribution '{word_of(distribution)}'") from error

    def uniform(self, stream: str) -> Any:  # noqa: ANN401 - a DrawRow
        """A row that draws a uniform."""
        return UniformRow(self.table.add_uniform(stream), super().uniform(stream))
