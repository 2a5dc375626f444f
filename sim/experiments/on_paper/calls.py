"""What the warnings of `sim check` are judged on: one scenario's calls, with who makes them, under which policy and how
often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sim.experiments.on_paper.offered_load import Analysis, OfferedLoad
from sim.experiments.on_paper.patience import Patience
from sim.spec.actions import Calls, every_action
from sim.spec.policy import CallPolicy
from sim.spec.step import Step


@dataclass(frozen=True)
class Edge:
    """A call from one place to an endpoint under one policy."""

    place: str  # where the call is written
    caller: str  # service, or "gateway"
    target: str
    policy: CallPolicy

    @property
    def timeout(self) -> float | None:
        """Per attempt."""
        return self.policy.timeout


class View:
    """One scenario as the rules of `unwise` read it; computed once."""

    def __init__(self, analysis: Analysis, load: OfferedLoad) -> None:
        self.analysis, self.load = analysis, load
        self.scenario, self.flow = analysis.scenario, analysis.flow

    @cached_property
    def patience(self) -> Patience:
        """How long calls may take."""
        return Patience(self.flow)

    @cached_property
    def edges(self) -> list[Edge]:
        """All calls, those of the gateway first."""
        gateway = self.scenario.gateway
        routes = gateway.routes.items() if gateway is not None else ()
        found = [
            Edge(f"gateway.routes.{name}", "gateway", endpoint, route.guarded(self.flow.policy(route.policy)))
            for name, route in routes
            for endpoint in route.targets
        ]
        for service, spec in self.scenario.services.items():
            bodies = [(f"{service}.{name}", endpoint.do) for name, endpoint in spec.endpoints.items()]
            bodies += [(f"{service} <- {topic}", consume.do) for topic, consume in spec.consumes.items()]
            found += [
                Edge(place, service, call.endpoint, self.flow.policy(call.policy))
                for place, steps in bodies
                for call in calls_in(steps)
            ]
        return found

    def rate(self, edge: Edge, peak: bool = False) -> float:
        """Calls per second from this caller to this endpoint, every attempt of a good day."""
        rates = self.analysis.rates_peak if peak else self.analysis.rates
        if edge.caller == "gateway":
            name = edge.place.removeprefix("gateway.routes.")
            gateway = self.scenario.gateway
            assert gateway is not None
            return rates.routes.get(name, 0.0) * gateway.routes[name].forwarded
        spec = self.scenario.services[edge.caller]
        runs = [
            (rates.endpoints.get(f"{edge.caller}.{name}", 0.0), self.flow.endpoints[f"{edge.caller}.{name}"])
            for name in spec.endpoints
        ]
        runs += [(rates.topics.get(topic, 0.0), self.flow.consumers[edge.caller, topic]) for topic in spec.consumes]
        return math.fsum(rate * profile.calls.get(edge.target, 0.0) for rate, profile in runs)

    def replicas(self, caller: str) -> int:
        """Of a service or of the gateway."""
        gateway = self.scenario.gateway
        if caller == "gateway":
            return gateway.replicas if gateway is not None else 1
        return self.scenario.services[caller].most_replicas


def calls_in(steps: Iterable[Step]) -> Iterator[Calls]:
    """All calls that a list of steps makes, in fallbacks and parallel branches too; those of a `perform` belong to its
    endpoint.
    """
    return (action for action in every_action(steps) if isinstance(action, Calls))


def poisson_tail(least: int, mean: float) -> float:
    """P(N >= least) of a Poisson variable."""
    if mean <= 0.0:
        return 1.0 if least <= 0 else 0.0
    if mean > 600.0:  # the sum below would underflow
        return 0.5 * math.erfc((least - 0.5 - mean) / math.sqrt(2.0 * mean))
    terms = (math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(least))
    return max(0.0, 1.0 - math.fsum(terms))
