"""Queue brokers, their queues, consumers and publishers, as rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compiled import letters
from sim.compiled.base import MESSAGE_ENDS
from sim.compiled.draw_rows import row_of
from sim.compiled.program import Unsupported
from sim.compiled.queues import CAUSES, CREDIT
from sim.compiled.rows import queues as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, fractions, whole_numbers
from sim.models.queues.exchange import Sender

if TYPE_CHECKING:
    from sim.compiled.program import Assembler
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.places import Places
    from sim.models.queues.channel import QueueConsumer
    from sim.models.queues.queue import Queue
    from sim.models.queues.queue_broker import QueueBroker

MOST_SPREAD = 16  # for which there is room at once; a table has so many times the rows that are in use
MOST_GIVING_UP = 62  # queues of a broker with dead letters: bits of a whole number that is never negative
ON_FAILURE = {
    "requeue": int(letters.FAILED),
    "nack_requeue": int(letters.REQUEUED),
    "reject": int(letters.REJECTED),
}
Untyped = Any  # numbers


class SenderTables:
    """Who publishes, and where what a queue gives up goes: routes are known beforehand."""

    def __init__(self, places: Places):
        self.places = places
        self.senders, self.dead_routes = Found(rows.Sender), Found(rows.DeadRoute)
        self.routes: list[int] = []
        self.batches = 0  # lines in `batch_waits`, of a number for each replica
        self.largest_route = 1  # queues that one publication may come to
        self._addresses: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
        self._place_of: dict[Sender, int] = {}

    def sender(self, sender: Sender, *, batched: bool = False) -> int:
        """One place that publishes."""
        if sender not in self._place_of:
            self._place_of[sender] = self._add(sender, batched)
        return self._place_of[sender]

    def _add(self, sender: Sender, batched: bool) -> int:
        batch = self.batches * len(self.places.replicas) if batched else NOBODY
        self.batches += batched
        broker: Any = sender.exchange.broker
        return self.senders.add(
            broker=self.places.queue_broker_at[broker],
            **self._route(sender.queues),
            address=self._address(sender.key, sender.headers),
            site=sender.site,
            where=sender.exchange.where,
            expiration=row_of(sender.expiration) if sender.expiration is not None else NOBODY,
            batch=batch,
            mandatory=sender.mandatory,
            priority=sender.priority if sender.priority is not None else NOBODY,
        )

    def _route(self, queues: list[Queue]) -> dict[str, int]:
        first = len(self.routes)
        self.routes += [self.places.queue_at[queue] for queue in queues]
        self.largest_route = max(self.largest_route, len(queues))
        return {"first": first, "count": len(queues)}

    def _address(self, key: str, headers: Mapping[str, str]) -> int:
        return self._addresses.setdefault((key, tuple(headers.items())), len(self._addresses))

    def find_dead_routes(self) -> dict[Queue, int]:
        """Where what each queue gives up goes: the line of its rows, one for each address; all senders are known."""
        giving_up = [queue for queue in self.places.queue_at if queue.spec.dead_letter is not None]
        found: dict[tuple[Queue, int], int] = {}
        known = 0
        while known < len(self._addresses):  # what is given up may have another key from then on
            known = len(self._addresses)
            for (key, headers), address in list(self._addresses.items()):
                for queue in giving_up:
                    dead = queue.spec.dead_letter
                    assert dead is not None
                    again = dead.routing_key if dead.routing_key is not None else key
                    found[queue, address] = self._address(again, dict(headers))
        lines = {}
        for queue in giving_up:
            lines[queue] = len(self.dead_routes)
            for (key, headers), address in list(self._addresses.items()):
                broker: Any = queue.broker
                names = broker.spec.given_up(queue.name, key, dict(headers))
                route = self._route([broker.queues[name] for name in names])
                self.dead_routes.add(address=found[queue, address], **route)
        return lines

    @property
    def spread(self) -> int:
        """How many messages may come to be at once where a queue gives one up, which may push another one out."""
        most = max([1, *(route["count"] for route in self.dead_routes.rows)])
        return max(most, min(most * most, MOST_SPREAD))

    def tables(self) -> Filled:
        """As they are for the whole run, and what producers have sent at time 0."""
        yield rows.senders, self.senders.array()
        yield rows.queue_routes, whole_numbers(self.routes)
        yield rows.dead_routes, self.dead_routes.array()
        size = max(1, self.batches * len(self.places.replicas))
        yield rows.batch_waits, np.full(size, NOBODY, np.int64)
        yield rows.batch_sent, np.zeros(size, np.int64)


class QueueTables:
    """The rows of brokers, queues and consumers."""

    def __init__(self, places: Places, calls: CallTables, assembler: Assembler, senders: SenderTables):
        self.places, self.calls, self.assembler, self.senders = places, calls, assembler, senders
        self.brokers, self.queues = Found(rows.QueueBroker), Found(rows.MessageQueue)
        self.rounds, self.channels = Found(rows.Round), Found(rows.Channel)
        self.channel_of: list[int] = []
        self.connected_to: list[int] = []  # nodes
        self.rings = 0  # of queues whose process takes time
        self._programs: dict[int, int] = {}
        self._round_at: dict[tuple[Queue, int], int] = {}
        for broker in places.queue_broker_at:
            self._broker(broker)
        for queue in places.queue_at:
            self._queue(queue)
        for channel in places.channel_at:
            self._channel(channel)
        self._stand_in_line()

    def _broker(self, broker: QueueBroker) -> None:
        if len(_giving_up(broker)) > MOST_GIVING_UP:
            raise Unsupported(f"a queue broker of more than {MOST_GIVING_UP} queues with dead letters")
        spec = broker.spec
        nodes = spec.nodes.count if spec.nodes is not None else 0
        self.brokers.add(
            disk=spec.disk if spec.disk is not None else math.inf,
            disk_free_limit=spec.disk_free_limit,
            message_size=spec.message_size,
            recovery=spec.recovery_interval,
            nodes=nodes,
            first_node=len(self.connected_to),
            subject=self.places.subject(broker.name),
            about_disk=self.places.subject("disk"),
            has_disk=spec.disk is not None,
        )
        self.connected_to += range(nodes)

    def _queue(self, queue: Queue) -> None:
        spec, places = queue.spec, self.places
        broker: Any = queue.broker
        timed = queue.process.work is not None
        priorities = sorted({consumer.priority for consumer in self._everyone(queue)}, reverse=True)
        place = self.queues.add(
            ttl=spec.message_ttl if spec.message_ttl is not None else math.inf,
            armed=math.inf,
            patience=spec.consumer_timeout,
            slow=1.0,
            leader=queue.leader,
            broker=places.queue_broker_at[broker],
            bit=_giving_up(broker).index(queue.name) if spec.dead_letter is not None else MOST_GIVING_UP,
            name=queue.name_index,
            commit=row_of(queue.commit) if queue.commit is not None else NOBODY,
            work=row_of(queue.process.work) if timed else NOBODY,
            ring=self.rings * int(CREDIT) if timed else NOBODY,
            active=places.channel_at[_channel(queue.round.active)] if queue.round.active is not None else NOBODY,
            first_round=len(self.rounds),
            rounds=len(priorities),
            first_channel=len(self.channel_of),
            channels=len(queue.everyone),
            comers=len(queue.round.takers),
            space=places.space(broker.sites),
            most=queue.most if queue.most is not None else NOBODY,
            highest_priority=spec.highest_priority if spec.highest_priority is not None else NOBODY,
            usual_priority=spec.usual_priority,
            ranked=queue.waiting.ranked,
            failures_allowed=spec.failures_allowed if spec.failures_allowed is not None else NOBODY,
            dead=NOBODY,
            hopeful=queue.hopeful,
            consumed=bool(queue.everyone),
            quorum=queue.quorum,
            drops_head=spec.overflow == "drop-head",
            rejects_to_dead=spec.overflow == "reject-publish-dlx",
            single=spec.single_active_consumer,
        )
        assert place == places.queue_at[queue]
        self.rings += timed
        self._consumers(queue, priorities)

    def _consumers(self, queue: Queue, priorities: list[int]) -> None:
        self.channel_of += [self.places.channel_at[consumer] for consumer in self._everyone(queue)]
        for priority in priorities:
            self._round_at[queue, priority] = self.rounds.add()

    def _everyone(self, queue: Queue) -> Iterator[QueueConsumer]:
        return (_channel(taker) for taker in queue.everyone)

    def _channel(self, consumer: QueueConsumer) -> None:
        places, queue = self.places, consumer.queue
        broker: Any = consumer.broker
        self.channels.add(
            held_area=consumer.held_area,
            queue=places.queue_at[queue],
            broker=places.queue_broker_at[broker],
            host=places.host_at[consumer.service],
            replica=places.replica_at[consumer.replica],
            out=self.calls.hop(consumer.out),
            back=self.calls.hop(consumer.back),
            wire=places.wire_at[consumer.wire],
            round=self._round_at[queue, consumer.priority],
            priority=consumer.priority,
            node=consumer.node,
            next_try=consumer.next_try,
            prefetch=consumer.prefetch,
            salt=consumer.salt,
            came=queue.round.takers.index(consumer) + 1 if consumer in queue.round.takers else 0,
            pc=self._program_of(consumer),
            order=NOBODY,
            subject=places.subject(consumer.service.name),
            about=places.subject(queue.name),
            on_failure=ON_FAILURE[consumer.spec.on_failure],
            automatic=consumer.automatic,
            idempotent=consumer.spec.idempotent,
            in_line=consumer.in_line,
            up=consumer.up,
            open=consumer.open,
        )

    def _program_of(self, consumer: QueueConsumer) -> int:
        """Consumers with the same steps have one program."""
        if id(consumer.steps) not in self._programs:
            self._programs[id(consumer.steps)] = self.assembler.queue_consumer(consumer.steps)
        return self._programs[id(consumer.steps)]

    def _stand_in_line(self) -> None:
        """The rounds as they are at time 0, when all have room."""
        for queue in self.places.queue_at:
            for priority, line in queue.round.free.items():
                places = [self.places.channel_at[_channel(taker)] for taker in line]
                for before, after in itertools.pairwise(places):
                    self.channels.rows[before]["next"] = after
                    self.channels.rows[after]["previous"] = before
                if places:
                    self.rounds.rows[self._round_at[queue, priority]] |= {"first": places[0], "last": places[-1]}

    @property
    def most_at_once(self) -> int:
        """Messages that one publication, or the batch of a relay, may bring."""
        return self.senders.largest_route * self.largest_batch

    @property
    def largest_batch(self) -> int:
        """Rows that a relay publishes at once to a queue broker."""
        return max([1, *(outbox.batch for outbox in self.places.outboxes if self.places.is_to_queues(outbox))])

    def tables(self) -> Filled:
        """As they are at time 0."""
        lines = self.senders.find_dead_routes()
        for queue, line in lines.items():
            self.queues.rows[self.places.queue_at[queue]]["dead"] = line
        count = max(1, len(self.queues))
        yield rows.queue_brokers, self.brokers.array()
        yield rows.message_queues, self.queues.array()
        yield rows.queue_ended, np.zeros(count * int(MESSAGE_ENDS), np.int64)
        yield rows.given_up, np.zeros(count * int(CAUSES), np.int64)
        yield rows.finished, fractions([0.0] * (self.rings * int(CREDIT)))
        yield rows.rounds, self.rounds.array()
        yield rows.channels, self.channels.array()
        yield rows.channel_of, whole_numbers(self.channel_of)
        yield rows.connected_to, whole_numbers(self.connected_to)
        yield from self.senders.tables()


def _channel(taker: Untyped) -> QueueConsumer:
    consumer: QueueConsumer = taker
    return consumer


def _giving_up(broker: QueueBroker) -> list[str]:
    """The queues that publish again what they give up: only these can be part of a circle."""
    return [name for name, queue in broker.queues.items() if queue.spec.dead_letter is not None]
