"""What an experiment answers: one VariantResult per variant, and the Comparison that sets them side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sim.errors import UsageError
from sim.experiments.replicating.method import ORDINARILY, Method
from sim.experiments.replicating.plots import Plots
from sim.experiments.showing import Shown
from sim.records.columns import Columns
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval
from sim.vocabulary import bound_keys, unit_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """One expectation, judged. No data fails."""

    text: str
    value: float  # mean over replications, base units; nan: no data; inf: never
    passed: bool
    reason: str = ""  # why it failed where the value alone does not say (no data, censored)


@dataclass(frozen=True, repr=False)
class VariantResult(Shown):
    """One variant over all replications."""

    name: str
    scenario: Scenario
    # by metric key: "response_p99", "response_p99(POST /orders)", "recovery_time(payments outage)"
    metrics: dict[str, Interval]
    figures: Columns  # one line per replication, one column per metric key
    verdicts: tuple[Verdict, ...]
    records: Records  # replication 0, whole: the exemplar that charts and the event log show
    over_time: Columns  # by bucket start (s): mean over replications of rates, percentiles, outcomes, gauges
    fingerprint: str  # of all replications
    engines: tuple[str, ...] = ()  # what each replication ran on
    every: tuple[Records, ...] = ()  # of all replications, where `rows="all"` was asked for

    @cached_property
    def per_replication(self) -> pd.DataFrame:
        """One row per replication, one column per metric key."""
        return self.figures.frame()

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """By time (bucket start, s): the mean over replications of rates, percentiles, outcomes and gauges."""
        return self.over_time.frame()

    @property
    def requests(self) -> pd.DataFrame:
        """The logical requests of the exemplar, one row each."""
        return self.records.request_frame()

    @property
    def all_requests(self) -> pd.DataFrame:
        """The logical requests of all replications, with the replication in a column of its own; a UsageError where
        only the rows of the first were kept (`rows="all"` keeps them).
        """
        import pandas as pd

        if len(self.every) < len(self.figures):
            raise UsageError(
                'all_requests: found the rows of the first replication alone, expected rows="all" of run or compare'
            )
        frames = [records.request_frame().assign(replication=number) for number, records in enumerate(self.every)]
        return pd.concat(frames, ignore_index=True)

    @property
    def summary(self) -> pd.DataFrame:
        """One row per metric key: value, low, high, unit, and how many replications had a value."""
        rows = {
            key: (figure.value, figure.low, figure.high, unit_of(key), figure.n) for key, figure in self.metrics.items()
        }
        import pandas as pd

        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "unit", "n"]).rename_axis(
            "metric"
        )


@dataclass(frozen=True)
class Earlier:
    """The same variants set against the figures of an earlier run.

    Nothing is paired, so the differences are Welch's.
    """

    source: str  # the file the figures came from
    against: dict[str, str]  # variant -> the variant of the earlier run it is compared with
    differences: dict[str, dict[str, Difference]]


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """All variants on common random numbers; the first is the baseline."""

    study: Study
    engine: str
    seed: int
    replications: int
    variants: dict[str, VariantResult]
    differences: dict[str, dict[str, Difference]]  # variant (not the baseline) -> metric key -> variant - baseline
    fingerprint: str
    earlier: Earlier | None = None
    method: Method = ORDINARILY

    @property
    def baseline(self) -> str:
        """Name of the first variant."""
        return next(iter(self.variants))

    @property
    def judged(self) -> bool:
        """Whether there is a spread to judge differences by, or nothing random that would call for one."""
        return self.replications > 1 or self.method.exact

    @property
    def identical(self) -> dict[str, str]:
        """Variant -> the first one before it that has the same fingerprint: every request, message and event of all
        replications is the same.
        """
        first: dict[str, str] = {}
        for name, result in self.variants.items():
            first.setdefault(result.fingerprint, name)
        return {
            name: first[result.fingerprint]
            for name, result in self.variants.items()
            if first[result.fingerprint] != name
        }

    @property
    def passed(self) -> bool:
        """Whether every expectation of every variant holds."""
        return all(verdict.passed for variant in self.variants.values() for verdict in variant.verdicts)

    @property
    def plot(self) -> Plots:
        """The charts of the report, for a notebook: `comparison.plot.latency()`."""
        return Plots(self)

    @property
    def requests(self) -> pd.DataFrame:
        """The logical requests of every variant's exemplar, with the variant in a column of its own."""
        import pandas as pd

        return pd.concat(
            [variant.requests.assign(variant=name) for name, variant in self.variants.items()], ignore_index=True
        )

    @property
    def timeline(self) -> pd.DataFrame:
        """The timelines of all variants, indexed by variant and time."""
        import pandas as pd

        return pd.concat({name: variant.timeline for name, variant in self.variants.items()}, names=["variant", "time"])

    @property
    def summary(self) -> pd.DataFrame:
        """One row per metric key in base units, the same columns for every variant: its figure, and beyond the baseline
        the difference.
        """
        import pandas as pd

        keys = list(dict.fromkeys(key for result in self.variants.values() for key in result.metrics))
        columns: dict[tuple[str, str], list[object]] = {("", "unit"): [unit_of(key) for key in keys]}
        for name, result in self.variants.items():
            for part in ("value", "low", "high", "censored"):
                columns[name, part] = [getattr(result.metrics.get(key), part, None) for key in keys]
            if name in self.differences:
                for part, column in (
                    ("value", "difference"),
                    ("low", "difference_low"),
                    ("high", "difference_high"),
                    ("significant", "significant"),
                ):
                    columns[name, column] = [getattr(self.differences[name].get(key), part, None) for key in keys]
        frame = pd.DataFrame(columns, index=pd.Index(keys, name="metric")).infer_objects()
        frame.columns = pd.MultiIndex.from_tuples(list(columns))
        return frame


def bounds_of(metrics: Mapping[str, Interval], key: str) -> tuple[float, float] | None:
    """What requests in flight at the end can make of a figure, at least and at most, on average; None where there is
    nothing to bend.
    """
    least, most = (metrics.get(bound) for bound in bound_keys(key))
    if least is None or most is None or math.isnan(least.value) or math.isnan(most.value):
        return None
    return least.value, most.value


def undecided(metrics: Mapping[str, Interval], key: str) -> tuple[float, float] | None:
    """The bounds of a figure that at least one replication has no value of, since too many requests were in flight at
    its end; else None.
    """
    bounds, figure = bounds_of(metrics, key), metrics.get(key)
    return (
        bounds
        if bounds is not None and (figure.n if figure is not None else 0) < metrics[bound_keys(key)[0]].n
        else None
    )
