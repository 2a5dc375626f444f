"""What becomes of the rows that an engine has finished: all are kept, or they are made into a summary and forgotten."""

from __future__ import annotations

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
    summary: Summary | None = None

    def outcomes(self, source: int) -> NDArray[np.int64]:
        """How many requests of a source ended in each way, by Outcome."""
        rows = self.requests if self.summary is None else self.summary.answers
        its = rows["source"] == source
        weights = None if self.summary is None else rows["count"][its]
        return np.bincount(rows["outcome"][its], weights=weights, minlength=len(Outcome)).astype(np.int64)


class Keeper(Protocol):
    """Takes finished rows as they come, in the order in which they ended. They may be overwritten afterwards."""

    def take_requests(self, rows: Rows) -> None:
        """Rows of REQUEST."""

    def take_messages(self, rows: Rows) -> None:
        """Rows of MESSAGE."""

    def finish(self) -> Kept:
        """What has been kept. No more is taken afterwards."""


def keeper(plan: Plan | None) -> Keeper:
    """A keeper of rows, or with a plan one of a summary."""
    return _Rows() if plan is None else _Summary(plan)


class _Rows:
    """All rows, one behind the other in memory that grows where it is, so that nothing stands there twice."""

    def __init__(self) -> None:
        self._requests, self._messages = bytearray(), bytearray()

    def take_requests(self, rows: Rows) -> None:
        self._requests += bytes_of(rows)

    def take_messages(self, rows: Rows) -> None:
        self._messages += bytes_of(rows)

    def finish(self) -> Kept:
        return Kept(np.frombuffer(self._requests, REQUEST), np.frombuffer(self._messages, MESSAGE))


class _Summary:
    """Cells."""

    def __init__(self, plan: Plan) -> None:
        self._summarizer = Summarizer(plan)

    def take_requests(self, rows: Rows) -> None:
        self._summarizer.requests.add(rows)

    def take_messages(self, rows: Rows) -> None:
        self._summarizer.messages.add(rows)

    def finish(self) -> Kept:
        return Kept(np.empty(0, REQUEST), np.empty(0, MESSAGE), self._summarizer.summary())
