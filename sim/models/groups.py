"""Consumers of all services join their groups when a world is made; partitions are dealt out."""

from __future__ import annotations

from collections.abc import Mapping

from sim.models.consumer import Consumer
from sim.models.group import Group
from sim.models.network import Network
from sim.models.service import Service
from sim.models.site import Site, System
from sim.models.topic import Topic
from sim.spec.sites import consumer_name


def join_groups(
    system: System, network: Network, services: Mapping[str, Service], topics: Mapping[str, Topic]
) -> list[Group]:
    """All groups, topic by topic."""
    groups: dict[tuple[str, str], Group] = {}
    for service in services.values():
        for topic, consume in service.spec.consumes.items():
            group = groups.get((consume.group, topic))
            if group is None:
                group = groups[consume.group, topic] = Group(system, consume.group, topics[topic])
            name = consumer_name(service.name, consume.group, topic)
            steps = Site(system, service, name, system.recorder.name(name)).sequence(consume.do)
            for replica in service.replicas:
                for _ in range(consume.consumers):
                    hop, _back = network.hops(
                        topics[topic].broker.name, service.name, f"{service.name}/{group.component}"
                    )
                    service.members.append(Consumer(group, service, replica, consume, steps, hop))
    for group in groups.values():
        group.assign()
        group.watch_members()
    return [group for topic in topics.values() for group in groups.values() if group.topic is topic]
