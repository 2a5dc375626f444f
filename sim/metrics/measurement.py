"""All figures of one run, in the window [warmup, duration).

Latencies and shares are of the requests that arrived in it, rates of what left in it, those of the machines of its time; the business ledger counts
the whole run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.keys import routes
from sim.metrics.latency import latencies
from sim.metrics.observed import observed
from sim.metrics.orders import business
from sim.metrics.resilience import resilience
from sim.metrics.sample import Sample
from sim.metrics.service_level import bounded_shares, outcome_shares, service_level
from sim.metrics.stations import station_figures
from sim.records.tables import Records
from sim.spec.promises import WIDE
from sim.spec.scenario import Scenario
from sim.stats.quantile import Censored
from sim.vocabulary import BOUNDED, bound_keys, catalogue_order


@dataclass(frozen=True)
class Measurement:
    """The figures of one run by metric key. nan: the run has no such thing. Censored ones are lower bounds (an infinite one among them)."""

    values: dict[str, float]
    censored: frozenset[str]


def measure(records: Records, scenario: Scenario) -> Measurement:
    """Every metric of the catalogue, overall and for each route, outcome, service, group and fault: the keys of `metric_keys(scenario)`.

    Routes that are only in the records (a measured trace) are added.
    """
    seen = observed(records, scenario)
    left = seen.departures.between(np.array([records.warmup, records.duration]))
    served = averages(records, scenario, seen.counted, left)
    everyone = seen.everyone
    values = {**_without_the_undecided(served.values), **business(records, scenario, everyone), **resilience(records, scenario, everyone)}
    return Measurement(_in_order(values), served.censored | {key for key, value in values.items() if math.isinf(value)})


Clocks = Callable[[Sample, str], dict[str, Censored]]
"""Figures of latency of a sample, under the names of a route."""


def averages(records: Records, scenario: Scenario, counted: Sample, left: Left, latencies: Clocks = latencies) -> Measurement:
    """The figures of latency (or the means alone), service and machines in one span of time: by who arrived in it, and what left in it."""
    window = records.duration - records.warmup
    values = {**outcome_shares(counted), **station_figures(records, scenario, left)}
    clocks, shares = latencies(counted, ""), bounded_shares(counted.answers)
    values |= service_level(counted, shares, left, window)
    for route, its in by_route(records, scenario, counted, left):
        clocks |= latencies(its, route)
        its_shares = shares if its is counted else bounded_shares(its.answers)
        values |= service_level(its, its_shares, left.on_route(route), window, route)
    values |= {key: figure.value for key, figure in clocks.items()}
    return Measurement(values, frozenset(key for key, figure in clocks.items() if figure.censored))


def by_route(records: Records, scenario: Scenario, sample: Sample, left: Left) -> Iterator[tuple[str, Sample]]:
    """The requests of each route that the scenario knows or the records hold."""
    number = {name: index for index, name in enumerate(records.names)}
    for route in dict.fromkeys((*routes(scenario), *filter(None, left.routes))):
        yield route, sample.on_route(number.get(route, len(number)))


def _without_the_undecided(values: dict[str, float]) -> dict[str, float]:
    """No figure (nan) where the end of too many requests is open: it would be that of the few whose end is known, and say nothing of the others."""
    return {key: math.nan if _is_undecided(key, values) else value for key, value in values.items()}


def _is_undecided(key: str, values: dict[str, float]) -> bool:
    name, bracket, label = key.partition("(")
    least, most = bound_keys(f"{'apdex' if name == 'apdex' else 'availability'}{bracket}{label}")
    return name in BOUNDED and values[most] - values[least] > WIDE


def _in_order(values: dict[str, float]) -> dict[str, float]:
    """In the order of the catalogue, each metric's own before its labelled ones."""
    return dict(sorted(values.items(), key=lambda item: (catalogue_order(item[0])[0], "(" in item[0])))
