"""Whose turn it is: the consumers of a queue that have prefetch left, round robin, those of a higher priority first."""

from __future__ import annotations

from collections import deque

from sim.models.queues.letter import Taker


class Round:
    """The open channels of the consumers of one queue; with `single` one of them gets all."""

    def __init__(self, single: bool):
        self.single = single
        self.takers: list[Taker] = []  # in the order in which they came
        self.active: Taker | None = None  # the single one that gets all
        self.free: dict[int, deque[Taker]] = {}  # by priority: who has prefetch left
        self.priorities: list[int] = []  # the highest first

    def come(self, taker: Taker) -> None:
        """One has opened a channel."""
        self.takers.append(taker)
        if taker.priority not in self.free:
            self.free[taker.priority] = deque()
            self.priorities = sorted(self.free, reverse=True)
        if self.active is None:
            self.active = taker
        self.line_up(taker)

    def leave(self, taker: Taker) -> None:
        """Its channel is closed. Where only one gets all, the next one has its turn: of the highest priority the one
        that has been there for longest.
        """
        self.takers.remove(taker)
        self.pass_over(taker)
        if taker is self.active:
            self.active = max(self.takers, key=lambda other: other.priority, default=None)
            if self.active is not None and self.single:
                self.line_up(self.active)

    def pass_over(self, taker: Taker) -> None:
        """It gets no more, until it lines up again."""
        if taker.in_line:
            self.free[taker.priority].remove(taker)
            taker.in_line = False

    def line_up(self, taker: Taker) -> None:
        """It may have room again: then it stands at the end."""
        inactive = self.single and taker is not self.active
        if taker.room and not taker.in_line and not inactive:
            taker.in_line = True
            self.free[taker.priority].append(taker)

    def next(self) -> Taker | None:
        """The one that gets the next message; None: nobody has room."""
        for priority in self.priorities:
            if self.free[priority]:
                taker = self.free[priority].popleft()
                taker.in_line = False
                return taker
        return None
