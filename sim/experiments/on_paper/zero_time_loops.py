"""Where time can stand still: users who do not pause, and are answered at once, send again and again at one instant.

A run that meets it ends there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.gateway import gateway_work
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.places import listed
from sim.spec import actions as does
from sim.spec.base import UNLIMITED
from sim.spec.fault import Crash, Errors, Outage
from sim.spec.gateway import Gateway
from sim.spec.policy import CallPolicy
from sim.spec.routing import entered
from sim.spec.service import Service
from sim.spec.step import Step

INSTANT = 1e-9  # s; a shorter pause is none


def time_can_stand_still(view: View) -> Iterator[Finding]:
    """Closed users without a pause, where something may answer them at once."""
    for name, traffic in view.scenario.traffic.items():
        if not traffic.arrivals.population or traffic.arrivals.cycle(0.0) >= INSTANT:
            continue
        ways = _Ways(view)
        for target in entered(view.scenario.gateway, traffic.mix):
            ways.come_to(target)
        patience = traffic.typical_patience
        if patience is not None and patience < INSTANT:
            ways.found[f"they give up after {patience:g}s"] = None
        if ways.found:
            why = (
                "whoever is answered at once sends again at the same instant, without end: then the run is broken "
                "off. Let users think for a while"
            )
            yield Finding(
                f"traffic.{name}",
                f"its users do not pause, and can be answered at once: {listed(list(ways.found))}",
                why,
            )


class _Ways:
    """The ways on which a request can be answered before any time has passed, in words."""

    def __init__(self, view: View) -> None:
        self._view, self._scenario = view, view.scenario
        self.found: dict[str, None] = {}
        self._seen: set[str] = set()
        users = [
            traffic.arrivals.population
            for traffic in view.scenario.traffic.values()
            if traffic.arrivals.population and not traffic.gives_up
        ]
        # attempts: nobody makes a second before the first is over
        self._most_at_once = sum(users) if len(users) == len(view.scenario.traffic) else math.inf

    def come_to(self, target: str) -> None:
        """A client's request, which comes without a hop."""
        gateway = self._scenario.gateway
        if gateway is None:
            self._visit(target)
        elif not self._enter("gateway", gateway):
            route = gateway.routes[target]
            policy = route.guarded(self._view.flow.policy(route.policy))
            lasting = [self._call("gateway", endpoint, policy) for endpoint in route.targets]  # all are looked at
            if not all(lasting):
                self.found[f"{target} takes no time"] = None

    def _enter(self, name: str, host: Gateway | Service) -> bool:
        """Come into a component; whether that takes time."""
        for fault in self._scenario.faults:
            if (
                isinstance(fault, (Outage, Crash, Errors))
                and fault.of == name
                and getattr(fault, "how", "refuse") == "refuse"
            ):
                self.found[f"the fault {fault.name}"] = None
        sheds = UNLIMITED not in (host.workers, host.queue.capacity) and host.queue.listen_backlog is None
        if sheds and host.queue.capacity < self._most_at_once:
            self.found[f"the queue of {name} may be full"] = None
        if isinstance(host, Service):
            return False
        if gateway_work(host, None) > 0.0:
            return True
        if host.rate_limits:
            self.found["a rate limit may refuse"] = None
        return False

    def _visit(self, endpoint: str) -> bool:
        """Whether an attempt on an endpoint takes time."""
        service = endpoint.partition(".")[0]
        if endpoint in self._seen:
            return True
        self._seen.add(endpoint)
        host = self._scenario.services[service]
        takes_time = self._enter(service, host) or self._walk(service, host.endpoints[endpoint.partition(".")[2]].do)
        if not takes_time:
            self.found[f"{endpoint} takes no time"] = None
        return takes_time

    def _walk(self, service: str, steps: Sequence[Step]) -> bool:
        """Whether these steps take time, after what can end them before."""
        # nobody knows of one that tells none
        return any(step.actions is None or self._act(service, step.actions) for step in steps)

    def _act(self, service: str, actions: Sequence[does.Action]) -> bool:
        return any(self._takes_time(service, action) for action in actions)

    def _takes_time(self, service: str, action: does.Action) -> bool:
        match action:
            case does.TakesTime(time):
                return time.mean > 0.0
            case does.Ends(share) if share > 0.0:
                self.found[f"{service} refuses or fails at once"] = None
            case does.TakesStock():
                self.found[f"the stock of {service} may be sold out"] = None
            case does.Branches(branches, first=True):
                return sum(self._walk(service, branch) for branch in branches) == len(branches)
            case does.Branches(branches):
                return sum(self._walk(service, branch) for branch in branches) > 0  # all of them are looked at
            case does.Runs(aside=True):
                return False
            case does.Chooses(ways):
                takes_time = [self._walk(service, steps) for _, steps in ways]  # all of them are looked at
                return all(takes_time) and math.isclose(math.fsum(share for share, _ in ways), 1.0)
            case does.Compensates(both):
                return sum(self._walk(service, do) for do, _ in both) > 0  # all of them are looked at
            case does.Repeats(steps, times):
                return self._walk(service, steps) and bool(times.tails) and times.tails[0] == 1.0
            case does.Locks():
                return self._walk(service, action.steps)
            case does.Runs():
                return self._walk(service, action.steps) and action.share == 1.0
            case does.Performs(endpoint):
                return self._walk(service, self._scenario.services[service].endpoints[endpoint.partition(".")[2]].do)
            case does.Calls(endpoint):
                return self._call(service, endpoint, self._view.flow.policy(action.policy))
            case does.Publishes():
                return action.poll is None
        return False

    def _call(self, caller: str, target: str, policy: CallPolicy) -> bool:
        """Whether a call takes time. What the caller itself decides takes none, however far away the callee is."""
        if policy.circuit_breaker is not None:
            self.found[f"a breaker of {caller} may be open"] = None
        if policy.bulkhead is not None and not policy.bulkhead.waits:
            self.found[f"a bulkhead of {caller} may be full"] = None
        return self._view.flow.within_zone(caller, target.partition(".")[0]) > 0.0 or self._visit(target)
