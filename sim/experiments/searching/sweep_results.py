"""What a sweep answers: every run as a row, every figure with its interval, the scaling laws, and which setting
matters.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.metric_kinds import bounds_of
from sim.experiments.replicating.plots import SweepPlots
from sim.experiments.replicating.results import Verdict
from sim.experiments.running.jobs import JobResult
from sim.experiments.searching.axes import Axis, number_of, unit_of_values
from sim.experiments.searching.points import Point
from sim.experiments.searching.scaling import CurveFit, fits_of
from sim.experiments.showing import Shown
from sim.spec.study import Study
from sim.stats.grouped import grouped_intervals
from sim.vocabulary import catalogue_order, has_direction, unit_of

KEYS = ["variant", "point", "replication"]


@dataclass(frozen=True)
class FailedRun:
    """A run that gave no result, and the command that repeats it alone."""

    variant: str
    point: int
    replication: int
    seed: int
    reason: str
    command: str


@dataclass(frozen=True, repr=False)
class Sweep(Shown):
    """All variants at all points under one luck."""

    study: Study
    engine: str
    seed: int
    replications: int
    design: str
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    variants: tuple[str, ...]
    runs: pd.DataFrame  # one row per run, indexed by variant, point and replication; one column per metric key
    censored: frozenset[tuple[str, int, str]]  # (variant, point, metric) whose figure is only a lower bound
    verdicts: dict[tuple[str, int], tuple[Verdict, ...]]
    fingerprint: str
    closed: frozenset[str] = frozenset()  # variants without open traffic
    failures: tuple[FailedRun, ...] = ()
    warmup: FoundWarmup | None = None

    @property
    def plot(self) -> SweepPlots:
        """The charts of the report, for a notebook: `sweep.plot.curves()`."""
        return SweepPlots(self)

    @cached_property
    def settings(self) -> pd.DataFrame:
        """The value of every axis at every point: plain numbers in base units, words where a value is none."""
        columns = {
            axis.name: _numbers([point.values[place] for point in self.points]) for place, axis in enumerate(self.axes)
        }
        return pd.DataFrame(columns, index=pd.Index([point.number for point in self.points], name="point"))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Tidy: one row per variant, point and metric, with the settings of the point, value, low, high, n, censored
        and unit.
        """
        blocks = []
        for variant in self.variants:
            frame = self._figures(variant)
            if not frame.empty:
                blocks.append(frame)
        if not blocks:
            return pd.DataFrame(
                columns=[
                    "variant",
                    "point",
                    *self.settings.columns,
                    "metric",
                    "value",
                    "low",
                    "high",
                    "n",
                    "censored",
                    "unit",
                ]
            )
        return pd.concat(blocks, ignore_index=True)

    @cached_property
    def fits(self) -> tuple[CurveFit, ...]:
        """The Universal Scalability Law and Amdahl's on every curve of throughput that they can describe, or why they
        cannot.
        """
        return fits_of(self)

    @cached_property
    def sensitivity(self) -> pd.DataFrame | None:
        """First-order and total Sobol indices of every metric with a direction; None for any other design."""
        if self.design != "sensitivity":
            return None
        from sim.experiments.searching.sensitivity import indices, table

        rows = []
        for variant in self.variants:
            found = self.summary[self.summary["variant"] == variant]
            for metric in [key for key in found["metric"].unique() if "(" not in key and has_direction(key)]:
                curve = found[found["metric"] == metric]
                if len(curve) == len(self.points):
                    errors = _standard_errors(self.runs.loc[variant, metric], self.replications)
                    names = [axis.name for axis in self.axes]
                    rows += [
                        {"variant": variant, "metric": metric, **row}
                        for row in indices(names, curve["value"].to_numpy(dtype=float), errors)
                    ]
        return table(rows)

    def curve(self, variant: str, metric: str) -> pd.DataFrame:
        """One metric of one variant: the settings of each point, value, low, high, n, censored, in the order of the
        points.
        """
        found = self.summary[(self.summary["variant"] == variant) & (self.summary["metric"] == metric)]
        return found.drop(columns=["variant", "metric", "unit"]).set_index("point")

    def _figures(self, variant: str) -> pd.DataFrame:
        if variant not in self.runs.index.get_level_values("variant"):
            return pd.DataFrame()
        runs = self.runs.loc[variant]
        runs = runs[[key for key in runs.columns if runs[key].notna().any()]]
        codes, numbers = pd.factorize(runs.index.get_level_values("point"), sort=True)
        value, low, high, n = grouped_intervals(
            runs.to_numpy(dtype=float), codes, bounds=[bounds_of(str(key)) for key in runs.columns]
        )
        rows, columns = np.nonzero(n)
        metrics = runs.columns.to_numpy()[columns]
        frame = pd.DataFrame({"point": np.asarray(numbers)[rows], "metric": metrics})
        for name, table in (("value", value), ("low", low), ("high", high), ("n", n)):
            frame[name] = table[rows, columns]
        marked = {(number, key) for name, number, key in self.censored if name == variant}
        bounds = np.fromiter(
            (place in marked for place in zip(frame["point"], frame["metric"], strict=True)), bool, len(frame)
        )
        frame["censored"] = np.isinf(frame["value"]) | bounds
        frame.insert(0, "variant", variant)
        for place, name in enumerate(self.settings.columns):
            frame.insert(2 + place, name, self.settings[name].loc[frame["point"]].to_numpy())
        frame["unit"] = [unit_of(metric) for metric in frame["metric"]]
        return frame


class Gathering:
    """Takes results as they come, as compactly as ten thousand of them need, and makes the table of runs of them."""

    def __init__(self, places: Sequence[tuple[str, int, int]]) -> None:
        self._places = places  # (variant, point, replication) of each job
        self._values: dict[int, tuple[tuple[str, ...], np.ndarray]] = {}
        self._prints: dict[int, str] = {}
        self._kinds: dict[tuple[str, ...], tuple[str, ...]] = {}  # the same keys, once
        self.censored: set[tuple[str, int, str]] = set()

    def take(self, index: int, result: JobResult) -> None:
        """The result of one job."""
        keys = tuple(result.metrics)
        self._values[index] = (
            self._kinds.setdefault(keys, keys),
            np.fromiter(result.metrics.values(), float, len(keys)),
        )
        self._prints[index] = result.fingerprint
        variant, point, _ = self._places[index]
        self.censored |= {(variant, point, key) for key in result.censored}

    def runs(self) -> pd.DataFrame:
        """One row per run, whatever the order they came in."""
        columns = sorted({key for keys in self._kinds for key in keys}, key=catalogue_order)
        place_in = {key: place for place, key in enumerate(columns)}
        order = sorted(self._values)
        table = np.full((len(order), len(columns)), math.nan)
        where = {keys: np.array([place_in[key] for key in keys], dtype=int) for keys in self._kinds}
        for row, index in enumerate(order):
            keys, values = self._values[index]
            table[row, where[keys]] = values
        index_of = pd.MultiIndex.from_tuples([self._places[index] for index in order], names=KEYS)
        return pd.DataFrame(table, index=index_of, columns=columns)

    def fingerprint(self) -> str:
        """Of all runs, in the order of the jobs."""
        return hashlib.sha256("\0".join(self._prints[index] for index in sorted(self._prints)).encode()).hexdigest()[
            :32
        ]


def _numbers(values: list[str]) -> list[Any]:
    """Plain numbers where all values are numbers, whole ones where all are whole."""
    found = [number_of(value) for value in values]
    if any(math.isnan(number) for number in found):
        return values
    return (
        [int(number) for number in found]
        if all(number.is_integer() and abs(number) < 2**53 for number in found)
        else found
    )


def unit_of_axis(sweep: Sweep, axis: Axis) -> str:
    """The unit of an axis in base units: s, 1/s, share or 1."""
    place = sweep.axes.index(axis)
    return unit_of_values([point.values[place] for point in sweep.points])


def _standard_errors(values: pd.Series, replications: int) -> np.ndarray | None:
    if replications < 2:
        return None
    grouped = values.groupby(level="point", sort=True)
    return np.asarray(grouped.std(ddof=1) / np.sqrt(grouped.count()), dtype=float)
