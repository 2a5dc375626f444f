"""What becomes of the rows that an engine has finished: all are kept, or they are made into a summary and forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sim.records.counted import Counts
from sim.records.rows import Rows, bytes_of
from sim.records.summarizing import Summarizer
from sim.records.summary import Plan, Summary
from sim.records.tables import MESSAGE, REQUEST
from sim.vocabulary import Outcome


@dataclass(frozen=True)
class Kept:
    """What there is at the end of a run: rows, or a summary of them."""

    requests: Rows
    messages: Rows
    ended: Counts  # (sources, outcomes) how many requests of a source ended in each way
    digests: tuple[str, str]  # of the rows of requests and of messages
    summary: Summary | None = None

    def outcomes(self, source: int) -> Counts:
        """How many requests of a source ended in each way, by Outcome."""
        return self.ended[source] if source < len(self.ended) else np.zeros(len(Outcome), dtype=np.int64)


def ends_by_source(rows: Rows) -> Counts:
    """(sources, outcomes) how many there are of each in rows with a source and an outcome, and maybe a count."""
    kinds = rows["source"].astype(np.int64) * len(Outcome) + rows["outcome"]
    counts = np.bincount(kinds, weights=rows["count"] if "count" in (rows.dtype.names or ()) else None)
    whole = np.zeros(-(-counts.size // len(Outcome)) * len(Outcome), dtype=np.int64)
    whole[: counts.size] = counts
    return whole.reshape(-1, len(Outcome))


class RowSink(Protocol):
    """Takes finished rows as they come, in the order in which they ended. They may be overwritten afterwards."""

    def take_requests(self, rows: Rows) -> None:
        """Rows of REQUEST."""

    def take_messages(self, rows: Rows) -> None:
        """Rows of MESSAGE."""

    def finish(self) -> Kept:
        """What has been kept. No more is taken afterwards."""


def row_sink(plan: Plan | None) -> RowSink:
    """A sink of rows, or with a plan one of a summary."""
    return _Rows() if plan is None else _Summary(plan)


class _Rows:
    """All rows."""

    def __init__(self) -> None:
        self._requests, self._messages = _Table(REQUEST), _Table(MESSAGE)
        self._ended = np.zeros((0, len(Outcome)), dtype=np.int64)

    def take_requests(self, rows: Rows) -> None:
        self._requests.take(rows)
        found = ends_by_source(rows)  # piece by piece, while it is in the cache of a processor
        fewer, more = sorted((self._ended, found), key=len)
        more[: len(fewer)] += fewer
        self._ended = more

    def take_messages(self, rows: Rows) -> None:
        self._messages.take(rows)

    def finish(self) -> Kept:
        digests = (self._requests.digest(), self._messages.digest())
        return Kept(self._requests.rows(), self._messages.rows(), self._ended, digests)


class _Table:
    """Rows one behind the other in memory that grows where it is, so that nothing stands there twice, and
    their digest.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype, self._bytes, self._digest = dtype, bytearray(), hashlib.sha256()

    def take(self, rows: Rows) -> None:
        piece = bytes_of(rows)
        self._bytes += piece
        self._digest.update(piece)

    def rows(self) -> Rows:
        """All of them, which nobody can write to: the digest holds good."""
        table = np.frombuffer(self._bytes, self._dtype)
        table.flags.writeable = False
        return table

    def digest(self) -> str:
        return self._digest.hexdigest()


class _Summary:
    """Cells."""

    def __init__(self, plan: Plan) -> None:
        self._summarizer = Summarizer(plan)

    def take_requests(self, rows: Rows) -> None:
        self._summarizer.requests.add(rows)

    def take_messages(self, rows: Rows) -> None:
        self._summarizer.messages.add(rows)

    def finish(self) -> Kept:
        summary = self._summarizer.summary()
        ended = ends_by_source(summary.answers)
        return Kept(np.empty(0, REQUEST), np.empty(0, MESSAGE), ended, summary.digests, summary)
