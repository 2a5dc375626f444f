"""What a search for capacity answers: how much load each variant bears, how sure that is, and what breaks first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.plots import CapacityPlots
from sim.experiments.searching.axes import Axis, number_of
from sim.experiments.searching.probing import Probe
from sim.experiments.searching.scaling import fit_capacity
from sim.experiments.showing import Shown
from sim.spec.study import Study
from sim.stats.interval import Interval
from sim.stats.scaling import ScalingFit


@dataclass(frozen=True)
class Look:
    """What was found at one load."""

    load: float
    probe: Probe


@dataclass(frozen=True)
class Found:
    """The capacity of one variant, at one point where settings vary."""

    variant: str
    settings: dict[str, str]
    load: Interval  # factor on the load as written; censored: it is at least that
    written: float  # requests per second of all open traffic at factor 1, on average
    breaks_first: str  # the expectation; '' where none breaks
    breaks_too: tuple[str, ...]  # others that fail at the first load that is too high
    looks: tuple[Look, ...]  # by load
    note: str = ""

    @property
    def requests(self) -> float:
        """How many arrived after the warm-up in a replication, on average, at the highest load that was tried below; at
        the least of all without one.
        """
        below = [look for look in self.looks if look.load <= self.load.value] or list(self.looks[:1])
        return below[-1].probe.requests

    @property
    def rate(self) -> Interval:
        """The same in requests per second of all open traffic."""
        figure, per = self.load, self.written
        return Interval(figure.value * per, figure.low * per, figure.high * per, figure.n, figure.censored)


@dataclass(frozen=True, repr=False)
class Capacity(Shown):
    """The capacity of every variant."""

    study: Study
    engine: str
    seed: int
    replications: int
    resolution: float
    axes: tuple[Axis, ...]
    found: tuple[Found, ...]
    fingerprint: str
    warmup: FoundWarmup | None = None

    @property
    def plot(self) -> CapacityPlots:
        """The chart of the report, for a notebook: `capacity.plot.load()`."""
        return CapacityPlots(self)

    @property
    def passed(self) -> bool:
        """Whether every variant bears some load."""
        return all(found.load.value > 0 for found in self.found)

    @property
    def variants(self) -> tuple[str, ...]:
        """Their names, the baseline first."""
        return tuple(dict.fromkeys(found.variant for found in self.found))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per variant and point: the load and the rate with their limits, and what breaks first."""
        return pd.DataFrame(
            [
                {
                    "variant": found.variant,
                    **{name: _number(value) for name, value in found.settings.items()},
                    "load": found.load.value,
                    "load_low": found.load.low,
                    "load_high": found.load.high,
                    "rate": found.rate.value,
                    "rate_low": found.rate.low,
                    "rate_high": found.rate.high,
                    "at_least": found.load.censored,
                    "breaks_first": found.breaks_first,
                    "requests": found.requests,
                }
                for found in self.found
            ]
        )

    @cached_property
    def looks(self) -> pd.DataFrame:
        """Tidy: one row per variant, point, load and expectation, as it was found there."""
        return pd.DataFrame(
            [
                {
                    "variant": found.variant,
                    **{name: _number(value) for name, value in found.settings.items()},
                    "load": look.load,
                    "rate": look.load * found.written,
                    "expectation": judged.text,
                    "value": judged.value,
                    "low": judged.low,
                    "high": judged.high,
                    "holds": judged.holds,
                    "sure": judged.sure,
                    "replications": look.probe.replications,
                    "requests": look.probe.requests,
                }
                for found in self.found
                for look in found.looks
                for judged in look.probe.judged
            ]
        )

    @cached_property
    def fits(self) -> dict[str, tuple[ScalingFit | None, ScalingFit | None, str]]:
        """Per variant, where one axis of whole numbers varies: the Universal Scalability Law and Amdahl's on capacity,
        and a note.
        """
        answer: dict[str, tuple[ScalingFit | None, ScalingFit | None, str]] = {}
        if len(self.axes) != 1:
            return answer
        for variant in self.variants:
            own = [
                found
                for found in self.found
                if found.variant == variant and not found.load.censored and found.load.value > 0
            ]
            sizes = [number_of(found.settings[self.axes[0].name]) for found in own]
            if (
                len(sizes) > 1
                and all(size >= 1 and size == int(size) for size in sizes if not math.isnan(size))
                and not any(map(math.isnan, sizes))
            ):
                answer[variant] = fit_capacity(sizes, [[found.rate.value for found in own]])
        return answer


def _number(value: str) -> float | int | str:
    number = number_of(value)
    if math.isnan(number):
        return value
    return int(number) if number.is_integer() else number
