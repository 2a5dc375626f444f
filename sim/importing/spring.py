"""Spring Boot's application.yaml: threads of a server, routes of Spring Cloud Gateway, instances of resilience4j,
and hosts that settings name.

By the references: Tomcat has 200 threads; the gateway's filter `Retry` has 3 tries beyond the first, of GET alone,
on answers of 500 and more and on broken connections and timeouts; `CircuitBreaker` comes with a time limiter of 1
s; `RequestRateLimiter` is a bucket of tokens for each key, counted in one Redis; HikariCP has 10 connections. A
document for a profile is left out. Names and durations are read as Spring binds them (`relaxed`); variables
(`${NAME:default}`) from files of KEY=VALUE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.importing.addresses import of_text
from sim.importing.draft import Draft, Gateway, Route, Said, Service, guard_calls, where
from sim.importing.durations import written
from sim.importing.interpolation import interpolated
from sim.importing.matching import matching
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.importing.relaxed import setting, texts, unfolded
from sim.importing.resilience4j import Instances
from sim.spec.document import Data, Map, Place, Seq
from sim.units import duration

TIMELIMIT, RETRIES, THREADS = "1s", 3, 200
_DEFAULT = re.compile(r"\$\{([A-Za-z_][\w.-]{0,100}):([^}$]{0,300})\}")
_SHORT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_THREADS = (
    ("tomcat", "threads", "max"),
    ("tomcat", "max-threads"),
    ("jetty", "threads", "max"),
    ("undertow", "threads", "worker"),
)


def recognises(value: Data) -> bool:
    """Settings of Spring, of resilience4j, or of a server with an application's name."""
    if not isinstance(value, dict) or {"traffic", "services", "apiVersion", "openapi"} & value.keys():
        return False
    return any(str(key).partition(".")[0] in ("spring", "resilience4j") for key in value)


def read(documents: Sequence[Document], draft: Draft) -> None:
    """Each file is an application."""
    files: dict[str, list[Part]] = {}
    for document in documents:
        value = unfolded(interpolated(_defaults(document.value), draft.variables))
        top = Part(value, Place(document.file, document.line), "file", draft.notes)
        profile = setting(top, "spring", "config", "activate", "on-profile") or setting(top, "spring", "profiles")
        if profile and not isinstance(profile.value, dict):
            top.leave_out(f"settings of the profile {profile.text()[:40]}", "hold only with it")
        else:
            files.setdefault(document.file, []).append(top)
    for tops in files.values():
        for top in tops:
            _application(top, tops[0], draft)


def _defaults(value: Data, depth: int = 0) -> Data:
    """`${NAME:default}` in the way of compose, `${NAME:-default}`."""
    if isinstance(value, str):
        return _DEFAULT.sub(r"${\1:-\2}", value[:4000])
    if isinstance(value, Map) and depth < 40:
        found = Map()
        for key, item in value.items():
            found.put(key, _defaults(item, depth + 1), value.keys_at.get(key), value.values_at.get(key))
        return found
    if isinstance(value, Seq) and depth < 40:
        return Seq([_defaults(item, depth + 1) for item in value], value.items_at)
    return value


def _application(top: Part, first: Part, draft: Draft) -> None:
    name = (
        setting(top, "spring", "application", "name") or setting(first, "spring", "application", "name")
    ).text() or "application"
    cloud = setting(top, "spring", "cloud", "gateway")
    routes = next(
        (
            part
            for keys in ((), ("server", "webflux"), ("server", "webmvc"), ("mvc",))
            if (part := setting(cloud, *keys, "routes"))
        ),
        None,
    )
    instances = Instances(setting(top, "resilience4j"))
    if routes is not None:
        _gateway(top, name, routes, instances, draft)
        return
    service = matching(draft, name)
    if service is None:
        service = draft.add_service(Service(("", name), f"application {name}", top.at))
    _threads(service, top)
    for part in texts(top):
        service.addresses += of_text(part.text(), part.name, part.at)
    _guards(instances, draft)
    _pool(top, service, draft)


_HIKARI = (("connection-timeout", "acquire_timeout"), ("idle-timeout", "idle_timeout"))


def _pool(top: Part, service: Service, draft: Draft) -> None:
    """Connections to the database by HikariCP, which Spring Boot takes; where nothing is said 10 of them."""
    source = setting(top, "spring", "datasource")
    url, hikari = setting(source, "url"), setting(source, "hikari")
    host = re.search(r"//([A-Za-z0-9._-]{1,200})", (url or setting(hikari, "jdbc-url")).text())
    store = matching(draft, host[1]) if host is not None else None
    if store is None or store is service:
        if hikari:
            why = "no file describes the database; it is `pool` of a policy for the calls of it"
            hikari.leave_out(f"hikari of {service.key[1]}", why)
        return
    size = setting(hikari, "maximum-pool-size").whole(1, 100_000) if hikari else None
    fields: dict[str, Data] = {"size": 10 if size is None else size}
    idle = setting(hikari, "minimum-idle").whole(0, 100_000) if hikari else None
    if idle is not None:
        fields["minimum_idle"] = min(idle, size or 10)
    for theirs, ours in _HIKARI:
        if (text := written(setting(hikari, theirs), "ms")) and duration(text) > 0:
            fields[ours] = text
    words = f"HikariCP of {service.key[1]} ({where((hikari or url).at)})" + ("" if size else "; 10 is its default")
    guard_calls(draft, store, {"pool": fields}, words)
    draft.take((hikari or url).at, "pool")


def _threads(service: Service, top: Part) -> None:
    for keys in _THREADS:
        part = setting(top, "server", *keys)
        count = part.whole(1, 10**6) if part else None
        if count is not None:
            service.workers = Said(count, f"server.{'.'.join(keys)} ({where(part.at)})")


def _guards(instances: Instances, draft: Draft) -> None:
    """Instances that are called like a service hold for its callers."""
    for name in instances.names():
        at = instances.place(name)
        callee = matching(draft, name)
        fields = instances.policy(name)
        if callee is None:
            at.leave_out(
                f"instance {name[:60]} of resilience4j",
                "no service is called so; which calls use it is said in the code",
            )
        elif fields:
            guard = f"{name[:100]} of resilience4j"
            draft.guards[guard] = (
                fields,
                f"which calls use it is said in the code; taken for those of {callee.key[1]} ({where(at.at)})",
            )
            callee.guard = guard
            draft.take(at.at, "instance")


# ---- Spring Cloud Gateway


def _gateway(top: Part, name: str, routes: Part, instances: Instances, draft: Draft) -> None:
    gateway = draft.gateway
    if gateway is None:
        gateway = draft.gateway = Gateway("Spring Cloud Gateway", top.at)
    own = draft.find(name)
    if own is not None and own.role == "":
        del draft.services[own.key]
        gateway.replicas = own.replicas
        gateway.remarks.append(f"runs as {own.what} ({where(own.at)})")
    cloud = setting(top, "spring", "cloud", "gateway")
    usual = setting(cloud, "default-filters") or setting(cloud, "server", "webflux", "default-filters")
    limit = setting(cloud, "httpclient", "response-timeout") or setting(
        cloud, "server", "webflux", "httpclient", "response-timeout"
    )
    everywhere = [_named(part) for part in usual.items()]
    for route_name, _, part in everywhere:
        if route_name == "RequestRateLimiter" and (said := _rate_limit(part)) is not None:
            gateway.rate_limits.append(said)
            gateway.limited_by.add("default-filters")
    parts = list(routes.items())
    for number, part in enumerate(parts):
        route = _route(part, number, draft)
        if route is None:
            continue
        if own_limit := written(setting(part, "metadata", "response-timeout"), "ms") or written(limit, "ms"):
            route.fields["per_try_timeout"] = Said(own_limit, "response-timeout")
        _filters(
            part,
            [*everywhere, *(_named(its) for its in setting(part, "filters").items())],
            route,
            instances,
            draft,
            [its for _, _, its in everywhere],
        )
        gateway.routes.append(route)
        draft.take(part.at, "route")


def _route(part: Part, number: int, draft: Draft) -> Route | None:
    uri = setting(part, "uri").text()
    host = re.fullmatch(r"[a-z:]+://([A-Za-z0-9._-]{1,200})(?::[0-9]+)?(?:/.*)?", uri)
    predicates = [_named(its) for its in setting(part, "predicates").items()]
    path = next((args for name, args, _ in predicates if name == "Path"), {})
    first = next((str(value) for value in path.values()), "").split(",")[0]
    identity = setting(part, "id").text() or first or f"route {number + 1}"
    if host is None:
        part.leave_out(f"route {identity[:80]}", f"leads to no host: {uri[:40] or 'no uri'}")
        return None
    service = matching(draft, host[1])
    key = service.key if service is not None else ("", host[1])
    paths = tuple(text.strip().rstrip("*") or "/" for value in path.values() for text in str(value).split(","))
    return Route(identity[:100], key[1], key[0], part.at, f"route {first or identity}"[:150], paths=paths[:20])


def _named(part: Part) -> tuple[str, dict[str, Data], Part]:
    """A filter or predicate: `Retry=3` or `{name: Retry, args: {retries: 3}}`."""
    if isinstance(part.value, str):
        found = _SHORT.fullmatch(part.text())
        return (found[1], {"_": found[2]}, part) if found else (part.text()[:60], {}, part)
    args = setting(part, "args")
    return setting(part, "name").text(), dict(args.value) if isinstance(args.value, dict) else {}, args or part


def _filters(
    part: Part,
    filters: list[tuple[str, dict[str, Data], Part]],
    route: Route,
    instances: Instances,
    draft: Draft,
    usual: Sequence[Part],
) -> None:
    fields: dict[str, Data] = {}
    for name, args, its in filters:
        if name == "Retry":
            fields.update(_retried(args, its))
        elif name == "CircuitBreaker":
            instance = str(args.get("name", args.get("_", "")))
            fields.update(
                {"timeout": TIMELIMIT, **instances.policy(instance, ("circuitbreaker", "timelimiter", "bulkhead"))}
            )
            if "fallbackUri" in args:
                its.leave_out(
                    f"fallbackUri of route {route.name}",
                    "what answers instead is not modelled; the failure is the answer",
                )
        elif name == "RequestRateLimiter" and its not in usual and (said := _rate_limit(its)) is not None:
            route.limit(said, f"filters of {route.name}")
    if fields:
        policy = f"route {route.name}"
        draft.policies[policy] = fields, f"filters of the route ({where(part.at)})"
        route.fields["policy"] = Said(policy)


def _retried(args: dict[str, Data], part: Part) -> dict[str, Data]:
    retries = (
        setting(part, "retries")
        if isinstance(part.value, dict)
        else Part(args.get("_"), part.at, "retries", part.notes)
    )
    tries = retries.whole(0, 999) if retries else None
    tries = RETRIES if tries is None else tries
    backoff: dict[str, Data] = {"constant": "0ms"}
    its = setting(part, "backoff") if isinstance(part.value, dict) else Part(None, part.at, "backoff", part.notes)
    if its:
        longest = written(setting(its, "max-backoff"), "ms")
        factor = setting(its, "factor").number() or 2.0
        base = written(setting(its, "first-backoff"), "ms") or "5ms"
        backoff = {"exponential": {"base": base, "multiplier": f"{factor:g}x", **({"max": longest} if longest else {})}}
    if not tries:
        return {}
    return {"retry": {"max_attempts": tries + 1, "backoff": backoff, "on": ["timeout", "error", "unreachable", "shed"]}}


def _rate_limit(part: Part) -> Said | None:
    rate = setting(part, "redis-rate-limiter", "replenish-rate")
    burst = setting(part, "redis-rate-limiter", "burst-capacity")
    count, most = rate.whole(1, 10**9), burst.whole(1, 10**9) if burst else None
    if count is None:
        part.leave_out("RequestRateLimiter", "found no replenishRate of redis-rate-limiter")
        return None
    tokens = setting(part, "redis-rate-limiter", "requested-tokens")
    each = tokens.whole(1, most or 1) if tokens else None
    limit = {"preset": "spring-cloud-gateway", "per": "user", "rate": f"{count}/s", "burst": most or 1}
    if each is not None and each > 1:
        limit["requested_tokens"] = each
    return Said(limit, f"RequestRateLimiter ({where(part.at)}), for each key, counted in Redis")
