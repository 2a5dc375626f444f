"""Which partition of a topic a message goes to, and how large it is: `models/topic.py` and `models/logs/replicated.py`
once more.
"""

from __future__ import annotations

from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler, whole
from sim.compiled.identities import NO_KEY, header_of
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.logs import dealt_out, messages, site_sizes, stickies, text_partitions, topics
from sim.compiled.rows.running import requests
from sim.compiled.rows.state import State
from sim.policies import partitioner

BY_ORDER, BY_USER, BY_ITEM, STICKY, BY_HEADER, IN_TURN = map(whole, range(6))

partition_of, sticky = partitioner.partition_of.compiled, partitioner.sticky.compiled
in_turn = partitioner.in_turn.compiled


@handler
def which_partition(s: State, topic: int, key: int, producer: int, request: int, chain: int) -> int:
    """By its key, or where the producer's batch of unkeyed messages stands."""
    found = keyed(s, topic, key, producer, request)
    if found >= 0:
        return found
    return sticky(
        stickies(s)[topic * s.replica_count + producer],
        uniform(draws(s)[topics(s)[topic].chance].key, requests(s)[request].id, chain),
    )


@handler
def keyed(s: State, topic: int, key: int, producer: int, request: int) -> int:
    """The partition that its key decides, or whose turn it is; -1: it has none."""
    row = topics(s)[topic]
    its_request = requests(s)[request]
    if row.count == 1:
        return 0
    if key == BY_ORDER:
        return partition_of(its_request.id, row.count)
    if key == BY_USER and its_request.user >= 0:
        return partition_of(its_request.user, row.count)
    if key == BY_ITEM and its_request.item >= 0:
        return partition_of(its_request.item, row.count)
    return placed_apart(s, topic, key, producer, request) if key > STICKY else NONE


@by_address
@handler
def placed_apart(s: State, topic: int, key: int, producer: int, request: int) -> int:
    """In turn, or by a header; -1: the request has no such header."""
    if key == IN_TURN:
        return its_turn(s, topic, producer)
    return by_header(s, topic, request)


@handler
def its_turn(s: State, topic: int, producer: int) -> int:
    """The next partition of a producer that takes all in turn."""
    place = topic * s.replica_count + producer
    dealt_out(s)[place] += 1
    return in_turn(dealt_out(s)[place] - 1, topics(s)[topic].count)


@handler
def by_header(s: State, topic: int, request: int) -> int:
    """The partition that the value of a header decides; -1: the request has no such header."""
    row = topics(s)[topic]
    text = header_of(s, row.header, request)
    return text_partitions(s)[row.by_text + text] if text != NO_KEY else NONE


@handler
def size_of(s: State, message: int) -> float:
    """Bytes of a message: those of one place that publishes are alike."""
    made = messages(s)[message]
    return site_sizes(s)[topics(s)[made.topic].sizes + made.site]
