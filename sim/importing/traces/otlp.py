"""OTLP as JSON: what OpenTelemetry's collector writes to files (an object per line) and what its protocol sends;
also answers of Grafana Tempo.

By opentelemetry-proto, `trace/v1/trace.proto`, in the JSON mapping of protobuf:
`resourceSpans[].scopeSpans[].spans[]`, times in ns as text, kinds as numbers (1 internal, 2 server, 3 client, 4
producer, 5 consumer) or by name, a status of 2 is an error. A span that *links* to another and has no parent goes
on what that one began, which does not wait.
"""

from __future__ import annotations

from typing import Any

from sim.importing.traces.json_pieces import JsonPieces
from sim.importing.traces.table import CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER, Owner, Spans, clean
from sim.importing.traces.tags import ALL, INSTANCE, about, failed, group, instance, nanoseconds

_RESOURCES = ("resourceSpans", "resource_spans", "batches")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
_KINDS = {1: INTERNAL, 2: SERVER, 3: CLIENT, 4: PRODUCER, 5: CONSUMER}
_NAMED = {"INTERNAL": INTERNAL, "SERVER": SERVER, "CLIENT": CLIENT, "PRODUCER": PRODUCER, "CONSUMER": CONSUMER}
_OF_RESOURCE = frozenset(("service.name", "service.namespace", *INSTANCE))


def read(pieces: JsonPieces, spans: Spans) -> None:
    """One text: an object with resources that have spans."""
    _inside(pieces, spans, 0)


def _inside(pieces: JsonPieces, spans: Spans, depth: int) -> None:
    if pieces.peek() != "{":
        raise pieces.wrong("found a value of another kind, expected an object with resourceSpans")
    for key in pieces.members():
        if key in _RESOURCES and pieces.peek() == "[":
            for _ in pieces.elements():
                _resource(pieces, spans)
        elif key in ("trace", "data", "result") and pieces.peek() == "{" and depth < 3:
            _inside(pieces, spans, depth + 1)
        else:
            pieces.value()


def _resource(pieces: JsonPieces, spans: Spans) -> None:
    if pieces.peek() != "{":
        pieces.value()
        return
    owner = spans.own()
    for key in pieces.members():
        if key == "resource":
            resource = pieces.value()
            its = _attributes(resource.get("attributes") if isinstance(resource, dict) else None, _OF_RESOURCE)
            spans.owners[owner] = Owner(clean(str(its.get("service.name", ""))), clean(instance(its)))
        elif key in _SCOPES and pieces.peek() == "[":
            for _ in pieces.elements():
                _scope(pieces, spans, owner)
        else:
            pieces.value()


def _scope(pieces: JsonPieces, spans: Spans, owner: int) -> None:
    if pieces.peek() != "{":
        pieces.value()
        return
    for key in pieces.members():
        if key == "spans" and pieces.peek() == "[":
            for _ in pieces.elements():
                span = pieces.value()
                if isinstance(span, dict):
                    _span(span, spans, owner, pieces)
        else:
            pieces.value()


def _span(span: dict[str, Any], spans: Spans, owner: int, pieces: JsonPieces) -> None:
    tags = _attributes(span.get("attributes"), ALL)
    written = span.get("kind")
    kind = (
        _KINDS.get(written, INTERNAL)
        if isinstance(written, int)
        else _NAMED.get(str(written).rpartition("_")[2].upper(), INTERNAL)
    )
    status = span.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    parent, follows = span.get("parentSpanId") or span.get("parent_span_id"), False
    if not parent and isinstance(links := span.get("links"), list) and links and isinstance(links[0], dict):
        same = str(links[0].get("traceId", "")).lower() == str(span.get("traceId", "")).lower()
        parent, follows = (links[0].get("spanId"), True) if same else (None, False)
    name = str(span.get("name", ""))
    spans.add(
        span.get("traceId") or span.get("trace_id"),
        span.get("spanId") or span.get("span_id"),
        parent,
        nanoseconds(span.get("startTimeUnixNano", span.get("start_time_unix_nano"))),
        nanoseconds(span.get("endTimeUnixNano", span.get("end_time_unix_nano"))),
        owner,
        name,
        kind=kind,
        error=code in (2, "2", "STATUS_CODE_ERROR") or failed(tags),
        follows=follows,
        about=about(tags, kind, name),
        group=group(tags) if kind == CONSUMER else "",
        line=pieces.line if not len(spans) else 0,
    )


def _attributes(value: Any, wanted: frozenset[str]) -> dict[str, Any]:  # noqa: ANN401 - whatever a file has there
    """`[{key, value: {stringValue}}]` as a map, of the wanted ones."""
    found: dict[str, Any] = {}
    for item in value if isinstance(value, list) else ():
        key, its = (item.get("key"), item.get("value")) if isinstance(item, dict) else (None, None)
        if isinstance(key, str) and key in wanted and isinstance(its, dict):
            found[key] = next((inner for inner in its.values() if isinstance(inner, (str, int, float))), None)
    return found
