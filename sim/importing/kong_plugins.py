"""Plugins of Kong: limits, authentication and translation are taken; of the others it is said why not.

Rules: `kong/plugins/rate-limiting` (fixed windows of the calendar, a counter for each consumer or address, kept by each
node with `policy: local`, the default; an instance at a service or route counts apart from all others), and the
reference of `rate-limiting-advanced` (`window_type` sliding, `strategy` local by default; the presets `kong` and
`kong-advanced`), `jwt`, `oauth2-introspection` (`ttl` 30 s), `openid-connect` (`cache_ttl` 3600 s) and
`grpc-gateway`. Of several instances of one plugin the most specific holds: route before service before all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from sim.importing.draft import Draft, Gateway, Route, Said, Service, where
from sim.importing.parts import Part
from sim.spec.document import Data
from sim.spec.response_cache import KONG_TTL

_PERIODS = {"second": "s", "minute": "m", "hour": "h", "day": "d"}
_UNITS = (("s", 1), ("m", 60), ("h", 3600), ("d", 86400))
_COSTS = "what it costs belongs to `work` of the gateway"
_WHY_NOT = {
    "response-ratelimiting": "limits by headers of answers are not modelled",
    "request-size-limiting": "sizes of requests are not modelled",
    "aws-lambda": "a function answers in the place of the service, which no file describes",
    "azure-functions": "a function answers in the place of the service, which no file describes",
    "ldap-auth": "asks a server that no file describes",
    "canary": "a route of the simulator leads to one service",
    "pre-function": "is code",
    "post-function": "is code",
}


class Scoped(Protocol):
    """A plugin and the routes that it holds for; None for all."""

    part: Part
    routes: list[Route] | None
    scope: str


def apply(plugins: Sequence[Scoped], gateway: Gateway, routes: Sequence[Route], draft: Draft) -> None:
    """Everything that plugins say, into the gateway and its routes."""
    everything = len(gateway.routes)
    for plugin in plugins:
        name = plugin.part["name"].text()
        if not plugin.part["enabled"].is_true(default=True):
            plugin.part.leave_out(f"plugin {name}", "is not enabled")
        elif plugin.scope == "consumer":
            plugin.part.leave_out(f"plugin {name} of a consumer", "all users are treated alike")
        elif name in _READERS:
            more = [
                other
                for other in plugins
                if other.part["name"].text() == name
                and other.routes is not None
                and other.scope in ("service", "route")
            ]
            its = _held_for(plugin, routes, more)
            everywhere = everything in (len(its), len(routes) if plugin.routes is None else -1)
            _READERS[name](plugin, its, everywhere, gateway, draft)
        else:
            plugin.part.leave_out(f"plugin {name[:80] or 'without a name'}", _WHY_NOT.get(name, _COSTS))


def _held_for(plugin: Scoped, routes: Sequence[Route], others: Sequence[Scoped]) -> list[Route]:
    """Its routes, without those for which another instance is more specific."""
    order = ("route", "service", "global")
    nearer = {
        id(route)
        for other in others
        if order.index(other.scope) < order.index(plugin.scope)
        for route in other.routes or ()
    }
    return [route for route in (routes if plugin.routes is None else plugin.routes) if id(route) not in nearer]


# ---- limits


def _rate_limiting(plugin: Scoped, routes: Sequence[Route], everywhere: bool, gateway: Gateway, draft: Draft) -> None:
    """All periods are looked at before any counts (`handler.lua`)."""
    config = plugin.part["config"]
    periods = [
        (config[period], f"{count:.15g}/{unit}")
        for period, unit in _PERIODS.items()
        if (count := config[period].number())
    ]
    for period in ("month", "year"):
        if config[period]:
            config[period].leave_out(f"limit of a {period}", "no run is that long")
    rates: list[Data] = [rate for _, rate in periods]
    fields: dict[str, Data] = {"preset": "kong", **({"rate": rates[0]} if len(rates) == 1 else {"rates": rates})}
    words = ", ".join(f"{part.name} {part.text()}" for part, _ in periods)
    if (config["policy"].text() or "local") != "local":
        fields["scope"] = "cluster"
    _add(
        plugin,
        fields if rates else {},
        words,
        config["limit_by"].text() or "consumer",
        routes,
        everywhere,
        gateway,
        draft,
    )


def _rate_limiting_advanced(
    plugin: Scoped, routes: Sequence[Route], everywhere: bool, gateway: Gateway, draft: Draft
) -> None:
    config = plugin.part["config"]
    sliding = config["window_type"].text() != "fixed"
    pairs = [
        (count, seconds)
        for limit, window in zip(config["limit"].items(), config["window_size"].items(), strict=False)
        if (count := limit.number()) and (seconds := window.whole(1, 366 * 86400))
    ]
    rates: list[dict[str, Data]] = [
        {"rate": _rate(count, seconds), "window": f"{seconds}s"} for count, seconds in pairs
    ]
    fields: dict[str, Data] = {"preset": "kong-advanced" if sliding else "kong"}
    fields.update(rates[0] if len(rates) == 1 else {"rates": rates})
    if (config["strategy"].text() or "local") != "local":
        fields["scope"] = "cluster"
    if sliding and config["disable_penalty"].is_true(default=False):
        fields["disable_penalty"] = True
    words = ", ".join(f"{count:.15g} in {seconds}s" for count, seconds in pairs)
    whose = config["identifier"].text() or "consumer"
    _add(plugin, fields if rates else {}, words, whose, routes, everywhere, gateway, draft)


def _rate(count: float, seconds: int) -> str:
    """A rate of which a window holds exactly this count, in the smallest unit in which it is a short number."""
    for unit, length in _UNITS:
        rate = count * length / seconds
        if f"{rate:.6g}" == f"{rate:.12g}":
            return f"{rate:.6g}/{unit}"
    return f"{count / seconds:.17g}/s"


_WHOSE = {"consumer": "consumer", "credential": "user", "ip": "ip", "service": "all", "path": "all"}


def _add(
    plugin: Scoped,
    fields: dict[str, Data],
    words: str,
    whose: str,
    routes: Sequence[Route],
    everywhere: bool,
    gateway: Gateway,
    draft: Draft,
) -> None:
    """A limit where its instance stands: at the gateway, or at each route that it holds for."""
    part = plugin.part
    name = part["name"].text()
    if not fields:
        part.leave_out(f"plugin {name}", "found no limit in its config, expected one such as minute: 100")
        return
    per = _WHOSE.get(whose)
    if per is None:
        part.leave_out(f"{name} {words}", f"counts by {whose[:40]}, and no file says which requests carry it")
        return
    said = Said({"per": per, **fields}, f"{name} {words}, by {whose} ({where(part.at)})")
    if everywhere:
        gateway.rate_limits.append(said)
        gateway.limited_by.add(name)
    else:
        for route in routes:
            route.limit(said, name)
        if len(routes) > 1:
            part.leave_out(f"one count of {name} for {len(routes)} routes", "each of them has a count of its own here")
    draft.take(part.at, "limit")


# ---- authentication and translation


def _jwt(scoped: Scoped, routes: Sequence[Route], _: bool, gateway: Gateway, draft: Draft) -> None:
    plugin = scoped.part
    remark = f"the time to verify a token, some 80us for RS256; plugin jwt ({where(plugin.at)})"
    _authenticate(plugin, Said({"jwt": {"work": "80us"}}, remark, True), routes, gateway, draft)


def _introspection(scoped: Scoped, routes: Sequence[Route], _: bool, gateway: Gateway, draft: Draft) -> None:
    plugin = scoped.part
    _ask(
        plugin, plugin["config"]["introspection_url"], plugin["config"]["ttl"].number() or 30.0, routes, gateway, draft
    )


def _openid(scoped: Scoped, routes: Sequence[Route], _: bool, gateway: Gateway, draft: Draft) -> None:
    plugin = scoped.part
    config = plugin["config"]
    methods = [method.text() for method in config["auth_methods"].items()]
    if methods == ["introspection"]:
        url = config["introspection_endpoint"] or config["issuer"]
        _ask(plugin, url, config["cache_ttl"].number() or 3600.0, routes, gateway, draft)
    else:
        remark = (
            f"the time to verify a token; plugin openid-connect ({where(plugin.at)}), whose tokens are taken for "
            "signed ones"
        )
        _authenticate(plugin, Said({"jwt": {"work": "80us"}}, remark, True), routes, gateway, draft)


def _ask(plugin: Part, url: Part, ttl: float, routes: Sequence[Route], gateway: Gateway, draft: Draft) -> None:
    """Introspection by a remote call, of a service that other files may describe."""
    try:
        host = urlsplit(url.text()).hostname or ""
    except ValueError:
        host = ""
    if not host:
        url.wrong("the URL of an identity provider")
        return
    provider = draft.find(host)
    if provider is None:
        provider = draft.add_service(
            Service(("", host), f"identity provider of plugin {plugin['name'].text()}", url.at, described=False)
        )
        draft.alias(host, provider.key)
    said = Said(
        {"oauth": {"cache_ttl": f"{ttl:.15g}s", "lookup": "20us"}},
        f"the time of a look-up; plugin {plugin['name'].text()} ({where(plugin.at)})",
        True,
    )
    if _authenticate(plugin, said, routes, gateway, draft):
        gateway.introspects = provider.key


def _authenticate(plugin: Part, said: Said, routes: Sequence[Route], gateway: Gateway, draft: Draft) -> bool:
    if gateway.authentication is not None and gateway.authentication.value != said.value:
        plugin.leave_out(
            f"plugin {plugin['name'].text()}", "the gateway has one way to authenticate; another plugin's was taken"
        )
        return False
    if gateway.authentication is None:
        gateway.authentication = said
        for route in gateway.routes:
            route.fields["authenticate"] = Said(False, "no such plugin")
    for route in routes:
        route.fields.pop("authenticate", None)
    draft.take(plugin.at, "plugin")
    return True


def _grpc(scoped: Scoped, routes: Sequence[Route], _: bool, __: Gateway, draft: Draft) -> None:
    plugin = scoped.part
    for route in routes:
        route.fields["translate"] = Said(
            {"to": "grpc", "work": "50us"},
            f"the time to translate; plugin {plugin['name'].text()} ({where(plugin.at)})",
            True,
        )
    draft.take(plugin.at, "plugin")


def _termination(scoped: Scoped, routes: Sequence[Route], everywhere: bool, gateway: Gateway, _: Draft) -> None:
    """Kong answers by itself, with 503 where no other status is said."""
    plugin = scoped.part
    status = plugin["config"]["status_code"].text()[:3] or "503"
    if everywhere and len(routes) > 1:
        plugin.leave_out(
            "plugin request-termination",
            f"answers everything with {status}; routes lead to their services all the same here",
        )
        return
    for route in routes:
        plugin.leave_out(f"route {route.name[:80]}", f"plugin request-termination answers it with {status}")
    ended = {id(route) for route in routes}
    gateway.routes = [route for route in gateway.routes if id(route) not in ended]


def _proxy_cache(scoped: Scoped, _: Sequence[Route], __: bool, ___: Gateway, ____: Draft) -> None:
    """Hits follow from what is asked for, which is not in the file."""
    plugin = scoped.part
    ttl = plugin["config"]["cache_ttl"].number() or KONG_TTL
    plugin.leave_out(
        f"plugin {plugin['name'].text()}",
        "no file says among how many items clients ask, from which hits follow; give the traffic `items`, and the "
        f"routes of a GET `cache: {{key: item, ttl: {ttl:.15g}s}}`",
    )


Reader = Callable[[Scoped, Sequence[Route], bool, Gateway, Draft], None]
_READERS: dict[str, Reader] = {
    "rate-limiting": _rate_limiting,
    "rate-limiting-advanced": _rate_limiting_advanced,
    "jwt": _jwt,
    "oauth2-introspection": _introspection,
    "openid-connect": _openid,
    "grpc-gateway": _grpc,
    "request-termination": _termination,
    "proxy-cache": _proxy_cache,
    "proxy-cache-advanced": _proxy_cache,
}
