"""Copies of rows byte by byte: numpy copies records field by field, which takes fifteen times as long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]


def copied(rows: Rows) -> Rows:
    """A copy of neighbouring rows, shape (n,)."""
    return rows.view(np.uint8).copy().view(rows.dtype)


def joined(pieces: Sequence[Rows], dtype: np.dtype[Any]) -> Rows:
    """All rows of these pieces, one after the other; none where there are no pieces."""
    return np.concatenate([np.empty(0, np.uint8), *(piece.view(np.uint8) for piece in pieces)]).view(dtype)
