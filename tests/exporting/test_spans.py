"""Traces: the tree of spans by hand arithmetic, then each format read by a reader of its own."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from sim.errors import UsageError
from sim.exporting import jaeger, otlp, perfetto
from sim.exporting.spans import traces_of
from tests.exporting.runs import CALLS, EVENTS, exported

MILLI = 1e-3


@pytest.fixture(scope="module")
def calls():
    return exported(CALLS)


@pytest.fixture(scope="module")
def events():
    return exported(EVENTS)


def first_trace(text):
    subject = exported(text)
    return traces_of(subject.records, subject.scenario)[0]


def spans_of(subject):
    """(service, name, kind, begin, end in ms since the arrival) of the first trace."""
    trace = traces_of(subject.records, subject.scenario)[0]
    since = trace.spans[0].begin
    return [
        (its.service, its.name, its.kind, round((its.begin - since) / MILLI, 6), round((its.end - since) / MILLI, 6))
        for its in trace.spans
    ]


def test_a_call_is_a_client_span_around_a_server_span(calls):
    assert spans_of(calls) == [
        ("visitors", "shop.buy", "internal", 0, 170),
        ("visitors", "shop.buy", "client", 0, 170),
        ("shop", "shop.buy", "server", 0, 170),
        ("shop", "stock.take", "client", 100, 170),
        ("stock", "stock.take", "server", 110, 160),
    ]
    parents = [span.parent for span in traces_of(calls.records, calls.scenario)[0].spans]
    assert parents == [0, 1, 2, 3, 4]


def test_an_event_is_sent_and_processed_below_what_published_it(events):
    assert spans_of(events) == [
        ("visitors", "shop.buy", "internal", 0, 105),
        ("visitors", "shop.buy", "client", 0, 105),
        ("shop", "shop.buy", "server", 0, 105),
        ("shop", "send orders", "producer", 100, 105),
        ("till", "process orders", "consumer", 105, 305),
    ]


def test_a_retry_is_a_client_span_of_its_own_and_the_failed_one_is_an_error():
    """Patience of 30 ms for a callee of 50 ms: two attempts that are given up, 10 ms apart; each goes on for nobody."""
    text = CALLS.replace(
        "{call: stock.take}",
        "{call: stock.take, policy: {timeout: 30ms, retry: {max_attempts: 2, backoff: {constant: 10ms}}}}",
    )
    trace = first_trace(text)
    tried = [span for span in trace.spans if span.kind == "client" and span.name == "stock.take"]
    since = trace.spans[0].begin
    assert [round((span.begin - since) / MILLI, 6) for span in tried] == [100, 140]
    assert [round((span.end - span.begin) / MILLI, 6) for span in tried] == [30, 30]
    assert [(span.attributes["sim.attempt"], span.attributes["sim.given_up"], span.failed) for span in tried] == [
        (1, True, True),
        (2, True, True),
    ]
    server = next(span for span in trace.spans if span.kind == "server" and span.name == "shop.buy")
    assert [piece.what for piece in server.pieces] == ["work", "call", "backoff", "retry"]
    assert server.failed


def test_an_event_in_an_outbox_is_sent_by_the_relay():
    """Relays poll every 100 ms: a row of 1.1 s waits for the next poll, and the answer does not."""
    trace = first_trace(EVENTS.replace("{publish: orders}", "{publish: orders, via: outbox}"))
    root, producer, consumer = trace.spans[0], *(span for span in trace.spans if span.kind in ("producer", "consumer"))
    assert root.end - root.begin == pytest.approx(0.1)
    assert 0.0 <= producer.attributes["sim.outbox_seconds"] <= 0.1
    assert producer.end - producer.begin == pytest.approx(0.005)
    assert consumer.parent == producer.number
    assert consumer.begin == pytest.approx(producer.end)


def test_branches_of_parallel_are_spans_that_run_at_once():
    text = CALLS.replace("[{work: 100ms}, {call: stock.take}]", "[{parallel: [[{work: 100ms}], [{call: stock.take}]]}]")
    trace = first_trace(text)
    branches = [span for span in trace.spans if span.name.startswith("branch")]
    assert [round((span.end - span.begin) / MILLI, 6) for span in branches] == [100, 70]
    assert branches[0].begin == branches[1].begin


def test_a_run_without_spans_says_how_to_get_them():
    subject = exported(CALLS, traced=False)
    with pytest.raises(UsageError, match=r"record: \{spans: exemplars\}"):
        traces_of(subject.records, subject.scenario)


def test_a_run_that_kept_all_spans_gives_two_hundred_requests_at_most():
    text = CALLS.replace("deterministic: 1/s", "poisson: 200/s").replace(
        "duration: 3s", "duration: 3s\nrecord: {spans: all}"
    )
    subject = exported(text, traced=False)
    traces = traces_of(subject.records, subject.scenario)
    assert 100 <= len(traces) <= 200
    arrivals = [trace.spans[0].begin for trace in traces]
    assert arrivals == sorted(arrivals)


# ---- OTLP: by the protocol's own messages


def parsed(text: str) -> TracesData:
    """As protobuf reads it; ids are hexadecimal in OTLP, where protobuf's own JSON has base64."""
    document = json.loads(text)
    for resource in document["resourceSpans"]:
        for span in resource["scopeSpans"][0]["spans"]:
            for key in ("traceId", "spanId", "parentSpanId"):
                if key in span:
                    span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return json_format.ParseDict(document, TracesData())


@pytest.mark.parametrize("text", [CALLS, EVENTS])
def test_otlp_is_read_by_the_messages_of_the_protocol(text):
    found = parsed(otlp.write(exported(text, began=datetime(2026, 1, 31, 9, tzinfo=UTC))))
    spans = [span for resource in found.resource_spans for scope in resource.scope_spans for span in scope.spans]
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    assert len(by_id) == len(spans)
    assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)
    assert all(not span.parent_span_id or (span.trace_id, span.parent_span_id) in by_id for span in spans)
    assert {span.kind for span in spans} <= set(ProtoSpan.SpanKind.values()) - {0}
    first = min(span.start_time_unix_nano for span in spans)
    assert datetime.fromtimestamp(first / 1e9, UTC) == datetime(2026, 1, 31, 9, 0, 1, tzinfo=UTC)
    services = [
        attribute.value.string_value
        for resource in found.resource_spans
        for attribute in resource.resource.attributes
        if attribute.key == "service.name"
    ]
    assert services[:2] == ["visitors", "shop"]


def test_otlp_says_which_spans_failed(calls):
    text = CALLS.replace("timeout: 5s", "timeout: 50ms")
    failed = [
        span
        for resource in parsed(otlp.write(exported(text))).resource_spans
        for span in resource.scope_spans[0].spans
        if span.status.code == 2
    ]
    assert {span.name for span in failed} == {"shop.buy"}
    assert all(
        span.status.code == 0
        for resource in parsed(otlp.write(calls)).resource_spans
        for span in resource.scope_spans[0].spans
    )


# ---- Jaeger: the shape of model/json/model.go


def test_jaeger_has_the_shape_of_its_model(events):
    document = json.loads(jaeger.write(events))
    assert set(document) == {"data", "total", "limit", "offset", "errors"}
    for trace in document["data"]:
        ids = {span["spanID"] for span in trace["spans"]}
        for span in trace["spans"]:
            assert {
                "traceID",
                "spanID",
                "operationName",
                "references",
                "startTime",
                "duration",
                "tags",
                "logs",
                "processID",
            } <= set(span)
            assert span["traceID"] == trace["traceID"]
            assert len(span["traceID"]) == 32
            assert len(span["spanID"]) == 16
            assert all(
                its["refType"] in ("CHILD_OF", "FOLLOWS_FROM") and its["spanID"] in ids for its in span["references"]
            )
            assert isinstance(span["startTime"], int)
            assert span["duration"] >= 0
            assert span["processID"] in trace["processes"]
            assert all(tag["type"] in ("string", "bool", "int64", "float64", "binary") for tag in span["tags"])
        assert all(process["serviceName"] for process in trace["processes"].values())
    lengths = {span["operationName"]: span["duration"] for span in document["data"][0]["spans"]}
    assert lengths["process orders"] == pytest.approx(200_000, abs=1)


# ---- Perfetto: the rules of the trace event format


def test_perfetto_slices_of_a_thread_nest_and_arrows_lead_from_one_to_the_next(calls):
    document = json.loads(perfetto.write(calls))
    assert document["displayTimeUnit"] in ("ms", "ns")
    by_thread, arrows = defaultdict(list), defaultdict(list)
    for event in document["traceEvents"]:
        assert event["ph"] in ("X", "M", "s", "f")
        assert isinstance(event["pid"], int)
        if event["ph"] == "X":
            by_thread[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
        elif event["ph"] in "sf":
            arrows[event["id"]].append(event)
    for slices in by_thread.values():
        whole, *inner = slices
        assert all(whole[0] <= begin <= end <= whole[1] + 1e-3 for begin, end in inner)
        assert all(before[1] <= after[0] + 1e-3 for before, after in pairwise(inner))
    assert all(
        [event["ph"] for event in both] == ["s", "f"] and both[0]["ts"] <= both[1]["ts"] for both in arrows.values()
    )
    names = [event["args"]["name"] for event in document["traceEvents"] if event["name"] == "process_name"]
    assert names[0].startswith("shop.buy of visitors")
    assert "170ms, ok" in names[0]


def test_every_format_of_traces_is_the_same_file_for_the_same_run():
    for written in (otlp.write, jaeger.write, perfetto.write):
        assert written(exported(EVENTS)) == written(exported(EVENTS))


QUEUED = """
version: 1
name: queued
duration: 10s
traffic: {visitors: {sends: shop.buy, arrivals: {replay: {data: [0.0]}}, completes_with: [done]}}
services:
  shop: {workers: 4, endpoints: {buy: [{publish: jobs, confirm: each}]}}
  worker: {workers: 4, consumes: {jobs: {prefetch: 1, do: [{work: 100ms}, {effect: done}]}}}
brokers: {rabbit: {kind: queue, queues: {jobs: {}}}}
network: {default: {latency: 10ms}}
record: {spans: all}
"""


def test_what_a_queue_hands_out_is_processed_below_what_published_it_as_of_rabbitmq():
    trace = first_trace(QUEUED)
    handled = [span for span in trace.spans if span.kind == "consumer"]
    since = trace.spans[0].begin
    assert [
        (span.service, span.name, round(span.begin - since, 9), round(span.end - since, 9)) for span in handled
    ] == [("worker", "process jobs", 0.02, 0.12)]
    assert handled[0].attributes["messaging.system"] == "rabbitmq"
