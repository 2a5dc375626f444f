"""Jobs and results as they travel and are kept: a job as one JSON document, a result as an archive. Nothing is pickled."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from sim.experiments.apart import Tables, columns_apart, columns_together, records_apart, records_together
from sim.experiments.archive import pack, unpack
from sim.experiments.jobs import Job, JobResult
from sim.spec.plugins import supply_texts, text_of

_KNOWN = ("metrics", "censored", "timeline", "records")  # what else there is goes as JSON


def pack_job(job: Job, *, with_plugins: bool = False) -> str:
    """The job as JSON; `with_plugins` adds the text of its plug-ins, for a machine that does not have the files."""
    document = asdict(job)
    if with_plugins:
        document["sources"] = {plugin: text_of(plugin) for plugin in job.plugins}
    return json.dumps(document, sort_keys=True)


def unpack_job(text: str) -> Job:
    """The job again. Plug-ins that travelled with it run from memory: on a shared machine no file is safe from being there before."""
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
        "timeline": columns_apart(result.timeline, "timeline", tables),
        "records": records_apart(result.records, "records/", tables) if result.records is not None else None,
        "more": {field.name: getattr(result, field.name) for field in fields(JobResult) if field.name not in _KNOWN},
    }
    return pack(content, tables, "lz4")


def unpack_result(data: bytes) -> JobResult:
    """The result again, bit by bit. Raises one of `archive.TROUBLE`."""
    content, tables = unpack(data)
    return JobResult(
        metrics=dict(zip(map(sys.intern, content["metrics"]), tables["values"].tolist(), strict=True)),
        censored=frozenset(content["censored"]),
        timeline=columns_together(content["timeline"], "timeline", tables),
        records=records_together(content["records"], "records/", tables) if content["records"] is not None else None,
        **content["more"],
    )


def size_of(result: JobResult) -> int:
    """About how many bytes a result takes."""
    tables: Tables = {}
    if result.records is not None:
        records_apart(result.records, "", tables)
    columns_apart(result.timeline, "timeline", tables)
    return sum(table.nbytes for table in tables.values()) + 100 * len(result.metrics)
