"""Finite stock of a service: one counter per kind of item, shared by its replicas as a database row would be.

Not modelled: the time of the database itself (give it as `work`, `wait`, or `check_to_write`), locks, reservations that
expire.
"""

from __future__ import annotations

from sim.models.recorder import Recorder
from sim.vocabulary import EventKind


class Stock:
    """`look` reads what is left; `write` says what is left now.

    Two writers that looked at the same number sell the same unit twice.
    """

    def __init__(self, recorder: Recorder, service: str, items: int, kinds: int):
        self.recorder = recorder
        self.service = service
        self.items = items
        self.left = [items] * kinds
        self.sold = [0] * kinds
        self.ran_out = [False] * kinds  # told already: a racing writer may bring units back that run out once more

    def look(self, item: int) -> int:
        """Units left of this kind."""
        return self.left[item]

    def write(self, item: int, left: int) -> None:
        """Sell one: this many are left."""
        self.left[item] = left
        self.sold[item] += 1
        if left == 0 and not self.ran_out[item]:
            self.ran_out[item] = True
            self.recorder.event(EventKind.STOCK_RAN_OUT, self.service, value=item)
        if self.sold[item] == self.items + 1:
            self.recorder.event(EventKind.OVERSOLD, self.service, value=item)

    @property
    def oversold(self) -> int:
        """Units sold beyond those there were, over all kinds."""
        return sum(max(0, sold - self.items) for sold in self.sold)
