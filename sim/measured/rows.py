"""Requests as they are read, row by row, into growing columns: an access log need not be in the order of arrival."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.measured.measurement import Measured, PassedOver, Requests
from sim.measured.moment import UnreadableRowError, is_dated
from sim.measured.source import Source
from sim.stats.pieces import pieces
from sim.units import LONGEST
from sim.vocabulary import Outcome

MOST_ROWS = 100_000_000  # 2.7 GB of columns; who has more measures less of it
MOST_ROUTES = 1_000  # names that are told apart; what comes after is OTHER
MOST_USERS = 1_000_000
OTHER = "(other)"
_TOLERATED = 0.1  # share of lines that may be unreadable: a log that was cut, or a line of a crash among them

_QUERY = re.compile(r"[?#;].*", re.DOTALL)
_HOST = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*")
T = TypeVar("T", bound=np.generic)
_NUMBER = re.compile(r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{16,}")


@dataclass
class Rows:
    """The columns so far."""

    source: Source

    def __post_init__(self) -> None:
        self._time, self._duration = array("q"), array("d")
        self._outcome, self._status = array("b"), array("h")
        self._route, self._user = array("i"), array("i")
        self._routes: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._bad, self._first_bad, self._why = 0, 0, ""

    def __len__(self) -> int:
        return len(self._time)

    def add(self, time: int, duration: float, route: str, status: int, outcome: Outcome, user: str = "") -> None:
        """A request: nanoseconds of its arrival, since 1970 or from a start; seconds until its answer (nan: none).

        UnreadableRowError where it cannot be one.
        """
        if not (math.isnan(duration) or 0 <= duration <= LONGEST):
            raise UnreadableRowError(f"found a duration of {duration:.6g} s, expected 0 to ten years")
        if not -(2**62) < time < 2**62:
            raise UnreadableRowError("found a time that is none")
        self._time.append(time)
        self._duration.append(duration)
        self._route.append(_number_of(route, self._routes, MOST_ROUTES, OTHER) if route else -1)
        self._user.append(_number_of(user, self._users, MOST_USERS, OTHER) if user else -1)
        self._status.append(status if 0 <= status < 2**15 else 0)
        self._outcome.append(outcome)
        if len(self._time) > MOST_ROWS:
            raise self.source.wrong(f"found more than {MOST_ROWS:,} requests, expected at most that many; cut the file")

    def pass_over(self, line: int, why: str) -> None:
        """A line that is no record: a few are borne."""
        if not self._bad:
            self._first_bad, self._why = line, why[:200]
        self._bad += 1
        if self._bad > 1000 and self._bad > _TOLERATED * (self._bad + len(self)):
            raise self._too_many()

    def measured(
        self,
        kind: str,
        understood: Sequence[str] = (),
        missing: Sequence[str] = (),
        *,
        ends: bool = False,
        resolution: float = 0.0,
    ) -> Measured:
        """What was read, in the order of arrival.

        `ends`: the times are those of the answers, not of the arrivals. `resolution`: that of the times, in seconds.
        """
        if not len(self) or self._bad > max(5, _TOLERATED * (self._bad + len(self))):
            raise self._too_many()
        first = self._first_arrival(ends)
        dated = is_dated(first)
        zero = first if dated else min(0, first)
        requests = self._requests(zero)
        bad = PassedOver(self._bad, self._first_bad, self._why) if self._bad else None
        lacks = [*missing]
        lacks += ["which route a request took"] if not self._routes else []
        lacks += ["whose request it was"] if not self._users else []
        lacks += ["how long anything took"] if bool(np.isnan(requests.duration).all()) else []
        lacks += [f"arrivals more exactly than to {resolution:g} s"] if resolution else []
        return Measured(
            kind=kind,
            file=self.source.file,
            requests=requests,
            began=zero if dated else None,
            understood=tuple(understood),
            missing=tuple(lacks),
            passed_over=bad,
            resolution=resolution,
        )

    def _first_arrival(self, ends: bool) -> int:
        """Of the earliest, as the rows tell time; where they tell when a request ended, from now on when it came."""
        time = np.frombuffer(self._time, np.int64)
        if ends:
            for part in pieces(len(time)):
                took = np.nan_to_num(np.frombuffer(self._duration, np.float64)[part])
                time[part] -= np.round(took * 1e9).astype(np.int64)
        return int(time.min())

    def _requests(self, zero: int) -> Requests:
        """The rows in the order of arrival. Each column is let go when its copy is made: a log may fill the memory."""
        time = np.frombuffer(self._time, np.int64)
        time -= zero
        arrival = time / 1e9
        del time
        self._time = array("q")
        order = np.argsort(arrival, kind="stable") if np.any(arrival[1:] < arrival[:-1]) else None
        arrival = _in_order(arrival, order)
        self._duration, duration = array("d"), _in_order(np.frombuffer(self._duration, np.float64), order)
        self._outcome, outcome = array("b"), _in_order(np.frombuffer(self._outcome, np.int8), order)
        self._status, status = array("h"), _in_order(np.frombuffer(self._status, np.int16), order)
        self._route, route = array("i"), _in_order(np.frombuffer(self._route, np.int32), order)
        self._user, user = array("i"), _in_order(np.frombuffer(self._user, np.int32), order)
        return Requests(arrival, duration, outcome, status, route, user, tuple(self._routes), len(self._users))

    def _too_many(self) -> Exception:
        if not self._bad:
            return self.source.wrong("found no requests, expected at least one")
        return self.source.wrong(
            f"{self._why} ({self._bad:,} lines are no requests, {len(self):,} are)", self._first_bad
        )


def _in_order(column: NDArray[T], order: NDArray[np.intp] | None) -> NDArray[T]:
    return column if order is None else column[order]


def _number_of(name: str, numbers: dict[str, int], most: int, other: str) -> int:
    number = numbers.get(name)
    if number is not None:
        return number
    if len(numbers) >= most:
        name = other
    return numbers.setdefault(name[:200], len(numbers))


def route_of(method: str, url: str) -> str:
    """`GET /orders/{id}` of `GET` and `https://shop/orders/17?x=1`: no host, no query, `{id}` for numbers and keys."""
    path = _QUERY.sub("", _HOST.sub("", url[:2000], count=1)) or "/"
    parts = ["{id}" if _NUMBER.fullmatch(part) else part for part in path.split("/")]
    return f"{method} {'/'.join(parts)}".strip()
