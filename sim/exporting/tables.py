"""Requests or messages as CSV or parquet: one row each, of replication 0, with the variant in the first column.

Times in seconds of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.errors import UsageError, did_you_mean
from sim.exporting.subject import TABLES, Subject

if TYPE_CHECKING:
    import pandas as pd


def csv(subject: Subject) -> str:
    """Comma-separated, with a head; nothing stands where there is no value."""
    return str(_frame(subject).to_csv(index=False, lineterminator="\n"))


def parquet(subject: Subject) -> bytes:
    """Parquet, as pandas, DuckDB and Spark read it."""
    from sim.experiments.searching.documents import parquet as written

    return written(_frame(subject))


def _frame(subject: Subject) -> pd.DataFrame:
    import pandas as pd

    if subject.table not in TABLES:
        raise UsageError(f"unknown table '{subject.table}'{did_you_mean(subject.table, TABLES)}")
    frames = []
    for result in subject.results:
        records = result.records
        frame = records.request_frame() if subject.table == "requests" else records.message_frame()
        frame.insert(0, "variant", result.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
