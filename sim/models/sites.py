"""Where calls are made: the names of steps, and the salts that keep the draws of several sites of one target apart.

Draws are keyed by the callee's name, so that an order meets the same payment time whether payment is called or consumes an event.
Where one request can reach a target by two sites, the second must not repeat the draws of the first: the first site, in the order
in which the scenario is walked from its traffic, has salt 0, any other a digest of its own name. What no traffic reaches has no
influence on anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.chance.keyed import stream_number
from sim.spec import step as spec
from sim.spec.base import word_of
from sim.spec.scenario import Scenario


def named(base: str, steps: Sequence[spec.Step]) -> Iterator[tuple[str, spec.Step]]:
    """(name, step): `base.kind`, with a number from the second of its kind on, so that other kinds may come between."""
    seen: dict[str, int] = {}
    for step in steps:
        word = word_of(step)
        seen[word] = count = seen.get(word, 0) + 1
        yield (f"{base}.{word}" if count == 1 else f"{base}.{word}.{count}"), step


def consumer_name(service: str, group: str, topic: str) -> str:
    """The base name of what a consumer does."""
    return f"{service}/{group}/{topic}"


def salts(scenario: Scenario) -> dict[str, int]:
    """Site -> salt, for each site that traffic can reach; 0 for the first site of its target."""
    return _Walk(scenario).salts


class _Walk:
    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.salts: dict[str, int] = {}
        self.reached: set[str] = set()
        for traffic in scenario.traffic.values():
            for target in traffic.mix:
                self._enter(target)

    def _enter(self, target: str) -> None:
        gateway = self.scenario.gateway
        if gateway is None:
            self._reach(f"entry {target}", target)
            return
        authentication = gateway.authentication
        introspect = getattr(authentication, "introspect", None)
        if introspect is not None:
            self._reach("gateway.oauth.call", introspect)
        self._reach(f"gateway.{target}.call", gateway.routes[target].to)

    def _reach(self, site: str, target: str) -> None:
        if site in self.salts:
            return
        self.salts[site] = stream_number(site) >> 33 if target in self.reached else 0
        if target in self.reached:
            return
        self.reached.add(target)
        if target.startswith("topic "):
            self._consumers(target.removeprefix("topic "))
        else:
            service, _, endpoint = target.partition(".")
            self._steps(target, self.scenario.services[service].endpoints[endpoint])

    def _consumers(self, topic: str) -> None:
        for name, service in self.scenario.services.items():
            if topic in service.consumes:
                consume = service.consumes[topic]
                self._steps(consumer_name(name, consume.group, topic), consume.do)

    def _steps(self, base: str, steps: Sequence[spec.Step]) -> None:
        for name, step in named(base, steps):
            if isinstance(step, (spec.Call, spec.Perform)):
                self._reach(name, step.target)
            elif isinstance(step, spec.Publish):
                self._reach(name, f"topic {step.topic}")
            elif isinstance(step, spec.Parallel):
                for index, branch in enumerate(step.branches):
                    self._steps(f"{name}.{index}", branch)
            else:
                self._nested(name, step)
            if isinstance(step, (spec.Call, spec.Publish)) and step.fallback:
                self._steps(f"{name}.fallback", step.fallback)

    def _nested(self, name: str, step: spec.Step) -> None:
        """Steps in the fields of a plug-in's step: one, or a list of them, named after the field."""
        for field in type(step).model_fields:
            held = getattr(step, field)
            inner = (held,) if isinstance(held, spec.Step) else held if isinstance(held, tuple) else ()
            self._steps(f"{name}.{field}", [item for item in inner if isinstance(item, spec.Step)])
