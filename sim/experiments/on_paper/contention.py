"""How much threads of a replica that slow one another do together: the Universal Scalability Law on paper."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.contention import new_contention, slowdown
from sim.spec.base import UNLIMITED
from sim.spec.contention import Contention
from sim.spec.service import Service


@dataclass(frozen=True)
class Together:
    """The law of one service with its workers and cores."""

    law: Contention
    most: float  # threads that can compute at once; infinite: any number
    cores: float

    def work(self, threads: float) -> float:
        """How many times as much as one alone so many at once do."""
        if math.isinf(threads):
            return 0.0 if self.law.crosstalk > 0.0 or math.isfinite(self.cores) else 1.0 / self.law.serial
        return min(threads, self.cores) / slowdown(new_contention(self.law), threads)

    @property
    def best(self) -> float:
        """How many at once do most; infinite: the more the better."""
        bound = min(self.most, self.cores)
        peak = min(self.law.knee, bound)
        if math.isinf(peak):
            return peak
        below = max(1, math.floor(peak))
        return below + 1 if below + 1 <= bound and self.work(below + 1) > self.work(below) else below


def together_of(service: Service) -> Together | None:
    """Of one replica; None: its threads do not slow one another."""
    if service.contention is None:
        return None
    most: float = math.inf if service.workers == UNLIMITED else service.workers
    most += sum(consume.consumers for consume in service.consumes.values())
    return Together(service.contention, most, math.inf if service.computes_on is None else service.computes_on)


def at_their_best(service: Service) -> float | None:
    """How many times as much as one alone the threads of a replica do at their best; None: as many as there are."""
    its = together_of(service)
    return None if its is None else its.work(its.best)
