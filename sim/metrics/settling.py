"""The one series by which a run is seen to settle: the mean response over time, from the very start."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.metrics.gauges import ratio
from sim.records.tables import Records

POINTS = 1000  # of the series, whatever the duration: 200 batches of five
RESPONSE = "response"  # the column


def settling_series(records: Records) -> pd.DataFrame:
    """Mean response of the requests that were answered in each thousandth of the run, nan where none was; by the start of the interval.

    They go by their answer, not by their arrival: the last to arrive are answered only if they are quick, and the end would look better than it is.
    """
    end = records.requests["end"]
    answered = ~np.isnan(end)
    place = np.minimum((end[answered] / records.duration * POINTS).astype(np.int64), POINTS - 1)
    total = np.bincount(place, weights=(end - records.requests["arrival"])[answered], minlength=POINTS).astype(np.float64)
    count = np.bincount(place, minlength=POINTS).astype(np.float64)
    return pd.DataFrame({RESPONSE: ratio(total, count)}, index=pd.Index(np.arange(POINTS) * records.duration / POINTS, name="time"))
