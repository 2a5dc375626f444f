"""How much came in: an open rate, one that changes over time, or users who wait for their answers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from sim.importing.draft import Said
from sim.importing.traces.times import duration, many, said_of
from sim.measured import Distribution, Measured, Requests, Series
from sim.measured.measurement import Floats
from sim.spec.document import Data

MOST_USERS = 10_000  # who may be simulated as closed ones
TIGHT = 0.5  # coefficient of variation of the pauses of users that are a pause of theirs, and no luck
HARDLY = 0.05  # of the mean response: shorter pauses are none
LONGEST = 3600.0  # s of a series that is followed: of a longer one the busiest hour
PIECES = 30  # of a rate over time
_RATES = re.compile(r"(?:^|[^a-z])(?:rps|qps|req|reqs|requests?|rate|throughput|hits|calls|recorded)(?:[^a-z]|$)")
_COUNTS = re.compile(r"(?:^|[^a-z])(?:count|counts|invocations)(?:[^a-z]|$)")
_NEITHER = re.compile(r"latenc|duration|seconds|error|fail|ratio|percent|cpu|memory|bytes|user|lag|queue")
_GENERATORS = ("k6", "JMeter")  # whose rows say by which of its users a request was sent


def of_requests(requests: Requests, measured: Sequence[Measured]) -> Said | None:
    """Users who wait, where the rows are those of a load generator and look like it; else None: the rate says it."""
    if not any(part.kind.startswith(_GENERATORS) for part in measured if part.requests is not None):
        return None
    pauses = _pauses(requests)
    if pauses is None or not 1 <= requests.users <= MOST_USERS:
        return None
    response = float(np.nanmean(requests.duration))
    middle = float(np.median(pauses))
    hardly = middle <= HARDLY * response
    if not hardly and float(pauses.std()) > TIGHT * float(pauses.mean()):
        return None
    think = Said("0ms", "") if hardly else said_of(pauses, many(pauses.size, "pause"))
    words = f"{many(requests.users, 'user')}, each of whom waited for the answer before the next request"
    return Said({"closed": {"users": requests.users, "think": think.value}}, words)


def _pauses(requests: Requests) -> Floats | None:
    """Seconds from an answer of a user to the next request of the same; None where they overlap or are unknown."""
    if len(requests) < 3 * max(1, requests.users) or bool((requests.user < 0).any()):
        return None
    order = np.lexsort((requests.arrival, requests.user))
    same = requests.user[order][1:] == requests.user[order][:-1]
    end = (requests.arrival + requests.duration)[order]
    gaps = np.asarray((requests.arrival[order][1:] - end[:-1])[same], np.float64)
    gaps = gaps[~np.isnan(gaps)]
    if not gaps.size or float(np.mean(gaps < -2e-3)) > 0.01:  # clocks of a millisecond
        return None
    return np.asarray(np.maximum(gaps, 0.0))


def of_table(table: Distribution, file: str, kind: str) -> Said | None:
    """The users or the rate of a summary."""
    if table.users and not kind.startswith("wrk2"):  # which sends at a rate, whoever has had an answer
        words = f"connections of {file}, each of which sent the next request at once"
        return Said({"closed": {"users": min(table.users, MOST_USERS), "think": "0ms"}}, words)
    if table.count and math.isfinite(table.span) and table.span > 0:
        return Said(
            {"poisson": f"{table.count / table.span:.4g}/s"},
            f"{many(table.count, 'request')} in {duration(table.span)} of {file}; single arrivals were not measured",
        )
    return None


def rates_in(series: Sequence[Series], file: str) -> list[Series]:
    """The series that are requests per second, counters and counts turned into such. One that is called `value` has
    the name of its file.
    """
    stem = PurePath(file).stem
    return [rate for one in series if (rate := _rate(one, stem if one.name == "value" else one.name)) is not None]


def _rate(series: Series, written: str) -> Series | None:
    name = written.lower().partition("{")[0].replace("_", " ")
    values = series.values
    if series.times.size < 2 or (series.unit and series.unit != "1/s") or _NEITHER.search(name):
        return None
    steps = np.diff(series.times)
    if float(steps.min()) <= 0:
        return None
    if name.endswith(" total") or name.endswith(" count"):
        grown = np.diff(values)
        rates = np.where(grown >= 0, grown, values[1:]) / steps  # a counter that was reset begins at 0
        return Series(series.name, series.times[:-1], rates, "1/s")
    if _COUNTS.search(name):
        return Series(series.name, series.times, values / float(np.median(steps)), "1/s")
    if series.unit == "1/s" or _RATES.search(name):
        return Series(series.name, series.times, values, "1/s")
    return None


def over_time(rates: Sequence[Series], file: str) -> tuple[Said, float] | None:
    """All of them together as a profile, and how long it lasts in seconds; of a long series the busiest hour."""
    first = rates[0]
    alike = [one for one in rates if one.times.size == first.times.size and np.allclose(one.times, first.times)]
    values = np.nansum([one.values for one in alike], axis=0)
    step = float(np.median(np.diff(first.times)))
    times, length = first.times - first.times[0], float(first.times[-1] - first.times[0]) + step
    words = f"{file}: mean {values.mean():.4g}/s, at most {values.max():.4g}/s in {duration(length)}"
    if length > LONGEST:
        inside = max(1, round(LONGEST / step))
        sums = np.concatenate([[0.0], np.cumsum(values)])
        begin = int(np.argmax(sums[inside:] - sums[:-inside])) if values.size > inside else 0
        values, times, length = values[begin : begin + inside], times[begin : begin + inside], inside * step
        words += f"; the busiest {duration(length)} of it, from {duration(float(times[0]))} on"
    if not float(values.sum()) > 0:
        return None
    return Said({"profile": _segments(values, length)}, words), length


def _segments(values: Floats, length: float) -> list[Data]:
    """Pieces of even length with their mean rates; neighbours that are alike are one."""
    found: list[tuple[float, float]] = []
    for piece in np.array_split(values, min(PIECES, values.size)):
        rate, lasts = max(0.0, float(piece.mean())), length * piece.size / values.size
        if found and math.isclose(found[-1][1], rate, rel_tol=0.02, abs_tol=1e-9):
            before, its = found[-1]
            found[-1] = before + lasts, (its * before + rate * lasts) / (before + lasts)
        else:
            found.append((lasts, rate))
    return [{"for": f"{lasts:.6g}s", "rate": f"{rate:.4g}/s"} for lasts, rate in found]
