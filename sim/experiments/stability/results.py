"""What an experiment on stability answers: how every load fared, the thresholds between them, and the curve of
hysteresis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.plots import StabilityPlots
from sim.experiments.showing import Shown
from sim.experiments.stability.stressor import Times
from sim.spec.study import Study
from sim.stats.interval import Interval

PRECISION = 0.05  # relative width at which the search for a threshold ends


@dataclass(frozen=True)
class LoadPoint:
    """One load, with and without the stressor."""

    factor: float  # of all open arrivals
    rate: float  # requests per second
    recovered: int  # replications
    recovering: int
    stuck: int
    # s from the end of the stressor, where it is known; infinite and censored where a replication has not recovered
    recovery: Interval
    recovery_of_recovered: Interval  # s; over those whose recovery took a known time
    success_before: Interval
    success_after: Interval  # long after
    p99_before: Interval
    p99_after: Interval
    success_without: Interval  # long after, without the stressor
    goodput_after: Interval  # 1/s, long after
    goodput_without: Interval
    requests: Interval  # that the figures of long after stand on, in each replication
    collapsed: bool

    @property
    def replications(self) -> int:
        """How many there are."""
        return self.recovered + self.recovering + self.stuck

    @property
    def vulnerable(self) -> bool:
        """Whether it does not come back after the stressor."""
        return 2 * self.stuck >= self.replications


@dataclass(frozen=True)
class Threshold:
    """A load above which something happens: it lies between two that were tried. nan: on that side none was."""

    low: float  # the highest load tried below
    high: float  # the lowest above

    @property
    def found(self) -> bool:
        """Whether both sides are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def value(self) -> float:
        """The middle; nan where it was not found."""
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Step:
    """One step of the staircase of loads."""

    factor: float
    rate: float
    rising: bool
    goodput: Interval  # 1/s, in the second half of the step
    success: Interval  # share of what arrives
    requests: Interval  # that arrive in that half, in each replication


@dataclass(frozen=True, repr=False)
class Stability(Shown):
    """What `find_stability` answers.

    Loads are requests per second of all open traffic; `factor` is their multiple in the scenario.
    """

    study: Study
    variant: str
    engine: str
    seed: int
    replications: int
    stressor: str
    times: Times
    rate: float  # of the scenario as it stands
    points: tuple[LoadPoint, ...]  # by load
    vulnerable: Threshold  # requests per second; above it the system does not come back
    collapse: Threshold  # above it the system does not need the stressor
    curve: tuple[Step, ...]  # up, then down; empty where none was asked for
    dwell: float  # s on each step
    fingerprint: str
    warmup: FoundWarmup | None = None  # where the scenario leaves it to be found: at the load as written

    @property
    def metastable(self) -> tuple[float, float] | None:
        """The loads that it can bear but does not come back to: (from, to) in requests per second; None where there are
        none that are known.
        """
        begin = self.vulnerable.value if self.vulnerable.found else self.vulnerable.high
        if math.isnan(begin) and not any(point.vulnerable for point in self.points):
            return None
        begin = self.points[0].rate if math.isnan(begin) else begin
        end = self.collapse.value if self.collapse.found else math.nan
        end = self.points[-1].rate if math.isnan(end) else end
        return (begin, end) if begin < end * (1 - PRECISION) else None

    @property
    def plot(self) -> StabilityPlots:
        """The chart of the report, for a notebook: `stability.plot.hysteresis()`."""
        return StabilityPlots(self)

    @property
    def table(self) -> pd.DataFrame:
        """One row per load."""
        rows = []
        for point in self.points:
            figures = (
                "recovery",
                "success_before",
                "success_after",
                "p99_before",
                "p99_after",
                "success_without",
                "goodput_after",
                "goodput_without",
            )
            plain = {
                name: getattr(point, name)
                for name in ("factor", "rate", "recovered", "recovering", "stuck", "vulnerable", "collapsed")
            }
            rows.append({**plain, **{name: getattr(point, name).value for name in figures}})
        return pd.DataFrame(rows)

    @property
    def hysteresis(self) -> pd.DataFrame:
        """One row per step of the staircase."""
        rows = [(step.factor, step.rate, step.rising, step.goodput.value, step.success.value) for step in self.curve]
        return pd.DataFrame(rows, columns=["factor", "rate", "rising", "goodput", "success"])
