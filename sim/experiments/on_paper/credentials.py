"""How often callers ask for an access token on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sim.spec.credentials import ClientCredentials
from sim.spec.scenario import Scenario
from sim.spec.sites import GATEWAY
from sim.spec.step import Call
from sim.spec.walk import every_step, visits


class Need(NamedTuple):
    """Calls of one caller that need a token."""

    caller: str
    replicas: int
    token: ClientCredentials
    rate: float  # per second, of all replicas


def token_requests(
    scenario: Scenario, routes: Mapping[str, float], endpoints: Mapping[str, float], topics: Mapping[str, float]
) -> dict[str, float]:
    """Requests per second that each provider gets, where these are the rates of what calls.

    A replica asks once in the time for which it uses a token and the mean time until its next call after that. With
    calls at random that is so exactly where each is over before the next; those that come while a token is under way
    ask as well, unless they wait, and are not counted. Calls that share a token are one stream.
    """
    rate_of: dict[tuple[str, str], float] = {}
    need_of: dict[tuple[str, str], Need] = {}
    for need in _needs(scenario, routes, endpoints, topics):
        key = need.caller, need.token.name
        rate_of[key] = rate_of.get(key, 0.0) + need.rate
        need_of.setdefault(key, need)
    found: dict[str, float] = {}
    for key, (_, replicas, token, _) in need_of.items():
        here = rate_of[key] / replicas
        found[token.provider] = found.get(token.provider, 0.0) + replicas * here / (1.0 + here * token.used)
    return found


def _needs(
    scenario: Scenario, routes: Mapping[str, float], endpoints: Mapping[str, float], topics: Mapping[str, float]
) -> Iterator[Need]:
    """Each place that needs one; a step is taken to be done once in a run of its endpoint."""
    if scenario.gateway is not None:
        for name, route in scenario.gateway.routes.items():
            if route.token is not None:
                yield Need(GATEWAY, scenario.gateway.replicas, route.token, routes.get(name, 0.0) * route.forwarded)
    for name, service in scenario.services.items():
        runs = [(endpoints.get(f"{name}.{endpoint}", 0.0), its.do) for endpoint, its in service.endpoints.items()]
        runs += [(topics.get(topic, 0.0), its.do) for topic, its in service.consumes.items()]
        for rate, steps in runs:
            for step in every_step(steps):
                if isinstance(step, Call) and step.token is not None:
                    yield Need(name, service.most_replicas, step.token, rate)


def tokens_of(scenario: Scenario) -> Iterator[tuple[str, ClientCredentials]]:
    """Every token of a scenario, with the place where it stands."""
    if scenario.gateway is not None:
        for name, route in scenario.gateway.routes.items():
            if route.token is not None:
                yield f"gateway.routes.{name}", route.token
    for visit in visits(scenario):
        if isinstance(visit.step, Call) and visit.step.token is not None:
            yield visit.owner, visit.step.token
