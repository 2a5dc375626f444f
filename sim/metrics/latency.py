"""Latencies on three clocks: response (answered well), response_all (answered at all), completion (all effects of the
order exist).

They are of the requests that arrived in the window. Who is in flight at the end has no response yet. Where these are
many, the answered ones may be the quick ones only; a percentile that those who arrived early enough to have been seen
to exceed it do exceed too often is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.sample import Parts, Sample
from sim.records.counted import Answers, Floats, Mask, Requests
from sim.spec.promises import WIDE
from sim.stats.quantile import Censored

ERRORS = 2.0  # standard errors of a share that are taken for chance
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def latencies(sample: Sample, route: str = "") -> dict[str, Censored]:
    """Mean and percentiles on the three clocks, censored where requests in flight, or unfinished orders, leave them
    open.
    """
    found = {**percentiles(sample, route), **means(sample, route)}
    for clock in ("response", "response_all"):
        if any(found[key_of(f"{clock}_{statistic}", route)].censored for statistic in PERCENTILES):
            found[key_of(f"{clock}_mean", route)] = found[key_of(f"{clock}_mean", route)]._replace(censored=True)
    return found


def percentiles(sample: Sample, route: str = "") -> dict[str, Censored]:
    """The percentiles on the three clocks."""
    answers, qs = sample.answers, tuple(PERCENTILES.values())
    clocks = {
        "response": _unless_too_quick(answers, answers.answered & answers.good, sample.response.quantiles(qs)),
        "response_all": _unless_too_quick(answers, answers.answered, sample.response_all.quantiles(qs)),
        "completion": sample.completion.quantiles(qs),
    }
    return {
        key_of(f"{clock}_{statistic}", route): figure
        for clock, figures in clocks.items()
        for statistic, figure in zip(PERCENTILES, figures, strict=True)
    }


def _unless_too_quick(answers: Answers, mask: Mask, figures: list[Censored]) -> list[Censored]:
    """The percentiles of those for which the mask holds; where many are in flight, marked if they can only be
    larger.
    """
    if answers.total(answers.in_flight) <= WIDE * answers.size:
        return figures
    return [
        Censored(value, _is_too_quick(answers, mask, value, q))
        for (value, _), q in zip(figures, PERCENTILES.values(), strict=True)
    ]


def _is_too_quick(answers: Answers, mask: Mask, value: float, q: float) -> bool:
    """Whether, beyond chance, fewer than a share q are answered within this time, of those who arrived so early that
    one would have seen it.
    """
    early = (mask | answers.in_flight) & (answers.age > value)
    n, quick = answers.total(early), answers.total(early & mask & (answers.response <= value))
    return quick < q * n - ERRORS * math.sqrt(n * q * (1 - q)) - 0.5


def means(sample: Sample, route: str = "") -> dict[str, Censored]:
    """The means on the three clocks."""
    endless = bool((sample.orders.unfinished & ~sample.orders.pending).any())
    return {
        key_of("response_mean", route): sample.response.mean(endless=False),
        key_of("response_all_mean", route): sample.response_all.mean(endless=False),
        key_of("completion_mean", route): sample.completion.mean(endless=endless),
    }


def mean_times(parts: Parts, route: str = "") -> dict[str, Floats]:
    """The means on the three clocks in each of the parts: (spans,) each.

    As in `means`, what has not ended counts with its age.
    """
    answers, orders = parts.sample.answers, parts.sample.orders
    good, known = answers.answered & answers.good, orders.finished | orders.unfinished
    times = np.where(orders.finished, orders.completion, orders.age)
    return {
        key_of("response_mean", route): _mean(parts.answers, answers, answers.response, good),
        key_of("response_all_mean", route): _mean(parts.answers, answers, answers.response, answers.answered),
        key_of("completion_mean", route): _mean(parts.orders, orders, times, known),
    }


def _mean(spans: Sequence[slice], requests: Requests, times: Floats, mask: Mask) -> Floats:
    """(spans,) over those for which the mask holds; nan where there are none."""
    totals = np.array([requests.sum_of(times, mask, span) for span in spans])
    return ratio(totals, np.array([requests.total(mask, span) for span in spans]))
