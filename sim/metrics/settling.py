"""The one series by which a run is seen to settle: the mean response over time, from the very start."""

from __future__ import annotations

import numpy as np

from sim.metrics.gauges import ratio
from sim.records.columns import Columns
from sim.records.counted import Floats
from sim.records.summary import POINTS  # of the series, whatever the duration: 200 batches of five
from sim.records.tables import Records

RESPONSE = "response"  # the column


def settling_series(records: Records) -> Columns:
    """Mean response of the requests that were answered in each thousandth of the run, nan where none was; by the start
    of the interval.

    They go by their answer, not by their arrival: the last to arrive are answered only if they are quick, and the end
    would look better than it is.
    """
    total, count = (
        _of_rows(records)
        if records.summary is None
        else (records.summary.settling["total"], records.summary.settling["count"].astype(np.float64))
    )
    return Columns(np.arange(POINTS) * records.duration / POINTS, {RESPONSE: ratio(total, count)}, "time")


def _of_rows(records: Records) -> tuple[Floats, Floats]:
    """The sum of the responses, and how many there were."""
    end = records.requests["end"]
    answered = ~np.isnan(end)
    place = np.minimum((end[answered] / records.duration * POINTS).astype(np.int64), POINTS - 1)
    total = np.bincount(place, weights=(end - records.requests["arrival"])[answered], minlength=POINTS).astype(
        np.float64
    )
    return total, np.bincount(place, minlength=POINTS).astype(np.float64)
