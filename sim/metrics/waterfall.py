"""One request as a waterfall: every attempt that was made on its way, from when it was sent to when it was over, and
what it did meanwhile.

Needs spans and stages, of all requests or of exemplars. What consumers and relays did for the request is not on the way
of its answer, and not here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sim.records.summarizing import slowest_of
from sim.records.tables import Records
from sim.vocabulary import MOMENTS, Outcome, Stage

NUMBER_MASK = (1 << 40) - 1  # the running number in the id of a request
CALLEE = "callee"
WHAT: dict[int, str] = {
    Stage.CALL: CALLEE,
    Stage.RETRY: CALLEE,
    Stage.PARALLEL: CALLEE,
    Stage.ANSWER: CALLEE,  # it has answered; what it does from now on are stages of its own
    Stage.WORK: "work",
    Stage.WAIT: "wait",
    Stage.PLACE: "thread",
    Stage.BULKHEAD: "bulkhead",
    Stage.BACKOFF: "backoff",
    Stage.FROZEN: "frozen",
    Stage.REPLICATION: "replication",
    Stage.LOCK: "lock",
}
"""What an attempt is about in a stage, as `attribution.PARTS` has it; `callee`: it waits for what it has called, or for
its branches.
"""


class Piece(NamedTuple):
    """What an attempt was about for a while; seconds since the arrival of the request."""

    what: str  # one of attribution.PARTS, or CALLEE
    begin: float
    end: float


@dataclass(frozen=True)
class Bar:
    """One attempt. Times in seconds since the arrival of the request."""

    name: str  # the endpoint, the gateway, or the topic
    depth: int  # 0: the client made it, 1: an attempt of the client made it, ...
    number: int  # 1: the first attempt of its call, 2: the first retry, ...
    pieces: tuple[Piece, ...]  # what branches did overlaps
    # its own; empty where there is none: it never arrived, was a publication, or goes on at the end of the run
    outcome: str
    given_up: float  # when its caller did not want it any more; nan: it did to the end

    @property
    def begin(self) -> float:
        """When it was sent."""
        return self.pieces[0].begin

    @property
    def end(self) -> float:
        """When it was over, its answer back."""
        return max(piece.end for piece in self.pieces)


@dataclass(frozen=True)
class Waterfall:
    """One request and its attempts: each caller before those it called, and these in the order in which they
    were sent.
    """

    source: str
    number: int  # within its source
    route: str
    arrival: float  # s
    response: float  # s
    outcome: str
    bars: tuple[Bar, ...]


def slowest(records: Records) -> np.void | None:
    """The request after the warm-up that waited longest for its answer, whatever that was; None where no stage of it
    was kept.
    """
    if not records.stages.size:
        return None
    found = slowest_of(records.requests, records.warmup) if records.summary is None else records.summary.slowest
    return found[0] if found.size and (records.stages["request"] == found["id"][0]).any() else None


def waterfall(records: Records, request: np.void) -> Waterfall:
    """The waterfall of this row of the requests, which must have been answered and have its stages kept."""
    names = (*records.names, "")
    return Waterfall(
        source=names[request["source"]],
        number=int(request["id"]) & NUMBER_MASK,
        route=names[request["route"]],
        arrival=float(request["arrival"]),
        response=float(request["end"] - request["arrival"]),
        outcome=Outcome(request["outcome"]).word,
        bars=tuple(_Way(records, request).bars()),
    )


class _Way:
    """What the flows of one request did; times as in the records."""

    def __init__(self, records: Records, request: np.void) -> None:
        self.names = (*records.names, "")
        self.arrival, self.answered, self.last = float(request["arrival"]), float(request["end"]), records.duration
        self.flows: dict[int, list[Any]] = {}
        own = records.stages[(records.stages["request"] == request["id"]) & ~np.isin(records.stages["kind"], MOMENTS)]
        for stage in own:
            self.flows.setdefault(int(stage["flow"]), []).append(stage)
        spans = records.spans[records.spans["request"] == request["id"]]
        self.spans = {int(span["flow"]): span for span in spans if span["flow"] >= 0}

    def bars(self) -> Iterator[Bar]:
        """All attempts, from the client on: flows are numbered as they come to be, and the client's is the first."""
        yield from self._of(min(self.flows), self.answered, 0)

    def _of(self, flow: int, ended: float, depth: int) -> Iterator[Bar]:
        """The attempts that a flow made, which was over at `ended`, with those that were made of them."""
        number = 0
        for stage, until in self._stages(flow, ended):
            if stage["kind"] in (Stage.CALL, Stage.RETRY):
                number = number + 1 if stage["kind"] == Stage.RETRY else 1
                yield from self._attempt(stage, until, depth, number)
            elif stage["kind"] == Stage.PARALLEL:
                for branch in self._branches(stage):
                    yield from self._of(branch, until, depth)

    def _stages(self, flow: int, ended: float) -> Iterator[tuple[Any, float]]:
        """(stage, when it was over)"""
        stages = self.flows.get(flow, [])
        return (
            zip(stages, [*(float(stage["begin"]) for stage in stages[1:]), ended], strict=True) if stages else iter(())
        )

    def _branches(self, stage: Any) -> range:  # noqa: ANN401 - a row of the stages
        return range(int(stage["about"]), int(stage["about"]) + int(stage["seconds"]))

    def _attempt(self, sent: Any, until: float, depth: int, number: int) -> Iterator[Bar]:  # noqa: ANN401 - a row of the stages
        """An attempt whose caller waited for it until then, and what was made of it."""
        flow, begin = int(sent["about"]), float(sent["begin"])
        span = self.spans.get(flow)
        if span is None:
            yield self._bar(self.names[sent["place"]], depth, number, self._without_span(flow, begin, until))
            return
        over = self.last if math.isnan(span["ended"]) else float(span["ended"])
        started = over if math.isnan(span["started"]) else float(span["started"])
        early = next(
            (float(stage["begin"]) for stage in self.flows.get(flow, ()) if stage["kind"] == Stage.ANSWER), math.inf
        )
        pieces = [
            ("network", begin, float(span["arrived"])),
            ("queue", float(span["arrived"]), started),
            *self._inside(flow, started, over),
        ]
        if until >= over and early > over:
            pieces.append(("network", over, until))
        outcome = "" if span["outcome"] == Outcome.IN_FLIGHT else Outcome(span["outcome"]).word
        yield self._bar(
            self.names[span["endpoint"]],
            depth,
            number,
            pieces,
            outcome,
            until if until < min(over, early) else math.nan,
        )
        yield from self._of(flow, over, depth + 1)

    def _without_span(self, flow: int, begin: float, until: float) -> list[tuple[str, float, float]]:
        """A publication, or what never arrived: what is not replication is travel."""
        pieces, since = [], begin
        for stage, over in self._stages(flow, until):
            if stage["kind"] == Stage.REPLICATION:
                replicated = min(over, until)
                pieces += [
                    ("network", since, float(stage["begin"])),
                    ("replication", float(stage["begin"]), replicated),
                ]
                since = replicated
        return [*pieces, ("network", since, until)]

    def _inside(self, flow: int, started: float, over: float) -> Iterator[tuple[str, float, float]]:
        """What an attempt did from when it had a worker until it was over, and what its branches did, but for their
        calls.
        """
        for stage, until in self._stages(flow, over):
            if stage["kind"] == Stage.END:
                return
            begin = max(started, float(stage["begin"]))
            yield WHAT.get(int(stage["kind"]), "other"), begin, min(until, over)
            if stage["kind"] == Stage.PARALLEL:
                its = (piece for branch in self._branches(stage) for piece in self._inside(branch, begin, over))
                yield from (piece for piece in its if piece[0] != CALLEE)

    def _bar(
        self,
        name: str,
        depth: int,
        number: int,
        pieces: list[tuple[str, float, float]],
        outcome: str = "",
        given_up: float = math.nan,
    ) -> Bar:
        found = [Piece(what, begin - self.arrival, end - self.arrival) for what, begin, end in pieces]
        kept = tuple(piece for piece in found if piece.end > piece.begin)
        return Bar(name, depth, number, kept or (found[0],), outcome, given_up - self.arrival)
