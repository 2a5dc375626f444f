"""How much of what differs between replications is due to inputs that were drawn for each, and how much to luck.

A figure is regressed on the inputs (least squares, as in Helton and Davis, "Illustration of sampling-based methods for
uncertainty and sensitivity analysis", Risk Analysis 22, 2002); the share is R squared, adjusted for their number
(Ezekiel 1930). What is not linear in the inputs counts as luck, so the share is rather too small.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPARE = 4  # replications beyond inputs and mean below which a share says nothing


def share_explained(inputs: Floats, figure: Floats) -> float | None:
    """The share of the variance of a figure (n,) that inputs (n, k) explain, 0 to 1; None where n is too small or the
    figure does not vary.
    """
    known = np.isfinite(figure)
    inputs, figure = inputs[known], figure[known]
    n, k = inputs.shape
    if n < k + 1 + SPARE:
        return None
    varied = figure - figure.mean()
    total = float(varied @ varied)
    if total <= 1e-18 * max(1.0, float(figure @ figure)):
        return None
    centred = inputs - inputs.mean(axis=0)
    found, *_ = np.linalg.lstsq(centred, varied, rcond=None)
    rest = varied - centred @ found
    plain = 1.0 - float(rest @ rest) / total
    return float(np.clip(1.0 - (1.0 - plain) * (n - 1) / (n - k - 1), 0.0, 1.0))
