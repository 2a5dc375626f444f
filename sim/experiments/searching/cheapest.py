"""The cheapest settings that hold at a given load: how many replicas, consumers, partitions it takes.

More of a setting is taken to be no worse: what fails rules out everything that has no more of anything, so few of many
combinations are run. "Holds" means beyond doubt: every expectation, at 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import pandas as pd

from sim import units
from sim.errors import UsageError
from sim.experiments.on_paper.load_factor import load_settings, open_rate
from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.comparison import digest_of
from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.searching.axes import Axis, number_of
from sim.experiments.searching.capacity import LOOKS
from sim.experiments.searching.opening import axes_without_load, opened, space_of
from sim.experiments.searching.points import Point, Space
from sim.experiments.searching.probing import Probe, Prober, Search, Settings, refuse_silent
from sim.experiments.shipped import Source, as_study
from sim.experiments.showing import Shown
from sim.spec.scenario import Scenario
from sim.spec.study import Study

MOST = 2000  # combinations


@dataclass(frozen=True)
class Choice:
    """What one variant needs."""

    variant: str
    load: float  # factor on the load as written
    settings: dict[str, str] | None  # None: none of the combinations holds
    price: float  # per second on paper: replicas x price, or where nothing has a price the sum of the settings
    looks: tuple[tuple[dict[str, str], float, Probe], ...]  # settings, price and what was found, the cheapest first
    undecided: tuple[dict[str, str], ...] = ()  # cheaper ones that hold by their means, but not beyond doubt

    @property
    def probe(self) -> Probe | None:
        """What was found at the chosen settings."""
        return next((probe for settings, _, probe in self.looks if settings == self.settings), None)


@dataclass(frozen=True, repr=False)
class Cheapest(Shown):
    """The cheapest settings of every variant."""

    study: Study
    engine: str
    seed: int
    replications: int
    load: str  # as asked for
    axes: tuple[Axis, ...]
    priced: bool  # whether anything has a price
    choices: tuple[Choice, ...]
    fingerprint: str
    warmup: FoundWarmup | None = None

    @property
    def passed(self) -> bool:
        """Whether there is a combination for every variant."""
        return all(choice.settings is not None for choice in self.choices)

    @property
    def summary(self) -> pd.DataFrame:
        """One row per variant and combination that was looked at."""
        return pd.DataFrame(
            [
                {
                    "variant": choice.variant,
                    "load": choice.load,
                    **settings,
                    "price": price,
                    "cost": probe.cost,
                    "holds": probe.holds,
                    "sure": probe.sure,
                    "broken": ", ".join(probe.broken),
                    "chosen": settings == choice.settings,
                }
                for choice in self.choices
                for settings, price, probe in choice.looks
            ]
        )


def find_cheapest(
    study: Source,
    over: Sequence[str] | str,
    load: str | float = 1.0,
    variants: Sequence[str] | None = None,
    replications: int = 10,
    **options: Unpack[RunKeywords],
) -> Cheapest:
    """Per variant the cheapest values of the settings `over` (PATH=VALUES, numbers) with which every expectation holds
    at this load.

    `load` is a factor on the load as written ("1.5x", 1.5) or a rate of all open traffic together ("400/s"). The other
    keywords are those of `RunOptions`.
    """
    study = as_study(study)
    if replications < 2:
        raise UsageError(
            f"replications: found {replications}, expected at least 2: whether something holds beyond doubt takes an "
            "interval"
        )
    plain = space_of(study, variants, axes_without_load(over, "the load is given by --at"))
    _check(plain)
    how = RunOptions(**options)
    with opened(plain, how, replications) as search:
        space = search.space
        prices, priced = _prices(space)
        prober = Prober(space, replications, search.executor, how.hearer, LOOKS * replications * len(space.arms))
        choices = prober.answer([(arm, _search(space, arm, prices[arm.name], load)) for arm in space.arms])
    digest = digest_of(prober.fingerprints)
    return Cheapest(
        study,
        search.choice.engines,
        space.seed,
        replications,
        str(load),
        space.axes,
        priced,
        tuple(choices),
        digest,
        search.warmup,
    )


def _check(space: Space) -> None:
    """What is varied are numbers, not too many; every variant expects something, and is one at every point."""
    for axis in space.axes:
        if any(math.isnan(number_of(value)) for value in axis.listed()):
            raise UsageError(f"--over {axis.name}: expected numbers, of which more is no worse, such as replicas")
    if len(space.points) > MOST:
        raise UsageError(f"found {len(space.points):,} combinations, expected at most {MOST:,}")
    for arm in space.arms:
        refuse_silent(arm.scenario, arm.name)
    space.check()


def _prices(space: Space) -> tuple[dict[str, dict[int, float]], bool]:
    """Of every variant the price of every point, and whether anything has one: else the sum of the settings stands for
    it.
    """
    found = {
        arm.name: {
            point.number: _price(space.scenario(arm, space.settings(arm, point.values))) for point in space.points
        }
        for arm in space.arms
    }
    if any(price for prices in found.values() for price in prices.values()):
        return found, True
    return {
        arm.name: {point.number: sum(map(number_of, point.values)) for point in space.points} for arm in space.arms
    }, False


def factor_of(load: str | float, scenario: Scenario) -> float:
    """The factor that `load` stands for."""
    if isinstance(load, str) and "/" in load:
        try:
            wanted, written = units.rate(load), open_rate(scenario)
        except ValueError as error:
            raise UsageError(f"load: {error}") from None
        if not (wanted > 0 and written > 0):
            raise UsageError(f"load: found {load} against {written:g}/s as written, expected both above 0")
        return wanted / written
    try:
        factor = units.factor(float(load) if isinstance(load, str) and load.replace(".", "", 1).isdigit() else load)
    except ValueError as error:
        raise UsageError(f"load: {error}, or a rate such as 400/s") from None
    if not factor > 0:
        raise UsageError(f"load: found {load}, expected more than 0")
    return factor


def _search(space: Space, arm: Arm, price: dict[int, float], load: str | float) -> Search[Choice]:
    """Halve what is still in question, by price: a yes rules out what is no cheaper, a no what has no more of
    anything.
    """
    amounts = {point.number: tuple(map(number_of, point.values)) for point in space.points}
    points = {point.number: point for point in space.points}
    left = sorted(points, key=lambda number: (price[number], amounts[number]))
    looks: dict[int, Probe] = {}
    best: int | None = None
    factor = factor_of(load, arm.scenario)
    while left:
        # first whether the most of everything is enough
        number = left[len(left) // 2] if best is not None or len(left) == 1 or looks else left[-1]
        probe = looks[number] = yield _settings(space, arm, points[number], factor)
        if probe.sure == "holds":
            best = number
            left = [other for other in left if (price[other], amounts[other]) < (price[number], amounts[number])]
        else:
            left = [
                other
                for other in left
                if not all(one <= most for one, most in zip(amounts[other], amounts[number], strict=True))
            ]
    named_settings = {
        number: {axis.name: value for axis, value in zip(space.axes, points[number].values, strict=True)}
        for number in looks
    }
    ordered = sorted(looks, key=lambda number: (price[number], amounts[number]))
    undecided = [
        named_settings[number]
        for number in ordered
        if looks[number].holds and looks[number].sure != "holds" and (best is None or price[number] < price[best])
    ]
    return Choice(
        arm.name,
        factor,
        named_settings[best] if best is not None else None,
        price[best] if best is not None else math.nan,
        tuple((named_settings[number], price[number], looks[number]) for number in ordered),
        tuple(undecided),
    )


def _settings(space: Space, arm: Arm, point: Point, factor: float) -> Settings:
    plain = space.settings(arm, point.values)
    return (*plain, *load_settings(space.scenario(arm, plain), factor, arm.variant)) if factor != 1.0 else plain


def _price(scenario: Scenario) -> float:
    """Replicas x price of all services and the gateway, per second."""
    gateway = scenario.gateway
    services = math.fsum(service.replicas * service.cost for service in scenario.services.values())
    return services + (gateway.replicas * gateway.cost if gateway is not None else 0.0)
