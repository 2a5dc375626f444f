"""A measured trace as the records of a run: the same columns, so that the same functions answer."""

from __future__ import annotations

import numpy as np

from sim.measured.measurement import Requests
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, Records
from sim.vocabulary import Outcome


def as_records(requests: Requests, duration: float, warmup: float = 0.0, source: str = "measured") -> Records:
    """The first `duration` seconds as records of a run that ended then: who had no answer by then is in flight.

    Books, messages, spans and time series of components are empty: a client does not see them.
    """
    inside = requests.at(requests.arrival < duration)
    end = inside.arrival + inside.duration
    answered = end <= duration
    rows = np.zeros(len(inside), REQUEST)
    rows["id"] = np.arange(len(inside))
    rows["arrival"] = inside.arrival
    rows["end"] = np.where(answered, end, np.nan)
    rows["completion"] = np.nan
    rows["user"] = inside.user
    rows["item"] = rows["where"] = -1
    rows["route"] = np.where(inside.route >= 0, inside.route + 1, -1)
    rows["attempts"] = 1
    unknown = np.isnan(inside.duration) & (inside.outcome != Outcome.IN_FLIGHT)  # it ended, nobody says when
    rows["outcome"] = np.where(answered | unknown, inside.outcome, Outcome.IN_FLIGHT)
    return Records(
        seed=0,
        replication=0,
        duration=duration,
        warmup=warmup,
        names=(source, *inside.routes),
        requests=rows,
        messages=np.empty(0, MESSAGE),
        spans=np.empty(0, SPAN),
        events=np.empty(0, EVENT),
        series=(),
        ticks=np.empty(0),
        gauges=np.empty((0, 0)),
        books=(),
    )
