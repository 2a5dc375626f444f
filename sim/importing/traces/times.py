"""Samples of times as the language says them: a family with its errors, pieces between quantiles where none is near.

Of too few values there is only a stand-in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.importing.draft import Said
from sim.spec.document import Data
from sim.stats.families import ENOUGH, Fitted, closest, quantile_pieces

_UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))


def duration(seconds: float) -> str:
    """`4.213ms`: four digits, in the unit that makes it no less than one."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.4g}{unit}"
    return "0ms" if seconds < 1e-10 else f"{seconds / 1e-9:.4g}ns"


def many(count: int, what: str) -> str:
    """`1 run`, `1,204 runs`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def said_of(sample: npt.NDArray[np.float64], what: str) -> Said:
    """The distribution of a sample in seconds; `what` names its values: "502 runs"."""
    mean = float(sample.mean()) if sample.size else 0.0
    if sample.size < ENOUGH:
        return Said(duration(mean), f"mean of only {what}", to_be_supplied=True)
    fitted = closest(sample)
    if fitted is not None and fitted.family == "constant":
        return Said(duration(mean), f"the same in {what}")
    if fitted is not None and fitted.is_close:
        return Said(_value(fitted), f"{what}; {_errors(fitted)}")
    if mean <= 0.0:
        return Said("0ms", f"in {what}")
    pieces = quantile_pieces(sample)
    near = f"; the nearest family is {_errors(fitted)}" if fitted is not None else ""
    value = {"mixture": [_piece(weight, low, high) for weight, low, high in pieces if weight > 0]}
    return Said(value, f"{what}, between their quantiles{near}")


def _value(fitted: Fitted) -> dict[str, Data]:
    mean = duration(fitted.parameters["mean"])
    rest = {name: float(f"{value:.4g}") for name, value in fitted.parameters.items() if name != "mean"}
    return {fitted.family: {"mean": mean, **rest} if rest else mean}


def _piece(weight: float, low: float, high: float) -> dict[str, Data]:
    first, last = duration(low), duration(high)
    return {"weight": f"{100 * weight:.4g}%", **({"constant": first} if first == last else {"uniform": [first, last]})}


def _errors(fitted: Fitted) -> str:
    return f"{fitted.family}, distance {fitted.distance:.2g}, p95 {fitted.p95:+.0%}, p99 {fitted.p99:+.0%}"
