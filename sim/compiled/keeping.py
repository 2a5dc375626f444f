"""What a topic keeps: segments, and the keys of its records where it is compacted, as in `models/logs/keeping.py`.

What is written stands here; what is deleted is looked after by Python now and then (`retention.py`).
"""

from __future__ import annotations

from sim.compiled.apart import by_address
from sim.compiled.base import handler, whole
from sim.compiled.calendar import ORDER, ORDINARY, schedule
from sim.compiled.identities import header_of
from sim.compiled.placing import size_of
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import (
    keepers,
    keys_of_records,
    messages,
    partitions,
    segments,
    take_key_of_record,
    take_segment,
    topics,
)
from sim.compiled.rows.running import requests
from sim.compiled.rows.state import State

BY_ID, BY_USER, BY_ITEM, BY_HEADER = map(whole, range(4))


@by_address
@handler
def keep_record(s: State, message: int) -> None:
    """A record is about to be written to its partition."""
    made = messages(s)[message]
    size = size_of(s, message)
    keeper = keepers(s)[topics(s)[made.topic].keeper]
    partition = partitions(s)[made.partition]
    segment = partition.last_segment
    if segment < 0 or is_full(s, segment, size, keeper.segment_size, keeper.segment_time):
        segment = new_segment(s, made.partition)
    row = segments(s)[segment]
    row.records += 1
    row.bytes += size
    row.newest = s.now
    row.end = partition.end + 1
    if keeper.compacts:
        keep_key(s, segment, partition.end, key_of(s, made.topic, made.request, keeper.key), size)
    if not keeper.armed:
        keeper.armed = True
        schedule(s, ORDINARY, keeper.check - s.now % keeper.check, ORDER, keeper.order)


@handler
def is_full(s: State, segment: int, size: float, most: float, longest: float) -> bool:
    """No record more of this size belongs into it."""
    row = segments(s)[segment]
    return row.bytes + size > most or s.now - row.began >= longest


@handler
def new_segment(s: State, place: int) -> int:
    """The newest of its partition."""
    partition = partitions(s)[place]
    segment = take_segment(s)
    row = segments(s)[segment]
    row.began = s.now
    row.bytes = 0.0
    row.offset = partition.end
    row.records = 0
    row.first = NOBODY
    row.last = NOBODY
    row.next = NOBODY
    if partition.last_segment < 0:
        partition.first_segment = segment
    else:
        segments(s)[partition.last_segment].next = segment
    partition.last_segment = segment
    return segment


@handler
def key_of(s: State, topic: int, request: int, key: int) -> int:
    """What a record is replaced by a later one for."""
    if key == BY_HEADER:
        return header_of(s, topics(s)[topic].header, request)
    row = requests(s)[request]
    if key == BY_USER:
        return row.user
    return row.item if key == BY_ITEM else row.id


@handler
def keep_key(s: State, segment: int, offset: int, key: int, size: float) -> None:
    """A record of a topic that is compacted."""
    row = segments(s)[segment]
    record = take_key_of_record(s)
    keys_of_records(s)[record].offset = offset
    keys_of_records(s)[record].key = key
    keys_of_records(s)[record].size = size
    keys_of_records(s)[record].next = NOBODY
    if row.last < 0:
        row.first = record
    else:
        keys_of_records(s)[row.last].next = record
    row.last = record
