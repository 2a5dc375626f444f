"""Everything in a run that can be full: workers, cores, consumers and the hottest of them, places of bulkheads, rate
limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.metrics.gauges import Floats, Gauges, ratio
from sim.metrics.keys import stations
from sim.spec.scenario import Scenario
from sim.spec.sites import limits

MEMBER = "busy member"  # how the series of the members of a group begin


@dataclass(frozen=True)
class Pool:
    """One pool of servers over the ticks of a run."""

    station: str  # service, "gateway", "group topic", "caller -> callee", "gateway all limit"
    resource: str  # "workers", "cores", "consumers", "hottest consumer", "places", "rate"
    # servers that are busy, on average over the interval that ends at the tick; of a rate limit what passes per second
    busy: Floats
    servers: Floats  # how many there are; nan where nobody knows, infinite where they are unlimited
    queue: str = ""  # the series of who waits for one

    def utilisations(self, gauges: Gauges, edges: Floats) -> Floats:
        """Busy / servers, each averaged between neighbouring edges; nan where the servers are unlimited or unknown."""
        there = gauges.means(self.servers, edges)
        return np.where(np.isfinite(there), ratio(gauges.means(self.busy, edges), there), math.nan)

    @property
    def shares(self) -> Floats:
        """Busy / servers in every interval; nan where servers are unlimited or unknown, or none is up."""
        known = np.isfinite(self.servers) & (self.servers > 0)
        return np.where(known, self.busy / np.where(known, self.servers, 1.0), math.nan)


def pools(gauges: Gauges, scenario: Scenario) -> Iterator[Pool]:
    """Those that the run has series of."""
    for station in stations(scenario):
        for resource, busy in (("workers", "busy"), ("cores", "cores_busy")):
            if gauges.has(station, busy):
                yield Pool(
                    station, resource, gauges.values(station, busy), _servers(gauges, station, resource), "queue"
                )
    for group in gauges.components("busy"):
        if group not in stations(scenario):
            yield Pool(group, "consumers", gauges.values(group, "busy"), _servers(gauges, group, "workers"), "lag")
            yield from _hottest(gauges, group)
    for bulkhead in gauges.components("places_taken"):
        yield Pool(
            bulkhead, "places", gauges.values(bulkhead, "places_taken"), gauges.values(bulkhead, "places"), "in_line"
        )
    for name, most in limits(scenario).items():
        if gauges.has(name, "passed"):
            passing = np.diff(gauges.values(name, "passed"), prepend=0.0) / np.maximum(np.diff(gauges.ticks), 1e-12)
            yield Pool(name, "rate", passing, np.full(passing.shape, most))


def members(gauges: Gauges, group: str) -> list[Floats]:
    """The busy share of each member of a group over the ticks; none where the group is one member, or too large."""
    return [
        gauges.values(group, its) for component, its in gauges.series if component == group and its.startswith(MEMBER)
    ]


def _hottest(gauges: Gauges, group: str) -> Iterator[Pool]:
    """The member that was busy most of the measured window: it is full before the others where partitions are not
    alike.
    """
    found = members(gauges, group)
    if found:
        edges = np.array([gauges.records.warmup, gauges.records.duration])
        hottest = max(found, key=lambda busy: float(np.nan_to_num(gauges.means(busy, edges)[0])))
        yield Pool(group, "hottest consumer", hottest, np.ones(hottest.shape))


def _servers(gauges: Gauges, station: str, quantity: str) -> Floats:
    return (
        gauges.values(station, quantity)
        if gauges.has(station, quantity)
        else np.full(gauges.records.ticks.shape, math.nan)
    )
