"""All figures of one run, in the window [warmup, duration).

Latencies and shares are of the requests that arrived in it, rates of what left in it, those of the machines of its
time; the business ledger counts the whole run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.keys import routes
from sim.metrics.latency import latencies
from sim.metrics.observed import Observed, observe
from sim.metrics.orders import business
from sim.metrics.resilience import resilience
from sim.metrics.sample import Parts
from sim.metrics.service_level import Bounded, bounded_shares, outcome_shares, service_level
from sim.metrics.stations import machine_averages, station_extremes
from sim.records.counted import Floats
from sim.records.tables import Records
from sim.spec.promises import WIDE
from sim.spec.scenario import Scenario
from sim.vocabulary import BOUNDED, bound_keys, catalogue_order


@dataclass(frozen=True)
class Measurement:
    """The figures of one run by metric key. nan: the run has no such thing.

    Censored ones are lower bounds (an infinite one among them).
    """

    values: dict[str, float]
    censored: frozenset[str]


def measure(records: Records, scenario: Scenario, seen: Observed | None = None) -> Measurement:
    """Every metric of the catalogue, overall and for each route, outcome, service, group and fault: the keys of
    `metric_keys(scenario)`.

    Routes that are only in the records (a measured trace) are added. `seen` is what `observe` gives, for whoever has it
    already.
    """
    seen = observe(records, scenario) if seen is None else seen
    window = np.array([records.warmup, records.duration])
    left, parts = seen.departures.between(window), Parts.of(seen.counted, window)
    shares = bounded_shares(parts)
    served, clocks = averages(records, scenario, parts, shares, left), latencies(parts.sample)
    for route, its in by_route(records, scenario, parts, left):
        served |= service_level(its, shares if its is parts else bounded_shares(its), left.on_route(route), route)
        clocks |= latencies(its.sample, route)
    figures = {key: float(value[0]) for key, value in served.items()}
    figures |= station_extremes(records, scenario) | {key: figure.value for key, figure in clocks.items()}
    values = {
        **_without_the_undecided(figures),
        **business(records, scenario, seen.everyone),
        **resilience(records, scenario, seen.everyone),
    }
    censored = {key for key, figure in clocks.items() if figure.censored}
    return Measurement(
        _in_order(values), frozenset(censored | {key for key, value in values.items() if math.isinf(value)})
    )


def averages(
    records: Records, scenario: Scenario, parts: Parts, shares: Mapping[str, Bounded], left: Left
) -> dict[str, Floats]:
    """The figures of service and machines in neighbouring spans of time, (spans,) each: by who arrived in a span, and
    what left in it.
    """
    machines = machine_averages(records, scenario, left, parts.edges)
    return {**outcome_shares(parts), **machines, **service_level(parts, shares, left)}


def by_route(records: Records, scenario: Scenario, parts: Parts, left: Left) -> Iterator[tuple[str, Parts]]:
    """The requests of each route that the scenario knows or the records hold: these very parts where all took it."""
    number = {name: index for index, name in enumerate(records.names)}
    for route in dict.fromkeys((*routes(scenario), *filter(None, left.routes))):
        yield route, parts.on_route(number.get(route, len(number)))


def _without_the_undecided(values: dict[str, float]) -> dict[str, float]:
    """No figure (nan) where the end of too many requests is open: it would be that of the few whose end is known, and
    say nothing of the others.
    """
    return {key: math.nan if _is_undecided(key, values) else value for key, value in values.items()}


def _is_undecided(key: str, values: dict[str, float]) -> bool:
    name, bracket, label = key.partition("(")
    least, most = bound_keys(f"{'apdex' if name == 'apdex' else 'availability'}{bracket}{label}")
    return name in BOUNDED and values[most] - values[least] > WIDE


def _in_order(values: dict[str, float]) -> dict[str, float]:
    """In the order of the catalogue, each metric's own before its labelled ones."""
    return dict(sorted(values.items(), key=lambda item: (catalogue_order(item[0])[0], "(" in item[0])))
