"""Rows made into a Summary and forgotten, piece by piece, in time that hardly depends on what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from sim.records.lines import on_axis, on_ladder
from sim.records.rows import Rows, bytes_of
from sim.records.summary import (
    ANSWERS,
    COMPLETIONS,
    DELIVERIES,
    DEPARTURES,
    LEDGER,
    ORDERS,
    OVER_TIME,
    POINTS,
    SETTLING,
    Plan,
    Summary,
)
from sim.records.tables import MESSAGE, REQUEST
from sim.vocabulary import GOOD, MessageEnd, Outcome

# rows that are reduced together, as many as caches hold: always so many, so that no sum depends on how rows were handed
# over
PIECE = 1 << 14
LEAST = 1 << 18  # cells that wait at least to be merged with the others

Keys = NDArray[np.int64]


class Summarizer:
    """Takes finished rows and keeps what a Summary holds. Rows that were handed over may be overwritten afterwards."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.requests = _Pieces(REQUEST, self._reduce_requests)
        self.messages = _Pieces(MESSAGE, self._reduce_messages)
        self._ways = _Ways()
        self._answers, self._orders, self._departures, self._completions, self._ledger, self._deliveries = (
            _Cells() for _ in range(6)
        )
        self._over_time = np.zeros((2, plan.ticks.size + 1), np.int64)
        self._answered, self._waited = np.zeros(POINTS, np.int64), np.zeros(POINTS)
        self._last_end = np.full(len(Outcome), -np.inf)
        self._slowest, self._longest = np.empty(0, REQUEST), -np.inf
        self._intervals, self._until = on_axis(plan.moments, "right"), on_axis(plan.ticks, "left")
        self._leaving, self._buckets = on_axis(plan.departures, "right"), on_ladder(plan.edges)
        # below each bucket: limits are edges
        self._limits = np.append(plan.limits.searchsorted(plan.edges), plan.limits.size)
        # A key is way, interval, outcome, pending, bucket, the last changing fastest; that of a departure way,
        # interval, outcome, bucket.
        self._shape = (plan.moments.size, len(Outcome), 2, plan.edges.size + 1)
        self._departure_shape = (plan.departures.size, len(Outcome), plan.limits.size + 1)

    def summary(self) -> Summary:
        """What the rows came to. No more may be handed over afterwards."""
        digests = self.requests.finish(), self.messages.finish()
        names = ("way", "interval", "outcome", "pending", "bucket")
        departure_names = ("way", "interval", "outcome", "bucket")
        return Summary(
            moments=self.plan.moments,
            edges=self.plan.edges,
            leaving=self.plan.departures,
            limits=self.plan.limits,
            answers=_table(ANSWERS, self._decoded(self._answers, self._shape, names)),
            orders=_table(ORDERS, self._decoded(self._orders, self._shape, names)),
            departures=_table(DEPARTURES, self._decoded(self._departures, self._departure_shape, departure_names)),
            completions=_table(
                COMPLETIONS, _unpacked(self._completions, (self.plan.departures.size,), ("route", "interval"))
            ),
            ledger=_table(
                LEDGER, _unpacked(self._ledger, _LEDGER_SHAPE, ("outcome", "pending", "charges", "reservations"))
            ),
            deliveries=_table(
                DELIVERIES,
                _unpacked(self._deliveries, _DELIVERIES_SHAPE, ("topic", "group", "how", "deliveries", "late")),
            ),
            over_time=_table(OVER_TIME, dict(zip(OVER_TIME.names or (), self._over_time[:, :-1], strict=True))),
            settling=_table(SETTLING, {"count": self._answered, "total": self._waited}),
            slowest=self._slowest,
            last_end=np.where(np.isinf(self._last_end), np.nan, self._last_end),
            digests=digests,
        )

    def _decoded(self, cells: _Cells, shape: tuple[int, ...], names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
        columns = _unpacked(cells, shape, names)
        source, route = self._ways.decoded(columns.pop("way"))
        return {"source": source, "route": route, **columns}

    # -- one piece
    # ----------------------------------------------------------------------------------------------------------

    def _reduce_requests(self, rows: Rows) -> None:
        """Into cells by either clock, by when they left, and by what became of the money."""
        arrival, end, completion = (np.ascontiguousarray(rows[name]) for name in ("arrival", "end", "completion"))
        outcome, pending, expects = (np.ascontiguousarray(rows[name]) for name in ("outcome", "pending", "expects"))
        way, response = self._ways.codes(rows["source"], rows["route"], self._shape), end - arrival
        head = (way * self._shape[0] + self._intervals.place(arrival) - 1) * self._shape[1] + outcome
        bucket = self._buckets.place(response)
        self._answers.add(head * (2 * self._shape[3]) + bucket)
        if expects.any():
            mine = slice(None) if expects.all() else expects
            took = self._buckets.place((completion - arrival)[mine])
            self._orders.add((head[mine] * 2 + pending[mine]) * self._shape[3] + took)
            self._follow(end[mine], completion[mine], np.isin(outcome[mine], GOOD))
            self._complete(rows["route"][mine], completion[mine])
        self._ledger.add(_packed(_LEDGER_SHAPE, outcome, pending, rows["charges"], rows["reservations"]))
        self._look_for_the_slowest(rows, arrival, response)
        answered = ~np.isnan(end)
        if not answered.all():
            way, end, response, outcome, bucket = (column[answered] for column in (way, end, response, outcome, bucket))
        self._depart(way, end, outcome, bucket)
        self._settle(end, response, outcome)

    def _follow(self, end: NDArray[np.float64], completion: NDArray[np.float64], good: NDArray[np.bool_]) -> None:
        """Count promises made and kept by the tick that follows."""
        for place, times in enumerate((end[good], np.maximum(completion, end)[good])):
            # what never happened comes last
            self._over_time[place] += np.bincount(self._until.place(times), minlength=self._over_time.shape[1])

    def _complete(self, route: NDArray[np.int16], completion: NDArray[np.float64]) -> None:
        """Count orders by the moment of their last effect."""
        complete = ~np.isnan(completion)
        self._completions.add(
            route[complete].astype(np.int64) * self.plan.departures.size + self._leaving.place(completion[complete]) - 1
        )

    def _look_for_the_slowest(self, rows: Rows, arrival: NDArray[np.float64], response: NDArray[np.float64]) -> None:
        longest = np.fmax.reduce(np.where(arrival >= self.plan.warmup, response, np.nan), initial=-np.inf)
        if longest >= self._longest and not np.isinf(longest):
            self._slowest = slowest_of(
                np.concatenate([self._slowest, slowest_of(rows, self.plan.warmup)]), self.plan.warmup
            )
            self._longest = longest

    def _depart(self, way: Keys, end: NDArray[np.float64], outcome: NDArray[np.int8], bucket: Keys) -> None:
        """Count answers by the moment at which they came."""
        head = (way * self._departure_shape[0] + self._leaving.place(end) - 1) * self._departure_shape[1] + outcome
        self._departures.add(head * self._departure_shape[2] + self._limits[bucket])

    def _settle(self, end: NDArray[np.float64], response: NDArray[np.float64], outcome: NDArray[np.int8]) -> None:
        """Add up responses by the moment of the answer."""
        place = np.minimum((end / self.plan.duration * POINTS).astype(np.int64), POINTS - 1)
        self._answered += np.bincount(place, minlength=POINTS)
        self._waited += np.bincount(place, weights=response, minlength=POINTS)
        for code in range(outcome.min(initial=len(Outcome)), outcome.max(initial=-1) + 1):
            self._last_end[code] = np.max(end, where=outcome == code, initial=self._last_end[code])

    def _reduce_messages(self, rows: Rows) -> None:
        late = rows["end"] >= self.plan.warmup
        self._deliveries.add(
            _packed(_DELIVERIES_SHAPE, rows["topic"], rows["group"], rows["how"], rows["deliveries"], late)
        )


_LEDGER_SHAPE = (2, 256, 256)  # of all but the first column
_DELIVERIES_SHAPE = (1 << 15, len(MessageEnd), 1 << 15, 2)


class _Pieces:
    """Rows gathered to pieces of one size, and their digest."""

    def __init__(self, dtype: np.dtype[np.void], reduce: Callable[[Rows], None]):
        self._buffer = np.zeros(PIECE, dtype)
        self._bytes = bytes_of(self._buffer)  # faster to copy than rows
        self._filled = 0
        self._reduce = reduce
        self._digest = hashlib.sha256()

    def add(self, rows: Rows) -> None:
        """Take these rows."""
        width = rows.dtype.itemsize
        while rows.size:
            taken = rows[: PIECE - self._filled]
            self._bytes[self._filled * width : (self._filled + taken.size) * width] = bytes_of(taken)
            self._filled += taken.size
            rows = rows[taken.size :]
            if self._filled == PIECE:
                self._done()

    def finish(self) -> str:
        """Reduce what is left; the digest of all rows."""
        self._done()
        return self._digest.hexdigest()

    def _done(self) -> None:
        if self._filled:
            piece = self._buffer[: self._filled]
            self._digest.update(bytes_of(piece))
            self._reduce(piece)
            self._filled = 0


class _Cells:
    """How often each key came, in order of the keys."""

    def __init__(self) -> None:
        self.keys, self.counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._waiting: list[tuple[Keys, Keys]] = []
        self._size = 0

    def add(self, keys: Keys) -> None:
        """Count these. They are merged with the others when there are as many of them, which costs the least in all."""
        if keys.size:
            self._waiting.append(_occurring(keys))
            self._size += self._waiting[-1][0].size
        if self._size >= max(LEAST, self.keys.size):
            self.merge()

    def merge(self) -> None:
        """Bring all together."""
        parts = [(self.keys, self.counts), *self._waiting]
        keys, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(keys, kind="stable")  # the fastest, of a few parts in order
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        self.keys, self.counts = keys[first], np.add.reduceat(counts[order], first) if first.size else counts
        self._waiting, self._size = [], 0


class _Ways:
    """A small number for every pair of source and route that occurs."""

    def __init__(self) -> None:
        self._pairs = np.empty((0, 2), np.int64)  # by their numbers
        # by source, and by route + 1, for there may be none; -1: has not occurred yet
        self._codes = np.full((1, 1), -1)

    def codes(self, source: NDArray[np.int16], route: NDArray[np.int16], shape: tuple[int, ...]) -> Keys:
        """The number of each pair. Raises OverflowError where a key of this shape would not fit into 63 bits."""
        missing = (
            max(0, int(source.max()) + 1 - self._codes.shape[0]),
            max(0, int(route.max()) + 2 - self._codes.shape[1]),
        )
        if any(missing):
            self._codes = np.pad(self._codes, [(0, more) for more in missing], constant_values=-1)
        place = source.astype(np.int64) * self._codes.shape[1] + route + 1
        codes = np.asarray(self._codes.ravel()[place])
        if codes.min() < 0:
            self._number(np.unique(place[codes < 0]), shape)
            codes = self._codes.ravel()[place]
        return codes

    def _number(self, places: NDArray[np.int64], shape: tuple[int, ...]) -> None:
        """Give the next numbers to the pairs at these places."""
        known, width = len(self._pairs), self._codes.shape[1]
        self._codes.ravel()[places] = np.arange(known, known + places.size)
        self._pairs = np.concatenate([self._pairs, np.column_stack([places // width, places % width - 1])])
        if len(self._pairs) * int(np.prod(shape, dtype=object)) >= 2**63:
            raise OverflowError(
                f"{len(self._pairs)} pairs of traffic and route in {shape[0]} intervals are more than a summary can "
                "tell apart"
            )

    def decoded(self, codes: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Source and route of each number."""
        source, route = np.ascontiguousarray(self._pairs.T)
        return source[codes], route[codes]


def slowest_of(requests: Rows, warmup: float) -> Rows:
    """(0,) or (1,) who waited longest for an answer, whatever that was, of those that arrived after the warm-up; the
    first by id of equals.
    """
    response = np.where(requests["arrival"] >= warmup, requests["end"] - requests["arrival"], np.nan)
    longest = np.flatnonzero(response == np.fmax.reduce(response, initial=-np.inf))
    return requests[longest[np.argsort(requests["id"][longest], kind="stable")[:1]]].copy()


def _occurring(keys: Keys) -> tuple[Keys, Keys]:
    """The keys in ascending order, each once, and how often it comes; where they lie close together without sorting
    them.
    """
    least = keys.min()
    if keys.max() - least > 4 * keys.size:
        ordered = np.sort(keys)
        first = np.flatnonzero(np.diff(ordered, prepend=least - 1))
        return ordered[first], np.diff(first, append=keys.size)
    counts = np.bincount(keys - least)
    found = np.flatnonzero(counts)
    return found + least, counts[found]


def _packed(shape: tuple[int, ...], first: NDArray[np.integer], *others: NDArray[np.integer | np.bool_]) -> Keys:
    """One key of several columns; `shape` bounds all but the first."""
    keys = first.astype(np.int64)
    for bound, column in zip(shape, others, strict=True):
        keys = keys * bound + column
    return keys


def _unpacked(cells: _Cells, shape: tuple[int, ...], names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    """The columns that the keys were packed from, and the counts."""
    cells.merge()
    columns, rest = {"count": cells.counts}, cells.keys
    for name, bound in zip(reversed(names[1:]), reversed(shape), strict=True):
        whole = rest // bound  # by one number, and so without divisions, as numpy's divmod is not
        rest, columns[name] = whole, rest - whole * bound
    return {names[0]: rest, **columns}


def _table(dtype: np.dtype[np.void], columns: Mapping[str, NDArray[np.generic]]) -> Rows:
    table = np.empty(len(columns[(dtype.names or ("",))[0]]), dtype)
    for name in dtype.names or ():
        table[name] = columns[name]
    return table
