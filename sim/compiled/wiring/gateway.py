"""Tokens of the gateway, and what is remembered by key, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows import gateway as rows
from sim.compiled.wiring.found import Filled, Found
from sim.models.authentication import Introspection, KeySet

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places

LEAST_ENTRIES = 64


class GatewayTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.token_rules = Found(rows.TokenRule)
        self.places = places
        gateway = places.world.gateway
        if gateway is None:
            return
        its = gateway.asking
        if its is not None:
            known, asking = places.space(), places.space()
            self.token_rules.add(
                ttl=its.ttl,
                invalid=its.invalid if isinstance(its, Introspection) else 0.0,
                known=known,
                asking=asking,
                rotated_every=its.rotated_every,
                failing=its.failing,
                shared=isinstance(its, KeySet),
            )

    def tables(self) -> Filled:
        """As they are at time 0."""
        limits = sum(1 for _ in self.places.world.limits())
        yield rows.entries, rows.Entry.zeros(1 << max(LEAST_ENTRIES, 8 * limits).bit_length())
        yield rows.token_rules, self.token_rules.array()
