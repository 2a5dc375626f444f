"""Kong's declarative configuration (`kong.yml`, and what decK writes): services, routes, upstreams with targets, and
plugins.

Read as `kong/db/schema` has it (entities/services.lua, routes.lua, upstreams.lua, targets.lua): a service has 5
`retries`, which are attempts beyond the first, and 60 s for each of `connect_timeout`, `write_timeout`, `read_timeout`;
a target has the weight 100, and 0 takes it out. An attempt is made again on an error of the connection and on a
timeout, at once and never for what is not idempotent and was sent (nginx's `proxy_next_upstream error timeout`); an
answer, 500 say, is none of these. Keys that begin with `_` are comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sim.errors import did_you_mean
from sim.importing.draft import Draft, Gateway, Route, Said, Service, where
from sim.importing.images import KONG
from sim.importing.kong_plugins import apply
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Place

RETRIES, READ_TIMEOUT, WEIGHT = 5, 60_000, 100  # Kong's defaults; milliseconds
_UNSAFE = {"POST", "PATCH", "LOCK"}  # what nginx does not send twice
_PASSIVE = ("http_failures", "tcp_failures", "timeouts")
_BALANCING = {"round-robin": "round_robin", "least-connections": "least_request"}
_TELLING = {  # fields by which lists of entities are known
    "services": {"host", "url", "routes", "connect_timeout", "read_timeout", "retries"},
    "routes": {"paths", "methods", "hosts", "strip_path", "service"},
    "upstreams": {"targets", "algorithm", "healthchecks", "slots"},
    "plugins": {"config", "enabled"},
}
_READ = {*_TELLING, "targets"}
_OF_NO_CONCERN = (
    "certificates",
    "ca_certificates",
    "snis",
    "vaults",
    "licenses",
    "keys",
    "key_sets",
    "consumers",
    "consumer_groups",
)


def recognises(value: Data) -> bool:
    """A version of its format, or lists of its entities."""
    if not isinstance(value, dict) or "apiVersion" in value:
        return False
    if "_format_version" in value:
        return True
    return any(
        isinstance(item, dict) and fields.intersection(item)
        for key, fields in _TELLING.items()
        for item in (value[key] if isinstance(value.get(key), list) else ())
    )


@dataclass
class Found:
    """A service of Kong with its routes, each a route of the scenario with what its file says of it."""

    part: Part
    name: str
    host: str
    routes: list[tuple[Part, Route]] = field(default_factory=list)


def read(documents: Sequence[Document], draft: Draft) -> None:
    """All files together are one gateway."""
    tops = [Part(document.value, Place(document.file, document.line), "file", draft.notes) for document in documents]
    found = [service for top in tops for service in _services(top, draft)]
    loose = [route for top in tops for route in top["routes"].items()]
    upstreams = {upstream["name"].text(): upstream for top in tops for upstream in top["upstreams"].items()}
    targets = [target for top in tops for target in top["targets"].items()]
    if draft.gateway is None:
        draft.gateway = Gateway("Kong", tops[0].at)
    else:
        _behind(draft.gateway, tops[0], draft)
    for service in found:
        _routes(
            service,
            [*service.part["routes"].items(), *(route for route in loose if _refers(route["service"], service.part))],
            draft,
        )
        _backend(service, upstreams.get(service.host), targets, draft)
    for route in loose:
        if not any(_refers(route["service"], service.part) for service in found):
            route.leave_out(
                f"route {route['name'].text() or 'without a name'}",
                "leads to no service of these files: a plugin has to answer it",
            )
    draft.gateway.routes += [route for service in found for _, route in service.routes]
    plugins = [plugin for top in tops for plugin in _plugins(top, found)]
    apply(plugins, draft.gateway, [route for service in found for _, route in service.routes], draft)
    for top in tops:
        for key, part in top.entries():
            if key in _OF_NO_CONCERN or key.endswith(("_credentials", "_secrets")) or key == "acls":
                part.leave_out(key, "say nothing of load or time; users are those of the traffic")
            elif key not in _READ and not key.startswith("_"):
                part.leave_out(key[:80], f"is no entity of Kong{did_you_mean(key, _READ)}")


def _behind(gateway: Gateway, top: Part, draft: Draft) -> None:
    """A gateway that another file describes: the door to Kong, or another beside it, whose limits are not those of
    Kong's routes.
    """
    others = [
        route
        for route in gateway.routes
        if (behind := draft.find(route.host, route.namespace)) is None or behind.role != KONG
    ]
    if others:
        top.leave_out("a gateway of its own", f"{gateway.what} is another; both are drawn as one")
        for limit in gateway.rate_limits:
            for route in others:
                route.limit(limit, gateway.what)
        gateway.rate_limits, gateway.limited_by = [], set()
    gateway.routes, gateway.what = others, "Kong"


def _services(top: Part, draft: Draft) -> Iterator[Found]:
    for part in top["services"].items():
        host = _host(part)
        name = part["name"].text() or host
        if not part["enabled"].is_true(default=True):
            part.leave_out(f"service {name}", "is not enabled")
        elif not host:
            part.leave_out(f"service {name or 'without a name'}", "found no host and no url, expected one")
        elif part["protocol"].text() in ("tcp", "tls", "udp", "tls_passthrough", "ws", "wss"):
            part["protocol"].leave_out(
                f"service {name}", f"found the protocol {part['protocol'].text()}, expected http or grpc"
            )
        else:
            draft.take(part["name"].at if part["name"] else part.at, "Kong service")
            yield Found(part, name, host)


def _host(part: Part) -> str:
    """`host`, or that of the shorthand `url`."""
    if part["host"]:
        return part["host"].text().strip()
    try:
        return urlsplit(part["url"].text()).hostname or ""
    except ValueError:
        part["url"].wrong("a URL such as http://orders:8080/v1")
        return ""


def _refers(reference: Part, part: Part) -> bool:
    """Whether a foreign key means this entity: its name or id, plain or in a map."""
    words = (
        [reference.text()]
        if not isinstance(reference.value, dict)
        else [reference[key].text() for key in ("name", "id") if key in reference]
    )
    own = {part["name"].text(), part["id"].text()} - {""}
    return bool(own.intersection(words)) if reference else False


def _routes(service: Found, parts: Sequence[Part], draft: Draft) -> None:
    for part in parts:
        methods = [method.text() for method in part["methods"].items()]
        paths = [path.text() for path in part["paths"].items()]
        words = f"{', '.join(methods[:4])} {', '.join(paths[:3])}".strip()
        name = (
            part["name"].text()
            or words
            or ", ".join(host.text() for host in list(part["hosts"].items())[:2])
            or service.name
        )
        route = Route(
            name, service.host, "", part["name"].at if part["name"] else part.at, f"{words or 'any path'} of Kong"
        )
        route.paths = tuple(path for path in paths if path.startswith("/")) or ("/",)
        route.fields["policy"] = Said(_policy(service, bool(methods) and set(methods) <= _UNSAFE, draft))
        service.routes.append((part, route))
    if not parts:
        service.part.leave_out(f"service {service.name}", "has no route: nothing reaches it")
        return
    for field_name in ("connect_timeout", "write_timeout"):
        if limit := service.part[field_name]:
            limit.leave_out(
                field_name,
                "connections and bodies of requests are not modelled; read_timeout is taken for the time of an attempt",
            )


def _policy(service: Found, unsafe: bool, draft: Draft) -> str:
    """The policy of a service's routes: the same settings have one name."""
    read_timeout, retries = service.part["read_timeout"].whole(1, 2**31 - 2), service.part["retries"].whole(0, 32767)
    timeout = READ_TIMEOUT if read_timeout is None else read_timeout
    tries = (RETRIES if retries is None else retries) + 1
    fields: dict[str, Data] = {"timeout": f"{timeout // 1000}s" if timeout % 1000 == 0 else f"{timeout}ms"}
    if tries > 1:
        on = ["unreachable"] if unsafe else ["timeout", "unreachable"]
        fields["retry"] = {"max_attempts": min(tries, 1000), "backoff": {"constant": "0s"}, "on": on}
    for name, (known, _) in draft.policies.items():
        if known == fields:
            return name
    said = [part for part in (service.part["read_timeout"], service.part["retries"]) if part]
    told = (
        f"{', '.join(part.name for part in said)} of service {service.name} ({where(said[0].at)})"
        if said
        else "Kong's defaults"
    )
    unsafe_words = "; for methods that are not sent twice" if unsafe else ""
    name = f"kong-{service.name}" if said else "kong"
    name = f"{name}-{'once' if unsafe else len(draft.policies)}" if name in draft.policies or unsafe else name
    draft.policies[name] = (fields, f"{told}; an answer, 500 say, is not tried again{unsafe_words}")
    return name


def _backend(service: Found, upstream: Part | None, targets: Sequence[Part], draft: Draft) -> None:
    """The service of the scenario that stands behind one of Kong's: one that other files describe, or what its targets
    are.
    """
    its = [] if upstream is None else _targets(upstream, targets)
    known = {target: found for target, _, _ in its if (found := draft.find(target)) is not None}
    host = service.host
    if draft.find(host) is None and known:
        host = max(
            (target for target, _, _ in its if target in known),
            key=lambda target: next(weight for name, weight, _ in its if name == target),
        )
        if len({found.key for found in known.values()}) > 1 and upstream is not None:
            upstream.leave_out(
                f"weights of upstream {upstream['name'].text()}",
                "a route of the simulator leads to one service; the heaviest target was taken",
            )
    behind = draft.find(host)
    if behind is None and service.routes:
        behind = draft.add_service(
            Service(("", service.name), f"service {service.name} of Kong", service.part.at, described=False)
        )
        draft.alias(service.name, behind.key)
        draft.alias(host, behind.key)
        behind.remarks.append("no other file describes it")
        if its:
            remark = f"targets of upstream {service.host} ({where(its[0][2])})"
            behind.replicas = Said(len(its), remark)
            if (weights := [weight for _, weight, _ in its]) != weights[:1] * len(its):
                policy: dict[str, Data] = {"policy": "round_robin", "weights": weights}
                behind.load_balancing = Said(policy, f"weights of the {remark}")
    elif behind is not None and len({weight for _, weight, _ in its}) > 1 and upstream is not None and len(known) < 2:
        upstream["targets"].leave_out(
            f"weights of upstream {upstream['name'].text()}",
            f"{behind.what} is described elsewhere: which replica is which target no file says",
        )
    for _, route in service.routes:
        route.host = host
    if behind is not None and upstream is not None:
        _balancing(behind, upstream, len(its))


def _targets(upstream: Part, loose: Sequence[Part]) -> list[tuple[str, int, Place]]:
    """(host, weight, place) of the targets of an upstream that get requests."""
    parts = [*upstream["targets"].items(), *(target for target in loose if _refers(target["upstream"], upstream))]
    answer = []
    for part in parts:
        weight = part["weight"].whole(0, 65535)
        if host := part["target"].text().rpartition(":")[0] or part["target"].text():
            answer.append((host, WEIGHT if weight is None else weight, part["target"].at))
    return [target for target in answer if target[1] > 0]


def _balancing(service: Service, upstream: Part, targets: int) -> None:
    algorithm = upstream["algorithm"]
    if algorithm and targets > 1:
        if algorithm.text() in _BALANCING:
            remark = f"algorithm {algorithm.text()} of upstream {upstream['name'].text()} ({where(algorithm.at)})"
            _choose(service, {"policy": _BALANCING[algorithm.text()]}, remark)
        else:
            algorithm.leave_out(
                f"algorithm {algorithm.text()[:40]}", f"expected one of {', '.join(_BALANCING)}; round robin stays"
            )
    _health(service, upstream["healthchecks"], targets)


def _health(service: Service, checks: Part, targets: int) -> None:
    """Active checks of those that are healthy, and passive ones among several; all thresholds are 0 by default, which
    is off. Of the active ones the threshold that is reached first, whatever fails.
    """
    active = checks["active"]
    every, again = (active[side]["interval"].number() for side in ("healthy", "unhealthy"))
    falls = [_threshold(active["unhealthy"][name]) for name in ("tcp_failures", "timeouts", "http_failures")]
    if every and any(falls):
        its: dict[str, Data] = {
            "interval": f"{every:.15g}s",
            **({"unhealthy_interval": f"{again:.15g}s"} if again else {}),
        }
        its |= {
            "timeout": f"{active['timeout'].number() or 1.0:.15g}s",
            "unhealthy_threshold": min(filter(None, falls)),
        }
        its["healthy_threshold"] = _threshold(active["healthy"]["successes"]) or 1
        service.health_checks = Said(its, f"healthchecks.active ({where(active.at)})")
    elif every or again:
        active.leave_out(
            "active health checks", "found no interval for healthy targets with a threshold of failures, expected both"
        )
    passive = {name: _threshold(checks["passive"]["unhealthy"][name]) for name in _PASSIVE}
    if any(passive.values()) and targets > 1:
        counts: dict[str, Data] = {name: count for name, count in passive.items() if count}
        if successes := _threshold(checks["passive"]["healthy"]["successes"]):
            counts["successes"] = successes
        _choose(service, {"passive_health_checks": counts}, f"healthchecks.passive ({where(checks['passive'].at)})")


def _choose(service: Service, fields: dict[str, Data], remark: str) -> None:
    """One more thing that is known of how a replica is chosen."""
    before = service.load_balancing
    known: Data = before.value if before is not None else "round_robin"
    known = dict(known) if isinstance(known, dict) else {"policy": known}
    said: dict[str, Data] = {**known, **fields}
    value: Data = said["policy"] if set(said) == {"policy"} else said
    service.load_balancing = Said(value, f"{before.remark}; {remark}" if before is not None else remark)


def _threshold(part: Part) -> int:
    """A count of eight bits; 0: it is off."""
    return part.whole(0, 255) or 0


@dataclass
class Plugin:
    """A plugin and the routes that it holds for; None for all."""

    part: Part
    routes: list[Route] | None
    scope: str  # "global", "service", "route", "consumer"


def _plugins(top: Part, found: Sequence[Found]) -> Iterator[Plugin]:
    """Those of a file, wherever they are nested or whatever they refer to."""
    for plugin in top["plugins"].items():
        if any(plugin[key] for key in ("consumer", "consumer_group")):
            yield Plugin(plugin, [], "consumer")
        elif plugin["route"]:
            yield Plugin(
                plugin,
                [route for service in found for part, route in service.routes if _refers(plugin["route"], part)],
                "route",
            )
        elif plugin["service"]:
            yield Plugin(
                plugin,
                [route for service in found if _refers(plugin["service"], service.part) for _, route in service.routes],
                "service",
            )
        else:
            yield Plugin(plugin, None, "global")
    for service in found:
        if service.part.at.file == top.at.file:
            for plugin in service.part["plugins"].items():
                yield Plugin(plugin, [route for _, route in service.routes], "service")
            for part, route in service.routes:
                for plugin in part["plugins"].items():
                    yield Plugin(plugin, [route], "route")
    for group in ("consumers", "consumer_groups"):
        for consumer in top[group].items():
            for plugin in consumer["plugins"].items():
                yield Plugin(plugin, [], "consumer")
