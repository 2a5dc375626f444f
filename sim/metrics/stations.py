"""How the machines fared, from the time series: utilisation, queues, lag, amplification, wasted work, cost."""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.gauges import Floats, Gauges, ratio
from sim.metrics.keys import GATEWAY, groups, key_of, pooled, stations, views
from sim.metrics.pools import pools
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.serverless import Serverless

Shares = dict[tuple[str, str], Floats]
"""(station, resource) -> (spans,) share that is busy, of everything that can be full; nan where it is unlimited."""


def machine_averages(records: Records, scenario: Scenario, left: Left, edges: Floats) -> dict[str, Floats]:
    """The figures of services, gateway and consumer groups that are averages over time, between neighbouring edges:
    (spans,) each.
    """
    gauges = Gauges(records)
    shares = utilisations(gauges, scenario, edges)
    return {
        **{key_of("utilisation", station): _busiest(shares, station, edges.size - 1) for station in pooled(scenario)},
        **{key_of("queue_mean", station): gauges.means_waiting(station, edges) for station in stations(scenario)},
        **{key_of("stale_reads", view): _stale(gauges, view, edges) for view in views(scenario)},
        "amplification": _over_services(gauges, "attempts", "first_attempts", edges),
        "wasted_work": _over_services(gauges, "work_wasted", "work_done", edges),
        "cost_per_thousand": _per_thousand(costs(gauges, scenario, edges), left),
    }


def station_extremes(records: Records, scenario: Scenario) -> dict[str, float]:
    """The largest figures of the measured window, and its whole cost."""
    gauges = Gauges(records)
    shares = [float(its[0]) for its in utilisations(gauges, scenario, gauges.window).values()]
    return {
        **{key_of("lag_max", group): lag_max(gauges, group) for group in groups(scenario)},
        "utilisation_max": max((share for share in shares if not math.isnan(share)), default=math.nan),
        "cost": float(costs(gauges, scenario, gauges.window)[0]),
    }


def utilisations(gauges: Gauges, scenario: Scenario, edges: Floats) -> Shares:
    """Those between neighbouring edges."""
    return {(pool.station, pool.resource): pool.utilisations(gauges, edges) for pool in pools(gauges, scenario)}


def _busiest(shares: Shares, station: str, spans: int) -> Floats:
    """Of a station's cores where there are any, else of whatever it has but its hottest consumer; nan where nothing is
    known.
    """
    its = {
        resource: value
        for (name, resource), value in shares.items()
        if name == station and resource != "hottest consumer"
    }
    return its.get("cores", next(iter(its.values()), np.full(spans, math.nan)))


def lag_max(gauges: Gauges, group: str) -> float:
    """The largest sum of a group's lag over its topics, or of a queue's, at a tick of the measured window."""
    its = [component for component in gauges.components("lag") if group in (component, component.rpartition(" ")[0])]
    lags = [gauges.levels(component, "lag", gauges.records.warmup) for component in its]
    return float(np.sum(lags, axis=0).max()) if lags and lags[0].size else math.nan


def costs(gauges: Gauges, scenario: Scenario, edges: Floats) -> Floats:
    """(spans,) replicas or nodes x time x price; nan where nothing has a price. Those that start or end cost, too."""
    prices = {name: service.cost for name, service in scenario.services.items()}
    if scenario.gateway is not None:
        prices[GATEWAY] = scenario.gateway.cost
    prices |= {name: pool.cost for name, pool in scenario.node_pools.items()}
    priced = [
        gauges.means_of(component, _paid(gauges, component), edges) * np.diff(edges) * price
        for component, price in prices.items()
        if price
    ]
    priced += [
        _billed(gauges, name, service.serverless, edges)
        for name, service in scenario.services.items()
        if service.serverless is not None and service.serverless.billing is not None
    ]
    return np.sum(priced, axis=0) if priced else np.full(edges.size - 1, math.nan)


def _billed(gauges: Gauges, name: str, function: Serverless, edges: Floats) -> Floats:
    """What a function costs: its requests, the time for which instances work, and for which they are provisioned."""
    bill = function.billing
    assert bill is not None
    requests = gauges.growths_of(name, "executions", edges) * bill.request
    run = gauges.means_of(name, "running", edges) * bill.run
    warm = gauges.means_of(name, "running_provisioned", edges) * bill.run_provisioned
    return requests + (run + warm + function.provisioned * bill.provisioned) * np.diff(edges)


def _paid(gauges: Gauges, component: str) -> str:
    known = (paid for paid in ("instances", "replicas_paid", "nodes_paid") if component in gauges.components(paid))
    return next(known, "replicas")


def _per_thousand(price: Floats, left: Left) -> Floats:
    n = left.completed if left.expected else left.served
    nothing = np.where(np.isnan(price), math.nan, math.inf)
    return np.where(n > 0, ratio(price * 1000, n), nothing)


def _stale(gauges: Gauges, view: str, edges: Floats) -> Floats:
    """The share of all reads of a view, by whichever step, that were stale."""
    ends = {end: np.zeros(edges.size - 1) for end in ("fresh", "waited", "elsewhere", "stale")}
    for component, quantity in gauges.series:
        end, _, label = quantity.removeprefix("views_").partition(" ")
        if end in ends and quantity.startswith("views_") and view == label.partition(" #")[0]:
            ends[end] += gauges.growths_of(component, quantity, edges)
    return ratio(ends["stale"], sum(ends.values(), np.zeros(edges.size - 1)))


def _over_services(gauges: Gauges, part: str, whole: str, edges: Floats) -> Floats:
    """The growth of one total, of all services together, over that of another."""
    components = [component for component in gauges.components(whole) if component != GATEWAY]
    grown = (
        sum((gauges.growths_of(component, its, edges) for component in components), np.zeros(edges.size - 1))
        for its in (part, whole)
    )
    return ratio(*grown)
