"""A counter of one key of a rate limit, whichever library it counts as: one face for the four families of policies.

Each is told what the clock that its limit reads says, and the right time, `now`, which only those ask for whose clocks
go wrong.
"""

from __future__ import annotations

from typing import Protocol

from sim.policies import clocked, waiting
from sim.policies import library_limits as library
from sim.policies import limiter as plain
from sim.spec.limits import RateLimit


class Counter(Protocol):
    """What a limit asks of the counter of a key. Times in seconds."""

    holds: bool  # whether a request may be held
    held_in_vain: float  # for how long one is held that is refused then

    def look(self, clock: float, now: float) -> float:
        """Negative: would be allowed. Else after how long a retry may succeed. Changes nothing."""

    def hold(self, clock: float, now: float) -> float:
        """For how long a request that is allowed now is held; asked before it is counted."""

    def take(self, clock: float, now: float) -> None:
        """Count a request that is allowed."""

    def deny(self, clock: float, now: float) -> None:
        """Hear of one that was refused."""


class Plain:
    """The five counters of `policies/limiter.py`."""

    holds = False
    held_in_vain = 0.0

    def __init__(self, spec: RateLimit):
        self.row, self.ring = plain.new_limiter(spec)

    def look(self, clock: float, _now: float = 0.0) -> float:
        """As the policy answers."""
        return plain.look(self.row, self.ring, clock)

    def hold(self, _clock: float, _now: float = 0.0) -> float:
        """Nobody is held."""
        return 0.0

    def take(self, clock: float, _now: float = 0.0) -> None:
        """Counted."""
        plain.take(self.row, self.ring, clock)

    def deny(self, _clock: float, _now: float = 0.0) -> None:
        """A refusal changes nothing."""


class Library:
    """Those of `policies/library_limits.py`."""

    held_in_vain = 0.0

    def __init__(self, spec: RateLimit):
        self.row = library.new_library_limit(spec)
        self.holds = self.row.kind == library.LEAKY_BUCKET and self.row.delay != library.NO_DELAY and self.row.burst > 0

    def look(self, clock: float, _now: float = 0.0) -> float:
        """As the policy answers."""
        return library.look(self.row, clock)

    def hold(self, clock: float, _now: float = 0.0) -> float:
        """As the policy answers."""
        return library.hold(self.row, clock)

    def take(self, clock: float, _now: float = 0.0) -> None:
        """Counted."""
        library.take(self.row, clock)

    def deny(self, clock: float, _now: float = 0.0) -> None:
        """Counted by Kong's penalty; others mark the time."""
        library.deny(self.row, clock)


class Waiting:
    """Those of `policies/waiting.py`, which hold a request until its turn comes."""

    def __init__(self, kind: str, spec: RateLimit):
        self.row = waiting.new_waiting(kind, spec.rate, spec.burst, spec.window, spec.wait, spec.warm_up)
        self.holds = spec.wait > 0.0
        self.held_in_vain = spec.wait if kind == "resilience4j" else 0.0

    def look(self, clock: float, _now: float = 0.0) -> float:
        """Refused where it would have to wait for too long: until its turn is near enough."""
        return waiting.look(self.row, clock)

    def hold(self, clock: float, _now: float = 0.0) -> float:
        """Until its turn."""
        return waiting.ahead(self.row, clock)

    def take(self, clock: float, _now: float = 0.0) -> None:
        """It has its turn."""
        waiting.reserve(self.row, clock, 1)

    def deny(self, _clock: float, _now: float = 0.0) -> None:
        """A refusal changes nothing."""


class Clocked:
    """Those of `policies/clocked.py`, where nodes whose clocks are apart count together, or clocks are set."""

    holds = False
    held_in_vain = 0.0

    def __init__(self, spec: RateLimit, apart: float):
        self.row = clocked.new_clocked(spec, apart)
        self.ring = [0.0] * self.row.stamps

    def look(self, clock: float, now: float) -> float:
        """As the policy answers."""
        return clocked.look(self.row, self.ring, now, clock)

    def hold(self, _clock: float, _now: float = 0.0) -> float:
        """Nobody is held."""
        return 0.0

    def take(self, clock: float, now: float) -> None:
        """Counted."""
        clocked.take(self.row, self.ring, now, clock)

    def deny(self, clock: float, now: float) -> None:
        """Counted by Kong's penalty; a bucket marks the time."""
        clocked.deny(self.row, self.ring, now, clock)


def counter_of(spec: RateLimit, apart: float | None = None) -> Counter:
    """One that has seen nothing, for a limit of one rate. `apart`: how far the clocks are from each other that it goes
    by; None: it reads one that is right.
    """
    if spec.preset in ("guava", "resilience4j"):
        return Waiting(spec.preset, spec)
    if apart is not None and spec.window_from == "clock" and spec.preset != "bucket4j":
        return Clocked(spec, apart)
    if spec.algorithm == "leaky_bucket" or spec.window_from == "first_request":
        return Library(spec)
    if spec.preset in ("kong-advanced", "spring-cloud-gateway", "bucket4j"):
        return Library(spec)
    return Plain(spec)
