"""Which model a topic has: the plain one, or that of all that can be said of a log."""

from __future__ import annotations

from sim.models.call import Call
from sim.models.destination import Hearing, Store
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.producer import Deadlines, Producer
from sim.models.logs.publishing import ProducedStore, Producing
from sim.models.logs.replicated import ReplicatedTopic
from sim.models.logs.requests import ReplicatedStore, ReplicatedTarget
from sim.models.site import System
from sim.models.topic import Broker, Topic
from sim.spec.broker import Topic as Spec
from sim.spec.step import Publish


class LogTopic(ReplicatedTopic):
    """A replicated topic, as whoever publishes knows it: record by record, or through producers."""

    def target(self, spec: Publish) -> ReplicatedTarget:
        """This topic as something to call."""
        return ReplicatedTarget(self, spec.key or self.key, spec.size or self.size)

    def hearing(self, call: Call, spec: Publish) -> Hearing | None:
        """Through a producer, or as of any topic."""
        producer = self.broker.spec.producer
        return Producing(self, call, spec, producer) if producer is not None else super().hearing(call, spec)

    def store(self, spec: Publish) -> Store:
        """For the relay of an outbox."""
        producer = self.broker.spec.producer
        if producer is not None:
            return ProducedStore(self, spec, producer)
        return ReplicatedStore(self, spec.key or self.key, spec.size or self.size)


def make_topic(context: System, broker: Broker, name: str, spec: Spec) -> Topic:
    """A topic of this broker."""
    if not isinstance(broker, ClusteredBroker) or not (broker.spec.deep or _has_transactions(context)):
        return Topic(context, broker, name, spec)
    said = broker.spec.producer
    if said is not None and not broker.topics:
        deadlines = Deadlines(broker.env, said)
        broker.make_producer = lambda service: Producer(broker, service, said, broker.chance, deadlines)
    return LogTopic(context, broker, name, spec)


def _has_transactions(context: System) -> bool:
    consumers = (consume for service in context.scenario.services.values() for consume in service.consumes.values())
    return any(its.transaction is not None or its.isolation == "read_committed" for its in consumers)
