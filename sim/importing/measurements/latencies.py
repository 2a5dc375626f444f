"""Response times as a distribution of the language: of single requests, or of a table of percentiles."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from sim.importing.draft import Said
from sim.importing.traces.times import duration, many, said_of
from sim.measured import Distribution, Requests
from sim.measured.measurement import Floats
from sim.spec.document import Data

FINE = 50  # rows of a table from which it is as good as the sample it was made of
_SAMPLE = 4000  # values that stand for such a table
_MARKS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)  # percentiles that are kept of a coarser one


def of_requests(requests: Requests, number: int, file: str) -> Said:
    """The times in which requests of a route (-1: of none) were answered well."""
    here = requests.route == number
    sample = requests.duration[requests.timed & here]
    if not sample.size:  # nobody was answered well: as long as it took to hear that
        sample = requests.duration[here & ~np.isnan(requests.duration)]
    if not sample.size:
        return Said({"work": "5ms"}, f"the time that a request takes here; {file} does not say", True)
    said = said_of(sample, f"{many(sample.size, 'answer')} of {file}")
    return Said({"wait": said.value}, said.remark, said.to_be_supplied)


def of_table(table: Distribution, file: str) -> Said:
    """The times of a table: a family where it is fine, pieces between its percentiles where it is coarse."""
    count = many(table.count, "answer") if table.count else "a table"
    known = ", ".join(f"p{100 * q:g}" for q in (0.5, 0.95, 0.99) if table.tabulates(q))
    if not table.values.size:
        mean = math.isfinite(table.mean) and table.mean > 0
        time = {"wait": duration(table.mean)} if mean else {"work": "5ms"}
        words = (
            f"mean of {count} of {file}, which tells no percentile" if mean else "the time that a request takes here"
        )
        return Said(time, words, True)
    if table.values.size >= FINE:
        said = said_of(_sample(table), f"{count} of {file}")
        return Said({"wait": said.value}, said.remark, said.to_be_supplied)
    value, beyond = _pieces(table)
    words = f"{count} of {file}, between its percentiles" + (f" ({known})" if known else "")
    return Said({"wait": value}, f"{words}; {beyond}" if beyond else words)


def _sample(table: Distribution) -> Floats:
    """Evenly spaced ranks of a fine table."""
    ranks = (np.arange(_SAMPLE) + 0.5) / _SAMPLE
    return np.interp(ranks, table.shares, table.values)


def _pieces(table: Distribution) -> tuple[Data, str]:
    """An even piece between each two percentiles, and what is not told of the end."""
    places = sorted({int(np.argmin(np.abs(table.shares - mark))) for mark in _MARKS} | {table.shares.size - 1})
    points = [(float(table.shares[place]), float(table.values[place])) for place in places]
    points = [point for point in points if point[0] > 0.0]
    if not points:
        return duration(float(table.values[-1])), ""
    beyond = ""
    if points[-1][0] < 1.0 and math.isfinite(table.most) and table.most >= points[-1][1]:
        points.append((1.0, table.most))
    elif points[-1][0] < 1.0:
        beyond = (
            f"the slowest {100 * (1 - points[-1][0]):.3g} % take as long as p{100 * points[-1][0]:g}, no more is told"
        )
        points.append((1.0, points[-1][1]))
    first = (0.0, _least(table, points))
    pieces = [_piece(after[0] - before[0], before[1], after[1]) for before, after in pairwise([first, *points])]
    parts: list[Data] = [piece for piece in pieces if piece is not None]
    return {"mixture": parts}, beyond


def _least(table: Distribution, points: list[tuple[float, float]]) -> float:
    """Where the fastest begin: as told, else so that the mean is the measured one, else at 0."""
    share, value = points[0]
    if math.isfinite(table.least):
        return min(table.least, value)
    if not math.isfinite(table.mean):
        return 0.0
    rest = sum((after[0] - before[0]) * (before[1] + after[1]) / 2 for before, after in pairwise(points))
    return min(value, max(0.0, 2 * (table.mean - rest) / share - value))


def _piece(weight: float, low: float, high: float) -> dict[str, Data] | None:
    if weight <= 1e-9:
        return None
    first, last = duration(low), duration(high)
    return {"weight": f"{100 * weight:.4g}%", **({"constant": first} if first == last else {"uniform": [first, last]})}


def in_words(requests: Requests, number: int) -> str:
    """`mean 12ms, p95 40ms` of the answers of a route; empty where none has a time."""
    its = requests.timed & (requests.route == number)
    sample = requests.duration[its]
    if not sample.size:
        return ""
    return f"mean {duration(float(sample.mean()))}, p95 {duration(float(np.quantile(sample, 0.95)))}"
