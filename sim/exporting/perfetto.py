"""Traces in Chrome's trace event format, which Perfetto's UI, chrome://tracing and Speedscope read ("Trace Event
Format", the JSON object form).

A request is a process and each of its spans a thread, in the order in which they were made, so that it reads as a
waterfall; below a span stands what it was about (queue, work, back-off ...), and arrows lead from a span to those it
made. Times in microseconds since the start of the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sim.exporting.spans import Span, Trace, traces_of
from sim.exporting.subject import Subject
from sim.units import show_duration

Event = dict[str, Any]


def write(subject: Subject) -> str:
    """The exemplars, the slowest first."""
    traces = sorted(traces_of(subject.records, subject.scenario), key=lambda trace: (-_length(trace), trace.request))
    events = [event for place, trace in enumerate(traces, 1) for event in _events(place, trace)]
    told = {"scenario": subject.name, "variant": subject.variant, "seed": subject.records.seed}
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms", "otherData": told}, indent=0) + "\n"


def _length(trace: Trace) -> float:
    return trace.spans[0].end - trace.spans[0].begin


def _events(process: int, trace: Trace) -> Iterator[Event]:
    root = trace.spans[0]
    title = (
        f"{root.name} of {trace.source}, number {trace.number}: {show_duration(_length(trace))}, "
        f"{root.attributes['sim.outcome']}"
    )
    yield _told("process_name", process, 0, {"name": title})
    yield _told("process_sort_index", process, 0, {"sort_index": process})
    for span in trace.spans:
        yield _told("thread_name", process, span.number, {"name": f"{span.service}: {span.name} ({span.kind})"})
        yield _told("thread_sort_index", process, span.number, {"sort_index": span.number})
        colour = {"cname": "terrible"} if span.failed else {}
        yield {
            **_slice(span.name, span.kind, span.begin, span.end, process, span.number),
            **colour,
            "args": span.attributes,
        }
        yield from (_slice(its.what, "stage", its.begin, its.end, process, span.number) for its in span.pieces)
    yield from (
        event for span in trace.spans if span.parent for event in _arrow(process, trace.spans[span.parent - 1], span)
    )


def _told(name: str, process: int, thread: int, about: dict[str, Any]) -> Event:
    return {"ph": "M", "name": name, "pid": process, "tid": thread, "args": about}


def _slice(name: str, category: str, begin: float, end: float, process: int, thread: int) -> Event:
    since = _microseconds(begin)
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "ts": since,
        "dur": round(_microseconds(end) - since, 3),
        "pid": process,
        "tid": thread,
    }


def _arrow(process: int, parent: Span, span: Span) -> Iterator[Event]:
    """A flow event: it leaves the slice of the parent, and enters that of the span."""
    leaves = min(max(parent.begin, span.begin), parent.end)
    about = {"name": "calls", "cat": "flow", "id": process * 100_000 + span.number, "pid": process}
    yield {**about, "ph": "s", "ts": _microseconds(leaves), "tid": parent.number}
    yield {**about, "ph": "f", "bp": "e", "ts": _microseconds(span.begin), "tid": span.number}


def _microseconds(seconds: float) -> float:
    """To the nanosecond."""
    return round(seconds * 1e6, 3)
