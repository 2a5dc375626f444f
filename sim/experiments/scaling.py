"""Which curves of a sweep the scaling laws can describe, and the fits; where they cannot, the reason in words.

A law says how much a system can do, so a point counts only where the system was asked for more than it did: all points of closed users, and of
open arrivals those at which throughput stayed below what was offered, without a queue that grows for ever. Throughput is of those that arrived after
the warm-up, without those that are under way at the end; of closed users as many were under way at its beginning, so they count like the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.experiments.axes import LOAD, Axis
from sim.stats.scaling import ENOUGH, FEWEST, ScalingFit, fit_scaling

if TYPE_CHECKING:
    from sim.experiments.sweep_results import Sweep

SATURATED = 0.98  # throughput / offered below which the system did less than it was asked for
BACKLOG = 0.05  # share of requests still in flight at the end above which queues grow: throughput, counted by arrival, is then too low
MOST_CURVES = 24
_WAITING = "outcome_share(in_flight)"
IDLE = "at which the system did all it was asked for: more load would show what it can do"
GROWING = "at which the queues grow without end, so that throughput is not what the system can do: bound the queues, use closed users, or capacity --over"


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
    wanted, left_out = np.ones(len(points), dtype=bool), []
    under_way = (runs[_WAITING].fillna(0.0) if _WAITING in runs else runs["throughput"] * 0.0).unstack("point").reindex(columns=points)
    if variant in sweep.closed:
        warmup = sweep.warmup.seconds if sweep.warmup is not None else sweep.study.variants[variant].warmup
        share = under_way.loc[throughput.index] * (warmup > 0)
        throughput = throughput / (1.0 - share)
        most = float(share.mean().max())
        if most > BACKLOG:
            left_out = [f"the fit counts those under way at the end, up to {most:.0%}, whom the figures leave out: longer runs have fewer"]
    else:
        offered = runs["offered"].unstack("point").reindex(columns=points).mean()
        idle = (throughput.mean() >= SATURATED * offered).to_numpy()
        waiting = (under_way.mean() > BACKLOG).to_numpy()
        wanted = ~idle & ~waiting
        left_out = [f"{_points(int(some.sum()))} left out, {why}" for some, why in ((idle, IDLE), (waiting, GROWING)) if some.any()]
    sizes = sweep.settings.loc[points, axis.name].to_numpy(dtype=float)[wanted]
    if sizes.size < FEWEST["amdahl"]:
        return CurveFit(variant, axis.name, others, None, None, f"no fit: {_points(sizes.size)} of {len(points)} remain; {'; '.join(left_out)}")
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
