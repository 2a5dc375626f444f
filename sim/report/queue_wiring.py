"""What the drawing of a system says of consumers and of a queue broker: its queues, how messages come into them, and
where they go from there.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.report.words import lasting
from sim.spec.actions import Publishes
from sim.spec.queue_broker import MessageQueue, QueueBroker
from sim.spec.scenario import Scenario
from sim.spec.service import Consume
from sim.spec.sites import broker_of
from sim.units import show_size


def queue_lines(broker: str, queue: MessageQueue) -> tuple[str, ...]:
    """What to know of a queue, most important first."""
    lines = (
        f"{queue.type} queue of {broker}",
        f"at most {queue.max_length:,}, {queue.overflow}" if queue.max_length is not None else "",
        f"at most {show_size(queue.max_length_bytes)}, {queue.overflow}" if queue.max_length_bytes is not None else "",
        f"priorities to {queue.max_priority}" if queue.max_priority is not None else "",
        f"TTL {lasting(queue.message_ttl)}" if queue.message_ttl is not None else "",
        "one active consumer" if queue.single_active_consumer else "",
    )
    return tuple(line for line in lines if line)


def consumer_badges(consume: Consume) -> tuple[str, ...]:
    """How a service takes messages from a queue."""
    badges = (
        "automatic ack"
        if consume.ack == "automatic"
        else f"prefetch {consume.prefetch}"
        if consume.prefetch > 0
        else "prefetch unlimited",
        f"{consume.consumers} consumers each" if consume.consumers > 1 else "",
        f"priority {consume.priority}" if consume.priority else "",
    )
    return tuple(badge for badge in badges if badge)


def membership_badges(consume: Consume) -> tuple[str, ...]:
    """How a consumer group rebalances, where it says so."""
    if consume.membership is None:
        return ()
    return (f"{consume.membership.protocol}{', static' if consume.membership.static else ''}",)


def published(scenario: Scenario, action: Publishes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every box that a publication comes to, with what stands at its arrow: a topic, or the queues that its exchange
    chooses.
    """
    broker = scenario.brokers.get(broker_of(scenario, action.topic) or "")
    if not isinstance(broker, QueueBroker):
        yield action.topic, ()
        return
    exchange = broker.exchanges.get(action.topic)
    under = f" {action.routing_key}" if action.routing_key else ""
    badges = (
        *((f"{exchange.type} {action.topic}{under}",) if exchange is not None else ()),
        *(("confirmed",) if action.confirmed else ()),
    )
    for queue in broker.routes(action.topic, action.routing_key, dict(action.headers)):
        yield queue, badges


def dead_letters(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """From a queue to those that get what it gives up, and what stands at the arrow."""
    for broker in scenario.brokers.values():
        if not isinstance(broker, QueueBroker):
            continue
        for name in broker.queues:
            bound = {
                binding.key
                for exchange in broker.exchanges.values()
                for binding in exchange.bindings
                if binding.queue == name
            }
            keys = sorted(bound) or [name]
            targets = dict.fromkeys(other for key in keys for other in broker.given_up(name, key, {}))
            for target in targets:
                yield name, target, "dead letters"
