"""One run: the loop that lets the interpreter run, and what Python does between its turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import calendar
from sim.compiled.beginning import begin
from sim.compiled.control import Control
from sim.compiled.coordination import Coordination
from sim.compiled.elasticity import Elasticity
from sim.compiled.events import log_at
from sim.compiled.faults import Faults
from sim.compiled.initial import state_of
from sim.compiled.interpreter import BUDGET_SPENT, DONE, MUST_GROW, ORDERED, TOO_MANY_TURNS, TURNS_AT_ONCE, run
from sim.compiled.nodes import NodesOfLogs
from sim.compiled.retention import Retention
from sim.compiled.room import Room
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import wheel
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.records import (
    candidate_records,
    event_records,
    message_records,
    request_records,
    span_records,
    stage_records,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.tables import AnyTable
from sim.compiled.rows.traffic import workloads
from sim.compiled.tasks import ALIVE
from sim.compiled.wiring import Wiring
from sim.models.stillness import Stillness, Turning
from sim.records.exemplars import Exemplars
from sim.records.row_sinks import RowSink
from sim.records.rows import copied, joined
from sim.records.tables import EVENT, SPAN, STAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.models.unnoticed import Late
    from sim.vocabulary import EventKind

FIRST_EVENTS = 2_000  # after these it is known how dense they are
EVENTS_AT_ONCE = 200_000  # events between two looks at progress and Ctrl-C
MANTISSA_BITS = 52
SHORTEST = 1e-6  # s; in which events are counted
LEAST_BUCKETS, BUCKETS_PER_EVENT = 64, 8  # of the wheel: most hold no event, or one


class Machine:
    """One run: its state, what was handed over of it, and the loop that lets the interpreter run."""

    def __init__(self, wiring: Wiring):
        self.wiring = wiring
        self.sink: RowSink = wiring.world.recorder.sink
        self.pieces: dict[AnyTable, list[NDArray[np.void]]] = {event_records: [], span_records: [], stage_records: []}
        self.exemplars = Exemplars() if wiring.scenario.record.spans == "exemplars" else None
        self.s = state_of(wiring)
        self.room = Room(self.s, wiring)
        self.stillness = Stillness(wiring.scenario)
        self.rows_seen = 0  # that had been written, and not been handed over yet, at the last look
        self.control = Control(self)
        self.faults = Faults(self.control)
        self.room.begin()
        self.elasticity = Elasticity(self.control)
        self.faults.take_over(self.elasticity)
        self.coordination = Coordination(self.elasticity)
        self.control.membership.begin_to_look()
        self.retention = Retention(self)
        self.nodes = NodesOfLogs(self)
        begin(self)

    # -- the loop ------------------------------------------------------------------------------------------------------

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Run to the end."""
        budget = FIRST_EVENTS
        while True:
            began = self.s.now
            reason = run(self.s, budget)
            self._look({BUDGET_SPENT: budget, TOO_MANY_TURNS: TURNS_AT_ONCE}.get(reason, 0))
            if reason == TOO_MANY_TURNS:
                continue
            if reason == MUST_GROW:
                self.grow()
                self._run_errand()
            elif reason == ORDERED:
                self.control.membership.obey(self.s.order)
                self.elasticity.tell_of_fleets()
                self.coordination.tell()
            else:
                if progress is not None:
                    progress(self.s.now)
                if reason == DONE:
                    return
                self.fit_wheel(budget, self.s.now - began)
                budget = min(4 * budget, EVENTS_AT_ONCE)

    def _run_errand(self) -> None:
        """Do what was asked for in the midst of a turn."""
        errand, self.s.errand = self.s.errand, NOBODY
        if errand >= 0:
            self.coordination.hear(errand)

    def _look(self, turns: int) -> None:
        """Whether time goes on.

        Where the interpreter does not say how many turns it took there was one at least for each row that it has
        written since the last look: it may return many times in one instant, for each check of a replica say.
        """
        s, rows = self.s, self._rows_written()
        turns = turns or max(1, s.redeliveries + rows - self.rows_seen)
        s.redeliveries, self.rows_seen = 0, rows
        sent = workloads.array(s)["arrived"].tolist()
        unfinished = s.size_of(requests) - requests.account(s).left
        if not self.stillness.goes_on(s.now, turns, sent, unfinished):
            raise self.stillness.error(sent, self._who_turns())

    def _rows_written(self) -> int:
        return sum(table.count(self.s).count for table in (request_records, message_records, event_records))

    def _who_turns(self) -> Turning:
        """The component of the task whose turn it is, or of one that waits for its turn or for an event.

        And the end of the last request.
        """
        s, names = self.s, self.wiring.world.recorder.names
        every, hosts = tasks.array(s), replicas.array(s)["host"]
        waiting = np.flatnonzero((every["life"] == ALIVE) & (every["held"] > 0) & (hosts[every["replica"]] >= 0))
        task = s.current if s.current >= 0 else int(waiting[0]) if waiting.size else NOBODY
        turning = Turning()
        if task >= 0:
            own = tasks(s)[task]
            host = replicas(s)[own.replica].host
            traffic = names[requests(s)[own.request].source] if own.request >= 0 else ""
            turning = Turning(self.wiring.hosts[host].name if host >= 0 else "", traffic)
        written = request_records.count(s).count
        if not written:
            return turning
        last = request_records(s)[written - 1]
        return replace(turning, where=names[last.where] if last.where >= 0 else "", outcome=last.outcome)

    def fit_wheel(self, events: int, seconds: float) -> None:
        """Make the buckets as wide as the time between two events, and eight for each that is to come.

        Not anew for a factor of two.
        """
        s = self.s
        # finer than the clock itself no bucket need be
        finest = MANTISSA_BITS - math.ceil(math.log2(max(self.wiring.scenario.duration, 1.0)))
        pace = 2.0 ** min(round(math.log2(events / max(seconds, SHORTEST))), finest)
        size = max(LEAST_BUCKETS, 1 << (BUCKETS_PER_EVENT * (s.heap_size + s.near_size)).bit_length())
        if 0.5 <= pace / (s.buckets_per_second or math.inf) <= 2 and 0.5 <= size / s.size_of(wheel) <= 2:
            return
        calendar.leave_wheel(s)
        self.room.new_wheel(size, pace)

    # -- what is handed over -------------------------------------------------------------------------------------------

    def grow(self) -> None:
        """Hand over the rows that are finished, and make room wherever it is short."""
        self.flush()
        self.room.make()

    def flush(self) -> None:
        """Hand over the rows that are finished."""
        s = self.s
        if self.exemplars is not None and candidate_records.count(s).count:
            self._choose(self.exemplars)
        self.sink.take_requests(self._written(request_records))
        self.sink.take_messages(self._written(message_records))
        for table, pieces in self.pieces.items():
            if table.count(s).count:
                pieces.append(copied(self._written(table)))
        self.rows_seen = 0

    def _written(self, table: AnyTable) -> NDArray[np.void]:
        """The rows that were appended, of which there are none from now on."""
        count = table.count(self.s)
        rows = table.array(self.s)[: count.count]
        count.count = 0
        return rows

    def _choose(self, exemplars: Exemplars) -> None:
        """Look through the requests that have closed for exemplars, and let the interpreter know who is none."""
        exemplars.add(*(self._written(table) for table in (candidate_records, span_records, stage_records)))
        self.s.slow, self.s.lucky = exemplars.slow, exemplars.lucky

    def flows(self) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Spans and stages of all requests, of the exemplars, or none."""
        if self.exemplars is not None:
            return self.exemplars.spans, self.exemplars.stages
        return joined(self.pieces[span_records], SPAN), joined(self.pieces[stage_records], STAGE)

    def events(self) -> NDArray[np.void]:
        """The event log as it was written; its subjects are places in the list of subjects."""
        return joined(self.pieces[event_records], EVENT)

    def renew(self, table: AnyTable, row: int) -> None:
        """Make a row of a policy what it was at time 0."""
        table.array(self.s)[row] = self.wiring.fresh[table][row]

    def tell(self, events: Iterable[Late]) -> None:
        """Note what is told after it happened."""
        for event in events:
            self.log(event.kind, event.subject, event.about, time=event.time)

    def log(
        self, kind: EventKind, subject: str, about: str = "", value: float = 0.0, time: float | None = None
    ) -> None:
        """Note something that Python did, now or at a time before."""
        wiring, s = self.wiring, self.s
        subject_at, about_at = wiring.subject(subject), wiring.subject(about) if about else -1
        log_at(s, s.now if time is None else time, int(kind), subject_at, about_at, value)
        if s.must_grow:
            self.flush()  # whoever tells of something may hold rows, which do not move meanwhile
