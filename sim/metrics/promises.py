"""Orders answered well whose effects do not all exist yet: how many there are over time."""

from __future__ import annotations

import numpy as np

from sim.records.counted import Floats
from sim.records.tables import Records
from sim.vocabulary import GOOD


def open_promises(records: Records, times: Floats) -> Floats | None:
    """How many promises are open at each of these times (seconds); None where none was ever made."""
    rows = records.requests
    rows = rows[rows["expects"] & np.isin(rows["outcome"], GOOD) & np.isfinite(rows["end"])]
    if not rows.size:
        return None
    kept = np.maximum(rows["completion"], rows["end"])
    opened, closed = np.sort(rows["end"]), np.sort(kept[np.isfinite(kept)])
    return (np.searchsorted(opened, times, "right") - np.searchsorted(closed, times, "right")).astype(np.float64)
