"""What everything that can be full is asked for on paper: servers, visits per second, and how long each visit holds
one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.experiments.on_paper.contention import at_their_best
from sim.experiments.on_paper.flow import Flow
from sim.experiments.on_paper.gateway import gateway_work
from sim.experiments.on_paper.lock_loads import lock_loads
from sim.experiments.on_paper.profile import Profile
from sim.experiments.on_paper.rates import Rates, limit_in_all
from sim.spec.base import UNLIMITED
from sim.spec.service import Service
from sim.spec.sites import GATEWAY, bulkheads, call_sites, caller_limits, placed_limits, pools

UNEVEN = 1.01  # times the mean of its group: a member that gets more is told of by itself

Load = tuple[float, float, float]  # servers, visits per second, seconds held per visit


def stations(flow: Flow, found: Rates) -> dict[tuple[str, str], Load]:
    """(name, resource) -> what is asked of it, of everything that can be full."""
    scenario, answer = flow.scenario, dict[tuple[str, str], Load]()
    if scenario.gateway is not None and scenario.gateway.workers != UNLIMITED:
        answer["gateway", "workers"] = (
            scenario.gateway.replicas * scenario.gateway.workers,
            *_gateway_load(flow, found),
        )
    runs = runs_of(flow, found)
    saved: dict[str, float] = {}
    for _, rate, profile in runs:
        for endpoint, seconds in profile.saved.items():
            saved[endpoint] = saved.get(endpoint, 0.0) + rate * seconds
    for name, service in scenario.services.items():
        answer |= _service_load(flow, found, name, service, saved)
    return {
        **answer,
        **_bulkhead_load(flow, runs),
        **_limit_load(flow, found),
        **lock_loads(scenario, found, runs),
    }


def held_by(loads: dict[tuple[str, str], Load]) -> dict[tuple[str, str], tuple[float, float]]:
    """Visits per second of each station, and seconds per second for which its servers are held."""
    return {key: (rate, rate * demand if rate > 0.0 else 0.0) for key, (_, rate, demand) in loads.items()}


def _service_load(
    flow: Flow, found: Rates, name: str, service: Service, saved: dict[str, float]
) -> dict[tuple[str, str], Load]:
    """Workers, cores and consumers of a service."""
    answer: dict[tuple[str, str], Load] = {}
    at_work = 1.0 if service.pauses is None else service.pauses.at_work  # of its time; pauses stretch all visits
    visits = [(f"{name}.{endpoint}", found.endpoints.get(f"{name}.{endpoint}", 0.0)) for endpoint in service.endpoints]
    rate = math.fsum(rate for _, rate in visits)
    consumed = {topic: _partition_rates(flow, found, name, topic) for topic in service.consumes}
    if service.workers != UNLIMITED and service.endpoints:
        threads = service.concurrency == "threads"
        held = math.fsum(
            rate * (flow.endpoints[place].hold if threads else flow.endpoints[place].work)
            for place, rate in visits
            if rate > 0.0
        )
        held = max(0.0, held - math.fsum(saved.get(place, 0.0) for place, _ in visits)) if threads else held
        held /= at_work
        answer[name, "workers"] = (service.most_replicas * service.workers, rate, held / rate if rate else 0.0)
    users = [(rate, flow.endpoints[place]) for place, rate in visits]
    users += [(sum(its), flow.consumers[name, topic]) for topic, its in consumed.items()]
    total = math.fsum(rate for rate, _ in users)
    work = math.fsum(rate * profile.work for rate, profile in users if rate > 0.0) / at_work
    for resource, each in (("cores", service.computes_on), ("threads", at_their_best(service))):
        if each is not None:
            answer[name, resource] = (service.most_replicas * each, total, work / total if total else 0.0)
    for topic, its in consumed.items():
        hold = flow.consumers[name, topic].hold / at_work
        answer[f"{name} <- {topic}", "consumers"] = (len(its), sum(its), hold)
        if max(its, default=0.0) > UNEVEN * sum(its) / max(1, len(its)):
            answer[f"{name} <- {topic}", "hottest consumer"] = (1, max(its), hold)
    return answer


def _partition_rates(flow: Flow, found: Rates, service: str, topic: str) -> list[float]:
    """Messages per second of each member that holds partitions."""
    its = found.partitions.get(topic)
    return [float(its[owned].sum()) if its is not None else 0.0 for owned in flow.owners[service, topic]]


Run = tuple[str, float, Profile]  # who, how often per second, and what one is


def runs_of(flow: Flow, found: Rates) -> list[Run]:
    """All runs of endpoints and consumers, and the calls of the gateway's routes as runs of their own."""
    scenario = flow.scenario
    runs = [
        (place.partition(".")[0], found.endpoints.get(place, 0.0), profile) for place, profile in flow.endpoints.items()
    ]
    runs += [
        (name, sum(_partition_rates(flow, found, name, topic)), profile)
        for (name, topic), profile in flow.consumers.items()
    ]
    names = {site.name: site.policy_name for site in call_sites(scenario)}
    for route, spec in scenario.gateway.routes.items() if scenario.gateway is not None else ():
        for target, share in spec.targets.items():
            called, policy = flow.route_calls(route)[target], names[spec.call_names(route)[target]]
            places = {(target.partition(".")[0], policy): (called.attempts, called.held)}
            profile = Profile(saved={target: called.saved}, places=places)
            runs.append(("gateway", share * found.routes.get(route, 0.0), profile))
    return runs


def _bulkhead_load(flow: Flow, runs: Sequence[Run]) -> dict[tuple[str, str], Load]:
    """Attempts and the time for which each holds a place: Little's law. And what callers with a rate limit of their own
    let go.
    """
    held: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for caller, rate, profile in runs:
        for (callee, policy), (attempts, seconds) in profile.places.items():
            held.setdefault((caller, callee, policy), []).append((rate * attempts, rate * seconds))
    answer: dict[tuple[str, str], Load] = {}
    for its in bulkheads(flow.scenario):
        found_here = held.get((its.caller, its.callee, its.policy_name), [])
        attempts = math.fsum(attempts for attempts, _ in found_here)
        answer[its.name, "places"] = (
            its.places,
            attempts,
            math.fsum(seconds for _, seconds in found_here) / attempts if attempts else 0.0,
        )
    for its in pools(flow.scenario):
        found_here = held.get((its.caller, its.callee, its.policy_name), [])
        attempts = math.fsum(attempts for attempts, _ in found_here)
        seconds = math.fsum(seconds for _, seconds in found_here) / attempts if attempts else 0.0
        answer[its.name, "connections"] = (its.places, attempts, seconds)
    for limit in caller_limits(flow.scenario):
        found_here = held.get((limit.caller, limit.callee, limit.policy_name), [])
        answer[limit.name, "rate"] = (1, math.fsum(attempts for attempts, _ in found_here), 1.0 / limit.rate)
    return answer


def _limit_load(flow: Flow, found: Rates) -> dict[tuple[str, str], Load]:
    """Of a limit for all what they send, of one by route what the busiest route gets; those by user hold back a user,
    and not the system.
    """
    answer: dict[tuple[str, str], Load] = {}
    for limit in placed_limits(flow.scenario):
        rates = found.targets if limit.owner == GATEWAY else found.endpoints
        arriving = [rates.get(route, 0.0) for route in limit.routes] or [0.0]
        if limit.spec.keys not in ((), ("route",)) or limit.spec.when:
            continue
        rate = max(arriving) if limit.spec.keys else math.fsum(arriving)
        load = (1, rate, 1.0 / limit_in_all(limit.spec, limit.replicas))
        if (limit.name, "rate") not in answer or load[2] > answer[limit.name, "rate"][
            2
        ]:  # of several rates the tightest
            answer[limit.name, "rate"] = load
    return answer


def _gateway_load(flow: Flow, found: Rates) -> tuple[float, float]:
    """Requests per second at the gateway, and how long one holds a worker: an event loop for the gateway's own work
    alone.
    """
    gateway = flow.scenario.gateway
    assert gateway is not None
    arriving = {route: found.targets.get(route, 0.0) for route in gateway.routes}
    held = 0.0
    for route, spec in gateway.routes.items():
        turned_away = max(0.0, arriving[route] - found.routes[route])
        held += found.routes[route] * gateway_work(gateway, spec) + turned_away * gateway_work(
            gateway, None if spec.authenticate else spec
        )
        if gateway.concurrency == "threads":
            held += found.routes[route] * flow.route_called(route).ends.expected
    total = math.fsum(arriving.values())
    return total, held / total if total else 0.0
