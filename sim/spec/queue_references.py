"""Whether the parts of a queue broker fit together, and whether who publishes and consumes says what its kind of broker
understands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.errors import did_you_mean
from sim.spec.broker import MessageBroker
from sim.spec.document import Location
from sim.spec.queue_broker import DEFAULT_EXCHANGE, QueueBroker
from sim.spec.scenario import Scenario
from sim.spec.service import Consume
from sim.spec.step import Publish
from sim.spec.walk import visits

Found = tuple[Location, str, bool]  # where, what, and whether the key (not the value) is to blame

OF_TOPICS = {
    "group": (
        "a queue has no groups: each message goes to one of all its consumers; a queue of its own, bound"
        " to the same exchange, gets every message too"
    ),
    "auto_offset_reset": "a queue has no offsets: what is acknowledged is gone",
    "max_poll_records": "what a consumer of a queue has at once is `prefetch`",
    "retry_topic": (
        "delayed retries of a queue are a waiting queue: `on_failure: reject`, `dead_letter` to a queue "
        "with `message_ttl` that dead-letters back"
    ),
    "max_deliveries": "how often a queue delivers is its `delivery_limit`",
    "membership": "the consumers of a queue are no group, and nothing is dealt out among them",
    "fetch": "a queue pushes, as much as `prefetch` lets it",
    "commit": "a queue has no offsets: what is handled is acknowledged, `ack: manual` or `automatic`",
    "transaction": "a queue broker has no transactions over what is consumed and published",
    "isolation": "a queue has no transactions",
    "session_timeout": "a queue has no sessions: it knows at once that a channel is closed",
}
OF_QUEUES = {
    "prefetch": "what a consumer of a topic has at once is `max_poll_records`",
    "ack": "where a group is in a topic is committed: `commit: before`, or after a `batch` or a `record`",
    "on_failure": "a failed record of a topic is tried again in place, up to `max_deliveries`, or by a `retry_topic`",
    "priority": "the partitions of a topic are dealt out evenly",
}
TO_QUEUES = {
    "routing_key": "what decides the partition of a message is `key`",
    "headers": "a topic does not look at headers",
    "expiration": "a topic keeps its messages",
    "confirm": "what a producer waits for is `acks` of its broker",
    "mandatory": "a topic takes everything",
    "priority": "a topic keeps the order in which its messages came",
}


def queue_problems(scenario: Scenario) -> Iterator[Found]:
    """Everything that names what a queue broker does not have, or says what its kind of broker does not know."""
    kinds: dict[str, MessageBroker] = {}
    for name, broker in scenario.brokers.items():
        kinds.update(dict.fromkeys((*broker.destinations, *broker.sources), broker))
        if isinstance(broker, QueueBroker):
            yield from _inside(("brokers", name), broker)
    for service, spec in scenario.services.items():
        for source, consume in spec.consumes.items():
            if source in kinds:
                yield from _consumer(("services", service, "consumes", source), source, consume, kinds[source])
    for visit in visits(scenario):
        step = visit.step
        if isinstance(step, Publish) and step.topic in kinds:
            yield from _publication(visit.at, step, kinds[step.topic])


def _inside(at: Location, broker: QueueBroker) -> Iterator[Found]:
    for name, exchange in broker.exchanges.items():
        where: Location = (*at, "exchanges", name)
        if name in broker.queues:
            yield (
                where,
                f"the exchange '{name}' has the name of a queue: what is published to '{name}' could go to "
                f"either; call one of them otherwise",
                True,
            )
        for binding in exchange.bindings:
            yield from _known((*where, "bindings"), "queue", binding.queue, broker.queues)
            if exchange.type == "headers" and not binding.headers:
                what = f"found a binding of '{binding.queue}' without headers, by which a headers exchange chooses"
                yield (*where, "bindings"), what, False
            if exchange.type != "headers" and binding.headers:
                yield (
                    (*where, "bindings"),
                    f"found headers in a binding of a {exchange.type} exchange; expected type: headers",
                    False,
                )
    for name, queue in broker.queues.items():
        dead = queue.dead_letter
        if dead is None:
            continue
        where = (*at, "queues", name, "dead_letter")
        if dead.exchange != DEFAULT_EXCHANGE:
            yield from _known(where, "exchange", dead.exchange, broker.exchanges)
        elif dead.routing_key is not None:
            yield from _known(where, "queue", dead.routing_key, broker.queues)


def _known(at: Location, what: str, name: str, known: Mapping[str, object]) -> Iterator[Found]:
    if name not in known:
        yield (
            at,
            f"unknown {what} '{name}'{did_you_mean(name, known) if known else f'; the broker has no {what}s'}",
            False,
        )


def _consumer(at: Location, source: str, consume: Consume, broker: MessageBroker) -> Iterator[Found]:
    if source not in broker.sources:
        assert isinstance(broker, QueueBroker)
        queues = " and ".join(
            f"'{queue}'" for queue in dict.fromkeys(binding.queue for binding in broker.exchanges[source].bindings)
        )
        yield (
            at,
            f"'{source}' is an exchange, which keeps nothing; consume {queues or 'a queue that is bound to it'}",
            True,
        )
        return
    queue = isinstance(broker, QueueBroker)
    for word, instead in (OF_TOPICS if queue else OF_QUEUES).items():
        if word in consume.model_fields_set:
            yield (
                (*at, word),
                f"'{source}' is a {'queue' if queue else 'topic'}, which does not know '{word}': {instead}",
                True,
            )
    if not queue and not consume.group:
        yield at, "the field 'group' is missing: a topic is consumed by a group", False


def _publication(at: Location, step: Publish, broker: MessageBroker) -> Iterator[Found]:
    if isinstance(broker, QueueBroker):
        if step.key is not None:
            yield (*at, "key"), f"'{step.topic}' has no partitions; an exchange routes by `routing_key`", True
        if step.size is not None:
            yield (*at, "size"), f"'{step.topic}' is no topic; bytes are the `message_size` of its broker", True
        return
    for word, instead in TO_QUEUES.items():
        if word in step.model_fields_set:
            yield (*at, word), f"'{step.topic}' is a topic, which does not know '{word}': {instead}", True
