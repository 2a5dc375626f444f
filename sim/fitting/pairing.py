"""Request by request: the measured answer of each beside its simulated one, where nothing of the model is random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.records.tables import Records

_NUMBER = (1 << 40) - 1  # of an id: the running number of its traffic
_CLOSE = 0.01  # of the measured, or
_AS_GOOD_AS = 1e-3  # seconds


@dataclass(frozen=True)
class Paired:
    """How far single requests are apart."""

    count: int  # answered on both sides
    mean: float  # s, of the absolute difference
    p95: float  # s
    worst: float  # s
    close: float  # share of them within 1 % or a millisecond
    same_outcome: float  # share of all requests that ended alike


def request_by_request(measured: Records, simulated: Records) -> Paired | None:
    """The k-th arrival of both; None where they are not as many, for then they are not the same."""
    ours, theirs = simulated.requests, measured.requests
    ours = ours[np.lexsort((ours["id"] & _NUMBER, ours["arrival"]))]
    if ours.size != theirs.size or not ours.size or not np.allclose(ours["arrival"], theirs["arrival"], atol=1e-6):
        return None
    response = theirs["end"] - theirs["arrival"]
    apart = np.abs((ours["end"] - ours["arrival"]) - response)
    known = ~np.isnan(apart)
    if not known.any():
        return None
    apart, response = apart[known], response[known]
    close = apart <= np.maximum(_CLOSE * response, _AS_GOOD_AS)
    same = ours["outcome"] == theirs["outcome"]
    return Paired(
        int(known.sum()),
        float(apart.mean()),
        float(np.quantile(apart, 0.95)),
        float(apart.max()),
        float(close.mean()),
        float(same.mean()),
    )
