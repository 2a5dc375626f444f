"""Arrivals in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, named


def closed(
    *,
    users: Mapping[str, Any] | int | str,
    think: Mapping[str, Any] | str,
    pacing: Literal[0] | Mapping[str, Any] | str | None = None,
    ramp: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A fixed number of users who think, send, wait for the answer, and think again.

    users: How many there are; each has one request under way at most.
    think: The pause between an answer and the next request.
    pacing: The least time from the beginning of one request to that of the next (constant pacing of Locust).
    ramp: How long it takes until all are there, one after the other at equal gaps (Locust's spawn rate, ramps of
        k6).
    """
    return named("closed", locals())


def deterministic(rate: Mapping[str, Any] | str) -> Part:
    """Open arrivals at equal gaps; the first one gap after the start, none at the end: one an hour makes 23 in 24
    hours.

    rate: Requests per second, exactly.
    """
    return named("deterministic", locals())


def mmpp(*, rates: Sequence[Any], stays: Sequence[Any]) -> Part:
    """Two-state Markov-modulated Poisson process: bursts. Starts in the first state.

    rates: Requests per second in the first and in the second state.
    stays: Mean time in each state before it changes.
    """
    return named("mmpp", locals())


def poisson(rate: Mapping[str, Any] | str) -> Part:
    """Open arrivals with exponential gaps.

    rate: Requests per second, on average.
    """
    return named("poisson", locals())


def profile(
    segments: Sequence[Mapping[str, Any] | str], *, times: Mapping[str, Any] | float | str | None = None
) -> Part:
    """A non-homogeneous Poisson process whose rate follows the segments; after the last its final rate goes on.

    segments: The pieces, one after the other.
    times: Scales every rate.
    """
    return named("profile", locals())


def replay(
    file: str | None = None,
    *,
    timestamps: str | None = None,
    unit: Literal["s", "ms", "us", "ns", "m", "h"] | None = None,
    rates: str | None = None,
    counts: str | None = None,
    every: Literal[0] | Mapping[str, Any] | str | None = None,
    where: Mapping[str, Any | Sequence[Any]] | None = None,
    route: str | None = None,
    user: str | None = None,
    times: Mapping[str, Any] | float | str | None = None,
    speed: Mapping[str, Any] | float | str | None = None,
    data: Mapping[str, Any] | str | None = None,
) -> Part:
    """A recorded CSV.

    file: The CSV, relative to the scenario.
    timestamps: The column of times; the first where none is named.
    unit: Of plain numbers in it; told from their size where it is not said.
    rates: The column of requests per second, which hold until the next row.
    counts: The column of numbers of requests, spread evenly until the next row.
    every: The interval of the rows of a series, where the file has no times.
    where: Which rows: `{column: value}`, or a list of values.
    route: The column that says what a request asks for, in the place of `sends`.
    user: The column that says whose request it is.
    times: Scales the rate of a series.
    speed: Plays the recording faster.
    data: What the loader has read; nobody writes it by hand.
    """
    return named("replay", locals())
