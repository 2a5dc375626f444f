"""Results taken apart into plain words and tables, as they travel and are kept, and put together again bit by bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.records.columns import Columns
from sim.records.summary import SUMMARY_ARRAYS, Summary
from sim.records.tables import Book, Records, Series

Tables = dict[str, NDArray[Any]]


def records_apart(records: Records, prefix: str, tables: Tables) -> dict[str, Any]:
    """What is no table; the tables go to the others under names that begin so."""
    values = {field.name: getattr(records, field.name) for field in fields(Records)}
    summary = values.pop("summary")
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    tables |= {f"{prefix}{name}": array for name, array in arrays.items()}
    words = {name: value for name, value in values.items() if name not in arrays}
    if summary is not None:
        tables |= {f"{prefix}summary/{name}": getattr(summary, name) for name in SUMMARY_ARRAYS}
    return {
        **words,
        "tables": list(arrays),
        "digests": summary.digests if summary is not None else None,
        "series": [asdict(series) for series in records.series],
        "books": [asdict(book) for book in records.books],
    }


def records_together(words: Mapping[str, Any], prefix: str, tables: Mapping[str, NDArray[Any]]) -> Records:
    """The records again."""
    plain = dict(words)
    arrays = {name: tables[f"{prefix}{name}"] for name in plain.pop("tables")}
    digests, series, books = (plain.pop(name) for name in ("digests", "series", "books"))
    summary = None
    if digests is not None:
        summary = Summary(digests=tuple(digests), **{name: tables[f"{prefix}summary/{name}"] for name in SUMMARY_ARRAYS})
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    made |= arrays
    return Records(**made, series=tuple(Series(**its) for its in series), books=tuple(Book(**book) for book in books), summary=summary)


def columns_apart(columns: Columns, name: str, tables: Tables) -> dict[str, Any]:
    """The names; the numbers go to the tables under this name."""
    tables[f"{name}/index"] = columns.index
    tables[name] = np.column_stack(list(columns.columns.values())) if columns.columns else np.empty((len(columns), 0))
    return {"names": list(columns.columns), "index": columns.index_name}


def columns_together(words: Mapping[str, Any], name: str, tables: Mapping[str, NDArray[Any]]) -> Columns:
    """The columns again."""
    numbers = tables[name]
    columns = {column: np.ascontiguousarray(numbers[:, place]) for place, column in enumerate(words["names"])}
    return Columns(tables[f"{name}/index"], columns, words["index"])
