"""What callers remember about callees, as rows: guards, and the policies that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.compiled.flows.calls import LAYERS
from sim.compiled.rows import calls as rows
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, fractions, whole_numbers

if TYPE_CHECKING:
    from sim.compiled.rows.tables import AnyTable
    from sim.compiled.wiring.places import Places
    from sim.models.guards import Guard, Guards
    from sim.models.task import Replica


class GuardTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.places = places
        self.guards = Found(rows.Guard)
        self.guard_of: list[int] = []
        self.scopes: list[str] = []  # of the policies of guards
        self.policies = {table: FoundPolicies(row) for layer in LAYERS for table, row in layer.tables}
        self.rings: list[float] = []
        self._guards_at: dict[int, int] = {}
        self._guard_at: dict[int, int] = {}

    def ring(self, ring: list[float]) -> int:
        """Where a ring of a policy begins."""
        self.rings += ring
        return len(self.rings) - len(ring)

    def policy(self, table: AnyTable, row: Any) -> int:  # noqa: ANN401 - a row of a policy
        """The place of the row of a policy."""
        return self.policies[table].add(row)

    def guards_at(self, guards: Guards) -> int:
        """Where the guards of a call stand, one for each replica of the caller; -1: it has none."""
        if not guards:
            return -1
        if id(guards) not in self._guards_at:
            places = [self._guard(guard) for guard in guards.values()]
            for replica, place in zip(guards, places, strict=True):
                self._come_with(replica, place)
            self._guards_at[id(guards)] = len(self.guard_of)
            self.guard_of += places
        return self._guards_at[id(guards)]

    def _come_with(self, replica: Replica, place: int) -> None:
        """A guard that is there only while its replica is."""
        host: Any = replica.host
        if host in self.places.host_at and host.comes_and_goes and self.scopes[place] == "replica":
            self.guards.rows[place]["comes_with"] = self.places.host_at[host]

    def _guard(self, guard: Guard) -> int:
        if id(guard) in self._guard_at:
            return self._guard_at[id(guard)]
        values: dict[str, Any] = {}
        for layer in LAYERS:
            values |= layer.of_guard(guard, self)
        self._guard_at[id(guard)] = place = self.guards.add(**values)
        self.scopes.append(guard.policy.scope)
        return place

    def place_of(self, guard: Guard) -> int | None:
        """Where a guard of the models stands; None: no call uses it."""
        return self._guard_at.get(id(guard))

    def guards_of(self, host: int, replica: int) -> list[tuple[int, str, str]]:
        """The guards that die with a replica, those of its own, not those that it shares.

        With the names of both ends.
        """
        found = []
        for call in self.places.world.calls.guarded:
            mine = self.places.hosts[host].replicas[replica]
            guard = call.guards.get(mine)
            if guard is not None and guard.policy.scope == "replica" and (place := self.place_of(guard)) is not None:
                found.append((place, f"{call.caller}[{mine.index}]", guard.about))
        return found

    def tables(self) -> Filled:
        """As they are at time 0, and after a crash."""
        yield rows.guards, self.guards.array()
        yield rows.guard_of, whole_numbers(self.guard_of)
        for table, found in self.policies.items():
            yield table, found.array()
        yield rows.rings, fractions(self.rings)
