"""Long columns in pieces: what is computed of hundreds of megabytes takes only a few more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PIECE = 2**18  # values: 2 MiB


def pieces(size: int) -> Iterator[slice]:
    """Slices of at most `PIECE`, one after the other, that cover `size` rows."""
    return (slice(begin, min(begin + PIECE, size)) for begin in range(0, size, PIECE))


def mean_and_deviation(values: Array, of: Callable[[Array], Array] | None = None) -> tuple[float, float]:
    """Mean and standard deviation (over n) of (n,) values, or of what a function makes of each."""

    def column(part: slice) -> Array:
        return values[part] if of is None else of(values[part])

    mean = math.fsum(float(column(part).sum()) for part in pieces(values.size)) / values.size
    squares = math.fsum(float(np.square(column(part) - mean).sum()) for part in pieces(values.size))
    return mean, math.sqrt(squares / values.size)
