"""The ticks of a run: at each the time series are sampled, and the run is over with the last.

Ticks between which nothing happens are passed at once.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import numpy as np

from sim.models.clock import OBSERVATION, Clock, Done, Signal
from sim.models.recorder import Recorder

MANY = 32  # ticks in a row that see the same are worth being sampled at once
CLEAR = 1e-9  # by this share of its time an event lies behind a tick that is certain to come before it


class Observer:
    """Whoever samples at these times, in seconds; `progress` hears each."""

    def __init__(self, env: Clock, recorder: Recorder, times: list[float], progress: Callable[[float], None] | None):
        self.env = env
        self.recorder = recorder
        self.times = times
        self.progress = progress
        self.ticker = Signal(self._tick)
        self._ahead = deque(times)
        self._all_times = np.array(times)

    def start(self) -> None:
        """Observe at the beginning, and at every tick. All time series are registered by now."""
        self._may_pass = self.recorder.may_pass
        self.recorder.tick()
        self.env.late(self.ticker, OBSERVATION, self._ahead[0])

    def _tick(self, _: object) -> None:
        self.recorder.tick()
        time = self._ahead.popleft()
        if still := self._still():
            first = self._all_times.size - len(self._ahead)
            self.recorder.pass_still(self._all_times[first : first + still])
            for _ in range(still):
                time = self._ahead.popleft()
        if self.progress is not None:
            self.progress(time)
        if not self._ahead:
            raise Done
        self.env.late(self.ticker, OBSERVATION, self._ahead[0])

    def _still(self) -> int:
        """How many of the next ticks see what this one has seen, for nothing happens before; 0 where there are few, and
        never the last one.
        """
        env, ahead = self.env, self._ahead
        until = env.calendar[0][0] if env.calendar else math.inf
        if len(ahead) <= MANY or until < ahead[MANY] or env.ready or env.fixed_delay_queue or not self._may_pass:
            return 0
        first = self._all_times.size - len(ahead)
        return int(np.searchsorted(self._all_times[:-1], until * (1.0 - CLEAR))) - first
