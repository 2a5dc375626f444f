"""When requests of an open source arrive: made ahead in chunks, handed out one by one.

Random sources are points of a Poisson process of rate one, S_k the sum of k keyed unit exponentials, carried through
the inverse of the cumulative rate: t_k = mass^-1(S_k). So the k-th arrival is the same piece of luck at every load, and
arrivals stay paired when the load changes. A modulated source (MMPP) draws the stays in its states from a stream of its
own and then is a rate like any other.

Times never decrease, and lie in [0, duration); two may be equal where floats cannot tell them apart, or a recording
says so. A plug-in's arrivals are taken from its method `arrival_times(uniform, duration)`, with `uniform(entity,
attempt)` its keyed luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chance.keyed import derived_key, stream_key, uniform
from sim.chance.rates import (
    DECAY,
    LEVEL,
    LINEAR,
    PIECE,
    Pieces,
    Row,
    mass_within,
    pieces_of,
    rate_within,
    recorded_times,
)
from sim.chance.sampler import uniform_sampler
from sim.chance.shared import as_objects, is_worth_machine_code, machine_code, shared
from sim.chance.table import Numbers, Rows
from sim.chance.transforms import exponential
from sim.spec import arrivals as spec

CHUNK, FIRST_CHUNK = 4096, 64  # times that are made at once
RANDOM, EVEN, MODULATED, RECORDED = range(4)

SOURCE = np.dtype(
    [
        ("kind", np.int64),
        ("key", np.uint64),
        ("stays_key", np.uint64),
        ("duration", np.float64),
        ("made", np.int64),  # arrivals made so far
        ("mass", np.float64),  # cumulative rate at the last of them: the sum of the steps
        ("time", np.float64),  # of the last of them
        ("stays", np.int64),  # modulated: changes of state so far
        ("piece", np.int64),  # the current piece
        # past the last piece; for a modulated source pieces[end] and pieces[end + 1] are its two states
        ("end", np.int64),
        ("offset", np.int64),  # recorded: where its times begin in `data`
        ("size", np.int64),
    ],
    align=True,
)


class Arrivals(NamedTuple):
    """The state of all open sources, changed in place as arrivals are made."""

    sources: NDArray[np.void]
    pieces: Pieces
    data: NDArray[np.float64]


def arrival_times(arrivals: spec.Arrivals, key: int, duration: float) -> Iterator[float]:
    """The times of one open source, in order."""
    if hasattr(arrivals, "arrival_times"):
        return iter(arrivals.arrival_times(uniform_sampler(key), duration))
    table = ArrivalTable()
    table.add(arrivals, "")
    return chain.from_iterable(_chunks(table.arrays_of(key, duration)))


def _chunks(state: Arrivals) -> Iterator[list[float]]:
    if is_worth_machine_code():
        array, fill = np.empty(CHUNK), machine_code(fill_arrivals)
        while count := fill(*state, 0, array, CHUNK):
            yield array[:count].tolist()
        return
    times, size = [0.0] * CHUNK, FIRST_CHUNK
    sources, pieces, data = as_objects(state.sources), as_objects(state.pieces), state.data.tolist()
    while count := fill_arrivals(sources, pieces, data, 0, times, size):
        yield times[:count]
        size = min(2 * size, CHUNK)  # who only looks at a world asks for the first one alone


@shared
def fill_arrivals(sources: Rows, pieces: Rows, data: Numbers, index: int, out: Numbers, size: int) -> int:
    """Make the next arrivals of a source; fewer than `size`, which `out` has room for, means that there are no more."""
    source = sources[index]
    made = 0
    while made < size:
        time = _next_row(source, data) if source.kind == RECORDED else _next_point(source, pieces)
        if not time < source.duration:
            source.duration = 0.0  # over for good, whatever is asked again
            break
        source.time = max(source.time, time)
        source.made += 1
        out[made] = source.time
        made += 1
    return made


@shared
def _next_row(source: Row, data: Numbers) -> float:
    return float(data[source.offset + source.made]) if source.made < source.size else math.inf


@shared
def _next_point(source: Row, pieces: Rows) -> float:
    """Where the cumulative rate reaches the next point; infinite if it never does."""
    step = 1.0 if source.kind == EVEN else exponential(uniform(source.key, source.made, 0), 1.0)
    mass = source.mass + step
    while source.piece < source.end and mass > pieces[source.piece].base + pieces[source.piece].mass:
        _advance(source, pieces)
    if source.piece >= source.end:
        return math.inf
    source.mass = mass
    piece = pieces[source.piece]
    return float(piece.start + time_within(piece, mass - piece.base, source.time - piece.start))


@shared
def _advance(source: Row, pieces: Rows) -> None:
    """To the next piece; a modulated source writes it over the last. Past the duration there is none."""
    piece = pieces[source.piece]
    start = piece.start + piece.length
    if start >= source.duration:
        source.piece = source.end
    elif source.kind == MODULATED:
        source.stays += 1
        _stay(source, pieces, start, piece.base + piece.mass)
    else:
        source.piece += 1


@shared
def _stay(source: Row, pieces: Rows, start: float, base: float) -> None:
    state = pieces[source.end + source.stays % 2]
    piece = pieces[source.piece]
    piece.start = start
    piece.base = base
    piece.rate = state.rate
    piece.length = exponential(uniform(source.stays_key, source.stays, 0), state.length)
    piece.mass = piece.rate * piece.length


@shared
def time_within(piece: Row, mass: float, near: float) -> float:
    """How far into the piece its mass is reached; `near` is where to begin to look."""
    if piece.kind == LEVEL:
        return float(mass / piece.rate) if mass > 0.0 else 0.0
    if piece.kind == LINEAR:
        root = math.sqrt(max(piece.rate * piece.rate + 2.0 * piece.change * mass, 0.0))
        return float(min(2.0 * mass / (piece.rate + root), piece.length)) if mass > 0.0 else 0.0
    return _search(piece, mass, near)


@shared
def _search(piece: Row, mass: float, near: float) -> float:
    """Newton's method, kept by bisection between two bounds that close in.

    The mass never falls, so the bounds always hold.
    """
    low, high = _bounds(piece, mass)
    time = min(max(near, low), high)
    for _ in range(200):
        missing = mass - mass_within(piece, time)
        if missing > 0.0:
            low = time
        else:
            high = time
        rate = rate_within(piece, time)
        step = missing / rate if rate > 0.0 else math.inf
        if not low <= time + step <= high:
            step = 0.5 * (low + high) - time
        time += step
        if abs(step) <= 1e-10 * (1e-3 + time):
            break
    return time


@shared
def _bounds(piece: Row, mass: float) -> tuple[float, float]:
    if piece.kind == DECAY:
        if piece.length < math.inf:
            return 0.0, piece.length
        if piece.rate > 0.0:
            return 0.0, 1.0 + (mass + abs(piece.change) * piece.scale) / piece.rate
        return 0.0, 800.0 * piece.scale
    swing = 2.0 * piece.change / piece.scale
    low, high = mass / piece.rate - swing - 1e-3, mass / piece.rate + swing + 1e-3
    return max(low, 0.0), min(high, piece.length)


class ArrivalTable:
    """Builds the state of all open sources: `add` each under the name of its stream, then ask for `arrays` of a seed
    and replication.
    """

    def __init__(self) -> None:
        self._sources: list[tuple[str, np.void]] = []
        self._pieces: list[Pieces] = []
        self._data: list[NDArray[np.float64]] = []
        self._piece_count = self._data_count = 0

    def add(self, arrivals: spec.Arrivals, stream: str) -> int:
        """The number of the source that arrives so, on this stream."""
        source = np.zeros(1, SOURCE)[0]
        if isinstance(arrivals, spec.Replay) and not arrivals.is_series:
            times = recorded_times(arrivals)
            source["kind"], source["offset"], source["size"] = RECORDED, self._with_data(times), times.size
        else:
            pieces, kind, own = _pieces_and_kind(arrivals)
            source["kind"], source["piece"], source["end"] = kind, self._piece_count, self._piece_count + own
            self._pieces.append(pieces)
            self._piece_count += pieces.size
        self._sources.append((stream, source))
        return len(self._sources) - 1

    def add_rows(self, numbers: Sequence[int]) -> int:
        """Where a number for each request of a recording begins in `data`; -1: there are none."""
        return self._with_data(np.asarray(numbers, np.float64)) if numbers else -1

    def _with_data(self, numbers: NDArray[np.float64]) -> int:
        self._data.append(numbers)
        self._data_count += numbers.size
        return self._data_count - numbers.size

    def arrays(self, seed: int, replication: int, duration: float) -> Arrivals:
        """All sources at time 0 of one replication."""
        return self._state([stream_key(seed, replication, stream) for stream, _ in self._sources], duration)

    def arrays_of(self, key: int, duration: float) -> Arrivals:
        """The same with one key for all; for a table of a single source."""
        return self._state([key] * len(self._sources), duration)

    def _state(self, keys: list[int], duration: float) -> Arrivals:
        sources = np.array([source for _, source in self._sources], SOURCE)
        sources["stays"] = -1  # the first change enters the first state
        sources["key"], sources["duration"] = keys, duration
        sources["stays_key"] = [derived_key(key, "stays") for key in keys]
        return Arrivals(
            sources, np.concatenate([np.empty(0, PIECE), *self._pieces]), np.concatenate([np.empty(0), *self._data])
        )


def _pieces_and_kind(arrivals: spec.Arrivals) -> tuple[Pieces, int, int]:
    """Pieces, the kind of source, and how many of the pieces are its own course."""
    if not isinstance(arrivals, spec.MarkovModulated):
        pieces = pieces_of(arrivals)
        return pieces, EVEN if isinstance(arrivals, spec.Deterministic) else RANDOM, pieces.size
    pieces = np.zeros(3, PIECE)  # the current stay, which begins as one of no length, and the two states
    pieces["rate"][1:], pieces["length"][1:] = arrivals.rates, arrivals.stays
    return pieces, MODULATED, 1
