"""A service: attempts arrive at a replica, wait for a worker, go through the steps of an endpoint, and answer.

Not modelled: memory, connection handling, request bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.models.answers import ITS_OWN, answers_of
from sim.models.balancing import Balancer, name_of
from sim.models.consumer import Consumer
from sim.models.context import Context
from sim.models.entrance import Entrance
from sim.models.health import HealthChecks
from sim.models.host import Host
from sim.models.idempotency import Keys
from sim.models.limits import limits_of, step_of
from sim.models.outbox import Outbox
from sim.models.process_pauses import ProcessPauses
from sim.models.queues.channel import QueueConsumer
from sim.models.request import Request
from sim.models.sequence import StepSequence
from sim.models.serverless import Account, Function
from sim.models.site import Site, System
from sim.models.task import Outside, Replica, Task
from sim.policies import balancer as plain
from sim.spec.balancing import Balancing, LoadBalancing
from sim.spec.clock import NO_SKEW, SkewRange
from sim.spec.service import Service as Spec


class Service(Host):
    """All replicas of one service."""

    def __init__(
        self,
        context: Context,
        name: str,
        spec: Spec,
        places: int | None = None,
        account: Account | None = None,
        clocks: SkewRange = NO_SKEW,
    ):
        """`places`: of replicas, as many as there can be at once, those that end included; without it no more come.
        `account`: what functions without a reserve share. `clocks`: between what those of its replicas can be.
        """
        size = spec.replicas, spec.workers, spec.cores, spec.queue
        super().__init__(context, name, *size, places, spec.cpu, spec.contention)
        self.spec = spec
        self.resizes = spec.vertical_scaling is not None
        self.event_loop = spec.concurrency == "event_loop"
        if spec.pinned:
            self.pin(len(self.replicas))
        if self.event_loop or (self.lines is not None and self.lines.by_endpoint):
            self.keep_track()
        smart = self._balance(context, spec)
        self.callers: list[Replica] = []  # that have, or had, a balancer of their own for it
        if smart is not None and smart.ejects:
            context.recorder.watch(name, "ejected", "level", lambda _: self.ejected)
        if spec.health_checks is not None:
            self.health = HealthChecks(
                spec.health_checks, self, self.env, self.recorder, len(self.replicas), self.up, smart is not None
            )
            context.recorder.watch(name, "healthy", "level", lambda _: self.alive.count(1))
        if spec.serverless is not None:
            shares = spec.serverless.reserved is None
            self.function = Function(context, self, spec.serverless, account if shares else None)
            self.keep_track()
        self.limits = limits_of(context, spec.rate_limits, self.identities, name, clocks=clocks)
        self.endpoints = {endpoint: Endpoint(self, endpoint) for endpoint in spec.endpoints}
        self._be_slow_at_times(context, spec)
        self.members: list[Consumer] = []
        self.listeners: list[QueueConsumer] = []  # to queues
        self.outboxes: list[Outbox] = []

    def _balance(self, context: Context, spec: Spec) -> Balancing | None:
        """How its callers choose: what is said of it beyond the name of a policy, and returned."""
        smart = spec.load_balancing if isinstance(spec.load_balancing, Balancing) else None
        several = len(self.replicas) > 1 or spec.health_checks is not None
        self.smart = smart if several else None  # None: the name of a policy says all
        self.balancing: LoadBalancing = "round_robin"
        if not isinstance(spec.load_balancing, Balancing):
            self.balancing = spec.load_balancing
        self.uniforms = (
            (4 if smart.zone_aware is not None else 2)
            if smart is not None
            else plain.UNIFORMS[plain.new_balancer(self.balancing).kind]
        )
        # Of who is ejected, and for how long, where chance decides.
        outliers = smart.outlier_detection if smart is not None else None
        self.ejecting = context.uniform(f"{self.name}.outliers") if outliers is not None and outliers.draws else None
        return smart

    def _be_slow_at_times(self, context: Context, spec: Spec) -> None:
        """After a start, in the end, and in pauses."""
        if spec.start.warm_up is not None:
            self.warm_up = spec.start.warm_up.slow, spec.start.warm_up.decay
        if spec.ageing is not None:
            self.ageing = spec.ageing.slow, spec.ageing.over
        if spec.pauses is not None:
            self.watch_for_pauses()
            self.pauses = ProcessPauses(spec.pauses, self, context)

    @property
    def rises(self) -> int:
        """Health checks that must pass until a replica that was unhealthy is healthy."""
        return self.spec.health_checks.healthy_threshold if self.spec.health_checks is not None else 1

    @property
    def ejected(self) -> float:
        """How many replicas are left out now, as callers see it on average."""
        balancers: list[Balancer] = [
            caller.balancers[self.name] for caller in self.callers if self.name in caller.balancers
        ]
        return sum(balancer.ejected for balancer in balancers) / max(1, len(balancers))

    def uneject(self, index: int) -> None:
        """Callers that had ejected it as an outlier take it back."""
        for caller in sorted(self.callers, key=_turn_of):
            if self.name in caller.balancers:
                caller.balancers[self.name].check_passed(index, self.env.now)

    def retire(self, replica: Replica) -> None:
        """Its consumers close when they have done what they have in hand."""
        super().retire(replica)
        for thread in self._threads_in(replica):
            thread.close()

    def is_done(self, replica: Replica) -> bool:
        """Neither attempts nor what nobody waits for nor consumers are at work in it."""
        return super().is_done(replica) and not any(thread.up for thread in self._threads_in(replica))

    def _threads_in(self, replica: Replica) -> list[Consumer | QueueConsumer]:
        consumers: list[Consumer | QueueConsumer] = [*self.members, *self.listeners]
        return [consumer for consumer in consumers if consumer.replica is replica]

    def stop_consumers(self, replicas: Sequence[Replica]) -> None:
        """Members stop where they are; their partitions move when their session times out. Relays move at once."""
        for member in self.members:
            if member.replica in replicas:
                member.stop()
                if member.replica.down:
                    member.begin_session_timeout()
        for listener in self.listeners:
            if listener.replica in replicas:
                listener.stop()
        self._move_relays(replicas)

    def leave_groups(self, replica: Replica) -> None:
        """Members end what they have polled, commit it, and leave; relays move at once."""
        for member in self.members:
            if member.replica is replica:
                member.leave()
        for listener in self.listeners:
            if listener.replica is replica:
                listener.close()
        self._move_relays([replica])

    def _move_relays(self, replicas: Sequence[Replica]) -> None:
        for outbox in self.outboxes:
            if outbox.replica in replicas:
                outbox.stop()
                outbox.start()

    def start_consumers(self, replicas: Sequence[Replica]) -> None:
        """Members begin to poll again, and join the group again if it had given them up."""
        for member in self.members:
            if member.replica in replicas and not member.replica.draining:
                member.rejoin()
        for listener in self.listeners:
            if listener.replica in replicas and not listener.replica.draining:
                listener.start()
        for outbox in self.outboxes:
            if outbox.task is None:
                outbox.start()


class Endpoint:
    """One endpoint of a service: what calls of it and records of it have in common."""

    def __init__(self, service: Service, name: str):
        self.service = self.host = service
        # who is checked is called until the checks have failed
        self.only = service.replicas[0] if len(service.replicas) == 1 and service.health is None else None
        self.name = name
        self.component = service.name
        self.publishes = False
        self.where = service.recorder.name(f"{service.name}.{name}")
        self.hop_stream = f"{service.name}.{name}"
        self.sequence: StepSequence  # made by `build`
        self.entrance: Entrance
        self.arrive: Callable[[Task], None]
        # Whether the balancer must hear of ends.
        self.counts = service.smart is not None or (len(service.replicas) > 1 and service.balancing in plain.COUNTING)
        self.count_zone = service.count_zone
        self.by_request = self.choose_for if service.smart is not None else None
        self.balancer_draws = [
            service.context.uniform(f"{self.hop_stream}.balance.{index}") for index in range(service.uniforms)
        ]

    def build(self, system: System) -> None:
        """Make the behaviours of the steps; all hosts exist by now."""
        spec = self.service.spec.endpoints[self.name]
        self.sequence = Site(system, self.service, self.hop_stream, self.where).sequence(spec.do)
        self.entrance = Entrance(self.service, self.where, self.sequence, answers_of(ITS_OWN, spec.answers_with))
        self.service.identities.traffic = system.scenario.traffic
        if self.service.limits:
            self.entrance.limits = step_of(self.service.limits, self.where, self.where)
        if spec.idempotency is not None:
            self.entrance.keys = Keys(self.service, self.name, self.where, spec.idempotency)
        self.arrive = self.entrance.arrive

    def choose(self, caller: Replica, entity: int, chain: int) -> Replica | None:
        """Ask the caller's balancer for a replica."""
        service = self.service
        replicas = service.replicas
        if self.only is not None:
            return None if self.only.down else self.only
        balancer = caller.balancers.get(service.name)
        if balancer is None:
            balancer = caller.balancers[service.name] = (
                plain.new_balancer(service.balancing, caller.index % len(replicas)),
                [0] * len(replicas),
            )
        row, loads = balancer
        if service.uniforms == 0:
            index = plain.pick(row, loads, service.alive, len(replicas), 0.0, 0.0)
        else:
            draws = [draw(entity, chain) for draw in self.balancer_draws]
            index = plain.pick(row, loads, service.alive, len(replicas), draws[0], draws[-1])
        if index < 0:
            return None
        loads[index] += 1
        return replicas[index]

    def choose_for(self, caller: Replica, request: Request, chain: int) -> Replica | None:
        """The same where a balancer goes by more: whose request it is, weights, latencies, failures."""
        service = self.service
        balancer = caller.balancers.get(service.name)
        if balancer is None:
            assert service.smart is not None
            start = caller.index % len(service.replicas)
            balancer = Balancer(
                service.smart,
                service.name,
                service.alive,
                service.returned,
                start,
                caller,
                service.zones,
                service.all_zones,
                service.recorder,
                service.rises,
                service.ejecting,
            )
            caller.balancers[service.name] = balancer
            if caller not in service.callers:
                service.callers.append(caller)
        draws = self.balancer_draws
        index = balancer.choose(request, service.env.now, lambda k: draws[k](request.id, chain))
        return service.replicas[index] if index >= 0 else None

    def over(self, caller: Replica, replica: Replica, outcome: int = -1, began: float = 0.0) -> None:
        """One active request less, as the caller's balancer sees it; some hear how it ended, and when it began."""
        if self.by_request is not None:
            balancer, now = caller.balancers.get(self.service.name), self.service.env.now
            if balancer is not None:  # else it has crashed meanwhile, and knows of nothing
                balancer.over(replica.index, outcome, now - began, now)
        elif self.counts:
            caller.balancers[self.service.name][1][replica.index] -= 1


def _turn_of(caller: Replica) -> tuple[str, int]:
    """When it is told of what all callers are told: by name, and clients, who have but one, in the order of traffic."""
    return name_of(caller), caller.host.place if isinstance(caller.host, Outside) else 0
