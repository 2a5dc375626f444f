"""Warnings about what comes and goes: nodes that cannot hold what autoscalers ask for, canaries that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.fault import Deploy
from sim.spec.node_pool import NodePool
from sim.spec.service import Service
from sim.units import show_duration


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
    asked = sorted((its.cores or 0 for its in services for _ in range(its.most_replicas)), reverse=True)
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


RULES = (nodes_for_fewer, canaries_unseen)
