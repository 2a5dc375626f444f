"""The warnings of `sim check`: each a place, what was found, and why it matters. Unwise is allowed; nothing here refuses a scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sim.experiments.on_paper import optimistic
from sim.experiments.on_paper.calls import Edge, View, poisson_tail
from sim.experiments.on_paper.changed_defaults import changed_defaults, relies_on_default
from sim.experiments.on_paper.flow import members
from sim.experiments.on_paper.offered_load import Analysis, Finding, OfferedLoad, Station
from sim.experiments.on_paper.partition_shares import user_shares
from sim.experiments.on_paper.places import listed, specs_within
from sim.experiments.on_paper.rates import let_pass, limit_in_all
from sim.experiments.on_paper.recordings import recordings_outside, unlike_clocks
from sim.experiments.on_paper.refusals import erlang_b
from sim.experiments.on_paper.slips import shares_of_mixtures, shares_of_sends
from sim.experiments.on_paper.zero_time_loops import time_can_stand_still
from sim.policies.limiter import new_limiter
from sim.spec.base import UNLIMITED
from sim.spec.distribution import LogNormal
from sim.spec.gateway import RateLimit
from sim.spec.policy import CircuitBreaker, Resilience4jBreaker, Retry
from sim.spec.sites import bulkheads
from sim.spec.traffic import Closed, Deterministic, MarkovModulated, Poisson
from sim.units import show_duration, show_rate, show_share

CROWDED = 0.8  # from here on queues grow steeply
HOPELESS = 0.001  # of the requests, whose work alone takes longer than the timeout of each try
FAN_OUT = 8  # attempts at the end of a chain of calls for one request at its beginning
NOISE_PER_HOUR = 1.0  # openings of a breaker by background failures alone that are still no news
RARE = 0.01
PROCESSORS = 64  # of the largest machines that are commonly given to one replica; a pod hardly ever gets a quarter of that
ROUNDING = 0.05  # of a rate that is changed by counting whole requests, and still no news


def findings(analysis: Analysis, load: OfferedLoad) -> Iterator[Finding]:
    """Everything unwise in one variant."""
    view = View(analysis, load)
    for rule in RULES:
        yield from (replace(finding, kind=rule.__name__) for finding in rule(view))


# ---- capacity


def overload(view: View) -> Iterator[Finding]:
    """A station that is asked for more than it can do, or nearly so."""
    for station in view.load.stations:
        place = f"{station.name} ({station.resource})"
        if station.resource in ("places", "rate"):
            if station.resource == "places":
                yield from _few_places(view, station, place)
        elif station.utilisation > 1.0:
            growth = station.rate * (1.0 - 1.0 / station.utilisation)
            what = "lag" if station.resource == "consumers" else "work left over"
            why = f"on average it falls behind by {show_rate(growth)}: {what} grows as long as this lasts"
            yield Finding(place, f"asked for {show_share(station.utilisation)} of what it can do", why)
        elif station.utilisation_peak > 1.0:
            why = "a backlog builds up that is worked off only when the load falls"
            yield Finding(place, f"asked for {show_share(station.utilisation_peak)} of what it can do at the peak", why)
        elif station.utilisation_peak > CROWDED:
            when = "" if station.utilisation > CROWDED else " at the peak"
            why = "above 80 % waiting times grow steeply, and little is left for retries or a failed replica"
            yield Finding(place, f"{show_share(station.utilisation_peak)} busy{when}", why)


def _few_places(view: View, station: Station, place: str) -> Iterator[Finding]:
    """A bulkhead of which all places are taken now and then. Where nobody waits for one, Erlang's formula says how often."""
    its = next(its for its in bulkheads(view.scenario) if its.name == station.name)
    guards = 1 if its.policy.scope == "service" else view.replicas(its.caller)
    asked = station.rate_peak * station.demand / guards
    each = station.servers // guards
    when = "" if station.utilisation >= CROWDED else " at the peak"
    if its.policy.bulkhead is not None and its.policy.bulkhead.max_wait > 0:
        why = "calls wait for a place, and are refused when they have waited `max_wait`: the time before the call grows steeply from 80 % on"
        if station.utilisation_peak > CROWDED:
            yield Finding(place, f"asked for {show_share(station.utilisation_peak)} of its {station.servers:,} places{when}", why)
        return
    refused = erlang_b(asked, each)
    if refused > RARE:
        why = f"of calls that come at random {show_share(refused)} find no place and are refused (Erlang B: {asked:.3g} at once on average, {each:,} places)"
        yield Finding(place, f"asked for {show_share(station.utilisation_peak)} of its {station.servers:,} places{when}", why)


def crowded_machines(view: View) -> Iterator[Finding]:
    """Computation on a replica that names no cores, by more workers at once than a machine has processors."""
    for station in view.load.stations:
        service = view.scenario.services.get(station.name)
        if service is None or station.resource != "workers" or service.cores is not None:
            continue
        computing = view.analysis.computing(station.name, peak=True) / service.replicas
        if computing > PROCESSORS:
            why = "without `cores` every worker computes as if alone; say how many cores a replica has, or `wait` where the time passes elsewhere"
            yield Finding(f"services.{station.name}", f"{_number(computing)} workers compute at once in each replica, and no `cores` are named", why)


def unlimited_queues(view: View) -> Iterator[Finding]:
    """Queues that neither refuse nor time out."""
    names = [
        name
        for name, service in view.scenario.services.items()
        if service.queue.capacity == UNLIMITED and service.queue.timeout is None and service.workers != UNLIMITED and _called(view, name) > 0
    ]
    if names:
        why = "an overload becomes waiting time without end instead of refusals: work is done for callers who have long gone"
        yield Finding("services", f"queues without limit: {listed(names)}", why)


def idle_services(view: View) -> Iterator[Finding]:
    """Services that nothing reaches, and topics that nobody reads."""
    published = {topic for topic, rate in view.analysis.rates_peak.topics.items() if rate > 0}
    for name, service in view.scenario.services.items():
        if _called(view, name) <= 0 and not published & set(service.consumes) and not view.load.unknown:
            yield Finding(f"services.{name}", "nobody calls it and no message reaches it", "it only costs; is a call or a topic missing?")
    consumed = {topic for service in view.scenario.services.values() for topic in service.consumes}
    for topic in sorted(published - consumed):
        yield Finding(f"topic {topic}", "published to, but nobody consumes it", "its messages stay queued for ever")


def idle_consumers(view: View) -> Iterator[Finding]:
    """More members of a group than partitions."""
    for name, service in view.scenario.services.items():
        for topic, consume in service.consumes.items():
            partitions = view.flow.topics[topic][2].partitions if topic in view.flow.topics else 0
            count = members(service, consume)
            if count > partitions > 0:
                why = f"a partition has one consumer of a group at most: {count - partitions} stay idle"
                yield Finding(f"{name} <- {topic}", f"{count} consumers for {partitions} partitions", why)


# ---- timeouts and retries


def short_timeouts(view: View) -> Iterator[Finding]:
    """A caller who gives up before the callee does, or before the callee can have answered."""
    for edge in dict.fromkeys(view.edges):
        if edge.timeout is None:
            continue
        chain = view.patience.longest_wait(edge.target)
        if chain > edge.timeout:
            yield Finding(
                edge.place,
                f"gives {edge.target} {show_duration(edge.timeout)}, which may itself wait {show_duration(chain)} for its own calls",
                "the callee goes on trying for a caller who has gone: wasted work, and effects that nobody is told of",
            )
        slow = view.patience.percentile(edge.target, 0.99) + 2.0 * view.flow.latency(edge.caller, edge.target.partition(".")[0])
        if slow > edge.timeout:
            share = view.patience.share_above(edge.target, edge.timeout)
            yield Finding(
                edge.place,
                f"gives {edge.target} {show_duration(edge.timeout)}, but its 99th percentile without any queue is {show_duration(slow)}",
                f"about {show_share(share)} of the attempts time out on a good day",
            )


def hopeless_retries(view: View) -> Iterator[Finding]:
    """Retries of requests that are themselves longer than the timeout: heavy work is as heavy at the next try."""
    for edge in dict.fromkeys(view.edges):
        retry = edge.policy.retry
        if edge.timeout is None or retry is None or retry.max_attempts == 1 or not {"timeout"} & set(retry.on):
            continue
        share = view.patience.share_kept_above(edge.target, edge.timeout)
        if share >= HOPELESS:
            tries = f"gives {edge.target} {show_duration(edge.timeout)}, and tries up to {retry.max_attempts} times"
            yield Finding(
                edge.place,
                f"{tries}; {show_share(share)} of the requests take longer by themselves",
                "a request keeps its work (`per: request`): all its attempts fail, and all are worked off; `per: attempt` draws anew",
            )


def impatient_clients(view: View) -> Iterator[Finding]:
    """Clients whose patience ends before the route gives up."""
    gateway = view.scenario.gateway
    for name, traffic in view.scenario.traffic.items():
        for target in traffic.mix:
            route = gateway.routes.get(target) if gateway is not None else None
            if route is not None and route.timeout is not None and traffic.timeout is not None and traffic.timeout < route.timeout:
                yield Finding(
                    f"traffic.{name}",
                    f"clients give up after {show_duration(traffic.timeout)}, before the route {target} does ({show_duration(route.timeout)})",
                    "the gateway stops then, the services behind it work on for nobody, and clients never see its own error",
                )


def retry_fan_out(view: View) -> Iterator[Finding]:
    """Retries of several layers that multiply."""
    gateway = view.scenario.gateway
    for name, traffic in view.scenario.traffic.items():
        worst: tuple[float, tuple[str, ...]] = (1.0, ())
        for target in traffic.mix:
            first = _multiplier(traffic.retry)
            route = gateway.routes.get(target) if gateway is not None else None
            layers: tuple[str, ...] = (f"{name} x{first:g}",) if first > 1 else ()
            here = _multiplier(view.flow.policy(route.policy).retry) if route is not None else 1.0
            layers += (f"gateway x{here:g}",) if here > 1 else ()
            worst = max(worst, _fan_out(view, route.to if route is not None else target, first * here, layers, ()))
        if worst[0] >= FAN_OUT:
            why = "when the last one fails, the load is multiplied just when it can be borne least; retry in one layer, or with a budget"
            yield Finding(f"traffic.{name}", f"one request may become {_number(worst[0])} attempts: {', '.join(worst[1])}", why)


def _fan_out(view: View, endpoint: str, product: float, layers: tuple[str, ...], path: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    worst = (product, layers)
    for call in view.patience.calls_of(endpoint):
        if call.endpoint not in path and len(path) < 20:
            times = _multiplier(view.flow.policy(call.policy).retry)
            more = (*layers, f"{endpoint} -> {call.endpoint} x{times:g}") if times > 1 else layers
            worst = max(worst, _fan_out(view, call.endpoint, product * times, more, (*path, endpoint)))
    return worst


def _multiplier(retry: Retry | None) -> float:
    if retry is None:
        return 1.0
    return float(retry.max_attempts) if retry.budget is None or retry.budget.min_per_second > 0 else min(retry.max_attempts, 1.0 + retry.budget.ratio)


# ---- breakers and limits


def breakers(view: View) -> Iterator[Finding]:
    """Breakers that open without an outage, and breakers that cannot open."""
    for edge in dict.fromkeys(view.edges):
        breaker = edge.policy.circuit_breaker
        if breaker is None:
            continue
        sharers = 1 if edge.policy.scope == "service" else view.replicas(edge.caller)
        bad = _background(view, edge)
        if breaker.resilience4j is not None:
            yield from _resilience4j(edge, breaker.resilience4j, view.rate(edge, peak=True) / sharers, bad)
        else:
            yield from _noise(edge, breaker, view.rate(edge) / sharers * bad)
            yield from _unreachable(edge, breaker.failures, breaker.within, view.rate(edge, peak=True) / sharers * _multiplier(edge.policy.retry))


def _background(view: View, edge: Edge) -> float:
    """Share of attempts that fail on a good day: the callee's own failures, and its slow tail."""
    own = view.flow.endpoints[edge.target].failed if edge.target in view.flow.endpoints else 0.0
    late = view.patience.share_above(edge.target, edge.timeout) if edge.timeout is not None else 0.0
    return 1.0 - (1.0 - own) * (1.0 - late)


def _noise(edge: Edge, breaker: CircuitBreaker, failures_per_second: float) -> Iterator[Finding]:
    expected = failures_per_second * breaker.within
    per_hour = 3600.0 / breaker.within * poisson_tail(breaker.failures, expected) if breaker.within > 0 else 0.0
    if per_hour >= NOISE_PER_HOUR:
        often = f"it reaches {breaker.failures} about {_number(per_hour)} times an hour"
        yield Finding(
            f"{edge.place} -> {edge.target}",
            f"on a good day {_number(expected)} failures every {show_duration(breaker.within)}: {often}",
            "it opens without an outage; raise `failures` with the traffic, or use a rate (resilience4j)",
        )


def _unreachable(edge: Edge, failures: int, within: float, attempts_per_second: float) -> Iterator[Finding]:
    if attempts_per_second > 0 and poisson_tail(failures, attempts_per_second * within) < RARE:
        yield Finding(
            f"{edge.place} -> {edge.target}",
            f"only {_number(attempts_per_second * within)} attempts every {show_duration(within)} pass each breaker, which opens at {failures}",
            "it stays closed even if every attempt fails; lower the number, widen the window, or share the breaker (`scope: service`)",
        )


def _resilience4j(edge: Edge, breaker: Resilience4jBreaker, calls_per_second: float, bad: float) -> Iterator[Finding]:
    if bad * 100.0 >= breaker.failure_rate_threshold:
        finding = f"{show_share(bad)} of the attempts fail on a good day, and the breaker opens at {breaker.failure_rate_threshold:g} %"
        yield Finding(f"{edge.place} -> {edge.target}", finding, "it opens without an outage")
    if breaker.sliding_window_type == "time_based":
        yield from _unreachable(edge, breaker.minimum_number_of_calls, float(breaker.sliding_window_size), calls_per_second)


def rate_limits(view: View) -> Iterator[Finding]:
    """Limits that refuse nothing, and limits below the ordinary load."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        place = f"gateway.rate_limits.{index}"
        who, mean, peak = _busiest(view, limit)
        most = limit_in_all(limit, gateway)
        if limit.per == "user" and not any(map(user_shares, view.scenario.traffic.values())):
            yield Finding(place, "`per: user`, but no traffic says how many users there are", "without `users` all requests count as those of one user")
        elif mean > most:
            why = f"{show_share(1.0 - most / mean)} of that is refused all the time"
            yield Finding(place, f"{who} {show_rate(mean)} on average, and {show_rate(most)} pass", why)
        elif mean > 0 and _refuses(view, limit, mean) > RARE and not (limit.algorithm == "token_bucket" and relies_on_default(limit, "burst")):
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
                f"{show_rate(limit.rate)} is {meant:.3g} requests in a window of {window}; it counts whole ones, and lets {counted} pass",
                f"that is {show_rate(counted / limit.window)}; choose a `window` that holds a whole number of requests, or a token_bucket",
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
        why = f"as nginx without burst; {who} {show_rate(mean)}: of Poisson arrivals that refuses {share}. Say `burst`, or `algorithm: fixed_window`"
        yield Finding(f"gateway.rate_limits.{index}", f"one token: of two requests closer than {apart} the second is refused", why)


def limits_with_words_unused(view: View) -> Iterator[Finding]:
    """A burst of what counts in windows, or a window of what does not."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        unused = "burst" if limit.counts_in_windows else "window"
        if not relies_on_default(limit, unused):
            yield Finding(f"gateway.rate_limits.{index}", f"`{unused}` is no word of {limit.algorithm}", "it changes nothing; is the algorithm right?")


def kinder_than_kong(view: View) -> Iterator[Finding]:
    """A sliding window counter that is asked for more than it lets through."""
    gateway = view.scenario.gateway
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        if limit.algorithm == "sliding_window_counter" and _busiest(view, limit)[2] > limit_in_all(limit, gateway):
            why = "in Kong's rate-limiting-advanced they do, unless disable_penalty is set: who goes on above the limit gets next to nothing through"
            yield Finding(f"gateway.rate_limits.{index}", "requests that this sliding_window_counter refuses do not count", why)


def _busiest(view: View, limit: RateLimit) -> tuple[str, float, float]:
    """Who sends most under one key of the limit, how much on average and at the peak."""
    gateway, mean, peak = view.scenario.gateway, view.analysis.sent, view.analysis.sent_peak
    routes = gateway.routes if gateway is not None else {}
    if limit.per == "route":
        rates, peaks = view.analysis.rates.targets, view.analysis.rates_peak.targets
        route = max(routes, key=lambda name: rates.get(name, 0.0))
        return f"the route {route} gets", rates.get(route, 0.0), peaks.get(route, 0.0)
    through = {name: sum(share for target, share in traffic.mix.items() if target in routes) for name, traffic in view.scenario.traffic.items()}
    if limit.per == "all":
        return "clients send", sum(mean[name] * share for name, share in through.items()), sum(peak[name] * share for name, share in through.items())
    shares = {name: groups[0][0] for name, traffic in view.scenario.traffic.items() if (groups := user_shares(traffic))}
    return (
        "the busiest user sends",
        max((mean[name] * through[name] * share for name, share in shares.items()), default=0.0),
        max((peak[name] * through[name] * share for name, share in shares.items()), default=0.0),
    )


def _refuses(view: View, limit: RateLimit, mean: float) -> float:
    """The share that it refuses of whoever sends most, where arrivals are random."""
    gateway = view.scenario.gateway
    random = not any(isinstance(traffic.arrivals, (Closed, Deterministic)) for traffic in view.scenario.traffic.values())
    return 1.0 - let_pass(limit, gateway, mean, random=True) if random and gateway is not None else 0.0


def _never_reached(limit: RateLimit, most: float, peak: float) -> bool:
    """Whether even an improbable crowd (six standard deviations) stays within the limit, over the window in which it counts."""
    bucket = not limit.counts_in_windows
    window = max(limit.burst, 1) / most if bucket else limit.window
    allowed = limit.burst + most * window if bucket else most * window
    expected = peak * window
    return allowed > expected + 6.0 * math.sqrt(expected) + 3.0


# ---- how the experiment is set up


def heavy_tails(view: View) -> Iterator[Finding]:
    """Lognormals whose percentile lies below their mean."""
    for place, spread in specs_within("", view.scenario, LogNormal):
        for name, percentile in (("p95", spread.p95), ("p99", spread.p99)):
            if percentile is not None and spread.given_mean is not None and percentile < spread.given_mean:
                why = f"nearly all of the mean comes from a few giants (sigma {spread.sigma:.2g}); have the two been exchanged?"
                yield Finding(place, f"its {name}, {show_duration(percentile)}, is below its mean, {show_duration(spread.given_mean)}", why)


def closed_workloads(view: View) -> Iterator[Finding]:
    """Users who wait for their answer before they send again."""
    for name, traffic in view.scenario.traffic.items():
        if isinstance(traffic.arrivals, Closed):
            why = "closed users wait for their answer before they send again: a slow system is asked for less, and an overload hides"
            yield Finding(f"traffic.{name}", f"a closed workload of {traffic.arrivals.users:,} users", why)


def cold_start(view: View) -> Iterator[Finding]:
    """Results that begin with an empty system."""
    steady = [name for name, traffic in view.scenario.traffic.items() if isinstance(traffic.arrivals, (Poisson, Deterministic, MarkovModulated, Closed))]
    if view.scenario.warmup == 0 and steady and not view.scenario.auto_warmup:
        yield Finding("warmup", "0, with steady load", "the first moments of an empty system count as results and make it look better than it is")


def faults_cut_off(view: View) -> Iterator[Finding]:
    """Faults where nothing is counted, and faults after which nothing is seen."""
    for index, fault in enumerate(view.scenario.faults):
        if fault.at < view.scenario.warmup:
            finding = f"begins at {show_duration(fault.at)}, during the warm-up ({show_duration(view.scenario.warmup)})"
            yield Finding(f"faults.{fault.name or index}", finding, "requests of the warm-up are not counted")
        if fault.at >= view.scenario.duration:
            finding = f"begins at {show_duration(fault.at)}, and the run ends at {show_duration(view.scenario.duration)}"
            yield Finding(f"faults.{fault.name or index}", finding, "it never happens: the run is as if it were not there")
        elif fault.lasts is not None and fault.at + fault.lasts >= view.scenario.duration:
            finding = f"ends at {show_duration(fault.at + fault.lasts)}, and the run at {show_duration(view.scenario.duration)}"
            yield Finding(f"faults.{fault.name or index}", finding, "whether and when the system recovers is not seen")


def unknown_rates(view: View) -> Iterator[Finding]:
    """Arrivals of a plug-in."""
    for name in view.load.unknown:
        yield Finding(f"traffic.{name}", "its rate is not known beforehand", "it is left out of the offered load above")


RULES: Sequence[Callable[[View], Iterator[Finding]]] = (  # slips and overload first: whoever runs reads a handful
    time_can_stand_still,
    overload,
    crowded_machines,
    shares_of_sends,
    shares_of_mixtures,
    recordings_outside,
    unlike_clocks,
    faults_cut_off,
    unknown_rates,
    idle_services,
    idle_consumers,
    short_timeouts,
    hopeless_retries,
    impatient_clients,
    retry_fan_out,
    breakers,
    rate_limits,
    rounded_limits,
    heavy_tails,
    limits_of_one_token,
    limits_with_words_unused,
    kinder_than_kong,
    optimistic.consumer_faults,
    optimistic.crashes_seen_at_once,
    optimistic.losses_without_tcp,
    optimistic.slow_handlers,
    optimistic.unbatched_producers,
    optimistic.lonely_populations,
    changed_defaults,
    unlimited_queues,
    closed_workloads,
    cold_start,
)


def _number(value: float) -> str:
    """`0.5`, `13.2`, `1,200`: short, without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _called(view: View, service: str) -> float:
    return sum(rate for place, rate in view.analysis.rates_peak.endpoints.items() if place.partition(".")[0] == service)
