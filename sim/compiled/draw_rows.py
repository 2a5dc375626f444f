"""Draws of the models, by the rows of the table of draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.models.demand import Demand


def row_of(drawn: Any) -> int:  # noqa: ANN401 - a Drawn, where the models say that they hold something to draw from
    """The row of the table of draws behind a draw of a model."""
    row: int = drawn.row
    return row


def drawn(demand: Demand) -> dict[str, int]:
    """A time, as an operation names it."""
    return {"draw": row_of(demand.draw), "kept": demand.kept}
