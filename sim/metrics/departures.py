"""What left a run when: answers by outcome and by whether they were in time, and orders as their last effect came to
exist.

Who arrived before a span of time counts in it if he leaves in it, so that a full station shows the same rate whatever
the span: throughput is a matter of departures (Denning and Buzen, "The Operational Analysis of Queueing Network
Models", 1978: X = C / T with C completions in the time observed).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sample import Promised, Sample, in_time
from sim.records.buckets import departure_lines
from sim.records.counted import Counts, Floats
from sim.records.lines import ascending
from sim.records.rows import columns_of
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
        answers, ordering = everyone.answers, everyone.orders.route
        count, done_count = None, None
        if (summary := records.summary) is not None:
            cells, completed = columns_of(summary.departures), columns_of(summary.completions)
            route, outcome, count = cells["route"], cells["outcome"], cells["count"]
            objective = Promised(records, scenario, cells["source"], route).latency
            moment, response = summary.leaving[cells["interval"]], summary.within[cells["bucket"]]
            done, done_route, done_count = (
                summary.leaving[completed["interval"]],
                completed["route"],
                completed["count"],
            )
        else:
            route, outcome, response, objective = (
                answers.route,
                answers.outcome,
                answers.response,
                answers.latency_objective,
            )
            ends = columns_of(records.requests, ("end", "completion") if ordering.size else ("end",))
            moment, done, done_route = ends["end"], ends.get("completion", np.empty(0)), ordering
            done = done if ordering.size == done.size else done[records.requests["expects"]]
        known, ordered = (_occurring(column, len(records.names)) for column in (route, ordering))
        present = np.flatnonzero(known | ordered)
        places = np.zeros(known.size, dtype=np.int32)
        places[present] = np.arange(present.size)
        self.routes, self._ordering = tuple((*records.names, "")[index] for index in present), ordered[present]
        place, done_place = (
            places[column] if present.size > 1 else np.broadcast_to(np.int32(0), column.shape)
            for column in (route, done_route)
        )
        kind = (place * len(Outcome) + outcome) * _IN_TIME + in_time(response, objective)
        self._answers = _Tally(moment, kind, present.size * len(Outcome) * _IN_TIME, count)
        self._completions = _Tally(done, done_place, present.size, done_count)

    def between(self, edges: Floats) -> Left:
        """Of each span from one edge up to the next; the last edge belongs to none."""
        lines = departure_lines(edges, self._duration)
        shape = (lines.size - 1, len(self.routes), len(Outcome), _IN_TIME)
        return Left(
            self.routes, self._ordering, self._answers.between(lines).reshape(shape), self._completions.between(lines)
        )


class _Tally:
    """How many of each kind there were when."""

    def __init__(self, moments: Floats, kinds: Places, n: int, counts: Counts | None) -> None:
        order = slice(None) if ascending(moments) else np.argsort(moments)
        self._moments, self._kinds, self._n = moments[order], kinds[order], n
        self._counts = None if counts is None else counts[order]

    def between(self, lines: Floats) -> Counts:
        """(spans, kinds) how many of each kind lie between neighbouring lines."""
        until = self._moments.searchsorted(lines)
        found = np.empty((lines.size - 1, self._n), dtype=np.int64)
        for place, (first, last) in enumerate(pairwise(until.tolist())):
            weights = None if self._counts is None else self._counts[first:last]
            found[place] = np.bincount(self._kinds[first:last], weights=weights, minlength=self._n)
        return found


def _occurring(column: NDArray[np.int16], names: int) -> NDArray[np.bool_]:
    """(names + 1,) which indices into names a column has; the last is that of no name, -1."""
    found = np.zeros(names + 1, dtype=bool)
    found[column[:1] if column.size and column.min() == column.max() else column] = True
    return found
