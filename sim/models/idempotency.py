"""Idempotency keys of an endpoint: what was answered to the first attempt of each call of a request.

Not modelled: the time that a look at the store takes, and its outages; a key sent with another body (422).
"""

from __future__ import annotations

from sim.models.host import Host
from sim.models.sites import mark_of
from sim.models.task import Task
from sim.policies import idempotency
from sim.spec.idempotency import Idempotency
from sim.vocabulary import Outcome


class Kept:
    """What is known of one key."""

    __slots__ = ("expires", "outcome", "owner", "root", "where")

    def __init__(self, owner: Task, expires: float):
        self.owner: Task | None = owner  # who is at work
        self.expires = expires  # s
        self.outcome = idempotency.IN_PROGRESS
        self.root = 0
        self.where = -1


class Keys:
    """The keys of one endpoint. They stand with their request, and go when nothing can come of that any more."""

    def __init__(self, host: Host, name: str, where: int, spec: Idempotency):
        self.spec = spec
        self.where = where
        self.key = mark_of(f"{host.name}.{name} key")
        self.in_progress = int(Outcome[spec.in_progress.upper()])
        self.keeps_failures = int(spec.failures == "kept")
        self.replayed = self.conflicts = 0
        watch = host.recorder.watch
        watch(host.name, f"replayed {name}", "total", lambda _: self.replayed)
        watch(host.name, f"key_conflicts {name}", "total", lambda _: self.conflicts)

    def look(self, task: Task, now: float) -> int:
        """WORK, and the key is known from now on; or what is answered at once, with root and place in the task."""
        known = task.request.keys = task.request.keys or {}
        kept = known.get(self.key ^ task.path)
        decided = idempotency.WORK if kept is None else idempotency.verdict(now, kept.expires, kept.outcome)
        if kept is None or decided == idempotency.WORK:
            known[self.key ^ task.path] = Kept(task, now + self.spec.ttl)
            return idempotency.WORK
        if decided == idempotency.IN_PROGRESS:
            self.conflicts += 1
            task.where, task.root = self.where, 0
            return self.in_progress
        self.replayed += 1
        task.where, task.root = kept.where, kept.root
        return decided

    def end(self, task: Task, answered: int) -> None:
        """It is done, and answered so; who has begun again meanwhile, after the time, is not disturbed."""
        kept = self._of(task)
        if kept is None:
            return
        if idempotency.is_kept(answered, self.keeps_failures):
            kept.owner, kept.outcome, kept.root, kept.where = None, answered, task.root, task.where
        else:
            kept.expires = -1.0
            kept.owner = None

    def forget(self, task: Task) -> None:
        """It was killed: nothing was done."""
        kept = self._of(task)
        if kept is not None:
            kept.expires = -1.0
            kept.owner = None

    def _of(self, task: Task) -> Kept | None:
        kept = (task.request.keys or {}).get(self.key ^ task.path)
        return kept if kept is not None and kept.owner is task else None
