"""How much threads that compute at once in one replica are in one another's way."""

from __future__ import annotations

import math
from typing import Self

from pydantic import model_validator

from sim.spec.base import Share, Spec


class Contention(Spec):
    """The Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity Planning", 2007, chapter 4): with n threads at
    work in a replica all of them together do n / (1 + serial (n - 1) + crosstalk n (n - 1)) times as much as one alone.

    So all that computes goes on at 1 / (1 + serial (n - 1) + crosstalk n (n - 1)) of its pace, n being whoever computes
    there at the moment: consumers and what nobody waits for, too. The pace of those at work changes whenever somebody
    begins or ends. Beyond sqrt((1 - serial) / crosstalk) threads one more makes the replica slower. `work` is slowed,
    a `wait` is not; the law is one of a whole replica, and where there are `cores`, more threads than these share what
    is left. Cores stay busy meanwhile: threads spin for a lock, or wait for memory that another core has written.

    Not modelled: contention between replicas (a `lock` is one of all), queues for single locks within a process, and
    threads that sleep while they wait for one.
    """

    serial: Share = 0.0
    """The share of the work that one thread at a time can do (sigma of the law): it bounds what all together do to 1 /
    serial of what one does.
    """
    crosstalk: Share = 0.0
    """What keeping each pair of threads consistent costs, as a share of the work of one (kappa of the law): because of
    it throughput falls again.
    """

    @property
    def knee(self) -> float:
        """How many threads at once do most, not rounded; infinite: there is no peak."""
        return math.sqrt((1.0 - self.serial) / self.crosstalk) if self.crosstalk > 0.0 else math.inf

    @model_validator(mode="after")
    def _slows_something(self) -> Self:
        if self.serial <= 0.0 and self.crosstalk <= 0.0:
            raise ValueError("found neither `serial` nor `crosstalk` above 0%, expected one of them: nothing is slowed")
        return self
