"""Files with spans: told from their beginning, and read into one table from there on."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from sim.errors import Problem, ScenarioError
from sim.importing.traces import jaeger, otlp, zipkin
from sim.importing.traces.json_pieces import JsonPieces
from sim.importing.traces.span_csv import columns_of
from sim.importing.traces.span_csv import read as read_csv
from sim.importing.traces.table import Spans

HEAD = 2**16  # bytes by which a kind is told


@dataclass(frozen=True)
class Format:
    """A format of spans: its name, what people call it, and how its beginning is recognised."""

    name: str
    title: str
    recognises: Callable[[str], bool]
    read: Callable[[JsonPieces, Spans], None] | None  # None: lines of CSV


def _is_otlp(head: str) -> bool:
    return head[:1] == "{" and re.search(r'"(?:resource_?[sS]pans|batches)"\s*:\s*\[', head) is not None


def _is_jaeger(head: str) -> bool:
    return head[:1] in ("{", "[") and '"traceID"' in head and ('"spans"' in head or '"spanID"' in head)


def _is_zipkin(head: str) -> bool:
    named = '"traceId"' in head and '"id"' in head and '"resourceSpans"' not in head
    return (
        head[:1] in ("[", "{")
        and named
        and ('"localEndpoint"' in head or '"timestamp"' in head or '"duration"' in head)
    )


def _is_csv(head: str) -> bool:
    try:
        return (
            columns_of(next(csv.reader([head.splitlines()[0]]), [])) is not None
            if head and head[0] not in "{["
            else False
        )
    except csv.Error:
        return False


FORMATS = (
    Format("otlp", "traces (OTLP)", _is_otlp, otlp.read),
    Format("jaeger", "traces (Jaeger)", _is_jaeger, jaeger.read),
    Format("zipkin", "traces (Zipkin)", _is_zipkin, zipkin.read),
    Format("spans", "traces (span CSV)", _is_csv, None),
)


def format_of(head: bytes) -> Format | None:
    """The format of a file that begins so; None where it is none of spans."""
    text = head[:HEAD].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return next((its for its in FORMATS if its.recognises(text)), None)


def read(source: IO[bytes], file: str, its: Format, spans: Spans) -> None:
    """All spans of a file; a ScenarioError with place, finding and expectation where it is no text of its format."""
    if its.read is None:
        read_csv(source, file, spans)
        return
    pieces = JsonPieces(source, file)
    before = len(spans)
    while pieces.peek():
        its.read(pieces, spans)
    if len(spans) == before:
        left = next(iter(spans.left_out.items()), None)
        why = f": each of {left[1].count} {left[0]}" if left is not None else ""
        raise ScenarioError([Problem(f"found no span in it{why}, expected some", "", file)])
