"""Consumers of all services join their groups, or open channels to their queues, when a world is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.models.broker_side import coordinator_of
from sim.models.consumer import Consumer
from sim.models.group import Group
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.exactly_once import ExactlyOnce
from sim.models.membership import Coordinator, ManagedConsumer
from sim.models.network import Network
from sim.models.queues.channel import QueueConsumer
from sim.models.queues.queue_broker import QueueBroker
from sim.models.queues.series import watch_consumers
from sim.models.service import Service
from sim.models.site import Site, System
from sim.models.topic import Topic
from sim.spec.sites import consumer_name


def join_groups(
    system: System, network: Network, services: Mapping[str, Service], topics: Mapping[str, Topic]
) -> list[Group]:
    """All groups, topic by topic; partitions are dealt out."""
    groups: dict[tuple[str, str], Group] = {}
    coordinators: dict[tuple[str, str], Coordinator] = {}
    for service in services.values():
        for topic, consume in service.spec.consumes.items():
            if topic not in topics:
                continue
            group = groups.get((consume.group, topic))
            if group is None:
                group = groups[consume.group, topic] = Group(system, consume.group, topics[topic])
                if consume.isolation == "read_committed":
                    group.read_committed()
            name = consumer_name(service.name, consume.group, topic)
            steps = Site(system, service, name, system.recorder.name(name)).sequence(consume.do)
            for replica in service.replicas:
                for _ in range(consume.consumers):
                    hop, _back = network.hops(
                        topics[topic].broker.name, service.name, f"{service.name}/{group.component}"
                    )
                    if consume.membership is None:
                        consumer = Consumer(group, service, replica, consume, steps, hop)
                        service.members.append(consumer)
                        _in_transactions(consumer)
                        continue
                    key = (consume.group, topic)
                    if key not in coordinators:
                        phase = system.uniform(f"{group.component}.heartbeat")
                        coordinators[key] = coordinator_of(group, consume.membership, consume.session_timeout, phase)
                    managed = ManagedConsumer(group, service, replica, consume, steps, hop, coordinators[key])
                    service.members.append(managed)
                    _in_transactions(managed)
    for group in groups.values():
        group.assign()
        group.watch_members()
    return [group for topic in topics.values() for group in groups.values() if group.topic is topic]


def _in_transactions(consumer: Consumer) -> None:
    broker = consumer.group.topic.broker
    if consumer.spec.transaction is not None and isinstance(broker, ClusteredBroker):
        ExactlyOnce(consumer, broker, consumer.spec.transaction)


def open_channels(system: System, network: Network, services: Mapping[str, Service], brokers: Iterable[object]) -> None:
    """The consumers of all queues."""
    at = {
        name: (broker, queue)
        for broker in brokers
        if isinstance(broker, QueueBroker)
        for name, queue in broker.queues.items()
    }
    for service in services.values():
        for source, consume in service.spec.consumes.items():
            if source not in at:
                continue
            broker, queue = at[source]
            name = consumer_name(service.name, "", source)
            steps = Site(system, service, name, system.recorder.name(name)).sequence(consume.do)
            for replica in service.replicas:
                for _ in range(consume.consumers):
                    hops = network.hops(broker.name, service.name, f"{service.name}/{queue.component}")
                    service.listeners.append(QueueConsumer(queue, broker, service, replica, consume, steps, hops))
    for _, queue in at.values():
        watch_consumers(queue)
