"""The warnings of `sim check` about clocks that go wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.clock import NO_SKEW, SkewRange
from sim.spec.limits import RateLimit, requests_in
from sim.spec.scenario import Scenario
from sim.spec.sites import GATEWAY, Limit, placed_limits
from sim.units import show_duration

_READS = {
    "monotonic": "{} counts by a monotonic clock, which nobody sets",
    "store": "{} counts by the clock of its store, which is one for all replicas",
}


def clocks_that_nobody_reads(view: View) -> Iterator[Finding]:
    """Clocks that go wrong where no rate limit counts by them."""
    for owner in _skewed(view.scenario):
        limits = {limit.place: limit for limit in _limits(view, owner)}
        if not limits:
            place = GATEWAY if owner == GATEWAY else f"services.{owner}"
            why = "timeouts, pauses, caches and tokens go by the right time: nothing changes"
            yield Finding(place, "its clocks go wrong, and it has no rate limits that could read them", why)
        for place, limit in limits.items():
            if limit.spec.reads != "node":
                why = _READS[limit.spec.reads].format(limit.spec.preset or limit.spec.algorithm)
                yield Finding(place, f"the clocks of {owner} go wrong, and that changes nothing here", why)


def counts_of_clocks_apart(view: View) -> Iterator[Finding]:
    """One count for replicas whose clocks are apart: what that lets through, or keeps out."""
    for owner, (low, high) in _skewed(view.scenario).items():
        for limit in _limits(view, owner):
            if limit.replicas > 1 and high > low and limit.spec.reads == "node" and limit.spec.scope == "cluster":
                apart = show_duration(high - low)
                found = f"the clocks of {limit.replicas} replicas that count together are up to {apart} apart"
                caveat = "; loads on paper know nothing of it"
                yield Finding(limit.place, found, _what_for(limit.spec, limit.replicas, high - low) + caveat)


def _what_for(spec: RateLimit, replicas: int, apart: float) -> str:
    """What clocks that are so far apart do to one count."""
    if spec.preset in (None, "spring-cloud-gateway") and spec.algorithm == "token_bucket":
        again = f"up to {min(float(spec.burst), apart * spec.rate):.3g} tokens again"
        return f"each turn from a replica that is behind to one that is ahead gives {again}"
    if not spec.counts_in_windows or spec.algorithm == "sliding_log":
        ahead = show_duration(apart)
        return (
            f"what passes a replica that is ahead keeps one that is behind from letting others pass, for up to {ahead}"
        )
    limit = requests_in(spec.window, spec.rate)
    windows = min(replicas, math.ceil(apart / spec.window) + 1)
    return f"they count in up to {windows} windows at once: {windows * limit:,} may pass where {limit:,} should"


def _skewed(scenario: Scenario) -> dict[str, SkewRange]:
    """The components whose clocks go wrong."""
    names = [*([GATEWAY] if scenario.gateway is not None else []), *scenario.services]
    return {name: scenario.skew_of(name) for name in names if scenario.skew_of(name) != NO_SKEW}


def _limits(view: View, owner: str) -> list[Limit]:
    return [limit for limit in placed_limits(view.scenario) if limit.owner == owner]
