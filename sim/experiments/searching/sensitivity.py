"""Which setting matters: first-order and total Sobol indices by SALib, with its bootstrap intervals.

The figure of a point is its mean over the replications, all points under the same luck. What is left of the luck counts
as nobody's: `noise` is the share of the variance between points that is the error of those means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.errors import UsageError

COLUMNS = [
    "variant",
    "metric",
    "setting",
    "first",
    "first_low",
    "first_high",
    "total",
    "total_low",
    "total_high",
    "noise",
]
_SEED = 20090101  # of the bootstrap: the intervals are the same each time
_RESAMPLES = 200


def saltelli(axes: int, base: int, seed: int) -> NDArray[np.float64]:
    """base x (axes + 2) points in the unit cube, laid out as SALib's analysis expects them."""
    sample = _salib("sample")
    rows: NDArray[np.float64] = sample.sample(
        _problem([str(axis) for axis in range(axes)]), base, calc_second_order=False, seed=seed
    )
    return np.clip(rows, 0.0, 1.0 - 1e-12)


def indices(
    settings: Sequence[str], figures: NDArray[np.float64], errors: NDArray[np.float64] | None = None
) -> list[dict[str, Any]]:
    """One row per setting, from one figure per point; `errors` are the standard errors of those figures.

    None where nothing varies or is missing.
    """
    if not np.isfinite(figures).all() or float(np.ptp(figures)) <= 1e-12 * float(np.abs(figures).max(initial=0.0)):
        return []
    analysis = _salib("analyze")
    scaled = (figures - figures.mean()) / figures.std()
    found = analysis.analyze(_problem(settings), scaled, calc_second_order=False, num_resamples=_RESAMPLES, seed=_SEED)
    noise = float(np.mean(errors**2) / figures.var()) if errors is not None and np.isfinite(errors).all() else math.nan
    return [
        {
            "setting": setting,
            **_limits("first", float(found["S1"][place]), float(found["S1_conf"][place])),
            **_limits("total", float(found["ST"][place]), float(found["ST_conf"][place])),
            "noise": noise,
        }
        for place, setting in enumerate(settings)
    ]


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows of all variants and metrics."""
    return pd.DataFrame(rows, columns=COLUMNS)


def _limits(name: str, value: float, half: float) -> dict[str, float]:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _salib(part: str) -> Any:  # noqa: ANN401 - a module of a library without types
    import importlib

    try:
        return importlib.import_module(f"SALib.{part}.sobol")
    except ImportError:
        raise UsageError(
            "Sobol indices need SALib, which is not installed: pip install 'sim-microservices[sensitivity]'"
        ) from None
