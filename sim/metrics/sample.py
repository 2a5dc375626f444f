"""The requests of a run on both clocks, with what their route promised and their client would bear. What is *not* here: any figure."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.records.counted import Answers, Floats, Mask, Orders, answers, orders
from sim.records.tables import Records
from sim.spec.promises import ROUNDING, objective_of, patience_of
from sim.spec.scenario import Scenario
from sim.stats.quantile import Durations
from sim.vocabulary import Outcome


@dataclass(frozen=True)
class Judged(Answers):
    """Requests, on the clock of their answer, and by what they are judged. Times in seconds."""

    latency_objective: Floats  # nan: none
    availability_objective: Floats  # nan: none
    patience: Floats

    @cached_property
    def authorized(self) -> Mask:
        """Those that availability counts, once it is known how they ended."""
        return ~self.ended(Outcome.UNAUTHORIZED)

    @cached_property
    def judged(self) -> Mask:
        """Those by which one tells whether a system has recovered: who is in flight and has waited for longer than his patience has failed."""
        return self.authorized & ~(self.in_flight & (self.age < self.patience))


@dataclass(frozen=True)
class Sample:
    """Some requests, and those of them of which effects are expected."""

    answers: Judged
    orders: Orders

    def arrived(self, begin: float, end: float) -> Sample:
        """Those that arrived in [begin, end)."""
        return self._of(self.answers.arrived(begin, end), self.orders.arrived(begin, end))

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
        return self.response_all if mask.all() else self._answered(mask)

    @cached_property
    def response_all(self) -> Durations:
        """To the answer, of those that have one."""
        return self._answered(self.answers.answered)

    @cached_property
    def completion(self) -> Durations:
        """Of orders, to their last effect."""
        orders, done, open_ = self.orders, self.orders.finished, self.orders.unfinished
        widths = orders.widths(orders.completion_width, done), orders.widths(orders.arrival_width, open_)
        return Durations(orders.completion[done], orders.age[open_], orders.counts(done), orders.counts(open_), *widths)

    def _answered(self, mask: Mask) -> Durations:
        answers, none = self.answers, np.zeros(mask.shape, dtype=bool)
        widths = answers.widths(answers.response_width, mask), answers.widths(answers.response_width, none)
        return Durations(answers.response[mask], answers.response[none], answers.counts(mask), answers.counts(none), *widths)

    def seen_at(self, end: float) -> Sample:
        """The same, as old as they are at another end of the run."""
        return Sample(replace(self.answers, age=end - self.answers.arrival), replace(self.orders, age=end - self.orders.arrival))


def sample_of(records: Records, scenario: Scenario) -> Sample:
    """All requests of the run, warm-up included."""
    found = answers(records)
    latency, availability, patience = promised(records, scenario, found.source, found.route)
    columns = {field.name: getattr(found, field.name) for field in fields(Answers)}
    return Sample(Judged(**columns, latency_objective=latency, availability_objective=availability, patience=patience), orders(records))


def promised(records: Records, scenario: Scenario, source: NDArray[np.int16], route: NDArray[np.int16]) -> tuple[Floats, Floats, Floats]:
    """The latency and availability objective and the patience of each request, by its source and route."""
    sources, its_source = _coded(source, records.names)
    targets, its_target = _coded(route, records.names)
    traffic = [scenario.traffic.get(name) for name in sources]
    promises = [[objective_of(scenario, client, name) for name in targets] for client in traffic]
    shape = (len(sources), len(targets))
    latency = np.array([[_or_nan(promise.latency) for promise in row] for row in promises], dtype=np.float64).reshape(shape)
    availability = np.array([[_or_nan(promise.availability) for promise in row] for row in promises], dtype=np.float64).reshape(shape)
    patience = np.array([patience_of(client) for client in traffic], dtype=np.float64)
    return latency[its_source, its_target], availability[its_source, its_target], patience[its_source]


def in_time(response: Floats, objective: Floats) -> Mask:
    """Whether an answer came no later than promised; where nothing is promised (nan), every answer is in time."""
    return ~(response > objective + ROUNDING)


def _coded(column: NDArray[np.int16], names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """The few names that occur in a column of indices, and the place of each row's name among them. -1 is no name, and comes last."""
    indices = column.astype(np.int64)
    present = np.flatnonzero(np.bincount(indices % (len(names) + 1), minlength=len(names) + 1))
    place = np.zeros(len(names) + 1, dtype=np.int64)
    place[present] = np.arange(present.size)
    return [(*names, "")[index] for index in present], place[indices]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
