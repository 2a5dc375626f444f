"""Rows of the table as trees, one trace after the other: who is whose parent, clocks set right, and where requests
enter a service.

A span is an *entrance* where its parent is of another service, where there is none, or where a server's or
consumer's span stands below a client's or producer's. Everything else is inside of the service that its nearest
entrance belongs to.

Clocks of two machines differ. A child of another service that lies outside of its parent is moved into it: to the
middle where it fits, as Jaeger does (model/adjuster/clockskew.go), else to its start. A child that begins inside
and ends later goes on after its caller, and is left where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.importing.traces.table import CLIENT, CONSUMER, FOLLOWS, KIND, PRODUCER, SERVER, Spans

Numbers = npt.NDArray[np.int64]


@dataclass
class Trace:
    """The spans of one trace, by their place in it. Times in ns, clocks set right."""

    rows: list[int]  # of the table
    service: list[int]
    operation: list[int]
    about: list[int]
    kind: list[int]
    failed: list[bool]
    asynchronous: list[bool]  # whether its parent does not wait for it
    start: list[int]
    end: list[int]
    parent: list[int]  # -1: none
    children: list[list[int]]  # in the order in which they begin
    entrance: list[bool]
    order: list[int]  # parents before children
    depth: list[int]  # below the tops
    fragments: set[int] = field(default_factory=set)  # tops whose parent was not recorded


@dataclass
class Clocks:
    """What was set right."""

    moved: int = 0
    farthest: int = 0  # ns
    circles: int = 0  # spans that are their own ancestors


class Forest:
    """The traces of a table, in the order of their first spans' digests; `services` says of which service each
    owner is.
    """

    def __init__(self, spans: Spans, services: Numbers) -> None:
        self._spans = spans
        self._columns: dict[str, npt.NDArray[Any]] = {
            name: np.frombuffer(getattr(spans, name), dtype)
            for name, dtype in (
                ("trace", np.uint64),
                ("span", np.uint64),
                ("parent", np.uint64),
                ("start", np.int64),
                ("end", np.int64),
                ("owner", np.int32),
                ("operation", np.int32),
                ("about", np.int32),
                ("flags", np.uint8),
            )
        }
        self._services = services
        self.clocks = Clocks()

    def traces(self) -> Iterator[Trace]:
        """Each trace, in the order in which they appear first."""
        trace = self._columns["trace"]
        if not trace.size:
            return
        order = np.argsort(trace, kind="stable")
        edges = np.flatnonzero(np.diff(trace[order])) + 1
        firsts, lasts = np.concatenate(([0], edges)), np.concatenate((edges, [trace.size]))
        for place in np.argsort(order[firsts], kind="stable"):
            yield self._trace(order[firsts[place] : lasts[place]])

    def _trace(self, rows: Numbers) -> Trace:
        columns = {name: column[rows] for name, column in self._columns.items()}
        flags = columns["flags"]
        kind = (flags & KIND).tolist()
        service = self._services[columns["owner"]].tolist()
        span, parent_of = columns["span"].tolist(), columns["parent"].tolist()
        parent, fragments = _parents(span, parent_of, kind, service)
        count = len(span)
        trace = Trace(
            rows.tolist(),
            service,
            columns["operation"].tolist(),
            columns["about"].tolist(),
            kind,
            ((flags & 8) != 0).tolist(),
            ((flags & FOLLOWS) != 0).tolist(),
            columns["start"].tolist(),
            columns["end"].tolist(),
            parent,
            [[] for _ in range(count)],
            [False] * count,
            [],
            [0] * count,
            fragments,
        )
        self._plant(trace)
        return trace

    def _plant(self, trace: Trace) -> None:
        """Children, entrances, and times, from the tops down."""
        parent, kind, service = trace.parent, trace.kind, trace.service
        for place, its in enumerate(parent):
            if its >= 0:
                trace.children[its].append(place)
        trace.order = [place for place, its in enumerate(parent) if its < 0]
        shift = [0] * len(parent)
        for place in trace.order:  # grows as it is walked
            its = parent[place]
            if its < 0:
                trace.entrance[place] = True
            else:
                answers = kind[place] in (SERVER, CONSUMER) and kind[its] in (CLIENT, PRODUCER)
                trace.entrance[place] = service[place] != service[its] or answers
                trace.asynchronous[place] = (
                    trace.asynchronous[place] or kind[place] == CONSUMER or kind[its] == PRODUCER
                )
                self._set_right(trace, place, its, shift)
            for child in trace.children[place]:
                trace.depth[child] = trace.depth[place] + 1
            trace.order += trace.children[place]
        self.clocks.circles += len(parent) - len(trace.order)
        for children in trace.children:
            if len(children) > 1:
                children.sort(key=lambda child: (trace.start[child], trace.end[child], child))

    def _set_right(self, trace: Trace, place: int, its: int, shift: list[int]) -> None:
        move = shift[its]
        start, end = trace.start[place] + move, trace.end[place] + move
        if trace.service[place] != trace.service[its] and not trace.asynchronous[place]:
            above, below = trace.start[its], trace.end[its]
            if start < above or start > below:
                fits = end - start <= below - above
                more = (above + below - end - start) // 2 if fits else above - start
                move, start, end = move + more, start + more, end + more
                self.clocks.moved += 1
                self.clocks.farthest = max(self.clocks.farthest, abs(more))
        shift[place], trace.start[place], trace.end[place] = move, start, end


def _parents(span: list[int], parent_of: list[int], kind: list[int], service: list[int]) -> tuple[list[int], set[int]]:
    """The place of each span's parent, -1 for none; and the tops whose parent is missing.

    Two spans of one identifier are the halves of a shared one: that of the client is the parent of that of the
    server, and who names it as its parent means the half of the own service.
    """
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for place, identifier in enumerate(span):
        if identifier not in first:
            first[identifier] = place
        elif kind[place] in (CLIENT, PRODUCER) and kind[first[identifier]] not in (CLIENT, PRODUCER):
            first[identifier], second[identifier] = place, first[identifier]
        else:
            second.setdefault(identifier, place)
    parents: list[int] = []
    fragments: set[int] = set()
    for place, identifier in enumerate(parent_of):
        if second.get(span[place]) == place:
            parents.append(first[span[place]])
            continue
        half = second.get(identifier, -1)
        its = half if half >= 0 and service[half] == service[place] and half != place else first.get(identifier, -1)
        if its < 0 and half >= 0:
            its = half
        if its == place:
            its = -1
        if its < 0 and identifier:
            fragments.add(place)
        parents.append(its)
    return parents, fragments
