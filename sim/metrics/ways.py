"""The ways of requests: every second until the answer, or until the order is complete, belongs to exactly one part.

Needs `record: {spans: all}`. The way of an answer begins at the client and descends into whatever is waited for: an
attempt travels, waits for a worker, and does one thing after the other; of parallel branches it follows the one that
was over last (or the one that gave the answer). An attempt that its caller gave up counts up to that moment. What
another attempt of the same call has made pointless is marked as `again`, and still told apart.

The way of an order is that to its last effect: each flow on it up to the moment at which it called, published or wrote
what the next one is. Then an event waits in an outbox, is replicated, waits for a consumer, is processed, waits in
retry topics.

Not told apart: what a cut-off piece of work on shared cores had done by then (taken as even), and what an outbox's
relay does from its poll on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.metrics.freezes import Freezes
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import MOMENTS, Stage

PARTS: dict[str, str] = {
    "queue": "waits in the queue for a worker",
    "work": "computes",
    "cores": "computes more slowly than alone: threads share the cores, slow one another, or have used up their quota",
    "wait": "lets time pass that is spent elsewhere",
    "thread": "waits for a thread of its event loop again",
    "bulkhead": "waits for a place in the caller's bulkhead",
    "lock": "waits for a lock",
    "frozen": "stands still in a freeze",
    "replication": "waits until an event is replicated",
    "network": "travels, or was lost on its way",
    "outbox": "waits in an outbox, until a relay has published it",
    "lag": "waits for a consumer",
    "retry topic": "waits in a retry topic",
    "backoff": "pauses before the next attempt",
    "other": "waits for something of a plug-in, or for the answer to another's call",
}
"""What a second can be spent on, in the order in which it is told."""


LEAST = 1e-9  # s; less is rounding
_OWN = {
    Stage.PLACE: "thread",
    Stage.BULKHEAD: "bulkhead",
    Stage.BACKOFF: "backoff",
    Stage.FROZEN: "frozen",
    Stage.REPLICATION: "replication",
    Stage.OUTBOX: "outbox",
    Stage.LAG: "lag",
    Stage.RETRY_TOPIC: "retry topic",
    Stage.LOCK: "lock",
}
_CALLS = (Stage.CALL, Stage.RETRY)


class Part(NamedTuple):
    """Where a second was spent, and on what."""

    place: str  # the station; for network, bulkhead and back-off the callee; for a client's own back-off the traffic
    what: str  # one of PARTS
    again: bool = False  # within an attempt after which another one was made


@dataclass(frozen=True)
class _Span:
    """What a span says about one attempt."""

    arrived: float
    started: float  # when it stopped waiting for a worker: it got one, or it ended
    ended: float  # inf: it has not
    station: str
    replica: int


class Ways:
    """The ways of some requests of a run, each of which can be followed."""

    def __init__(self, records: Records, scenario: Scenario, rows: NDArray[np.int64]) -> None:
        requests = records.requests[rows]
        self._names = (*records.names, "")
        self._stations = {
            f"{service}.{endpoint}": service
            for service, spec in scenario.services.items()
            for endpoint in spec.endpoints
        }
        self._requests = {int(row): request for row, request in zip(rows, requests, strict=True)}
        stages = records.stages[np.isin(records.stages["request"], requests["id"])]
        self._last = records.duration
        self._remember(stages)
        stages = stages[~np.isin(stages["kind"], MOMENTS)]
        stages = stages[np.argsort(stages["flow"], kind="stable")]
        flows, first = np.unique(stages["flow"], return_index=True)
        self._flows = dict(
            zip(flows.tolist(), zip(first.tolist(), [*first[1:].tolist(), len(stages)], strict=True), strict=True)
        )
        self._begin, self._seconds = stages["begin"].tolist(), stages["seconds"].tolist()
        self._about, self._kind = stages["about"].tolist(), stages["kind"].tolist()
        self._place = [self._names[index] for index in stages["place"].tolist()]
        self._client: dict[int, int] = {}
        for request, flow in zip(stages["request"].tolist(), stages["flow"].tolist(), strict=True):
            self._client.setdefault(request, flow)  # flows are numbered as they come to be: the client's is the first
        spans = records.every_span()
        spans = spans[np.isin(spans["request"], requests["id"])]
        self._spans = {int(span["flow"]): self._span(span) for span in spans}
        self._freezes = Freezes(scenario, records)
        self._replica = -1  # in which the flow that is followed goes on; -1: that is not known

    def _remember(self, stages: NDArray[np.void]) -> None:
        """From which flow each comes, since when and how, which ones belong to a request, and in which its last effect
        came to exist.
        """
        self._born: dict[int, tuple[int, float, int]] = {}
        self._of: dict[int, set[int]] = {}
        self._complete: dict[int, tuple[int, float]] = {}
        columns = ("request", "flow", "begin", "seconds", "about", "kind")
        for request, flow, begin, seconds, about, kind in zip(
            *(stages[name].tolist() for name in columns), strict=True
        ):
            self._of.setdefault(request, set()).add(flow)
            if kind == Stage.COMPLETED:
                self._complete[request] = flow, begin
            elif about >= 0 and kind in (*_CALLS, Stage.FOLLOWED, Stage.PARALLEL):
                count = int(seconds) if kind == Stage.PARALLEL else 1
                self._born.update(dict.fromkeys(range(about, about + count), (flow, begin, kind)))
        self._parents = {parent for parent, _, _ in self._born.values()}

    def _station(self, place: str) -> str:
        """`payments.charge` -> `payments`; topics and traffic are their own."""
        return self._stations.get(place, place)

    def _span(self, span: np.void) -> _Span:
        ended = math.inf if math.isnan(span["ended"]) else float(span["ended"])
        started = ended if math.isnan(span["started"]) else float(span["started"])
        return _Span(
            float(span["arrived"]), started, ended, self._station(self._names[span["endpoint"]]), int(span["replica"])
        )

    def parts(self, row: int) -> dict[Part, float]:
        """Part -> seconds of the request in this row of the table, which must have been answered; they add up to its
        response.
        """
        request = self._requests[row]
        self._found: dict[Part, float] = {}
        arrival, end = float(request["arrival"]), float(request["end"])
        client = self._client.get(int(request["id"]), -1)
        self._follow(client, self._names[request["source"]], arrival, end, end, False)
        return self._found

    def until_complete(self, row: int) -> dict[Part, float]:
        """Part -> seconds of the order in this row from its arrival to its last effect, or to the end of the run where
        that is still to come.
        """
        request = self._requests[row]
        self._found = {}
        arrival, number = float(request["arrival"]), int(request["id"])
        flow, until = (
            (self._unfinished(number), self._last) if math.isnan(request["completion"]) else self._complete[number]
        )
        way = []
        while flow in self._born:
            parent, begin, kind = self._born[flow]
            way.append((flow, begin, until, kind))
            flow, until = parent, begin
        self._follow(flow, self._names[request["source"]], arrival, until, until, False)
        for following in reversed(way):
            self._lead(*following)
        return self._found

    def _unfinished(self, request: int) -> int:
        """The flow of an incomplete order in which it may still be completed: the last that came to be and is not over;
        or else its client's.
        """
        alive = [flow for flow in self._of.get(request, ()) if self._is_open(flow)]
        return max(alive, default=self._client.get(request, -1))

    def _is_open(self, flow: int) -> bool:
        span = self._spans.get(flow)
        if span is not None:
            return math.isinf(span.ended)
        first, last = self._flows.get(flow, (0, 0))
        ended = first < last and self._kind[last - 1] == Stage.END
        return not ended and flow in self._born and flow not in self._parents

    def _lead(self, flow: int, begin: float, until: float, kind: int) -> None:
        """A flow on the way to the last effect, from when it came to be until what it led to did."""
        span = self._spans.get(flow)
        first, last = self._flows.get(flow, (0, 0))
        if kind not in _CALLS:  # a branch, or an event
            self._follow(flow, self._place[first] if first < last else "", begin, until, until, False)
        elif span is not None:
            arrived, started = min(span.arrived, until), min(span.started, until)
            self._add(span.station, "network", arrived - begin, False)
            self._add(span.station, "queue", started - arrived, False)
            outer, self._replica = self._replica, span.replica
            self._follow(flow, span.station, started, until, span.ended, False)
            self._replica = outer
        elif first < last:  # a publication, which answers as soon as `acks` lets it
            arrived, topic = min(self._begin[first], until), self._place[first]
            self._add(topic, "network", arrived - begin, False)
            self._add(topic, "replication", until - arrived, False)
        else:
            self._add("", "network", until - begin, False)

    def _add(self, place: str, what: str, seconds: float, again: bool) -> None:
        if seconds > 0.0:
            part = Part(place, what, again)
            self._found[part] = self._found.get(part, 0.0) + seconds

    def _follow(self, flow: int, station: str, begin: float, until: float, ended: float, again: bool) -> None:
        """What a flow did from `begin` up to `until`; it was over at `ended`, which may be later."""
        first, last = self._flows.get(flow, (0, 0))
        known = min(self._begin[first], until) if first < last else until
        self._add(station, "other", known - begin, again)
        for index in range(first, last):
            since = self._begin[index]
            if since >= until:
                return
            over = self._begin[index + 1] if index + 1 < last else ended
            self._stage(index, last, since, min(over, until), over, again)

    def _stage(self, index: int, last: int, begin: float, until: float, over: float, again: bool) -> None:
        """One stage, which was over at `over`, up to `until`."""
        kind, place = Stage(self._kind[index]), self._place[index]
        if kind in _CALLS:
            following = next(
                (self._kind[other] for other in range(index + 1, last) if self._kind[other] in _CALLS), None
            )
            self._attempt(
                self._about[index],
                self._station(place),
                begin,
                until,
                again or (following == Stage.RETRY and over <= until),
            )
        elif kind in (Stage.WORK, Stage.WAIT):
            self._spent(index, begin, until, over, again)
        elif kind == Stage.PARALLEL:
            self._branch(index, last, (begin, until, over), again)
        elif kind == Stage.ANSWER:
            self._add(place, "network", until - begin, again)
        else:
            self._add(self._station(place), _OWN.get(kind, "other"), until - begin, again)

    def _spent(self, index: int, begin: float, until: float, over: float, again: bool) -> None:
        """Work or a wait: frozen, slowed by others on the same cores, or what it is."""
        place, elapsed = self._place[index], until - begin
        frozen = self._freezes.within(place, self._replica, begin, until)
        moving = elapsed - frozen
        own = moving
        if self._kind[index] == Stage.WORK:
            asked = self._seconds[index] * (
                1.0 if until >= over or not math.isfinite(over) else elapsed / (over - begin)
            )
            own = moving if moving - asked < LEAST else asked
        self._add(place, "frozen", frozen, again)
        self._add(place, "work" if self._kind[index] == Stage.WORK else "wait", own, again)
        self._add(place, "cores", moving - own, again)

    def _attempt(self, flow: int, callee: str, begin: float, until: float, again: bool) -> None:
        """An attempt from the moment it was sent up to `until`, when its caller had the answer or did not want it any
        more.
        """
        span = self._spans.get(flow)
        if span is None:
            if flow in self._flows:  # a publication: what is not replication is travel
                arrived = min(self._begin[self._flows[flow][0]], until)
                self._add(callee, "network", arrived - begin, again)
                self._follow(flow, callee, arrived, until, until, again)
            else:
                self._add(callee, "network", until - begin, again)
            return
        arrived, started, ended = min(span.arrived, until), min(span.started, until), min(span.ended, until)
        self._add(span.station, "network", arrived - begin, again)
        self._add(span.station, "queue", started - arrived, again)
        if ended > started:
            answered = min(ended, self._answered(flow))
            outer, self._replica = self._replica, span.replica
            self._follow(flow, span.station, started, answered, span.ended, again)
            self._replica = outer
            ended = answered
        self._add(span.station, "network", until - ended, again)

    def _answered(self, flow: int) -> float:
        """When a flow answered before it was over; inf if it did not."""
        first, last = self._flows.get(flow, (0, 0))
        return next((self._begin[index] for index in range(first, last) if self._kind[index] == Stage.ANSWER), math.inf)

    def _branch(self, index: int, last: int, when: tuple[float, float, float], again: bool) -> None:
        """The branch that gave the answer, or else the one whose end was that of the stage, or else the last.

        `when`: as in `_stage`, (begin, until, over). In a race the others may go on for long after it.
        """
        begin, until, ended = when
        branches = range(self._about[index], self._about[index] + int(self._seconds[index]))
        over = {branch: self._branch_end(branch) for branch in branches}
        chosen = next(
            (branch for branch in branches if over[branch] == ended), max(branches, key=lambda its: over[its])
        )
        if index + 1 < last and self._kind[index + 1] == Stage.ANSWER and self._about[index + 1] in over:
            chosen = self._about[index + 1]
        self._follow(chosen, self._place[index], begin, until, over[chosen], again)

    def _branch_end(self, flow: int) -> float:
        first, last = self._flows.get(flow, (0, 0))
        return self._begin[last - 1] if first < last and self._kind[last - 1] == Stage.END else math.inf
