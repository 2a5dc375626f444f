"""Where the time of requests went: every second of a response belongs to exactly one part, on the way that the answer had to wait for.

Needs `record: {spans: all}`. The way begins at the client and descends into whatever is waited for: an attempt travels, waits for a worker, and does
one thing after the other; of parallel branches it follows the one that was over last (or the one that gave the answer). An attempt that its caller
gave up counts up to that moment. What another attempt of the same call has made pointless is marked as `again`, and still told apart.

Not told apart: what a cut-off piece of work on shared cores had done by then (taken as even), and for consumers and relays nothing is told: the time
between the answer and the completion of an order is not attributed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sample import sample_of
from sim.records.counted import Floats
from sim.records.tables import Records
from sim.spec.fault import Outage
from sim.spec.scenario import Scenario
from sim.stats.quantile import quantile
from sim.vocabulary import Stage

PARTS: dict[str, str] = {
    "queue": "waits in the queue for a worker",
    "work": "computes",
    "cores": "computes more slowly than alone, since its threads share the cores",
    "wait": "lets time pass that is spent elsewhere",
    "thread": "waits for a thread of its event loop again",
    "bulkhead": "waits for a place in the caller's bulkhead",
    "frozen": "stands still in a freeze",
    "replication": "waits until an event is replicated",
    "network": "travels, or was lost on its way",
    "backoff": "pauses before the next attempt",
    "other": "waits for something of a plug-in, or for the answer to another's call",
}
"""What a second can be spent on, in the order in which it is told."""

LEAST = 1e-9  # s; less is rounding
MOST = 2000  # requests of a band that are looked at; evenly thinned where there are more
_OWN = {Stage.PLACE: "thread", Stage.BULKHEAD: "bulkhead", Stage.BACKOFF: "backoff", Stage.FROZEN: "frozen", Stage.REPLICATION: "replication"}
_CALLS = (Stage.CALL, Stage.RETRY)


class Part(NamedTuple):
    """Where a second was spent, and on what."""

    place: str  # the station; for network, bulkhead and back-off the callee; for a client's own back-off the traffic
    what: str  # one of PARTS
    again: bool = False  # within an attempt after which another one was made


@dataclass(frozen=True)
class Composition:
    """What the requests around a quantile spent their time on, on average."""

    share: float  # 0.99: the 99th percentile
    value: float  # s; the quantile itself
    count: int  # requests looked at
    response: float  # s; their mean response
    parts: Mapping[Part, float]  # s; they add up to `response`


def compositions(
    records: Records, scenario: Scenario, shares: tuple[float, ...] = (0.5, 0.99), route: str | None = None, failures: bool = False
) -> dict[float, Composition]:
    """The composition of the response around each quantile of the counted requests that were answered ok or degraded; with `failures` of all answered.

    Around a quantile q are the requests whose rank, as a share, is within min(5 %, (1 - q) / 2) of q: from 45 to 55 % for the median, from 98.5 to
    99.5 % for p99; at least one.
    """
    everyone = sample_of(records, scenario).answers
    counted = everyone.answered & (everyone.arrival >= records.warmup)
    if route is not None:
        counted &= everyone.route == (records.names.index(route) if route in records.names else -1)
    if not failures:
        counted &= everyone.good
    rows = np.flatnonzero(counted)
    if not rows.size:
        return {}
    rows = rows[np.argsort(everyone.response[rows], kind="stable")]
    bands = {share: _band(rows, share) for share in shares}
    ways = Ways(records, scenario, np.unique(np.concatenate(list(bands.values()))))
    return {share: _composed(ways, band, share, everyone.response[rows], everyone.response[band]) for share, band in bands.items()}


def _band(ordered: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    half = min(0.05, (1.0 - share) / 2)
    low = min(math.floor((share - half) * ordered.size), ordered.size - 1)
    high = max(low + 1, math.ceil((share + half) * ordered.size))
    band = ordered[low:high]
    return band if band.size <= MOST else band[np.linspace(0, band.size - 1, MOST).astype(np.int64)]


def _composed(ways: Ways, band: NDArray[np.int64], share: float, responses: Floats, its: Floats) -> Composition:
    total: dict[Part, float] = {}
    for row in band.tolist():
        for part, seconds in ways.parts(row).items():
            total[part] = total.get(part, 0.0) + seconds
    parts = {part: seconds / band.size for part, seconds in sorted(total.items(), key=lambda item: -item[1]) if seconds > LEAST * band.size}
    return Composition(share, quantile(responses, share), int(band.size), float(its.mean()), parts)


@dataclass(frozen=True)
class _Span:
    """What a span says about one attempt."""

    arrived: float
    started: float  # when it stopped waiting for a worker: it got one, or it ended
    ended: float  # inf: it has not
    station: str


class Ways:
    """The ways of some requests of a run, each of which can be followed."""

    def __init__(self, records: Records, scenario: Scenario, rows: NDArray[np.int64]) -> None:
        requests = records.requests[rows]
        self._names = (*records.names, "")
        self._stations = {f"{service}.{endpoint}": service for service, spec in scenario.services.items() for endpoint in spec.endpoints}
        self._requests = {int(row): request for row, request in zip(rows, requests, strict=True)}
        stages = records.stages[np.isin(records.stages["request"], requests["id"])]
        stages = stages[np.argsort(stages["flow"], kind="stable")]
        flows, first = np.unique(stages["flow"], return_index=True)
        self._flows = dict(zip(flows.tolist(), zip(first.tolist(), [*first[1:].tolist(), len(stages)], strict=True), strict=True))
        self._begin, self._seconds = stages["begin"].tolist(), stages["seconds"].tolist()
        self._about, self._kind = stages["about"].tolist(), stages["kind"].tolist()
        self._place = [self._names[index] for index in stages["place"].tolist()]
        self._client: dict[int, int] = {}
        for request, flow in zip(stages["request"].tolist(), stages["flow"].tolist(), strict=True):
            self._client.setdefault(request, flow)  # flows are numbered as they come to be: the client's is the first
        spans = records.every_span()
        spans = spans[np.isin(spans["request"], requests["id"])]
        self._spans = {int(span["flow"]): self._span(span) for span in spans}
        self._freezes = _freezes(scenario)

    def _station(self, place: str) -> str:
        """`payments.charge` -> `payments`; topics and traffic are their own."""
        return self._stations.get(place, place)

    def _span(self, span: np.void) -> _Span:
        ended = math.inf if math.isnan(span["ended"]) else float(span["ended"])
        started = ended if math.isnan(span["started"]) else float(span["started"])
        return _Span(float(span["arrived"]), started, ended, self._station(self._names[span["endpoint"]]))

    def parts(self, row: int) -> dict[Part, float]:
        """Part -> seconds of the request in this row of the table, which must have been answered; they add up to its response."""
        request = self._requests[row]
        self._found: dict[Part, float] = {}
        arrival, end = float(request["arrival"]), float(request["end"])
        client = self._client.get(int(request["id"]), -1)
        self._follow(client, self._names[request["source"]], arrival, end, end, False)
        return self._found

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
            following = next((self._kind[other] for other in range(index + 1, last) if self._kind[other] in _CALLS), None)
            self._attempt(self._about[index], self._station(place), begin, until, again or (following == Stage.RETRY and over <= until))
        elif kind in (Stage.WORK, Stage.WAIT):
            self._spent(index, begin, until, over, again)
        elif kind == Stage.PARALLEL:
            self._branch(index, last, begin, until, again)
        elif kind == Stage.ANSWER:
            self._add(place, "network", until - begin, again)
        else:
            self._add(self._station(place), _OWN.get(kind, "other"), until - begin, again)

    def _spent(self, index: int, begin: float, until: float, over: float, again: bool) -> None:
        """Work or a wait: frozen, slowed by others on the same cores, or what it is."""
        place, elapsed = self._place[index], until - begin
        frozen = sum(max(0.0, min(until, end) - max(begin, start)) for start, end in self._freezes.get(place, ()))
        moving = elapsed - frozen
        own = moving
        if self._kind[index] == Stage.WORK:
            asked = self._seconds[index] * (1.0 if until >= over or not math.isfinite(over) else elapsed / (over - begin))
            own = moving if moving - asked < LEAST else asked
        self._add(place, "frozen", frozen, again)
        self._add(place, "work" if self._kind[index] == Stage.WORK else "wait", own, again)
        self._add(place, "cores", moving - own, again)

    def _attempt(self, flow: int, callee: str, begin: float, until: float, again: bool) -> None:
        """An attempt from the moment it was sent up to `until`, when its caller had the answer or did not want it any more."""
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
            self._follow(flow, span.station, started, answered, span.ended, again)
            ended = answered
        self._add(span.station, "network", until - ended, again)

    def _answered(self, flow: int) -> float:
        """When a flow answered before it was over; inf if it did not."""
        first, last = self._flows.get(flow, (0, 0))
        return next((self._begin[index] for index in range(first, last) if self._kind[index] == Stage.ANSWER), math.inf)

    def _branch(self, index: int, last: int, begin: float, until: float, again: bool) -> None:
        """The branch that gave the answer, or else the one that was over last."""
        branches = range(self._about[index], self._about[index] + int(self._seconds[index]))
        over = {branch: self._branch_end(branch) for branch in branches}
        chosen = max(branches, key=lambda branch: over[branch])
        if index + 1 < last and self._kind[index + 1] == Stage.ANSWER and self._about[index + 1] in over:
            chosen = self._about[index + 1]
        self._follow(chosen, self._place[index], begin, until, over[chosen], again)

    def _branch_end(self, flow: int) -> float:
        first, last = self._flows.get(flow, (0, 0))
        return self._begin[last - 1] if first < last and self._kind[last - 1] == Stage.END else math.inf


def _freezes(scenario: Scenario) -> dict[str, list[tuple[float, float]]]:
    """When which station stood still, as the scenario has it; spells that overlap are one."""
    found: dict[str, list[tuple[float, float]]] = {}
    faults = [fault for fault in scenario.faults if isinstance(fault, Outage) and fault.how == "hang"]
    for fault in sorted(faults, key=lambda fault: fault.at):
        end = fault.at + fault.lasts if fault.lasts is not None else math.inf
        spells = found.setdefault(fault.of, [])
        if spells and fault.at <= spells[-1][1]:
            spells[-1] = (spells[-1][0], max(spells[-1][1], end))
        else:
            spells.append((fault.at, end))
    return found
