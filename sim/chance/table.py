"""Distributions as rows of one table, for an interpreter that cannot hold objects: `draw(rows, data, row, entity,
attempt)`.

A table is built once per scenario; only the keys depend on seed and replication. Not here: distributions of plug-ins,
which have no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chance import transforms
from sim.chance.keyed import derived_key, stream_key, uniform
from sim.chance.shared import machine_code, shared
from sim.errors import UsageError
from sim.spec import distribution as spec
from sim.spec import measured, phases
from sim.spec.base import word_of

CONSTANT, EXPONENTIAL, UNIFORM, LOGNORMAL, GAMMA, PARETO, WEIBULL, HYPEREXPONENTIAL, EMPIRICAL, REPLAYED, MIXTURE = (
    range(11)
)

ROW = np.dtype(
    [
        ("key", np.uint64),
        ("kind", np.int64),
        ("p0", np.float64),
        ("p1", np.float64),
        ("offset", np.int64),  # where its numbers begin in `data`
        ("size", np.int64),  # how many values, phases or parts
        ("parts", np.int64),  # the row of a mixture's first part; the others follow
    ],
    align=True,
)


Rows = Any  # an array of them, or a list of plain objects with the same names
Numbers = transforms.Floats


class Draws(NamedTuple):
    """What `draw` needs, for one seed and replication."""

    rows: NDArray[np.void]
    data: NDArray[np.float64]


@shared
def draw(rows: Rows, data: Numbers, row: int, entity: int, attempt: int) -> float:
    """The time that this row gives to this entity and attempt, in seconds."""
    r = rows[row]
    while r.kind == MIXTURE:
        r = rows[r.parts + transforms.chosen(uniform(r.key, entity, attempt), data, r.offset, r.size)]
    kind = r.kind
    if kind == CONSTANT:
        return float(r.p0)
    if kind == EXPONENTIAL:
        return transforms.exponential(uniform(r.key, entity, attempt), r.p0)
    if kind == LOGNORMAL:
        return transforms.lognormal(uniform(r.key, entity, attempt), r.p0, r.p1)
    if kind == UNIFORM:
        return transforms.between(uniform(r.key, entity, attempt), r.p0, r.p1)
    if kind == GAMMA:
        return transforms.gamma(r.key, entity, attempt, r.p0, r.p1)
    if kind == PARETO:
        return transforms.pareto(uniform(r.key, entity, attempt), r.p0, r.p1)
    if kind == WEIBULL:
        return transforms.weibull(uniform(r.key, entity, attempt), r.p0, r.p1)
    if kind == HYPEREXPONENTIAL:
        return transforms.hyperexponential(r.key, entity, attempt, data, r.offset, r.size)
    if kind == EMPIRICAL:
        return transforms.empirical(uniform(r.key, entity, attempt), data, r.offset, r.size)
    return transforms.replayed(entity, data, r.offset, r.size)


def draws(
    rows: NDArray[np.void], data: NDArray[np.float64], row: int, entities: NDArray[np.int64], attempt: int
) -> NDArray[np.float64]:
    """One time for each entity, by machine code."""
    times: NDArray[np.float64] = machine_code(_draws)(rows, data, row, entities, attempt)
    return times


@shared
def _draws(rows: Rows, data: Numbers, row: int, entities: NDArray[np.int64], attempt: int) -> NDArray[np.float64]:
    out = np.empty(entities.size)
    for index in range(entities.size):
        out[index] = draw(rows, data, row, entities[index], attempt)
    return out


class DrawTable:
    """Builds the rows: `add` each distribution under the name of its stream, then ask for `arrays` of a seed and
    replication.
    """

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._data: list[float] = []
        # of each row: its stream, and the way down to it through mixtures
        self._streams: list[tuple[str, tuple[str, ...]]] = []

    def add(self, distribution: spec.Distribution, stream: str) -> int:
        """The number of the row that draws from this distribution on this stream."""
        return self._add(distribution, stream, (), self._reserve(1))

    def add_uniform(self, stream: str) -> int:
        """A row that draws a plain uniform in (0, 1): a coin, a jitter."""
        row = self._reserve(1)
        self._rows[row], self._streams[row] = _Row(UNIFORM, 0.0, 1.0), (stream, ())
        return row

    def arrays(self, seed: int, replication: int) -> Draws:
        """The table with the keys of one replication."""
        return self._keyed({stream: stream_key(seed, replication, stream) for stream, _ in self._streams})

    def arrays_of(self, key: int) -> Draws:
        """The table with this key for every stream; for a table of a single distribution."""
        return self._keyed({stream: key for stream, _ in self._streams})

    def _keyed(self, keys: dict[str, int]) -> Draws:
        rows = np.zeros(len(self._rows), ROW)
        for index, (row, (stream, way)) in enumerate(zip(self._rows, self._streams, strict=True)):
            key = keys[stream]
            for step in way:
                key = derived_key(key, step)
            rows[index] = (key, row.kind, row.p0, row.p1, row.offset, row.size, row.parts)
        return Draws(rows, np.array(self._data or [0.0]))

    def _reserve(self, count: int) -> int:
        first = len(self._rows)
        self._rows += [_Row()] * count
        self._streams += [("", ())] * count
        return first

    def _add(self, distribution: spec.Distribution, stream: str, way: tuple[str, ...], row: int) -> int:
        self._streams[row] = (stream, way)
        if isinstance(distribution, measured.Mixture):
            first = self._reserve(len(distribution.parts))
            self._rows[row] = self._with_data(
                MIXTURE, _cumulative(distribution.weights), len(distribution.parts), first
            )
            for index, part in enumerate(distribution.parts):
                self._add(part, stream, (*way, f"part {index}"), first + index)
        else:
            self._rows[row] = self._plain(distribution)
        return row

    def _plain(self, distribution: spec.Distribution) -> _Row:
        match distribution:
            case spec.Constant():
                return _Row(CONSTANT, distribution.value)
            case spec.Exponential():
                return _Row(EXPONENTIAL, distribution.mean)
            case spec.LogNormal():
                return _Row(LOGNORMAL, distribution.mu, distribution.sigma)
            case spec.Uniform():
                return _Row(UNIFORM, distribution.low, distribution.high)
            case spec.Gamma():
                return _Row(GAMMA, distribution.shape, distribution.scale)
            case phases.Erlang():
                return _Row(GAMMA, float(distribution.phases), distribution.mean / distribution.phases)
            case spec.Pareto():
                return _Row(PARETO, distribution.minimum, -1.0 / distribution.alpha)
            case spec.Weibull():
                return _Row(WEIBULL, distribution.scale, 1.0 / distribution.shape)
            case phases.HyperExponential():
                return self._with_data(
                    HYPEREXPONENTIAL,
                    [*_cumulative(distribution.probabilities), *distribution.means],
                    len(distribution.means),
                )
            case measured.Empirical():
                return self._with_data(EMPIRICAL, sorted(_recorded(distribution)), len(_recorded(distribution)))
            case measured.Replayed():
                return self._with_data(REPLAYED, list(_recorded(distribution)), len(_recorded(distribution)))
            case _:
                raise UsageError(
                    f"the distribution '{word_of(distribution)}' has no row in the table of draws: only the SimPy "
                    "engine can draw from it"
                )

    def _with_data(self, kind: int, numbers: list[float], size: int, parts: int = 0) -> _Row:
        offset = len(self._data)
        self._data += numbers
        return _Row(kind, offset=offset, size=size, parts=parts)


@dataclass(frozen=True)
class _Row:
    kind: int = CONSTANT
    p0: float = 0.0
    p1: float = 0.0
    offset: int = 0
    size: int = 0
    parts: int = 0


def _cumulative(weights: tuple[float, ...]) -> list[float]:
    """Cumulative shares; from the last part that can be chosen on exactly 1."""
    sums = list(accumulate(weights))
    return [value / sums[-1] for value in sums]


def _recorded(distribution: measured.Empirical | measured.Replayed) -> tuple[float, ...]:
    if not distribution.data:
        raise UsageError(f"the distribution '{word_of(distribution)}' has no data: its file has not been read")
    return tuple(distribution.data)
