"""DeathStarBench's `service-config.json`: under which address each service finds the others, for how long it waits,
and how many calls it makes at once.

By its `ClientPool.h`: a call takes a connection of the pool for itself; there are `connections` of them, and who
finds none waits `timeout_ms` at most. So the pool is a bulkhead of each caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.importing.draft import Draft, Service, where
from sim.importing.images import role_of
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Place


def recognises(value: Data) -> bool:
    """Several entries with an address, a port, and how many connections there are or for how long to wait."""
    if not isinstance(value, dict) or "services" in value:
        return False
    alike = [item for item in value.values() if isinstance(item, dict) and {"addr", "port"} <= item.keys()]
    return len(alike) >= 2 and all({"timeout_ms", "connections", "keepalive_ms"} & item.keys() for item in alike)


def read(documents: Sequence[Document], draft: Draft) -> None:
    """Every entry is about the calls of one service."""
    for document in documents:
        top = Part(document.value, Place(document.file, document.line), "file", draft.notes)
        for name, part in top.entries():
            if isinstance(part.value, dict) and "addr" in part:
                _entry(name, part, draft)


def _entry(name: str, part: Part, draft: Draft) -> None:
    host = part["addr"].text()
    service = draft.find(host) if host else None
    if service is None:
        service = draft.add_service(Service(("", host or name), f"service {name}", part.at, role_of("", name)))
    waits = part["timeout_ms"].whole(1, 10**9)
    most = part["connections"].whole(1, 10**6)
    fields: dict[str, Data] = {}
    if waits is not None:
        fields["timeout"] = f"{waits}ms"
    if most is not None:
        fields["bulkhead"] = {"max_concurrent_calls": most, **({"max_wait": f"{waits}ms"} if waits is not None else {})}
    if fields:
        service.guard = f"calls of {name}"[:150]
        draft.guards[service.guard] = fields, f"timeout_ms and connections of each caller ({where(part.at)})"
    draft.take(part.at, "service")
