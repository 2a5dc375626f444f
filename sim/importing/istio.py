"""Istio: routes, timeouts, tries, limits and balancing of VirtualService and DestinationRule.

By Istio's reference ("Virtual Service", "Destination Rule"): no timeout where none is said; two tries beyond the
first where nothing is said of retries, on connect-failure, refused-stream, unavailable and cancelled. A
VirtualService that names gateways beside `mesh` says where requests come in; one without is about calls between
services, each sidecar on its own. `http2MaxRequests` bounds the requests that one sidecar has under way,
`maxConnections` the connections of HTTP/1.1, each for one request. Of outlier detection the success rate is not looked
at, and `minHealthPercent` is 0 where it is not said (pilot's `cluster_traffic_policy.go`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.importing.draft import Draft, Gateway, Route, Said, Service, guard_calls, where
from sim.importing.durations import written
from sim.importing.envoy_policies import ISTIO, balanced, outlier_detection, pool_of, retried, retry
from sim.importing.objects import Object
from sim.importing.parts import Part
from sim.spec.document import Data

KINDS = ("VirtualService", "DestinationRule")
TRIES, RETRY_ON = 2, "connect-failure,refused-stream,unavailable,cancelled"  # Istio's defaults
_BALANCING = {
    "ROUND_ROBIN": "round_robin",
    "LEAST_REQUEST": "power_of_two",
    "LEAST_CONN": "power_of_two",
    "RANDOM": "random",
}
_FAULT = "is a fault on purpose: write it under `faults` of a variant, with a time at which it begins"


def read(objects: Sequence[Object], draft: Draft) -> None:
    """All of them, after the services that they are about."""
    for thing in objects:
        if thing.kind == "VirtualService":
            _virtual_service(thing, draft)
    for thing in objects:
        if thing.kind == "DestinationRule":
            _destination_rule(thing, draft)


def _virtual_service(thing: Object, draft: Draft) -> None:
    gateways = [name for item in thing.spec["gateways"].items() if (name := item.text())]
    for protocol in ("tcp", "tls"):
        if thing.spec[protocol]:
            thing.spec[protocol].leave_out(f"{protocol} of VirtualService {thing.name}", "only requests are modelled")
    rules = list(thing.spec["http"].items())
    if not rules:
        thing.part.leave_out(f"VirtualService {thing.name}", "found no http route, expected one")
    for number, rule in enumerate(rules):
        destination = _destination(thing, rule)
        if destination is None:
            continue
        _faults(thing, rule)
        if any(name != "mesh" for name in gateways):
            _route(thing, rule, destination, number, draft)
        if not gateways or "mesh" in gateways:
            _calls(thing, rule, destination, number, draft)
    draft.take(thing.at, "VirtualService")


def _destination(thing: Object, rule: Part) -> Part | None:
    """Where a rule leads: of several destinations the heaviest."""
    targets = list(rule["route"].items())
    if not targets:
        what = next((word for word in ("redirect", "directResponse", "delegate") if rule[word]), "no route")
        rule.leave_out(f"{what} of VirtualService {thing.name}", "leads to no service")
        return None
    weights = [target["weight"].whole() for target in targets]
    heaviest = max(range(len(targets)), key=lambda place: (weights[place] or 0, -place))
    if len({target["destination"]["host"].text() for target in targets}) > 1:
        rule["route"].leave_out(
            f"weights of VirtualService {thing.name}", "a route leads to one service; the heaviest was taken"
        )
    elif len(targets) > 1:
        rule["route"].leave_out(f"subsets of VirtualService {thing.name}", "versions of a service are one service here")
    if rule["mirror"]:
        rule["mirror"].leave_out(f"mirror of VirtualService {thing.name}", "copies of requests are not modelled")
    return targets[heaviest]["destination"]


def _faults(thing: Object, rule: Part) -> None:
    for kind, part in rule["fault"].entries():
        share = part["percentage"]["value"] or part["percent"]
        amount = part["fixedDelay"].text() or part["httpStatus"].text() or part["abort"].text()
        part.leave_out(
            f"{kind} {amount[:20]} for {share.text()[:10] or '100'} % of VirtualService {thing.name}", _FAULT
        )


def _policy(rule: Part) -> tuple[dict[str, Data], str]:
    """Timeout of all tries, and the tries."""
    fields: dict[str, Data] = {}
    words = []
    if limit := written(rule["timeout"]):
        fields["total_timeout"] = limit
        words.append(f"timeout ({where(rule['timeout'].at)})")
    part = rule["retries"]
    attempts = part["attempts"].whole(0, 1000) if part else None
    tries = TRIES if attempts is None else attempts
    on = retried(part, part["retryOn"].text() if part and part["retryOn"] else RETRY_ON)
    if part and (each := written(part["perTryTimeout"])):
        fields["timeout"] = each
    if tries and on:
        fields["retry"] = retry(tries, on)
        words.append(f"retries ({where(part.at)})" if part else "two tries beyond the first by default")
    return fields, ", ".join(words)


def _route(thing: Object, rule: Part, destination: Part, number: int, draft: Draft) -> None:
    """A rule by which requests come in."""
    if draft.gateway is None:
        draft.gateway = Gateway("Istio", thing.at)
    path = next((uri for match in rule["match"].items() for uri in _uris(match)), "/")
    host = next((item.text() for item in thing.spec["hosts"].items() if item.text() != "*"), "")
    name = f"{host}{path}" if path != "/" or not number else f"{host}/{number}"
    fields, words = _policy(rule)
    route = Route(name, destination["host"].text(), thing.namespace, rule.at, f"VirtualService {thing.name}")
    route.paths = (path,)
    if total := fields.pop("total_timeout", ""):
        route.fields["timeout"] = Said(total, f"timeout ({where(rule['timeout'].at)})")
    if fields:
        policy = f"istio-{thing.name}-{number + 1}"
        draft.policies[policy] = fields, f"VirtualService {thing.name}: {words}"
        route.fields["policy"] = Said(policy)
    draft.gateway.routes.append(route)


def _uris(match: Part) -> Iterator[str]:
    for _, uri in match["uri"].entries():
        if text := uri.text():
            yield text if text.startswith("/") else f"/{text}"


def _calls(thing: Object, rule: Part, destination: Part, number: int, draft: Draft) -> None:
    """A rule of calls between services: the first one holds for all of them."""
    service = _found(destination["host"], thing, draft)
    if service is None:
        return
    if number:
        rule.leave_out(
            f"rule {number + 1} of VirtualService {thing.name}",
            "calls of a service have one policy; that of the first rule was taken",
        )
        return
    fields, words = _policy(rule)
    guard_calls(draft, service, fields, f"VirtualService {thing.name}: {words}")


def _destination_rule(thing: Object, draft: Draft) -> None:
    service = _found(thing.spec["host"], thing, draft)
    if service is None:
        return
    policy = thing.spec["trafficPolicy"]
    simple = policy["loadBalancer"]["simple"]
    if simple.text() in _BALANCING:
        service.load_balancing = Said(_BALANCING[simple.text()], f"{simple.text()} ({where(simple.at)})")
    elif policy["loadBalancer"]:
        policy["loadBalancer"].leave_out(
            f"loadBalancer of {thing.name}", f"expected simple: one of {', '.join(_BALANCING)}"
        )
    _connections(policy["connectionPool"], thing, service, draft)
    if outliers := policy["outlierDetection"]:
        fields, health = outlier_detection(outliers, ISTIO), outliers["minHealthPercent"].number()
        healthy = f"{min(health or 0.0, 100.0):g}%"
        balanced(service, fields, healthy, f"outlierDetection of {thing.name} ({where(outliers.at)})")
    draft.take(thing.at, "DestinationRule")


def _connections(pool: Part, thing: Object, service: Service, draft: Draft) -> None:
    """Requests under way, and of HTTP/1.1 connections with those who wait for one."""
    http = pool["http"]
    most = http["http2MaxRequests"]
    if (count := most.whole(1, 10**9) if most else None) is not None:
        words = f"http2MaxRequests of each sidecar ({where(most.at)})"
        guard_calls(draft, service, {"bulkhead": {"max_concurrent_calls": count}}, words)
    limit, waits = pool["tcp"]["maxConnections"], http["http1MaxPendingRequests"]
    size, pending = limit.whole(1, 100_000) if limit else None, waits.whole(0, 10**9) if waits else None
    if size is not None and http["h2UpgradePolicy"].text() != "UPGRADE":
        words = f"maxConnections of each sidecar ({where(limit.at)}), HTTP/1.1"
        guard_calls(draft, service, {"pool": pool_of(size, pending)}, words)
    elif size is not None:
        limit.leave_out(f"{limit.name} of DestinationRule {thing.name}", "HTTP/2 has all requests on one connection")
    if waits and size is None:
        waits.leave_out(f"{waits.name} of DestinationRule {thing.name}", "without maxConnections nobody waits")
    if alive := http["maxRequestsPerConnection"]:
        why = "how long connections live is not modelled"
        alive.leave_out(f"{alive.name} of DestinationRule {thing.name}", why)


def _found(host: Part, thing: Object, draft: Draft) -> Service | None:
    service = draft.find(host.text(), thing.namespace) if host.text() else None
    if service is None:
        host.leave_out(f"{thing.kind} {thing.name}", "no file describes the service that it is about")
    return service
