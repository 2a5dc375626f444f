"""Parts of a scenario in Python, as `sim/spec/queue_broker.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def binding(
    *,
    queue: str,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    match: Literal["all", "any"] | None = None,
) -> Part:
    """From an exchange to one queue, by a routing key, a pattern of one, or headers.

    queue: The queue that gets what matches.
    key: The routing key; under a topic exchange a pattern, in which `*` is one word and `#` any number of them.
    headers: What the headers of a message must say, under a headers exchange.
    match: Whether all of the headers must say so, or any of them (x-match).
    """
    return part(locals())


def confirm_batch(*, batch: Mapping[str, Any] | int | str | None = None) -> Part:
    """Confirms are waited for once in so many messages of a replica.

    batch: After how many messages the publisher waits until all of them are confirmed.
    """
    return part(locals())


def dead_letter(*, exchange: str | None = None, routing_key: str | None = None) -> Part:
    """Where a queue republishes what it gives up: rejected, expired, over its length, or over its delivery limit.

    exchange: The exchange; without a word the default one, whose routing keys are names of queues
        (x-dead-letter-exchange).
    routing_key: The routing key, in the place of the message's own (x-dead-letter-routing-key).
    """
    return part(locals())


def exchange(
    *,
    type: Literal["direct", "topic", "fanout", "headers"] | None = None,
    bindings: Mapping[str, Sequence[str] | str] | Sequence[Mapping[str, Any] | str] | None = None,
) -> Part:
    """Where messages are published to. It keeps nothing: what no binding matches is dropped, or returned to who says
    `mandatory`.

    type: How it matches: the routing key (`direct`), a pattern of it (`topic`), nothing at all (`fanout`), or
        `headers`.
    bindings: Its queues: `{order.created: payments}` by routing key or pattern, `[a, b]` for a fanout, or a list of
        maps.
    """
    return part(locals())


def message_queue(
    *,
    type: Literal["classic", "quorum"] | None = None,
    commit: Mapping[str, Any] | str | None = None,
    max_length: Mapping[str, Any] | int | str | None = None,
    max_length_bytes: Mapping[str, Any] | str | None = None,
    max_priority: Mapping[str, Any] | int | str | None = None,
    overflow: Literal["drop-head", "reject-publish", "reject-publish-dlx"] | None = None,
    message_ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    dead_letter: Mapping[str, Any] | str | None = None,
    delivery_limit: Mapping[str, Any] | int | str | None = None,
    single_active_consumer: bool | None = None,
    consumer_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    quorum_initial_group_size: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """One queue. What it hands out unacknowledged comes back when the consumer dies; at its head it gives up what
    has expired.

    type: `classic`: on one node. `quorum`: on a majority of replicas before anybody hears of it, with a delivery
        limit.
    commit: Until it is confirmed: a majority of a quorum queue has it (1 ms), or the disk of a classic queue (at
        once).
    max_length: How many may wait in it, those handed out not counted (x-max-length).
    max_length_bytes: How many bytes may wait in it, each message of the broker's `message_size`
        (x-max-length-bytes).
    max_priority: Of a classic queue: up to which priority it tells messages apart (x-max-priority); higher ones
        count as this, those without as 0, and without the word all are alike. A quorum queue knows 0 to 31, and
        takes those without for 4 (RabbitMQ 4.3).
    overflow: What gives way over its length: the oldest, or the new one, which its publisher hears of (x-overflow).
    message_ttl: How long a message may wait in it (x-message-ttl).
    dead_letter: Where what it gives up goes; without it, nowhere.
    delivery_limit: How often a delivery may fail: 20 on a quorum queue, -1 is without end; a classic queue has none
        (x-delivery-limit).
    single_active_consumer: Whether only one consumer gets messages, and the next only when that one is gone.
    consumer_timeout: How long a quorum queue waits for an acknowledgement before it closes the consumer's channel.
    quorum_initial_group_size: On how many nodes of the broker a quorum queue is: 3, or all where there are fewer
        (x-quorum-initial-group-size, quorum_cluster_size).
    """
    return part(locals())


def queue_nodes(
    *,
    count: Mapping[str, Any] | int | str | None = None,
    queue_leader_locator: Literal["client-local", "balanced"] | None = None,
    detection: Literal[0] | Mapping[str, Any] | str | None = None,
    election: Literal[0] | Mapping[str, Any] | str | None = None,
    catch_up: Mapping[str, Any] | str | None = None,
    partition_handling: Literal["ignore", "pause_minority"] | None = None,
    net_ticktime: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """The nodes of a queue broker, each of which can be lost. A classic queue is on one of them; a quorum queue has
    a leader on one and followers on others, and needs a majority of them to take anything in or hand anything
    out.

    count: How many nodes there are; three are the fewest of which one can be lost
        (rabbitmq.com/docs/quorum-queues).
    queue_leader_locator: `client-local`: all queues are led by node 0, to which the client is connected that
        declares them; `balanced`: they are dealt out over the nodes in their order (queue_leader_locator).
    detection: Until the others know that a node is lost: at once when its process dies and closes its connections;
        of one that is not heard of any more, about a second (aten's poll_interval) and at most net_ticktime, 60 s.
        A member that is back earlier stands for election at once.
    election: From then on until a quorum queue has another leader. Each follower stands for election after 100 ms
        and up to 500 ms more (ra_server_proc.erl, `short`): the first of two after 267 ms in the mean.
    catch_up: Messages of each quorum queue that a node which is back takes in a second, of those that came
        meanwhile: a member that lacks some is in no majority but that of an election, and does not lead. Without it
        it has all at once; RabbitMQ says no figure.
    partition_handling: What nodes do that do not hear the others (`broker_split`): `ignore` goes on with what each
        side has; `pause_minority` stops those that are not more than half, and their clients come back by others
        (cluster_partition_handling, rabbitmq.com/docs/partitions).
    net_ticktime: Until a node that is not heard counts as down, and a minority pauses (net_ticktime).
    """
    return part(locals())
