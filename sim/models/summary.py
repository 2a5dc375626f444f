"""Which lines a summary of a run must be able to draw: those that figures of its scenario are judged by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from sim.records.buckets import bucket_edges, default_bucket
from sim.records.summary import Plan
from sim.spec.promises import limits, patience_of
from sim.spec.scenario import Scenario
from sim.stats.batches import PIECES


def plan_of(scenario: Scenario, ticks: Iterable[float]) -> Plan | None:
    """The plan of the summary that this scenario asks for; None where it asks for rows.

    `ticks` are those of its time series.
    """
    if scenario.record.keep == "rows":
        return None
    return Plan.of(scenario.duration, scenario.warmup, ticks, _moments(scenario), limits(scenario), _spans(scenario))


def _spans(scenario: Scenario) -> Iterator[float]:
    """Where it matters on which side something happened."""
    yield from bucket_edges(scenario.duration, default_bucket(scenario.duration, scenario.record.interval)).tolist()
    yield from _pieces(scenario)


def _pieces(scenario: Scenario) -> list[float]:
    """Of one run, from which it takes its intervals."""
    return [float(edge) for edge in np.linspace(scenario.warmup, scenario.duration, PIECES + 1)]


def _moments(scenario: Scenario) -> Iterator[float]:
    """Where it matters on which side a request arrived."""
    yield from _spans(scenario)
    for fault in scenario.faults:
        yield fault.at
        if math.isfinite(fault.end):  # from then on seconds are counted until it has been got over
            yield from (fault.end + second for second in range(max(0, math.floor(scenario.duration - fault.end)) + 1))
    patience = {patience_of(traffic) for traffic in scenario.traffic.values()}
    for age in sorted({*patience, *limits(scenario)}):  # of who is in flight: from then on it is too late
        for end in _pieces(scenario)[1:]:
            yield from (end - age, math.nextafter(end - age, math.inf))
