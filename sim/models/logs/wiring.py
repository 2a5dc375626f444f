"""Which model a topic has: the plain one, or that of all that can be said of a log."""

from __future__ import annotations

from typing import Any

from sim.models.call import Call
from sim.models.destination import Hearing
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.producer import Producer
from sim.models.logs.publishing import ProducedStore, Producing
from sim.models.logs.replicated import ReplicatedTopic
from sim.models.site import System
from sim.models.task import Replica
from sim.models.topic import Broker, Topic
from sim.spec.broker import Topic as Spec
from sim.spec.step import Publish


def make_topic(context: System, broker: Broker, name: str, spec: Spec) -> Topic:
    """A topic of this broker."""
    if not isinstance(broker, ClusteredBroker) or not (broker.spec.deep or _has_transactions(context)):
        return Topic(context, broker, name, spec)
    topic = ReplicatedTopic(context, broker, name, spec)
    producer = broker.spec.producer
    if producer is not None:
        said = producer

        def produced(call: Call, step: Publish) -> Hearing:
            return Producing(topic, call, step, said)

        def stored(step: Publish) -> Any:  # noqa: ANN401 - a store
            return ProducedStore(topic, step, said)

        def made(service: str, _replica: Replica) -> Producer:
            return Producer(broker, service, said, broker.chance)

        topic.produced, topic.produced_store, broker.make_producer = produced, stored, made
    return topic


def _has_transactions(context: System) -> bool:
    consumers = (consume for service in context.scenario.services.values() for consume in service.consumes.values())
    return any(its.transaction is not None or its.isolation == "read_committed" for its in consumers)
