"""OpenAPI and AsyncAPI: which endpoints a service has, and over which topics it sends and receives. They say
nothing of time or load.

By OpenAPI 3.x and Swagger 2.0: `paths`, each with its methods. By AsyncAPI: in 2.x `publish` is what the
application receives and `subscribe` what it sends, in the words of those who talk to it; in 3.x `operations` have
an `action`. Topics are addresses of channels, partitions those of the Kafka binding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from sim.importing.draft import Consumer, Draft, Entry, Plain, Recorded, Said, Service, Topic, where
from sim.importing.matching import matching
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Place

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MOST = 500  # endpoints of one service


def recognises_openapi(value: Data) -> bool:
    """It says its version."""
    return isinstance(value, dict) and ("openapi" in value or "swagger" in value)


def recognises_asyncapi(value: Data) -> bool:
    """It says its version."""
    return isinstance(value, dict) and "asyncapi" in value


def read_openapi(documents: Sequence[Document], draft: Draft) -> None:
    """Each file describes a service."""
    for document in documents:
        top = Part(document.value, Place(document.file, document.line), "file", draft.notes)
        operations = list(_operations(top))
        if not operations:
            top.leave_out("paths", "found no operation, expected one such as `get` of a path")
            continue
        service = _service(top, draft)
        draft.entries.append(Entry(service.key, "describes an interface", top.at))
        for name, part in operations[:MOST]:
            if not service.recorded and name not in service.endpoints:
                service.endpoints[name] = Recorded(
                    (), f"{part['operationId'].text()[:60] or 'operation'} ({where(part.at)})"
                )
                draft.take(part.at, "endpoint")
        if service.recorded:
            top.leave_out(f"endpoints of {service.key[1]}", "traces tell which it has")
        if len(operations) > MOST:
            top.leave_out(f"{len(operations) - MOST} operations", f"more than {MOST}")


def _operations(top: Part) -> Iterator[tuple[str, Part]]:
    for path, part in top["paths"].entries():
        if isinstance(part.value, dict):
            for method in METHODS:
                if isinstance(part[method].value, dict):
                    yield f"{method.upper()} {path}"[:120].replace("?", ""), part[method]


def read_asyncapi(documents: Sequence[Document], draft: Draft) -> None:
    """Each file describes a service and its topics."""
    for document in documents:
        top = Part(document.value, Place(document.file, document.line), "file", draft.notes)
        service = _service(top, draft)
        topics = {
            name: _topic(name, part, draft) for name, part in top["channels"].entries() if isinstance(part.value, dict)
        }
        found = list(_sent_and_received(top))
        if not found:
            top.leave_out("operations", "found none, expected something that is sent or received")
        for sends, channel, part in found:
            if channel not in topics:
                part.leave_out(f"channel {channel[:60]}", "is not described; expected it under `channels`")
                continue
            topic = topics[channel]
            if service.recorded:
                part.leave_out(f"{topic} of {service.key[1]}", "traces tell what it sends and receives")
            elif sends:
                name = (part["operationId"].text() or f"send {topic}")[:120].replace("?", "")
                work = Plain(Said({"work": "5ms"}, "the time that a request takes here", True))
                service.endpoints[name] = Recorded((work, Plain(Said({"publish": topic}, ""))), where(part.at))
                draft.entries.append(Entry(service.key, "sends messages", part.at))
                draft.take(part.at, "publication")
            else:
                service.consumes.setdefault(topic, Consumer(_group(part, service), part.at))
                draft.take(part.at, "consumer")


def _sent_and_received(top: Part) -> Iterator[tuple[bool, str, Part]]:
    """(whether it sends, the channel, the operation)."""
    if "operations" in top:
        for _, part in top["operations"].entries():
            channel = part["channel"]["$ref"].text().rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            if channel and part["action"].text() in ("send", "receive"):
                yield part["action"].text() == "send", channel, part
        return
    for name, its in top["channels"].entries():
        for word, sends in (("subscribe", True), ("publish", False)):
            if isinstance(its.value, dict) and isinstance(its[word].value, dict):
                yield sends, name, its[word]


def _topic(name: str, part: Part, draft: Draft) -> str:
    kafka = part["bindings"]["kafka"]
    topic = (kafka["topic"].text() or part["address"].text() or name)[:150]
    count = kafka["partitions"]
    partitions = count.whole(1, 100_000) if count else None
    said = Said(partitions) if partitions is not None else None
    draft.topics.setdefault(
        topic, Topic(said, f"channel {name[:60]} ({where(part.at)})" if said else f"partitions of channel {name[:60]}")
    )
    return topic


def _group(part: Part, service: Service) -> Said:
    group = part["bindings"]["kafka"]["groupId"]
    named = (
        group.text()
        if isinstance(group.value, str)
        else group["const"].text() or next((item.text() for item in group["enum"].items()), "")
    )
    return (
        Said(named, f"groupId ({where(group.at)})")
        if named
        else Said(service.key[1], "the name of the service; no groupId is said", True)
    )


def _service(top: Part, draft: Draft) -> Service:
    """The service behind the interface: by the host of its servers, or by its title."""
    title = top["info"]["title"].text()[:60]
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-").removesuffix("-api") or "api"
    for host in (*_hosts(top), slug, title):
        service = matching(draft, host) if host else None
        if service is not None:
            return service
    return draft.add_service(Service(("", slug), f"interface {title or slug}", top.at))


def _hosts(top: Part) -> Iterator[str]:
    if isinstance(top["servers"].value, list):
        for server in top["servers"].items():
            try:
                yield urlsplit(server["url"].text()).hostname or ""
            except ValueError:
                continue
    yield top["host"].text().partition(":")[0] if isinstance(top["host"].value, str) else ""
