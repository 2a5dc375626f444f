"""How the machines fared, from the time series: utilisation, queues, lag, amplification, wasted work, cost."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.gauges import Gauges, share
from sim.metrics.keys import GATEWAY, groups, key_of, pooled, stations
from sim.metrics.pools import pools
from sim.records.tables import Records
from sim.spec.scenario import Scenario


def station_figures(records: Records, scenario: Scenario, left: Left) -> dict[str, float]:
    """All figures of services, gateway and consumer groups over the measured window."""
    gauges = Gauges(records)
    shares = utilisations(gauges, scenario)
    price = cost(gauges, scenario, records.duration - records.warmup)
    return {
        **{key_of("utilisation", station): busiest(shares, station) for station in pooled(scenario)},
        **{key_of("queue_mean", station): gauges.mean_waiting(station) for station in stations(scenario)},
        **{key_of("lag_max", group): lag_max(gauges, group) for group in groups(scenario)},
        "utilisation_max": _largest(shares.values()),
        "amplification": _over_services(gauges, "attempts", "first_attempts"),
        "wasted_work": _over_services(gauges, "work_wasted", "work_done"),
        "cost": price,
        "cost_per_thousand": _per_thousand(price, left),
    }


def utilisations(gauges: Gauges, scenario: Scenario) -> dict[tuple[str, str], float]:
    """(station, resource) -> share that is busy over the measured window, of everything that can be full; nan where it is unlimited."""
    window = gauges.records.warmup, gauges.records.duration
    return {(pool.station, pool.resource): pool.utilisation(gauges, *window) for pool in pools(gauges, scenario)}


def busiest(shares: dict[tuple[str, str], float], station: str) -> float:
    """Of a station's cores where there are any, else of whatever it has but its hottest consumer; nan where nothing is known."""
    its = {resource: value for (name, resource), value in shares.items() if name == station and resource != "hottest consumer"}
    return its.get("cores", next(iter(its.values()), math.nan))


def lag_max(gauges: Gauges, group: str) -> float:
    """The largest sum of a group's lag over its topics at a tick of the measured window."""
    lags = [gauges.levels(component, "lag", gauges.records.warmup) for component in gauges.components("lag") if component.rpartition(" ")[0] == group]
    return float(np.sum(lags, axis=0).max()) if lags and lags[0].size else math.nan


def cost(gauges: Gauges, scenario: Scenario, window: float) -> float:
    """Replicas x time x price; nan where nothing has a price."""
    prices = {name: service.cost for name, service in scenario.services.items()}
    if scenario.gateway is not None:
        prices[GATEWAY] = scenario.gateway.cost
    priced = {component: price for component, price in prices.items() if price}
    return sum(gauges.mean(component, "replicas") * window * price for component, price in priced.items()) if priced else math.nan


def _per_thousand(price: float, left: Left) -> float:
    n = int((left.completed if left.expected else left.served)[0])
    return price * 1000 / n if n else (math.nan if math.isnan(price) else math.inf)


def _over_services(gauges: Gauges, part: str, whole: str) -> float:
    components = [component for component in gauges.components(whole) if component != GATEWAY]
    return share(sum(gauges.growth(component, part) for component in components), sum(gauges.growth(component, whole) for component in components))


def _largest(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return max(known, default=math.nan)
