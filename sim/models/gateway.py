"""The API gateway: queue and worker, authentication, translation, limits, cache of answers, and the call of the route's
endpoint.

An event-loop gateway (the default) holds a worker for its own work only; with `concurrency: threads` a worker is held
for the whole request.

Not modelled: TLS handshakes, connection handling, request bodies, and health checks of its own: those of a service are
for all who call it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from sim.models.answers import PASSED_ON, answers_of
from sim.models.authentication import Asking, Introspection, JwtCheck, KeySet, StillThere
from sim.models.cache import Looking
from sim.models.call import Call
from sim.models.context import Context
from sim.models.credentials import token_of
from sim.models.demand import Demand
from sim.models.ending import kill
from sim.models.entrance import Entrance
from sim.models.host import Host
from sim.models.limits import Limit, limits_of, step_of
from sim.models.outcomes import TIMEOUT
from sim.models.sequence import StepSequence
from sim.models.site import Site, System
from sim.models.task import Activity, Replica, Task, abandon
from sim.spec.clock import NO_SKEW, SkewRange
from sim.spec.gateway import Gateway as Spec
from sim.spec.gateway import Jwt, OAuth
from sim.spec.gateway import Route as RouteSpec
from sim.vocabulary import EventKind

PROVIDER_TIMEOUT = 10.0  # s, of Kong's openid-connect; where the policy of the call has none


class Gateway(Host):
    """All replicas of the gateway."""

    def __init__(self, context: Context, spec: Spec, clocks: SkewRange = NO_SKEW):
        super().__init__(context, "gateway", spec.replicas, spec.workers, None, spec.queue)
        self.spec = spec
        self.event_loop = spec.concurrency == "event_loop"
        if spec.pinned:
            self.pin(len(self.replicas))
        if self.event_loop or (self.lines is not None and self.lines.by_endpoint):
            self.keep_track()
        self.next_replica = 0
        self.clocks = clocks  # between what those of its replicas can be
        self.limits = limits_of(context, spec.rate_limits, self.identities, self.name, clocks=clocks)
        self.limits_of_routes: list[Limit] = []
        self.authentication: Any = None  # a JwtCheck or an Introspection
        self.asking: Asking | None = None  # that, or the KeySet of a JwtCheck
        self.routes: dict[str, Route] = {}
        self.overhead: list[Overhead] = []

    def build(self, system: System) -> None:
        """Routes and authentication may call services: all hosts exist by now."""
        self.identities.traffic = system.scenario.traffic
        if self.spec.work is not None:
            self.overhead = [Overhead(self, self.context.demand(self.spec.work, "gateway.work"))]
        spec = self.spec.authentication
        if isinstance(spec, Jwt):
            self.authentication = JwtCheck(self, spec)
            if spec.keys is not None:
                self.asking = KeySet(self.authentication, spec.keys, self._call_of_provider(system))
        elif isinstance(spec, OAuth):
            self.authentication = self.asking = Introspection(self, spec, self._call_of_provider(system))
        self.routes = {name: Route(self, name, route, system) for name, route in self.spec.routes.items()}

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
        if self.asking is not None:
            self.asking.forget_questions(replica)

    def crash(self, replica: Replica, told: EventKind = EventKind.REPLICA_CRASHED) -> None:
        """With all else that it holds, it loses what it remembers of tokens."""
        super().crash(replica, told)
        if self.asking is not None:
            self.asking.forget_answers(replica)

    def client_gone(self, task: Task, cancel: bool = False) -> None:
        """Nobody waits for this attempt: it ends here and now, and what it has called works on for nobody.

        So do nginx (`proxy_ignore_client_abort off`), Envoy and Kong, all by default. Who asks the identity provider
        for others too finishes that. With `cancel` what it has called stops as well: it was told the deadline.
        """
        if self.asking is not None and task in self.asking.askers:
            abandon(task)
        else:
            kill(task, TIMEOUT, cancel)

    def _call_of_provider(self, system: System) -> Call:
        """The one of the identity provider; it times out, or a lost answer would keep its user out for ever."""
        ((site, asked),) = self.spec.asks.items()
        policy = system.calls.policy(asked.policy)
        if policy.timeout is None:
            policy = policy.model_copy(update={"timeout": PROVIDER_TIMEOUT})
        return system.calls.make(site, self, system.endpoint(asked.endpoint), policy)


class Overhead:
    """Routing and all else that each request costs, the first step of each."""

    def __init__(self, gateway: Gateway, demand: Demand):
        self.gateway = gateway
        self.demand = demand
        self.just_time = not gateway.may_hang and gateway.uneven is None

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


class Split:
    """The calls of several endpoints, of which each request makes one, by its draw."""

    def __init__(self, gateway: Gateway, name: str, shares: Sequence[float], calls: Sequence[Call]):
        self.gateway = gateway
        self.chance = gateway.context.uniform(f"gateway.{name}.split")
        self.edges = list(accumulate(shares))  # of all but the last, which has the rest
        self.calls = calls

    def run(self, task: Task) -> Activity:
        """Make it."""
        self.gateway.let_go(task)
        return self.calls[bisect_right(self.edges, self.chance(task.request.id, task.chain))].run(task)


class Route:
    """One route: the life of an attempt from the client's door to the answer."""

    counts = False
    publishes = False

    def __init__(self, gateway: Gateway, name: str, spec: RouteSpec, system: System):
        context = gateway.context
        self.gateway = self.host = gateway
        self.component = self.hop_stream = gateway.name
        self.only = gateway.replicas[0] if len(gateway.replicas) == 1 else None
        self.name = name
        self.index = context.recorder.name(name)
        self.where = gateway.name_index
        self.authenticates = spec.authenticate and gateway.authentication is not None
        self.limits = gateway.limits if spec.limits(gateway.spec) else []
        if spec.rate_limits:
            own = limits_of(context, spec.rate_limits, gateway.identities, gateway.name, f"{name} ", gateway.clocks)
            gateway.limits_of_routes += own
            self.limits = [*self.limits, *own]
        translate = spec.translate
        self.translate = context.demand(translate.work, f"gateway.{name}.translate") if translate else None
        self.translate_back = (
            context.demand(translate.response_work, f"gateway.{name}.translate_back")
            if translate and translate.response_work
            else None
        )
        # Its own `per_try_timeout` and `timeout` go before those of its policy.
        policy = spec.guarded(system.calls.policy(spec.policy))
        token = None
        if spec.token is not None:
            token = token_of(spec.token, spec.asks, Site(system, gateway, f"gateway.{name}.call", self.where))
        calls = {
            target: system.calls.make(site, gateway, system.endpoint(target), policy, token=token)
            for target, site in spec.call_names(name).items()
        }
        self.forward: Forward | Split = Forward(gateway, calls[spec.to])
        if spec.split:
            others = [calls[target] for target in spec.split]
            self.forward = Split(gateway, name, list(spec.split.values()), [*others, calls[spec.to]])
        self.cache: Looking | None = None
        if spec.cache is not None:
            site = Site(system, gateway, f"gateway.{name}.cache", self.where)
            self.cache = Looking(spec.cache, name, site, StepSequence(gateway, list(self._behind_cache())))
        steps = StepSequence(gateway, [*gateway.overhead, *self._steps()])
        self.entrance = Entrance(gateway, self.where, steps, answers_of(PASSED_ON, spec.answers))
        self.arrive = self.entrance.arrive

    def choose(self, _caller: Replica, _entity: int, _chain: int) -> Replica | None:
        """The gateway replica that takes this attempt."""
        return self.gateway.choose()

    def over(self, caller: Replica, replica: Replica, outcome: int = -1, began: float = 0.0) -> None:
        """Clients do not count."""

    def _steps(self) -> Iterator[Any]:
        """Authentication, translation, limits, and the call behind the cache: those that this route has, in the order
        of Kong's plug-ins (jwt 1450, grpc-gateway 998, rate-limiting 910, proxy-cache 100).
        """
        gateway = self.gateway
        if self.authenticates:
            if gateway.asking is not None:
                yield gateway.asking
                yield StillThere(self.where)
            if gateway.authentication is not gateway.asking:
                yield gateway.authentication
        if self.translate is not None:
            yield Translation(gateway, self.translate)
        if self.limits:
            yield step_of(self.limits, self.index, self.where)
        if self.cache is not None:
            yield self.cache
        else:
            yield from self._behind_cache()

    def _behind_cache(self) -> Iterator[Forward | Split | Translation]:
        """The call, and translation back: what is kept is translated."""
        yield self.forward
        if self.translate_back is not None:
            yield Translation(self.gateway, self.translate_back)
