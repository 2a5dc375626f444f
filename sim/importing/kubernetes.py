"""Kubernetes manifests: workloads, the Services in front of them, autoscalers, and where requests come in.

Objects are read as the API has them (kubernetes.io/docs/reference/kubernetes-api), of whatever version; `kind: List` is
opened. Who calls whom is not in manifests: it is guessed from the addresses in environment and arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.importing import autoscalers, ingress, istio, nodes, releases
from sim.importing.draft import Draft, Entry, Key, Said, Topic, where
from sim.importing.objects import Object
from sim.importing.parts import Part
from sim.importing.pods import Settings, workload
from sim.importing.reading import Document
from sim.spec.document import Data, Place

WORKLOADS = (
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "DeploymentConfig",
    "Rollout",
    "DaemonSet",
    "Pod",
)
_BY_THEMSELVES = ("Job", "CronJob")
_RENDERED = {
    "Kustomization": "kubectl kustomize DIR",
    "HelmRelease": "helm template CHART",
    "HelmChart": "helm template CHART",
}
_OF_NO_CONCERN = {
    *(
        "Namespace",
        "ServiceAccount",
        "Secret",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "PersistentVolume",
        "PersistentVolumeClaim",
    ),
    *(
        "StorageClass",
        "CustomResourceDefinition",
        "NetworkPolicy",
        "PriorityClass",
        "ServiceMonitor",
        "PodMonitor",
        "PrometheusRule",
        "Certificate",
    ),
    *("Gateway", "ServiceEntry", "Sidecar", "PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication"),
    *(
        "Issuer",
        "ClusterIssuer",
        "IngressClass",
        "GatewayClass",
        "Endpoints",
        "EndpointSlice",
        "Event",
        "ConfigMap",
        "PodSecurityPolicy",
    ),
}


def recognises(value: Data) -> bool:
    """An object of the API, or a list of them."""
    return isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str)


def read(documents: Sequence[Document], draft: Draft) -> None:
    """All objects of all files together."""
    objects = [
        thing
        for document in documents
        for thing in _objects(Part(document.value, Place(document.file, document.line), "object", draft.notes), 0)
    ]
    settings = Settings(
        {(thing.namespace, thing.name): thing.part["data"] for thing in objects if thing.kind == "ConfigMap"}
    )
    labels: dict[Key, dict[str, str]] = {}
    templates, used = releases.templates_of(objects), set[Key]()
    for thing in objects:
        if thing.kind in WORKLOADS and not thing.is_owned:
            service = workload(thing, settings, draft)
            if service is not None:
                labels[service.key] = thing.labels
                releases.tell_release(service, thing, templates, used)
    for key, thing in templates.items():
        if key not in used:
            thing.part.leave_out(f"{thing.kind} {thing.name}", "no canary of these files looks at it")
    for thing, keys in _fronts(
        [thing for thing in objects if thing.kind == "Service" and "serving.knative.dev" not in thing.api],
        labels,
        draft,
    ):
        _service(thing, keys, draft)
    for thing in objects:
        if thing.kind in autoscalers.READERS:
            autoscalers.READERS[thing.kind](thing, draft)
        elif thing.kind == "KafkaTopic":
            _topic(thing, draft)
    nodes.read([thing for thing in objects if thing.kind in nodes.KINDS], draft)
    ingress.read([thing for thing in objects if thing.kind in ingress.KINDS], draft)
    istio.read([thing for thing in objects if thing.kind in istio.KINDS and "istio.io" in thing.api], draft)
    _rest(objects)


def _objects(part: Part, depth: int) -> Iterator[Object]:
    """The object itself, or those of a list."""
    kind = part["kind"].text()
    if kind.endswith("List") and "items" in part and depth < 3:
        for item in part["items"].items():
            if recognises(item.value):
                yield from _objects(item, depth + 1)
            else:
                item.wrong("an object with apiVersion and kind")
    elif kind:
        yield Object(
            kind, part["apiVersion"].text(), part["metadata"]["name"].text(), part["metadata"]["namespace"].text(), part
        )


def _fronts(
    services: Sequence[Object], labels: dict[Key, dict[str, str]], draft: Draft
) -> Iterator[tuple[Object, list[Key]]]:
    """Each Service with the workloads that it selects.

    Versions of one thing, which only this Service selects, become one service of the scenario.
    """
    chosen = [(thing, _selected(thing, labels)) for thing in services]
    own = {keys[0] for _, keys in chosen if len(keys) == 1}
    for thing, keys in chosen:
        here = [key for key in keys if key in draft.services]
        if len(here) > 1 and not own.intersection(here):
            here = [_merged(thing, here, draft)]
        yield thing, here


def _selected(thing: Object, labels: dict[Key, dict[str, str]]) -> list[Key]:
    selector = {name: part.text() for name, part in thing.spec["selector"].entries()}
    if not selector:
        return []
    return [
        key
        for key, its in labels.items()
        if key[0] == thing.namespace and all(its.get(name) == value for name, value in selector.items())
    ]


def _merged(thing: Object, keys: Sequence[Key], draft: Draft) -> Key:
    """Several workloads behind one Service: their replicas together, of which any may get a request."""
    parts = [draft.services.pop(key) for key in keys]
    first = parts[0]
    replicas = sum(part.replicas.value if part.replicas is not None else 1 for part in parts)
    if any((part.cpu and part.cpu.value) != (first.cpu and first.cpu.value) for part in parts):
        thing.part.leave_out(
            f"cpu limits of {', '.join(part.what for part in parts[1:])}",
            f"differ from those of {first.what}, which were taken for all",
        )
    names = ", ".join(f"{part.what} ({where(part.at)})" for part in parts)
    first.key = (thing.namespace, thing.name)
    first.replicas = Said(replicas, f"all together: {names}")
    first.what = f"Service {thing.name}"
    first.at = thing.at
    first.addresses = [address for part in parts for address in part.addresses]
    draft.services[first.key] = first
    for key in keys:
        draft.alias(key[1], first.key)
    return first.key


def _service(thing: Object, keys: Sequence[Key], draft: Draft) -> None:
    """A Service is a name for what it selects, and where requests come in if others than pods can reach it."""
    kind = thing.spec["type"].text() or "ClusterIP"
    if kind == "ExternalName":
        thing.part.leave_out(f"Service {thing.name}", "leads to a host outside, which no file describes")
    elif not keys:
        thing.part.leave_out(f"Service {thing.name}", "selects no workload of these files")
    elif len(keys) > 1:
        thing.part.leave_out(f"Service {thing.name}", "selects several workloads that have Services of their own")
    else:
        draft.alias(thing.name, keys[0], alone=True)
        draft.take(thing.at, "Service")
        if kind in ("LoadBalancer", "NodePort"):
            draft.entries.append(Entry(keys[0], f"Service {thing.name} is a {kind}", thing.spec["type"].at))


def _topic(thing: Object, draft: Draft) -> None:
    """Strimzi's KafkaTopic."""
    name = thing.spec["topicName"].text() or thing.name
    partitions = thing.spec["partitions"].whole(1, 100_000)
    if name:
        said = Said(partitions) if partitions is not None else None
        draft.topics[name] = Topic(
            said,
            f"KafkaTopic {thing.name} ({where(thing.at)})" if said else f"partitions of it; KafkaTopic {thing.name}",
        )
        draft.take(thing.at, "KafkaTopic")


def _rest(objects: Sequence[Object]) -> None:
    """What was not read, and why."""
    read_ones = {*WORKLOADS, "Service", "KafkaTopic", *autoscalers.READERS, *nodes.KINDS, *ingress.KINDS, *istio.KINDS}
    read_ones |= {*releases.TEMPLATES}
    for thing in objects:
        if thing.kind in _BY_THEMSELVES:
            thing.part.leave_out(f"{thing.kind} {thing.name}", "runs by itself, and answers no request")
        elif thing.kind == "EnvoyFilter":
            why = "patches the configuration of proxies; write a limit of it as `rate_limits` of the gateway"
            thing.part.leave_out(f"EnvoyFilter {thing.name}", why)
        elif thing.kind in _OF_NO_CONCERN:
            thing.part.leave_out(thing.kind, "says nothing of load or time")
        elif thing.kind in _RENDERED:
            thing.part.leave_out(
                f"{thing.kind} {thing.name}".strip(),
                f"names other files; render it first: {_RENDERED[thing.kind]} | sim import -",
            )
        elif thing.kind not in read_ones or "serving.knative.dev" in thing.api:
            thing.part.leave_out(f"{thing.kind} {thing.name} ({thing.api})", "is of a kind that is not read")
