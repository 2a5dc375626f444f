"""Balancers that go by more than the name of a policy, as rows: a view for each possible caller of such a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled.draw_rows import row_of
from sim.compiled.rows import balancing as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, whole_numbers
from sim.models.balancing import luck_of, name_of
from sim.policies.balancing import BalancingRow, PeerRow, new_balancing, new_peers, new_plain
from sim.policies.hashing import orders_of, ring_of
from sim.spec.balancing import Balancing

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places
    from sim.models.service import Service


class BalancingTables:
    """Their rows."""

    def __init__(self, places: Places, balancers: FoundPolicies):
        self.places, self.balancers = places, balancers
        self.rules, self.views, self.peers = FoundPolicies(BalancingRow), Found(rows.View), FoundPolicies(PeerRow)
        self.view_of = np.full((len(places.hosts), len(places.replicas)), NOBODY, np.int64)
        self.points: list[int] = []
        self.owners: list[int] = []
        self.most = 1  # replicas of such a service
        self.places_of_tables = self.replicas_of_tables = 0

    def balance(self, host: int, service: Service, loads: int) -> None:
        """A view of this service for each possible caller, with its line of loads from there on."""
        spec, count = service.smart, len(service.replicas)
        assert spec is not None
        self.most = max(self.most, count)
        rule, (first_point, size) = (
            self.rules.add(new_balancing(spec, service.all_zones if service.zones else 0, service.rises)),
            self._ring(service, spec),
        )
        apart = spec.ejects  # then those who may be chosen are others for each caller
        tables, made_of = self._tables(spec, count, len(self.places.replicas) if apart else 1)
        subject = len(self.places.subjects)
        ejecting = row_of(service.ejecting) if service.ejecting is not None else NOBODY
        self.places.subjects += [f"{service.name}[{index}]" for index in range(count)]
        for place, caller in enumerate(self.places.replicas):
            first = len(self.peers)
            for row in new_peers(spec, count):
                self.peers.add(row)
            turn = [
                self.balancers.add(new_plain(spec, caller.index % count))
                for _ in range(self.rules.rows[rule].zones + 1)
            ]
            self.view_of[host, place] = self.views.add(
                next_look=self.rules.rows[rule].interval,
                rule=rule,
                plain=turn[0],
                host=host,
                peers=first,
                loads=loads + place * count,
                points=first_point,
                size=size,
                ejecting=ejecting,
                entity=luck_of(caller),
                subject=subject,
                about=self.places.subject(name_of(caller)),
                places=tables + (size + count) * (place if apart else 0),
                made_of=made_of + count * (place if apart else 0),
            )

    def _ring(self, service: Service, spec: Balancing) -> tuple[int, int]:
        """Where the points of its ring begin, and how many there are; of a table the offsets, and its places."""
        if spec.policy == "maglev":
            first, (offsets, skips) = len(self.points), orders_of(service.name, len(service.replicas), spec.table_size)
            self.points += offsets
            self.owners += skips
            return first, spec.table_size
        if spec.policy != "ring_hash":
            return 0, 0
        first, (points, owners) = len(self.points), ring_of(service.name, len(service.replicas), spec.ring_size)
        self.points += points
        self.owners += owners
        return first, len(points)

    def _tables(self, spec: Balancing, replicas: int, tables: int) -> tuple[int, int]:
        """Room for so many tables, made of nobody yet: where they begin, and where it stands what they are made of."""
        begin = self.places_of_tables, self.replicas_of_tables
        if spec.policy == "maglev":
            self.places_of_tables += tables * (spec.table_size + replicas)
            self.replicas_of_tables += tables * replicas
        return begin

    def views_of(self, caller: int) -> list[int]:
        """The views that a caller has, of whatever it may call."""
        return [int(place) for place in self.view_of[:, caller] if place >= 0]

    def tables(self) -> Filled:
        """As they are at time 0, and after a crash of a caller."""
        yield rows.balancing_rules, self.rules.array()
        yield rows.views, self.views.array()
        yield rows.view_of, self.view_of
        yield rows.peers, self.peers.array()
        yield rows.ring_points, whole_numbers(self.points)
        yield rows.ring_owners, whole_numbers(self.owners)
        yield rows.hash_tables, np.zeros(max(1, self.places_of_tables), np.int64)
        yield rows.hash_tables_of, np.zeros(max(1, self.replicas_of_tables), np.int64)
        every = max(1, len(self.places.scenario.zones))
        yield rows.zones_here, np.zeros(every, np.int64)
        yield rows.zones_there, np.zeros(every, np.int64)
        yield rows.allowed, np.zeros(self.most, np.int64)
