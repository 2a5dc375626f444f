"""Queues that are neither first in first out nor last in first out, as rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled import lines as kinds
from sim.compiled.rows import lines as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, fractions
from sim.models.gateway import Gateway
from sim.policies.codel import CodelRow

if TYPE_CHECKING:
    from sim.compiled.wiring.identities import IdentityTables
    from sim.compiled.wiring.places import Places
    from sim.models.host import Host
    from sim.spec.queueing import Queue

KINDS = {
    "priority": kinds.PRIORITY,
    "edf": kinds.EARLIEST,
    "fair": kinds.FAIR,
    "codel": kinds.CONTROLLED,
    "adaptive_lifo": kinds.ADAPTIVE,
}


class LineTables:
    """Their rows."""

    def __init__(self, places: Places, identities: IdentityTables):
        self.places, self.identities = places, identities
        self.disciplines, self.replica_lines = Found(rows.Discipline), Found(rows.ReplicaLine)
        self.class_lines, self.named, self.codels = Found(rows.ClassLine), Found(rows.Named), FoundPolicies(CodelRow)
        self.deadlines: list[float] = []
        self.discipline_of = [self._discipline(host) for host in places.hosts]

    def _discipline(self, host: Host) -> int:
        """The row of a host's discipline; NOBODY: it is a plain queue."""
        if host.lines is None:
            return NOBODY
        spec, replicas = host.lines.spec, len(host.replicas)
        ranks = spec.classes or {name: rank for rank, name in enumerate(spec.deadlines)}
        classes = max(ranks.values(), default=-1) + 2
        place = self.disciplines.add(
            interval=spec.interval,
            kind=int(KINDS[spec.discipline]),
            first=len(self.replica_lines),
            lines=len(self.class_lines),
            classes=classes,
            deadlines=len(self.deadlines),
            named=len(self.named),
            names=self._name(host, spec, ranks),
            reader=self.identities.reader(spec.key, spec.header),
            space=self.places.space(replicas),
            push_out=spec.push_out,
            drop_late=spec.drop_late,
        )
        self.deadlines += [*spec.deadlines.values(), math.inf] if spec.deadlines else [math.inf] * classes
        for _ in range(replicas):
            self.replica_lines.add(codel=self.codels.add(CodelRow(target=spec.target, interval=spec.interval)))
        for _ in range(replicas * classes):
            self.class_lines.add()
        return place

    def _name(self, host: Host, spec: Queue, ranks: dict[str, int]) -> int:
        """Rows of the keys that have a class; how many."""
        first = len(self.named)
        for name, rank in ranks.items():
            keys = _places_of(host, name) if spec.key == "endpoint" else self.identities.keys_of(spec.key, name)
            for key in keys:
                self.named.add(key=key, rank=rank)
        return len(self.named) - first

    def tables(self) -> Filled:
        """As they are at time 0; `codels` also after a crash."""
        yield rows.disciplines, self.disciplines.array()
        yield rows.replica_lines, self.replica_lines.array()
        yield rows.class_lines, self.class_lines.array()
        yield rows.class_deadlines, fractions(self.deadlines)
        yield rows.named, self.named.array()
        yield rows.codels, self.codels.array()


def _places_of(host: Host, name: str) -> Iterator[int]:
    """The numbers of the names that attempts at an endpoint of a service, or at a route, are recorded under."""
    if isinstance(host, Gateway):
        yield from (route.index for route in host.routes.values() if route.name == name)
    else:
        endpoints = getattr(host, "endpoints", {})
        yield from (endpoint.where for endpoint in endpoints.values() if endpoint.name == name)


def classes_of(host: Host) -> Iterator[tuple[int, str]]:
    """The classes of a host whose series are kept: number, and the quantity."""
    if host.lines is None or host.lines.spec.discipline != "priority":
        return
    ranks = host.lines.spec.classes
    for rank in sorted(set(ranks.values())):
        yield rank, f"queue of {', '.join(name for name, its in ranks.items() if its == rank)}"
