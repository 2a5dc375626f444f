"""Rate limits of the gateway, of routes and of services, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.compiled import limits as words
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import limits as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, whole_numbers
from sim.models.counters import Clocked, Library, Plain, counter_of
from sim.models.limits import KeyedLimit
from sim.policies.clocked import ClockedRow
from sim.policies.library_limits import LibraryRow
from sim.policies.limiter import LimiterRow
from sim.policies.waiting import WaitingRow

if TYPE_CHECKING:
    from sim.compiled.wiring.identities import IdentityTables
    from sim.compiled.wiring.places import Places
    from sim.models.host import Host
    from sim.models.limits import Limit, Limits
    from sim.spec.limits import RateLimit

PER = {"user": words.PER_USER, "route": words.PER_ROUTE, "all": words.PER_ALL}
ANONYMOUS = {"shared": words.SHARED, "ip": words.BY_ADDRESS, "free": words.FREE, "refused": words.REFUSED}
TELLS = {"exact": words.EXACT, "whole_seconds": words.WHOLE_SECONDS, "none": words.NOTHING}
LEAST_COUNTERS = 64


class LimitTables:
    """Their rows."""

    def __init__(self, places: Places, identities: IdentityTables):
        self.places, self.identities = places, identities
        self.limits, self.steps, self.conditions = Found(rows.Limit), Found(rows.LimitsStep), Found(rows.Condition)
        self.limiters = FoundPolicies(LimiterRow)
        self.library, self.waiting = FoundPolicies(LibraryRow), FoundPolicies(WaitingRow)
        self.clocked = FoundPolicies(ClockedRow)
        self.limit_of: list[int] = []
        self.reader_of: list[int] = []
        self.values: list[int] = []  # that conditions ask for
        self.stamps: list[int] = []  # of each row of `limiters`
        self.clocked_stamps = 0  # of all rows of `clocked`
        self.models: tuple[Limit, ...] = tuple(places.world.limits())
        self.at = {limit: self._limit(limit) for limit in self.models}

    def step(self, limits: Limits, host: Host) -> int:
        """What those must pass who come by this step of the models."""
        first = len(self.limit_of)
        self.limit_of += [self.at[limit] for limit in limits.limits]
        place = self.places.host_at[host]
        count = len(self.limit_of) - first
        stored = any(limit.store is not None for limit in limits.limits)
        return self.steps.add(
            host=place, first=first, count=count, route=limits.route, where=limits.where, stored=stored
        )

    def _limit(self, limit: Limit) -> int:
        spec = limit.spec
        values: dict[str, Any] = {
            "last": limit.limiting.last,
            "node": spec.scope == "node",
            "about": self.places.subject(limit.label),
            "answer": int(limit.answer),
            **self._counters(limit),
            **_stored(limit),
        }
        if isinstance(limit, KeyedLimit):
            values |= self._keyed(limit, spec)
        else:
            values |= {"per": int(PER[spec.per]), "space": self.places.space()}
        return self.limits.add(**values)

    def _keyed(self, limit: KeyedLimit, spec: RateLimit) -> dict[str, Any]:
        """What only one has that says more than the three keys and the five counters of old."""
        readers, conditions = len(self.reader_of), len(self.conditions)
        self.reader_of += [
            self.identities.reader(word, spec.header if word == "header" else None) for word in spec.keys
        ]
        self.add_conditions(spec.when)
        return {
            "keyed": True,
            "by_node": limit.by_node,
            "in_turn": spec.in_turn,
            "space": self.places.space(2 * len(spec.keys) + 1),
            "in_vain": limit.held_in_vain,
            "readers": readers,
            "reads": len(spec.keys),
            "conditions": conditions,
            "asks": len(spec.when),
            "anonymous": int(ANONYMOUS[spec.anonymous]),
            "tells": int(TELLS[spec.retry_after]),
        }

    def add_conditions(self, wanted: Mapping[str, Sequence[str]]) -> int:
        """What headers must be, one row each; where they begin."""
        first = len(self.conditions)
        for header, values in wanted.items():
            self.conditions.add(header=self.identities.header(header), first=len(self.values), count=len(values))
            self.values += [self.identities.text(value) for value in values]
        return first

    def _counters(self, limit: Limit) -> dict[str, int]:
        """Those of its rates that have seen nothing: others are copies of them."""
        apart = limit.apart if isinstance(limit, KeyedLimit) else None
        made = [counter_of(its, apart) for its in limit.spec.periods]
        if isinstance(made[0], Plain):
            family, table = words.PLAIN, self.limiters
            self.stamps += [len(counter.ring) for counter in made if isinstance(counter, Plain)]
        elif isinstance(made[0], Library):
            family, table = words.LIBRARY, self.library
        elif isinstance(made[0], Clocked):
            family, table = words.CLOCKED, self.clocked
            self.clocked_stamps += sum(len(counter.ring) for counter in made if isinstance(counter, Clocked))
        else:
            family, table = words.WAITING, self.waiting
        first = len(table)
        for counter in made:
            table.add(counter.row)  # type: ignore[attr-defined]  # all four have one, which their common face does not show
        return {"family": int(family), "first": first, "rates": len(made)}

    @property
    def most(self) -> int:
        """How many counters one request may bring."""
        return max(len(self.limiters), len(self.library), len(self.waiting), len(self.clocked)) + 2

    def tables(self) -> Filled:
        """As they are at time 0."""
        counters = _with_room(self.limiters)
        rings = np.zeros(counters.size, np.int64)
        rings[: len(self.stamps) + 1] = np.cumsum([0, *self.stamps])
        yield rows.limits, self.limits.array()
        yield rows.limit_steps, self.steps.array()
        yield rows.limit_of, whole_numbers(self.limit_of)
        yield rows.reader_of, whole_numbers(self.reader_of)
        yield rows.conditions, self.conditions.array()
        yield rows.condition_values, whole_numbers(self.values)
        yield rows.limiters, counters
        yield rows.ring_of, rings
        yield rows.limiter_rings, np.zeros(max(LEAST_COUNTERS, 4 * (sum(self.stamps) + self.clocked_stamps)))
        yield rows.library_counters, _with_room(self.library)
        yield rows.clocked_counters, _with_room(self.clocked)
        yield rows.waiting_counters, _with_room(self.waiting)


def _stored(limit: Limit) -> dict[str, Any]:
    store = limit.store
    if store is None:
        return {"latency": NOBODY}
    return {
        "stored": True,
        "latency": row_of(store.latency),
        "trips": store.trips,
        "timeout": store.spec.timeout,
        "tolerant": store.spec.fault_tolerant,
    }


def _with_room(found: FoundPolicies) -> Any:  # noqa: ANN401 - an array of rows
    first = found.array()
    counters = np.zeros(2 * first.size + LEAST_COUNTERS, first.dtype)
    counters[: first.size] = first
    return counters
