"""What becomes of the rows that an engine has finished: all are kept, or they are made into a summary and forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
    digests: tuple[str, str]  # of the rows of requests and of messages
    summary: Summary | None = None

    def outcomes(self, source: int) -> NDArray[np.int64]:
        """How many requests of a source ended in each way, by Outcome."""
        rows = self.requests if self.summary is None else self.summary.answers
        its = rows["source"] == source
        weights = None if self.summary is None else rows["count"][its]
        return np.bincount(rows["outcome"][its], weights=weights, minlength=len(Outcome)).astype(np.int64)


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

    def take_requests(self, rows: Rows) -> None:
        self._requests.take(rows)

    def take_messages(self, rows: Rows) -> None:
        self._messages.take(rows)

    def finish(self) -> Kept:
        return Kept(self._requests.rows(), self._messages.rows(), (self._requests.digest(), self._messages.digest()))


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
        return Kept(np.empty(0, REQUEST), np.empty(0, MESSAGE), summary.digests, summary)
