"""Requests as trees of spans, as OpenTelemetry draws them: a client and a server span for each attempt, producers and
consumers for events.

Needs stages and spans, of all requests or of exemplars. The root is the logical request, from its intended arrival to
its answer. A server span begins where the attempt arrived, so that its time in the queue is inside. Consumers of an
event are children of what published it. Does not show what has no name of its own in a trace: hops (the time between a
client span and its server span) and what an outbox's relay does between two polls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import UsageError
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import PASSED, Outcome, Stage

Kind = Literal["internal", "client", "server", "producer", "consumer"]
SLOWEST = EVENLY = 100  # of a run that kept the spans of all requests: the slowest, and some that lie evenly over it
_CALLS = (Stage.CALL, Stage.RETRY)
_BOUNDARIES = (Stage.LAG, Stage.RETRY_TOPIC, Stage.END)  # where the processing of a delivery is over
_NUMBER = (1 << 40) - 1  # the running number in the id of a request


class Piece(NamedTuple):
    """What a span was about for a while: a word of `vocabulary.Stage`, or `queue`. Seconds of the run."""

    what: str
    begin: float
    end: float


@dataclass
class Span:
    """One operation. Times in seconds since the start of the run."""

    number: int  # 1, 2 ... within its trace; parents before their children
    parent: int  # 0: none
    service: str
    name: str
    kind: Kind
    begin: float
    end: float
    failed: bool = False
    attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)  # one after the other, within the span


@dataclass(frozen=True)
class Trace:
    """One logical request; the first span is its root."""

    request: int  # its id in the records
    number: int  # within its source
    source: str
    spans: tuple[Span, ...]


def traces_of(records: Records, scenario: Scenario) -> list[Trace]:
    """The traces of the requests whose spans were kept, in the order of their arrival; a UsageError where there are
    none.
    """
    if not records.stages.size:
        raise UsageError(
            "found a run without spans, expected one with record: {spans: exemplars}; export the scenario itself, or "
            "run it so"
        )
    if records.summary is not None:
        raise UsageError(
            "found a run with record: summary, which keeps no requests, expected record: {keep: rows, spans: exemplars}"
        )
    rows = _chosen(records)
    wanted = records.requests["id"][rows]
    stages = _by_request(records.stages[np.isin(records.stages["request"], wanted)])
    spans = _by_request(records.spans[np.isin(records.spans["request"], wanted)])
    empty = records.spans[:0]
    names = _Names(records, scenario)
    rows = rows[np.argsort(records.requests["arrival"][rows], kind="stable")]
    its = ((row, int(records.requests["id"][row])) for row in rows.tolist())
    return [
        _Tree(records.requests[row], stages[number], spans.get(number, empty), names, records.duration).trace()
        for row, number in its
    ]


def _chosen(records: Records) -> NDArray[np.int64]:
    """Rows of requests with stages: all of exemplars; else the slowest, and some of the others."""
    rows = np.flatnonzero(np.isin(records.requests["id"], np.unique(records.stages["request"])))
    if records.exemplary or rows.size <= SLOWEST + EVENLY:
        return rows
    requests = records.requests[rows]
    response = np.where(np.isnan(requests["end"]), records.duration, requests["end"]) - requests["arrival"]
    slowest = rows[np.lexsort((requests["id"], -response))[:SLOWEST]]
    evenly = rows[np.argsort(requests["arrival"], kind="stable")][
        np.linspace(0, rows.size - 1, EVENLY).astype(np.int64)
    ]
    return np.unique(np.concatenate([slowest, evenly]))


def _by_request(table: NDArray[np.void]) -> dict[int, NDArray[np.void]]:
    """Request -> its rows, in their order."""
    table = table[np.argsort(table["request"], kind="stable")]
    ids, first = np.unique(table["request"], return_index=True)
    return {
        int(number): table[begin:end]
        for number, (begin, end) in zip(ids, pairwise([*first.tolist(), table.size]), strict=True)
    }


class _Names:
    """What the names in the records are."""

    def __init__(self, records: Records, scenario: Scenario) -> None:
        self.words = (*records.names, "")
        self.services = {
            f"{name}.{endpoint}": name for name, spec in scenario.services.items() for endpoint in spec.endpoints
        }
        self.topics = {topic: broker for broker, spec in scenario.brokers.items() for topic in spec.destinations}
        self.systems = {
            topic: spec.system for spec in scenario.brokers.values() for topic in (*spec.destinations, *spec.sources)
        }
        consumed = [
            (consume.group or source, name)
            for name, spec in scenario.services.items()
            for source, consume in spec.consumes.items()
        ]
        self.groups = dict(consumed)  # of a queue, which has none, by its own name

    def service(self, place: str) -> str:
        """`payments.charge` and `payments` -> payments."""
        return self.services.get(place, place)


class _Stage(NamedTuple):
    kind: Stage
    place: str
    begin: float
    end: float
    about: int
    branches: int


class _Tree:
    """The spans of one request, made from the client on."""

    def __init__(
        self, request: np.void, stages: NDArray[np.void], spans: NDArray[np.void], names: _Names, last: float
    ) -> None:
        self._request, self._names, self._last = request, names, last
        self._attempts = {int(span["flow"]): span for span in spans if span["flow"] >= 0}
        self._flows: dict[int, list[np.void]] = {}
        self._followed: dict[int, list[int]] = {}
        for stage in stages:
            if stage["kind"] == Stage.FOLLOWED:
                self._followed.setdefault(int(stage["flow"]), []).append(int(stage["about"]))
            elif stage["kind"] != Stage.COMPLETED:
                self._flows.setdefault(int(stage["flow"]), []).append(stage)
        self._spans: list[Span] = []

    def trace(self) -> Trace:
        """All of it."""
        request, words = self._request, self._names.words
        outcome, source = Outcome(request["outcome"]), words[request["source"]]
        end = self._last if math.isnan(request["end"]) else float(request["end"])
        root = self._add(
            0, source, words[request["route"]], "internal", float(request["arrival"]), end, outcome not in PASSED
        )
        root.attributes |= {
            "sim.outcome": outcome.word,
            "sim.request": int(request["id"]) & _NUMBER,
            "sim.attempts": int(request["attempts"]),
        }
        if request["where"] >= 0:
            root.attributes["sim.where"] = words[request["where"]]
        if not math.isnan(request["completion"]):
            root.attributes["sim.completion_seconds"] = float(request["completion"] - request["arrival"])
        self._walk(min(self._flows), root, end)
        return Trace(int(request["id"]), int(request["id"]) & _NUMBER, source, tuple(self._spans))

    def _add(
        self, parent: int, service: str, name: str, kind: Kind, begin: float, end: float, failed: bool = False
    ) -> Span:
        span = Span(len(self._spans) + 1, parent, service, name, kind, begin, max(begin, end), failed)
        self._spans.append(span)
        return span

    def _stages(self, flow: int, ended: float) -> Iterator[_Stage]:
        """What a flow did, each stage until the next begins."""
        rows = self._flows.get(flow, [])
        ends = [*(float(row["begin"]) for row in rows[1:]), ended]
        for row, end in zip(rows, ends, strict=True) if rows else ():
            begin = float(row["begin"])
            yield _Stage(
                Stage(row["kind"]),
                self._names.words[row["place"]],
                begin,
                max(begin, end),
                int(row["about"]),
                int(row["seconds"]),
            )

    def _walk(self, flow: int, span: Span, ended: float) -> None:
        """What a flow did inside a span, and what came of it."""
        self._inside(list(self._stages(flow, ended)), span)
        for other in self._followed.get(flow, ()):
            self._event(other, span, "")

    def _inside(self, stages: Sequence[_Stage], span: Span) -> None:
        number = 0
        for stage in stages:
            if stage.kind == Stage.END:
                return
            self._piece(span, stage.kind.word, stage.begin, stage.end)
            if stage.kind in _CALLS:
                number = number + 1 if stage.kind == Stage.RETRY else 1
                self._attempt(stage, span, number)
            elif stage.kind == Stage.PARALLEL:
                for place, branch in enumerate(range(stage.about, stage.about + stage.branches), 1):
                    end = next(
                        (its.begin for its in self._stages(branch, stage.end) if its.kind == Stage.END), stage.end
                    )
                    self._walk(
                        branch,
                        self._add(span.number, span.service, f"branch {place}", "internal", stage.begin, end),
                        end,
                    )

    def _piece(self, span: Span, what: str, begin: float, end: float) -> None:
        begin, end = max(begin, span.begin), min(end, span.end)
        if end > begin:
            span.pieces.append(Piece(what, begin, end))

    def _attempt(self, sent: _Stage, caller: Span, number: int) -> None:
        """A call, from when it was sent until its caller had the answer or wanted it no more; and the callee's side of
        it.
        """
        if sent.place in self._names.topics:
            self._publication(sent, caller, number)
            return
        client = self._add(caller.number, caller.service, sent.place, "client", sent.begin, sent.end)
        callee = self._names.service(sent.place)
        client.attributes |= {"server.address": callee, "sim.attempt": number}
        row = self._attempts.get(sent.about)
        if row is None:
            client.failed = True
            client.attributes["sim.lost"] = True
            return
        ended = self._last if math.isnan(row["ended"]) else float(row["ended"])
        started = ended if math.isnan(row["started"]) else float(row["started"])
        answered = next((its.begin for its in self._stages(sent.about, ended) if its.kind == Stage.ANSWER), ended)
        outcome = Outcome(row["outcome"])
        server = self._add(
            client.number, callee, self._names.words[row["endpoint"]], "server", float(row["arrived"]), ended
        )
        server.failed = outcome not in PASSED
        server.attributes |= {
            "sim.outcome": outcome.word,
            "sim.replica": int(row["replica"]),
            "sim.queue_seconds": started - float(row["arrived"]),
        }
        client.failed = server.failed or sent.end < answered
        if sent.end < answered:
            client.attributes["sim.given_up"] = True
        self._piece(server, "queue", server.begin, started)
        self._walk(sent.about, server, ended)

    def _publication(self, sent: _Stage, caller: Span, number: int) -> None:
        producer = self._add(caller.number, caller.service, f"send {sent.place}", "producer", sent.begin, sent.end)
        producer.attributes |= self._messaging(sent.place, "send")
        producer.attributes["sim.attempt"] = number
        for other in self._followed.get(sent.about, ()):
            self._event(other, producer, sent.place)

    def _messaging(self, topic: str, operation: str) -> dict[str, str]:
        """Attributes as OpenTelemetry's conventions for messaging name them."""
        return {
            "messaging.system": self._names.systems.get(topic, "kafka"),
            "messaging.destination.name": topic,
            "messaging.operation.type": operation,
        }

    def _event(self, flow: int, parent: Span, topic: str) -> None:
        """What comes of something that goes on by itself: an event in an outbox, one on its way to a group, or steps in
        the background.
        """
        stages = list(self._stages(flow, self._last))
        if stages and stages[0].kind == Stage.OUTBOX:
            self._from_outbox(flow, stages, parent)
        elif stages and stages[0].kind not in _BOUNDARIES:
            end = next((its.begin for its in stages if its.kind == Stage.END), self._last)
            self._walk(
                flow, self._add(parent.number, parent.service, "background", "internal", stages[0].begin, end), end
            )
        elif stages:
            last = self._deliveries(stages, parent, topic)
            for other in self._followed.get(flow, ()):
                self._event(other, last, "")

    def _from_outbox(self, flow: int, stages: Sequence[_Stage], parent: Span) -> None:
        """The publication that a relay makes of a row."""
        if len(stages) == 1:
            return  # still in the outbox at the end of the run
        topic = next((its.place for its in stages if its.kind == Stage.REPLICATION), "")
        following = [other for other in self._followed.get(flow, ()) if other in self._flows]
        begins = [float(self._flows[other][0]["begin"]) for other in following]
        producer = self._add(
            parent.number,
            parent.service,
            f"send {topic}".rstrip(),
            "producer",
            stages[0].end,
            min(begins, default=stages[-1].end),
        )
        producer.attributes |= self._messaging(topic, "send")
        producer.attributes["sim.outbox_seconds"] = stages[0].end - stages[0].begin
        for other in self._followed.get(flow, ()):
            self._event(other, producer, topic)

    def _deliveries(self, stages: Sequence[_Stage], parent: Span, topic: str) -> Span:
        """Each time that a consumer had the event: between two waits.

        The span of the last one, or that of who published it.
        """
        waiting, inside, number = 0.0, list[_Stage](), 0
        group, last = stages[0].place, parent
        for stage in stages:
            if stage.kind not in _BOUNDARIES:
                inside.append(stage)
                continue
            if inside:
                number += 1
                last = self._delivery(inside, parent, topic, group, (number, waiting, stage.kind != Stage.END))
                inside, waiting = [], 0.0
            waiting += stage.end - stage.begin if stage.kind != Stage.END else 0.0
        if inside:
            last = self._delivery(inside, parent, topic, group, (number + 1, waiting, False))
        return last

    def _delivery(
        self, stages: Sequence[_Stage], parent: Span, topic: str, group: str, told: tuple[int, float, bool]
    ) -> Span:
        """`told`: its number, how long the event waited before, and whether another delivery follows."""
        number, waited, failed = told
        service = self._names.groups.get(group, group)
        consumer = self._add(
            parent.number, service, f"process {topic}", "consumer", stages[0].begin, stages[-1].end, failed
        )
        consumer.attributes |= self._messaging(topic, "process")
        consumer.attributes |= {
            "messaging.consumer.group.name": group,
            "sim.delivery": number,
            "sim.lag_seconds": waited,
        }
        self._inside(stages, consumer)
        return consumer
