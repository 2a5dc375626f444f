"""A queue broker: exchanges route what is published into queues, which push it to their consumers, as RabbitMQ does
(AMQP 0-9-1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.errors import nearest
from sim.spec.base import Between, Duration, Flag, Leaves, Many, Rate, Size, Spec, register
from sim.spec.broker import MessageBroker
from sim.spec.distribution import AnyDistribution, Constant, Distribution
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.units import shown
from sim.vocabulary import EventKind, MessageEnd, Outcome, Stage

DELIVERY_LIMIT = 20  # of quorum queues since RabbitMQ 4.0 (deps/rabbit/src/rabbit_quorum_queue.erl)
QUORUM_PREFETCH = 2000  # the most that a quorum queue hands to one consumer unacknowledged
QUORUM_COMMIT = Constant.model_validate(
    {"value": "1ms"}
)  # one hop to a follower in the same zone and an append to its log take 0.5 to 2 ms
QUORUM_PRIORITIES, QUORUM_PRIORITY = 32, 4  # levels, and that of a message without one (rabbit_fifo_pq.erl)
QUORUM_GROUP = 3  # members of a quorum queue (rabbit.quorum_cluster_size)
NO_LIMIT = -1
DEFAULT_EXCHANGE = ""  # every broker has it: its routing keys are the names of the queues


class Binding(Spec):
    """From an exchange to one queue, by a routing key, a pattern of one, or headers."""

    positional = "queue"
    queue: str
    """The queue that gets what matches."""
    key: str = ""
    """The routing key; under a topic exchange a pattern, in which `*` is one word and `#` any number of them."""
    headers: dict[str, str] = Field(default_factory=dict)
    """What the headers of a message must say, under a headers exchange."""
    match: Literal["all", "any"] = "all"
    """Whether all of the headers must say so, or any of them (x-match)."""


def _bindings(value: object) -> object:
    """`{order.created: payments, "order.#": [audit, mail]}` as a list of bindings: a queue, or several,
    for each key.
    """
    if not isinstance(value, Mapping):
        return value
    return [
        {"queue": queue, "key": key}
        for key, queues in value.items()
        for queue in (queues if isinstance(queues, (list, tuple)) else [queues])
    ]


_NAMES: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_BINDING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "queue": {"type": "string"},
        "key": {"type": "string"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "match": {"enum": ["all", "any"]},
    },
    "required": ["queue"],
    "additionalProperties": False,
}
_BINDINGS = WithJsonSchema(
    {
        "anyOf": [
            {"type": "object", "additionalProperties": _NAMES},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, _BINDING]}},
        ]
    }
)


class Exchange(Spec):
    """Where messages are published to. It keeps nothing: what no binding matches is dropped, or returned to who says
    `mandatory`.
    """

    type: Literal["direct", "topic", "fanout", "headers"] = "direct"
    """How it matches: the routing key (`direct`), a pattern of it (`topic`), nothing at all (`fanout`),
    or `headers`.
    """
    bindings: Annotated[tuple[Binding, ...], BeforeValidator(_bindings), _BINDINGS] = ()
    """Its queues: `{order.created: payments}` by routing key or pattern, `[a, b]` for a fanout, or a list of maps."""

    def routes(self, key: str, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The queues that get a message, each once, in the order of the bindings."""
        return tuple(dict.fromkeys(binding.queue for binding in self.bindings if self._matches(binding, key, headers)))

    def _matches(self, binding: Binding, key: str, headers: Mapping[str, str]) -> bool:
        if self.type == "fanout":
            return True
        if self.type == "headers":
            said = [headers.get(name) == wanted for name, wanted in binding.headers.items()]
            return all(said) if binding.match == "all" else any(said)
        return topic_matches(binding.key, key) if self.type == "topic" else binding.key == key


def topic_matches(pattern: str, key: str) -> bool:
    """Whether a routing key matches a pattern, word by word between dots: `*` is one word, `#` none or more (AMQP
    0-9-1, 3.1.3.3).
    """
    return _words_match(pattern.split("."), key.split(".") if key else [])


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern or pattern == [""]:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _words_match(pattern[1:], words[1:])


class DeadLetter(Spec):
    """Where a queue republishes what it gives up: rejected, expired, over its length, or over its delivery limit."""

    positional = "exchange"
    exchange: str = DEFAULT_EXCHANGE
    """The exchange; without a word the default one, whose routing keys are names of queues (x-dead-letter-exchange)."""
    routing_key: str | None = None
    """The routing key, in the place of the message's own (x-dead-letter-routing-key)."""


class MessageQueue(Spec):
    """One queue. What it hands out unacknowledged comes back when the consumer dies; at its head it gives up what has
    expired.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.ERROR,),
        events=(EventKind.CONSUMER_TIMED_OUT,),
        stages=(Stage.LAG, Stage.RETRY_TOPIC),
        ends=(
            MessageEnd.PROCESSED,
            MessageEnd.DEAD_LETTERED,
            MessageEnd.EXPIRED,
            MessageEnd.DROPPED,
            MessageEnd.LOST,
            MessageEnd.QUEUED,
        ),
        series=("lag", "ready", "unacked", "delivered", "redelivered", "process", "busy", "workers", "given up"),
    )
    type: Literal["classic", "quorum"] = "classic"
    """`classic`: on one node. `quorum`: on a majority of replicas before anybody hears of it, with a delivery limit."""
    commit: AnyDistribution | None = None
    """Until it is confirmed: a majority of a quorum queue has it (1 ms), or the disk of a classic queue (at once)."""
    max_length: Annotated[int, Between(0, 2**31 - 1)] | None = None
    """How many may wait in it, those handed out not counted (x-max-length)."""
    max_length_bytes: Annotated[Size, Field(ge=0)] | None = None
    """How many bytes may wait in it, each message of the broker's `message_size` (x-max-length-bytes)."""
    max_priority: Annotated[int, Between(1, 255)] | None = None
    """Of a classic queue: up to which priority it tells messages apart (x-max-priority); higher ones count as this,
    those without as 0, and without the word all are alike. A quorum queue knows 0 to 31, and takes those without for 4
    (RabbitMQ 4.3).
    """
    overflow: Literal["drop-head", "reject-publish", "reject-publish-dlx"] = "drop-head"
    """What gives way over its length: the oldest, or the new one, which its publisher hears of (x-overflow)."""
    message_ttl: Duration | None = None
    """How long a message may wait in it (x-message-ttl)."""
    dead_letter: DeadLetter | None = None
    """Where what it gives up goes; without it, nowhere."""
    delivery_limit: Annotated[int, Between(NO_LIMIT, 2**31 - 1)] | None = None
    """How often a delivery may fail: 20 on a quorum queue, -1 is without end; a classic queue has none
    (x-delivery-limit).
    """
    single_active_consumer: Flag = False
    """Whether only one consumer gets messages, and the next only when that one is gone."""
    consumer_timeout: Duration = 1800.0
    """How long a quorum queue waits for an acknowledgement before it closes the consumer's channel."""
    quorum_initial_group_size: Annotated[int, Between(1, 1000)] | None = None
    """On how many nodes of the broker a quorum queue is: 3, or all where there are fewer (x-quorum-initial-group-size,
    quorum_cluster_size).
    """

    def members(self, first: int, nodes: int) -> tuple[int, ...]:
        """The nodes that have it, when the first of them leads it: a classic queue is on that one alone."""
        wanted = self.quorum_initial_group_size if self.quorum_initial_group_size is not None else QUORUM_GROUP
        size = min(wanted, nodes) if self.type == "quorum" else 1
        return tuple((first + place) % nodes for place in range(size))

    def most_waiting(self, message_size: float) -> int | None:
        """How many messages may wait, by number and by bytes (`message_size` of each); None: without end."""
        by_bytes = None if self.max_length_bytes is None else int(self.max_length_bytes // message_size)
        return min((most for most in (self.max_length, by_bytes) if most is not None), default=None)

    @property
    def highest_priority(self) -> int | None:
        """Up to which it tells messages apart; None: it does not."""
        return QUORUM_PRIORITIES - 1 if self.type == "quorum" else self.max_priority

    @property
    def usual_priority(self) -> int:
        """Of a message that says none (rabbit_fifo.erl; for classic queues the documentation, "Priority Support")."""
        return QUORUM_PRIORITY if self.type == "quorum" else 0

    @property
    def commit_time(self) -> Distribution | None:
        """Time until a message is confirmed; None: at once."""
        return self.commit if self.commit is not None or self.type == "classic" else QUORUM_COMMIT

    @property
    def failures_allowed(self) -> int | None:
        """How many deliveries may fail, and the next failure gives the message up; None: without end."""
        limit = (
            self.delivery_limit
            if self.delivery_limit is not None
            else DELIVERY_LIMIT
            if self.type == "quorum"
            else NO_LIMIT
        )
        return None if limit == NO_LIMIT else limit

    @model_validator(mode="after")
    def _as_its_type_has_it(self) -> Self:
        if self.type == "classic" and self.delivery_limit not in (None, NO_LIMIT):
            raise ValueError(
                "found a delivery_limit on a classic queue, which counts no deliveries; expected type: quorum"
            )
        if self.type == "quorum" and self.overflow == "reject-publish-dlx":
            raise ValueError(
                "found overflow: reject-publish-dlx on a quorum queue, which does not know it; expected "
                "reject-publish, or type: classic"
            )
        if self.overflow != "drop-head" and self.max_length is None and self.max_length_bytes is None:
            raise ValueError(
                f"found overflow: {self.overflow} without a max_length, expected both: a queue without limit never "
                "overflows"
            )
        if self.type == "classic" and self.quorum_initial_group_size is not None:
            raise ValueError(
                "found a quorum_initial_group_size on a classic queue, which is on one node; expected type: quorum"
            )
        if self.type == "quorum" and self.max_priority is not None:
            raise ValueError(
                "found a max_priority on a quorum queue, which always knows 0 to 31; expected type: classic"
            )
        return self


class QueueNodes(Spec):
    """The nodes of a queue broker, each of which can be lost. A classic queue is on one of them; a quorum queue has a
    leader on one and followers on others, and needs a majority of them to take anything in or hand anything out.

    Replica i of a service is connected to node i modulo their number, and to the next one that is up when that is lost.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.LEADER_LOST, EventKind.LEADER_ELECTED), series=("offline",), ends=(MessageEnd.LOST,)
    )
    positional = "count"
    count: Annotated[int, Between(1, 1000)] = 3
    """How many nodes there are; three are the fewest of which one can be lost (rabbitmq.com/docs/quorum-queues)."""
    queue_leader_locator: Literal["client-local", "balanced"] = "client-local"
    """`client-local`: all queues are led by node 0, to which the client is connected that declares them; `balanced`:
    they are dealt out over the nodes in their order (queue_leader_locator).
    """
    detection: Duration = 0.0
    """Until the others know that a node is lost: at once when its process dies and closes its connections; of one that
    is not heard of any more, about a second (aten's poll_interval) and at most net_ticktime, 60 s. A member that is
    back earlier stands for election at once.
    """
    election: Duration = 0.267
    """From then on until a quorum queue has another leader. Each follower stands for election after 100 ms and up to
    500 ms more (ra_server_proc.erl, `short`): the first of two after 267 ms in the mean.
    """

    catch_up: Annotated[Rate, Field(gt=0)] | None = None
    """Messages of each quorum queue that a node which is back takes in a second, of those that came meanwhile: a member
    that lacks some is in no majority but that of an election, and does not lead. Without it it has all at once;
    RabbitMQ says no figure.
    """

    partition_handling: Literal["ignore", "pause_minority"] = "ignore"
    """What nodes do that do not hear the others (`broker_split`): `ignore` goes on with what each side has;
    `pause_minority` stops those that are not more than half, and their clients come back by others
    (cluster_partition_handling, rabbitmq.com/docs/partitions).
    """
    net_ticktime: Duration = 60.0
    """Until a node that is not heard counts as down, and a minority pauses (net_ticktime)."""

    def led_by(self, place: int) -> int:
        """The node that leads the queue that is declared at this place."""
        return place % self.count if self.queue_leader_locator == "balanced" else 0


@register("broker", "queue")
class QueueBroker(MessageBroker):
    """A RabbitMQ-like broker (4.3): what is acknowledged is gone. A channel is not in confirm mode unless a publication
    says `confirm`.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(EventKind.PUBLISHERS_BLOCKED, EventKind.PUBLISHERS_RELEASED),
        series=("blocked", "unroutable"),
    )
    system = "rabbitmq"
    kind: Literal["queue"]
    """`queue`: it routes what is published into queues and pushes it to consumers, as RabbitMQ does."""
    exchanges: dict[str, Exchange] = Field(default_factory=dict)
    """Where to publish, by name; without any, straight to a queue (the default exchange)."""
    queues: dict[str, MessageQueue] = Field(min_length=1)
    """What can be consumed, by name."""
    work: AnyDistribution | None = None
    """The broker's own work for one message in one queue, whose process takes one after the other; without it none."""
    message_size: Size = 1024.0
    """Bytes of one message on disk, for the disk alarm."""
    disk: Size | None = None
    """Room for messages; without it there is no end of it."""
    disk_free_limit: Size = 50e6
    """With less room left than this all publishers are blocked until there is more again (disk_free_limit)."""
    recovery_interval: Annotated[Duration, Field(gt=0)] = 5.0
    """Time between two tries of a consumer to come back to the broker (5 s in Spring and in the Java client)."""
    nodes: QueueNodes | None = None
    """Its nodes, each of which can be lost; without it the broker is up or down as a whole."""

    def members(self, queue: str) -> tuple[int, ...]:
        """The nodes that have a queue, of which the first leads it at the beginning; without nodes none."""
        if self.nodes is None:
            return ()
        return self.queues[queue].members(self.nodes.led_by(list(self.queues).index(queue)), self.nodes.count)

    @property
    def destinations(self) -> tuple[str, ...]:
        """Exchanges, and queues through the default exchange."""
        return (*self.exchanges, *self.queues)

    @property
    def sources(self) -> tuple[str, ...]:
        """Queues."""
        return tuple(self.queues)

    @property
    def publisher_policy(self) -> CallPolicy:
        """None: a client library of RabbitMQ publishes once."""
        return NO_POLICY

    def routes(self, destination: str, key: str, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The queues that get what is published to an exchange, or to a queue by its name; none where there is no such
        queue.
        """
        if destination in self.exchanges:
            return self.exchanges[destination].routes(key, headers)
        name = destination or key
        return (name,) if name in self.queues else ()

    def given_up(self, queue: str, key: str, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The queues that get what a queue gives up."""
        dead = self.queues[queue].dead_letter
        if dead is None:
            return ()
        return self.routes(dead.exchange, dead.routing_key if dead.routing_key is not None else key, headers)

    def reached(self, destination: str) -> tuple[str, ...]:
        """All queues that some message of this destination may come to, at once or given up by another queue."""
        found: dict[str, None] = {}
        waiting = list(self._bound(destination))
        while waiting:
            queue = waiting.pop(0)
            if queue in found:
                continue
            found[queue] = None
            dead = self.queues[queue].dead_letter if queue in self.queues else None
            if dead is not None:
                waiting += (
                    [dead.routing_key]
                    if dead.exchange == DEFAULT_EXCHANGE and dead.routing_key
                    else self._bound(dead.exchange)
                )
        return tuple(queue for queue in found if queue in self.queues)

    def _bound(self, destination: str) -> Iterator[str]:
        if destination in self.exchanges:
            yield from (binding.queue for binding in self.exchanges[destination].bindings)
        elif destination:
            yield destination


class ConfirmBatch(Spec):
    """Confirms are waited for once in so many messages of a replica."""

    positional = "batch"
    batch: Many = 100
    """After how many messages the publisher waits until all of them are confirmed."""


def _confirm(value: object) -> object:
    """`none` and `each` as batches: of nothing, and of one."""
    if isinstance(value, str) and value not in ("none", "each"):
        near = nearest(value, ("none", "each"))
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"found {shown(value)}, expected none, each, or a batch such as {{batch: 100}}{hint}")
    return {"batch": 1} if value == "each" else None if value == "none" else value


_CONFIRM = WithJsonSchema(
    {
        "anyOf": [
            {"enum": ["none", "each", None]},
            {
                "type": "object",
                "properties": {"batch": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}},
                "additionalProperties": False,
            },
        ]
    }
)
Confirm = Annotated[ConfirmBatch | None, BeforeValidator(_confirm), _CONFIRM]
"""What a publisher waits for: nothing, the confirm of each message, or those of a batch."""
