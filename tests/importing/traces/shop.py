"""A shop whose truth is known, as the spans that it would record, in every format.

    page:     frontend works 4 ms (lognormal, sigma 0.6), asks catalog twice, one after the other
    checkout: frontend works 4 ms, asks stock and prices at once, then payments, publishes `orders`, which shipping consumes

catalog works 6 ms (exponential), stock 3 ms and prices 5 ms (lognormal, sigma 0.4), payments 8 ms (gamma of shape 4), shipping 2 ms (exponential). A
way takes 0.5 ms, the broker 3 ms to acknowledge. Requests come by Poisson, 40 in a second, three of ten are checkouts.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

WAY, ACK, RATE, CHECKOUTS = 0.0005, 0.003, 40.0, 0.3
BEGAN = 1_700_000_000_000_000_000  # ns since 1970


@dataclass
class Span:
    """A span as any format can say it."""

    trace: str
    id: str
    parent: str
    service: str
    operation: str
    kind: str
    start: float  # s from the beginning
    end: float
    error: bool = False
    topic: str = ""


class Recorder:
    """Hands out spans with identifiers."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def add(
        self, trace: str, parent: str, service: str, operation: str, kind: str, start: float, **more: object
    ) -> Span:
        span = Span(trace, f"{len(self.spans) + 1:016x}", parent, service, operation, kind, start, start, **more)
        self.spans.append(span)
        return span

    def call(self, caller: Span, start: float, service: str, operation: str, work: float) -> float:
        """A call of a service that only works; when its caller has the answer."""
        client = self.add(caller.trace, caller.id, caller.service, operation, "CLIENT", start)
        server = self.add(caller.trace, client.id, service, operation, "SERVER", start + WAY)
        server.end = server.start + work
        client.end = server.end + WAY
        return client.end


def lognormal(draw: random.Random, mean: float, sigma: float) -> float:
    import math

    return draw.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)


def recorded(count: int, seed: int = 1) -> list[Span]:
    """The spans of so many requests."""
    draw, recorder, now = random.Random(seed), Recorder(), 0.0
    for number in range(count):
        now += draw.expovariate(RATE)
        trace = f"{number + 1:032x}"
        checkout = draw.random() < CHECKOUTS
        root = recorder.add(trace, "", "frontend", "POST /checkout" if checkout else "GET /page", "SERVER", now)
        at = root.start + lognormal(draw, 0.004, 0.6)
        if checkout:
            stock = recorder.call(root, at, "stock", "Check", lognormal(draw, 0.003, 0.4))
            prices = recorder.call(root, at + 0.0001, "prices", "Get", lognormal(draw, 0.005, 0.4) - 0.0001)
            at = recorder.call(root, max(stock, prices), "payments", "Charge", draw.gammavariate(4, 0.002))
            sent = recorder.add(trace, root.id, "frontend", "orders publish", "PRODUCER", at, topic="orders")
            at = sent.end = at + ACK + 2 * WAY
            taken = recorder.add(trace, sent.id, "shipping", "orders process", "CONSUMER", at + 0.01, topic="orders")
            taken.end = taken.start + draw.expovariate(1 / 0.002)
        else:
            at = recorder.call(root, at, "catalog", "List", draw.expovariate(1 / 0.006))
            at = recorder.call(root, at, "catalog", "List", draw.expovariate(1 / 0.006))
        root.end = at
    return recorder.spans


def nanoseconds(seconds: float) -> int:
    return BEGAN + round(seconds * 1e9)


def as_otlp(spans: list[Span]) -> str:
    """One object with a resource for each service."""
    return json.dumps(
        {"resourceSpans": [_resource(service, spans) for service in dict.fromkeys(span.service for span in spans)]},
        indent=1,
    )


def as_otlp_lines(spans: list[Span]) -> str:
    """An object per line, as the collector writes, the resource behind its spans."""
    pieces = [spans[place : place + 7] for place in range(0, len(spans), 7)]
    lines = []
    for piece in pieces:
        resources = [_resource(service, piece) for service in dict.fromkeys(span.service for span in piece)]
        lines.append(json.dumps({"resourceSpans": [dict(reversed(resource.items())) for resource in resources]}))
    return "\n".join(lines) + "\n"


def _resource(service: str, spans: list[Span]) -> dict[str, object]:
    kinds = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    made = [
        {
            "traceId": span.trace,
            "spanId": span.id,
            **({"parentSpanId": span.parent} if span.parent else {}),
            "name": span.operation,
            "kind": kinds.index(span.kind) + 1,
            "startTimeUnixNano": str(nanoseconds(span.start)),
            "endTimeUnixNano": str(nanoseconds(span.end)),
            "attributes": [{"key": "messaging.destination.name", "value": {"stringValue": span.topic}}]
            if span.topic
            else [],
            "status": {"code": 2} if span.error else {},
        }
        for span in spans
        if span.service == service
    ]
    return {
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": made}],
    }


def as_jaeger(spans: list[Span]) -> str:
    """What the query API answers."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace, []).append(span)
    return json.dumps(
        {"data": [_jaeger_trace(trace, its) for trace, its in traces.items()], "total": 0, "errors": None}
    )


def _jaeger_trace(trace: str, spans: list[Span]) -> dict[str, object]:
    names = list(dict.fromkeys(span.service for span in spans))
    made = []
    for span in spans:
        tags = [{"key": "span.kind", "type": "string", "value": span.kind.lower()}]
        tags += [{"key": "message_bus.destination", "type": "string", "value": span.topic}] if span.topic else []
        tags += [{"key": "error", "type": "bool", "value": True}] if span.error else []
        parent = [{"refType": "CHILD_OF", "traceID": trace, "spanID": span.parent}] if span.parent else []
        start = nanoseconds(span.start) // 1000
        lasts = nanoseconds(span.end) // 1000 - start
        made.append(
            {"traceID": trace, "spanID": span.id, "operationName": span.operation, "references": parent, "startTime": start, "duration": lasts,
             "tags": tags, "processID": f"p{names.index(span.service)}"}
        )  # fmt: skip
    return {
        "traceID": trace,
        "spans": made,
        "processes": {f"p{number}": {"serviceName": name, "tags": []} for number, name in enumerate(names)},
    }


def as_zipkin(spans: list[Span]) -> str:
    """A list of spans; client and server share one, as with B3."""
    by_id = {span.id: span for span in spans}
    made = []
    for span in spans:
        client = by_id.get(span.parent)
        shared = client is not None and client.kind == "CLIENT" and span.kind == "SERVER"
        identifier, parent = (client.id, client.parent) if shared else (span.id, span.parent)
        start = nanoseconds(span.start) // 1000
        made.append(
            {"traceId": span.trace, "id": identifier, **({"parentId": parent} if parent else {}), "name": span.operation, "timestamp": start,
             "duration": nanoseconds(span.end) // 1000 - start, "localEndpoint": {"serviceName": span.service},
             **({"kind": span.kind} if span.kind != "INTERNAL" else {}),
             "tags": {**({"kafka.topic": span.topic} if span.topic else {}), **({"error": "500"} if span.error else {})},
             **({"shared": True} if shared else {})}
        )  # fmt: skip
    return json.dumps(made)


def as_csv(spans: list[Span]) -> str:
    """A line a span."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(
        [
            "trace_id",
            "span_id",
            "parent_span_id",
            "service_name",
            "name",
            "kind",
            "start_time_unix_nano",
            "duration_us",
            "status_code",
            "topic",
        ]
    )
    for span in spans:
        lasts = (span.end - span.start) * 1e6
        rows.writerow(
            [span.trace, span.id, span.parent, span.service, span.operation, span.kind, nanoseconds(span.start), f"{lasts:.3f}",
             "ERROR" if span.error else "OK", span.topic]
        )  # fmt: skip
    return out.getvalue()


WRITERS: dict[str, Callable[[list[Span]], str]] = {
    "otlp": as_otlp,
    "otlp-lines": as_otlp_lines,
    "jaeger": as_jaeger,
    "zipkin": as_zipkin,
    "csv": as_csv,
}
