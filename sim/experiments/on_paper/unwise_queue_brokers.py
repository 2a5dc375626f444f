"""Warnings about queue brokers: prefetch against round trips, publishers who never hear, messages that go round or get
lost.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.flow import members
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.queues import Failing, deliveries, prefetch_of
from sim.spec.broker_fault import BrokerDown, BrokerSplit
from sim.spec.distribution import Constant
from sim.spec.queue_broker import MessageQueue, QueueBroker
from sim.spec.service import Consume
from sim.spec.sites import broker_of
from sim.spec.step import Publish
from sim.spec.walk import visits
from sim.units import show_duration, show_rate, show_share

IDLE = 0.95  # a consumer that can be busy for less than this share of its time waits for the wire
FEWEST_MEMBERS = 3  # of a quorum queue that can miss one
MOST_PREFETCH = 65_535  # basic.qos of AMQP 0-9-1 has 16 bits for it
ONE_PROCESS = (
    20_000.0  # 1/s; what one queue of RabbitMQ takes in and hands out depends on its node; some tens of thousands
)


class Use(NamedTuple):
    """A service that consumes a queue."""

    place: str
    service: str
    name: str  # of the queue
    queue: MessageQueue
    consume: Consume


def uses(view: View) -> Iterator[Use]:
    """All of them."""
    for service, spec in view.scenario.services.items():
        for name, consume in spec.consumes.items():
            if name in view.flow.queues:
                yield Use(f"{service} <- {name}", service, name, view.flow.queues[name], consume)


def starved_consumers(view: View) -> Iterator[Finding]:
    """Consumers whose prefetch is less than what passes in a round trip: utilisation is min(1, p s / (RTT + s))."""
    for use in uses(view):
        times = deliveries(use.queue, use.consume, _failed(view, use))[0]
        prefetch, held = prefetch_of(use.queue, use.consume), view.flow.consumers[use.service, use.name].hold / times
        broker = view.flow.topics[use.name][0]
        trip = 2.0 * view.flow.latency(broker, use.service)
        if held <= 0.0 or prefetch * held >= IDLE * (trip + held):
            continue
        count = members(view.scenario.services[use.service], use.consume)
        most = count * prefetch / (trip + held) / times
        finding = (
            f"prefetch {prefetch:.0f} against a round trip of {show_duration(trip)} and {show_duration(held)} of work"
        )
        why = (
            f"a consumer can be busy for {show_share(prefetch * held / (trip + held))} of its time: together they "
            f"handle {show_rate(most)} at most"
        )
        yield Finding(use.place, finding, f"{why}; {_hiding(trip, held)} hides the round trip")


def _hiding(trip: float, held: float) -> str:
    """The prefetch that keeps a consumer busy."""
    needed = 1.0 + trip / held
    return f"prefetch {math.ceil(needed)}" if needed <= MOST_PREFETCH else "no prefetch but 0 (unlimited)"


def unlimited_prefetch(view: View) -> Iterator[Finding]:
    """Consumers that are handed whatever comes."""
    for use in uses(view):
        count = members(view.scenario.services[use.service], use.consume)
        if count > 1 and use.consume.ack == "manual" and use.consume.prefetch <= 0:
            why = (
                "messages are dealt out round robin and wait behind slow ones while others are idle; when one dies, "
                "all that it had comes back at once"
            )
            yield Finding(use.place, f"{count} consumers with unlimited prefetch", why)


def unheard_publishers(view: View) -> Iterator[Finding]:
    """Publications without confirms to a broker that may lose or refuse them."""
    lost = {(fault.broker, fault.node) for fault in _down(view)}
    for visit in visits(view.scenario):
        step = visit.step
        name = broker_of(view.scenario, step.topic) if isinstance(step, Publish) and step.via == "broker" else None
        broker = view.scenario.brokers[name] if name is not None else None
        if not isinstance(step, Publish) or not isinstance(broker, QueueBroker) or step.confirm is not None:
            continue
        routed = broker.routes(step.topic, step.routing_key, step.headers)
        if not routed:
            yield Finding(
                visit.owner,
                f"'{step.topic}' has no queue for routing key '{step.routing_key}'",
                "what it publishes there is dropped",
            )
            continue
        what = _unheard(broker, str(name), routed, lost)
        if what:
            why = (
                f"what {what} is lost silently; `confirm: each` or `{{batch: 100}}` tells the publisher, and an outbox"
                f" keeps it"
            )
            yield Finding(visit.owner, f"publishes to {step.topic} without confirms", why)


def _unheard(broker: QueueBroker, name: str, routed: Collection[str], lost: set[tuple[str, int | None]]) -> str:
    """Which messages for these queues are lost; nothing where none are."""
    if (name, None) in lost:
        return f"is lost while {name} is down"
    refusing = next((queue for queue in routed if broker.queues[queue].overflow != "drop-head"), None)
    if refusing is not None:
        return f"is refused when {refusing} is full"
    led = {broker.members(queue)[0] for queue in routed if broker.nodes is not None}
    return next((f"is on its way when node {node} of {name} goes down" for node in led if (name, node) in lost), "")


def _down(view: View) -> Iterator[BrokerDown]:
    """Brokers and nodes of them that are lost, also by chance."""
    faults = (fault.inner or fault for fault in view.scenario.faults)
    return (fault for fault in faults if isinstance(fault, BrokerDown))


def queues_that_a_node_takes_along(view: View) -> Iterator[Finding]:
    """Quorum queues without a majority when a node is lost or nodes are split, classic queues whose node is lost."""
    for name, broker in view.scenario.brokers.items():
        if not isinstance(broker, QueueBroker) or broker.nodes is None:
            continue
        lost = {fault.node for fault in _down(view) if fault.broker == name and fault.node is not None}
        for queue, spec in broker.queues.items():
            members = broker.members(queue)
            if spec.type == "quorum" and len(members) < FEWEST_MEMBERS:
                why = "the others are no majority when one of them is lost: it waits until that is back; take three"
                yield Finding(f"queue {queue}", f"a quorum queue on {_nodes(len(members))}", why)
            elif spec.type == "quorum" and any(_halves(members, split) for split in _splits(view, name)):
                why = "no side of the split has a majority of them: it waits until that is over; take an odd number"
                yield Finding(f"queue {queue}", f"a quorum queue on {_nodes(len(members))}", why)
            elif spec.type == "classic" and members[0] in lost:
                why = (
                    "while that is lost nobody can use it, and what is published to it is gone; a quorum queue goes on"
                )
                yield Finding(f"queue {queue}", f"a classic queue on node {members[0]} of {name} alone", why)


def _splits(view: View, broker: str) -> Iterator[BrokerSplit]:
    faults = (fault.inner or fault for fault in view.scenario.faults)
    return (fault for fault in faults if isinstance(fault, BrokerSplit) and fault.broker == broker)


def _halves(members: tuple[int, ...], split: BrokerSplit) -> bool:
    """Whether a split leaves no more than half of the members on either side."""
    return 2 * len(set(members).intersection(split.nodes)) == len(members)


def _nodes(count: int) -> str:
    return f"{count} node{'s' if count != 1 else ''}"


def endless_deliveries(view: View) -> Iterator[Finding]:
    """Failing messages that are put back without end, and those that are given up to nobody."""
    for use in uses(view):
        failed = _failed(view, use)
        if failed.share <= 0.0 or use.consume.ack == "automatic":
            continue
        if not _gives_up(use):
            why = (
                "one that always fails is delivered for ever; a quorum queue has a `delivery_limit` for `requeue`, "
                "`reject` gives it up at once"
            )
            yield Finding(
                use.place, f"{show_share(failed.share)} of its messages fail and are put back without a limit", why
            )
        elif use.queue.dead_letter is None and deliveries(use.queue, use.consume, failed)[1] > 0.0:
            yield Finding(
                use.place,
                f"{use.name} gives messages up and has no `dead_letter`",
                "they are dropped, and nobody hears of them",
            )


def dead_letter_circles(view: View) -> Iterator[Finding]:
    """What consumers give up, and have again as a dead letter in the same instant."""
    giving_up = {use.name for use in uses(view) if _failed(view, use).share > 0.0 and _gives_up(use)}
    told = set()
    for visit in visits(view.scenario):
        step = visit.step
        name = broker_of(view.scenario, step.topic) if isinstance(step, Publish) else None
        broker = view.scenario.brokers[name] if name is not None else None
        if not isinstance(step, Publish) or not isinstance(broker, QueueBroker):
            continue
        for queue in broker.routes(step.topic, step.routing_key, step.headers):
            if queue in giving_up and queue not in told and _comes_back(broker, queue, step, giving_up):
                told.add(queue)
                why = (
                    "one that always fails goes round for ever, and where dead letters reach several queues there are "
                    "ever more of it; let them wait in a queue with a `message_ttl`, or end where nobody rejects them"
                )
                yield Finding(f"queue {queue}", "what its consumers give up comes back to it at once", why)


def _gives_up(use: Use) -> bool:
    """Whether a message that fails is not put back for ever."""
    counts = use.consume.on_failure == "requeue" and use.queue.failures_allowed is not None
    return use.consume.ack == "manual" and (use.consume.on_failure == "reject" or counts)


def _comes_back(broker: QueueBroker, queue: str, step: Publish, giving_up: set[str]) -> bool:
    """Whether dead letters of a queue reach it again with no wait on their way; they keep key and headers."""
    reached: set[str] = set()
    ahead = [(queue, step.routing_key or step.topic)]
    while ahead:
        here, key = ahead.pop()
        dead = broker.queues[here].dead_letter
        following = dead.routing_key if dead is not None and dead.routing_key is not None else key
        for other in broker.given_up(here, key, step.headers):
            if other == queue:
                return True
            if other not in reached and (other in giving_up or broker.queues[other].message_ttl == 0.0):
                reached.add(other)
                ahead.append((other, following))
    return False


def _failed(view: View, use: Use) -> Failing:
    """How its deliveries fail."""
    return view.flow.failing.get((use.service, use.name), Failing(0.0, 0.0))


def short_behind_long(view: View) -> Iterator[Finding]:
    """Messages of different expirations in a queue that nobody consumes."""
    consumed = {source for service in view.scenario.services.values() for source in service.consumes}
    for visit in visits(view.scenario):
        step = visit.step
        name = broker_of(view.scenario, step.topic) if isinstance(step, Publish) else None
        broker = view.scenario.brokers[name] if name is not None else None
        if (
            isinstance(step, Publish)
            and isinstance(broker, QueueBroker)
            and step.expiration is not None
            and not isinstance(step.expiration, Constant)
        ):
            for queue in broker.routes(step.topic, step.routing_key, step.headers):
                if queue not in consumed:
                    why = (
                        "a queue looks at its head alone: a short wait lasts as long as the long one before it; use a"
                        " queue for each delay"
                    )
                    yield Finding(visit.owner, f"waits of different lengths in one queue, {queue}", why)


def one_process(view: View) -> Iterator[Finding]:
    """Rates at which the one process of a queue would be the bottleneck, where its work is not said."""
    for name, rate in view.analysis.rates_peak.topics.items():
        broker = view.scenario.brokers.get(view.flow.topics[name][0]) if name in view.flow.queues else None
        if isinstance(broker, QueueBroker) and broker.work is None and rate > ONE_PROCESS:
            why = (
                "a queue is one process; say what one message costs it, such as `work: 20us`, or spread the load over"
                " several queues"
            )
            yield Finding(
                f"queue {name}", f"takes {show_rate(rate)} at the peak, and no `work` of the broker is said", why
            )


RULES = (
    starved_consumers,
    unlimited_prefetch,
    unheard_publishers,
    queues_that_a_node_takes_along,
    endless_deliveries,
    dead_letter_circles,
    short_behind_long,
    one_process,
)
