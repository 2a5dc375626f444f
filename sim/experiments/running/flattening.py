"""Results taken apart into plain words and tables, as they travel and are kept, and put together again bit by bit, if
they can be what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.experiments.running.decoding import DamagedError
from sim.records.checking import TABLES, refuse_impossible
from sim.records.columns import Columns
from sim.records.summary import SUMMARY_ARRAYS, Summary
from sim.records.tables import Book, Records, Series

Tables = dict[str, NDArray[Any]]
_INDICES = (np.dtype(np.float64), np.dtype(np.int64))


@dataclass(frozen=True)
class SavedColumns:
    """What of columns is no table."""

    names: tuple[str, ...]
    index: str


@dataclass(frozen=True)
class SavedRecords:
    """What of records is no table."""

    seed: int
    replication: int
    duration: float
    warmup: float
    names: tuple[str, ...]
    series: tuple[Series, ...]
    books: tuple[Book, ...]
    effect_names: tuple[str, ...]
    oversold: dict[str, int]
    exemplary: bool
    tables: tuple[str, ...]
    digests: tuple[str, str] | None  # of a summary


def flattened_records(records: Records, prefix: str, tables: Tables) -> dict[str, Any]:
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


def restored_records(saved: SavedRecords, prefix: str, tables: Mapping[str, NDArray[Any]]) -> Records:
    """The records again. Raises a ValueError or KeyError for those that no run can have."""
    words: dict[str, Any] = {
        field.name: getattr(saved, field.name) for field in fields(saved) if field.name not in ("tables", "digests")
    }
    summary = None
    if saved.digests is not None:
        summary = Summary(digests=saved.digests, **{name: tables[f"{prefix}summary/{name}"] for name in SUMMARY_ARRAYS})
    if sorted(saved.tables) != sorted(TABLES):
        raise DamagedError(f"{prefix}tables: found {', '.join(saved.tables)[:200]}, expected {', '.join(TABLES)}")
    words |= {name: tables[f"{prefix}{name}"] for name in TABLES}
    records = Records(**words, summary=summary)
    try:
        refuse_impossible(records)
    except ValueError as error:
        raise DamagedError(f"{prefix}{error}") from None
    return records


def flattened_columns(columns: Columns, name: str, tables: Tables) -> dict[str, Any]:
    """The names; the numbers go to the tables under this name."""
    tables[f"{name}/index"] = columns.index
    tables[name] = np.column_stack(list(columns.columns.values())) if columns.columns else np.empty((len(columns), 0))
    return {"names": list(columns.columns), "index": columns.index_name}


def restored_columns(saved: SavedColumns, name: str, tables: Mapping[str, NDArray[Any]]) -> Columns:
    """The columns again. Raises a ValueError or KeyError where names, numbers and index do not go together."""
    numbers, index = tables[name], tables[f"{name}/index"]
    if (
        numbers.dtype != np.float64
        or index.dtype not in _INDICES
        or index.ndim != 1
        or numbers.shape != (index.size, len(saved.names))
    ):
        raise DamagedError(
            f"{name}: found numbers of shape {numbers.shape}, expected {index.size} rows of {len(saved.names)}"
        )
    if len(set(saved.names)) != len(saved.names):
        raise DamagedError(f"{name}: found a column twice")
    columns = {column: np.ascontiguousarray(numbers[:, place]) for place, column in enumerate(saved.names)}
    return Columns(index, columns, saved.index)
