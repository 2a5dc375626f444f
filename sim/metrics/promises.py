"""Orders answered well whose effects do not all exist yet: how many there are over time."""

from __future__ import annotations

import numpy as np

from sim.records.counted import Floats
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.spec.promises import ROUNDING
from sim.vocabulary import GOOD


def open_promises(records: Records, times: Floats) -> Floats | None:
    """How many promises are open at each of these times (seconds); None where none was ever made."""
    if records.summary is not None:
        return _by_tick(records.ticks, records.summary, times)
    rows = records.requests
    rows = rows[rows["expects"] & np.isin(rows["outcome"], GOOD) & np.isfinite(rows["end"])]
    if not rows.size:
        return None
    kept = np.maximum(rows["completion"], rows["end"])
    opened, closed = np.sort(rows["end"]), np.sort(kept[np.isfinite(kept)])
    return (np.searchsorted(opened, times, "right") - np.searchsorted(closed, times, "right")).astype(np.float64)


def _by_tick(ticks: Floats, summary: Summary, times: Floats) -> Floats | None:
    """At the ticks it is known; what is asked for are ticks, but for their last digits."""
    counts = summary.over_time
    if not counts["opened"].any():
        return None
    still_open = np.concatenate([[0], np.cumsum(counts["opened"] - counts["kept"])])
    return still_open[np.searchsorted(ticks, times + ROUNDING, side="right")].astype(np.float64)
