"""Routes that take part of what is sent to another one: of which, and by what that clients send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.errors import did_you_mean
from sim.spec.document import Location
from sim.spec.gateway import Gateway
from sim.spec.routing import HOST, MOST_NARROWER, conditions, narrower
from sim.spec.scenario import Scenario

Found = tuple[Location, str, bool]  # where, what, and whether the key (not the value) is to blame


def route_problems(scenario: Scenario) -> Iterator[Found]:
    """What routes with `matches` name that is not there, and who names such a route."""
    if scenario.gateway is None:
        return
    yield from _matched(scenario.gateway)
    yield from _sent_to_a_part(scenario, scenario.gateway)
    yield from _asked_for(scenario, scenario.gateway)


def _matched(gateway: Gateway) -> Iterator[Found]:
    routes = gateway.routes
    for name, route in routes.items():
        at: Location = ("gateway", "routes", name, "matches")
        if route.matches is None:
            continue
        if route.matches not in routes:
            yield at, f"unknown route '{route.matches}'{did_you_mean(route.matches, routes)}", False
        elif routes[route.matches].matches is not None:
            words = f"found '{route.matches}', which `matches` itself; expected '{routes[route.matches].matches}'"
            yield at, words, False
    for target, names in narrower(gateway).items():
        if len(names) > MOST_NARROWER:
            words = f"found {len(names)} routes that match '{target}', expected at most {MOST_NARROWER}"
            yield ("gateway", "routes", names[MOST_NARROWER], "matches"), words, False


def _sent_to_a_part(scenario: Scenario, gateway: Gateway) -> Iterator[Found]:
    """Requests come there by what they carry, and not by its name."""
    for source, traffic in scenario.traffic.items():
        for target in traffic.mix:
            route = gateway.routes.get(target)
            if route is not None and route.matches is not None:
                words = (
                    f"found '{target}', which takes part of what is sent to '{route.matches}': expected that; the "
                    "`headers` of a request decide which route takes it"
                )
                yield ("traffic", source, "sends"), words, False


def _asked_for(scenario: Scenario, gateway: Gateway) -> Iterator[Found]:
    """Headers, and values of them, that some client sends."""
    sent: dict[str, set[str]] = {}
    for traffic in scenario.traffic.values():
        for header in traffic.headers:
            sent.setdefault(header, set()).update(traffic.values_of(header))
    for name, route in gateway.routes.items():
        at: Location = ("gateway", "routes", name)
        for condition in conditions(route):
            hosts = condition.header == HOST
            place: Location = (*at, "hosts") if hosts else (*at, "headers", condition.header)
            if condition.header not in sent:
                yield place, _unknown("header", condition.header, sent), not hosts
                continue
            for wanted in condition.values:
                if not any(condition.is_met(wanted, value) for value in sent[condition.header]):
                    yield place, _unknown(f"value of {condition.header}", wanted, sent[condition.header]), False


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    return f"unknown {what} '{word}'{did_you_mean(word, known) if known else '; no traffic has `headers`'}"
