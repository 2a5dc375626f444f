"""A workload of Kubernetes: replicas, the limits of its main container, probes, and the addresses that it is
told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.importing.addresses import of_text, of_variable
from sim.importing.capacity import cpus_of, limit_of, workers_of
from sim.importing.draft import Draft, Key, Said, Service, kept, where
from sim.importing.images import OBSERVES, role_of
from sim.importing.objects import Object
from sim.importing.parts import Part
from sim.spec.document import Data

_MAIN = "kubectl.kubernetes.io/default-container"  # a well-known annotation
_SIDECARS = re.compile(
    r"(?:istio|linkerd|envoy|consul|vault|cloud-?sql|oauth2?|fluent-?(?:d|bit)|filebeat|otel|dd|daprd?)[a-z0-9-]*"
)
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True)
class Settings:
    """The ConfigMaps of all files: (namespace, name) -> their data."""

    maps: Mapping[Key, Part]

    def of(self, container: Part, namespace: str) -> Iterator[tuple[str, str | None, Part]]:
        """(name, value, where it stands) of each variable of a container; no value where it comes from a Secret, or is
        not in the files.
        """
        values: dict[str, str] = {}
        for source in container["envFrom"].items():
            for name, part in self._data(source["configMapRef"], namespace).entries():
                values[f"{source['prefix'].text()}{name}"] = part.text()
                yield f"{source['prefix'].text()}{name}", part.text(), part
        for variable in container["env"].items():
            name, value = variable["name"].text(), None
            if "value" in variable:
                value = _REFERENCE.sub(lambda found: values.get(found[1], found[0]), variable["value"].text()[:4000])
            elif reference := variable["valueFrom"]["configMapKeyRef"]:
                found = self._data(reference, namespace)[reference["key"].text()]
                value = found.text() if found else None
            if value is not None:
                values[name] = value
            if name and not variable["valueFrom"]["fieldRef"]:
                yield name, value, variable["name"]

    def _data(self, reference: Part, namespace: str) -> Part:
        return self.maps.get((namespace, reference["name"].text()), Part(None, reference.at, "data", reference.notes))


def workload(thing: Object, settings: Settings, draft: Draft) -> Service | None:
    """The service that a workload is; None where nothing of it runs."""
    what = f"{thing.kind} {thing.name}"
    replicas = thing.spec["replicas"]
    count = replicas.whole()
    if not thing.name:
        thing.part.leave_out(thing.kind, "found no metadata.name, expected one")
        return None
    if count == 0:
        replicas.leave_out(what, "has 0 replicas: nothing runs")
        return None
    containers = list(thing.pod["spec"]["containers"].items())
    if not containers:
        thing.part.leave_out(what, "found no containers, expected at least one")
        return None
    main = _main(thing, containers)
    service = Service((thing.namespace, thing.name), what, thing.at, role_of(main["image"].text(), thing.name))
    if draft.add_service(service) is not service:
        return None
    if thing.kind == "DaemonSet":
        service.replicas = Said(1, "one on each node: how many nodes there are", True)
    elif count is not None:
        service.replicas = Said(count, where(replicas.at))
    _resources(service, main)
    _probes(service, main)
    _ending(service, thing, main)
    for container in containers:
        if container is not main:
            name = container["name"].text()
            container.leave_out(
                f"container {name} of {what}",
                "runs beside the main one, whose limits were taken; its time belongs to the work",
            )
    _settings(service, main, settings)
    return service


def _main(thing: Object, containers: list[Part]) -> Part:
    """The container that is the service: the one that is annotated, or else the first that is no known sidecar."""
    named = thing.pod["metadata"]["annotations"][_MAIN].text()
    for container in containers:
        if named and container["name"].text() == named:
            return container
    plain = [
        one
        for one in containers
        if not _SIDECARS.fullmatch(one["name"].text()) and role_of(one["image"].text(), "") != OBSERVES
    ]
    return (plain or containers)[0]


def _resources(service: Service, container: Part) -> None:
    limit, asked = container["resources"]["limits"]["cpu"], container["resources"]["requests"]["cpu"]
    cpus = cpus_of(limit.text()) if limit else None
    if limit and cpus is None:
        limit.wrong("a quantity such as 500m or 2")
    elif cpus is not None:
        service.cpu = limit_of(cpus, f"limits.cpu {limit.text()}", limit.at)
    if asked:
        service.requested = cpus_of(asked.text()) or 0.0
        unlimited = "" if service.cpu is not None else "; no limit: what else the node has"
        service.remarks.append(kept(f"requests.cpu {asked.text()[:20]}", asked.at) + unlimited)
    if memory := container["resources"]["limits"]["memory"]:
        memory.leave_out("memory limits", "memory is not modelled")


def _probes(service: Service, container: Part) -> None:
    """The defaults are Kubernetes': every 10 s, 3 failures, a timeout of 1 s."""
    for name in _PROBES:
        if probe := container[name]:
            period, failures = probe["periodSeconds"].text()[:10] or "10", probe["failureThreshold"].text()[:10] or "3"
            service.remarks.append(
                kept(
                    f"{name} every {period}s, {failures} failures, timeout "
                    f"{probe['timeoutSeconds'].text()[:10] or '1'}s",
                    probe.at,
                )
            )
            if name != "livenessProbe":
                service.ready_after = max(service.ready_after, probe["initialDelaySeconds"].number() or 0.0)
            probe.leave_out(
                f"{name}s",
                "a crashed replica is left out of the balancing at once; of probes only the delay counts, for `start`, "
                "and the settings are kept as comments; where callers learn by them alone who is gone or frozen, write "
                "`health_checks`",
            )


def _ending(service: Service, thing: Object, container: Part) -> None:
    """The grace of a pod, and the pause before it is told to end (`preStop`)."""
    grace = thing.pod["spec"]["terminationGracePeriodSeconds"]
    hook = container["lifecycle"]["preStop"]
    seconds = hook["sleep"]["seconds"].number() if hook and hook["sleep"] else None
    if hook and hook["exec"]:
        words = " ".join(item.text() for item in hook["exec"]["command"].items())[:200]
        found = re.search(r"\bsleep ([0-9]{1,5}(?:\.[0-9]{1,3})?)s?\b", words)
        seconds = float(found[1]) if found else None
        if found is None:
            hook.leave_out("preStop hooks", "of a hook only how long it sleeps is taken")
    fields: dict[str, Data] = {}
    remarks = []
    if (length := grace.number() if grace else None) is not None:
        fields["grace"] = f"{length:g}s"
        remarks.append(f"terminationGracePeriodSeconds ({where(grace.at)})")
    if seconds:
        fields["pre_stop"] = f"{seconds:g}s"
        remarks.append(f"preStop ({where(hook.at)})")
    if fields:
        service.drain = Said(fields, ", ".join(remarks))


def _settings(service: Service, container: Part, settings: Settings) -> None:
    for name, value, part in settings.of(container, service.key[0]):
        service.addresses += of_variable(name, value, part.at)
        if value is not None and service.workers is None:
            service.workers = workers_of(name, value, part.at)
        if (
            value is not None
            and re.fullmatch(r"(?:LOCUST_)?USERS", name)
            and value.isdecimal()
            and 0 < int(value[:9]) <= 10**6
        ):
            service.users = Said(int(value), f"{name} ({where(part.at)})")
    for field in ("command", "args"):
        for item in container[field].items():
            service.addresses += of_text(item.text(), f"its {field}", item.at)
