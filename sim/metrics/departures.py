"""What left a run when: answers by outcome and by whether they were in time, and orders as their last effect came to exist.

Who arrived before a span of time counts in it if he leaves in it, so that a full station shows the same rate whatever the span: throughput is a matter of
departures (Denning and Buzen, "The Operational Analysis of Queueing Network Models", 1978: X = C / T with C completions in the time observed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sample import Sample, in_time, promised
from sim.records.buckets import departure_lines
from sim.records.counted import Counts, Floats
from sim.records.lines import on_axis
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import PASSED, Outcome

Places = NDArray[np.integer]
_IN_TIME = 2  # whether an answer was, or was not


@dataclass(frozen=True)
class Left:
    """What left in neighbouring spans of time, counted."""

    routes: tuple[str, ...]
    ordering: NDArray[np.bool_]  # (routes,) whether effects are expected of any request on it, in the whole run
    answers: Counts  # (spans, routes, outcomes, 2): the last: not in time, in time
    completions: Counts  # (spans, routes)

    def span(self, place: int) -> Left:
        """One of the spans."""
        return Left(self.routes, self.ordering, self.answers[place : place + 1], self.completions[place : place + 1])

    def on_route(self, route: str) -> Left:
        """What left on this route."""
        its = np.array([name == route for name in self.routes], dtype=bool)
        return Left(self.routes, self.ordering & its, self.answers * its[None, :, None, None], self.completions * its)

    @property
    def by_outcome(self) -> Counts:
        """(spans, outcomes)"""
        return np.asarray(self.answers.sum(axis=(1, 3)))

    @property
    def served(self) -> Counts:
        """(spans,) answered ok, degraded or refused."""
        return np.asarray(self.by_outcome[:, list(PASSED)].sum(axis=1))

    @property
    def in_time(self) -> Counts:
        """(spans,) answered ok, and no later than the route promised."""
        return np.asarray(self.answers[:, :, Outcome.OK, 1].sum(axis=1))

    @property
    def completed(self) -> Counts:
        """(spans,) orders whose last effect came, whatever the client was told."""
        return np.asarray(self.completions.sum(axis=1))

    @property
    def expected(self) -> bool:
        """Whether there are orders at all."""
        return bool(self.ordering.any())


class Departures:
    """All that left a run, to be counted by spans of time."""

    def __init__(self, records: Records, scenario: Scenario, everyone: Sample) -> None:
        self._duration = records.duration
        self._count: Counts | None = None
        self._done_count: Counts | None = None
        ordering = everyone.orders.route
        if (summary := records.summary) is not None:
            cells, completed = summary.departures, summary.completions
            route, outcome = cells["route"], cells["outcome"]
            objective = promised(records, scenario, cells["source"], route)[0]
            self._moment, self._count = summary.leaving[cells["interval"]], cells["count"]
            response = summary.within[cells["bucket"]]
            self._done, self._done_count, done_route = summary.leaving[completed["interval"]], completed["count"], completed["route"]
        else:
            answers, rows = everyone.answers, records.requests
            route, outcome, response, objective = answers.route, answers.outcome, answers.response, answers.latency_objective
            self._moment = np.ascontiguousarray(rows["end"])
            done, done_route = np.ascontiguousarray(rows["completion"]), ordering
            self._done = done if ordering.size == done.size else done[rows["expects"]]
        known, ordered = (_occurring(column, len(records.names)) for column in (route, ordering))
        present = np.flatnonzero(known | ordered)
        place = np.zeros(known.size, dtype=np.int32)
        place[present] = np.arange(present.size)
        self.routes, self._ordering = tuple((*records.names, "")[index] for index in present), ordered[present]
        self._done_route = place[done_route]
        self._kind = (place[route] * len(Outcome) + outcome) * _IN_TIME + in_time(response, objective)

    def between(self, edges: Floats) -> Left:
        """Of each span from one edge up to the next; the last edge belongs to none."""
        lines = departure_lines(edges, self._duration)
        shape = (lines.size - 1, len(self.routes), len(Outcome), _IN_TIME)
        answers = _counted(lines, self._moment, self._kind, int(np.prod(shape[1:])), self._count)
        completions = _counted(lines, self._done, self._done_route, len(self.routes), self._done_count)
        return Left(self.routes, self._ordering, answers.reshape(shape), completions)


def _occurring(column: NDArray[np.int16], names: int) -> NDArray[np.bool_]:
    """(names + 1,) which indices into names a column has; the last is that of no name, -1."""
    found = np.zeros(names + 1, dtype=bool)
    found[column] = True
    return found


def _counted(lines: Floats, moments: Floats, kinds: Places, n: int, counts: Counts | None) -> Counts:
    """(spans, n) how many of each kind lie between neighbouring lines."""
    spans = lines.size - 1
    inside = (moments >= lines[0]) & (moments < lines[-1])
    kinds = kinds[inside]
    if spans > 1:
        kinds = (on_axis(lines, "right").place(moments[inside]) - 1) * n + kinds
    found = np.bincount(kinds, weights=None if counts is None else counts[inside], minlength=spans * n)
    return np.asarray(found, dtype=np.int64).reshape(spans, n)
