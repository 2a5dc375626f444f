"""Parts of a scenario in Python, as `sim/spec/retention.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def compaction(
    *,
    min_dirty: Mapping[str, Any] | float | str | None = None,
    min_lag: Literal[0] | Mapping[str, Any] | str | None = None,
    segment_size: Mapping[str, Any] | str | None = None,
    segment_time: Literal[0] | Mapping[str, Any] | str | None = None,
    check: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A topic that keeps the latest record of each key (cleanup.policy: compact). Names and defaults: LogConfig.

    min_dirty: The share that must be new (min.cleanable.dirty.ratio).
    min_lag: How long a record is left alone (min.compaction.lag.ms).
    segment_size: Bytes after which a new segment begins; the newest is never cleaned (segment.bytes: 1 GiB).
    segment_time: Time after which a new segment begins (segment.ms: 7 days).
    check: Time between two looks (log.cleaner.backoff.ms: 15 s).
    """
    return part(locals())


def retention(
    *,
    time: Literal[0] | Mapping[str, Any] | str | None = None,
    size: Mapping[str, Any] | str | None = None,
    segment_size: Mapping[str, Any] | str | None = None,
    segment_time: Literal[0] | Mapping[str, Any] | str | None = None,
    check: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """What a topic deletes, whether anybody has read it or not. Names and defaults: Kafka's LogConfig.

    time: How old a record may become (retention.ms: 7 days); null: as old as it likes.
    size: Bytes that a partition keeps at least (retention.bytes: without limit).
    segment_size: Bytes after which a new segment begins (segment.bytes: 1 GiB).
    segment_time: Time after which a new segment begins (segment.ms: 7 days).
    check: Time between two looks (log.retention.check.interval.ms: 5 minutes).
    """
    return part(locals())
