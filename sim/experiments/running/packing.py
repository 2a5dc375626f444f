"""Jobs and results as they travel and are kept: a job as one JSON document, a result as an archive.

Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from sim.experiments.running.archive import pack, unpack
from sim.experiments.running.decoding import DamagedError, decoded
from sim.experiments.running.flattening import (
    SavedColumns,
    SavedRecords,
    Tables,
    flattened_columns,
    flattened_records,
    restored_columns,
    restored_records,
)
from sim.experiments.running.jobs import Job, JobResult
from sim.spec.plugins import supply_texts, text_of
from sim.stats.interval import Interval

_KNOWN = ("metrics", "censored", "timeline", "records", "intervals")  # what else there is goes as JSON
LARGEST = 16 * 2**30  # bytes that a result may take in memory: more than a hundred million rows


@dataclass(frozen=True)
class _More:
    """What else there is."""

    fingerprint: str
    simulated: float
    engine: str


@dataclass(frozen=True)
class _Saved:
    """What of a result is no table."""

    metrics: tuple[str, ...]
    censored: tuple[str, ...]
    timeline: SavedColumns
    records: SavedRecords | None
    intervals: dict[str, Interval]
    more: _More


def pack_job(job: Job, *, with_plugins: bool = False) -> str:
    """The job as JSON; `with_plugins` adds the text of its plug-ins, for a machine that does not have the files."""
    document = asdict(job)
    if with_plugins:
        document["sources"] = {plugin: text_of(plugin) for plugin in job.plugins}
    return json.dumps(document, sort_keys=True)


def unpack_job(text: str) -> Job:
    """The job again.

    Plug-ins that travelled with it run from memory: on a shared machine no file is safe from being there before.
    """
    document = json.loads(text)
    sources = document.pop("sources", {})
    named = {plugin: _path_of(plugin, source) for plugin, source in sources.items()}
    supply_texts({named[plugin]: source for plugin, source in sources.items()})
    plugins = tuple(named.get(plugin, plugin) for plugin in document["plugins"])
    lists = {name: tuple(document[name]) for name in ("sets", "given")}
    return Job(**{**document, **lists, "plugins": plugins})


def _path_of(plugin: str, source: str) -> str:
    """The name of a text that is in no file; the same text has the same name, so that a worker runs it once."""
    return f"plug-in {hashlib.sha256(source.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}/{Path(plugin).name}"


def pack_result(result: JobResult) -> bytes:
    """The result as a file that is not kept for long."""
    tables: Tables = {"values": np.array(list(result.metrics.values()), dtype=np.float64)}
    content = {
        "metrics": list(result.metrics),
        "censored": sorted(result.censored),
        "timeline": flattened_columns(result.timeline, "timeline", tables),
        "records": flattened_records(result.records, "records/", tables) if result.records is not None else None,
        "intervals": {key: asdict(interval) for key, interval in result.intervals.items()},
        "more": {field.name: getattr(result, field.name) for field in fields(JobResult) if field.name not in _KNOWN},
    }
    return pack(content, tables, "lz4")


def unpack_result(data: bytes, most: int = LARGEST) -> JobResult:
    """The result again, bit by bit. Raises one of `archive.TROUBLE`."""
    content, tables = unpack(data, most)
    saved: _Saved = decoded(_Saved, content, "result")
    values = tables["values"]
    if values.dtype != np.float64 or values.shape != (len(set(saved.metrics)),) or values.size != len(saved.metrics):
        raise DamagedError(
            f"values: found numbers of shape {values.shape}, expected one for each of {len(saved.metrics)} metrics"
        )
    return JobResult(
        metrics=dict(zip(map(sys.intern, saved.metrics), values.tolist(), strict=True)),
        censored=frozenset(saved.censored),
        timeline=restored_columns(saved.timeline, "timeline", tables),
        records=restored_records(saved.records, "records/", tables) if saved.records is not None else None,
        intervals=saved.intervals,
        **asdict(saved.more),
    )


def size_of(result: JobResult) -> int:
    """About how many bytes a result takes."""
    tables: Tables = {}
    if result.records is not None:
        flattened_records(result.records, "", tables)
    flattened_columns(result.timeline, "timeline", tables)
    return sum(table.nbytes for table in tables.values()) + 100 * len(result.metrics)
