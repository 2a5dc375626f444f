"""What the mathematical library of this machine answers, to the last bit: log and its kin are rounded otherwise by other libraries and processors."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable

from sim.spec.arrivals import Replay
from sim.spec.scenario import Scenario
from sim.spec.traffic import Popularity
from tests.attacks.words import spoken

POINTS = 200_000  # glibc's log with and without fused multiplication differs at one in 10,000, exp and the others at one in 1,300
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "log": math.log,
    "exp": lambda u: math.exp(20.0 * u - 10.0),
    "power": lambda u: u**0.7,
    "sine": lambda u: math.sin(10.0 * u),
    "cosine": lambda u: math.cos(10.0 * u),
    "log1p": math.log1p,
    "gamma": lambda u: math.gamma(1.0 + u),
}
NEED_IT = frozenset(
    f"distribution {kind}"
    for kind in ("exponential", "lognormal", "gamma", "erlang", "pareto", "weibull", "hyperexponential")
) | {"arrivals poisson", "arrivals mmpp", "arrivals profile"}


def answers() -> dict[str, str]:
    """A digest of what each function gives at many points."""
    points = [(index + 0.5) / POINTS for index in range(POINTS)]
    return {name: _digest([function(u) for u in points]) for name, function in FUNCTIONS.items()}


def needs_library(scenario: Scenario) -> bool:
    """Whether a run takes logarithms and the like; otherwise + - * / and square roots, whose last bit IEEE 754 fixes, are all there is."""
    if spoken(scenario) & NEED_IT:
        return True
    traffic = scenario.traffic.values()
    series = any(isinstance(source.arrivals, Replay) and source.arrivals.is_series for source in traffic)
    return series or any(
        chosen.exponent > 0
        for source in traffic
        for chosen in (source.users, source.items)
        if isinstance(chosen, Popularity)
    )


def _digest(values: list[float]) -> str:
    return hashlib.blake2b(struct.pack(f"<{len(values)}d", *values), digest_size=6).hexdigest()
