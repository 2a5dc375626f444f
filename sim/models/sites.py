"""Where calls are made: the salts that keep the draws of several sites of one target apart, and what may be tried
again.

Draws are keyed by the callee's name, so that an order meets the same payment time whether payment is called or consumes
an event. Where one request can reach a target by two sites, the second must not repeat the draws of the first: the
first site, in the order in which the scenario is walked from its traffic, has salt 0, any other a digest of its own
name. What no traffic reaches has no influence on anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.chance.keyed import stream_number
from sim.spec import step as spec
from sim.spec.actions import lists_in
from sim.spec.policy import CallPolicy
from sim.spec.routing import entered
from sim.spec.scenario import Scenario
from sim.spec.sites import consumer_name, named, reached

Onward = spec.Call | spec.Perform | spec.Publish  # the steps that name other steps, which then follow


def salts(scenario: Scenario) -> dict[str, int]:
    """Site -> salt, for each site that traffic can reach; 0 for the first site of its target."""
    return _Walk(scenario).salts


def tried_again(scenario: Scenario) -> set[str]:
    """The calls from which one request may send several attempts along one path: those with retries, and all below one,
    or below a consumer.
    """
    return _Retries(scenario).sites


def mark_of(site: str) -> int:
    """A number of 62 bits for a site, the same everywhere; with the path of an attempt folded in it tells where a
    request has been.
    """
    return stream_number(site) >> 2


def onward(base: str, steps: Sequence[spec.Step]) -> Iterator[tuple[str, Onward]]:
    """(name, step): those here, and inside of these, that go on to other steps, in the order of the scenario."""
    for name, step in named(base, steps):
        if isinstance(step, Onward):
            yield name, step
        elif inside := [named_list for action in step.actions or () for named_list in lists_in(action)]:
            for place, inner in inside:
                yield from onward(f"{name}.{place}", inner)
        else:
            for field, steps_inside in _nested(step):
                yield from onward(f"{name}.{field}", steps_inside)
        if isinstance(step, spec.Call):
            yield from onward(f"{name}.token", step.asks)
        if isinstance(step, (spec.Call, spec.Publish)) and step.fallback:
            yield from onward(f"{name}.fallback", step.fallback)


def _nested(step: spec.Step) -> Iterator[tuple[str, list[spec.Step]]]:
    """Steps in the fields of a plug-in's step that tells no actions: one, or a list of them, named after the field."""
    for field in type(step).model_fields:
        held = getattr(step, field)
        inner = (held,) if isinstance(held, spec.Step) else held if isinstance(held, tuple) else ()
        yield field, [item for item in inner if isinstance(item, spec.Step)]


def _consumers(scenario: Scenario, destination: str) -> Iterator[tuple[str, Sequence[spec.Step]]]:
    """(base name, steps) of each consumer that a message published there may come to."""
    sources = reached(scenario, destination)
    for name, service in scenario.services.items():
        for source in sources:
            if source in service.consumes:
                consume = service.consumes[source]
                yield consumer_name(name, consume.group, source), consume.do


def _endpoint(scenario: Scenario, target: str) -> Sequence[spec.Step]:
    service, _, endpoint = target.partition(".")
    return scenario.services[service].endpoints[endpoint].do


class _Walk:
    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.salts: dict[str, int] = {}
        self.reached: set[str] = set()
        for traffic in scenario.traffic.values():
            for target in entered(scenario.gateway, traffic.mix):
                self._enter(target)

    def _enter(self, target: str) -> None:
        gateway = self.scenario.gateway
        if gateway is None:
            self._reach(f"entry {target}", target)
            return
        for site, asked in gateway.asks.items():
            self._reach(site, asked.endpoint)
        route = gateway.routes[target]
        for endpoint, site in route.call_names(target).items():
            self._reach(site, endpoint)
        self._follow(route.token_name(target), route.asks)

    def _reach(self, site: str, target: str) -> None:
        if site in self.salts:
            return
        self.salts[site] = stream_number(site) >> 33 if target in self.reached else 0
        if target in self.reached:
            return
        self.reached.add(target)
        if target.startswith("topic "):
            for base, steps in _consumers(self.scenario, target.removeprefix("topic ")):
                self._follow(base, steps)
        else:
            self._follow(target, _endpoint(self.scenario, target))

    def _follow(self, base: str, steps: Sequence[spec.Step]) -> None:
        for name, step in onward(base, steps):
            self._reach(name, f"topic {step.topic}" if isinstance(step, spec.Publish) else step.target)


class _Retries:
    """Goes down from every door, once where nothing above is tried again, and once more where something is."""

    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.sites: set[str] = set()
        self.below: dict[str, bool] = {}  # what has been walked -> whether as something below a retry
        for traffic in scenario.traffic.values():
            again = traffic.retry is not None and traffic.retry.max_attempts > 1
            for target in entered(scenario.gateway, traffic.mix):
                self._enter(target, again)

    def _enter(self, target: str, again: bool) -> None:
        gateway = self.scenario.gateway
        if gateway is None:
            self._walk(target, target, again)
            return
        for site, asked in gateway.asks.items():
            self._call(site, asked.endpoint, asked.policy, again)
        route = gateway.routes[target]
        for endpoint, site in route.call_names(target).items():
            self._call(site, endpoint, route.policy, again)
        self._walk(route.token_name(target), target, again, route.asks)

    def _call(self, site: str, target: str, policy: str | CallPolicy | None, again: bool) -> None:
        guard = self.scenario.policies[policy] if isinstance(policy, str) else policy
        again = again or (guard is not None and guard.retry is not None and guard.retry.max_attempts > 1)
        again = again or (guard is not None and guard.hedge is not None)
        if again:
            self.sites.add(site)
        self._walk(target, target, again)

    def _walk(self, place: str, base: str, again: bool, steps: Sequence[spec.Step] | None = None) -> None:
        if self.below.get(place, False) or self.below.get(place) == again:
            return
        self.below[place] = again
        for name, step in onward(base, _endpoint(self.scenario, base) if steps is None else steps):
            if isinstance(step, spec.Call):
                self._call(name, step.target, step.policy, again)
            elif isinstance(step, spec.Perform):
                self._walk(step.target, step.target, again)
            else:
                for consumer, inner in _consumers(self.scenario, step.topic):
                    self._walk(consumer, consumer, True, inner)  # it is delivered at least once
