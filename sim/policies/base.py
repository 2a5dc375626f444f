"""What policies are made of: rows of plain numbers, rings, and functions that run as plain Python or compiled.

A policy reads and writes one row (a slotted object of ints and floats) and, where it must remember a series, one ring
(a list of floats). The compiled engine holds the same row as a record of a structured array and the ring as a float64
array. Both run the same source. For the same bits a policy keeps to: + - * / // % on floats and on ints below 2**63,
comparisons, `math.floor`, `math.ceil` and `math.sqrt`, which are exact, and `math.exp`, which both engines take from
the C library; no powers, no numpy, no strings, no None, no containers; a float field is only ever given a float.

At a boundary. A reading of the clock is a sum of durations, each rounded to half a unit in the last place: 2**-53 of
its value. So two times that are equal on paper (1/7 s six times and six sevenths) may differ by some of these units,
and a comparison of floats would hang on which way they were rounded. A policy therefore compares times by `reached` and
`passed`, and counts windows by `periods`: what lies within NOISE of the time, room for 128 such roundings, counts as
equal. That is 14 fs at one second and 1.2 ns after a day, less than anybody writes in a scenario.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar, cast, get_type_hints

import numpy as np
import numpy.typing as npt

from sim.chance.shared import machine_code, shared

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
Ring: TypeAlias = list[float]

NOISE = 2.0**-46  # of a time: what 128 roundings, each of half a unit in the last place, amount to at most

MILLISECONDS = 1e3  # in a second, as are the next two
MICROSECONDS = 1e6
NANOSECONDS = 1e9


class Policy(Protocol[P, R_co]):
    """A plain function that has a compiled twin."""

    compiled: Compiled

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Run as plain Python."""


def policy(function: Callable[P, R_co]) -> Policy[P, R_co]:
    """Mark a function as a policy: it stays the plain function it was, at no cost, and gains `.compiled`, its twin for
    numba code.
    """
    marked = cast(Policy[P, R_co], shared(function))
    marked.compiled = Compiled(function)
    return marked


class Compiled:
    """The compiled twin of a policy, made when it is first called.

    Code compiled by numba may name it, or the policy itself.
    """

    def __init__(self, plain: Callable[..., Any]) -> None:
        self.plain = plain

    @property
    def _numba_type_(self) -> object:
        return machine_code(self.plain)._numba_type_  # type: ignore[attr-defined]  # a dispatcher of numba

    def __call__(self, *args: object) -> Any:  # noqa: ANN401 - whatever the policy answers
        """Run compiled."""
        return machine_code(self.plain)(*args)


@policy
def noise(now: float) -> float:
    """The seconds by which two times up to `now` may differ as floats though they are equal on paper."""
    return NOISE * abs(now)


@policy
def reached(now: float, time: float) -> bool:
    """Whether `time` has come: now >= time, up to noise."""
    return now >= time - noise(now)


@policy
def passed(now: float, time: float) -> bool:
    """Whether `time` is over: now > time, beyond noise."""
    return now > time + noise(now)


@policy
def periods(now: float, period: float) -> int:
    """How many whole periods have passed since time 0; one that ends now has passed."""
    return whole_of(now / period)


@policy
def whole_of(number: float) -> int:
    """The whole part of it, rounded down; what lies within noise below the next whole number is that. A clock that is
    behind may be negative.
    """
    return math.floor(number * (1.0 + NOISE if number >= 0.0 else 1.0 - NOISE))


@policy
def ticks(now: float, per_second: float) -> int:
    """What a clock of whole units shows at `now`; one that is over at this very time has been counted."""
    return whole_of(now * per_second)


def span_in(window: float, per_second: float) -> int:
    """A window in whole units of a clock, at least one."""
    return max(1, round(window * per_second))


_dtypes: dict[type, np.dtype[np.void]] = {}  # of row classes: every run asks, and annotations are slow to read


def dtype_of(row: type) -> np.dtype[np.void]:
    """The record of the compiled engine that has the fields of a row class: int is int64, float is float64, aligned."""
    if row not in _dtypes:
        types = get_type_hints(row)
        fields = [
            (field.name, np.int64 if types[field.name] is int else np.float64) for field in dataclasses.fields(row)
        ]
        _dtypes[row] = np.dtype(fields, align=True)
    return _dtypes[row]


def table_of(rows: Sequence[object]) -> npt.NDArray[np.void]:
    """Rows of one class, at least one, copied into a structured array: element i is row i, for the compiled engine."""
    kind = type(rows[0])
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]  # every row class is a dataclass
    return np.array([tuple(getattr(row, name) for name in names) for row in rows], dtype=dtype_of(kind))
