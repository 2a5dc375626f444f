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
        return OK if drawn >= self.refused else self.refuse(task)

    def refuse(self, task: Task) -> int:
        """401."""
        task.where = self.host.name_index
        task.root = 0
        return UNAUTHORIZED


class Introspection:
    """OAuth 2.0 token introspection (RFC 7662): a remote call, with a cache of answers per user in each replica of the
    gateway.

    Concurrent misses of one user in one replica share one call. Replicas share nothing, as Kong's nodes do not
    (openid-connect caches in the shared memory of the node), so that a user costs up to one call per replica and
    `cache_ttl`; a crash empties the cache of its replica.

    An invalid token is one of its own: nothing is known of it, nobody else asks for it, and that it is invalid is not
    remembered.
    """

    failing = ERROR  # the answer where nobody can be asked
    shared = False  # whether all of a replica share one answer
    rotated_every = 0.0  # s; after which an answer is not good any more; 0: never

    def __init__(self, host: Host, spec: OAuth, call: Call):
        self.spec = spec
        self.lookup = host.context.demand(spec.lookup, "gateway.oauth.lookup")
        self.chance = host.context.uniform("gateway.oauth.invalid")
        self.invalid = spec.invalid
        self.allow = spec.on_failure == "allow"
        self._remembers(host, call, spec.cache_ttl)

    def _remembers(self, host: Host, call: Call, ttl: float) -> None:
        self.host = host
        self.call = call
        self.ttl = ttl
        self.known: dict[tuple[int, int], float] = {}  # (replica, user) -> when the cached answer expires
        self.asking: dict[
            tuple[int, int], list[Task]
        ] = {}  # (replica, user) -> those who wait for a call that is under way
        self.askers: set[Task] = set()  # those who make such a call

    def run(self, task: Task) -> Activity:
        """OK for an active token, UNAUTHORIZED for one that is not; when the provider cannot be asked, what
        `on_failure` says.
        """
        yield from self.host.compute(task, self.lookup.of(task))
        user = task.request.user
        invalid = bool(self.spec.invalid) and self.chance(task.request.id, task.chain) < self.spec.invalid
        if user < 0 or invalid:
            self.host.let_go(task)
            return self._verdict(task, (yield from self.call.run(task)), invalid)
        return (yield from self.ask(task, (task.replica.index, user)))

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
        verdict = self._verdict(task, answer, False)
        for other in waiting:
            other.outcome = verdict
            other.root = task.root
            other.where = task.where
            self.host.env.wake(other)
        return verdict

    def _verdict(self, task: Task, answer: int, invalid: bool) -> int:
        """What the outcome of the call means for its token: a refusal is a "no", as the answer about an invalid token
        is.
        """
        if answer == REFUSED or (answer == OK and invalid):
            task.where = self.host.name_index
            task.root = 0
            return UNAUTHORIZED
        if answer == OK or self.allow:
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


class KeySet(Introspection):
    """The keys that tokens are verified with (JWKS): fetched by the first who needs them, for all of the replica."""

    failing = UNAUTHORIZED
    shared = True
    invalid = 0.0
    allow = False

    def __init__(self, check: JwtCheck, spec: Keys, call: Call):
        self.check = check
        self.chance = check.chance
        self.rotated_every = spec.rotated_every or 0.0
        self._remembers(check.host, call, spec.cache)

    def run(self, task: Task) -> Activity:
        """OK with the keys, UNAUTHORIZED without; nobody fetches them for what cannot be decoded."""
        malformed = self.check.malformed
        if malformed and self.chance(task.request.id, task.chain) < malformed:
            return self.check.refuse(task)
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
