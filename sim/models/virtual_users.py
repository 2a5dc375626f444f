"""The virtual users of a load generator: each runs one iteration of an open traffic at a time.

As k6's arrival-rate executors: an arrival that finds none free is dropped, and makes no request; where there may be
more of them, one more is there from then on. An iteration is a request with its retries, or a whole visit.

Not modelled: how long a virtual user takes to be made, and the processor and memory of the load generator.
"""

from __future__ import annotations

from sim.spec.traffic import VirtualUsers as Spec


class VirtualUsers:
    """Those of one traffic."""

    __slots__ = ("busy", "dropped", "most", "there")

    def __init__(self, spec: Spec):
        self.there = spec.pre_allocated
        self.most = spec.most
        self.busy = 0
        self.dropped = 0  # arrivals that found none free

    def take(self) -> bool:
        """Whether one is free for this arrival, which has it then."""
        if self.busy < self.there:
            self.busy += 1
            return True
        self.dropped += 1
        if self.there < self.most:
            self.there += 1
        return False

    def give_back(self) -> None:
        """An iteration is over."""
        self.busy -= 1
