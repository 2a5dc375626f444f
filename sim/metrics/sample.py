"""The requests of a run on both clocks, with what their route promised and their client would bear.

What is *not* here: any figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.records.counted import Answers, Counts, Floats, Mask, Orders, Requests, chosen, on_both_clocks
from sim.records.tables import Records
from sim.spec.promises import APDEX_T, ROUNDING, objective_of, patience_of
from sim.spec.scenario import Scenario
from sim.stats.quantile import Durations
from sim.vocabulary import Outcome


@dataclass(frozen=True)
class Judged(Answers):
    """Requests, on the clock of their answer, and by what they are judged. Times in seconds."""

    latency_objective: Floats  # nan: none
    availability_objective: Floats  # nan: none
    satisfying: Floats  # T of Apdex
    patience: Floats

    @cached_property
    def authorized(self) -> Mask:
        """Those that availability counts, once it is known how they ended."""
        return ~self.ended(Outcome.UNAUTHORIZED)

    @cached_property
    def judged(self) -> Mask:
        """Those by which one tells whether a system has recovered: who is in flight and has waited for longer than his
        patience has failed.
        """
        return self.authorized & ~(self.in_flight & (self.age < self.patience))


@dataclass(frozen=True)
class Sample:
    """Some requests, and those of them of which effects are expected."""

    answers: Judged
    orders: Orders

    def arrived(self, begin: float, end: float) -> Sample:
        """Those that arrived in [begin, end)."""
        return self._of(self.answers.arrived(begin, end), self.orders.arrived(begin, end))

    @property
    def in_order(self) -> bool:
        """Whether they stand in the order of their arrival."""
        return self.answers.in_order and self.orders.in_order

    @cached_property
    def by_arrival(self) -> Sample:
        """The same in the order of arrival."""
        return self._of(self.answers.by_arrival, self.orders.by_arrival)

    def on_route(self, route: int) -> Sample:
        """Those of one route, by its index into names."""
        return self._of(self.answers.where(self.answers.route == route), self.orders.where(self.orders.route == route))

    def _of(self, answers: Judged, orders: Orders) -> Sample:
        """This very sample where those are all of it, so that what is known of it need not be found again."""
        return self if answers is self.answers and orders is self.orders else Sample(answers, orders)

    @cached_property
    def response(self) -> Durations:
        """To the answer, of those answered ok or degraded."""
        mask = self.answers.answered & self.answers.good
        return self.response_all if np.array_equal(mask, self.answers.answered) else self._answered(mask)

    @cached_property
    def response_all(self) -> Durations:
        """To the answer, of those that have one."""
        return self._answered(self.answers.answered)

    @cached_property
    def completion(self) -> Durations:
        """Of orders, to their last effect."""
        orders, done, open_ = self.orders, self.orders.finished, self.orders.unfinished
        values, counts, widths = _times_of(orders, orders.completion, orders.completion_bucket, done)
        unfinished = orders.counts(open_), orders.widths(orders.arrival_width, open_)
        return Durations(values, orders.age[open_], counts, unfinished[0], widths, unfinished[1])

    def _answered(self, mask: Mask) -> Durations:
        answers = self.answers
        values, counts, widths = _times_of(answers, answers.response, answers.response_bucket, mask)
        return Durations(values, np.empty(0), counts, widths=widths)

    def seen_at(self, answers: float | Floats, orders: float | Floats) -> Sample:
        """The same, as old as they are at another end of the run, or each of them at an end of its own."""
        return Sample(replace(self.answers, until=answers), replace(self.orders, until=orders))


@dataclass(frozen=True)
class Parts:
    """A sample by neighbouring spans of time: who arrived in each of them, as old as they were at its end."""

    sample: Sample  # in the order of arrival, where there are several spans
    edges: Floats  # (spans + 1,) s; all of the sample arrived between the first and the last

    @classmethod
    def of(cls, sample: Sample, edges: Floats) -> Parts:
        """The sample between these edges. Where they are but two it must be seen at the second of them already."""
        if edges.size == 2:
            return cls(sample, edges)
        sample = sample.by_arrival
        until = (its.arrival.searchsorted(edges) for its in (sample.answers, sample.orders))
        return cls(sample.seen_at(*(np.repeat(edges[1:], np.diff(its)) for its in until)), edges)

    def on_route(self, route: int) -> Parts:
        """Those of one route, by its index into names."""
        its = self.sample.on_route(route)
        return self if its is self.sample else Parts(its, self.edges)

    @property
    def widths(self) -> Floats:
        """(spans,) s; how long each is."""
        return np.diff(self.edges)

    @cached_property
    def answers(self) -> tuple[slice, ...]:
        """(spans,) where the answers of each stand."""
        return self._slices(self.sample.answers)

    @cached_property
    def orders(self) -> tuple[slice, ...]:
        """(spans,) where the orders of each stand."""
        return self._slices(self.sample.orders)

    @cached_property
    def by_outcome(self) -> Counts:
        """(spans, outcomes) how many ended in each way."""
        answers, n = self.sample.answers, len(Outcome)
        return np.array([answers.at(span).bins(answers.outcome[span], n) for span in self.answers])

    @cached_property
    def ordered(self) -> Counts:
        """(spans,) how many there are of which effects are expected."""
        orders = self.sample.orders
        every = np.ones(orders.arrival.size, dtype=bool)
        return np.array([orders.total(every, span) for span in self.orders])

    def total(self, mask: Mask) -> Counts:
        """(spans,) how many answers there are for which the mask holds."""
        answers = self.sample.answers
        return np.array([answers.total(mask, span) for span in self.answers])

    def _slices(self, requests: Requests) -> tuple[slice, ...]:
        if self.edges.size == 2:
            return (slice(0, requests.arrival.size),)
        return tuple(slice(*pair) for pair in pairwise(requests.arrival.searchsorted(self.edges).tolist()))


def sample_of(records: Records, scenario: Scenario) -> Sample:
    """All requests of the run, warm-up included."""
    answers, orders = on_both_clocks(records)
    promised = Promised(records, scenario, answers.source, answers.route)
    columns = {field.name: getattr(answers, field.name) for field in fields(Answers)}
    judged = Judged(
        **columns,
        latency_objective=promised.latency,
        availability_objective=promised.availability,
        satisfying=promised.satisfying,
        patience=promised.patience,
    )
    return Sample(judged, orders)


class Promised:
    """What was promised to each request, by its source and route; where all have one source and one route, one number
    stands for all of them.
    """

    def __init__(
        self, records: Records, scenario: Scenario, source: NDArray[np.int16], route: NDArray[np.int16]
    ) -> None:
        (sources, its_source), (routes, its_route) = _coded(source, records.names), _coded(route, records.names)
        self._traffic = [scenario.traffic.get(name) for name in sources]
        self._objectives = [[objective_of(scenario, client, name) for name in routes] for client in self._traffic]
        self._place, self._size = its_source * len(routes) + its_route, source.size

    @cached_property
    def latency(self) -> Floats:
        """s; nan: no objective."""
        return self._spread([_or_nan(objective.latency) for row in self._objectives for objective in row])

    @cached_property
    def availability(self) -> Floats:
        """A share; nan: no objective."""
        return self._spread([_or_nan(objective.availability) for row in self._objectives for objective in row])

    @cached_property
    def satisfying(self) -> Floats:
        """s; T of Apdex."""
        return self._spread(
            [
                APDEX_T if objective.latency is None else objective.latency
                for row in self._objectives
                for objective in row
            ]
        )

    @cached_property
    def patience(self) -> Floats:
        """s; of the client."""
        return self._spread(
            [patience_of(client) for client, row in zip(self._traffic, self._objectives, strict=True) for _ in row]
        )

    def _spread(self, values: list[float]) -> Floats:
        return (
            np.broadcast_to(values[0], self._size)
            if len(values) == 1
            else np.array(values, dtype=np.float64)[self._place]
        )


def _times_of(
    requests: Requests, times: Floats, bucket: Counts | None, mask: Mask
) -> tuple[Floats, Counts | None, Floats | None]:
    """Times of those for which the mask holds, how many have each, and how wide each is.

    Of cells it is one line for each bucket, of which there are hundreds of times fewer.
    """
    if bucket is None or requests.buckets is None:
        return chosen(times, mask), requests.counts(mask), None
    per_bucket = requests.bins(bucket[mask], 0, mask)
    found = np.flatnonzero(per_bucket)
    return requests.buckets.times[found], per_bucket[found], requests.buckets.widths[found]


def thin(column: Floats) -> Floats:
    """A single number where one stands for all, to reckon with in its place."""
    return column[:1] if column.strides == (0,) else column


def in_time(response: Floats, objective: Floats) -> Mask:
    """Whether an answer came no later than promised; where nothing is promised (nan), every answer is in time."""
    return ~(response > thin(objective) + ROUNDING)


def _coded(column: NDArray[np.int16], names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64] | int]:
    """The few names that occur in a column of indices, and the place of each row's name among them. -1 is no name, and
    comes last.
    """
    if column.size and column.min() == column.max():
        return [(*names, "")[column[0]]], 0
    indices = column.astype(np.int64)
    present = np.flatnonzero(np.bincount(indices % (len(names) + 1), minlength=len(names) + 1))
    place = np.zeros(len(names) + 1, dtype=np.int64)
    place[present] = np.arange(present.size)
    return [(*names, "")[index] for index in present], place[indices]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
