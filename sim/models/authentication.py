"""How the gateway makes sure who asks: a signed token that it verifies itself, or one about which it asks the identity
provider.
"""

from __future__ import annotations

from sim.models.call import Call
from sim.models.host import Host
from sim.models.outcomes import ERROR, OK, REFUSED, TIMEOUT, UNAUTHORIZED
from sim.models.task import Activity, Replica, Task
from sim.policies.base import reached
from sim.policies.keys import good_until
from sim.spec.gateway import Jwt, Keys, OAuth
from sim.vocabulary import Stage


def refuse(task: Task, host: Host) -> int:
    """401, from here."""
    task.where = host.name_index
    task.root = 0
    return UNAUTHORIZED


class JwtCheck:
    """A signed token, verified locally on a gateway worker."""

    def __init__(self, host: Host, spec: Jwt):
        self.host = host
        self.work = host.context.demand(spec.work, "gateway.jwt")
        self.malformed = spec.malformed
        self.refused = spec.refused
        self.chance = host.context.uniform("gateway.jwt.invalid")

    def run(self, task: Task) -> Activity:
        """OK for a valid token, or UNAUTHORIZED: at once where there is nothing to verify."""
        drawn = self.chance(task.request.id, task.chain) if self.refused else 1.0
        if drawn >= self.malformed:
            yield from self.host.compute(task, self.work.of(task))
        return OK if drawn >= self.refused else refuse(task, self.host)


class Asking:
    """A question to the identity provider, whose answer each replica of the gateway remembers for `ttl` seconds.

    Who comes to a replica while its question is under way waits for the same answer. Replicas share nothing; a crash
    empties the cache of its replica.
    """

    def __init__(self, host: Host, call: Call, ttl: float, failing: int, rotated_every: float = 0.0):
        self.host = host
        self.call = call
        self.ttl = ttl
        self.failing = failing  # the outcome where nobody can be asked; OK: the request passes
        self.rotated_every = rotated_every  # s; after which an answer is not good any more; 0: never
        self.known: dict[tuple[int, int], float] = {}  # (replica, user) -> when the cached answer expires
        self.asking: dict[
            tuple[int, int], list[Task]
        ] = {}  # (replica, user) -> those who wait for a call that is under way
        self.askers: set[Task] = set()  # those who make such a call

    def ask(self, task: Task, place: tuple[int, int]) -> Activity:
        """What is remembered, or the answer to the call of whoever was the first to ask."""
        if not reached(self.host.env.now, self.known.get(place, -1.0)):
            return OK
        if place in self.asking:
            self.asking[place].append(task)
            self.host.recorder.stage(task, Stage.OTHER, self.call.target.where)
            self.host.let_go(task)
            yield
            return task.outcome
        waiting = self.asking[place] = []
        self.askers.add(task)
        self.host.let_go(task)
        answer = yield from self.call.run(task)
        self.askers.remove(task)
        if answer == OK and self.ttl > 0:
            self.known[place] = good_until(self.host.env.now, self.ttl, self.rotated_every)
        del self.asking[place]
        verdict = self._verdict(task, answer)
        for other in waiting:
            other.outcome = verdict
            other.root = task.root
            other.where = task.where
            self.host.env.wake(other)
        return verdict

    def _verdict(self, task: Task, answer: int) -> int:
        """What the outcome of the call means for its token: a refusal is a "no"."""
        if answer == REFUSED:
            return refuse(task, self.host)
        if OK in (answer, self.failing):
            return OK
        task.root = task.root or answer
        return self.failing

    def forget_answers(self, replica: Replica) -> None:
        """It has crashed: its cache is empty."""
        self.known = {place: expiry for place, expiry in self.known.items() if place[0] != replica.index}

    def forget_questions(self, replica: Replica) -> None:
        """All in a replica was dropped: nobody there asks or waits any more."""
        self.asking = {place: waiting for place, waiting in self.asking.items() if place[0] != replica.index}
        self.askers = {task for task in self.askers if task.replica is not replica}


class Introspection(Asking):
    """OAuth 2.0 token introspection (RFC 7662): a remote call, with a cache of answers per user in each replica of the
    gateway.

    Concurrent misses of one user in one replica share one call. Kong's nodes share nothing either (openid-connect
    caches in the shared memory of the node), so that a user costs up to one call per replica and `cache_ttl`.

    An invalid token is one of its own: nothing is known of it, nobody else asks for it, and that it is invalid is not
    remembered.
    """

    def __init__(self, host: Host, spec: OAuth, call: Call):
        super().__init__(host, call, spec.cache_ttl, OK if spec.on_failure == "allow" else ERROR)
        self.lookup = host.context.demand(spec.lookup, "gateway.oauth.lookup")
        self.chance = host.context.uniform("gateway.oauth.invalid")
        self.invalid = spec.invalid

    def run(self, task: Task) -> Activity:
        """OK for an active token, UNAUTHORIZED for one that is not; when the provider cannot be asked, what
        `on_failure` says.
        """
        yield from self.host.compute(task, self.lookup.of(task))
        user = task.request.user
        invalid = bool(self.invalid) and self.chance(task.request.id, task.chain) < self.invalid
        if user < 0 or invalid:
            self.host.let_go(task)
            answer = yield from self.call.run(task)
            return refuse(task, self.host) if invalid and answer == OK else self._verdict(task, answer)
        return (yield from self.ask(task, (task.replica.index, user)))


class KeySet(Asking):
    """The keys that tokens are verified with (JWKS): fetched by the first who needs them, for all of the replica."""

    def __init__(self, check: JwtCheck, spec: Keys, call: Call):
        super().__init__(check.host, call, spec.cache, UNAUTHORIZED, spec.rotated_every or 0.0)
        self.chance = check.chance
        self.malformed = check.malformed

    def run(self, task: Task) -> Activity:
        """OK with the keys, UNAUTHORIZED without; nobody fetches them for what cannot be decoded."""
        if self.malformed and self.chance(task.request.id, task.chain) < self.malformed:
            return refuse(task, self.host)
        return (yield from self.ask(task, (task.replica.index, 0)))


class StillThere:
    """The client of one who has asked the identity provider for others too may have gone meanwhile."""

    def __init__(self, where: int):
        self.where = where

    def act(self, task: Task) -> int:
        """TIMEOUT where nobody waits any more."""
        if task.abandoned:
            task.where = self.where
            task.root = 0
            return TIMEOUT
        return OK
