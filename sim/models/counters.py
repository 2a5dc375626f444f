"""A counter of one key of a rate limit, whichever library it counts as: one face for the three families of policies."""

from __future__ import annotations

from typing import Protocol

from sim.policies import library_limits as library
from sim.policies import limiter as plain
from sim.policies import waiting
from sim.spec.limits import RateLimit


class Counter(Protocol):
    """What a limit asks of the counter of a key. Times in seconds."""

    holds: bool  # whether a request may be held
    held_in_vain: float  # for how long one is held that is refused then

    def look(self, now: float) -> float:
        """Negative: would be allowed. Else after how long a retry may succeed. Changes nothing."""

    def hold(self, now: float) -> float:
        """For how long a request that is allowed now is held; asked before it is counted."""

    def take(self, now: float) -> None:
        """Count a request that is allowed."""

    def deny(self, now: float) -> None:
        """Hear of one that was refused."""


class Plain:
    """The five counters of `policies/limiter.py`."""

    holds = False
    held_in_vain = 0.0

    def __init__(self, spec: RateLimit):
        self.row, self.ring = plain.new_limiter(spec)

    def look(self, now: float) -> float:
        """As the policy answers."""
        return plain.look(self.row, self.ring, now)

    def hold(self, _now: float) -> float:
        """Nobody is held."""
        return 0.0

    def take(self, now: float) -> None:
        """Counted."""
        plain.take(self.row, self.ring, now)

    def deny(self, _now: float) -> None:
        """A refusal changes nothing."""


class Library:
    """Those of `policies/library_limits.py`."""

    held_in_vain = 0.0

    def __init__(self, spec: RateLimit):
        self.row = library.new_library_limit(spec)
        self.holds = self.row.kind == library.LEAKY_BUCKET and self.row.delay != library.NO_DELAY and self.row.burst > 0

    def look(self, now: float) -> float:
        """As the policy answers."""
        return library.look(self.row, now)

    def hold(self, now: float) -> float:
        """As the policy answers."""
        return library.hold(self.row, now)

    def take(self, now: float) -> None:
        """Counted."""
        library.take(self.row, now)

    def deny(self, now: float) -> None:
        """Counted by Kong's penalty; others mark the time."""
        library.deny(self.row, now)


class Waiting:
    """Those of `policies/waiting.py`, which hold a request until its turn comes."""

    def __init__(self, kind: str, spec: RateLimit):
        self.row = waiting.new_waiting(kind, spec.rate, spec.burst, spec.window, spec.wait, spec.warm_up)
        self.holds = spec.wait > 0.0
        self.held_in_vain = spec.wait if kind == "resilience4j" else 0.0

    def look(self, now: float) -> float:
        """Refused where it would have to wait for too long: until its turn is near enough."""
        return waiting.look(self.row, now)

    def hold(self, now: float) -> float:
        """Until its turn."""
        return waiting.ahead(self.row, now)

    def take(self, now: float) -> None:
        """It has its turn."""
        waiting.reserve(self.row, now, 1)

    def deny(self, _now: float) -> None:
        """A refusal changes nothing."""


def counter_of(spec: RateLimit) -> Counter:
    """One that has seen nothing, for a limit of one rate."""
    if spec.preset in ("guava", "resilience4j"):
        return Waiting(spec.preset, spec)
    if spec.algorithm == "leaky_bucket" or spec.window_from == "first_request":
        return Library(spec)
    if spec.preset in ("kong-advanced", "spring-cloud-gateway", "bucket4j"):
        return Library(spec)
    return Plain(spec)
