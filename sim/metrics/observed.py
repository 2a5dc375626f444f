"""What a run showed, read from its records once for all its figures. What is *not* here: any figure."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.metrics.departures import Departures
from sim.metrics.sample import Sample, sample_of
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.spec.scenario import Scenario


@dataclass(frozen=True)
class Observed:
    """The requests of a run, and what left it."""

    everyone: Sample  # warm-up included
    counted: Sample  # who arrived in the window [warmup, duration)
    departures: Departures


def observed(records: Records, scenario: Scenario) -> Observed:
    """What the records show. The last answer is remembered while its records exist: figures, timeline and intervals are asked for one after the other."""
    global _last  # noqa: PLW0603 - of the whole process
    last = _last
    if last is not None and last.records() is records and last.is_of(records, scenario):
        return last.found
    everyone = sample_of(records, scenario)
    found = Observed(everyone, everyone.arrived(records.warmup, records.duration), Departures(records, scenario, everyone))
    _last = _Last(weakref.ref(records, _forget), records.requests, records.summary, (records.warmup, records.duration), scenario, found)
    return found


def forget() -> None:
    """Let go of what is remembered, which takes half as much memory as the rows it was read from."""
    global _last  # noqa: PLW0603 - of the whole process
    _last = None


class _Last(NamedTuple):
    records: weakref.ref[Records]
    requests: NDArray[np.void]
    summary: Summary | None
    window: tuple[float, float]
    scenario: Scenario
    found: Observed

    def is_of(self, records: Records, scenario: Scenario) -> bool:
        """Whether nothing of what it was read from has been exchanged."""
        same = self.requests is records.requests and self.summary is records.summary and self.window == (records.warmup, records.duration)
        return same and self.scenario == scenario


def _forget(records: weakref.ref[Records]) -> None:
    if _last is not None and _last.records is records:
        forget()


_last: _Last | None = None
