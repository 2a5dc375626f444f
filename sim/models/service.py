"""A service: attempts arrive at a replica, wait for a worker, go through the steps of an endpoint, and answer.

Not modelled: memory, garbage collection, start-up and warm-up of replicas, connection handling, request bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.models.answers import ITS_OWN, answers_of
from sim.models.consumer import Consumer
from sim.models.context import Context
from sim.models.entrance import Entrance
from sim.models.host import Host
from sim.models.outbox import Outbox
from sim.models.queues.channel import QueueConsumer
from sim.models.sequence import StepSequence
from sim.models.site import Site, System
from sim.models.task import Replica, Task
from sim.policies import balancer as balancers
from sim.spec.service import Service as Spec


class Service(Host):
    """All replicas of one service."""

    def __init__(self, context: Context, name: str, spec: Spec):
        super().__init__(context, name, spec.replicas, spec.workers, spec.cores, spec.queue)
        self.spec = spec
        self.event_loop = spec.concurrency == "event_loop"
        if self.event_loop:
            self.keep_track()
        self.balancing = spec.load_balancing
        self.uniforms = balancers.UNIFORMS[balancers.new_balancer(spec.load_balancing).kind]
        self.endpoints = {endpoint: Endpoint(self, endpoint) for endpoint in spec.endpoints}
        self.members: list[Consumer] = []
        self.listeners: list[QueueConsumer] = []  # to queues
        self.outboxes: list[Outbox] = []

    def retire(self, replica: Replica) -> None:
        """Its consumers close when they have done what they have in hand."""
        super().retire(replica)
        for thread in self._threads_in(replica):
            thread.close()

    def is_done(self, replica: Replica) -> bool:
        """Neither attempts nor consumers are at work in it."""
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
        for outbox in self.outboxes:
            if outbox.replica in replicas:
                outbox.stop()
                outbox.start()

    def start_consumers(self, replicas: Sequence[Replica]) -> None:
        """Members begin to poll again, and join the group again if it had given them up."""
        for member in self.members:
            if member.replica in replicas:
                member.rejoin()
        for listener in self.listeners:
            if listener.replica in replicas:
                listener.start()
        for outbox in self.outboxes:
            if outbox.task is None:
                outbox.start()


class Endpoint:
    """One endpoint of a service: what calls of it and records of it have in common."""

    def __init__(self, service: Service, name: str):
        self.service = self.host = service
        self.only = service.replicas[0] if len(service.replicas) == 1 else None
        self.name = name
        self.component = service.name
        self.publishes = False
        self.where = service.recorder.name(f"{service.name}.{name}")
        self.hop_stream = f"{service.name}.{name}"
        self.sequence: StepSequence  # made by `build`
        self.entrance: Entrance
        self.arrive: Callable[[Task], None]
        # Whether the balancer must hear of ends.
        self.counts = len(service.replicas) > 1 and service.balancing in balancers.COUNTING
        self.balancer_draws = [
            service.context.uniform(f"{self.hop_stream}.balance.{index}") for index in range(service.uniforms)
        ]

    def build(self, system: System) -> None:
        """Make the behaviours of the steps; all hosts exist by now."""
        spec = self.service.spec.endpoints[self.name]
        self.sequence = Site(system, self.service, self.hop_stream, self.where).sequence(spec.do)
        self.entrance = Entrance(self.service, self.where, self.sequence, answers_of(ITS_OWN, spec.answers_with))
        self.arrive = self.entrance.arrive

    def choose(self, caller: Replica, entity: int, chain: int) -> Replica | None:
        """Ask the caller's balancer for a replica."""
        service = self.service
        replicas = service.replicas
        if len(replicas) == 1:
            return None if replicas[0].down else replicas[0]
        balancer = caller.balancers.get(service.name)
        if balancer is None:
            balancer = caller.balancers[service.name] = (
                balancers.new_balancer(service.balancing, caller.index % len(replicas)),
                [0] * len(replicas),
            )
        row, loads = balancer
        if service.uniforms == 0:
            index = balancers.pick(row, loads, service.alive, len(replicas), 0.0, 0.0)
        else:
            draws = [draw(entity, chain) for draw in self.balancer_draws]
            index = balancers.pick(row, loads, service.alive, len(replicas), draws[0], draws[-1])
        if index < 0:
            return None
        loads[index] += 1
        return replicas[index]

    def over(self, caller: Replica, replica: Replica) -> None:
        """One active request less, as the caller's balancer sees it."""
        if self.counts:
            caller.balancers[self.service.name][1][replica.index] -= 1
