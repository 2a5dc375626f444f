"""Jobs and results as they travel and are kept: a job as one JSON document, a result as Arrow streams. Nothing is pickled.

A result is several Arrow streams behind one another: the figures, whose schema carries a JSON text with all that is not a column,
then the timeline and the tables of the records where there are any.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.experiments.jobs import Job, JobResult
from sim.records.summary import SUMMARY_ARRAYS, Summary
from sim.records.tables import Book, Records, Series
from sim.spec.plugins import supply_texts, text_of

if TYPE_CHECKING:
    import pyarrow as pa

_MANIFEST = b"sim"
_KNOWN = ("metrics", "censored", "timeline", "fingerprint", "simulated", "records")  # what else there is goes as JSON


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
    """The result as Arrow."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    manifest: dict[str, Any] = {"fingerprint": result.fingerprint, "simulated": result.simulated, "timeline": bool(len(result.timeline.columns))}
    manifest["more"] = {field.name: getattr(result, field.name) for field in fields(JobResult) if field.name not in _KNOWN}
    if result.records is not None:
        manifest["records"] = _plain_part(result.records)
    figures = {
        "metric": pa.array(list(result.metrics), pa.string()),
        "value": pa.array(list(result.metrics.values()), pa.float64()),
        "censored": pa.array([key in result.censored for key in result.metrics], pa.bool_()),
    }
    manifest["censored"] = sorted(result.censored - result.metrics.keys())
    _write(sink, figures, manifest)
    if manifest["timeline"]:
        _write(sink, _columns_of(result.timeline), {"index": result.timeline.index.name, "columns": list(result.timeline.columns)})
    if result.records is not None:
        for name in _tables_in(result.records):
            rows = getattr(result.records, name)
            _write(sink, _columns_of_array(rows))
        gauges = {str(column): pa.array(np.ascontiguousarray(result.records.gauges[:, column])) for column in range(result.records.gauges.shape[1])}
        _write(sink, {"tick": pa.array(result.records.ticks), **gauges})
        if result.records.summary is not None:
            for name in SUMMARY_ARRAYS:
                _write(sink, _columns_of_array(getattr(result.records.summary, name)))
    return bytes(sink.getvalue())


def unpack_result(data: bytes) -> JobResult:
    """The result again, bit by bit."""
    import pyarrow as pa

    source = pa.BufferReader(data)
    figures, manifest = _read(source)
    keys = [sys.intern(key) for key in figures["metric"].to_pylist()]
    values, marks = figures["value"].to_pylist(), figures["censored"].to_pylist()
    timeline = pd.DataFrame()
    if manifest["timeline"]:
        table, named = _read(source)
        columns = [table[str(place)].to_numpy() for place in range(len(named["columns"]))]
        timeline = pd.DataFrame(dict(zip(named["columns"], columns, strict=True)), index=pd.Index(table["index"].to_numpy(), name=named["index"]))
    return JobResult(
        metrics=dict(zip(keys, values, strict=True)),
        censored=frozenset([*(key for key, mark in zip(keys, marks, strict=True) if mark), *manifest["censored"]]),
        timeline=timeline,
        fingerprint=manifest["fingerprint"],
        simulated=manifest["simulated"],
        records=_records(source, manifest["records"]) if "records" in manifest else None,
        **manifest["more"],
    )


def size_of(result: JobResult) -> int:
    """About how many bytes a result takes."""
    kept = result.records
    rows = sum(getattr(kept, name).nbytes for name in _tables_in(kept)) + kept.gauges.nbytes if kept is not None else 0
    rows += kept.summary.nbytes if kept is not None and kept.summary is not None else 0
    return rows + 100 * len(result.metrics) + int(result.timeline.size) * 8


def _columns_of_array(rows: NDArray[Any]) -> dict[str, pa.Array]:
    """A table by its columns; a plain array as the one column `value`."""
    import pyarrow as pa

    columns = {name: rows[name] for name in rows.dtype.names} if rows.dtype.names else {"value": rows}
    return {name: pa.array(np.ascontiguousarray(column)) for name, column in columns.items()}


def _columns_of(frame: pd.DataFrame) -> dict[str, pa.Array]:
    import pyarrow as pa

    columns = {str(place): pa.array(frame[name].to_numpy(dtype=float)) for place, name in enumerate(frame.columns)}
    return {"index": pa.array(frame.index.to_numpy(dtype=float)), **columns}


def _tables_in(records: Records) -> list[str]:
    """The fields that are tables, one Arrow stream each."""
    return [field.name for field in fields(Records) if getattr(getattr(records, field.name), "dtype", np.dtype(float)).names]


def _plain_part(records: Records) -> dict[str, Any]:
    """Everything else, and of each table what its rows are made of."""
    tables = {name: np.lib.format.dtype_to_descr(getattr(records, name).dtype) for name in _tables_in(records)}
    plain = {field.name: getattr(records, field.name) for field in fields(Records) if field.name not in (*tables, "ticks", "gauges", "summary")}
    if (summary := records.summary) is not None:
        its = {name: np.lib.format.dtype_to_descr(getattr(summary, name).dtype) for name in SUMMARY_ARRAYS}
        plain["summary"] = {"digests": summary.digests, "arrays": its}
    return {**plain, "series": [asdict(series) for series in records.series], "books": [asdict(book) for book in records.books], "tables": tables}


def _records(source: pa.BufferReader, plain: dict[str, Any]) -> Records:
    tables = {name: _rows(_read(source)[0], _dtype(described)) for name, described in plain.pop("tables").items()}
    gauges, _ = _read(source)
    columns = [gauges[str(place)].to_numpy() for place in range(gauges.num_columns - 1)]
    words = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    made: dict[str, Any] = {"series": tuple(Series(**its) for its in plain["series"]), "books": tuple(Book(**book) for book in plain["books"])}
    made["summary"] = _summary(source, plain["summary"]) if "summary" in plain else None
    ticks = gauges["tick"].to_numpy()
    return Records(**{**words, **made, **tables, "ticks": ticks, "gauges": np.column_stack(columns) if columns else np.empty((len(ticks), 0))})


def _summary(source: pa.BufferReader, plain: dict[str, Any]) -> Summary:
    requests, messages = plain["digests"]
    arrays: dict[str, Any] = {}
    for name, described in plain["arrays"].items():
        table = _read(source)[0]
        arrays[name] = table["value"].to_numpy() if isinstance(described, str) else _rows(table, _dtype(described))
    return Summary(digests=(requests, messages), **arrays)


def _dtype(described: list[list[str]]) -> np.dtype[np.void]:
    return np.dtype([(str(name), str(kind)) for name, kind in described])


def _rows(table: pa.Table, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    rows = np.zeros(table.num_rows, dtype)
    for name in dtype.names or ():
        rows[name] = table[name].to_numpy()
    return rows


def _write(sink: pa.NativeFile, columns: dict[str, pa.Array], manifest: dict[str, Any] | None = None) -> None:
    import pyarrow as pa

    table = pa.table(columns)
    if manifest is not None:
        table = table.replace_schema_metadata({_MANIFEST: json.dumps(manifest, default=lambda value: value.item()).encode()})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _read(source: pa.BufferReader) -> tuple[pa.Table, dict[str, Any]]:
    import pyarrow as pa

    table = pa.ipc.open_stream(source).read_all()
    metadata = table.schema.metadata or {}
    return table, json.loads(metadata[_MANIFEST]) if _MANIFEST in metadata else {}
