"""Whether what is said of a log broker, and of the nodes of any broker, makes sense together."""

from __future__ import annotations

from collections.abc import Iterator

from sim.errors import did_you_mean
from sim.spec.broker import LogBroker, MessageBroker
from sim.spec.broker_fault import BrokerDown, BrokerSplit, SlowDisk
from sim.spec.document import Location
from sim.spec.fault import Fault
from sim.spec.queue_broker import QueueBroker
from sim.spec.scenario import Scenario
from sim.spec.step import Publish
from sim.spec.walk import consumer_of, visits

MOST_SPLIT = 62  # nodes of a broker that is split: each has a bit
Found = tuple[Location, str, bool]
"""Where, what, and whether the key is to blame."""


def log_problems(scenario: Scenario) -> Iterator[Found]:
    """Everything that names a node which is not there, or says what the producers of a broker do otherwise."""
    for index, fault in enumerate(scenario.faults):
        yield from _node(scenario, index, fault.inner or fault)
    yield from _headers(scenario)
    yield from _transactions(scenario)
    producers = {
        topic: name
        for name, broker in scenario.brokers.items()
        if isinstance(broker, LogBroker) and broker.producer is not None
        for topic in broker.topics
    }
    for visit in visits(scenario):
        step = visit.step
        if isinstance(step, Publish) and step.topic in producers and step.policy is not None:
            what = (
                f"found a policy for what is published to '{step.topic}', whose producers try again by themselves; "
                f"expected none: their timeouts and pauses are words of `producer` of '{producers[step.topic]}'"
            )
            yield (*visit.at, "policy"), what, True


def _headers(scenario: Scenario) -> Iterator[Found]:
    known = {header for traffic in scenario.traffic.values() for header in traffic.headers}
    for name, broker in scenario.brokers.items():
        if not isinstance(broker, LogBroker):
            continue
        for topic, spec in broker.topics.items():
            if spec.key_header is not None and spec.key_header not in known:
                near = did_you_mean(spec.key_header, known) if known else ""
                what = (
                    f"no traffic has a header '{spec.key_header}'{near}; "
                    "expected one of `headers` of a traffic: without it no record has a key"
                )
                yield ("brokers", name, "topics", topic, "key_header"), what, False


def _transactions(scenario: Scenario) -> Iterator[Found]:
    """A transactional producer is idempotent, and needs `acks: all` (ProducerConfig: else a ConfigException)."""
    consumers = {
        topic: consumer_of(service, topic)
        for service, spec in scenario.services.items()
        for topic, consume in spec.consumes.items()
        if consume.transaction is not None
    }
    for name, broker in scenario.brokers.items():
        if not isinstance(broker, LogBroker):
            continue
        consumer = next((consumers[topic] for topic in broker.topics if topic in consumers), None)
        if consumer is None:
            continue
        beside = f"beside the transactions of '{consumer}'"
        producer = broker.producer
        own = producer is not None and producer.acks is not None
        at: Location = ("brokers", name, *(("producer",) if own else ()), "acks")
        if broker.heard_acks != "all":
            what = f"found acks: {broker.heard_acks} {beside}; expected acks: all, without which a record can be lost"
            yield at, what, False
        if producer is not None and not producer.idempotent:
            what = f"found idempotent: false {beside}; expected true, or no word of it"
            yield ("brokers", name, "producer", "idempotent"), what, False


def _split(scenario: Scenario, index: int, fault: BrokerSplit) -> Iterator[Found]:
    broker = scenario.brokers.get(fault.broker)
    if not isinstance(broker, QueueBroker):
        return  # that is told of all that names a broker
    count = _nodes_of(broker)
    at: Location = ("faults", index, "nodes")
    if not count:
        yield at, f"'{fault.broker}' has no nodes; expected `nodes: 3` of the broker", False
    elif max(fault.nodes) >= count or len(set(fault.nodes)) == count:
        found = ", ".join(map(str, fault.nodes))
        yield at, f"found nodes {found} of '{fault.broker}', expected some of 0 to {count - 1}, and not all", False
    elif count > MOST_SPLIT:
        yield at, f"'{fault.broker}' has {count} nodes; expected at most {MOST_SPLIT} of one that is split", False
    its = scenario.faults[index]
    for other in scenario.faults[:index]:
        split = other.inner or other
        at_once = its.at < other.end and other.at < its.end
        if at_once and isinstance(split, BrokerSplit) and split.broker == fault.broker:
            what = f"'{fault.broker}' is split by two faults at once, '{other.name}' too; expected one after the other"
            yield ("faults", index), what, False


def _node(scenario: Scenario, index: int, fault: Fault) -> Iterator[Found]:
    if isinstance(fault, BrokerSplit):
        yield from _split(scenario, index, fault)
    if not isinstance(fault, (BrokerDown, SlowDisk)):
        return
    name = fault.broker if isinstance(fault, BrokerDown) else fault.of
    broker = scenario.brokers.get(name)
    if broker is None:
        return
    at: Location = ("faults", index)
    count = _nodes_of(broker)
    if fault.node is not None and fault.node >= count > 0:
        yield (*at, "node"), f"found node {fault.node} of '{name}', which has nodes 0 to {count - 1}", False
    elif fault.node is not None and not count:
        what = f"'{name}' has no nodes; expected none, or `nodes: 3` of the broker"
        yield (*at, "node"), what, True
    elif isinstance(fault, SlowDisk) and not isinstance(broker, QueueBroker) and not count:
        what = f"'{name}' is a broker without nodes, whose disks have no time of their own; expected `nodes` of it"
        yield (*at, "of"), what, False


def _nodes_of(broker: MessageBroker) -> int:
    """How many can be lost one by one; 0: none."""
    if isinstance(broker, LogBroker) and broker.has_nodes:
        return broker.nodes.count if broker.nodes is not None else broker.most_replicas
    return broker.nodes.count if isinstance(broker, QueueBroker) and broker.nodes is not None else 0
