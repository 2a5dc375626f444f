"""The process of a queue: it takes messages in one after the other, and lets so many stand in line before it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.models.queues.letter import Letter

if TYPE_CHECKING:
    from sim.models.clock import Clock
    from sim.models.draws import Draw

CREDIT, GRANT = 400, 200  # messages that may be in line before a queue, and how many are granted at once


class Process:
    """The process of one queue; where its broker says no `work`, it takes no time."""

    def __init__(self, env: Clock, work: Draw | None):
        self.env = env
        self.work = work
        self.free_at = 0.0  # s; when it has done with what came in so far
        self.line: deque[float] = deque()  # s; when it has done with each of what came in and is not taken in yet
        self.worked = 0.0  # s

    def take_in(self, letter: Letter) -> float:
        """Seconds until it has taken it in."""
        if self.work is None:
            return 0.0
        now = self.env.now
        seconds = self.work(letter.request.id, letter.publication.chain)
        self.free_at = max(self.free_at, now) + seconds
        self.worked += seconds
        self.line.append(self.free_at)
        return self.free_at - now

    def until_credit(self) -> float:
        """Seconds until one more may be sent: at `CREDIT` in line its senders have none left, and get some again when
        half of them are taken in (credit_flow: 400, and 200 more for each 200).
        """
        now, line = self.env.now, self.line
        while line and line[0] <= now:
            line.popleft()
        return line[len(line) - GRANT - 1] - now if len(line) >= CREDIT else 0.0

    def worked_until(self, now: float) -> float:
        """Seconds of work that it has done by now."""
        return self.worked - (self.free_at - now) * (self.free_at > now)
