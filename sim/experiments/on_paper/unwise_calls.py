"""The warnings of `sim check` about how calls are guarded: timeouts, retries that multiply, breakers."""

from __future__ import annotations

from collections.abc import Iterator

from sim.experiments.on_paper.calls import Edge, View, poisson_tail
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.policy import CircuitBreaker, Resilience4jBreaker, Retry
from sim.spec.routing import entered
from sim.units import show_duration, show_share

HOPELESS = 0.001  # of the requests, whose work alone takes longer than the timeout of each try
FAN_OUT = 8  # attempts at the end of a chain of calls for one request at its beginning
NOISE_PER_HOUR = 1.0  # openings of a breaker by background failures alone that are still no news
RARE = 0.01


def short_timeouts(view: View) -> Iterator[Finding]:
    """A caller who gives up before the callee does, or before the callee can have answered."""
    for edge in dict.fromkeys(view.edges):
        if edge.timeout is None:
            continue
        chain = view.patience.longest_wait(edge.target)
        if chain > edge.timeout:
            yield Finding(
                edge.place,
                f"gives {edge.target} {show_duration(edge.timeout)}, which may itself wait {show_duration(chain)} for "
                "its own calls",
                "the callee goes on trying for a caller who has gone: wasted work, and effects that nobody is told of",
            )
        slow = view.patience.percentile(edge.target, 0.99) + 2.0 * view.flow.latency(
            edge.caller, edge.target.partition(".")[0]
        )
        if slow > edge.timeout:
            share = view.patience.share_above(edge.target, edge.timeout)
            yield Finding(
                edge.place,
                f"gives {edge.target} {show_duration(edge.timeout)}, but its 99th percentile without any queue is "
                f"{show_duration(slow)}",
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
                "a request keeps its work (`per: request`): all its attempts fail, and all are worked off; `per: "
                "attempt` draws anew",
            )


def pauses_never_told(view: View) -> Iterator[Finding]:
    """Callers who would obey a Retry-After, and do not try again after the answers that have one."""
    for edge in dict.fromkeys(view.edges):
        retry = edge.policy.retry
        if retry is not None and retry.honor_retry_after and not {"rate_limited", "shed"} & set(retry.on):
            yield Finding(
                edge.place,
                f"honors the Retry-After of {edge.target}, but its `on` has neither rate_limited (429) nor shed (503)",
                "no other answer has one: it is never waited for; `on: [timeout, error, rate_limited]` tries again",
            )


def impatient_clients(view: View) -> Iterator[Finding]:
    """Clients whose patience ends before the route gives up."""
    gateway = view.scenario.gateway
    for name, traffic in view.scenario.traffic.items():
        patience = traffic.typical_patience
        for target in entered(gateway, traffic.mix):
            route = gateway.routes.get(target) if gateway is not None else None
            if route is not None and route.timeout is not None and patience is not None and patience < route.timeout:
                typical = " on average" if traffic.patience is not None else ""
                yield Finding(
                    f"traffic.{name}",
                    f"clients give up after {show_duration(patience)}{typical}, before the route {target} does "
                    f"({show_duration(route.timeout)})",
                    "the gateway stops then, the services behind it work on for nobody, and clients never see its own "
                    "error",
                )


def retry_fan_out(view: View) -> Iterator[Finding]:
    """Retries of several layers that multiply."""
    gateway = view.scenario.gateway
    for name, traffic in view.scenario.traffic.items():
        worst: tuple[float, tuple[str, ...]] = (1.0, ())
        for target in entered(gateway, traffic.mix):
            first = _multiplier(traffic.retry)
            route = gateway.routes.get(target) if gateway is not None else None
            layers: tuple[str, ...] = (f"{name} x{first:g}",) if first > 1 else ()
            here = _multiplier(view.flow.policy(route.policy).retry) if route is not None else 1.0
            layers += (f"gateway x{here:g}",) if here > 1 else ()
            for endpoint in route.targets if route is not None else (target,):
                worst = max(worst, _fan_out(view, endpoint, first * here, layers, ()))
        if worst[0] >= FAN_OUT:
            why = (
                "when the last one fails, the load is multiplied just when it can be borne least; retry in one "
                "layer, or with a budget"
            )
            yield Finding(
                f"traffic.{name}", f"one request may become {_number(worst[0])} attempts: {', '.join(worst[1])}", why
            )


def _fan_out(
    view: View, endpoint: str, product: float, layers: tuple[str, ...], path: tuple[str, ...]
) -> tuple[float, tuple[str, ...]]:
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
    budget = retry.budget
    if budget is not None and budget.aws is not None:  # nothing comes back where all fails
        return 1.0 if budget.aws.retry_cost > 0 else float(retry.max_attempts)
    if budget is None or budget.of_library or budget.min_per_second > 0:
        return float(retry.max_attempts)
    return min(retry.max_attempts, 1.0 + budget.ratio)


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
        elif breaker.counts_in_a_time:
            yield from _noise(edge, breaker, view.rate(edge) / sharers * bad)
            yield from _unreachable(
                edge,
                breaker.failures,
                breaker.within,
                view.rate(edge, peak=True) / sharers * _multiplier(edge.policy.retry),
            )


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
            f"only {_number(attempts_per_second * within)} attempts every {show_duration(within)} pass each breaker, "
            f"which opens at {failures}",
            "it stays closed even if every attempt fails; lower the number, widen the window, or share the breaker "
            "(`scope: service`)",
        )


def _resilience4j(edge: Edge, breaker: Resilience4jBreaker, calls_per_second: float, bad: float) -> Iterator[Finding]:
    if bad * 100.0 >= breaker.failure_rate_threshold:
        finding = (
            f"{show_share(bad)} of the attempts fail on a good day, and the breaker opens at "
            f"{breaker.failure_rate_threshold:g} %"
        )
        yield Finding(f"{edge.place} -> {edge.target}", finding, "it opens without an outage")
    if breaker.sliding_window_type == "time_based":
        yield from _unreachable(
            edge, breaker.minimum_number_of_calls, float(breaker.sliding_window_size), calls_per_second
        )


def _number(value: float) -> str:
    """`0.5`, `13.2`, `1,200`: short, without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
