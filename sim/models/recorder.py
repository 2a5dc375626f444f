"""Writes down what happens: rows of requests, messages, spans and events, and the time series."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, Series
from sim.vocabulary import EventKind, Outcome

if TYPE_CHECKING:
    from sim.models.request import Request

IN_FLIGHT = int(Outcome.IN_FLIGHT)
NUMBER_BITS = 40  # a request id is (digest of its source << 40) | running number: only the number fits a float
NUMBER_MASK = (1 << NUMBER_BITS) - 1


class Table:
    """Rows of numbers, appended flat to an array of doubles and folded into a structured array now and then.

    A request id does not fit a double: a row holds its running number, and after its last column the source of the request, whose
    high bits are put back when rows are folded. `entity` names the column of the id; without one a row has no such extra.
    """

    def __init__(self, dtype: np.dtype[np.void], entity: str = "", bases: dict[int, int] | None = None, flush_rows: int = 65536):
        self.dtype = dtype
        self.entity = entity
        self.bases = bases if bases is not None else {}
        self.width = len(dtype.names or ()) + bool(entity)
        self.limit = flush_rows * self.width
        self.buffer = array("d")
        self.chunks: list[NDArray[np.void]] = []

    def append(self, row: tuple[float, ...]) -> None:
        """Add one row; its values stand in the order of the dtype and fit a double."""
        self.buffer.extend(row)
        if len(self.buffer) >= self.limit:
            self._fold()

    def rows(self) -> NDArray[np.void]:
        """All rows so far, shape (n,)."""
        self._fold()
        self.chunks = [np.concatenate(self.chunks)] if self.chunks else [np.empty(0, self.dtype)]
        return self.chunks[0]

    def _fold(self) -> None:
        if not self.buffer:
            return
        flat = np.frombuffer(self.buffer, np.float64).reshape(-1, self.width)
        chunk = np.empty(len(flat), self.dtype)
        for index, name in enumerate(self.dtype.names or ()):
            chunk[name] = flat[:, index]
        if self.entity:
            source = flat[:, -1]
            for index, base in self.bases.items():
                chunk[self.entity][source == index] += base
        self.chunks.append(chunk)
        self.buffer = array("d")


class Recorder:
    """The one place that tables, names and time series of a run are written."""

    def __init__(self, env: simpy.Environment, spans: bool):
        self.env = env
        self.names: list[str] = []
        self._index: dict[str, int] = {}
        self.open: dict[Request, None] = {}  # not closed yet, in the order of arrival
        self.bases: dict[int, int] = {}  # source (index into names) -> the high bits of its request ids
        self.requests = Table(REQUEST, "id", self.bases)
        self.messages = Table(MESSAGE, "request", self.bases)
        self.events = Table(EVENT)
        self.spans = Table(SPAN, "request", self.bases) if spans else None
        self._series: list[tuple[Series, Callable[[float], float]]] = []
        self.ticks: list[float] = []
        self.samples: list[list[float]] = []
        self._areas: list[float] = []

    def name(self, text: str) -> int:
        """Index of a name, given out on first use."""
        if text not in self._index:
            self._index[text] = len(self.names)
            self.names.append(text)
        return self._index[text]

    def close(self, request: Request, pending: bool = False) -> None:
        """Write the row of a request: nothing alive relates to it any more, or the clock has stopped."""
        del self.open[request]
        answered = request.end == request.end
        self.requests.append(
            (
                request.id & NUMBER_MASK,
                request.arrival,
                request.end,
                request.completion,
                request.effects,
                request.user,
                request.item,
                request.source,
                request.door.route,
                request.where if answered else -1,
                request.attempts,
                request.outcome if answered else IN_FLIGHT,
                request.charges if request.charges < 255 else 255,
                request.reservations if request.reservations < 255 else 255,
                pending,
                request.needs != 0,
                request.source,
            )
        )

    def event(self, kind: EventKind, subject: str, about: str = "", value: float = 0.0) -> None:
        """Note something worth telling."""
        self.events.append((self.env.now, kind, self.name(subject), self.name(about) if about else -1, value))

    def watch(self, component: str, quantity: str, kind: Literal["mean", "level", "total"], read: Callable[[float], float]) -> None:
        """Register a time series: `read(now)` gives its level or total, or for a mean its integral since 0."""
        self._series.append((Series(component, quantity, kind), read))
        self._areas.append(0.0)

    @property
    def series(self) -> tuple[Series, ...]:
        """All registered series, in order."""
        return tuple(series for series, _ in self._series)

    def tick(self) -> None:
        """Sample all series now."""
        now = self.env.now
        since = self.ticks[-1] if self.ticks else 0.0
        if now <= since and self.ticks:
            return
        row = []
        for index, (series, read) in enumerate(self._series):
            value = read(now)
            if series.kind == "mean":
                area, self._areas[index] = self._areas[index], value
                value = (value - area) / (now - since) if now > since else 0.0
            row.append(value)
        self.ticks.append(now)
        self.samples.append(row)
