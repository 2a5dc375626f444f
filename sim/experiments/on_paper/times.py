"""How long something takes on paper: a distribution that can be added to others, cut at a limit, and be the longest of
several.

A time is a fixed part and random parts that do not depend on one another. Only what has to be known of their sum is
computed: its mean is that of the parts; a tail of one part alone is exact (`tails`). Sums are convolved as at most
ATOMS points, evenly spaced in the logarithm, each with the mean and the variance of what it stands for: means stay
exact, and a point is spread over its surroundings where a limit falls among them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.experiments.on_paper.tails import in_closed_form, limited_mean, samples, survival
from sim.spec.distribution import Constant, Distribution
from sim.spec.measured import Mixture

Floats = NDArray[np.float64]
_atoms: ContextVar[int] = ContextVar("atoms")
ATOMS = 160  # two of them are within 8 % of one another over five orders of magnitude
COARSE = 48  # of what is averaged over many flows
MOST = 12  # parts that are kept one by one
NOTHING = 1e-12  # a share that is none


@contextmanager
def coarse() -> Iterator[None]:
    """Laws have COARSE points meanwhile, which makes their sums ten times as fast."""
    before = _atoms.set(COARSE)
    try:
        yield
    finally:
        _atoms.reset(before)


class Part(Protocol):
    """A random part of a time."""

    @property
    def mean(self) -> float:
        """Seconds."""

    @property
    def law(self) -> Law:
        """As points."""

    @property
    def kept(self) -> bool:
        """Whether it is the same for every attempt of a request."""

    def above(self, limit: float) -> float:
        """P(X > limit)."""

    def limited(self, limit: float) -> float:
        """E[min(X, limit)]."""


@dataclass(frozen=True, eq=False)
class Law:
    """Points in ascending order, their probabilities, which add up to 1, and the variance around each."""

    at: Floats
    mass: Floats
    variance: Floats
    kept: bool = False  # whether it is the same for every attempt of a request

    @cached_property
    def mean(self) -> float:
        """Seconds."""
        return float(self.at @ self.mass)

    @property
    def law(self) -> Law:
        """Itself."""
        return self

    @cached_property
    def _half(self) -> Floats:
        """How far to either side a point stands for: evenly, with its variance."""
        return np.sqrt(3.0 * self.variance)

    def _below(self, limit: float) -> Floats:
        """The share of each point that is not above the limit; one that is met exactly is not."""
        half = self._half
        with np.errstate(invalid="ignore", divide="ignore"):
            even = np.clip((limit - self.at + half) / (2.0 * half), 0.0, 1.0)
        return np.where(half > 0.0, even, self.at <= limit * (1.0 + 1e-12))

    def above(self, limit: float) -> float:
        """P(X > limit)."""
        return max(0.0, float(self.mass @ (1.0 - self._below(limit))))

    def limited(self, limit: float) -> float:
        """E[min(X, limit)]."""
        return self._mean_below(limit) + limit * self.above(limit)

    def _mean_below(self, limit: float) -> float:
        below = self._below(limit)
        lower = np.where(below > 0.0, self.at - self._half * (1.0 - below), 0.0)
        return float((self.mass * below) @ lower)

    def in_time(self, limit: float) -> Law:
        """What is left of it when it is known to be at most this long, which must be possible."""
        below = self._below(limit)
        kept = below > 0.0
        half = self._half[kept] * below[kept]
        mass = self.mass[kept] * below[kept]
        return Law(self.at[kept] - self._half[kept] + half, mass / mass.sum(), half**2 / 3.0, self.kept)

    def plus(self, other: Law) -> Law:
        """The sum of the two."""
        at = np.add.outer(self.at, other.at).ravel()
        law = condensed(
            at, np.multiply.outer(self.mass, other.mass).ravel(), np.add.outer(self.variance, other.variance).ravel()
        )
        return replace(law, kept=self.kept and other.kept)

    def later(self, seconds: float) -> Law:
        """The same so much later."""
        return replace(self, at=self.at + seconds)


@dataclass(frozen=True, eq=False)
class KnownTail:
    """A draw of a distribution of the scenario whose tail is known in closed form."""

    distribution: Distribution
    kept: bool = False

    @property
    def mean(self) -> float:
        """Seconds."""
        return self.distribution.mean

    @cached_property
    def law(self) -> Law:
        """As points."""
        return replace(law_of(self.distribution), kept=self.kept)

    def above(self, limit: float) -> float:
        """P(X > limit), exactly."""
        return float(survival(self.distribution, np.array([max(limit, 0.0)]))[0]) if limit >= 0.0 else 1.0

    def limited(self, limit: float) -> float:
        """E[min(X, limit)], exactly."""
        return float(limited_mean(self.distribution, np.array([limit]))[0]) if limit >= 0.0 else limit


class Parts(tuple[Part, ...]):
    """Random parts of a time, which do not depend on one another. Their sum is computed once for all who share them."""

    @cached_property
    def sum(self) -> Part | None:
        """All of them together."""
        if len(self) < 2:
            return self[0] if self else None
        total = self[0].law
        for part in self[1:]:
            total = total.plus(part.law)
        return total

    def and_(self, others: tuple[Part, ...]) -> Parts:
        """These and others."""
        if not self and isinstance(others, Parts):
            return others
        return Parts((*self, *others)) if others else self


@dataclass(frozen=True, eq=False)
class Times:
    """The time that a share of all runs takes."""

    share: float = 1.0
    fixed: float = 0.0  # s
    parts: Parts = field(default=Parts())

    @property
    def mean(self) -> float:
        """Seconds, of those that it is about."""
        return self.fixed + math.fsum(part.mean for part in self.parts)

    @property
    def expected(self) -> float:
        """Seconds per run, of all runs; those that it is not about take none."""
        return self.share * self.mean if self.share > 0.0 else 0.0

    @property
    def law(self) -> Law:
        """As points, the fixed part included."""
        return (
            self.parts.sum.law.later(self.fixed)
            if self.parts.sum is not None
            else Law(np.array([self.fixed]), np.ones(1), np.zeros(1))
        )

    def of(self, share: float) -> Times:
        """That of so large a share of them."""
        return replace(self, share=self.share * share)

    def plus(self, other: Times) -> Times:
        """One after the other; the shares multiply."""
        return Times(self.share * other.share, self.fixed + other.fixed, self.parts.and_(other.parts))._bounded()

    def _bounded(self) -> Times:
        """The same, its parts as one where they are many: calls within calls would double them."""
        return self if len(self.parts) <= MOST else Times(self.share, 0.0, Parts((self.law,)))

    @property
    def kept(self) -> Times:
        """What of it is the same for every attempt of a request, but for what is fixed."""
        return Times(1.0, 0.0, Parts(part for part in self.parts if part.kept))

    def then(self, distribution: Distribution | None, times: int = 1, kept: bool = False) -> Times:
        """With some draws of a distribution after it; `kept`: every attempt of a request has the same."""
        if distribution is None or distribution.mean == 0.0:
            return self
        if isinstance(distribution, Constant):
            return replace(self, fixed=self.fixed + times * distribution.value)
        part = (
            KnownTail(distribution, kept) if in_closed_form(distribution) else replace(law_of(distribution), kept=kept)
        )
        return replace(self, parts=self.parts.and_((part,) * times))._bounded()

    def above(self, limit: float) -> float:
        """P(X > limit), of those that it is about."""
        if self.parts.sum is None:
            return float(self.fixed > limit * (1.0 + 1e-12))
        return self.parts.sum.above(limit - self.fixed)

    def percentile(self, share: float) -> float:
        """The least time above which no more than 1 - `share` of those that it is about are, seconds; by bisection of
        the tail.
        """
        low, high = self.fixed, max(2.0 * self.fixed, 1e-3)
        if self.parts.sum is None:
            return self.fixed
        while self.above(high) > 1.0 - share and high < 1e12:
            low, high = high, 2.0 * high
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if self.above(middle) > 1.0 - share else (low, middle)
        return high

    def limited(self, limit: float) -> float:
        """E[min(X, limit)], of those that it is about."""
        if self.parts.sum is None or limit <= self.fixed:
            return min(self.fixed, limit)
        return self.fixed + self.parts.sum.limited(limit - self.fixed)

    def in_time(self, limit: float) -> Times:
        """Those of them that take no longer than this."""
        late = self.above(limit)
        if late <= 0.0:
            return self
        if late >= 1.0 - NOTHING:
            return Times(0.0)
        kept = self.law.in_time(limit)
        return Times(self.share * (1.0 - late), 0.0, Parts((kept,)))


NEVER = Times(0.0)


def any_of(several: Iterable[Times]) -> Times:
    """One of several by chance, with their shares."""
    found = [times for times in several if times.share > NOTHING]
    if len(found) < 2:
        return found[0] if found else NEVER
    share = math.fsum(times.share for times in found)
    if all(not times.parts and times.fixed == found[0].fixed for times in found):
        return replace(found[0], share=share)
    laws = [(times.share / share, times.law) for times in found]
    return Times(share, 0.0, Parts((_mixed(laws),)))


def longest(several: Sequence[Times]) -> Times:
    """The longest of several at once that do not depend on one another, all of which are certain."""
    random = [times for times in several if times.parts]
    fixed = max((times.fixed for times in several if not times.parts), default=0.0)
    if not random:
        return Times(1.0, fixed)
    if len(random) == 1 and fixed <= random[0].fixed:
        return replace(random[0], share=1.0)
    laws = [times.law for times in random]
    at = np.unique(np.concatenate([[fixed], *(law.at for law in laws)]))
    at = at[at >= fixed]
    below = np.ones(at.shape)
    for law in laws:
        below *= np.concatenate([[0.0], np.cumsum(law.mass)])[np.searchsorted(law.at, at, side="right")]
    mass = np.diff(below, prepend=0.0)
    return Times(1.0, 0.0, Parts((condensed(at, mass / mass.sum(), np.zeros(at.shape)),)))


def law_of(distribution: Distribution) -> Law:
    """A distribution of the scenario as points: the exact probability and mean of each interval between two edges."""
    if isinstance(distribution, Mixture):
        weighted = zip(distribution.weights, distribution.parts, strict=True)
        return _mixed([(weight, law_of(part)) for weight, part in weighted if weight > 0.0])
    if isinstance(distribution, Constant) or distribution.mean == 0.0 or distribution.scv == 0.0:
        return Law(np.array([distribution.mean]), np.ones(1), np.zeros(1))
    if not in_closed_form(distribution):
        values, counts = np.unique(samples(distribution), return_counts=True)
        return condensed(values, np.asarray(counts / counts.sum(), np.float64), np.zeros(values.shape))
    edges = _edges(distribution)
    tail = np.concatenate([survival(distribution, edges), [0.0]])
    limited = limited_mean(distribution, edges)
    above = np.concatenate([limited - edges * tail[:-1], [distribution.mean]])  # E[X; X <= edge]
    mass, whole = -np.diff(tail), np.diff(above)
    kept = mass > 1e-13
    low, high = edges[kept], np.concatenate([edges[1:], [math.inf]])[kept]
    at = np.clip(whole[kept] / mass[kept], low, high)
    width = np.where(np.isfinite(high), high, low) - low
    return Law(at, mass[kept] / mass[kept].sum(), width**2 / 12.0)


def _edges(distribution: Distribution) -> Floats:
    """From 0 over what is hardly ever below to what is hardly ever above."""
    middle = distribution.mean if math.isfinite(distribution.mean) else 1.0
    low = high = middle
    for _ in range(80):
        if survival(distribution, np.array([high]))[0] < 1e-8:
            break
        high *= 2.0
    for _ in range(80):
        if survival(distribution, np.array([low]))[0] > 1.0 - 1e-5:
            break
        low /= 2.0
    return np.concatenate([[0.0], np.geomspace(low, high, _atoms.get(ATOMS))])


def _mixed(weighted: Sequence[tuple[float, Law]]) -> Law:
    """One of several by chance, which every attempt takes anew."""
    at = np.concatenate([law.at for _, law in weighted])
    mass = np.concatenate([weight * law.mass for weight, law in weighted])
    return condensed(at, mass / mass.sum(), np.concatenate([law.variance for _, law in weighted]))


def condensed(at: Floats, mass: Floats, variance: Floats) -> Law:
    """As at most ATOMS points (and one at 0, and one that is infinite): neighbours become one, with their mean and
    their variance.
    """
    atoms = _atoms.get(ATOMS)
    kept = mass > 0.0
    at, mass, variance = at[kept], mass[kept], variance[kept]
    if at.size <= atoms:
        order = np.argsort(at, kind="stable")
        return Law(at[order], mass[order], variance[order])
    usual = (at > 0.0) & np.isfinite(at)
    low, high = at[usual].min(), at[usual].max()
    place = np.zeros(at.shape, dtype=np.int64)
    place[usual] = 1 + np.minimum(
        (np.log(at[usual] / low) / max(math.log(high / low), 1e-300) * atoms).astype(np.int64), atoms - 1
    )
    place[np.isinf(at)] = atoms + 1
    total = np.bincount(place, weights=mass, minlength=atoms + 2)
    found = total > 0.0
    finite = np.where(np.isinf(at), 0.0, at)
    mean = np.bincount(place, weights=mass * finite, minlength=atoms + 2)[found] / total[found]
    second = np.bincount(place, weights=mass * (variance + finite**2), minlength=atoms + 2)[found] / total[found]
    spread = np.maximum(second - mean**2, 0.0)
    if np.isinf(at).any():
        mean[-1], spread[-1] = math.inf, 0.0
    spread[spread < 1e-18 * mean**2] = 0.0
    return Law(mean, np.asarray(total[found], np.float64), spread)
