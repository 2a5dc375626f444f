"""The rate of arrivals over time, as pieces in closed form: at a moment, on average, at its peak; for offered load and
for charts.

A piece is constant, linear, a diurnal wave or an exponential decay, and each knows its rate and the mass (expected
arrivals) up to any moment within. `arrivals` inverts the same masses. Time within a segment of a profile, a wave's too,
counts from the segment's start.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.shared import shared
from sim.errors import UsageError
from sim.spec import arrivals as spec
from sim.spec.base import word_of

LEVEL, LINEAR, WAVE, DECAY = range(4)

PIECE = np.dtype(
    [
        ("kind", np.int64),
        ("start", np.float64),
        ("length", np.float64),  # may be infinite in the last piece
        ("base", np.float64),  # mass of all pieces before
        ("mass", np.float64),  # of this piece; may be infinite
        # level: the rate; linear: the first rate; wave: the mean; decay: the rate it falls back to
        ("rate", np.float64),
        ("change", np.float64),  # linear: slope; wave: amplitude; decay: the first rate above the last
        ("scale", np.float64),  # wave: 2 pi / period; decay: its time constant
        ("phase", np.float64),  # wave
        ("origin", np.float64),  # wave: the cosine of its phase, kept because it is asked for at every arrival
    ],
    align=True,
)
Pieces = NDArray[np.void]
Row = Any  # a row of an array, or a plain object with the same names


@shared
def rate_within(piece: Row, elapsed: float) -> float:
    """Arrivals per second, `elapsed` seconds into the piece."""
    kind = piece.kind
    if kind == LINEAR:
        return float(piece.rate + piece.change * elapsed)
    if kind == WAVE:
        return float(piece.rate * (1.0 + piece.change * math.sin(piece.scale * (elapsed - piece.phase))))
    if kind == DECAY:
        return float(piece.rate + piece.change * math.exp(-elapsed / piece.scale))
    return float(piece.rate)


@shared
def mass_within(piece: Row, elapsed: float) -> float:
    """Expected arrivals in the first `elapsed` seconds of the piece."""
    kind = piece.kind
    if kind == LINEAR:
        return float((piece.rate + 0.5 * piece.change * elapsed) * elapsed)
    if kind == WAVE:
        swing = piece.origin - math.cos(piece.scale * (elapsed - piece.phase))
        return float(piece.rate * (elapsed + piece.change / piece.scale * swing))
    if kind == DECAY:
        fallen = piece.change * piece.scale * (1.0 - math.exp(-elapsed / piece.scale))
        return float(fallen + piece.rate * elapsed) if piece.rate > 0.0 else float(fallen)
    return float(piece.rate * elapsed) if piece.rate > 0.0 else 0.0


def mean_rate(arrivals: spec.Arrivals, start: float, end: float) -> float:
    """Expected arrivals per second between two moments."""
    return RateCurve(arrivals).mean(start, end)


def peak_rate(arrivals: spec.Arrivals, duration: float) -> float:
    """The highest rate before `duration`; of a modulated source: that of its faster state."""
    return RateCurve(arrivals).peak(duration)


class RateCurve:
    """The rate of one arrival process, for many questions."""

    def __init__(self, arrivals: spec.Arrivals) -> None:
        self._arrivals = arrivals
        self._times = np.empty(0)
        self._pieces = np.empty(0, PIECE)
        if isinstance(arrivals, spec.Replay) and not arrivals.is_series:
            self._times = recorded_times(arrivals)
        elif not isinstance(arrivals, spec.MarkovModulated):
            self._pieces = pieces_of(arrivals)

    def rate(self, time: float) -> float:
        """Expected arrivals per second at a moment; of recorded timestamps: in the second around it."""
        if isinstance(self._arrivals, spec.MarkovModulated):
            long, extra, pace = _relaxation(self._arrivals)
            return long + extra * math.exp(-pace * time)
        if isinstance(self._arrivals, spec.Replay) and not self._arrivals.is_series:
            return self.mean(math.floor(time), math.floor(time) + 1.0)
        index = self._index(time)
        if index < 0:
            return 0.0
        piece = self._pieces[index]
        elapsed = time - float(piece["start"])
        return rate_within(_piece(piece), elapsed) if elapsed < piece["length"] else 0.0

    def mean(self, start: float, end: float) -> float:
        """Expected arrivals per second between two moments."""
        return (self.mass(end) - self.mass(start)) / (end - start) if end > start else self.rate(start)

    def mass(self, time: float) -> float:
        """Expected arrivals before a moment."""
        if isinstance(self._arrivals, spec.MarkovModulated):
            long, extra, pace = _relaxation(self._arrivals)
            return long * time + extra * (1.0 - math.exp(-pace * time)) / pace
        if isinstance(self._arrivals, spec.Replay) and not self._arrivals.is_series:
            return float(np.searchsorted(self._times, time))
        index = self._index(time)
        if index < 0:
            return 0.0
        piece = self._pieces[index]
        return float(piece["base"]) + mass_within(
            _piece(piece), min(time - float(piece["start"]), float(piece["length"]))
        )

    def peak(self, duration: float) -> float:
        """The highest rate before `duration`."""
        if isinstance(self._arrivals, spec.MarkovModulated):
            return float(max(self._arrivals.rates))
        if isinstance(self._arrivals, spec.Replay) and not self._arrivals.is_series:
            seconds = np.floor(self._times[self._times < duration])
            return float(np.unique(seconds, return_counts=True)[1].max()) if seconds.size else 0.0
        active = self._pieces[(self._pieces["start"] < duration) & (self._pieces["length"] > 0)]
        level = active[active["kind"] == LEVEL]["rate"]
        curved = (
            _piece(piece).peak(min(float(piece["length"]), duration - float(piece["start"])))
            for piece in active[active["kind"] != LEVEL]
        )
        return max([float(level.max()) if level.size else 0.0, *curved])

    def _index(self, time: float) -> int:
        """The piece in which this moment lies; of pieces without length the last."""
        return int(np.searchsorted(self._pieces["start"], time, side="right")) - 1


def pieces_of(arrivals: spec.Arrivals) -> Pieces:
    """The pieces of a rate that is known beforehand, none of them without length."""
    match arrivals:
        case spec.Poisson() | spec.Deterministic():
            return laid_out([Piece(rate=arrivals.rate)])
        case spec.Profile():
            return laid_out(piece.times(arrivals.times) for piece in _profile(arrivals.segments))
        case spec.Replay() if arrivals.is_series:
            return _series(arrivals)
        case _:
            raise UsageError(f"'{word_of(arrivals)}' arrivals have no rate of their own")


def recorded_times(arrivals: spec.Replay) -> NDArray[np.float64]:
    """When a recording's rows arrive, in order."""
    rows = _recorded(arrivals)
    times: NDArray[np.float64] = (rows.after + np.sort(np.asarray(rows.values, np.float64))) / arrivals.speed
    return times


@dataclass
class Piece:
    """One piece as an object: a row of `PIECE` in the making, and what the two functions above read when they run as
    plain Python.
    """

    kind: int = LEVEL
    length: float = math.inf
    rate: float = 0.0
    change: float = 0.0
    scale: float = 1.0
    phase: float = 0.0
    origin: float = 1.0
    start: float = 0.0
    base: float = 0.0
    mass: float = 0.0

    def times(self, factor: float) -> Piece:
        """The same shape, higher."""
        return replace(self, rate=self.rate * factor, change=self.change if self.kind == WAVE else self.change * factor)

    def total(self) -> float:
        """Expected arrivals in the whole piece."""
        if self.kind == WAVE and math.isinf(self.length):
            return math.inf if self.rate > 0 else 0.0
        return mass_within(self, self.length)

    def peak(self, elapsed: float) -> float:
        """The highest rate in the first `elapsed` seconds."""
        if self.kind == WAVE:
            crest = (self.phase + math.pi / 2 / self.scale) % (2 * math.pi / self.scale)
            if crest <= elapsed:
                return self.rate * (1 + self.change)
        return max(rate_within(self, 0.0), rate_within(self, elapsed))


def _profile(segments: Iterable[spec.Segment]) -> Iterator[Piece]:
    """Each segment's pieces, cut to its length; after the last its final rate for ever."""
    rate = 0.0
    for segment in segments:
        left = math.inf if segment.lasts is None else segment.lasts
        for piece in _segment(segment):
            piece.length = min(left, piece.length)
            left -= piece.length if left < math.inf else 0.0
            if piece.length > 0:
                yield piece
            if math.isinf(piece.length):
                return
            rate = rate_within(piece, piece.length)
    yield Piece(rate=rate)


def _segment(segment: spec.Segment) -> list[Piece]:
    """The pieces of a segment, as long as they can be."""
    if segment.diurnal is not None:
        wave = segment.diurnal
        scale = 2 * math.pi / wave.period
        return [
            Piece(
                WAVE,
                rate=wave.mean,
                change=wave.amplitude,
                scale=scale,
                phase=wave.phase,
                origin=math.cos(scale * wave.phase),
            )
        ]
    if segment.flash_crowd is not None:
        crowd = segment.flash_crowd
        height = crowd.peak - crowd.base
        return [
            Piece(LINEAR, crowd.rise, crowd.base, height / crowd.rise),
            Piece(DECAY, rate=crowd.base, change=height, scale=crowd.decay),
        ]
    if segment.start is not None and segment.end is not None and segment.lasts is not None:
        return [Piece(LINEAR, rate=segment.start, change=(segment.end - segment.start) / segment.lasts)]
    return [Piece(rate=segment.rate or 0.0)]


def _series(arrivals: spec.Replay) -> Pieces:
    """Recorded rates or counts as pieces of constant rate; silence before the first row and after the last.

    A faster recording packs the same requests closer.
    """
    rows = _recorded(arrivals)
    values, lengths = np.asarray(rows.values, np.float64), np.asarray(arrivals.lengths, np.float64)
    masses = values * lengths if arrivals.rates is not None else values
    if rows.after > 0.0:
        masses, lengths = np.concatenate([[0.0], masses]), np.concatenate([[rows.after], lengths])
    pieces = np.zeros(lengths.size, PIECE)
    pieces["kind"], pieces["length"], pieces["mass"] = LEVEL, lengths / arrivals.speed, masses * arrivals.times
    pieces["rate"] = pieces["mass"] / pieces["length"]
    pieces["start"] = np.cumsum(pieces["length"]) - pieces["length"]
    pieces["base"] = np.cumsum(pieces["mass"]) - pieces["mass"]
    return pieces


def laid_out(pieces: Iterable[Piece]) -> Pieces:
    """One after the other, each with its start and the mass before it."""
    start = base = 0.0
    rows = []
    for piece in pieces:
        mass = piece.total()
        rows.append(
            (
                piece.kind,
                start,
                piece.length,
                base,
                mass,
                piece.rate,
                piece.change,
                piece.scale,
                piece.phase,
                piece.origin,
            )
        )
        start, base = start + piece.length, base + mass
    return np.array(rows, PIECE)


def _piece(row: np.void) -> Piece:
    return Piece(**{name: row[name].item() for name in PIECE.names or ()})


def _recorded(arrivals: spec.Replay) -> spec.Rows:
    if arrivals.data is None:
        raise UsageError(f"the recording '{arrivals.file}' has not been read")
    return arrivals.data


def _relaxation(arrivals: spec.MarkovModulated) -> tuple[float, float, float]:
    """The expected rate at t is long + extra * exp(-pace * t): it begins in the first state and forgets that."""
    first, second = arrivals.stays
    long = (arrivals.rates[0] * first + arrivals.rates[1] * second) / (first + second)
    return long, arrivals.rates[0] - long, 1 / first + 1 / second
