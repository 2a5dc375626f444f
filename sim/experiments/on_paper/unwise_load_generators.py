"""Warnings about load generators that cannot send what they are to send."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.traffic import Traffic
from sim.units import show_duration, show_rate, show_share

_NOISE = 1e-9  # of a product of floats


def few_virtual_users(view: View) -> Iterator[Finding]:
    """Fewer virtual users than iterations that are under way at once: arrivals are dropped though nobody queues.

    By Little's law so many are busy on average: iterations per second x the time of one, its answers and its pauses, as
    k6 allocates them (preAllocatedVUs = median iteration duration x rate, and some for variance).
    """
    for name, traffic in view.scenario.traffic.items():
        if traffic.virtual_users is None or name in view.load.unknown:
            continue
        rate = view.analysis.sent_peak[name] / traffic.requests_each
        lasts = _iteration(view, name, traffic)
        needed = math.ceil(rate * lasts - _NOISE)
        most, first = traffic.virtual_users.most, traffic.virtual_users.pre_allocated
        sum_of_it = f"{show_rate(rate)} x {show_duration(lasts)}, without queueing"
        place = f"traffic.{name}.virtual_users"
        if needed > most:
            lost = 1.0 - most / (rate * lasts)
            why = (
                f"{show_share(lost)} of the arrivals at the peak are dropped at least, and no request is made for them"
            )
            yield Finding(place, f"at most {most:,}, where {needed:,} are busy on average ({sum_of_it})", why)
        elif needed > first:
            why = f"each that is missing costs one arrival, {needed - first:,} in all, before it is there (maxVUs)"
            yield Finding(place, f"{first:,} at first, where {needed:,} are busy on average ({sum_of_it})", why)


def _iteration(view: View, name: str, traffic: Traffic) -> float:
    """Seconds of a virtual user: answers, and the pauses between them."""
    requests = traffic.requests_each
    think = traffic.visit.think.mean if traffic.visit is not None else 0.0
    return requests * view.analysis.response(name) + (requests - 1.0) * think


RULES = (few_virtual_users,)
