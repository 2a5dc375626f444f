"""Traces as Jaeger's UI reads and its query service answers them (jaeger, model/json/model.go): times in microseconds,
one process for each service.
"""

from __future__ import annotations

import json
from typing import Any

from sim.exporting.ids import span_id, trace_id
from sim.exporting.spans import Span, Trace, traces_of
from sim.exporting.subject import Subject


def write(subject: Subject) -> str:
    """The traces of the exemplars, for "JSON File" of Jaeger's search page."""
    traces = [_trace(subject, trace) for trace in traces_of(subject.records, subject.scenario)]
    whole = {"data": traces, "total": len(traces), "limit": 0, "offset": 0, "errors": None}
    return json.dumps(whole, indent=1) + "\n"


def _trace(subject: Subject, trace: Trace) -> dict[str, Any]:
    services = list(dict.fromkeys(span.service for span in trace.spans))
    processes = {f"p{number}": {"serviceName": service, "tags": []} for number, service in enumerate(services, 1)}
    its = trace_id(subject.records, trace.request)
    spans = [_span(subject, its, span, f"p{services.index(span.service) + 1}") for span in trace.spans]
    return {"traceID": its, "spans": spans, "processes": processes, "warnings": None}


def _span(subject: Subject, trace: str, span: Span, process: str) -> dict[str, Any]:
    begin, end = _microseconds(subject, span.begin), _microseconds(subject, span.end)
    parent = [{"refType": "CHILD_OF", "traceID": trace, "spanID": span_id(trace, span.parent)}] if span.parent else []
    tags = {"span.kind": span.kind, **span.attributes, **({"error": True} if span.failed else {})}
    logs = [
        {"timestamp": _microseconds(subject, piece.begin), "fields": [_tag("event", piece.what)]}
        for piece in span.pieces
    ]
    return {
        "traceID": trace,
        "spanID": span_id(trace, span.number),
        "operationName": span.name,
        "references": parent,
        "startTime": begin,
        "duration": end - begin,
        "tags": [_tag(key, value) for key, value in tags.items()],
        "logs": logs,
        "processID": process,
        "warnings": None,
    }


def _microseconds(subject: Subject, seconds: float) -> int:
    """Whole ones: who is within another stays within it."""
    return subject.nanoseconds(seconds) // 1000


def _tag(key: str, value: str | int | float | bool) -> dict[str, Any]:
    kinds = {bool: "bool", int: "int64", float: "float64", str: "string"}
    return {"key": key, "type": kinds[type(value)], "value": value}
