"""Jaeger's JSON: what its query API answers (`/api/traces`) and its UI exports, `{"data": [{"traceID", "spans",
"processes"}]}`.

By jaeger/model/json/model.go: times and durations in us; `references` of the type CHILD_OF (the parent waits) or
FOLLOWS_FROM (it does not); `processID` names one of the trace's `processes`, which stand behind its spans. A
`sampler.param` of a probabilistic sampler says which share was recorded.
"""

from __future__ import annotations

from typing import Any

from sim.importing.traces.json_pieces import JsonPieces
from sim.importing.traces.table import CONSUMER, Spans, clean
from sim.importing.traces.tags import ALL, about, failed, group, instance, kind_of, nanoseconds

_MICROSECOND = 1000
_SAMPLER = ("sampler.type", "sampler.param")
_WANTED = frozenset((*ALL, *_SAMPLER))


def read(pieces: JsonPieces, spans: Spans) -> None:
    """One text: an answer with traces, a list of traces, or one trace."""
    if pieces.peek() == "[":
        for _ in pieces.elements():
            _trace(pieces, spans)
    elif pieces.peek() == "{":
        _trace(pieces, spans)
    else:
        raise pieces.wrong("found a value of another kind, expected an object with `data`")


def _trace(pieces: JsonPieces, spans: Spans, depth: int = 0) -> None:
    """A trace, or an object whose `data` are traces: of both, the processes are known when all is read."""
    if pieces.peek() != "{":
        pieces.value()
        return
    owners: dict[str, int] = {}
    for key in pieces.members():
        if key == "data" and pieces.peek() == "[" and not depth:
            for _ in pieces.elements():
                _trace(pieces, spans, depth + 1)
        elif key == "spans" and pieces.peek() == "[":
            for _ in pieces.elements():
                span = pieces.value()
                if isinstance(span, dict):
                    _span(span, spans, owners, pieces)
        elif key == "processes" and pieces.peek() == "{":
            for name in pieces.members():
                if name not in owners:
                    owners[name] = spans.own()
                _process(pieces.value(), owners[name], spans)
        else:
            pieces.value()


def _process(process: Any, owner: int, spans: Spans) -> None:  # noqa: ANN401 - whatever a file has there
    if isinstance(process, dict):
        its = spans.owners[owner]
        its.service = clean(str(process.get("serviceName", "")))
        its.instance = clean(instance(_tags(process.get("tags"))))


def _span(span: dict[str, Any], spans: Spans, owners: dict[str, int], pieces: JsonPieces) -> None:
    tags = _tags(span.get("tags"), _WANTED)
    process = span.get("process")
    name = str(span.get("processID", "")) if not isinstance(process, dict) else f"\0{process.get('serviceName', '')}"
    if name not in owners:
        owners[name] = spans.own(name[1:]) if name.startswith("\0") else spans.own()
    start, lasts = nanoseconds(span.get("startTime"), _MICROSECOND), nanoseconds(span.get("duration"), _MICROSECOND)
    parent, follows = _parent(span)
    operation, kind = str(span.get("operationName", "")), kind_of(tags)
    if parent is None and str(tags.get("sampler.type", "")) == "probabilistic":
        param = tags.get("sampler.param")
        if isinstance(param, (int, float)) and 0 < param <= 1:
            spans.sampled[float(param)] += 1
    spans.add(
        span.get("traceID"),
        span.get("spanID"),
        parent,
        start,
        start + lasts if start >= 0 and lasts >= 0 else -1,
        owners[name],
        operation,
        kind=kind,
        error=failed(tags),
        follows=follows,
        about=about(tags, kind, operation),
        group=group(tags) if kind == CONSUMER else "",
        line=pieces.line if not len(spans) else 0,
    )


def _parent(span: dict[str, Any]) -> tuple[str | None, bool]:
    """The identifier of its parent, and whether that does not wait."""
    references = span.get("references")
    found = [item for item in references if isinstance(item, dict)] if isinstance(references, list) else []
    here = [item for item in found if item.get("traceID", span.get("traceID")) == span.get("traceID")]
    first = next((item for item in here if item.get("refType") == "CHILD_OF"), here[0] if here else None)
    if first is None:
        old = span.get("parentSpanID")
        return (old, False) if isinstance(old, str) and old else (None, False)
    parent = first.get("spanID")
    return (parent if isinstance(parent, str) else None), first.get("refType") == "FOLLOWS_FROM"


def _tags(value: Any, wanted: frozenset[str] | None = None) -> dict[str, Any]:  # noqa: ANN401 - whatever a file has there
    """`[{key, value}]` as a map, of the wanted ones; what is no plain value is none."""
    if not isinstance(value, list):
        return {}
    return {
        item["key"]: item.get("value")
        for item in value
        if isinstance(item, dict)
        and isinstance(item.get("key"), str)
        and (wanted is None or item["key"] in wanted)
        and isinstance(item.get("value"), (str, int, float))
    }
