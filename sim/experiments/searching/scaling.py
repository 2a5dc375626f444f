"""Which curves of a sweep the scaling laws can describe, and the fits; where they cannot, the reason in words.

A law says how much a system can do, so a point counts only where the system was asked for more than it did: all points
of closed users, and of open arrivals those at which throughput stayed below what was offered. Throughput is of what
left after the warm-up, so it is that of a full system also where its queue grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.experiments.searching.axes import LOAD, Axis
from sim.stats.scaling import ENOUGH, FEWEST, ScalingFit, fit_scaling

if TYPE_CHECKING:
    from sim.experiments.searching.sweep_results import Sweep

SATURATED = 0.98  # throughput / offered below which the system did less than it was asked for
MOST_CURVES = 24
IDLE = "at which the system did all it was asked for: more load would show what it can do"


@dataclass(frozen=True)
class CurveFit:
    """One curve of throughput over one axis, the other settings fixed, and the laws fitted to it."""

    variant: str
    axis: str
    others: dict[str, Any]  # the fixed settings
    usl: ScalingFit | None
    amdahl: ScalingFit | None
    note: str = ""  # what to bear in mind, or why there is no fit

    @property
    def preferred(self) -> ScalingFit | None:
        """The law that describes the points better for the parameters it takes (the smaller AICc)."""
        fits = [fit for fit in (self.amdahl, self.usl) if fit is not None]
        return min(fits, key=lambda fit: fit.aicc, default=None)


def fits_of(sweep: Sweep) -> tuple[CurveFit, ...]:
    """Every curve of a grid over an axis of whole numbers (replicas, users, partitions ...)."""
    if sweep.design != "grid" or "throughput" not in sweep.runs.columns:
        return ()
    found = []
    for axis in sweep.axes:
        sizes = sweep.settings[axis.name]
        if not _counts(axis, sizes) or sizes.nunique() < FEWEST["amdahl"]:
            continue
        others = [name for name in sweep.settings.columns if name != axis.name]
        groups = list(sweep.settings.groupby(others, sort=False)) if others else [((), sweep.settings)]
        for variant in sweep.variants:
            for fixed, block in groups[:MOST_CURVES]:
                values = dict(zip(others, fixed if isinstance(fixed, tuple) else (fixed,), strict=True))
                found.append(_fit(sweep, variant, axis, values, block.index))
    return tuple(found)


def fit_capacity(sizes: list[float], rows: list[list[float]]) -> tuple[ScalingFit | None, ScalingFit | None, str]:
    """Both laws on throughputs that are known to be capacities: one row per replication, one column per size."""
    laws: dict[str, ScalingFit | None] = {"usl": None, "amdahl": None}
    reasons = []
    for law in laws:
        try:
            laws[law] = fit_scaling(sizes, rows, law)
        except ValueError as error:
            reasons.append(str(error))
    note = f"no fit: {reasons[-1]}" if len(reasons) == len(laws) else _caution(laws["usl"], len(sizes))
    return laws["usl"], laws["amdahl"], note


def _counts(axis: Axis, sizes: pd.Series) -> bool:
    """Whether an axis counts things: whole numbers from 1, and not the load itself."""
    return axis.paths != (LOAD,) and pd.api.types.is_integer_dtype(sizes) and bool((sizes >= 1).all())


def _fit(sweep: Sweep, variant: str, axis: Axis, others: dict[str, Any], points: pd.Index) -> CurveFit:
    runs = sweep.runs.loc[variant] if variant in sweep.runs.index.get_level_values("variant") else pd.DataFrame()
    if runs.empty:
        return CurveFit(variant, axis.name, others, None, None, "no fit: no run has a result")
    throughput = runs["throughput"].unstack("point").reindex(columns=points).dropna()
    if throughput.empty:
        return CurveFit(variant, axis.name, others, None, None, "no fit: some of its points have no figures")
    wanted, left_out = np.ones(len(points), dtype=bool), list[str]()
    if variant not in sweep.closed:
        offered = runs["offered"].unstack("point").reindex(columns=points).mean()
        idle = (throughput.mean() >= SATURATED * offered).to_numpy()
        wanted = ~idle
        left_out = [f"{_points(int(idle.sum()))} left out, {IDLE}"] if idle.any() else []
    sizes = sweep.settings.loc[points, axis.name].to_numpy(dtype=float)[wanted]
    if sizes.size < FEWEST["amdahl"]:
        return CurveFit(
            variant,
            axis.name,
            others,
            None,
            None,
            f"no fit: {_points(sizes.size)} of {len(points)} remain; {'; '.join(left_out)}",
        )
    usl, amdahl, note = fit_capacity(list(sizes), throughput.to_numpy(dtype=float)[:, wanted].tolist())
    return CurveFit(variant, axis.name, others, usl, amdahl, "; ".join(filter(None, (note, *left_out))))


def _caution(fit: ScalingFit | None, points: int) -> str:
    parts = []
    if points < ENOUGH:
        parts.append(f"from {_points(points)} only: {ENOUGH} on both sides of the peak are wanted")
    if fit is not None and fit.extrapolated and fit.peak.value < float("inf"):
        parts.append(f"the peak lies beyond the largest size, {fit.largest:g}")
    return "; ".join(parts)


def _points(count: int) -> str:
    return f"{count} point{'s' if count != 1 else ''}"
