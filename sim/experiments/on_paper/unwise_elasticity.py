"""Warnings about what comes and goes: nodes that hold too few, canaries that nobody sees, functions too small."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.refusals import erlang_b
from sim.experiments.on_paper.station_loads import runs_of
from sim.spec.fault import Deploy
from sim.spec.node_pool import NodePool
from sim.spec.service import Service
from sim.units import show_duration, show_share

RARE = 0.01


def nodes_for_fewer(view: View) -> Iterator[Finding]:
    """Pools that cannot hold as many replicas as there may be at once, and pools that nobody stands on."""
    for name, pool in view.scenario.node_pools.items():
        its = [service for service in view.scenario.services.values() if service.node_pool == name]
        if not its:
            yield Finding(f"node_pools.{name}", "no service stands on it", "it only costs; is a `node_pool` missing?")
            continue
        most = sum(service.most_replicas for service in its)
        held = _held(pool, its)
        if held < most:
            found = f"holds {held:,} of the {most:,} replicas that there may be at once"
            why = f"with {pool.max:,} nodes the others stay pending, however much autoscalers ask for"
            yield Finding(f"node_pools.{name}", found, why)


def _held(pool: NodePool, services: list[Service]) -> int:
    """How many of all that there may be, the largest first, first fit."""
    asked = sorted((its.asks_for for its in services for _ in range(its.most_replicas)), reverse=True)
    return sum(place < pool.max for place in pool.first_fit(asked))


def canaries_unseen(view: View) -> Iterator[Finding]:
    """Canaries that are released before they have been measured as often as it takes to give them up."""
    for index, fault in enumerate(view.scenario.faults):
        if not isinstance(fault, Deploy) or fault.canary is None or fault.canary.abort is None:
            continue
        abort, pauses = fault.canary.abort, sum(step.pause for step in fault.canary.steps)
        needed = abort.interval * (abort.failure_limit + 1)
        if pauses < needed:
            found = f"its pauses are {show_duration(pauses)} in all; {show_duration(needed)} pass until it may abort"
            why = "a bad version is released before it can be given up"
            yield Finding(f"faults.{fault.name or index}.canary", found, why)


def too_few_to_replace(view: View) -> Iterator[Finding]:
    """Vertical scaling of a service with so few replicas that its updater touches none of them."""
    for name, service in view.scenario.services.items():
        its = service.vertical_scaling
        if its is None or its.mode in ("initial", "recommend") or service.most_replicas >= its.min_replicas:
            continue
        found = f"{service.most_replicas} of at least {its.min_replicas} replicas (min_replicas)"
        yield Finding(
            f"services.{name}.vertical_scaling", found, "it recommends, and nobody is ever replaced or resized"
        )


def functions_too_small(view: View) -> Iterator[Finding]:
    """Functions of which more instances are busy at the peak than there may be.

    So many requests are in it at once, by Little's law: those beyond are turned away, by Erlang's formula where one has
    an instance to itself and they come at random.
    """
    for name, service in view.scenario.services.items():
        if service.serverless is None:
            continue
        runs = runs_of(view.flow, view.analysis.rates_peak)
        inside = math.fsum(rate * profile.hold for host, rate, profile in runs if host == name and rate > 0.0)
        room = service.serverless.most * service.serverless.concurrency
        lost = erlang_b(inside, room)
        if lost > RARE:
            found = f"{inside:.3g} requests are inside at once at the peak, and its instances hold {room:,}"
            why = f"{show_share(lost)} of those that come at random are answered 429 (Erlang B), cold starts left out"
            yield Finding(f"services.{name}.serverless", found, why)


RULES = (nodes_for_fewer, canaries_unseen, too_few_to_replace, functions_too_small)
