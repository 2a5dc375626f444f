"""Cores with a CPU quota (`policies/quota.py`): in each period all threads stand still once it is used up.

One event is pending: the next completion, the end of the quota, or the beginning of the next period, whichever comes
first. A completion at the moment in which the quota ends is one.

Not modelled: a beginning of the periods by chance (all begin at time 0), and the slices of 5 ms in which cores fetch
their part. The quota of a replica that crashes is that of its successor.
"""

from __future__ import annotations

import math
from heapq import heappop
from typing import Any

from sim.models.clock import Clock, Signal
from sim.models.cpu import Cpu
from sim.policies import quota as policy
from sim.policies.base import noise


class QuotaCpu(Cpu):
    """The cores of one replica, of which it may use so much in each period. `stopped`: frozen, or throttled."""

    __slots__ = ("frozen", "row")

    def __init__(self, env: Clock, cores: int, limit: float, period: float):
        super().__init__(env, cores)
        self.row: Any = policy.new_quota(limit, period)
        self.frozen = False

    def stop(self) -> None:
        """Freeze."""
        super().stop()
        self.frozen = True

    def go_on(self) -> None:
        """End of the freeze; who is throttled goes on with the next period, unless that has begun meanwhile."""
        now = self.env.now
        self._advance(now)
        self.frozen = False
        if self.row.throttled and policy.until_next(self.row, now) <= 0.0:
            policy.resume(self.row, now)
        self.stopped = bool(self.row.throttled)
        self._arm(now)

    def resize(self, quota: float) -> None:
        """Another quota from now on, core-seconds in each period."""
        now = self.env.now
        self._advance(now)
        policy.resize(self.row, quota, now)
        self.stopped = self.frozen
        self._arm(now)

    def throttled_for(self, now: float) -> float:
        """Seconds for which it stood still."""
        seconds: float = self.row.area + self.row.throttled * now
        return seconds

    def _advance(self, now: float) -> None:
        if not self.stopped:
            policy.spend(self.row, self._busy(), self.last, now)
        super()._advance(now)

    def _arm(self, now: float) -> None:
        """Make sure that an event fires no later than the next thing that happens."""
        if self.frozen or self.n == 0:
            return
        delay = policy.until_next(self.row, now)
        if not self.row.throttled:
            delay = max((self._head() - self.virtual) / self._rate(), 0.0)
            delay = min(delay, policy.lasts(self.row, self._busy(), now))
        if now + delay < self.due:
            self.due = now + delay
            self.pending = Signal(self._fire)
            self.env.hold(self.pending, delay)

    def _fire(self, signal: Signal) -> None:
        if signal is not self.pending:
            return
        self.pending = None
        self.due = math.inf
        now = self.env.now
        if self.row.throttled:
            self._advance(now)
            policy.resume(self.row, now)
            self.stopped = False
            self._arm(now)
        elif self.n > 0:
            self._complete_or_throttle(now)

    def _complete_or_throttle(self, now: float) -> None:
        head, rate = self._head(), self._rate()
        left = (head - (self.virtual + (now - self.last) * rate)) / rate
        self._advance(now)
        spent = now + policy.lasts(self.row, self._busy(), now) <= now
        if now + left <= now or (spent and left <= noise(now)):
            self.virtual = head  # exactly: no drift within a busy period
            _, _, task, _ = heappop(self.jobs)
            self.n -= 1
            task.ticket += 1
            self.env.wake(task)
        elif spent:
            policy.throttle(self.row, now)
            self.stopped = True
        self._arm(now)
