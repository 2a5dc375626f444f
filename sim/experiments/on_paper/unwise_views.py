"""The warnings of `sim check` about views that lag behind what is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.actions import Calls, Performs, Publishes
from sim.spec.routing import entered
from sim.spec.scenario import Scenario
from sim.spec.sites import reached
from sim.spec.step import Call, Step
from sim.spec.view import ViewRead, ViewWrite
from sim.spec.walk import consumer_of, view_keys, visits


def views_of_strangers(view: View) -> Iterator[Finding]:
    """Views that are read by other people than those whose writes they show: nobody can miss what he has written."""
    scenario = view.scenario
    keys = [name for name, key in view_keys(scenario).items() if key == "user"]
    ways = _ways(scenario) if keys else {}
    for name in keys:
        writers, readers = (_people(scenario, ways, kind, name) for kind in (ViewWrite, ViewRead))
        if readers and writers and not readers & writers:
            yield Finding(
                f"view {name}",
                f"{', '.join(sorted(readers))} read it, and {', '.join(sorted(writers))} write: other people",
                "users of two traffics are the same ones where both name one `population`; else every read is fresh",
            )


def _people(scenario: Scenario, ways: dict[str, set[str]], kind: type[ViewWrite | ViewRead], name: str) -> set[str]:
    """The populations whose requests reach a step of this kind, of the view of this name."""
    owners = {visit.owner for visit in visits(scenario) if isinstance(visit.step, kind) and visit.step.name == name}
    return {
        traffic.population(source)
        for source, traffic in scenario.traffic.items()
        if owners & _all_of(ways, _doors(scenario, entered(scenario.gateway, traffic.mix)))
    }


def _doors(scenario: Scenario, targets: Iterable[str]) -> Iterator[str]:
    """The endpoints that requests come to first."""
    routes = scenario.gateway.routes if scenario.gateway is not None else {}
    for target in targets:
        if target not in routes:
            yield target
            continue
        route = routes[target]
        yield from route.targets
        if route.token is not None:
            yield route.token.provider


def _ways(scenario: Scenario) -> dict[str, set[str]]:
    """Endpoint or consumer -> those that a request goes on to from there."""
    found: dict[str, set[str]] = {}
    for visit in visits(scenario):
        found.setdefault(visit.owner, set()).update(_goes_on(scenario, visit.step))
    return found


def _goes_on(scenario: Scenario, step: Step) -> Iterator[str]:
    if isinstance(step, Call) and step.token is not None:
        yield step.token.provider
    for action in step.actions or ():
        if isinstance(action, Calls | Performs):
            yield action.endpoint
        elif isinstance(action, Publishes):
            sources = set(reached(scenario, action.topic))
            for service, spec in scenario.services.items():
                yield from (consumer_of(service, source) for source in spec.consumes if source in sources)


def _all_of(ways: dict[str, set[str]], first: Iterable[str]) -> set[str]:
    """All that can be come to from these."""
    found: set[str] = set()
    todo = list(first)
    while todo:
        owner = todo.pop()
        if owner not in found:
            found.add(owner)
            todo += ways.get(owner, ())
    return found
