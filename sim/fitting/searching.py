"""The search of a calibration.

Moments first, then all times together, counts one by one, and out goes what the data cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sim.fitting.estimation import Axis, Estimate, chi2_of, estimate
from sim.fitting.parameters import Parameter
from sim.fitting.simulating import Floats, Model

_FACTOR = 3.0  # between the limits of a time that counts as told
_WIDTH = 0.6  # between those of a spread
_BEYOND = 3.84  # of chi squared with one degree of freedom, at 95 %
_TOGETHER = 0.9  # a correlation from which on two parameters do the same
_BISECTIONS = 8


@dataclass(frozen=True)
class Untold:
    """A parameter that the data does not tell, left as the scenario has it, and why."""

    parameter: Parameter
    why: str


class Search:
    """Moments first, then the search.

    Counts are tried one by one; what the data cannot tell is taken out and the rest searched again.
    """

    def __init__(self, model: Model, measured: Floats, confidence: float) -> None:
        self.model, self._measured, self._confidence = model, measured, confidence
        self.parameters = list(model.parameters)
        self.point = [parameter.now for parameter in self.parameters]
        self.untold: list[Untold] = []
        self.exchangeable: list[tuple[Parameter, Parameter]] = []
        self.limits: dict[int, tuple[float, float]] = {}  # of counts, by their place

    def run(self) -> Estimate:
        """The estimate of what is told; `point` holds all values, those left as they are among them."""
        self._by_moments()
        open_ = [place for place, parameter in enumerate(self.parameters) if parameter.kind != "count"]
        counts = [place for place, parameter in enumerate(self.parameters) if parameter.kind == "count"]
        found = self._estimate(open_)
        for place in counts:
            found = self._count(place, open_)
        while (worst := self._worst(found, open_)) is not None:
            place, why = worst
            self.untold.append(Untold(self.parameters[place], why))
            self.point[place] = self.parameters[place].now
            open_ = [other for other in open_ if other != place]
            self._by_moments(open_)
            found = self._estimate(open_)
        self.told = open_
        return self._exchanged(found, open_)

    def _exchanged(self, found: Estimate, open_: Sequence[int]) -> Estimate:
        """Two times that may be exchanged without showing in the figures are each told no better than both together."""
        low, high = found.low.copy(), found.high.copy()
        for one, other in combinations(range(len(open_)), 2):
            first, second = (self.parameters[open_[index]] for index in (one, other))
            if first.kind != "time" or second.kind != "time":
                continue
            point = list(self.point)
            point[open_[one]], point[open_[other]] = point[open_[other]], point[open_[one]]
            if self.distance(point, found.root) <= found.chi2 + _BEYOND * max(1.0, found.misfit):
                ends = min(low[one], low[other]), max(high[one], high[other])
                low[[one, other]], high[[one, other]] = ends
                self.exchangeable.append((first, second))
        return replace(found, low=low, high=high)

    def _figures(self, point: Sequence[float], fresh: bool = False) -> Floats:
        """Those of parameters that are left as they are do not count as changed: their form stays."""
        return self.model.figures(point, fresh)

    def _estimate(self, open_: Sequence[int], start: Sequence[float] | None = None) -> Estimate:
        axes = [self._axis(place) for place in open_]
        base = list(start if start is not None else self.point)

        def figures(values: Sequence[float], fresh: bool) -> Floats:
            return self._figures(self._with(base, open_, values), fresh)

        found = estimate(self._measured, figures, axes, [base[place] for place in open_], self._confidence)
        self.point = self._with(base, open_, found.values.tolist())
        return found

    @staticmethod
    def _with(base: Sequence[float], open_: Sequence[int], values: Sequence[float]) -> list[float]:
        point = list(base)
        for place, value in zip(open_, values, strict=True):
            point[place] = float(value)
        return point

    def _axis(self, place: int) -> Axis:
        parameter = self.parameters[place]
        return Axis(parameter.low, parameter.high, parameter.logarithmic)

    def _by_moments(self, among: Sequence[int] | None = None) -> None:
        """One factor on all free times at which the mean response is the measured one: it grows with them."""
        places = [
            place
            for place in (range(len(self.parameters)) if among is None else among)
            if self.parameters[place].kind == "time"
        ]
        means = [place for place, moment in enumerate(self.model.moments) if moment.is_time and moment.found is None]
        means = [place for place in means if self.model.moments[place].what == "mean"] or means
        if not places or not means:
            return
        base = list(self.point)
        low = max(math.log(self.parameters[place].low / base[place]) for place in places)
        high = min(math.log(self.parameters[place].high / base[place]) for place in places)
        if low >= high:
            return
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            point = self._with(base, places, [base[place] * math.exp(middle) for place in places])
            runs = self._figures(point)[:, means]
            gap = float(np.nanmean(np.where(np.isnan(runs), 1e3, runs) - self._measured[means]))
            low, high = (middle, high) if gap < 0 else (low, middle)
        self.point = self._with(base, places, [base[place] * math.exp(low) for place in places])

    def _count(self, place: int, open_: Sequence[int]) -> Estimate:
        """The count at which all else fits best; what shows no better than others is left as it is."""
        parameter, counts = self.parameters[place], _Counts(self, place, open_)
        best, as_good = counts.found()
        lowest, highest, now = int(parameter.low), int(parameter.high), round(parameter.now)
        if as_good[-1] >= highest and (now in as_good or as_good[0] <= now):
            self.untold.append(Untold(parameter, f"anything from {as_good[0]} on would show the same"))
            best = now
        elif as_good[0] <= lowest and now in as_good and len(as_good) > 1 and as_good[-1] >= 2 * as_good[0]:
            self.untold.append(Untold(parameter, f"anything up to {as_good[-1]} would show the same"))
            best = now
        else:
            self.limits[place] = (float(as_good[0]), float(as_good[-1]))
        self.point, estimate = counts.at(best)
        return estimate

    def at_count(self, start: Sequence[float], open_: Sequence[int]) -> tuple[list[float], Estimate]:
        """Where all else fits best, from a start that holds the count."""
        self.point = list(start)
        self._by_moments(open_)
        found = self._estimate(open_, self.point)
        return self.point, found

    def distance(self, point: Sequence[float], root: Floats) -> float:
        """How far the figures of a point are from the measured ones, by these weights."""
        return chi2_of(self._measured, self._figures(point), root)

    def _worst(self, found: Estimate, open_: Sequence[int]) -> tuple[int, str] | None:
        """The parameter that is told least, if it is not told; and why."""
        widths = []
        for index, place in enumerate(open_):
            parameter = self.parameters[place]
            low, high = float(found.low[index]), float(found.high[index])
            if parameter.logarithmic:
                widths.append(math.log(high / low) / math.log(_FACTOR) if low > 0 and math.isfinite(high) else math.inf)
            else:
                widths.append((high - low) / (_WIDTH * max(1.0, abs(float(found.values[index])))))
        if not widths or max(widths) <= 1.0:
            return None
        index = int(np.argmax(widths))
        return open_[index], self._why(found, open_, index)

    def _why(self, found: Estimate, open_: Sequence[int], index: int) -> str:
        covariance = found.covariance
        if not math.isfinite(covariance[index, index]):
            return "nothing that was measured answers to it"
        names = []
        for other, place in enumerate(open_):
            scale = math.sqrt(abs(covariance[index, index] * covariance[other, other]))
            if (
                other != index
                and math.isfinite(scale)
                and scale > 0
                and abs(covariance[index, other]) > _TOGETHER * scale
            ):
                names.append(self.parameters[place].name)
        if names:
            return f"only together with {' and '.join(names)}: what one does, the other can do"
        show = self.parameters[open_[index]].show
        low, high = max(0.0, float(found.low[index])), float(found.high[index])
        return f"anything from {show(low)} to {show(high)} would show the same"


class _Counts:
    """Counts that were tried: all else at its best."""

    def __init__(self, search: Search, place: int, open_: Sequence[int]) -> None:
        self._search, self._place, self._open = search, place, open_
        self._parameter, self._begin = search.parameters[place], list(search.point)
        self._known: dict[int, tuple[list[float], Estimate]] = {}

    def at(self, count: int) -> tuple[list[float], Estimate]:
        """All values with this count, and the estimate."""
        if count not in self._known:
            near = min(self._known, key=lambda other: abs(other - count), default=None)
            start = list(self._known[near][0] if near is not None else self._begin)
            start[self._place] = float(count)
            self._known[count] = self._search.at_count(start, self._open)
        return self._known[count]

    def found(self) -> tuple[int, list[int]]:
        """The best, and those that show what was measured as well, in ascending order."""
        low, high, now = int(self._parameter.low), int(self._parameter.high), round(self._parameter.now)
        self._narrow(_descend(self._deviance, _ladder(low, high, now), now))
        # All by the same weights: those of each count come from few replications, and differ by chance.
        weights = self._known[min(self._known, key=self._deviance)][1]

        def distance(count: int) -> float:
            return self._search.distance(self.at(count)[0], weights.root)

        best = min(sorted(self._known), key=distance)
        border = distance(best) + _BEYOND * max(1.0, weights.misfit)
        as_good = {count for count in self._known if distance(count) <= border}
        for count in (max(as_good) + 1, min(as_good) - 1, high, now):  # how far that goes on either side
            if low <= count <= high and distance(count) <= border:
                as_good.add(count)
        return best, sorted(as_good)

    def _deviance(self, count: int) -> float:
        return self.at(count)[1].deviance

    def _narrow(self, best: int) -> None:
        """Counts between those of a coarse ladder, on both sides of the best."""
        for _ in range(_BISECTIONS):
            tried = sorted(self._known)
            place = tried.index(best)
            gaps = [(tried[index], tried[index + 1]) for index in (place - 1, place) if 0 <= index < len(tried) - 1]
            gaps = [(low, high) for low, high in gaps if high - low > 1]
            if not gaps:
                return
            for low, high in gaps:
                self.at((low + high) // 2)
            best = min(self._known, key=self._deviance)


def _descend(look: Callable[[int], float], ladder: Sequence[int], now: int) -> int:
    """The best of the rungs: down from the present one, on the side that leads down."""
    place = min(range(len(ladder)), key=lambda index: abs(ladder[index] - now))
    while True:
        near = [index for index in (place - 1, place, place + 1) if 0 <= index < len(ladder)]
        best = min(near, key=lambda index: look(ladder[index]))
        if best == place:
            return ladder[place]
        place = best


def _ladder(low: int, high: int, now: int) -> list[int]:
    """Counts to be tried, growing by half, the present one among them."""
    steps, count = {low, high, min(max(now, low), high)}, float(low)
    while count < high:
        steps.add(int(count))
        count = max(count + 1, count * 1.6)
    return sorted(steps)
