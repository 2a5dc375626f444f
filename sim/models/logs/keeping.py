"""What a log keeps: segments, of which the oldest are deleted, or the records that a later one of their key replaces.

A new segment begins when the present one is full or old. What is deleted or cleaned is gone for whoever has not polled
it; what has been polled is in a consumer's memory.

Not modelled: indexes, tombstones and how long they stay, the time that cleaning takes and the disk that it uses,
offsets of groups that expire (offsets.retention.minutes).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol

from sim.models.clock import Clock, Signal
from sim.models.request import Request

if TYPE_CHECKING:
    from sim.models.recorder import Recorder
    from sim.models.topic import Reader
    from sim.spec.broker import Topic as Spec
    from sim.spec.retention import Compaction, Retention


class Log(Protocol):
    """A topic, as it is kept (`replicated.py`)."""

    env: Clock
    name: str
    groups: list[Reader]

    def key_value(self, request: Request) -> Hashable:
        """What its records replace one another by."""

    def readable_before(self, partition: int) -> int:
        """The first offset of a partition that cannot be read yet."""


class Segment:
    """A piece of one partition."""

    __slots__ = ("began", "bytes", "end", "first", "keys", "last", "records")

    def __init__(self, first: int, began: float):
        self.first = first  # its first offset
        self.end = first  # the offset behind its newest record
        self.began = began  # s; when that was written
        self.last = began  # s; when its newest record was
        self.records = 0
        self.bytes = 0.0
        self.keys: list[tuple[int, Hashable, float]] = []  # (offset, key, bytes), where the topic is compacted


class Keeper(ABC):
    """The segments of each partition of a topic, looked at every `check` as long as there are some."""

    def __init__(self, log: Log, partitions: int, spec: Retention | Compaction, recorder: Recorder):
        self.log = log
        self.spec = spec
        self.segments: list[deque[Segment]] = [deque() for _ in range(partitions)]
        self.deleted = 0  # records
        self.armed = False
        recorder.watch(log.name, "deleted", "total", lambda _: self.deleted)

    def written(self, partition: int, offset: int, size: float, _request: Request, now: float) -> None:
        """A record was written to a partition."""
        line, spec = self.segments[partition], self.spec
        last = line[-1] if line else None
        if last is None or last.bytes + size > spec.segment_size or now - last.began >= spec.segment_time:
            last = Segment(offset, now)
            line.append(last)
        last.records += 1
        last.bytes += size
        last.last = now
        last.end = offset + 1
        if not self.armed:
            self.armed = True
            self.log.env.hold(Signal(self._look), spec.check - math.fmod(now, spec.check))

    def _look(self, _: object) -> None:
        self.look()

    def look(self) -> None:
        """Take out of all partitions what need not be kept."""
        for partition, line in enumerate(self.segments):
            self._clean(partition, line)
        self.armed = any(self.segments)
        if self.armed:
            self.log.env.hold(Signal(self._look), self.spec.check)

    @abstractmethod
    def _clean(self, partition: int, line: deque[Segment]) -> None:
        """Take out of a partition what need not be kept."""


class Deleting(Keeper):
    """Deletes the oldest segments of a topic."""

    spec: Retention

    def _clean(self, partition: int, line: deque[Segment]) -> None:
        """UnifiedLog.deleteOldSegments: what is too old, the newest segment included; then what there is too much of,
        as long as `size` is left without it. Nothing beyond the high watermark.
        """
        now, spec, mark = self.log.env.now, self.spec, self.log.readable_before(partition)
        total = math.fsum(segment.bytes for segment in line)
        gone: list[Segment] = []
        while line and spec.time is not None and now - line[0].last > spec.time and line[0].end <= mark:
            gone.append(line.popleft())
            total -= gone[-1].bytes
        while len(line) > 1 and spec.size is not None and total - line[0].bytes >= spec.size and line[0].end <= mark:
            gone.append(line.popleft())
            total -= gone[-1].bytes
        if gone:
            self.deleted += sum(segment.records for segment in gone)
            for group in self.log.groups:
                group.delete_before(partition, gone[-1].end)


class Compacting(Keeper):
    """Keeps the latest record of each key."""

    spec: Compaction

    def __init__(self, log: Log, partitions: int, spec: Compaction, recorder: Recorder):
        super().__init__(log, partitions, spec, recorder)
        self.clean = [0] * partitions  # offset up to which it was cleaned

    def written(self, partition: int, offset: int, size: float, request: Request, now: float) -> None:
        """A record was written to a partition."""
        super().written(partition, offset, size, request, now)
        self.segments[partition][-1].keys.append((offset, self.log.key_value(request), size))

    def _clean(self, partition: int, line: deque[Segment]) -> None:
        """LogCleaner: closed segments whose records are old enough, where enough of them is new."""
        now, mark = self.log.env.now, self.log.readable_before(partition)
        closed = [its for its in list(line)[:-1] if now - its.last >= self.spec.min_lag and its.end <= mark]
        dirty = math.fsum(segment.bytes for segment in closed if segment.first >= self.clean[partition])
        total = math.fsum(segment.bytes for segment in closed)
        if total <= 0.0 or dirty <= 0.0 or dirty / total < self.spec.min_dirty:
            return
        latest = {key: offset for segment in closed for offset, key, _ in segment.keys}
        gone: set[int] = set()
        for segment in closed:
            gone.update(offset for offset, key, _ in segment.keys if latest[key] != offset)
            segment.keys = [row for row in segment.keys if latest[row[1]] == row[0]]
            segment.bytes = math.fsum(size for _, _, size in segment.keys)
        self.clean[partition] = line[len(closed)].first
        self.deleted += len(gone)
        for group in self.log.groups:
            group.drop(partition, gone)


def keeper_of(log: Log, spec: Spec, recorder: Recorder) -> Keeper | None:
    """What deletes or compacts a topic, where something does."""
    if spec.compaction is not None:
        return Compacting(log, spec.partitions, spec.compaction, recorder)
    if spec.retention is not None:
        return Deleting(log, spec.partitions, spec.retention, recorder)
    return None
