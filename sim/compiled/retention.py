"""What topics delete, or compact: the models' own keepers (`models/logs/keeping.py`), over the rows of this engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sim.compiled import calendar, consumers
from sim.compiled.codes import DROPPED, EXPIRED
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import (
    deliveries,
    give_back_key_of_record,
    give_back_segment,
    group_of,
    group_partitions,
    groups,
    keepers,
    keys_of_records,
    messages,
    partitions,
    segments,
    topics,
)
from sim.models.logs.keeping import Segment as Piece

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.rows.logs import Keeper

Model = Any  # a keeper, whose parts are exchanged for views


class Retention:
    """The topics of one run that delete something."""

    def __init__(self, machine: Machine):
        for topic, place in machine.wiring.topic_at.items():
            if topics(machine.s)[place].keeper >= 0:
                KeeperView(machine, topic, place)


class KeeperView:
    """What deletes or compacts one topic: it reads the segments from the rows, and writes back what is left."""

    def __init__(self, machine: Machine, topic: Model, place: int):
        self.machine, self.topic, self.model = machine, place, topic.keeper
        self.env = self  # the clock of the models' keeper, which plans its next look
        row = topics(machine.s)[place]
        members = range(row.first_group, row.first_group + row.groups)
        self.groups = [GroupOfTopic(machine, group_of(machine.s)[group]) for group in members]
        self.model.log = self
        self.row.order = machine.control.membership.order(self.look, lasting=True)

    @property
    def row(self) -> Keeper:
        """Its row."""
        return keepers(self.machine.s)[topics(self.machine.s)[self.topic].keeper]

    @property
    def now(self) -> float:
        """s"""
        return self.machine.s.now

    def hold(self, _: object, delay: float) -> None:
        """It looks again after a while."""
        calendar.schedule(self.machine.s, calendar.ORDINARY, delay, calendar.ORDER, self.row.order)

    def look(self) -> None:
        """Delete what need not be kept."""
        first, count = topics(self.machine.s)[self.topic].first, topics(self.machine.s)[self.topic].count
        pieces = [list(self._pieces(place)) for place in range(first, first + count)]
        self.model.segments = [deque(piece for _, piece in line) for line in pieces]
        self.model.look()
        for place, before, after in zip(range(first, first + count), pieces, self.model.segments, strict=True):
            self._write_back(place, before, {id(piece) for piece in after})
        self.row.deleted, self.row.armed = self.model.deleted, self.model.armed

    def readable_before(self, partition: int) -> int:
        """The first offset of a partition that cannot be read yet."""
        s = self.machine.s
        row = partitions(s)[topics(s)[self.topic].first + partition]
        return messages(s)[row.first].offset if row.first >= 0 else row.end

    def _pieces(self, partition: int) -> Iterator[tuple[int, Piece]]:
        """The segments of a partition, each with its place."""
        s = self.machine.s
        place = partitions(s)[partition].first_segment
        while place >= 0:
            row = segments(s)[place]
            piece = Piece(row.offset, row.began)
            piece.end, piece.last, piece.records, piece.bytes = row.end, row.newest, row.records, row.bytes
            records = [keys_of_records(s)[record] for record in self._records(place)]
            piece.keys = [(record.offset, record.key, record.size) for record in records]
            yield place, piece
            place = segments(s)[place].next

    def _records(self, segment: int) -> list[int]:
        s, found = self.machine.s, []
        record = segments(s)[segment].first
        while record >= 0:
            found.append(record)
            record = keys_of_records(s)[record].next
        return found

    def _write_back(self, partition: int, before: list[tuple[int, Piece]], left: set[int]) -> None:
        """The oldest segments may be gone, and others smaller."""
        s = self.machine.s
        for place, piece in before:
            gone = id(piece) not in left
            self._keep_only(place, set() if gone else {offset for offset, _, _ in piece.keys})
            if gone:
                partitions(s)[partition].first_segment = segments(s)[place].next
                give_back_segment(s, place)
            else:
                segments(s)[place].bytes = piece.bytes
        if partitions(s)[partition].first_segment < 0:
            partitions(s)[partition].last_segment = NOBODY

    def _keep_only(self, segment: int, offsets: set[int]) -> None:
        """Of the keys of a segment those of these records."""
        s, row = self.machine.s, segments(self.machine.s)[segment]
        every = self._records(segment)
        kept = [record for record in every if keys_of_records(s)[record].offset in offsets]
        row.first, row.last = (kept[0], kept[-1]) if kept else (NOBODY, NOBODY)
        for record, following in zip(kept, [*kept, NOBODY][1:], strict=True):
            keys_of_records(s)[record].next = following
        for record in set(every).difference(kept):
            give_back_key_of_record(s, record)


class GroupOfTopic:
    """A group, as what deletes records knows it."""

    def __init__(self, machine: Machine, group: int):
        self.machine, self.group = machine, group

    def delete_before(self, index: int, first: int) -> None:
        """Records before this offset are deleted, also those that nobody has polled."""
        place = groups(self.machine.s)[self.group].first + index
        gone = list(takewhile(lambda delivery: self._offset(delivery) < first, self._waiting(place)))
        for delivery in gone:
            self._end(delivery, EXPIRED)
        if gone:
            partition = group_partitions(self.machine.s)[place]
            partition.out_of_range = partition.obstructed = True

    def drop(self, index: int, offsets: set[int]) -> None:
        """These records were replaced by later ones of their key."""
        place = groups(self.machine.s)[self.group].first + index
        for delivery in [delivery for delivery in self._waiting(place) if self._offset(delivery) in offsets]:
            self._end(delivery, DROPPED)

    def _waiting(self, place: int) -> list[int]:
        s, found = self.machine.s, []
        delivery = group_partitions(s)[place].waiting.first
        while delivery >= 0:
            found.append(delivery)
            delivery = deliveries(s)[delivery].next
        return found

    def _offset(self, delivery: int) -> int:
        s = self.machine.s
        return messages(s)[deliveries(s)[delivery].message].offset

    def _end(self, delivery: int, how: int) -> None:
        if self.machine.s.must_grow:
            self.machine.grow()
        consumers.end_unpolled(self.machine.s, delivery, how)
