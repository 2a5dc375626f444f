"""The requests of a run as plain columns, with what their route promised and their client would bear. What is *not* here: any figure."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.traffic import Objective, Traffic
from sim.vocabulary import GOOD, Outcome

PATIENCE = 10.0  # s; how long a request may be in flight at the end and still be called neither good nor bad, where its client has no timeout
ROUNDING = 1e-9  # s; a time is a difference of two clocks, whose last digits are noise: 0.1 s is within an objective of 100 ms wherever it happens

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Some requests, one value each per column. All times are seconds."""

    arrival: Floats
    response: Floats  # from arrival to the answer; nan: not answered
    completion: Floats  # from arrival to the last effect; nan: incomplete or none expected
    age: Floats  # from arrival to the end of the run
    outcome: NDArray[np.int8]
    route: NDArray[np.int16]
    expects: Mask
    pending: Mask
    latency_objective: Floats  # nan: none
    availability_objective: Floats  # nan: none
    patience: Floats

    def where(self, mask: Mask) -> Sample:
        """Those for which the mask holds."""
        return self if mask.all() else Sample(*(getattr(self, field.name)[mask] for field in fields(self)))

    def arrived(self, begin: float, end: float) -> Sample:
        """Those that arrived in [begin, end)."""
        return self.where((self.arrival >= begin) & (self.arrival < end))

    def __len__(self) -> int:
        return self.arrival.size

    @cached_property
    def good(self) -> Mask:
        """Answered ok or degraded."""
        return self.ended(*GOOD)

    @cached_property
    def served(self) -> Mask:
        """Answered ok, degraded or refused: the system did what it should."""
        return self.ended(*GOOD, Outcome.REFUSED)

    @cached_property
    def judged(self) -> Mask:
        """Those that availability counts: not the unauthorized, and not those in flight whose client would still wait."""
        return ~(self.ended(Outcome.UNAUTHORIZED) | (self.ended(Outcome.IN_FLIGHT) & (self.age < self.patience)))

    @cached_property
    def finished(self) -> Mask:
        """Orders whose effects all exist."""
        return self.expects & ~np.isnan(self.completion)

    @cached_property
    def unfinished(self) -> Mask:
        """Orders that should be complete, or become so: answered ok or degraded or still in flight, and incomplete."""
        return self.expects & np.isnan(self.completion) & self.ended(*GOOD, Outcome.IN_FLIGHT)

    def ended(self, *outcomes: Outcome) -> Mask:
        """Those that ended in one of these ways."""
        wanted = np.zeros(len(Outcome), dtype=bool)
        wanted[list(outcomes)] = True
        return wanted[self.outcome]


def sample_of(records: Records, scenario: Scenario) -> Sample:
    """All requests of the run, warm-up included."""
    rows = records.requests
    arrival = np.ascontiguousarray(rows["arrival"])
    sources, source = _coded(rows["source"], records.names)
    targets, target = _coded(rows["route"], records.names)
    traffic = [scenario.traffic.get(name) for name in sources]
    promises = [[_objective(scenario, client, name) for name in targets] for client in traffic]
    latency = [[_or_nan(promise.latency) for promise in row] for row in promises]
    availability = [[_or_nan(promise.availability) for promise in row] for row in promises]
    patience = [PATIENCE if client is None or client.timeout is None else client.timeout for client in traffic]
    return Sample(
        arrival=arrival,
        response=rows["end"] - arrival,
        completion=rows["completion"] - arrival,
        age=records.duration - arrival,
        outcome=np.ascontiguousarray(rows["outcome"]),
        route=np.ascontiguousarray(rows["route"]),
        expects=np.ascontiguousarray(rows["expects"]),
        pending=np.ascontiguousarray(rows["pending"]),
        latency_objective=np.array(latency, dtype=np.float64).reshape(len(sources), len(targets))[source, target],
        availability_objective=np.array(availability, dtype=np.float64).reshape(len(sources), len(targets))[source, target],
        patience=np.array(patience, dtype=np.float64)[source],
    )


def _coded(column: NDArray[np.int16], names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """The few names that occur in a column of indices, and the place of each row's name among them. -1 is no name, and comes last."""
    indices = column.astype(np.int64)
    present = np.flatnonzero(np.bincount(indices % (len(names) + 1), minlength=len(names) + 1))
    place = np.zeros(len(names) + 1, dtype=np.int64)
    place[present] = np.arange(present.size)
    return [(*names, "")[index] for index in present], place[indices]


def _objective(scenario: Scenario, traffic: Traffic | None, route: str) -> Objective:
    """What the route promises; where it says nothing, what its client was promised."""
    at_gateway = scenario.gateway.routes.get(route) if scenario.gateway else None
    if at_gateway is not None and at_gateway.objective is not None:
        return at_gateway.objective
    return (traffic.objective if traffic is not None else None) or Objective()


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
