"""Sessions of users: who has one, where it is held, and what it costs that it is gone.

What it leaves out the spec says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.models.behaviours import behaviour
from sim.models.host import Host
from sim.models.outcomes import OK, REFUSED
from sim.models.site import Site
from sim.models.task import Activity, Replica, Task
from sim.spec import session as spec
from sim.spec.step import Wait, Work


@dataclass(slots=True)
class Held:
    """The session of one user."""

    replica: Replica  # that holds it, where it is held in one
    used: float  # s; by the last request


class Sessions:
    """Those of one service, and what is told of them."""

    def __init__(self, host: Host):
        self.of_user: dict[int, Held] = {}
        self.found = self.begun = self.lost = 0
        watch = host.recorder.watch
        watch(host.name, "sessions_found", "total", lambda _: self.found)
        watch(host.name, "sessions_begun", "total", lambda _: self.begun)
        watch(host.name, "sessions_lost", "total", lambda _: self.lost)


@behaviour(spec.Session)
class Session:
    """Look for it; begin one or rebuild it, and keep it."""

    def __init__(self, step: spec.Session, site: Site):
        self.step = step
        self.env = site.world.env
        self.host = site.host
        self.where = site.where
        look = Wait(time=step.lookup, per="request") if step.held == "store" else Work(time=step.lookup)
        self.look = site.named(f"{site.name}.lookup").sequence([look] if step.lookup.mean > 0.0 else [])
        self.begin = site.named(f"{site.name}.begin").sequence(step.begin)
        self.rebuild = site.named(f"{site.name}.rebuild").sequence(step.rebuild)
        if site.host.sessions is None:
            site.host.sessions = Sessions(site.host)
        self.sessions: Sessions = site.host.sessions

    def run(self, task: Task) -> Activity:
        """OK with a session; what was lost may be told."""
        sessions, user = self.sessions, task.request.user
        yield from self.look.run(task)
        held = sessions.of_user.get(user)
        if held is None or self.env.now - held.used >= self.step.expires:
            sessions.begun += 1
            outcome = yield from self.begin.run(task)
            return outcome or self._keep(task)
        if self.step.held == "replica" and not self._is_here(held, task.replica):
            sessions.lost += 1
            outcome = yield from self.rebuild.run(task)
            return outcome or self._tell(task, self._keep(task))
        sessions.found += 1
        held.used = self.env.now
        return OK

    @staticmethod
    def _is_here(held: Held, replica: Replica) -> bool:
        """Whether this replica holds it, and has not been started since."""
        return held.replica is replica and replica.warm_since <= held.used

    def _keep(self, task: Task) -> int:
        self.sessions.of_user[task.request.user] = Held(task.replica, self.env.now)
        return OK

    def _tell(self, task: Task, well: int) -> int:
        """How a request ends that met a lost session."""
        if self.step.lost == "degraded":
            task.degraded = True
        if self.step.lost != "refused":
            return well
        task.where = self.where
        task.root = 0
        return REFUSED
