"""What a component of a run may ask for: the clock, the recorder, draws, and what tells its call sites apart.

Nothing about other components.
"""

from __future__ import annotations

from typing import Protocol

from sim.models.clock import Clock
from sim.models.demand import Demand
from sim.models.draws import Draw
from sim.models.recorder import Recorder
from sim.models.task import Replica
from sim.spec.distribution import Distribution


class Context(Protocol):
    """The surroundings of a component."""

    @property
    def env(self) -> Clock:
        """Time, scheduling, and who has been woken."""

    @property
    def recorder(self) -> Recorder:
        """Where what happens is written down."""

    @property
    def nowhere(self) -> Replica:
        """The far end of what goes to a broker."""

    def key(self, stream: str) -> int:
        """The key of a stream of draws."""

    def sampler(self, distribution: Distribution, stream: str) -> Draw:
        """Draws of this distribution, seconds."""

    def uniform(self, stream: str) -> Draw:
        """Uniform draws in (0, 1)."""

    def demand(self, distribution: Distribution, stream: str, per: str = "request") -> Demand:
        """A time that a request brings with it, or that each attempt draws."""

    def salt(self, site: str) -> int:
        """What keeps the draws of this call site apart from those of the first site of the same target."""

    def mark(self, site: str) -> int:
        """What tells the attempts of this call from those of other calls by the same path; 0 where no path is taken
        twice.
        """
