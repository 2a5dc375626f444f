"""Reading the time series: averages over a span of time, growth of totals, levels at the ticks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.records.tables import Records, Series

Floats = NDArray[np.float64]


class Gauges:
    """The time series of a run, by component and quantity. What the run does not have is nan, never an error."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.ticks = np.concatenate([[0.0], records.ticks])
        self._column = {(series.component, series.quantity): index for index, series in enumerate(records.series)}

    def components(self, quantity: str) -> tuple[str, ...]:
        """The components that have a series of this quantity."""
        return tuple(component for component, its in self._column if its == quantity)

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        """(component, quantity) of all series, in the order of the records."""
        return tuple(self._column)

    def has(self, component: str, quantity: str) -> bool:
        """Whether there is such a series."""
        return (component, quantity) in self._column

    def values(self, component: str, quantity: str) -> Floats:
        """The series as recorded, one value a tick."""
        return self.records.gauges[:, self._column[component, quantity]]

    def waiting(self, component: str) -> Floats:
        """Requests that wait at a host, one value a tick: in its queue, and in the listen backlog of what is frozen."""
        queue = self.values(component, "queue")
        return queue + self.values(component, "listen_backlog") if self.has(component, "listen_backlog") else queue

    @property
    def window(self) -> Floats:
        """The edges of the measured window."""
        return np.array([self.records.warmup, self.records.duration])

    def mean_waiting(self, component: str) -> float:
        """Their time average over the measured window; nan where there is no such host."""
        return float(self.means_waiting(component, self.window)[0])

    def means_waiting(self, component: str, edges: Floats) -> Floats:
        """The same between neighbouring edges."""
        if not self.has(component, "queue"):
            return np.full(edges.size - 1, math.nan)
        return self.means(self.waiting(component), edges)

    def mean(self, component: str, quantity: str) -> float:
        """Time average over the measured window [warmup, duration]."""
        return self.mean_between(component, quantity, self.records.warmup, self.records.duration)

    def mean_between(self, component: str, quantity: str, begin: float, end: float) -> float:
        """Time average of a `mean` series over a span; nan where it has no finite value there."""
        return float(self.means_of(component, quantity, np.array([begin, end]))[0])

    def means_of(self, component: str, quantity: str, edges: Floats) -> Floats:
        """The same between neighbouring edges."""
        if not self.has(component, quantity):
            return np.full(edges.size - 1, math.nan)
        return self.means(self.values(component, quantity), edges)

    def growth(self, component: str, quantity: str) -> float:
        """How much a `total` grew in the measured window."""
        return float(self.growths_of(component, quantity, self.window)[0])

    def growths_of(self, component: str, quantity: str, edges: Floats) -> Floats:
        """The same between neighbouring edges."""
        if not self.has(component, quantity):
            return np.full(edges.size - 1, math.nan)
        return self.growths(self.values(component, quantity), edges)

    def levels(self, component: str, quantity: str, begin: float) -> Floats:
        """The values at the ticks from `begin` on."""
        return self.values(component, quantity)[self.records.ticks >= begin]

    def means(self, values: Floats, edges: Floats) -> Floats:
        """Time average between neighbouring edges of values that hold over the interval ending at their tick; nan where
        none is finite.
        """
        known = np.isfinite(values)
        width = np.diff(self.ticks)
        area = np.interp(edges, self.ticks, np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0) * width)]))
        time = np.interp(edges, self.ticks, np.concatenate([[0.0], np.cumsum(known * width)]))
        return ratio(np.diff(area), np.diff(time))

    def growths(self, values: Floats, edges: Floats) -> Floats:
        """Growth between neighbouring edges of a total counted since 0; it grows evenly between ticks."""
        return np.asarray(np.diff(np.interp(edges, self.ticks, np.concatenate([[0.0], values]))))

    def ticked(self, values: Floats, edges: Floats) -> Floats:
        """Mean of the values at the ticks in (edge, next edge]; nan where there is no tick."""
        place = np.searchsorted(edges, self.records.ticks, side="left") - 1
        place[self.records.ticks == edges[0]] = 0
        inside = (place >= 0) & (place < edges.size - 1) & np.isfinite(values)
        total = np.bincount(place[inside], weights=values[inside], minlength=edges.size - 1)
        return ratio(total.astype(np.float64), np.bincount(place[inside], minlength=edges.size - 1).astype(np.float64))

    def between(self, series: Series, edges: Floats) -> Floats:
        """One value per bucket: averages of means and levels, and totals as rates per second."""
        values = self.values(series.component, series.quantity)
        if series.kind == "mean":
            return self.means(values, edges)
        if series.kind == "level":
            return self.ticked(values, edges)
        return self.growths(values, edges) / np.diff(edges)


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> Floats:
    """above / below, nan where there is nothing below."""
    found = np.full(below.shape, math.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found


def share(part: float, whole: float) -> float:
    """part / whole of two numbers, nan where there is no whole."""
    return part / whole if whole else math.nan
