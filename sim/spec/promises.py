"""What routes promise and clients bear, and which times of an answer make a difference to it: what any record of a run
must be able to tell.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.spec.scenario import Scenario
from sim.spec.traffic import Objective, Traffic

# s; a system in which requests are in flight for longer, where their client has no timeout, has not recovered
PATIENCE = 10.0
# of the requests that a share counts; where the fate of more of them is open at the end, there is no figure but its
# bounds
WIDE = 0.1
APDEX_T = 0.5  # s; where a route has no latency objective, as New Relic has it
TOLERATED = 4  # times T, in the words of Apdex
# s; a time is a difference of two clocks, whose last digits are noise: 0.1 s is within an objective of 100 ms wherever
# it happens
ROUNDING = 1e-9


def objective_of(scenario: Scenario, traffic: Traffic | None, route: str) -> Objective:
    """What the route promises; where it says nothing, what its client was promised."""
    at_gateway = scenario.gateway.routes.get(route) if scenario.gateway else None
    if at_gateway is not None and at_gateway.objective is not None:
        return at_gateway.objective
    return (traffic.objective if traffic is not None else None) or Objective()


def patience_of(traffic: Traffic | None) -> float:
    """Seconds after which a request that is still in flight counts as failed where one asks whether a system has
    recovered: where clients differ in patience, what they have on average.
    """
    patience = traffic.typical_patience if traffic is not None else None
    return PATIENCE if patience is None else patience


def limits(scenario: Scenario) -> Iterator[float]:
    """Every response time, in seconds, at which an answer goes from one verdict to another, whichever route
    it is of.
    """
    for traffic in (None, *scenario.traffic.values()):
        for route in ("", *(traffic.mix if traffic is not None else ())):
            objective = objective_of(scenario, traffic, route).latency
            limit = APDEX_T if objective is None else objective
            yield limit + ROUNDING
            yield TOLERATED * limit + ROUNDING
