"""The gateway as Kong's declarative configuration (format 3.0): services with timeouts and retries, routes, limits,
authentication. `sim import` reads it back.

Rules are those by which `sim import` reads it, from Kong's own schema: `read_timeout` is the patience of one attempt,
`retries` are attempts beyond the first, made at once on errors of the connection and on timeouts. So a total timeout,
pauses, retries of answers, breakers and bulkheads of a route cannot be said, nor can token buckets: each stands as a
comment where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sim.errors import UsageError
from sim.exporting.settings_text import TO_BE_SUPPLIED, dumped, head, host_of, hosts_of, milliseconds, remarks
from sim.exporting.subject import Subject
from sim.spec.gateway import Gateway, Jwt, OAuth, RateLimit, Route
from sim.spec.policy import NO_POLICY, CallPolicy, ConstantBackoff
from sim.spec.response_cache import ResponseCache
from sim.spec.scenario import Scenario
from sim.spec.sites import GATEWAY, call_sites
from sim.units import show_duration, show_rate, show_share

PORT = 8080
_METHOD = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)")
_PERIODS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
_AT_ONCE = {"timeout", "unreachable"}  # what Kong tries again
_NEVER_TWICE = {"POST", "PATCH"}  # methods that nginx does not send a second time once they were sent

Plugin = dict[str, Any]


def write(subject: Subject) -> str:
    """The whole file; a UsageError where the scenario has no gateway."""
    gateway = subject.scenario.gateway
    if gateway is None:
        raise UsageError("found no gateway in the scenario, expected one: its routes and limits are what Kong is told")
    parts = [
        head(subject, "Declarative configuration of Kong", *_of_the_gateway(gateway)),
        '_format_version: "3.0"\n',
        "services:\n",
    ]
    parts += list(_services(subject.scenario, gateway))
    notes, plugins = _everywhere(gateway)
    if plugins or notes:
        parts += ["plugins:\n" if plugins else "", remarks(notes, "  "), dumped(plugins, "  ") if plugins else ""]
    return "".join(parts)


def _of_the_gateway(gateway: Gateway) -> Iterator[str]:
    yield (
        f"{gateway.replicas} nodes with KONG_NGINX_WORKER_PROCESSES={gateway.workers}; what they do themselves "
        "takes time that no setting says."
    )
    yield f"Hosts are those of sim export --to kubernetes; paths of routes without one are {TO_BE_SUPPLIED}."


def _policies(scenario: Scenario) -> dict[str, CallPolicy]:
    """Route -> its policy, by whatever way it is written, without the route's own timeouts."""
    return {str(site.written): site.policy for site in call_sites(scenario) if site.caller == GATEWAY}


def _services(scenario: Scenario, gateway: Gateway) -> Iterator[str]:
    """A service of Kong for each route, the first to a host called like it: timeouts and retries are the service's
    there, and the route's here.
    """
    hosts, taken = hosts_of(list(scenario.services)), set[str]()
    for name, route in gateway.routes.items():
        host = hosts[route.to.partition(".")[0]]
        called = host if host not in taken else f"{host}-{host_of(name)}"
        while called in taken:
            called = f"{called}-again"
        taken.add(called)
        yield _service(scenario, gateway, name, {"name": called, "host": host})


def _service(scenario: Scenario, gateway: Gateway, name: str, called: dict[str, str]) -> str:
    route = gateway.routes[name]
    policy = route.guarded(_policies(scenario).get(name, NO_POLICY))
    its: dict[str, Any] = {**called, "port": PORT, "protocol": "http"}
    if policy.timeout is not None:
        its["read_timeout"] = milliseconds(policy.timeout)
    attempts = policy.retry.max_attempts if policy.retry is not None else 1
    its["retries"] = attempts - 1
    its["routes"] = [_route(gateway, name, route)]
    return remarks([*_unsaid(gateway, name, route, policy), f"leads to {route.to}"], "  ") + dumped([its], "  ")


def _route(gateway: Gateway, name: str, route: Route) -> dict[str, Any]:
    found = _METHOD.fullmatch(route.matches or name)
    if found is not None:  # without a name of its own it is known by its method and path, here as there
        its: dict[str, Any] = {"methods": [found[1]], "paths": [found[2]]}
    else:
        its = {"name": host_of(name), "paths": [f"/{host_of(route.matches or name)}"]}
    if route.matches is not None:
        its["name"] = host_of(name)
        its |= {"hosts": list(route.hosts)} if route.hosts else {}
        its |= {"headers": {header: list(values) for header, values in route.headers.items()}} if route.headers else {}
    its["strip_path"] = False
    limits = [plugin for limit in route.rate_limits if (plugin := _limit(limit)) is not None]
    plugins = [
        *limits,
        *_cache(route.cache),
        *(_grpc() if route.translate is not None else []),
        *(_authentication(gateway) if _apart(gateway) and route.authenticate else []),
    ]
    return {**its, **({"plugins": plugins} if plugins else {})}


def _unsaid(gateway: Gateway, name: str, route: Route, policy: CallPolicy) -> Iterator[str]:
    """What of a route's policy Kong cannot be told."""
    if policy.timeout is None:
        yield "no timeout of an attempt in the scenario; Kong always has one: 60 s between two reads"
    if policy.total_timeout is not None:
        yield f"timeout of all attempts together ({show_duration(policy.total_timeout)}): Kong has none"
    if policy.retry is not None and policy.retry.max_attempts > 1:
        yield from _unsaid_of_retries(name, policy)
    if policy.circuit_breaker is not None:
        yield (
            "circuit breaker: Kong has none; passive health checks of an upstream (healthchecks.passive) take out a "
            "target"
        )
    if policy.bulkhead is not None:
        yield f"bulkhead of {policy.bulkhead.most} calls: Kong has none"
    for limit in route.rate_limits:
        if _limit(limit) is None:
            yield (
                f"limit of {show_rate(limit.rate)} per {limit.per}, {limit.preset or limit.algorithm}: no "
                "plugin of Kong counts so"
            )
    if route.split:
        parts = ", ".join(f"{show_share(share)} to {target}" for target, share in route.split.items())
        yield f"split ({parts}): an upstream with weighted targets, or Kong's plug-in canary"
    if route.token is not None:
        yield f"token of {route.token.provider}: Kong's Enterprise plug-in upstream-oauth, with the client's secret"
    yield from _unsaid_of_cache(gateway, route)
    if route.answers_with:
        yield f"answers_with ({', '.join(route.answers_with)}): Kong passes on the answer of the service"


def _unsaid_of_retries(name: str, policy: CallPolicy) -> Iterator[str]:
    retry = policy.retry
    if retry is None:
        return
    others = [word for word in retry.on if word not in _AT_ONCE]
    if others:
        yield (
            f"tried again on {', '.join(others)}, too: Kong tries again on errors of the connection and timeouts alone"
        )
    pause = retry.backoff.delay if isinstance(retry.backoff, ConstantBackoff) else None
    if pause != 0:
        yield (
            "pauses between attempts "
            f"({show_duration(pause) if pause is not None else type(retry.backoff).__name__}): Kong tries again at once"
        )
    if retry.budget is not None:
        yield "retry budget: Kong has none"
    if name.partition(" ")[0] in _NEVER_TWICE and "timeout" in retry.on:
        yield f"{name.partition(' ')[0]}: not sent again once it was sent, as nginx does it; a timeout is the answer"


# ---- plugins


def _everywhere(gateway: Gateway) -> tuple[list[str], list[Plugin]]:
    """What is said as a comment, and the plugins for all routes."""
    notes, plugins = list[str](), list[Plugin]()
    for limit in gateway.rate_limits:
        plugin = _limit(limit)
        if plugin is None:
            words = f"burst {limit.burst}" if not limit.counts_in_windows else f"in {show_duration(limit.window)}"
            notes.append(
                f"limit of {show_rate(limit.rate)} per {limit.per}, {limit.algorithm}, {words}: no plugin of Kong "
                "counts so"
            )
        else:
            plugins.append(plugin)
    if any(plugin["name"] == "rate-limiting-advanced" for plugin in plugins):
        notes.append("rate-limiting-advanced is a plugin of Kong Enterprise")
    if gateway.authentication is not None and not _apart(gateway):
        plugins += _authentication(gateway)
    if isinstance(gateway.authentication, OAuth):
        notes.append(
            f"oauth2-introspection is a plugin of Kong Enterprise; its authorization_value is {TO_BE_SUPPLIED}"
        )
    return notes, plugins


def _cache(cache: ResponseCache | None) -> list[Plugin]:
    """What `proxy-cache` keeps by the path and the parameters of a request, and by the consumer where there is one."""
    if cache is None or cache.key not in ("item", "item_of_user") or cache.scope == "shared":
        return []
    config: dict[str, Any] = {"strategy": "memory"}
    if cache.ttl is not None:
        config["cache_ttl"] = max(1, round(cache.ttl))
    config["response_code"] = [200, 301, *([404] if cache.negative_ttl is not None else [])]
    return [{"name": "proxy-cache", "config": config}]


def _unsaid_of_cache(gateway: Gateway, route: Route) -> Iterator[str]:
    cache = route.cache
    if cache is None:
        return
    if not _cache(cache):
        yield f"cache of answers ({cache.key or 'hit'}, {cache.scope}): proxy-cache keeps none so"
        return
    words = ("size", "jitter", "coalesce", "stale_while_revalidate", "stale_if_error", "lookup")
    said = [word for word in words if word in cache.model_fields_set]
    if said:
        yield f"{', '.join(said)} of the cache: proxy-cache has no such setting"
    if cache.key == "item" and route.authenticate and gateway.authentication is not None:
        yield "cache by item: the key of proxy-cache has the consumer in it where there is one"


def _limit(limit: RateLimit) -> Plugin | None:
    """The plugin that counts as this limit does; None where there is none."""
    whose = {"user": "credential", "consumer": "consumer", "ip": "ip", "all": "service"}.get(limit.per)
    counts = [round(its.rate * its.window) for its in limit.periods]
    whole = all(abs(count - its.rate * its.window) <= 1e-6 for count, its in zip(counts, limit.periods, strict=True))
    if whose is None or not whole or min(counts) < 1 or limit.when or limit.window_from != "clock":
        return None
    if limit.preset not in (None, "kong", "kong-advanced"):
        return None
    local, windows = limit.scope == "node", [its.window for its in limit.periods]
    if limit.algorithm == "fixed_window" and all(window in _PERIODS for window in windows):
        config: dict[str, Any] = {_PERIODS[window]: count for window, count in zip(windows, counts, strict=True)}
        config |= {"limit_by": whose, "policy": "local" if local else "redis"}
        return {"name": "rate-limiting", "config": config}
    if limit.algorithm not in ("fixed_window", "sliding_window_counter") or any(
        window != int(window) for window in windows
    ):
        return None
    sliding = limit.algorithm == "sliding_window_counter"
    sizes = [int(window) for window in windows]
    its = {"limit": counts, "window_size": sizes, "window_type": "sliding" if sliding else "fixed", "identifier": whose}
    penalty = limit.preset == "kong-advanced" and not limit.disable_penalty
    return {
        "name": "rate-limiting-advanced",
        "config": {**its, "strategy": "local" if local else "redis", "disable_penalty": not penalty},
    }


def _apart(gateway: Gateway) -> bool:
    """Whether some routes are open to everybody, so that the others have the plugin each."""
    return gateway.authentication is not None and not all(route.authenticate for route in gateway.routes.values())


def _authentication(gateway: Gateway) -> list[Plugin]:
    spec = gateway.authentication
    if isinstance(spec, Jwt):
        return [{"name": "jwt"}]
    if isinstance(spec, OAuth):
        host, _, endpoint = spec.introspect.partition(".")
        url = f"http://{host_of(host)}:{PORT}/{host_of(endpoint)}"
        config = {"introspection_url": url, "ttl": round(spec.cache_ttl), "authorization_value": "to-be-supplied"}
        return [{"name": "oauth2-introspection", "config": config}]
    return []


def _grpc() -> list[Plugin]:
    return [{"name": "grpc-gateway", "config": {"proto": "to-be-supplied.proto"}}]
