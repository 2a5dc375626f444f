"""The business ledger over time: how many orders are charged and have no reservation, and for how long they are so.

Not modelled: who notices, and what an order that stays so costs.
"""

from __future__ import annotations

from sim.models.context import Context
from sim.models.request import Request

LEDGER = "ledger"  # what its time series are of


class Ledger:
    """What is told of all orders together. A step that changes one takes it out, and enters it again as it is then."""

    def __init__(self, context: Context):
        self.env = context.env
        self.open = self.entered = 0  # charged and not reserved: now, and how often one came to be so
        self.was_in = False  # the one that is about to change
        self.area = 0.0  # order-seconds, less what those that are open will have stood for at time 0
        context.recorder.watch(LEDGER, "charged_not_reserved", "mean", lambda now: self.area + self.open * now)
        context.recorder.watch(LEDGER, "ever_charged_not_reserved", "total", lambda _: self.entered)

    def take_out(self, request: Request) -> None:
        """Before it changes."""
        self.was_in = request.charges > 0 and request.reservations == 0
        if self.was_in:
            self.open -= 1
            self.area += self.env.now

    def enter(self, request: Request) -> None:
        """When it has changed."""
        if request.charges > 0 and request.reservations == 0:
            self.open += 1
            self.entered += not self.was_in
            self.area -= self.env.now
