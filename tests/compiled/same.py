"""Whether two engines have given the same records, to the last bit; and if not, where they part."""

from __future__ import annotations

import numpy as np

from sim.records.summary import SUMMARY_ARRAYS, Summary
from sim.records.tables import Records


def differences(one: Records, other: Records) -> list[str]:
    """What differs, in words; empty where nothing does."""
    found = [
        name
        for name in ("names", "books", "oversold", "effect_names", "series")
        if getattr(one, name) != getattr(other, name)
    ]
    for table in ("requests", "messages", "events", "spans", "stages"):
        a, b = np.ascontiguousarray(getattr(one, table)), np.ascontiguousarray(getattr(other, table))
        if a.tobytes() != b.tobytes():
            row = next((i for i in range(min(len(a), len(b))) if a[i].tobytes() != b[i].tobytes()), min(len(a), len(b)))
            found.append(f"{table}: {len(a)} and {len(b)} rows, other from row {row}")
    found += _of_summaries(one.summary, other.summary)
    if not np.array_equal(one.ticks, other.ticks):
        found.append("ticks")
    elif not np.array_equal(one.gauges, other.gauges, equal_nan=True):
        tick, series = np.argwhere(~((one.gauges == other.gauges) | (np.isnan(one.gauges) & np.isnan(other.gauges))))[0]
        found.append(
            f"{one.series[series].name} at {one.ticks[tick]} s: {one.gauges[tick, series]} and {other.gauges[tick, series]}"
        )
    return found


def _of_summaries(one: Summary | None, other: Summary | None) -> list[str]:
    if one is None or other is None:
        return [] if one is other else ["one has a summary, the other has none"]
    arrays = [
        f"summary: {name}" for name in SUMMARY_ARRAYS if getattr(one, name).tobytes() != getattr(other, name).tobytes()
    ]
    return arrays + ([] if one.digests == other.digests else ["digests"])
