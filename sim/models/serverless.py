"""The instances of a function: who has one, who starts one, and when they are gone.

What it leaves out the spec says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.models.context import Context
from sim.models.outcomes import OK, RATE_LIMITED
from sim.models.task import Activity, Task
from sim.policies.base import passed
from sim.policies.serverless import StartsRow, may_start
from sim.spec.serverless import Serverless as Spec
from sim.vocabulary import Stage


class Account:
    """What functions without a reserve of their own share."""

    def __init__(self, most: int):
        self.most = most  # requests at once
        self.active = 0


class Instance:
    """One of them."""

    __slots__ = ("active", "provisioned", "ready_at", "since")

    def __init__(self, ready_at: float, provisioned: bool = False):
        self.active = 0  # requests in it
        self.provisioned = provisioned
        self.ready_at = ready_at  # s
        self.since = 0.0  # s; when somebody came or went last


class Function:
    """All of a service."""

    def __init__(self, context: Context, host: Any, spec: Spec, account: Account | None):  # noqa: ANN401 - the service
        self.env = context.env
        self.host = host
        self.spec = spec
        self.cold_start = context.sampler(spec.cold_start, f"{host.name}.cold_start")
        most = float(spec.scaling.starts)
        self.starts = StartsRow(most, most / spec.scaling.per, most)
        self.account = account  # None: what it has is its own
        self.there = spec.provisioned
        self.roomy: list[Instance] = []  # those with room; who was used last stands last
        self.ready: list[Instance] = []  # the same of provisioned ones
        self.fresh = spec.provisioned  # provisioned ones that nobody has used yet
        self.of: dict[Task, Instance] = {}
        self.cold_starts = self.throttled = self.spilled = self.executions = 0
        self.paid_area = 0.0
        self.running = [0, 0]  # instances with a request in them: those on demand, and provisioned ones
        self.running_area = [0.0, 0.0]
        watch = context.recorder.watch
        watch(host.name, "instances", "mean", self.area)
        watch(host.name, "cold_starts", "total", lambda _: self.cold_starts)
        watch(host.name, "throttles", "total", lambda _: self.throttled)
        if spec.provisioned:
            watch(host.name, "spillover", "total", lambda _: self.spilled)
        if spec.billing is not None:
            watch(host.name, "executions", "total", lambda _: self.executions)
            watch(host.name, "running", "mean", lambda now: self.running_area[False] + self.running[False] * now)
            watch(
                host.name, "running_provisioned", "mean", lambda now: self.running_area[True] + self.running[True] * now
            )

    def run(self, task: Task) -> Activity:
        """OK with an instance that is ready, or 429."""
        now = self.env.now
        self.expire(now)
        if not self._has_provisioned() and not self._has_other(task, now):
            self.throttled += 1
            task.where = self.host.name_index
            task.root = 0
            return RATE_LIMITED
        line = self.ready or self.roomy
        instance = self.of[task] = line.pop()
        self._count(instance, 1, now)
        instance.since = now
        if instance.active < self.spec.concurrency:
            line.append(instance)
        if instance.ready_at > now:
            self.host.recorder.stage(task, Stage.OTHER, self.host.name_index)
            self.env.hold(task, instance.ready_at - now)
            yield
        return OK

    def give_back(self, task: Task) -> None:
        """An attempt has ended, with an instance or without."""
        instance = self.of.pop(task, None)
        if instance is None:
            return
        line = self.ready if instance.provisioned else self.roomy
        if instance in line:
            line.remove(instance)
        line.append(instance)
        self._count(instance, -1, self.env.now)
        instance.since = self.env.now

    def _count(self, instance: Instance, more: int, now: float) -> None:
        """Requests in it, and in all that share an account."""
        was = instance.active
        instance.active += more
        if (was == 0) != (instance.active == 0):
            self.running[instance.provisioned] += more
            self.running_area[instance.provisioned] -= more * now
        if self.account is not None and not instance.provisioned:
            self.account.active += more

    def forget(self) -> None:
        """A crash: nobody is inside any more."""
        self.expire(self.env.now)
        self.paid_area += (self.there - self.spec.provisioned) * self.env.now
        self.there = self.fresh = self.spec.provisioned
        self.roomy, self.ready = [], []

    def area(self, now: Any) -> Any:  # noqa: ANN401 - a time, or many
        """The integral of how many there are, those left out that nobody has used for long."""
        area = self.paid_area + self.there * now
        for instance in self.roomy:
            if instance.active == 0:
                area = area - np.maximum(0.0, now - (instance.since + self.spec.idle_timeout))
        return area

    def expire(self, now: float) -> None:
        """Those that nobody has used for long are gone since then."""
        gone = []
        for instance in self.roomy:
            if not passed(now, instance.since + self.spec.idle_timeout):
                break
            if instance.active == 0:
                gone.append(instance)
        for instance in gone:
            self.roomy.remove(instance)
            self.there -= 1
            self.paid_area += instance.since + self.spec.idle_timeout

    def _has_provisioned(self) -> bool:
        """Whether one of them has room."""
        if not self.ready and self.fresh:
            self.fresh -= 1
            self.ready.append(Instance(0.0, provisioned=True))
        self.executions += bool(self.ready)
        return bool(self.ready)

    def _has_other(self, task: Task, now: float) -> bool:
        """Whether there is another one for it, or one more may be started."""
        if self.account is not None and self.account.active >= self.account.most:
            return False
        if not self.roomy and not self._start(task, now):
            return False
        self.spilled += self.spec.provisioned > 0
        self.executions += 1
        return True

    def _start(self, task: Task, now: float) -> bool:
        if self.there >= self.spec.most or not may_start(self.starts, now):
            return False
        self.cold_starts += 1
        self.there += 1
        self.paid_area -= now
        self.roomy.append(Instance(now + self.cold_start(task.request.id, task.chain)))
        return True
