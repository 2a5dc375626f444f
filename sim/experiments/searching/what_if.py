"""What if settings were other ones: a scenario as written against the same with other values, on the same luck, and a
run that is known is not run again. What shows it is not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sim.errors import UsageError, did_you_mean
from sim.experiments.replicating.comparison import compare
from sim.experiments.replicating.method import ORDINARY
from sim.experiments.replicating.results import Comparison
from sim.experiments.running.jobs import Job, JobResult, Tick, perform
from sim.experiments.searching.axes import Axis, axes_of, number_of
from sim.experiments.shipped import Source, as_study, load

WRITTEN, CHANGED = "as written", "what if"
_POINTS = 41  # of a slider over an interval without steps
_KEPT = 2_000  # runs whose figures are kept; the oldest are forgotten first


class WhatIf:
    """One variant of a study, and settings that may take other values, each as `sim sweep` has it: `PATH=1..16`."""

    def __init__(self, study: Source, over: Sequence[str] | str, variant: str | None = None, engine: str = "auto"):
        """UsageError where there is no such variant, or nothing to vary."""
        self._study = as_study(study)
        names = list(self._study.variants)
        if variant is not None and variant not in names:
            raise UsageError(f"unknown variant '{variant}'{did_you_mean(variant, names)}")
        self.variant, self._engine = variant or names[0], engine
        self.axes = axes_of([over] if isinstance(over, str) else over)
        self._known: dict[Job, JobResult] = {}
        patch = (self._study.document.get("variants") or {}).get(self.variant) or {}
        self._document: dict[str, Any] = {**self._study.document, "variants": {WRITTEN: patch, CHANGED: patch}}
        self.compared_study({axis.name: values_of(axis)[0] for axis in self.axes})  # a wrong path is told at once

    def compared_study(self, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - a study
        """Both sides as the variants of one study; `values` by the name of the axis."""
        sets = [
            f"variants.{CHANGED}.{setting}"
            for axis in self.axes
            if axis.name in values
            for setting in axis.settings(values[axis.name])
        ]
        return load(self._document, sets, plugins=self._study.plugins)

    def compare(self, values: Mapping[str, str], replications: int) -> Comparison:
        """Both sides, so many replications of each: those that are known are not run again."""

        def known(job: Job, tick: Tick) -> JobResult:
            # neither the share of the machine nor where it came from changes a result, and what is written stays,
            # wherever the sliders stand; that one replication alone asks for intervals of its own is asked of all
            document = "" if job.variant == WRITTEN else job.document
            key = replace(job, document=document, idle_core=False, most_memory=None, file="", given=(), confidence=None)
            if key not in self._known:
                self._known[key] = perform(replace(job, confidence=ORDINARY), tick)
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))
            return self._known[key]

        study = self.compared_study(values)
        return compare(study, replications=replications, jobs=1, engine=self._engine, perform=known)


def values_of(axis: Axis) -> tuple[str, ...]:
    """The values that a slider goes through."""
    if axis.interval is None or axis.interval.whole:
        return axis.listed()
    shares = [place / (_POINTS - 1) for place in range(_POINTS)]
    return tuple(dict.fromkeys(axis.interval.at(share) for share in shares))


def nearest(values: Sequence[str], now: object) -> str:
    """The value that is nearest to what is written; the first where that is no number."""
    wanted = number_of(str(now))
    if math.isnan(wanted):
        return values[0]
    return min(values, key=lambda value: abs(number_of(value) - wanted))
