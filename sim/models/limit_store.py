"""The store of one rate limit: how long it lets a request wait, and whether it decides.

Not modelled: its own load; the write that Kong makes behind the answer, so that requests which are on their way at once
are counted late (here a request is looked at and counted in one moment); copies that nodes keep for a while
(`sync_rate`); what it forgets when it is down; round trips that are under way when it goes down, which are answered.
"""

from __future__ import annotations

from sim.models.context import Context
from sim.models.task import Task
from sim.spec.limits import RateLimit


class LimitStore:
    """What one limit has to do with its store."""

    def __init__(self, context: Context, spec: RateLimit, name: str):
        assert spec.store is not None
        self.spec = spec.store
        self.latency = context.sampler(spec.store.latency, f"{name}.store")
        self.trips = len(spec.periods) if spec.preset == "kong" else 1
        self.refusing = self.hanging = 0  # how many outages there are now
        self.undecided = 0  # requests for which there was no answer
        context.recorder.watch(name, "undecided", "total", lambda _: self.undecided)

    @property
    def answers(self) -> bool:
        """Whether it does now."""
        return self.refusing == 0 and self.hanging == 0

    def takes(self, task: Task) -> float:
        """Seconds for which this request waits: for the answer, or until nobody expects one any more; 0 where the
        connection is refused.
        """
        if self.hanging:
            return self.spec.timeout
        return 0.0 if self.refusing else self.trips * self.latency(task.request.id, task.chain)
