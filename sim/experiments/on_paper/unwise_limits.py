"""The warnings of `sim check` about rate limits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.changed_defaults import relies_on_default
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.partition_shares import user_shares
from sim.experiments.on_paper.rates import let_pass, limit_in_all
from sim.policies.limiter import new_limiter
from sim.spec.gateway import RateLimit
from sim.spec.traffic import Closed, Deterministic
from sim.units import show_duration, show_rate, show_share

RARE = 0.01
ROUNDING = 0.05  # of a rate that is changed by counting whole requests, and still no news


def rate_limits(view: View) -> Iterator[Finding]:
    """Limits that refuse nothing, and limits below the ordinary load."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        place = f"gateway.rate_limits.{index}"
        who, mean, peak = _busiest(view, limit)
        most = limit_in_all(limit, gateway)
        if limit.per == "user" and not any(map(user_shares, view.scenario.traffic.values())):
            yield Finding(
                place,
                "`per: user`, but no traffic says how many users there are",
                "without `users` all requests count as those of one user",
            )
        elif mean > most:
            why = f"{show_share(1.0 - most / mean)} of that is refused all the time"
            yield Finding(place, f"{who} {show_rate(mean)} on average, and {show_rate(most)} pass", why)
        elif (
            mean > 0
            and _refuses(view, limit, mean) > RARE
            and not (limit.algorithm == "token_bucket" and relies_on_default(limit, "burst"))
        ):
            why = f"requests come in bunches: {show_share(_refuses(view, limit, mean))} of Poisson arrivals are refused"
            yield Finding(place, f"{who} {show_rate(mean)} on average, and {show_rate(most)} pass", why)
        elif peak > 0 and _never_reached(limit, most, peak):
            why = "the limit never refuses anything; is the rate right?"
            yield Finding(place, f"{who} {show_rate(peak)} at most, and {show_rate(most)} pass", why)


def rounded_limits(view: View) -> Iterator[Finding]:
    """Limits that count whole requests in a window that holds no whole number of them."""
    for index, limit in enumerate(view.scenario.gateway.rate_limits if view.scenario.gateway is not None else ()):
        meant, counted = limit.rate * limit.window, new_limiter(limit)[0].limit
        if limit.counts_in_windows and abs(counted - meant) > ROUNDING * meant:
            window = show_duration(limit.window)
            yield Finding(
                f"gateway.rate_limits.{index}",
                f"{show_rate(limit.rate)} is {meant:.3g} requests in a window of {window}; it counts whole ones, and "
                f"lets {counted} pass",
                f"that is {show_rate(counted / limit.window)}; choose a `window` that holds a whole number of "
                "requests, or a token_bucket",
            )


def limits_of_one_token(view: View) -> Iterator[Finding]:
    """Token buckets of which nobody said how much they hold."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        if limit.algorithm != "token_bucket" or not relies_on_default(limit, "burst"):
            continue
        who, mean, _ = _busiest(view, limit)
        share = show_share(1.0 - let_pass(limit, gateway, mean, random=True))
        apart = show_duration(1.0 / limit.rate)
        why = (
            f"as nginx without burst; {who} {show_rate(mean)}: of Poisson arrivals that refuses {share}. Say "
            "`burst`, or `algorithm: fixed_window`"
        )
        yield Finding(
            f"gateway.rate_limits.{index}", f"one token: of two requests closer than {apart} the second is refused", why
        )


def limits_with_words_unused(view: View) -> Iterator[Finding]:
    """A burst of what counts in windows, or a window of what does not."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        unused = "burst" if limit.counts_in_windows else "window"
        if not relies_on_default(limit, unused):
            yield Finding(
                f"gateway.rate_limits.{index}",
                f"`{unused}` is no word of {limit.algorithm}",
                "it changes nothing; is the algorithm right?",
            )


def kinder_than_kong(view: View) -> Iterator[Finding]:
    """A sliding window counter that is asked for more than it lets through."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        if limit.algorithm == "sliding_window_counter" and _busiest(view, limit)[2] > limit_in_all(limit, gateway):
            why = (
                "in Kong's rate-limiting-advanced they do, unless disable_penalty is set: who goes on above the "
                "limit gets next to nothing through"
            )
            yield Finding(
                f"gateway.rate_limits.{index}", "requests that this sliding_window_counter refuses do not count", why
            )


def _busiest(view: View, limit: RateLimit) -> tuple[str, float, float]:
    """Who sends most under one key of the limit, how much on average and at the peak."""
    gateway, mean, peak = view.scenario.gateway, view.analysis.sent, view.analysis.sent_peak
    routes = gateway.routes if gateway is not None else {}
    if limit.per == "route":
        rates, peaks = view.analysis.rates.targets, view.analysis.rates_peak.targets
        route = max(routes, key=lambda name: rates.get(name, 0.0))
        return f"the route {route} gets", rates.get(route, 0.0), peaks.get(route, 0.0)
    through = {
        name: sum(share for target, share in traffic.mix.items() if target in routes)
        for name, traffic in view.scenario.traffic.items()
    }
    if limit.per == "all":
        return (
            "clients send",
            sum(mean[name] * share for name, share in through.items()),
            sum(peak[name] * share for name, share in through.items()),
        )
    shares = {name: groups[0][0] for name, traffic in view.scenario.traffic.items() if (groups := user_shares(traffic))}
    return (
        "the busiest user sends",
        max((mean[name] * through[name] * share for name, share in shares.items()), default=0.0),
        max((peak[name] * through[name] * share for name, share in shares.items()), default=0.0),
    )


def _refuses(view: View, limit: RateLimit, mean: float) -> float:
    """The share that it refuses of whoever sends most, where arrivals are random."""
    gateway = view.scenario.gateway
    random = not any(
        isinstance(traffic.arrivals, (Closed, Deterministic)) for traffic in view.scenario.traffic.values()
    )
    return 1.0 - let_pass(limit, gateway, mean, random=True) if random and gateway is not None else 0.0


def _never_reached(limit: RateLimit, most: float, peak: float) -> bool:
    """Whether even an improbable crowd (six standard deviations) stays within the limit, over the window in which it
    counts.
    """
    bucket = not limit.counts_in_windows
    window = max(limit.burst, 1) / most if bucket else limit.window
    allowed = limit.burst + most * window if bucket else most * window
    expected = peak * window
    return allowed > expected + 6.0 * math.sqrt(expected) + 3.0
