"""Idempotency keys, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows import idempotency as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, whole_numbers

if TYPE_CHECKING:
    from sim.models.entrance import Entrance


class KeyTables:
    """Their rows."""

    def __init__(self) -> None:
        self.keys = Found(rows.EndpointKeys)
        self.place_of: dict[int, int] = {}  # by the name of the endpoint

    def of(self, entrance: Entrance) -> bool:
        """Whether an endpoint has some."""
        its = entrance.keys
        if its is None:
            return False
        values = {"ttl": its.spec.ttl, "key": its.key, "in_progress": its.in_progress}
        self.place_of[entrance.where] = self.keys.add(keeps_failures=its.keeps_failures, **values)
        return True

    def tables(self) -> Filled:
        """As they are at time 0; all programs have been written."""
        names = max(self.place_of, default=-1) + 1
        yield rows.keys, self.keys.array()
        yield rows.keys_of, whole_numbers([self.place_of.get(name, NOBODY) for name in range(names)])
