"""The API gateway: queue and worker, authentication, limits, routing, translation, and the call of the route's endpoint.

An event-loop gateway (the default) holds a worker for its own work only; with `concurrency: threads` a worker is held for the whole
request. A refusal by a limit is a 429 that tells the client how long to wait.

Not modelled: TLS handshakes, connection handling, request bodies, caching, health checks and outlier ejection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.models.answers import PASSED_ON, answers_of
from sim.models.ending import kill
from sim.models.entrance import Entrance
from sim.models.host import Host
from sim.models.outcomes import ERROR, OK, RATE_LIMITED, REFUSED, TIMEOUT, UNAUTHORIZED
from sim.models.site import StepSequence
from sim.models.task import Activity, Replica, Task, abandon
from sim.policies import limiter as limiters
from sim.policies.base import passed, reached
from sim.spec.gateway import Jwt, OAuth
from sim.spec.sites import limit_name
from sim.vocabulary import QUIET, EventKind, Stage

if TYPE_CHECKING:
    from sim.models.call import Call
    from sim.models.demand import Demand
    from sim.models.world import World
    from sim.spec.gateway import Gateway as Spec
    from sim.spec.gateway import RateLimit
    from sim.spec.gateway import Route as RouteSpec



class Gateway(Host):
    """All replicas of the gateway."""

    def __init__(self, world: World, spec: Spec):
        super().__init__(world, "gateway", spec.replicas, spec.workers, None, spec.queue)
        self.spec = spec
        self.event_loop = spec.concurrency == "event_loop"
        if self.event_loop:
            self.keep_track()
        self.next_replica = 0
        self.limits = [Limit(self, index, limit) for index, limit in enumerate(spec.rate_limits)]
        self.authentication: Any = None  # a JwtCheck or an Introspection
        self.routes: dict[str, Route] = {}
        self.overhead: list[Overhead] = []

    def build(self) -> None:
        """Routes and authentication may call services: all hosts exist by now."""
        if self.spec.work is not None:
            self.overhead = [Overhead(self, self.world.demand(self.spec.work, "gateway.work"))]
        spec = self.spec.authentication
        if isinstance(spec, Jwt):
            self.authentication = JwtCheck(self, spec)
        elif isinstance(spec, OAuth):
            self.authentication = Introspection(self, spec)
        self.routes = {name: Route(self, name, route) for name, route in self.spec.routes.items()}

    def choose(self) -> Replica | None:
        """Clients are spread round robin over the replicas that are up."""
        for _ in self.replicas:
            replica = self.replicas[self.next_replica % len(self.replicas)]
            self.next_replica = (self.next_replica + 1) % len(self.replicas)
            if not replica.down:
                return replica
        return None

    def drop_all(self, replica: Replica) -> None:
        """With those who asked the identity provider, it is forgotten that they were asking."""
        super().drop_all(replica)
        if isinstance(self.authentication, Introspection):
            self.authentication.forget_questions(replica)

    def crash(self, replica: Replica) -> None:
        """With all else that it holds, it loses what it remembers of tokens."""
        super().crash(replica)
        if isinstance(self.authentication, Introspection):
            self.authentication.forget_answers(replica)

    def client_gone(self, task: Task) -> None:
        """Nobody waits for this attempt: it ends here and now, and what it has called works on for nobody.

        So do nginx (`proxy_ignore_client_abort off`), Envoy and Kong, all by default. Who asks the identity provider for others too finishes that.
        """
        if isinstance(self.authentication, Introspection) and task in self.authentication.askers:
            abandon(task)
        else:
            kill(task, TIMEOUT)

    def compute(self, task: Task, seconds: float) -> Activity:
        """Own work, on a worker."""
        if not task.granted:
            yield from self.take_place(task)
        return (yield from self.spend(task, seconds, computing=True))

class Overhead:
    """Routing and all else that each request costs, the first step of each."""

    def __init__(self, gateway: Gateway, demand: Demand):
        self.gateway = gateway
        self.demand = demand
        self.just_time = not gateway.may_hang

    def run(self, task: Task) -> Activity:
        """Work, on the place that it has got."""
        return self.gateway.spend(task, self.demand.of(task), computing=True)


class Translation:
    """From one protocol to the other, or back."""

    def __init__(self, gateway: Gateway, demand: Demand):
        self.gateway = gateway
        self.demand = demand

    def run(self, task: Task) -> Activity:
        """Work, on a worker."""
        return self.gateway.compute(task, self.demand.of(task))


class Forward:
    """The call of the route's endpoint; an event loop gives its worker back meanwhile."""

    def __init__(self, gateway: Gateway, call: Call):
        self.gateway = gateway
        self.call = call

    def run(self, task: Task) -> Activity:
        """Make the call."""
        self.gateway.let_go(task)
        return self.call.run(task)


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


class Limits:
    """The limits of the gateway, as a step of one route."""

    def __init__(self, gateway: Gateway, route: int, where: int):
        self.limits = gateway.limits
        self.route = route
        self.where = where

    def act(self, task: Task) -> int:
        """All limits are asked before any of them counts the request: one that is refused has used up nothing."""
        for limit in self.limits:
            wait = limit.refuses(task, self.route)
            if wait >= 0.0:
                task.request.retry_after = wait
                task.where = self.where
                task.root = 0
                return RATE_LIMITED
        for limit in self.limits:
            limit.count(task, self.route)
        return OK


class Route:
    """One route: the life of an attempt from the client's door to the answer."""

    counts = False
    publishes = False

    def __init__(self, gateway: Gateway, name: str, spec: RouteSpec):
        world = gateway.world
        self.gateway = self.host = gateway
        self.component = self.hop_stream = gateway.name
        self.only = gateway.replicas[0] if len(gateway.replicas) == 1 else None
        self.name = name
        self.index = world.recorder.name(name)
        self.where = gateway.name_index
        self.authenticates = spec.authenticate and gateway.authentication is not None
        translate = spec.translate
        self.translate = world.demand(translate.work, f"gateway.{name}.translate") if translate else None
        self.translate_back = world.demand(translate.response_work, f"gateway.{name}.translate_back") if translate and translate.response_work else None
        self.call: Call = world.route_call(gateway, name, spec)
        steps = StepSequence(gateway, [*gateway.overhead, *self._steps()])
        self.entrance = Entrance(gateway, self.where, steps, answers_of(PASSED_ON, spec.answers_with))
        self.arrive = self.entrance.arrive

    def choose(self, _caller: Replica, _entity: int, _chain: int) -> Replica | None:
        """The gateway replica that takes this attempt."""
        return self.gateway.choose()

    def over(self, _caller: Replica, _replica: Replica) -> None:
        """Clients do not count."""

    def _steps(self) -> Iterator[Any]:
        """Authentication, limits, translation, the call, and translation back: those that this route has."""
        gateway = self.gateway
        if self.authenticates:
            yield gateway.authentication
            if isinstance(gateway.authentication, Introspection):
                yield StillThere(self.where)
        if gateway.limits:
            yield Limits(gateway, self.index, self.where)
        if self.translate is not None:
            yield Translation(gateway, self.translate)
        yield Forward(gateway, self.call)
        if self.translate_back is not None:
            yield Translation(gateway, self.translate_back)


class JwtCheck:
    """A signed token, verified locally on a gateway worker."""

    def __init__(self, gateway: Gateway, spec: Jwt):
        self.gateway = gateway
        self.work = gateway.world.demand(spec.work, "gateway.jwt")
        self.invalid = spec.invalid
        self.chance = gateway.world.uniform("gateway.jwt.invalid")

    def run(self, task: Task) -> Activity:
        """OK for a valid token, or UNAUTHORIZED."""
        yield from self.gateway.compute(task, self.work.of(task))
        if self.invalid and self.chance(task.request.id, task.chain) < self.invalid:
            task.where = self.gateway.name_index
            task.root = 0
            return UNAUTHORIZED
        return OK


class Introspection:
    """OAuth 2.0 token introspection (RFC 7662): a remote call, with a cache of answers per user in each replica of the gateway.

    Concurrent misses of one user in one replica share one call. Replicas share nothing, as Kong's nodes do not (openid-connect caches in the
    shared memory of the node), so that a user costs up to one call per replica and `cache_ttl`; a crash empties the cache of its replica.

    An invalid token is one of its own: nothing is known of it, nobody else asks for it, and that it is invalid is not remembered.
    """

    def __init__(self, gateway: Gateway, spec: OAuth):
        self.gateway = gateway
        self.world = gateway.world
        self.spec = spec
        self.lookup = gateway.world.demand(spec.lookup, "gateway.oauth.lookup")
        self.chance = gateway.world.uniform("gateway.oauth.invalid")
        self.call = gateway.world.introspection_call(gateway, spec)
        self.known: dict[tuple[int, int], float] = {}  # (replica, user) -> when the cached answer expires
        self.asking: dict[tuple[int, int], list[Task]] = {}  # (replica, user) -> those who wait for a call that is under way
        self.askers: set[Task] = set()  # those who make such a call

    def run(self, task: Task) -> Activity:
        """OK for an active token, UNAUTHORIZED for one that is not; when the provider cannot be asked, what `on_failure` says."""
        yield from self.gateway.compute(task, self.lookup.of(task))
        user = task.request.user
        invalid = bool(self.spec.invalid) and self.chance(task.request.id, task.chain) < self.spec.invalid
        if user < 0 or invalid:
            self.gateway.let_go(task)
            return self._verdict(task, (yield from self.call.run(task)), invalid)
        place = (task.replica.index, user)
        if not reached(self.gateway.env.now, self.known.get(place, -1.0)):
            return OK
        if place in self.asking:
            self.asking[place].append(task)
            self.world.recorder.stage(task, Stage.OTHER, self.call.target.where)
            self.gateway.let_go(task)
            yield
            return task.outcome
        waiting = self.asking[place] = []
        self.askers.add(task)
        self.gateway.let_go(task)
        answer = yield from self.call.run(task)
        self.askers.remove(task)
        if answer == OK and self.spec.cache_ttl > 0:
            self.known[place] = self.gateway.env.now + self.spec.cache_ttl
        del self.asking[place]
        verdict = self._verdict(task, answer, False)
        for other in waiting:
            other.outcome = verdict
            other.root = task.root
            other.where = task.where
            self.world.env.wake(other)
        return verdict

    def _verdict(self, task: Task, answer: int, invalid: bool) -> int:
        """What the outcome of the call means for its token: a refusal is a "no", as the answer about an invalid token is."""
        if answer == REFUSED or (answer == OK and invalid):
            task.where = self.gateway.name_index
            task.root = 0
            return UNAUTHORIZED
        if answer == OK or self.spec.on_failure == "allow":
            return OK
        task.root = task.root or answer
        return ERROR

    def forget_answers(self, replica: Replica) -> None:
        """It has crashed: its cache is empty."""
        self.known = {place: expiry for place, expiry in self.known.items() if place[0] != replica.index}

    def forget_questions(self, replica: Replica) -> None:
        """All in a replica was dropped: nobody there asks or waits any more."""
        self.asking = {place: waiting for place, waiting in self.asking.items() if place[0] != replica.index}
        self.askers = {task for task in self.askers if task.replica is not replica}


class Limit:
    """One rate limit, with a row of state per user, per route, or one for all; per gateway replica if its scope is `node`."""

    def __init__(self, gateway: Gateway, index: int, spec: RateLimit):
        self.gateway = gateway
        self.spec = spec
        self.label = limit_name(spec, index)
        self.rows: dict[tuple[int, int], Any] = {}
        self.shared = limiters.new_limiter(spec) if spec.per == "all" and spec.scope == "cluster" else None
        self.last = -1e18
        self.limiting = False
        self.passed = self.refused = 0
        watch, component = gateway.world.recorder.watch, f"gateway {self.label}"
        watch(component, "passed", "total", lambda _: self.passed)
        watch(component, "turned_away", "total", lambda _: self.refused)

    def refuses(self, task: Task, route: int) -> float:
        """Seconds to wait before a retry may succeed; negative: not refused. The request is not counted yet."""
        row, ring = self.shared or self._state(task, route)
        wait = limiters.look(row, ring, self.gateway.env.now)
        if wait >= 0.0:
            self.refused += 1
            self._note()
        return wait

    def count(self, task: Task, route: int) -> None:
        """Count a request that no limit refuses."""
        self.passed += 1
        row, ring = self.shared or self._state(task, route)
        limiters.take(row, ring, self.gateway.env.now)

    def _state(self, task: Task, route: int) -> Any:  # noqa: ANN401 - the row and ring of a limiter
        spec = self.spec
        whose = task.request.user if spec.per == "user" else route if spec.per == "route" else 0
        key = (whose, task.replica.index if spec.scope == "node" else 0)
        state = self.rows.get(key)
        if state is None:
            state = self.rows[key] = limiters.new_limiter(spec)
        return state

    def _note(self) -> None:
        now = self.gateway.env.now
        if passed(now, self.last + QUIET):
            recorder = self.gateway.world.recorder
            if self.limiting:
                recorder.event(EventKind.LIMITING_ENDED, "gateway", self.label, time=self.last)
            recorder.event(EventKind.LIMITING_BEGAN, "gateway", self.label)
            self.limiting = True
        self.last = now
