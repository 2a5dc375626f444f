"""What a model is held against.

The measurement as asked for (a window, names matched), and the scenario under its load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sim.errors import UsageError
from sim.experiments.shipped import Source, as_study
from sim.fitting.matching import Matched, match
from sim.fitting.replaying import WARMUP_AT_MOST, Loaded, document_of, spread, under_summary, under_trace, window_of
from sim.measured import Distribution, Measured, Requests, read_all
from sim.measured.measurement import Gathered
from sim.spec.loading import load_document
from sim.spec.scenario import Scenario
from sim.spec.study import Study

Measurement = Measured | str | Path | Sequence[Measured | str | Path]
"""What `validate` and `fit` are handed: what was read already, or files."""


@dataclass(frozen=True)
class Target:
    """A measurement and the variant of a study under its load."""

    study: Study  # under the measured load; it has one variant
    variant: str
    scenario: Scenario
    requests: Requests | None  # under the names of the scenario, in time with it
    table: Distribution | None  # where there are no single requests
    loaded: Loaded
    said: tuple[str, ...]  # what was understood, matched and replaced

    @property
    def count(self) -> int:
        """How many requests were measured."""
        return len(self.requests) if self.requests is not None else (self.table.count if self.table is not None else 0)


@dataclass(frozen=True)
class Part:
    """Which part of a measurement is meant, and how its names are to be understood."""

    begin: float = 0.0  # s from its first request
    until: float = math.inf
    routes: Mapping[str, str] | None = None  # measured name -> that of the scenario
    kind: str | None = None  # of the files
    confine: str | Path | None = None


@dataclass(frozen=True)
class Trace:
    """The single requests of a measurement, in time with a run: from 0 s on."""

    matched: Matched
    duration: float  # s; to one usual gap after the last
    warmup: float  # s; that of the scenario, or less where the measurement is short
    told: tuple[str, ...]  # what is to be known of its clock


def target_of(source: Source, measurement: Measurement, variant: str | None, part: Part) -> Target:
    """The measurement and the scenario brought together. UsageError where they have nothing in common."""
    study = as_study(source)
    name, document = document_of(study, variant)
    scenario = study.variants[name]
    measured = measured_of(measurement, part)
    said = [line for found in measured for line in str(found).splitlines()]
    trace = trace_of(measured, scenario, part)
    if trace is not None:
        loaded = under_trace(document, scenario, trace.matched, trace.duration, trace.warmup)
        told = (*trace.matched.told(), *loaded.said, *trace.told)
        return Target(_study(study, loaded), name, scenario, trace.matched.requests, None, loaded, (*said, *told))
    table = one_table(measured)
    loaded = under_summary(document, scenario, table, scenario.warmup)
    return Target(_study(study, loaded), name, scenario, None, table, loaded, (*said, *loaded.said))


def measured_of(measurement: Measurement, part: Part) -> list[Measured]:
    """All that was measured, files read."""
    parts = [measurement] if isinstance(measurement, (Measured, str, Path)) else list(measurement)
    if not parts:
        raise UsageError("found no measurement, expected at least one file")
    files = [str(one) for one in parts if not isinstance(one, Measured)]
    read = iter(read_all(files, part.kind, part.confine))
    found: dict[str, Measured] = {file: next(read) for file in dict.fromkeys(files)}
    return [one if isinstance(one, Measured) else found[str(one)] for one in parts]


def trace_of(measured: Sequence[Measured], scenario: Scenario, part: Part) -> Trace | None:
    """The single requests of a measurement as asked for; None where only a summary is known.

    UsageError: none of them says how long it took, none lies in the window, or none has a partner in the scenario.
    """
    requests = Gathered(list(measured)).requests()
    if requests is None:
        return None
    if bool(np.isnan(requests.duration).all()):
        raise UsageError("found no duration of any request, expected a measurement that says how long requests took")
    resolution = max(found.resolution for found in measured if found.requests is not None)
    matched = match(spread(requests, resolution), scenario, part.routes)
    its, whole = matched.requests, not (part.begin or math.isfinite(part.until))
    its = window_of(its, float(its.arrival[0]) if whole and len(its) else part.begin, part.until)
    duration = max(float(its.arrival[-1]) + its.span / len(its), 1e-3)
    if math.isfinite(part.until):
        duration = min(duration, part.until - part.begin)
    warmup, told = min(scenario.warmup, WARMUP_AT_MOST * duration), []
    if warmup < scenario.warmup:
        told.append(
            f"warm-up: {warmup:.4g} s, a quarter of the measurement, where the scenario has {scenario.warmup:.4g} s"
        )
    if resolution:
        told.append(f"arrivals are known to {resolution:g} s only: they are spread at random within theirs")
    return Trace(replace(matched, requests=its), duration, warmup, tuple(told))


def one_table(measured: Sequence[Measured]) -> Distribution:
    """The table of all requests, or else the first; UsageError where there is none."""
    tables = [table for found in measured for table in found.distributions]
    if not tables:
        kinds = ", ".join(found.kind for found in measured)
        raise UsageError(
            f"found {kinds}, which tells no durations of requests; expected single requests or percentiles of them"
        )
    return next((table for table in tables if not table.route), tables[0])


def _study(study: Study, loaded: Loaded) -> Study:
    under = load_document(loaded.document, plugins=study.plugins)
    (scenario,) = under.variants.values()
    return Study(
        study.name,
        study.text,
        under.document,
        {next(iter(under.variants)): scenario},
        study.file,
        study.plugins,
        study.question,
    )
