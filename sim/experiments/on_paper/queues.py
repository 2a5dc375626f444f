"""Queues on paper: where messages come to rest, how often they are delivered, and the warnings that a queue broker
calls for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sim.spec.queue_broker import QUORUM_PREFETCH, MessageQueue, QueueBroker
from sim.spec.service import Consume

if TYPE_CHECKING:
    from sim.spec.scenario import Scenario

FOR_EVER = 1000.0  # deliveries of a message that fails each time and is put back without end


def members_of(scenario: Scenario, queue: str) -> int:
    """Its consumers, in all replicas of all services."""
    return sum(
        service.replicas * service.consumes[queue].consumers
        for service in scenario.services.values()
        if queue in service.consumes
    )


def at_rest(
    scenario: Scenario, broker: QueueBroker, queues: Sequence[str], key: str, headers: Mapping[str, str]
) -> Iterator[str]:
    """The queues that hand a message on to somebody, or in which it stays: what nobody consumes gives it up sooner or
    later.
    """
    consumed = {source for service in scenario.services.values() for source in service.consumes}
    seen: set[str] = set()
    waiting = [(queue, key) for queue in queues]
    while waiting:
        queue, under = waiting.pop(0)
        dead = broker.queues[queue].dead_letter
        if queue in seen:
            continue
        seen.add(queue)
        if queue in consumed or dead is None:
            yield queue
        else:
            next_key = dead.routing_key if dead.routing_key is not None else under
            waiting += [(other, next_key) for other in broker.given_up(queue, under, headers)]


def given_up_to(scenario: Scenario, queue: str) -> Iterator[str]:
    """Where what its consumers reject comes to rest. Under which key it came is taken for any by which the queue is
    bound.
    """
    for broker in scenario.brokers.values():
        if isinstance(broker, QueueBroker) and queue in broker.queues:
            bound = [
                binding.key
                for exchange in broker.exchanges.values()
                for binding in exchange.bindings
                if binding.queue == queue
            ]
            for key in bound or [queue]:
                there = list(at_rest(scenario, broker, broker.given_up(queue, key, {}), key, {}))
                if there:
                    yield from there
                    return


class Failing(NamedTuple):
    """How deliveries of messages fail."""

    share: float  # of first deliveries
    poison: float  # of messages, which fail at every delivery; they are among those

    def tries(self, most: float) -> tuple[float, float]:
        """How often a message is delivered on average, at most so often, and the share that fails each time."""
        if self.share <= 0.0:
            return 1.0, 0.0
        luck = 1.0 - (1.0 - self.share) / (1.0 - self.poison) if self.poison < 1.0 else 0.0
        lucky = (1.0 - luck**most) / (1.0 - luck) if luck < 1.0 else most
        return (1.0 - self.poison) * lucky + self.poison * most, (1.0 - self.poison) * luck**most + self.poison


def deliveries(queue: MessageQueue, consume: Consume, failing: Failing) -> tuple[float, float]:
    """How often a message is delivered on average, and the share that is given up."""
    if consume.ack == "automatic":
        return 1.0, 0.0
    if consume.on_failure == "reject":
        return 1.0, failing.share
    most = queue.failures_allowed if consume.on_failure == "requeue" else None
    if most is None:
        return failing.tries(FOR_EVER)[0], 0.0
    return failing.tries(most + 1)


def prefetch_of(queue: MessageQueue, consume: Consume) -> float:
    """How many messages one consumer may have unacknowledged; inf: any number."""
    most = math.inf if consume.ack == "automatic" or consume.prefetch <= 0 else float(consume.prefetch)
    return min(most, QUORUM_PREFETCH) if queue.type == "quorum" else most
