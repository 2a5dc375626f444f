"""Zipkin's JSON, version 2: a list of spans, or a list of traces that are lists of spans (`/api/v2/trace`,
`/api/v2/traces`).

By zipkin-api, `zipkin2-api.yaml`: `timestamp` and `duration` in us, `kind` CLIENT, SERVER, PRODUCER or CONSUMER, a
tag `error` for a failure. Client and server may share one span (B3): the half of the server is then the child of
the half of the client, which the forest sees to.
"""

from __future__ import annotations

from typing import Any

from sim.importing.traces.json_pieces import JsonPieces
from sim.importing.traces.table import CLIENT, CONSUMER, INTERNAL, Spans
from sim.importing.traces.tags import KINDS, about, failed, group, nanoseconds

_MICROSECOND = 1000
MOST_OWNERS = 100_000  # services with their addresses that are told apart


def read(pieces: JsonPieces, spans: Spans) -> None:
    """One text: a list, or one span of those that stand in lines."""
    owners: dict[tuple[str, str], int] = {}
    if pieces.peek() == "[":
        for _ in pieces.elements():
            if pieces.peek() == "[":
                for _ in pieces.elements():
                    _span(pieces.value(), spans, owners, pieces)
            else:
                _span(pieces.value(), spans, owners, pieces)
    elif pieces.peek() == "{":
        _span(pieces.value(), spans, owners, pieces)
    else:
        raise pieces.wrong("found a value of another kind, expected a list of spans")


def _span(span: Any, spans: Spans, owners: dict[tuple[str, str], int], pieces: JsonPieces) -> None:  # noqa: ANN401 - whatever a file has there
    if not isinstance(span, dict):
        spans.leave_out("is no object", pieces.line)
        return
    tags = span["tags"] if isinstance(span.get("tags"), dict) else {}
    kind = KINDS.get(str(span.get("kind", "")).lower(), INTERNAL)
    local, remote = _endpoint(span.get("localEndpoint")), _endpoint(span.get("remoteEndpoint"))
    key = (str(local.get("serviceName", ""))[:200], str(local.get("ipv4", local.get("ipv6", "")))[:60])
    if key not in owners:
        owners[key] = spans.own(*key) if len(owners) < MOST_OWNERS else spans.own(key[0])
    start, lasts = nanoseconds(span.get("timestamp"), _MICROSECOND), nanoseconds(span.get("duration", 0), _MICROSECOND)
    name = str(span.get("name") or "")
    callee = about(tags, kind, name)
    if kind == CLIENT and remote.get("serviceName"):
        callee = str(remote["serviceName"])
    parent = span.get("parentId")
    spans.add(
        span.get("traceId"),
        span.get("id"),
        parent if parent != span.get("id") else None,
        start,
        start + lasts if start >= 0 and lasts >= 0 else -1,
        owners[key],
        _named(name, tags),
        kind=kind,
        error=failed(tags),
        about=callee,
        group=group(tags) if kind == CONSUMER else "",
        line=pieces.line if not len(spans) else 0,
    )


def _named(name: str, tags: dict[str, Any]) -> str:
    """`get /orders` where the name is the bare method, as some tracers write it, and a tag has the route or the
    path.
    """
    path = tags.get("http.route", tags.get("http.path"))
    return f"{name} {path}" if isinstance(path, str) and path and name.isalpha() and len(name) <= 7 else name


def _endpoint(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a file has there
    return value if isinstance(value, dict) else {}
