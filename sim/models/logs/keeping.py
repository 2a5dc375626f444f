"""What a log keeps: segments, of which the oldest are deleted, or the records that a later one of their key replaces.

A new segment begins when the present one is full or old. What is deleted or cleaned is gone for whoever has not polled
it; what has been polled is in a consumer's memory.

Not modelled: indexes, tombstones and how long they stay, the time that cleaning takes and the disk that it uses,
offsets of groups that expire (offsets.retention.minutes).
"""

from __future__ import annotations

import math
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


class Segment:
    """A piece of one partition."""

    __slots__ = ("began", "bytes", "first", "keys", "last")

    def __init__(self, first: int, began: float):
        self.first = first  # its first offset
        self.began = began  # s; when that was written
        self.last = began  # s; when its newest record was
        self.bytes = 0.0
        # (offset, key, written, bytes), where the topic is compacted
        self.keys: list[tuple[int, Hashable, float, float]] = []


class Deleting:
    """Deletes the oldest segments of a topic."""

    def __init__(self, log: Log, partitions: int, spec: Retention, recorder: Recorder):
        self.log = log
        self.spec = spec
        self.segments: list[deque[Segment]] = [deque() for _ in range(partitions)]
        self.ends = [0] * partitions
        self.deleted = 0
        self.armed = False
        recorder.watch(log.name, "deleted", "total", lambda _: self.deleted)

    def written(self, partition: int, offset: int, size: float, _request: Request, now: float) -> None:
        """A record was written to a partition."""
        line, spec = self.segments[partition], self.spec
        last = line[-1] if line else None
        if last is None or last.bytes + size > spec.segment_size or now - last.began >= spec.segment_time:
            last = Segment(offset, now)
            line.append(last)
        last.bytes += size
        last.last = now
        self.ends[partition] = offset + 1
        if not self.armed:
            self.armed = True
            self.log.env.hold(Signal(self._look), spec.check - math.fmod(now, spec.check))

    def _look(self, _: object) -> None:
        """UnifiedLog.deleteOldSegments: what is too old, the newest segment included; then what there is too much of,
        as long as `size` is left without it.
        """
        now, spec = self.log.env.now, self.spec
        for partition, line in enumerate(self.segments):
            total = math.fsum(segment.bytes for segment in line)
            gone = 0
            while line and spec.time is not None and now - line[0].last > spec.time:
                total -= line.popleft().bytes
                gone += 1
            while len(line) > 1 and spec.size is not None and total - line[0].bytes >= spec.size:
                total -= line.popleft().bytes
                gone += 1
            if gone:
                self._delete(partition, line[0].first if line else self.ends[partition])
        self.armed = any(self.segments)
        if self.armed:
            self.log.env.hold(Signal(self._look), spec.check)

    def _delete(self, partition: int, first: int) -> None:
        self.deleted += 1
        for group in self.log.groups:
            group.delete_before(partition, first)


class Compacting:
    """Keeps the latest record of each key."""

    def __init__(self, log: Log, partitions: int, spec: Compaction, recorder: Recorder):
        self.log = log
        self.spec = spec
        self.segments: list[deque[Segment]] = [deque() for _ in range(partitions)]
        self.clean = [0] * partitions  # offset up to which it was cleaned
        self.deleted = 0
        self.armed = False
        recorder.watch(log.name, "deleted", "total", lambda _: self.deleted)

    def written(self, partition: int, offset: int, size: float, request: Request, now: float) -> None:
        """A record was written to a partition."""
        line, spec = self.segments[partition], self.spec
        last = line[-1] if line else None
        if last is None or last.bytes + size > spec.segment_size or now - last.began >= spec.segment_time:
            last = Segment(offset, now)
            line.append(last)
        last.bytes += size
        last.last = now
        last.keys.append((offset, self.log.key_value(request), now, size))
        if not self.armed:
            self.armed = True
            self.log.env.hold(Signal(self._look), spec.check - math.fmod(now, spec.check))

    def _look(self, _: object) -> None:
        for partition, line in enumerate(self.segments):
            self._clean(partition, line)
        self.armed = any(self.segments)
        if self.armed:
            self.log.env.hold(Signal(self._look), self.spec.check)

    def _clean(self, partition: int, line: deque[Segment]) -> None:
        """LogCleaner: closed segments whose records are old enough, where enough of them is new."""
        now = self.log.env.now
        closed = [segment for segment in list(line)[:-1] if now - segment.last >= self.spec.min_lag]
        dirty = math.fsum(segment.bytes for segment in closed if segment.first >= self.clean[partition])
        total = math.fsum(segment.bytes for segment in closed)
        if total <= 0.0 or dirty <= 0.0 or dirty / total < self.spec.min_dirty:
            return
        latest = {key: offset for segment in closed for offset, key, _, _ in segment.keys}
        gone: set[int] = set()
        for segment in closed:
            gone.update(offset for offset, key, _, _ in segment.keys if latest[key] != offset)
            segment.keys = [row for row in segment.keys if latest[row[1]] == row[0]]
            segment.bytes = math.fsum(size for _, _, _, size in segment.keys)
        self.clean[partition] = line[len(closed)].first
        self.deleted += len(gone)
        for group in self.log.groups:
            group.drop(partition, gone)


def keeper_of(log: Log, spec: Spec, recorder: Recorder) -> Deleting | Compacting | None:
    """What deletes or compacts a topic, where something does."""
    if spec.compaction is not None:
        return Compacting(log, spec.partitions, spec.compaction, recorder)
    if spec.retention is not None:
        return Deleting(log, spec.partitions, spec.retention, recorder)
    return None
