"""Replicas that stand still now and then by themselves, each by luck of its own; what is left out the spec says.

It is run by both engines as it is (`compiled/elasticity.py`), since pauses are rare beside requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sim.models.clock import CONTROL, Signal
from sim.models.context import Context
from sim.spec.process_pauses import ProcessPauses as Spec
from sim.vocabulary import EventKind


class Pausing(Protocol):
    """A host, as the pauses of its replicas see it (`models/freezing.py`)."""

    name: str

    @property
    def replicas(self) -> Sequence[Any]:
        """All there can be."""

    def pause(self, replica: Any) -> None:  # noqa: ANN401 - of either engine
        """It stands still."""

    def go_on(self, replica: Any) -> None:  # noqa: ANN401 - likewise
        """It goes on."""


class ProcessPauses:
    """Those of one service."""

    def __init__(self, spec: Spec, host: Pausing, context: Context):
        self.spec, self.host, self.env, self.recorder = spec, host, context.env, context.recorder
        self.every = context.sampler(spec.every, f"{host.name}.pauses.every")
        self.lasts = context.sampler(spec.lasts, f"{host.name}.pauses.for")
        places = len(host.replicas)
        self.times = [0] * places  # that there was one at each place
        self.lives = [0] * places  # of who is at its place: what was planned in an earlier one is stale
        self.paused = [False] * places
        self.env.schedule(Signal(lambda _: self._begin()), CONTROL, 0.0)

    def _begin(self) -> None:
        for replica in self.host.replicas:
            if not replica.down:
                self.come_up(replica.index)

    def come_up(self, index: int) -> None:
        """A replica starts: its first pause comes after a time of its own."""
        self.lives[index] += 1
        self._wait(index)

    def go_down(self, index: int) -> None:
        """It is there no more, and so is its pause."""
        self.lives[index] += 1
        if self.paused[index]:
            self.paused[index] = False
            self.host.go_on(self.host.replicas[index])

    def _wait(self, index: int) -> None:
        life = self.lives[index]
        self.env.schedule(Signal(lambda _: self._pause(index, life)), CONTROL, self.every(index, self.times[index]))

    def _pause(self, index: int, life: int) -> None:
        if life != self.lives[index]:
            return
        seconds = self.lasts(index, self.times[index])
        self.times[index] += 1
        self.paused[index] = True
        self.recorder.event(EventKind.REPLICA_PAUSED, f"{self.host.name}[{index}]", value=seconds)
        self.host.pause(self.host.replicas[index])
        self.env.schedule(Signal(lambda _: self._go_on(index, life)), CONTROL, seconds)

    def _go_on(self, index: int, life: int) -> None:
        if life == self.lives[index]:
            self.paused[index] = False
            self.host.go_on(self.host.replicas[index])
            self._wait(index)
