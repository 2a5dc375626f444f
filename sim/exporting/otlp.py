"""Traces as OTLP/JSON, the encoding that the OpenTelemetry protocol specifies (opentelemetry.io/docs/specs/otlp, "JSON
Protobuf Encoding"): ids are hexadecimal, 64-bit numbers are texts, kinds and codes are numbers. One resource for each
service.
"""

from __future__ import annotations

import json
from typing import Any

from sim.exporting.ids import span_id, trace_id
from sim.exporting.spans import Span, Trace, traces_of
from sim.exporting.subject import Subject

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}  # trace.proto, SpanKind
ERROR = 2  # StatusCode; what went well stays unset, as instrumentation leaves it
SCOPE = "sim"


def write(subject: Subject) -> str:
    """The traces of the exemplars as one TracesData."""
    by_service: dict[str, list[dict[str, Any]]] = {}
    for trace in traces_of(subject.records, subject.scenario):
        for span in trace.spans:
            by_service.setdefault(span.service, []).append(_span(subject, trace, span))
    resources = [
        {
            "resource": {
                "attributes": [_attribute("service.name", service), _attribute("service.namespace", subject.name)]
            },
            "scopeSpans": [{"scope": {"name": SCOPE}, "spans": spans}],
        }
        for service, spans in by_service.items()
    ]
    return json.dumps({"resourceSpans": resources}, indent=1) + "\n"


def _span(subject: Subject, trace: Trace, span: Span) -> dict[str, Any]:
    its = trace_id(subject.records, trace.request)
    parent = {"parentSpanId": span_id(its, span.parent)} if span.parent else {}
    events = [{"timeUnixNano": str(subject.nanoseconds(piece.begin)), "name": piece.what} for piece in span.pieces]
    return {
        "traceId": its,
        "spanId": span_id(its, span.number),
        **parent,
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(subject.nanoseconds(span.begin)),
        "endTimeUnixNano": str(subject.nanoseconds(span.end)),
        "attributes": [_attribute(key, value) for key, value in span.attributes.items()],
        **({"events": events} if events else {}),
        "status": {"code": ERROR} if span.failed else {},
    }


def _attribute(key: str, value: str | int | float | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}}
