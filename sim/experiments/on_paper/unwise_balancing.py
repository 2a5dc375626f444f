"""Warnings about what callers are told of replicas: zones that do not matter, health checks that never pass,
replicas that never come back.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.balancing import Balancing
from sim.units import show_duration


def zones_in_vain(view: View) -> Iterator[Finding]:
    """Balancing that keeps to zones, of a service in none, or with too few replicas for it."""
    for name, service in view.scenario.services.items():
        aware = service.load_balancing.zone_aware if isinstance(service.load_balancing, Balancing) else None
        if aware is None:
            continue
        if not service.zones:
            why = "it has no `zones`, so its callers send anywhere"
            yield Finding(f"services.{name}.load_balancing", "zone_aware of a service in no zone", why)
        elif service.most_replicas < aware.min_cluster_size:
            found = f"zone_aware with {service.most_replicas} replicas at most"
            why = f"zones matter from min_cluster_size on, which is {aware.min_cluster_size}: its callers send anywhere"
            yield Finding(f"services.{name}.load_balancing", found, why)


def checks_that_never_pass(view: View) -> Iterator[Finding]:
    """Health checks that a replica in order cannot answer in time."""
    for name, service in view.scenario.services.items():
        checks = service.health_checks
        if checks is not None and checks.takes > checks.timeout:
            found = f"a check takes {show_duration(checks.takes)} and times out after {show_duration(checks.timeout)}"
            yield Finding(f"services.{name}.health_checks", found, "every replica is found unhealthy")


def gone_for_ever(view: View) -> Iterator[Finding]:
    """Passive checks of Kong's without active ones: what they take out never comes back."""
    for name, service in view.scenario.services.items():
        balancing = service.load_balancing if isinstance(service.load_balancing, Balancing) else None
        if balancing is None or balancing.passive_health_checks is None or service.health_checks is not None:
            continue
        why = "a replica that failed so often once is out for the rest of the run, and the last of them too"
        found = "passive_health_checks without `health_checks`, which alone take a replica back"
        yield Finding(f"services.{name}.load_balancing", found, why)


RULES = (zones_in_vain, checks_that_never_pass, gone_for_ever)
