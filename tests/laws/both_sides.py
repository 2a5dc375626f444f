"""What no queueing system may break, seen from both sides of one run: the state that the gauges saw, and the flow that the spans tell of.

Time in the system is cut to the measured window, attempts that began before it or end after it included, so that both sides speak of the same time
and agree as closely as the books are kept. Needs `record: {spans: all}`.
"""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.gauges import Floats, Gauges
from sim.records.tables import Records


def little(records: Records, service: str) -> tuple[float, float]:
    """L and lambda x W: mean number waiting and in service by the gauges, and attempts per second times their time there by the spans.

    Holds where a worker is held while a callee answers (threads); an event loop lets go of it, and `busy` sees less than the spans.
    """
    gauges = Gauges(records)
    seen = gauges.mean_waiting(service) + gauges.mean(service, "busy")
    return seen, _rate_of_time(records, service, "arrived")


def utilisation_law(records: Records, service: str) -> tuple[float, float]:
    """U and X x S: mean number of busy workers by the gauges, and attempts per second times the time they held one by the spans."""
    return Gauges(records).mean(service, "busy"), _rate_of_time(records, service, "started")


def _rate_of_time(records: Records, service: str, since: str) -> float:
    """Seconds spent at the service per second of the measured window, from `since` to the end of each attempt."""
    window = records.duration - records.warmup
    its = np.array([name.startswith(f"{service}.") for name in (*records.names, "")], dtype=bool)
    spans = records.every_span()
    spans = spans[its[spans["endpoint"]]]
    begin: Floats = spans[since]
    end = np.where(np.isnan(spans["ended"]), records.duration, spans["ended"])
    inside = np.clip(np.minimum(end, records.duration) - np.maximum(begin, records.warmup), 0.0, None)
    return float(np.nansum(inside)) / window if window > 0 else math.nan
