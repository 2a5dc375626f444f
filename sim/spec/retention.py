"""What a log keeps, and for how long: deletion by time and size, compaction by key."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sim.spec.base import Duration, Leaves, Share, Size, Spec
from sim.vocabulary import MessageEnd


class Retention(Spec):
    """What a topic deletes, whether anybody has read it or not. Names and defaults: Kafka's LogConfig.

    A log is a row of segments. Looked at every `check`, the oldest segments are deleted whose newest record is older
    than `time`, and those without which the log still has `size`. A group that has not read what is deleted goes on as
    `auto_offset_reset` says.
    """

    leaves: ClassVar[Leaves] = Leaves(ends=(MessageEnd.EXPIRED, MessageEnd.SKIPPED), series=("deleted",))
    positional = "time"
    time: Annotated[Duration, Field(gt=0)] | None = 604800.0
    """How old a record may become (retention.ms: 7 days); null: as old as it likes."""
    size: Annotated[Size, Field(gt=0)] | None = None
    """Bytes that a partition keeps at least (retention.bytes: without limit)."""
    segment_size: Annotated[Size, Field(gt=0)] = 1073741824.0
    """Bytes after which a new segment begins (segment.bytes: 1 GiB)."""
    segment_time: Annotated[Duration, Field(gt=0)] = 604800.0
    """Time after which a new segment begins (segment.ms: 7 days)."""
    check: Annotated[Duration, Field(gt=0)] = 300.0
    """Time between two looks (log.retention.check.interval.ms: 5 minutes)."""


class Compaction(Spec):
    """A topic that keeps the latest record of each key (cleanup.policy: compact). Names and defaults: LogConfig.

    Looked at every `check`; where at least `min_dirty` of the log was written since it was cleaned, all closed segments
    are cleaned: what has a later record of its key is gone, whether anybody has read it or not.
    """

    leaves: ClassVar[Leaves] = Leaves(ends=(MessageEnd.DROPPED,), series=("deleted",))
    min_dirty: Share = 0.5
    """The share that must be new (min.cleanable.dirty.ratio)."""
    min_lag: Duration = 0.0
    """How long a record is left alone (min.compaction.lag.ms)."""
    segment_size: Annotated[Size, Field(gt=0)] = 1073741824.0
    """Bytes after which a new segment begins; the newest is never cleaned (segment.bytes: 1 GiB)."""
    segment_time: Annotated[Duration, Field(gt=0)] = 604800.0
    """Time after which a new segment begins (segment.ms: 7 days)."""
    check: Annotated[Duration, Field(gt=0)] = 15.0
    """Time between two looks (log.cleaner.backoff.ms: 15 s)."""
