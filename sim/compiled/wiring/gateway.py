"""Limits and tokens of the gateway, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled.gateway import PER_ALL, PER_ROUTE, PER_USER
from sim.compiled.rows import gateway as rows
from sim.compiled.wiring.found import Filled, Found, FoundPolicies
from sim.policies.limiter import LimiterRow, new_limiter

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places

PER = {"user": PER_USER, "route": PER_ROUTE, "all": PER_ALL}
LEAST_ENTRIES = 64
LEAST_COUNTERS = 64


class GatewayTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.limits, self.token_rules = Found(rows.Limit), Found(rows.TokenRule)
        self.limiters = FoundPolicies(LimiterRow)
        self.stamps: list[int] = []  # of the counters of each limit
        gateway = places.world.gateway
        if gateway is None:
            return
        for limit in gateway.limits:
            row, ring = new_limiter(limit.spec)
            self.limiters.add(row)
            self.stamps.append(len(ring))
            per, node, about = PER[limit.spec.per], limit.spec.scope == "node", places.subject(limit.label)
            self.limits.add(
                last=limit.limiting.last, space=places.space(), per=per, node=node, ring=len(ring), about=about
            )
        spec = getattr(gateway.authentication, "spec", None)
        if spec is not None:
            known, asking = places.space(), places.space()
            allow = spec.on_failure == "allow"
            self.token_rules.add(
                ttl=spec.cache_ttl, invalid=spec.invalid or 0.0, known=known, asking=asking, allow=allow
            )

    def tables(self) -> Filled:
        """As they are at time 0."""
        first = self.limiters.array()
        counters = np.zeros(2 * first.size + LEAST_COUNTERS, first.dtype)
        counters[: first.size] = first
        rings = np.zeros(counters.size, np.int64)
        rings[: len(self.stamps) + 1] = np.cumsum([0, *self.stamps])
        yield rows.limits, self.limits.array()
        yield rows.limiters, counters
        yield rows.ring_of, rings
        yield rows.limiter_rings, np.zeros(max(LEAST_COUNTERS, 4 * sum(self.stamps)))
        yield rows.entries, rows.Entry.zeros(1 << max(LEAST_ENTRIES, 8 * len(self.limits)).bit_length())
        yield rows.token_rules, self.token_rules.array()
