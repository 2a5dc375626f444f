"""The bootstrap's chance: which values stand in which resample, the same for all figures of an experiment and on every
machine.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.chance.keyed import stream_key, uniforms

RESAMPLES = 9_999  # so that a p-value of 0.05 after Holm's correction over two hundred metrics can be reached


class Resampling:
    """For n values: a row for each resample, which says how often each of the n stands in it."""

    def __init__(self, seed: int, resamples: int = RESAMPLES) -> None:
        self.resamples = resamples
        self._seed = seed
        self._counts = cache(self._drawn)

    def __call__(self, n: int) -> NDArray[np.float64]:
        """The counts, drawn once for each n."""
        return self._counts(n)

    def _drawn(self, n: int) -> NDArray[np.float64]:
        key = stream_key(self._seed, 0, f"bootstrap of {n}")
        drawn = uniforms(key, np.arange(self.resamples * n, dtype=np.int64), 0).reshape(self.resamples, n)
        cells = (drawn * n).astype(np.int64) + n * np.arange(self.resamples)[:, None]
        return np.bincount(cells.ravel(), minlength=self.resamples * n).reshape(self.resamples, n).astype(np.float64)
