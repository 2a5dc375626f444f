"""How long a step takes: what a request brings with it, or what each attempt meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.models.task import Task


class Demand:
    """A time to be drawn.

    Kept for the request, it is the same in every attempt that comes by the same path; else each attempt draws its own.
    """

    __slots__ = ("draw", "kept")

    def __init__(self, draw: Callable[[int, int], float], kept: bool):
        self.draw = draw
        self.kept = kept

    def of(self, task: Task) -> float:
        """Seconds that it takes this task."""
        return self.draw(task.request.id, task.path if self.kept else task.chain)
