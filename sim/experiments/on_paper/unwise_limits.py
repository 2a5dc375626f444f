"""The warnings of `sim check` about rate limits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.changed_defaults import relies_on_default
from sim.experiments.on_paper.limited import Counted, Group, arrives_at_random, counted, let_pass
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.partition_shares import user_shares
from sim.experiments.on_paper.rates import limit_in_all
from sim.spec.limits import RateLimit, requests_in
from sim.spec.sites import GATEWAY, Limit, caller_limits, placed_limits
from sim.spec.traffic import Traffic
from sim.units import show_duration, show_rate, show_share

CROWDED = 0.8  # from here on a line grows steeply
RARE = 0.01
ROUNDING = 0.05  # of a rate that is changed by counting whole requests, and still no news


def rate_limits(view: View) -> Iterator[Finding]:
    """Limits that refuse nothing, and limits below the ordinary load."""
    for limit in placed_limits(view.scenario):
        spec = limit.spec
        who, mean, peak = _busiest(view, limit)
        most = limit_in_all(spec, limit.replicas)
        refuses = _refuses(view, limit, mean) if mean > 0 else 0.0
        if "user" in spec.keys and not any(map(user_shares, view.scenario.traffic.values())):
            yield Finding(
                limit.place, "`per: user`, but no traffic says how many users there are", _without_users(spec)
            )
        elif mean > most:
            why = f"{show_share(1.0 - most / mean)} of that is refused all the time"
            yield Finding(limit.place, f"{who} {show_rate(mean)} on average, and {show_rate(most)} pass", why)
        elif refuses > RARE and not (spec.algorithm == "token_bucket" and relies_on_default(spec, "burst")):
            why = f"requests come in bunches: {show_share(refuses)} of Poisson arrivals are refused"
            yield Finding(limit.place, f"{who} {show_rate(mean)} on average, and {show_rate(most)} pass", why)
        elif peak > 0 and _never_reached(spec, most, peak) and not spec.rates and len(_of_place(view, limit)) == 1:
            why = "the limit never refuses anything; is the rate right?"
            yield Finding(limit.place, f"{who} {show_rate(peak)} at most, and {show_rate(most)} pass", why)


def rounded_limits(view: View) -> Iterator[Finding]:
    """Limits that count whole requests in a window that holds no whole number of them."""
    for limit in placed_limits(view.scenario):
        spec = limit.spec
        if not spec.counts_in_windows:
            continue
        meant, counted = spec.rate * spec.window, requests_in(spec.window, spec.rate)
        if abs(counted - meant) > ROUNDING * meant:
            window = show_duration(spec.window)
            yield Finding(
                limit.place,
                f"{show_rate(spec.rate)} is {meant:.3g} requests in a window of {window}; it counts whole ones, "
                f"and lets {counted} pass",
                f"that is {show_rate(counted / spec.window)}; choose a `window` that holds a whole number of "
                "requests, or a token_bucket",
            )


def limits_of_one_token(view: View) -> Iterator[Finding]:
    """Token buckets of which nobody said how much they hold."""
    for limit in placed_limits(view.scenario):
        spec = limit.spec
        if "burst" in spec.unused or spec.tokens != 1 or not relies_on_default(spec, "burst"):
            continue
        who, mean, _ = _busiest(view, limit)
        share = show_share(1.0 - let_pass(spec, limit.replicas, mean, random=True))
        apart = show_duration(1.0 / spec.rate)
        why = (
            f"as nginx without burst; {who} {show_rate(mean)}: of Poisson arrivals that refuses {share}. Say "
            "`burst`, or `algorithm: fixed_window`"
        )
        yield Finding(limit.place, f"one token: of two requests closer than {apart} the second is refused", why)


def limits_with_words_unused(view: View) -> Iterator[Finding]:
    """A burst of what counts in windows, a window of what does not, or both of what knows its rate alone."""
    for limit in placed_limits(view.scenario):
        counts = limit.spec.preset or limit.spec.algorithm
        for word in limit.spec.unused:
            if not relies_on_default(limit.spec, word):
                why = "it changes nothing; is the algorithm right?"
                yield Finding(limit.place, f"`{word}` is no word of {counts}", why)


def replaced_limits(view: View) -> Iterator[Finding]:
    """Routes with limits of their own, for which those of the gateway do not hold: nobody said so."""
    gateway = view.scenario.gateway
    for name, route in gateway.routes.items() if gateway is not None and gateway.rate_limits else ():
        if route.rate_limits and relies_on_default(route, "gateway_limits"):
            why = "as in Kong, nginx and Envoy; `gateway_limits: kept` asks both, `replaced` says that this is meant"
            yield Finding(f"gateway.routes.{name}", "its limits stand in the place of those of the gateway", why)


def limited_callers(view: View) -> Iterator[Finding]:
    """Callers who make more calls than their own rate limit lets go, or nearly so."""
    names = {its.name for its in caller_limits(view.scenario)}
    for station in view.load.stations:
        # a limit that adapts lets through what is asked, on paper: it is never crowded
        if station.name not in names or station.utilisation <= CROWDED:
            continue
        asked, most = show_rate(station.rate), show_rate(station.rate / station.utilisation)
        if station.falls_behind:
            why = "the line grows until nobody waits for his turn any more, and the rest is refused"
        else:
            wait = _wait(station.utilisation, station.rate)
            waits = f"as that of M/D/1: {show_duration(wait)} each" if wait < math.inf else "without end"
            why = f"a line {waits} where calls come at random"
        yield Finding(station.name, f"{asked} calls on average, and {most} go", why)


def _wait(load: float, rate: float) -> float:
    """The mean wait of M/D/1 (Pollaczek-Khinchine), seconds."""
    return load / (2.0 * (rate / load) * (1.0 - load)) if load < 1.0 else math.inf


def kinder_than_kong(view: View) -> Iterator[Finding]:
    """A sliding window counter that is asked for more than it lets through."""
    for limit in placed_limits(view.scenario):
        ours = limit.spec.algorithm == "sliding_window_counter" and limit.spec.preset is None
        if ours and _busiest(view, limit)[2] > limit_in_all(limit.spec, limit.replicas):
            why = (
                "in Kong's rate-limiting-advanced they do, unless disable_penalty is set: who goes on above "
                "the limit gets next to nothing through"
            )
            yield Finding(
                limit.place,
                "requests that this sliding_window_counter refuses do not count",
                f"{why}. `preset: kong-advanced` counts so",
            )


def _of_place(view: View, limit: Limit) -> list[Limit]:
    return [other for other in placed_limits(view.scenario) if other.place == limit.place]


def _without_users(spec: RateLimit) -> str:
    if spec.anonymous == "free":
        return "without `users` it counts nobody"
    if spec.anonymous == "refused":
        return "without `users` it refuses everybody"
    return "without `users` all requests count as those of one user"


def _busiest(view: View, limit: Limit) -> tuple[str, float, float]:
    """Who sends most under one key of the limit, how much on average and at the peak."""
    if limit.owner != GATEWAY:
        return _busiest_endpoint(view, limit)
    traffic, best = view.scenario.traffic, ("", 0.0, 0.0)
    sums: dict[Group, tuple[float, float, Counted]] = {}
    for name, spec in traffic.items():
        its = view.scenario.parts_of(name)
        for route in limit.routes:
            for part in counted(limit.spec, name, its[route].traffic, route) if route in its else ():
                share = its[route].share * part.share * _largest_user(limit.spec, spec)
                mean, peak, _ = sums.get(part.group, (0.0, 0.0, part))
                mean, peak = mean + view.analysis.sent[name] * share, peak + view.analysis.sent_peak[name] * share
                sums[part.group] = mean, peak, part
    for mean, peak, part in sums.values():
        if mean > best[1] or not best[0]:
            best = _who(limit.spec, part), mean, peak
    return best if best[0] else ("clients send", 0.0, 0.0)


def _busiest_endpoint(view: View, limit: Limit) -> tuple[str, float, float]:
    """Of a service: what comes to all its endpoints, or to the busiest; by users nothing is known of it on paper."""
    rates, peaks = view.analysis.rates.endpoints, view.analysis.rates_peak.endpoints
    mean, peak = (
        [rates.get(it, 0.0) for it in limit.routes] or [0.0],
        [peaks.get(it, 0.0) for it in limit.routes] or [0.0],
    )
    if not limit.spec.keys and not limit.spec.when:
        return f"callers send {limit.owner}", math.fsum(mean), math.fsum(peak)
    if limit.spec.keys == ("route",) and not limit.spec.when:
        return f"the busiest endpoint of {limit.owner} gets", max(mean), max(peak)
    return "callers send", 0.0, 0.0


def _largest_user(limit: RateLimit, traffic: Traffic) -> float:
    """The share of the busiest user, where each has a count of its own."""
    by_user = {"user", "ip"} & set(limit.keys) or ("consumer" in limit.keys and traffic.consumer is None)
    groups = user_shares(traffic) if by_user else []
    if "ip" in limit.keys and traffic.users is not None and traffic.users.addresses is not None:
        return 1.0 / traffic.users.addresses
    return groups[0][0] if groups else 0.0 if by_user == {"user"} else 1.0


def _who(limit: RateLimit, part: Counted) -> str:
    keys = limit.keys
    if keys == ("route",):
        return f"the route {part.route} gets"
    if not keys and not limit.when:
        return "clients send"
    if keys == ("user",):
        return "the busiest user sends"
    return f"the busiest {' and '.join(keys) or 'of these'} ({', '.join(part.group) or part.traffic}) sends"


def _refuses(view: View, limit: Limit, mean: float) -> float:
    """The share that it refuses of whoever sends most, where arrivals are random."""
    return 1.0 - let_pass(limit.spec, limit.replicas, mean, random=True) if arrives_at_random(view.scenario) else 0.0


def _never_reached(limit: RateLimit, most: float, peak: float) -> bool:
    """Whether even an improbable crowd (six standard deviations) stays within the limit, over the window in which it
    counts.
    """
    bucket = not limit.counts_in_windows
    window = max(limit.tokens, 1) / most if bucket else limit.window
    allowed = limit.tokens + most * window if bucket else most * window
    expected = peak * window
    return allowed > expected + 6.0 * math.sqrt(expected) + 3.0
