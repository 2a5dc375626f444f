"""What happened in one run, as columns: requests, messages, spans, events, gauges, and the books of every component."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sim.errors import UsageError
from sim.records.summary import Summary
from sim.vocabulary import EventKind, MessageEnd, Outcome

if TYPE_CHECKING:
    import pandas as pd

REQUEST = np.dtype(
    [
        ("id", "i8"),  # (digest of the source << 40) | running number: the entity of every draw
        ("arrival", "f8"),  # s; the intended arrival, from which all latencies count
        ("end", "f8"),  # s; when the client had its answer; nan: not answered
        # s; when the last effect of completes_with came to exist; nan: incomplete or none expected
        ("completion", "f8"),
        ("effects", "u8"),  # bit i: effect names[effect_names[i]] exists
        # its number: the ranks of the first population, 0 the most popular, then those of the next; -1: no users
        ("user", "i4"),
        ("item", "i4"),  # rank; -1: no items
        ("source", "i2"),  # index into names
        ("route", "i2"),  # index into names
        ("where", "i2"),  # index into names: where a failure arose; -1: nowhere
        ("attempts", "i2"),  # of the client
        ("outcome", "i1"),  # Outcome
        ("charges", "u1"),  # how often the charging effect happened
        ("reservations", "u1"),  # how often the reserving effect happened
        ("pending", "?"),  # something alive at the end could still act on it
        ("expects", "?"),  # effects are expected (completes_with is not empty)
    ]
)
"""One row per logical request, written when nothing alive relates to it any more (61 bytes)."""

MESSAGE = np.dtype(
    [
        ("id", "i8"),  # running number of publications
        ("request", "i8"),
        ("offset", "i8"),
        ("published", "f8"),  # s; handed to the broker
        ("available", "f8"),  # s; replicated and readable; nan: not yet
        ("end", "f8"),  # s; nan: still queued
        ("partition", "i4"),
        ("topic", "i2"),  # index into names
        ("group", "i2"),  # index into names
        ("deliveries", "i2"),
        ("how", "i1"),  # MessageEnd
    ]
)
"""One row per (message, group), written when it ends for that group."""

SPAN = np.dtype(
    [
        ("request", "i8"),
        ("chain", "i8"),  # retry and redelivery numbers along the path, folded; 0: first tries all the way
        ("arrived", "f8"),  # s; at the replica
        ("started", "f8"),  # s; got a worker; nan: never
        ("ended", "f8"),  # s
        ("endpoint", "i2"),  # index into names
        ("replica", "i4"),
        ("outcome", "i1"),
        ("abandoned", "?"),  # its caller had given up
        ("flow", "i8"),  # its own number, see STAGE; -1: a consumer or relay made it
    ]
)
"""One row per attempt on a service, kept with `record: {spans: all}`, or `exemplars`: then of those requests alone, as
they closed (exemplars.py).
"""

STAGE = np.dtype(
    [
        ("request", "i8"),
        ("flow", "i8"),  # whose stage it is
        ("begin", "f8"),  # s
        # work, wait: how long it takes undisturbed; parallel: how many branches, whose flows follow one another; else 0
        ("seconds", "f8"),
        # call, retry: the flow of the attempt, -1 where it was lost on its way; parallel: the flow of the first branch;
        # else -1
        ("about", "i8"),
        ("place", "i2"),  # index into names: the host; what is called; the topic
        ("kind", "i1"),  # Stage
    ]
)
"""What every flow of a request did next, written when it begins, kept where spans are.

A flow is a client's side of one request, an attempt, a publication, or a branch; flows are numbered as they come to be,
so that the first of a request is its client. It does one thing after the other: a stage lasts until the next of its
flow begins, or until the flow ends (`ended` of its span). What is not here follows from the span: before `arrived` and
after `ended` an attempt travels, between `arrived` and `started` it waits for a worker. So every second of a response
belongs to one stage of one flow: see `metrics/attribution.py`.
"""

EVENT = np.dtype([("time", "f8"), ("kind", "i2"), ("subject", "i2"), ("object", "i2"), ("value", "f8")])
"""The event log: kind is an EventKind; subject and object index into names (-1: none)."""


@dataclass(frozen=True)
class Series:
    """One time series.

    `mean`: time average over the interval that ends at the tick; `level`: value at the tick; `total`: counted since 0.
    """

    component: str  # service, "gateway", "group topic", "caller -> callee"
    quantity: str  # busy, queue, cores_busy, replicas, lag, breaker_open, outbox, attempts, ...
    kind: Literal["mean", "level", "total"]

    @property
    def name(self) -> str:
        """`payments.busy`"""
        return f"{self.component}.{self.quantity}"


@dataclass(frozen=True)
class Book:
    """The account of one component: offered = sum of ended + open, or the run is not a result."""

    component: str
    offered: int
    ended: dict[str, int]  # by outcome or message end
    open: int

    @property
    def balances(self) -> bool:
        """Whether everything offered is accounted for."""
        return self.offered == sum(self.ended.values()) + self.open


@dataclass
class Records:
    """One run: everything metrics, charts and exports read.

    Times in seconds from the start of the run, warm-up included.
    """

    seed: int
    replication: int
    duration: float
    warmup: float
    names: tuple[str, ...]
    requests: NDArray[np.void]
    messages: NDArray[np.void]
    spans: NDArray[np.void]
    events: NDArray[np.void]
    series: tuple[Series, ...]
    ticks: NDArray[np.float64]  # (t,)
    gauges: NDArray[np.float64]  # (t, series)
    books: tuple[Book, ...]
    effect_names: tuple[str, ...] = ()
    oversold: dict[str, int] = field(default_factory=dict)  # service -> units sold beyond its stock
    stages: NDArray[np.void] = field(default_factory=lambda: np.empty(0, STAGE))
    exemplary: bool = False  # spans and stages are those of the exemplars alone
    summary: Summary | None = None  # of the requests and messages, whose tables are empty then

    def __post_init__(self) -> None:
        self._remembered: tuple[NDArray[np.void], NDArray[np.void], tuple[str, str]] | None = None

    def every_span(self) -> NDArray[np.void]:
        """The spans, for whoever takes them for those of all attempts.

        Raises UsageError where they are of exemplars alone.
        """
        if self.exemplary:
            raise UsageError(
                "record.spans: found exemplars, expected all: this is computed from the spans of all requests, not of "
                "the slowest and a sample"
            )
        return self.spans

    def fingerprint(self) -> str:
        """Digest of the names and of the request, message and event rows in the order in which they ended, whether or
        not they were kept.
        """
        digest = hashlib.sha256("\0".join((*self.names, *self.effect_names)).encode())
        for rows in self._digests():
            digest.update(rows.encode())
        digest.update(_digest(self.events).encode())
        return digest.hexdigest()[:32]

    def remember(self, digests: tuple[str, str]) -> None:
        """What the digests of the present requests and messages are: an engine takes them as the rows come.

        Tables that are exchanged are read anew.
        """
        self._remembered = (self.requests, self.messages, digests)

    def _digests(self) -> tuple[str, str]:
        if self.summary is not None:
            return self.summary.digests
        if (
            self._remembered is not None
            and self._remembered[0] is self.requests
            and self._remembered[1] is self.messages
        ):
            return self._remembered[2]
        return _digest(self.requests), _digest(self.messages)

    def gauge(self, component: str, quantity: str) -> NDArray[np.float64]:
        """The column of one series, shape (t,)."""
        for index, series in enumerate(self.series):
            if series.component == component and series.quantity == quantity:
                return self.gauges[:, index]
        raise KeyError(f"{component}.{quantity}")

    def request_frame(self) -> pd.DataFrame:
        """Requests with words for numbers and with `response` and `completion_time` in seconds.

        Raises UsageError where no rows were kept.
        """
        self._refuse_summary("requests")
        frame = self._frame(self.requests, ("source", "route", "where"))
        frame["outcome"] = [Outcome(code).word for code in frame["outcome"]]
        frame["response"] = frame["end"] - frame["arrival"]
        frame["completion_time"] = frame["completion"] - frame["arrival"]
        return frame

    def message_frame(self) -> pd.DataFrame:
        """Messages with words for numbers. Raises UsageError where no rows were kept."""
        self._refuse_summary("messages")
        frame = self._frame(self.messages, ("topic", "group"))
        frame["how"] = [MessageEnd(code).word for code in frame["how"]]
        return frame

    def event_frame(self) -> pd.DataFrame:
        """The event log with words for numbers."""
        frame = self._frame(self.events, ("subject", "object"))
        frame["kind"] = [EventKind(code).word for code in frame["kind"]]
        return frame

    def gauge_frame(self) -> pd.DataFrame:
        """Time series, one column each, indexed by the tick in seconds."""
        import pandas as pd

        return pd.DataFrame(
            self.gauges, columns=[series.name for series in self.series], index=pd.Index(self.ticks, name="time")
        )

    def _refuse_summary(self, what: str) -> None:
        if self.summary is not None:
            raise UsageError(
                f"{what}: found record: summary, which keeps no rows of single {what}; expected record: rows"
            )

    def _frame(self, table: NDArray[np.void], named: tuple[str, ...]) -> pd.DataFrame:
        import pandas as pd

        frame = pd.DataFrame({name: table[name] for name in table.dtype.names or ()})
        words = np.array([*self.names, ""], dtype=object)
        for column in named:
            frame[column] = words[frame[column].to_numpy()]
        return frame


def _digest(rows: NDArray[np.void]) -> str:
    # of the rows where they are: there may be many
    return hashlib.sha256(np.ascontiguousarray(rows).view(np.uint8).data).hexdigest()
