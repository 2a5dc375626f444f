"""What a run draws from: streams with names, keyed by seed and replication.

Whoever only reads wired models puts something else here.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.chance.keyed import stream_key
from sim.chance.sampler import sampler, uniform_sampler
from sim.spec.distribution import Distribution

Draw = Callable[[int, int], float]
"""(request id, chain) -> a draw."""


class Draws:
    """The streams of one replication."""

    def __init__(self, seed: int, replication: int):
        self.seed = seed
        self.replication = replication

    def key(self, stream: str) -> int:
        """The key of a stream of draws."""
        return stream_key(self.seed, self.replication, stream)

    def sampler(self, distribution: Distribution, stream: str) -> Draw:
        """Draws of this distribution, seconds."""
        return sampler(distribution, self.key(stream))

    def uniform(self, stream: str) -> Draw:
        """Uniform draws in (0, 1)."""
        return uniform_sampler(self.key(stream))
