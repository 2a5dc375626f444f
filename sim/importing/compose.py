"""Docker compose: services with replicas and limits, who is told of whom, and what is published to the outside.

Read as the Compose Specification has it: several files are merged in the order in which they are named, `extends`
within a file is followed, and variables come from files of KEY=VALUE that are named too. Files that a compose file
itself names (`env_file`, `include`, `extends.file`) are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sim.importing.addresses import of_name, of_text, of_variable
from sim.importing.capacity import cpus_of, limit_of, workers_of
from sim.importing.draft import Address, Draft, Entry, Said, Service, kept, where
from sim.importing.images import role_of
from sim.importing.interpolation import UNKNOWN, interpolated
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Map, Place, Seq, as_map

_OF_NO_CONCERN = "say nothing of load or time"
_UNREAD = "is a file that was not named here; name it too, before the compose file"
_LONGEST_CHAIN = 20  # of services that extend one another
_REPLACED = ("command", "entrypoint", "test")  # lists that a later file replaces; others it adds to
_MAPPED = ("environment", "depends_on", "labels", "networks", "links")  # may be written as lists
_READ = {
    *(
        "image",
        "environment",
        "env_file",
        "command",
        "entrypoint",
        "depends_on",
        "links",
        "ports",
        "deploy",
        "scale",
        "cpus",
        "cpu_quota",
        "cpu_period",
    ),
    *("mem_limit", "healthcheck", "profiles", "extends", "hostname", "container_name", "networks", "external_links"),
}


def recognises(value: Data) -> bool:
    """A map with a map of `services`, and without what a scenario has."""
    return isinstance(value, dict) and isinstance(value.get("services"), dict) and "traffic" not in value


def read(documents: Sequence[Document], draft: Draft) -> None:
    """All compose files together, later ones on top of earlier ones."""
    services = Map()
    for document in documents:
        value = interpolated(document.value, draft.variables)
        top = Part(value, Place(document.file, document.line), "file", draft.notes)
        for field in ("include", "extends"):
            if top[field]:
                top[field].leave_out(field, _UNREAD)
        draft.name = top["name"].text() or draft.name
        own = Map()
        for name, part in top["services"].entries():
            if isinstance(part.value, dict):
                own.put(name, _normal(part), part.at, part.at)
            elif part:
                part.wrong("a map")
        _extend(own, draft)
        services = _merged(services, own)
    unread: dict[str, Part] = {}
    for name, part in Part(services, Place(documents[0].file, 1), "services", draft.notes).entries():
        _service(name, part, draft)
        for field, inner in part.entries():
            if field not in _READ and not field.startswith("x-"):
                unread.setdefault(field, inner)
    if unread:
        first = next(iter(unread.values()))
        first.leave_out(f"{', '.join(sorted(unread))} of services", _OF_NO_CONCERN)


def _normal(part: Part) -> Map:
    """A service whose short forms are written out: `[A=1, B]` as a map, the places kept."""
    service = as_map(part.value)
    for field in _MAPPED:
        if isinstance(service.get(field), list):
            inner = Map()
            for item in part[field].items():
                name, sign, value = item.text().partition(":" if field == "links" else "=")
                if name:
                    inner.put(name, value if sign else None, item.at, item.at)
            service[field] = inner
    return service


def _merged(base: Map, over: Map) -> Map:
    """One map on top of another: maps are merged, lists added to, all else is replaced."""
    both = as_map(base)
    for key, value in over.items():
        before, after = both.get(key), value
        if isinstance(before, Map) and isinstance(value, Map):
            after = _merged(before, value)
        elif isinstance(before, Seq) and isinstance(value, Seq) and key not in _REPLACED:
            after = Seq([*before, *value], [*before.items_at, *value.items_at])
        both.put(key, after, over.keys_at.get(key), over.values_at.get(key))
    return both


def _extend(services: Map, draft: Draft) -> None:
    """Follow `extends` from service to service; what names another file is left out."""
    for name in list(services):
        chain, here = [services[name]], name
        seen = {name}
        while len(chain) <= _LONGEST_CHAIN:
            part = Part(services[here], services.keys_at[here], here, draft.notes)["extends"]
            if isinstance(part.value, dict) and part["file"]:
                part["file"].leave_out(f"extends of {here}", _UNREAD)
                break
            target = part["service"].text() if isinstance(part.value, dict) else part.text()
            if not target or target in seen or target not in services:
                break
            seen.add(target)
            chain.append(services[target])
            here = target
        for base in chain[1:]:
            plain = Map(
                {key: item for key, item in base.items() if key not in ("extends", "depends_on")},
                base.keys_at,
                base.values_at,
            )
            services[name] = _merged(plain, services[name])


def _service(name: str, part: Part, draft: Draft) -> None:
    image = part["image"].text()
    profiles = [profile.text() for profile in part["profiles"].items()]
    replicas = part["deploy"]["replicas"] or part["scale"]
    if profiles:
        part["profiles"].leave_out(f"service {name}", f"starts only with the profile {profiles[0]}")
        return
    count = replicas.whole()
    if count == 0:
        replicas.leave_out(f"service {name}", "has 0 replicas: nothing runs")
        return
    service = draft.add_service(Service(("", name), f"service {name}", part.at, role_of(image, name)))
    if service.at != part.at:
        return
    if count is not None:
        service.replicas = Said(count, where(replicas.at))
    elif part["deploy"]["mode"].text() == "global":
        service.replicas = Said(
            1, f"one on each node ({where(part['deploy']['mode'].at)}): how many nodes there are", True
        )
    _limits(service, part)
    _settings(service, part)
    for field in ("hostname", "container_name"):
        if host := part[field].text():
            draft.alias(host, service.key)
    for _, network in part["networks"].entries():
        for alias in network["aliases"].items() if isinstance(network.value, dict) else ():
            draft.alias(alias.text(), service.key)
    _published(service, part["ports"], draft)


def _limits(service: Service, part: Part) -> None:
    resources = part["deploy"]["resources"]
    limit = resources["limits"]["cpus"] or part["cpus"]
    cpus = cpus_of(limit.text()) if limit else None
    if limit and cpus is None:
        limit.wrong("a number of processors such as 0.5")
    elif cpus is not None:
        service.cpu = limit_of(cpus, f"cpus {limit.text()}", limit.at)
    elif part["cpu_quota"]:
        quota, period = part["cpu_quota"].number(), part["cpu_period"].number() or 100_000.0
        if quota:
            service.cpu = limit_of(quota / period, f"cpu_quota {quota:g} of {period:g}", part["cpu_quota"].at)
    asked = resources["reservations"]["cpus"]
    if asked:
        service.remarks.append(kept(f"reserves {asked.text()[:40]} cpus", asked.at))
    memory = resources["limits"]["memory"] or part["mem_limit"]
    if memory:
        memory.leave_out("memory limits", "memory is not modelled")
    if check := part["healthcheck"]:
        every = check["interval"].text()[:20] or "30s"
        service.remarks.append(kept(f"healthcheck every {every}: not modelled", check.at))
        check.leave_out("healthchecks", "are not modelled; the settings are kept as comments")


def _settings(service: Service, part: Part) -> None:
    """Hosts and threads that environment, arguments and start order name."""
    for name, value in part["environment"].entries():
        text = value.text() if value else None
        service.addresses += of_variable(name, text, value.at)
        for unknown in UNKNOWN.findall(text or "")[:5]:
            service.addresses += [*of_name(name, value.at), *of_name(unknown, value.at)]
        if text is not None and service.workers is None:
            service.workers = workers_of(name, text, value.at)
        if (
            text is not None
            and re.fullmatch(r"(?:LOCUST_)?USERS", name)
            and text.isdecimal()
            and 0 < int(text[:9]) <= 10**6
        ):
            service.users = Said(int(text), f"{name} ({where(value.at)})")
    if part["env_file"]:
        part["env_file"].leave_out(f"env_file of {service.what}", _UNREAD)
    for field in ("command", "entrypoint"):
        for item in _words(part[field]):
            service.addresses += of_text(item.text(), f"its {field}", item.at)
    for field in ("links", "external_links"):
        for host, link in part[field].entries() if isinstance(part[field].value, dict) else ():
            service.addresses.append(Address(host, f"guessed from {field}", link.at))
    for host, link in part["depends_on"].entries():
        service.addresses.append(Address(host, "guessed from depends_on, which is an order of starting", link.at))


def _words(part: Part) -> Iterator[Part]:
    if isinstance(part.value, list):
        yield from part.items()
    elif part:
        yield part


def _published(service: Service, ports: Part, draft: Draft) -> None:
    """A port that others than the containers can reach: `"8080:80"`, or `published` of the long form."""
    for port in ports.items():
        if isinstance(port.value, dict):
            published = port["published"].text()
        else:
            *outside, _ = port.text().split("/")[0].rsplit(":", 2)
            published = outside[-1] if outside else ""
        if published:
            draft.entries.append(Entry(service.key, f"publishes port {published[:20]}", port.at))
            return
