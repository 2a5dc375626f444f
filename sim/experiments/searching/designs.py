"""Which points of the space of settings are run: a grid, a Latin hypercube, a Sobol sequence, or Saltelli's design for
Sobol indices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.errors import UsageError, did_you_mean
from sim.experiments.searching.axes import Axis

DESIGNS = ("grid", "lhs", "sobol", "sensitivity")
MOST_POINTS = 1_000_000


def points_of(axes: Sequence[Axis], design: str, count: int | None, seed: int) -> list[tuple[str, ...]]:
    """One value per axis for each point, in the order in which they run.

    A sampled design is the same for the same seed.
    """
    if design not in DESIGNS:
        raise UsageError(f"design: unknown design '{design}'{did_you_mean(design, DESIGNS)}")
    if design == "grid":
        return _grid(axes, count)
    if count is None:
        raise UsageError(f"design {design}: expected --points N, how many points to take")
    if not 1 <= count <= MOST_POINTS:
        raise UsageError(f"points: found {count}, expected 1 to {MOST_POINTS:,}")
    shares = {"lhs": _latin, "sobol": _sobol, "sensitivity": _saltelli}[design](len(axes), count, seed)
    return [tuple(axis.at(float(share)) for axis, share in zip(axes, row, strict=True)) for row in shares]


def base_points(axes: int, count: int) -> int:
    """How many points Saltelli's design begins with: the largest power of two whose (axes + 2) times are at most
    `count`.
    """
    base = count // (axes + 2)
    return 2 ** int(math.log2(base)) if base >= 1 else 0


def _grid(axes: Sequence[Axis], count: int | None) -> list[tuple[str, ...]]:
    if count is not None:
        raise UsageError(
            "points: a grid has as many points as its values make; --points is for --design lhs, sobol and sensitivity"
        )
    values = [axis.listed() for axis in axes]
    total = math.prod(map(len, values))
    if total > MOST_POINTS:
        raise UsageError(
            f"the grid has {total:,} points, expected at most {MOST_POINTS:,}; a sampled design needs fewer: --design "
            "lhs --points N"
        )
    return list(itertools.product(*values))


def _latin(axes: int, count: int, seed: int) -> NDArray[np.float64]:
    from scipy.stats import qmc

    return np.asarray(qmc.LatinHypercube(axes, rng=seed).random(count))


def _sobol(axes: int, count: int, seed: int) -> NDArray[np.float64]:
    """Scrambled, so that no point lies at 0.

    The balance of the sequence wants a power of two; any number is taken all the same.
    """
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(axes, scramble=True, rng=seed).random_base2(max(0, math.ceil(math.log2(count)))))[
        :count
    ]


def _saltelli(axes: int, count: int, seed: int) -> NDArray[np.float64]:
    base = base_points(axes, count)
    if base < 8:
        raise UsageError(
            f"points: found {count}, expected at least {8 * (axes + 2)} for Sobol indices of {axes} settings: 8 x "
            "(settings + 2)"
        )
    from sim.experiments.searching.sensitivity import saltelli

    return saltelli(axes, base, seed)
