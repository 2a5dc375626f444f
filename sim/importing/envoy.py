"""Envoy's own configuration (bootstrap, `static_resources`): listeners with routes, clusters with limits and
balancing.

By Envoy's v3 API: a route has 15 s for all tries where nothing is said, 0 for no end; one try beyond the first
where `retry_policy` says no number; `max_requests` of a cluster is 1024 (`config.cluster.v3.CircuitBreakers`); a
local rate limit is a bucket of tokens in each proxy, and refuses with 429. Variables in the way of `${NAME}` come
from files of KEY=VALUE that are named too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sim.importing.draft import Draft, Gateway, Route, Said, Service, where
from sim.importing.durations import written
from sim.importing.envoy_policies import (
    ENVOY,
    balanced,
    health_checks,
    outlier_detection,
    pool_of,
    retried,
    retry,
    told,
)
from sim.importing.images import role_of
from sim.importing.interpolation import interpolated
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Place
from sim.units import duration

TIMEOUT, MAX_REQUESTS = "15s", 1024
CONNECTIONS, PENDING = 1024, 1024
MOST_RULES = 2000
_MANAGER = "http_connection_manager"
_BALANCING = {"ROUND_ROBIN": "round_robin", "LEAST_REQUEST": "power_of_two", "RANDOM": "random"}
_FILTERS = {
    "fault": "is a fault on purpose: write it under `faults` of a variant, with a time at which it begins",
    "jwt_authn": "verifies tokens; what that costs belongs to `work` of the gateway",
    "ext_authz": "asks a server for each request; write it as `authentication: {oauth: ...}`",
    "ratelimit": "asks a server of its own, whose limits no such file has",
    "lua": "is code",
    "wasm": "is code",
}


def recognises(value: Data) -> bool:
    """A bootstrap, with resources or the place where they come from."""
    return (
        isinstance(value, dict)
        and ("static_resources" in value or "dynamic_resources" in value)
        and "apiVersion" not in value
    )


@dataclass
class _Cluster:
    """Where routes lead."""

    part: Part
    hosts: list[str] = field(default_factory=list)
    most: int = MAX_REQUESTS
    pool: dict[str, Data] | None = None  # connections of HTTP/1.1
    retries: dict[str, Data] | None = None  # the budget of retries, where a file says one


def read(documents: Sequence[Document], draft: Draft) -> None:
    """All files together are one gateway."""
    for document in documents:
        value = interpolated(document.value, draft.variables)
        top = Part(value, Place(document.file, document.line), "file", draft.notes)
        if top["dynamic_resources"]:
            top["dynamic_resources"].leave_out(
                "dynamic_resources", "come from a server; save what it sends (/config_dump) as static_resources"
            )
        clusters = {part["name"].text(): _cluster(part, draft) for part in top["static_resources"]["clusters"].items()}
        for listener in top["static_resources"]["listeners"].items():
            for manager in _managers(listener):
                _routes(manager, clusters, top, draft)


def _managers(listener: Part) -> Iterator[Part]:
    for chain in listener["filter_chains"].items():
        for part in chain["filters"].items():
            if part["name"].text().endswith(_MANAGER) or _MANAGER in _type(part).lower().replace(
                "httpconnectionmanager", _MANAGER
            ):
                yield part["typed_config"]
            else:
                part.leave_out(f"filter {part['name'].text()[:60]}", "only requests of HTTP are modelled")


def _type(part: Part) -> str:
    return part["typed_config"]["@type"].text() if part["typed_config"] else ""


def _cluster(part: Part, draft: Draft) -> _Cluster:
    found = _Cluster(part)
    for locality in part["load_assignment"]["endpoints"].items():
        for endpoint in locality["lb_endpoints"].items():
            host = endpoint["endpoint"]["address"]["socket_address"]["address"].text()
            found.hosts += [host] if host else []
    for threshold in part["circuit_breakers"]["thresholds"].items():
        if (threshold["priority"].text() or "DEFAULT") == "DEFAULT":
            found.most = threshold["max_requests"].whole(1, 2**31 - 1) or MAX_REQUESTS
            found.pool = _pool(threshold, part)
            found.retries = _retries(threshold)
    for further in list(part["health_checks"].items())[1:]:
        further.leave_out(f"health_checks of cluster {part['name'].text()[:60]}", "only the first of them is taken")
    draft.take(part.at, "cluster")
    return found


def _retries(threshold: Part) -> dict[str, Data] | None:
    """How many retries there may be at once; a budget replaces the number."""
    budget, most = threshold["retry_budget"], threshold["max_retries"]
    if not budget:
        number = most.whole(0, 2**31 - 1) if most else None
        return None if number is None else {"max_retries": number}
    percent = budget["budget_percent"]["value"].number() if budget["budget_percent"] else None
    least = budget["min_retry_concurrency"].whole(0, 2**31 - 1) if budget["min_retry_concurrency"] else None
    fields: dict[str, Data] = {} if percent is None else {"budget_percent": f"{min(max(percent, 0.0), 100.0):g}%"}
    return {"retry_budget": fields if least is None else {**fields, "min_retry_concurrency": least}}


def _pool(threshold: Part, cluster: Part) -> dict[str, Data] | None:
    """Connections, where a file bounds them and each is for one request at a time."""
    limit, waits = threshold["max_connections"], threshold["max_pending_requests"]
    options = str(cluster["typed_extension_protocol_options"].value or "")
    if not limit and not waits:
        return None
    if cluster["http2_protocol_options"] or "http2_protocol_options" in options[:4000]:
        part = limit or waits
        part.leave_out(
            f"{part.name} of cluster {cluster['name'].text()[:60]}", "HTTP/2 has all requests on one connection"
        )
        return None
    size = limit.whole(1, 100_000) if limit else None
    return pool_of(CONNECTIONS if size is None else size, waits.whole(0, 10**9) if waits else PENDING)


def _routes(manager: Part, clusters: dict[str, _Cluster], top: Part, draft: Draft) -> None:
    gateway = draft.gateway
    if gateway is None:
        gateway = draft.gateway = Gateway("Envoy", top.at)
        if (count := top["concurrency"].whole(1, 10_000)) is not None:
            gateway.workers = Said(count, f"concurrency ({where(top['concurrency'].at)})")
    for part in manager["http_filters"].items():
        _filter(part, gateway)
    for host in manager["route_config"]["virtual_hosts"].items():
        domain = next((item.text() for item in host["domains"].items() if item.text() != "*"), "")
        for rule in host["routes"].items():
            if len(gateway.routes) < MOST_RULES:
                _route(rule, host, domain, clusters, gateway, draft)
    if manager["rds"]:
        manager["rds"].leave_out("rds", "routes come from a server; save what it sends as route_config")


def _filter(part: Part, gateway: Gateway) -> None:
    name = part["name"].text().rpartition(".")[2]
    if name == "local_ratelimit":
        _limit(part["typed_config"], gateway)
    elif name != "router":
        part.leave_out(f"filter {name[:60]}", _FILTERS.get(name, "what it costs belongs to `work` of the gateway"))


def _limit(config: Part, gateway: Gateway) -> None:
    """A bucket of tokens in each proxy."""
    bucket = config["token_bucket"]
    most = bucket["max_tokens"].whole(1, 10**9)
    each, every = bucket["tokens_per_fill"].whole(1, 10**9) or 1, written(bucket["fill_interval"])
    if most is None or not every or duration(every) <= 0:
        return
    limit = {"preset": "envoy-local", "per": "all", "rate": f"{each / duration(every):.6g}/s", "burst": most}
    gateway.rate_limits.append(Said(limit, f"local rate limit, {each} tokens every {every} ({where(bucket.at)})"))


def _route(rule: Part, host: Part, domain: str, clusters: dict[str, _Cluster], gateway: Gateway, draft: Draft) -> None:
    match, action = rule["match"], rule["route"]
    path = next((match[word].text() for word in ("path", "prefix", "path_separated_prefix") if match[word]), "")
    path = path or match["safe_regex"]["regex"].text() or "/"
    name = f"{domain}{path}"[:150]
    if not action:
        what = next((word for word in ("redirect", "direct_response") if rule[word]), "no action")
        rule.leave_out(f"route {name}", f"{what}: leads to no service")
        return
    target = action["cluster"].text() or _heaviest(action, name)
    cluster = clusters.get(target)
    if cluster is None:
        rule.leave_out(
            f"route {name}",
            f"leads to the cluster {target[:60] or 'that a header names'}, which the file does not describe",
        )
        return
    route = Route(
        name, _service(target, cluster, draft), "", rule.at, f"route of {host['name'].text()[:60] or 'a virtual host'}"
    )
    route.paths = (path,)
    limit = written(action["timeout"])
    if not limit or duration(limit) > 0:
        remark = f"timeout ({where(action['timeout'].at)})" if limit else "Envoy's default"
        route.fields["timeout"] = Said(limit or TIMEOUT, remark)
    again = action["retry_policy"] or host["retry_policy"]
    policy, words = _policy(again, cluster)
    draft.policies[f"envoy-{target}"[:150] if not again else f"envoy-{len(gateway.routes) + 1}-{target}"[:150]] = (
        policy,
        words,
    )
    route.fields["policy"] = Said(next(reversed(draft.policies)) if again else f"envoy-{target}"[:150])
    gateway.routes.append(route)
    draft.take(rule.at, "route")


def _policy(again: Part, cluster: _Cluster) -> tuple[dict[str, Data], str]:
    fields: dict[str, Data] = {"bulkhead": {"max_concurrent_calls": cluster.most}}
    if cluster.pool is not None:
        fields["pool"] = cluster.pool
    words = f"max_requests of the cluster ({where(cluster.part.at)})" + (
        ", Envoy's default" if cluster.most == MAX_REQUESTS else ""
    )
    if not again:
        return fields, words
    if each := written(again["per_try_timeout"]):
        fields["timeout"] = each
    tries = again["num_retries"].whole(0, 1000) if again["num_retries"] else None
    codes = (
        [item.text() for item in again["retriable_status_codes"].items()]
        if "retriable-status-codes" in again["retry_on"].text()
        else []
    )
    on = retried(again, again["retry_on"].text(), codes)
    if on and (tries is None or tries):
        backoff = again["retry_back_off"]
        made = retry(
            1 if tries is None else tries, on, written(backoff["base_interval"]), written(backoff["max_interval"])
        )
        made |= told(again["rate_limited_retry_back_off"])
        fields["retry"] = made if cluster.retries is None else {**made, "budget": {"envoy": cluster.retries}}
    return fields, f"retry_policy ({where(again.at)}); {words}"


def _heaviest(action: Part, name: str) -> str:
    weighted = list(action["weighted_clusters"]["clusters"].items()) if action["weighted_clusters"] else []
    if len(weighted) > 1:
        action["weighted_clusters"].leave_out(
            f"weights of route {name}", "a route leads to one service; the heaviest was taken"
        )
    return max(weighted, key=lambda part: part["weight"].whole() or 0)["name"].text() if weighted else ""


def _service(name: str, cluster: _Cluster, draft: Draft) -> str:
    """The host behind a cluster, under which other files know its service; the name of the cluster where they do
    not.
    """
    known = next((host for host in cluster.hosts if draft.find(host) is not None), "")
    service = draft.find(known or name)
    if service is None:
        service = draft.add_service(Service(("", name), f"cluster {name}", cluster.part.at, role_of("", name)))
        if len(set(cluster.hosts)) > 1:
            service.replicas = Said(
                len(set(cluster.hosts)), f"endpoints of the cluster ({where(cluster.part['load_assignment'].at)})"
            )
        for host in cluster.hosts:
            draft.alias(host, service.key)
    for checks in list(cluster.part["health_checks"].items())[:1]:
        service.health_checks = Said(health_checks(checks), f"health_checks ({where(checks.at)})")
    balancing = cluster.part["lb_policy"].text() or "ROUND_ROBIN"
    if service.load_balancing is None and balancing in _BALANCING:
        service.load_balancing = Said(_BALANCING[balancing], f"{balancing} ({where(cluster.part.at)})")
        if outliers := cluster.part["outlier_detection"]:
            panic = cluster.part["common_lb_config"]["healthy_panic_threshold"]["value"].number()
            words = f"outlier_detection ({where(outliers.at)})"
            healthy = f"{min(panic, 100.0):g}%" if panic is not None else ""
            balanced(service, outlier_detection(outliers, ENVOY), healthy, words)
    elif balancing not in _BALANCING:
        cluster.part["lb_policy"].leave_out(f"lb_policy {balancing[:40]}", f"expected one of {', '.join(_BALANCING)}")
    return known or name
