"""What a scenario names, and whether anything refers to it: policies, routes, services and their endpoints, brokers and
their topics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sim.spec.actions import Calls, Performs, Publishes, every_action
from sim.spec.document import Location
from sim.spec.routing import entered
from sim.spec.scenario import Scenario
from sim.spec.sites import reached
from sim.spec.step import Call, Step
from sim.spec.walk import visits


class Named(NamedTuple):
    """A name that the user gave: where, of what kind, and whether something refers to it."""

    at: Location
    what: str
    name: str
    used: bool


def named_things(scenario: Scenario) -> Iterator[Named]:
    """Everything with a name that others refer to.

    What stands in a thing that nothing refers to is not told of besides.
    """
    used = _Used(scenario)
    for name in scenario.policies:
        yield Named(("policies", name), "policy", name, name in used.policies)
    for name in scenario.gateway.routes if scenario.gateway is not None else ():
        yield Named(("gateway", "routes", name), "route", name, name in used.routes)
    for service, spec in scenario.services.items():
        own = {endpoint: f"{service}.{endpoint}" in used.targets for endpoint in spec.endpoints}
        alive = any(own.values()) or bool(spec.consumes) or service in used.components
        yield Named(("services", service), "service", service, alive)
        for endpoint, called in own.items() if alive else ():
            yield Named(("services", service, "endpoints", endpoint), "endpoint", endpoint, called)
    for broker, of in scenario.brokers.items():
        topics = {topic: topic in used.topics for topic in of.partitioned}
        queues = {source: source in used.topics for source in of.sources if source not in topics}
        alive = any(topics.values()) or any(queues.values()) or broker in used.components
        yield Named(("brokers", broker), "broker", broker, alive)
        for topic, known in topics.items() if alive else ():
            yield Named(("brokers", broker, "topics", topic), "topic", topic, known)
        for queue, known in queues.items() if alive else ():
            yield Named(("brokers", broker, "queues", queue), "queue", queue, known)


class _Used:
    """What something in the scenario refers to."""

    def __init__(self, scenario: Scenario) -> None:
        self.policies: set[object] = set()
        # routes and endpoints
        self.targets = {target for traffic in scenario.traffic.values() for target in traffic.mix}
        self.routes = set(entered(scenario.gateway, self.targets))
        self.topics = {topic for service in scenario.services.values() for topic in service.consumes}
        self.components: set[object] = {end for link in scenario.network.links for end in link.between}
        for fault in scenario.faults:
            self.components |= set(fault.befalls)
        self._of_gateway(scenario)
        for visit in visits(scenario):
            for action in visit.step.actions or ():
                if isinstance(action, (Calls, Performs)):
                    self.targets.add(action.endpoint)
                elif isinstance(action, Publishes):
                    self.topics |= {action.topic, *reached(scenario, action.topic)}
            if visit.step.actions is None:  # a step that tells none: whatever it names may be meant
                named = {value for value in vars(visit.step).values() if isinstance(value, str)}
                self.targets |= named
                self.topics |= named
                self.policies |= named
            self._policy(getattr(visit.step, "policy", None))
            if isinstance(visit.step, Call):
                self._asks(visit.step.asks)

    def _of_gateway(self, scenario: Scenario) -> None:
        if scenario.gateway is None:
            return
        for route in scenario.gateway.routes.values():
            self.targets |= set(route.targets)
            self._policy(route.policy)
            self._asks(route.asks)
        for action in scenario.gateway.authenticates:
            if isinstance(action, Calls):
                self.targets.add(action.endpoint)
                self._policy(action.policy)

    def _asks(self, steps: tuple[Step, ...]) -> None:
        """The request for a token."""
        for action in every_action(steps):
            if isinstance(action, Calls):
                self.targets.add(action.endpoint)
                self._policy(action.policy)

    def _policy(self, policy: object) -> None:
        if isinstance(policy, str):
            self.policies.add(policy)
