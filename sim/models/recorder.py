"""Writes down what happens: rows of requests, messages, spans and events, and the time series."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.models.clock import Clock
from sim.models.columns import Table
from sim.models.exemplars import ExemplarTables
from sim.models.outcomes import IN_FLIGHT
from sim.models.request import Request
from sim.models.task import Task
from sim.models.unnoticed import Late
from sim.records.row_sinks import RowSink, row_sink
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, STAGE, Series
from sim.spec.scenario import Scenario
from sim.vocabulary import EventKind, Stage

HAND_OVER = 4 * 2**20  # bytes of finished rows that are worth it


class Recorder:
    """The one place that tables, names and time series of a run are written."""

    def __init__(
        self,
        env: Clock,
        spans: Literal["none", "all", "exemplars"] = "none",
        warmup: float = 0.0,
        sink: RowSink | None = None,
    ):
        self.env = env
        self.sink = sink if sink is not None else row_sink(None)
        self.names: list[str] = []
        self._index: dict[str, int] = {}
        self.open: dict[Request, None] = {}  # not closed yet, in the order of arrival
        self.requests = Table(REQUEST)
        self.messages = Table(MESSAGE)
        self.events = Table(EVENT)
        self.exemplar_tables = ExemplarTables(warmup) if spans == "exemplars" else None
        self.spans: Table | None = (
            self.exemplar_tables.spans if self.exemplar_tables is not None else Table(SPAN) if spans == "all" else None
        )
        self.stages: Table | None = (
            self.exemplar_tables.stages
            if self.exemplar_tables is not None
            else Table(STAGE)
            if spans == "all"
            else None
        )
        self.next_flow = itertools.count().__next__
        self.next_message = itertools.count().__next__
        self._series: list[tuple[Series, Callable[[float], float]]] = []
        self.ticks: list[float] = []
        self.samples: list[list[float]] = []  # since the last block
        self._blocks: list[NDArray[np.float64]] = []
        self.areas: list[float] = []

    def name(self, text: str) -> int:
        """Index of a name, given out on first use."""
        if text not in self._index:
            self._index[text] = len(self.names)
            self.names.append(text)
        return self._index[text]

    def close(self, request: Request, pending: bool = False) -> None:
        """Write the row of a request: nothing alive relates to it any more, or the clock has stopped."""
        del self.open[request]
        answered = request.answered
        self.requests.append(
            request.id,
            request.arrival,
            request.end,
            request.completion,
            request.effects,
            request.user,
            request.item,
            request.source,
            request.route,
            request.where if answered else -1,
            request.attempts,
            request.outcome if answered else IN_FLIGHT,
            request.charges if request.charges < 255 else 255,
            request.reservations if request.reservations < 255 else 255,
            pending,
            request.needs != 0,
        )
        if self.exemplar_tables is not None:
            self.exemplar_tables.close(request)

    def flows(self) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Spans and stages of all requests, of the exemplars, or none. All requests must be closed."""
        if self.exemplar_tables is not None:
            return self.exemplar_tables.rows()
        if self.spans is None or self.stages is None:
            return np.empty(0, SPAN), np.empty(0, STAGE)
        return self.spans.rows(), self.stages.rows()

    def hand_over(self) -> None:
        """Give finished rows to the sink."""
        for table, take in ((self.requests, self.sink.take_requests), (self.messages, self.sink.take_messages)):
            take(table.rows())
            table.buffer = bytearray()

    def stage(self, task: Task, kind: Stage, place: int, seconds: float = 0.0, about: int = -1) -> None:
        """Note what a flow does from now on, where spans are kept and it is part of a request's way."""
        if self.stages is not None and task.flow >= 0:
            self.stages.append(task.request.id, task.flow, self.env.now, seconds, about, place, kind)

    def note(self, request: Request, flow: int, kind: Stage, place: int, about: int = -1) -> None:
        """The same of a flow that is no task: an event on its way."""
        if self.stages is not None and flow >= 0:
            self.stages.append(request.id, flow, self.env.now, 0.0, about, place, kind)

    def follow(self, request: Request, flow: int, place: int) -> int:
        """Note that something comes of a flow which goes on by itself; the number of that one, -1 where nothing is kept
        of it.
        """
        if self.stages is None or flow < 0:
            return -1
        child = self.next_flow()
        self.note(request, flow, Stage.FOLLOWED, place, child)
        return child

    def sent(self, task: Task, child: Task | None, place: int, attempt: int) -> None:
        """Note that a flow waits for an attempt from now on, which gets its number here; None: the attempt was lost on
        its way.
        """
        if task.flow >= 0:
            if child is not None:
                child.flow = self.next_flow()
            self.stage(
                task, Stage.RETRY if attempt else Stage.CALL, place, about=child.flow if child is not None else -1
            )

    def event(
        self, kind: EventKind, subject: str, about: str = "", value: float = 0.0, time: float | None = None
    ) -> None:
        """Note something worth telling, which has happened now, or at a time before."""
        self.events.append(
            self.env.now if time is None else time, kind, self.name(subject), self.name(about) if about else -1, value
        )

    def tell(self, events: Iterable[Late]) -> None:
        """Note what is told after it happened."""
        for event in events:
            self.event(event.kind, event.subject, event.about, time=event.time)

    def watch(
        self, component: str, quantity: str, kind: Literal["mean", "level", "total"], read: Callable[[float], float]
    ) -> None:
        """Register a time series: `read(now)` gives its level or total, or for a mean its integral since 0.

        While nothing happens ours give the same level or total at any time, and the integrals at many times at once
        (see `pass_still`).
        """
        self._series.append((Series(component, quantity, kind), read))
        self.areas.append(0.0)

    @property
    def series(self) -> tuple[Series, ...]:
        """All registered series, in order."""
        return tuple(series for series, _ in self._series)

    def tick(self) -> None:
        """Sample all series now."""
        if len(self.requests.buffer) + len(self.messages.buffer) > HAND_OVER:
            self.hand_over()
        now = self.env.now
        since = self.ticks[-1] if self.ticks else 0.0
        if now <= since and self.ticks:
            return
        row = []
        for index, (series, read) in enumerate(self._series):
            value = read(now)
            if series.kind == "mean":
                area, self.areas[index] = self.areas[index], value
                value = (value - area) / (now - since) if now > since else 0.0
            row.append(value)
        self.ticks.append(now)
        self.samples.append(row)

    @property
    def may_pass(self) -> bool:
        """Whether stillness may be passed over: a plug-in's series may read what changes without an event."""
        return all(read.__module__.startswith("sim.") for _, read in self._series)

    def pass_still(self, moments: NDArray[np.float64]) -> None:
        """Sample all series at these times, up to which nothing happens: what tick after tick would give, to the last
        bit, at once.
        """
        times: Any = moments  # what is read is arithmetic of the time, and as good for many as for one
        block = np.empty((moments.size, len(self._series)))
        widths = np.diff(moments, prepend=self.ticks[-1])
        with np.errstate(invalid="ignore"):  # of endless workers the mean is unknown
            for index, (series, read) in enumerate(self._series):
                values = np.broadcast_to(np.asarray(read(times), np.float64), moments.shape)
                if series.kind == "mean":
                    area, self.areas[index] = self.areas[index], float(values[-1])
                    values = np.diff(values, prepend=area) / widths
                block[:, index] = values
        self._end_block()
        self._blocks.append(block)
        self.ticks += moments.tolist()

    def gauges(self) -> NDArray[np.float64]:
        """A line for each tick, with a column for each series."""
        self._end_block()
        return np.concatenate(self._blocks)

    def _end_block(self) -> None:
        if self.samples:
            self._blocks.append(np.array(self.samples, np.float64))
            self.samples = []


def ticks_of(scenario: Scenario) -> list[float]:
    """When the time series are sampled after time 0: at every interval, at the end of the warm-up, and at the end."""
    interval = scenario.record.interval
    count = math.floor(scenario.duration / interval + 1e-9)
    moments = sorted({*(k * interval for k in range(1, count + 1)), scenario.warmup, scenario.duration} - {0.0})
    return [moment for moment in moments if moment <= scenario.duration]
