"""How steps follow one another.

A behaviour has `act(task) -> outcome`, for what takes no time, or `run(task)`, a generator that ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.models.host import Host
from sim.models.outcomes import OK
from sim.models.task import Activity, Task

ACT, RUN, PASS = 0, 1, 2
"""How a step is taken: `act` at once; `run` as a generator; nothing but time passes, for which a `Demand` is enough."""


class StepSequence:
    """Steps, one after the other, until one does not end well."""

    __slots__ = ("host", "steps")

    def __init__(self, host: Host, behaviours: Sequence[Any]):
        self.host = host
        # the second a behaviour; for PASS its Demand
        self.steps: list[tuple[int, Any]] = [_manner(host, made) for made in behaviours]

    def run(self, task: Task) -> Activity:
        """OK, or the outcome of the first step that failed."""
        host = self.host
        may_hang = host.may_hang
        for manner, step in self.steps:
            if may_hang and task.replica.hung:
                yield from host.thaw(task, task.replica)
            if manner == PASS:  # as Work and Wait do where there is nothing to look out for, with a generator less
                seconds = step.of(task) * host.slow
                host.env.hold(task, seconds)
                yield
                host.note_work(task, seconds)
                continue
            outcome: int = step.act(task) if manner == ACT else (yield from step.run(task))
            if outcome:
                return outcome
        if may_hang and task.replica.hung:
            yield from host.thaw(task, task.replica)
        return OK


def _manner(host: Host, made: Any) -> tuple[int, Any]:  # noqa: ANN401 - a behaviour
    """How a step is taken. Where spans are kept time is told of, and so is not just time."""
    if getattr(made, "just_time", False) and host.spans is None:
        return PASS, made.demand
    return (RUN if hasattr(made, "run") else ACT), made
