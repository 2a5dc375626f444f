"""Warnings about what callers are told of replicas: zones that do not matter, health checks that never pass."""

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


RULES = (zones_in_vain, checks_that_never_pass)
