"""Where requests come into a cluster: Ingress, and HTTPRoute of the Gateway API.

An Ingress says which controller serves it (`ingressClassName`, or the annotation that came before it). Of ingress-nginx
timeouts and tries are known by its documented defaults: 60 s between two reads, 3 tries on an error or a timeout, none
of what is not idempotent once it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.importing.draft import Draft, Gateway, Route, Said, where
from sim.importing.objects import Object
from sim.importing.parts import Part

KINDS = ("Ingress", "HTTPRoute")
_NGINX = "nginx.ingress.kubernetes.io/"
_READ = {
    "proxy-read-timeout",
    "proxy-next-upstream",
    "proxy-next-upstream-tries",
    "limit-rps",
    "limit-rpm",
    "limit-burst-multiplier",
}
_TOLD = {"limit-connections": "connections are not modelled", "canary": "weights of a route are not modelled"}


def read(objects: Sequence[Object], draft: Draft) -> None:
    """All of them are one gateway."""
    routes: list[Route] = []
    for thing in objects:
        its = list(_ingress(thing) if thing.kind == "Ingress" else _http_route(thing))
        if not its:
            thing.part.leave_out(
                f"{thing.kind} {thing.name}", "found no rule that leads to a Service, expected at least one"
            )
            continue
        draft.take(thing.at, thing.kind)
        if draft.gateway is None:
            draft.gateway = Gateway(thing.kind, thing.at)
        if thing.kind == "Ingress":
            _annotations(thing, its, draft, alone=len(objects) == 1)
        routes += its
    if draft.gateway is not None:
        hosts = {route.name.partition("/")[0] for route in routes}
        for route in routes if len(hosts) == 1 else ():  # one host for all is no help
            route.name = f"/{route.name.partition('/')[2]}"
        draft.gateway.routes += routes


def _ingress(thing: Object) -> Iterator[Route]:
    default = thing.spec.first("defaultBackend", "backend")
    if host := _backend(default):
        yield Route("/", host, thing.namespace, default.at, f"Ingress {thing.name}, whatever no rule matches")
    for rule in thing.spec["rules"].items():
        for path in rule["http"]["paths"].items():
            target = _backend(path["backend"])
            if target:
                name = f"{rule['host'].text()}{path['path'].text() or '/'}"
                route = Route(name, target, thing.namespace, path["backend"].at, f"Ingress {thing.name}")
                route.paths = (path["path"].text() or "/",)
                yield route


def _backend(part: Part) -> str:
    """The Service of a backend, in networking.k8s.io/v1 or as it was before."""
    return part["service"]["name"].text() or part["serviceName"].text() if part else ""


def _http_route(thing: Object) -> Iterator[Route]:
    hosts = [host.text() for host in thing.spec["hostnames"].items()] or [""]
    for number, rule in enumerate(thing.spec["rules"].items()):
        backends = list(rule["backendRefs"].items())
        weights = [backend["weight"].whole() for backend in backends]
        if not backends:
            continue
        chosen = max(
            range(len(backends)), key=lambda index: (1 if weights[index] is None else weights[index] or 0, -index)
        )
        if len(backends) > 1:
            rule["backendRefs"].leave_out(
                f"weights of HTTPRoute {thing.name}",
                "a route of the simulator leads to one service; the heaviest was taken",
            )
        path = next((match["path"]["value"].text() for match in rule["matches"].items()), "") or "/"
        name = f"{hosts[0]}{path}" if number == 0 or path != "/" else f"{hosts[0]}/{number}"
        namespace = backends[chosen]["namespace"].text() or thing.namespace
        route = Route(
            name, backends[chosen]["name"].text(), namespace, rule["backendRefs"].at, f"HTTPRoute {thing.name}"
        )
        route.paths = (path,)
        for field, ours in (("request", "timeout"), ("backendRequest", "per_try_timeout")):
            if limit := rule["timeouts"][field]:
                route.fields[ours] = Said(limit.text(), f"timeouts.{field} ({where(limit.at)})")
        yield route


def _annotations(thing: Object, routes: Sequence[Route], draft: Draft, alone: bool) -> None:
    """Settings of ingress-nginx."""
    marks = thing.annotations
    controller = thing.spec["ingressClassName"].text() or marks["kubernetes.io/ingress.class"].text()
    named = {name.removeprefix(_NGINX): part for name, part in marks.entries() if name.startswith(_NGINX)}
    if controller != "nginx" and not named:
        return
    for name, part in named.items():
        if name not in _READ:
            part.leave_out(f"annotation {name}", _TOLD.get(name, "says nothing of load or time that is modelled"))
    _tries(thing, named, routes, draft)
    for name, unit in (("limit-rps", "s"), ("limit-rpm", "m")):
        rate = named[name].whole(1) if name in named else None
        if rate is None or draft.gateway is None:
            continue
        many = named["limit-burst-multiplier"].whole(1) if "limit-burst-multiplier" in named else None
        burst = rate * (many or 5)
        limit = {"preset": "nginx", "per": "ip", "rate": f"{rate}/{unit}", "burst": burst, "nodelay": True}
        said = Said(limit, f"{name} ({where(named[name].at)}), for each address; a burst of {burst} without delay")
        if alone:
            draft.gateway.rate_limits.append(said)
            draft.gateway.limited_by.add("nginx")
        for route in routes if not alone else ():
            route.limit(said, "nginx")


def _tries(thing: Object, named: dict[str, Part], routes: Sequence[Route], draft: Draft) -> None:
    read = named["proxy-read-timeout"].whole(1) if "proxy-read-timeout" in named else None
    tries = named["proxy-next-upstream-tries"].whole(0) if "proxy-next-upstream-tries" in named else None
    causes = named["proxy-next-upstream"].text() if "proxy-next-upstream" in named else "error timeout"
    fields: dict[str, object] = {"timeout": f"{read or 60}s"}
    on = [
        ours
        for theirs, ours in (("timeout", "timeout"), ("error", "unreachable"), ("http_503", "shed"))
        if theirs in causes.split()
    ]
    if any(cause in causes.split() for cause in ("http_500", "http_502", "http_504")):
        on.append("error")
    attempts = 3 if tries is None else tries or 1000  # 0 turns the limit off
    if on and attempts > 1:
        fields["retry"] = {"max_attempts": min(attempts, 1000), "backoff": {"constant": "0s"}, "on": on}
    name = f"ingress-{thing.name}"
    said = (
        "as annotated"
        if {"proxy-read-timeout", "proxy-next-upstream", "proxy-next-upstream-tries"} & set(named)
        else "by default"
    )
    draft.policies[name] = (
        fields,
        f"ingress-nginx, {said} ({where(thing.at)}); the time between two reads is taken for that of an attempt; "
        "POST, LOCK, PATCH are not tried again there",
    )
    for route in routes:
        route.fields["policy"] = Said(name)
