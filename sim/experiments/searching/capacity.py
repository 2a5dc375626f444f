"""The highest load at which every expectation holds: a bisection on common random numbers that knows what is luck.

At every load the means decide where the search goes on, and intervals how sure that is. So three edges are found: up to
where all expectations hold beyond doubt, where the first mean crosses its threshold, and from where one fails beyond
doubt. The first and the last are the limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Unpack

from sim.errors import UsageError
from sim.experiments.on_paper.load_factor import load_settings, open_rate
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.comparison import digest_of
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.searching.axes import Axis
from sim.experiments.searching.capacity_results import Capacity, Found, Look
from sim.experiments.searching.opening import axes_without_load, opened, space_of
from sim.experiments.searching.points import Point, Space
from sim.experiments.searching.probing import Probe, Prober, Search, Settings, refuse_silent
from sim.experiments.shipped import Source, as_study
from sim.spec.scenario import Scenario
from sim.stats.interval import Interval

LOWEST, HIGHEST = 0.001, 1000.0  # of the load as written
BEYOND = 8.0  # times the load at which the first station is full on paper, above which nobody looks
LOOKS = 16  # that a search takes, more or less; for the progress


def find_capacity(
    study: Source,
    variants: Sequence[str] | None = None,
    replications: int = 10,
    *,
    over: Sequence[str] | str = (),
    resolution: float = 0.02,
    **options: Unpack[RunKeywords],
) -> Capacity:
    """Per variant the highest factor on all open arrivals at which every expectation holds, with its interval, and what
    breaks first.

    `over` (PATH=VALUES) finds it for each of some settings: capacity against replicas. `resolution` is how finely loads
    are told apart. The other keywords are those of `RunOptions`.
    """
    study = as_study(study)
    if not 0.0 < resolution <= 0.5:
        raise UsageError(f"resolution: found {resolution:g}, expected more than 0 and at most 50%")
    if replications < 1:
        raise UsageError(f"replications: found {replications}, expected at least 1")
    axes = axes_without_load(over, "the load is what is searched for") if over else ()
    plain, how = space_of(study, variants, axes), RunOptions(**options)
    _check(plain)
    most = _most_load([*(arm.scenario for arm in plain.arms), *plain.largest()])
    with opened(plain, how, replications, LOOKS, most) as search:
        space = search.space
        asked = [(arm, point) for arm in space.arms for point in space.points]
        prober = Prober(space, replications, search.executor, how.hearer, LOOKS * replications * len(asked))
        found = prober.answer([(arm, _search(space, arm, point, resolution)) for arm, point in asked])
    digest = digest_of(prober.fingerprints)
    return Capacity(
        study, search.choice.engines, space.seed, replications, resolution, axes, tuple(found), digest, search.warmup
    )


def _most_load(scenarios: Sequence[Scenario]) -> float:
    """About how high the search for a capacity goes: to the load at which the first station is full on paper, where
    that is known.
    """
    found = [analysis_of(scenario).load("").capacity for scenario in scenarios]
    return max([1.0, *(min(load, HIGHEST) for load in found if math.isfinite(load))])


def _check(space: Space) -> None:
    """Every variant at every point can be scaled, and expects something."""
    for arm in space.arms:
        for point in space.points:
            scenario = space.scenario(arm, space.settings(arm, point.values))
            refuse_silent(scenario, arm.name)
            load_settings(scenario, 1.0, arm.variant)


def _search(space: Space, arm: Arm, point: Point, resolution: float) -> Search[Found]:
    """All three edges of one variant at one point."""
    fixed = space.settings(arm, point.values)
    scenario = space.scenario(arm, fixed)
    ladder = _Ladder(lambda load: (*fixed, *load_settings(scenario, load, arm.variant)), resolution)
    paper = analysis_of(scenario).load(arm.name).capacity
    known = math.isfinite(paper) and paper > 0
    start = min(max(0.7 * paper, LOWEST), HIGHEST) if known else 1.0
    highest = _readable(min(HIGHEST, BEYOND * paper)) if known else HIGHEST
    yield from ladder.bracket(start, lambda probe: probe.holds, highest)
    yield from ladder.narrow(lambda probe: probe.holds, highest)
    if any(probe.replications > 1 for probe in ladder.probes.values()):  # of a single one nothing is sure
        yield from ladder.narrow(lambda probe: probe.sure == "holds", highest)
        yield from ladder.narrow(lambda probe: probe.sure != "fails", highest)
    return _found(arm, point, space.axes, ladder, scenario)


class _Ladder:
    """The loads that were looked at, and how to find the edge at which an answer turns from yes to no."""

    def __init__(self, settings: Callable[[float], Settings], resolution: float) -> None:
        self._settings, self._resolution = settings, resolution
        self.probes: dict[float, Probe] = {}

    def look(self, load: float) -> Search[Probe]:
        """The probe at a load of three or four digits, so that the command which repeats it can be read."""
        load = _readable(load)
        if load not in self.probes:
            self.probes[load] = yield self._settings(load)
        return self.probes[load]

    def bracket(self, start: float, good: Callable[[Probe], bool], highest: float) -> Search[None]:
        """Go up or down in growing steps until there is a yes below a no."""
        upward = good((yield from self.look(start)))
        step, load = 1.25, start
        while LOWEST < load < highest:
            load = min(load * step, highest) if upward else max(load / step, LOWEST)
            if good((yield from self.look(load))) != upward:
                return
            step = min(step * step, 8.0)

    def narrow(self, good: Callable[[Probe], bool], highest: float) -> Search[None]:
        """Look between the highest yes below every no and the no above it, until they are as close as is wanted."""
        step = 1.0 + self._resolution
        while True:
            low, high = self.edge(good)
            if low is not None and high is not None:
                if high <= low * (1.0 + self._resolution) * (1 + 1e-9):
                    return
                following = math.sqrt(low * high)
            elif high is not None:
                following = max(high / step, LOWEST)
            else:
                following = min((low or LOWEST) * step, highest)
            if _readable(following) in self.probes:  # nothing lies between, or there is nowhere further to go
                return
            yield from self.look(following)
            step *= step

    def edge(self, good: Callable[[Probe], bool]) -> tuple[float | None, float | None]:
        """The highest yes below every no, and the lowest no.

        So little load that nothing can be measured is no no, if more of it is a yes.
        """
        highest_yes = max((load for load, probe in self.probes.items() if good(probe)), default=0.0)
        loads_of_no = (
            load for load, probe in self.probes.items() if not good(probe) and not (probe.silent and load < highest_yes)
        )
        lowest_no = min(loads_of_no, default=None)
        below = [load for load, probe in self.probes.items() if good(probe) and (lowest_no is None or load < lowest_no)]
        return max(below, default=None), lowest_no


def _readable(load: float) -> float:
    return float(f"{load:.4g}")


def _found(arm: Arm, point: Point, axes: Sequence[Axis], ladder: _Ladder, scenario: Scenario) -> Found:
    low, high = ladder.edge(lambda probe: probe.holds)
    surely, _ = ladder.edge(lambda probe: probe.sure == "holds")
    _, surely_not = ladder.edge(lambda probe: probe.sure != "fails")
    looks = tuple(Look(load, ladder.probes[load]) for load in sorted(ladder.probes))
    several = looks[0].probe.replications > 1
    settings = {axis.name: value for axis, value in zip(axes, point.values, strict=True)}
    if low is None:
        load, first, others = (
            Interval(0.0, 0.0, surely_not if several and surely_not is not None else math.nan),
            *_broken(looks[0].probe),
        )
    elif high is None:
        load, first, others = (
            Interval(low, surely if several and surely is not None else math.nan, math.inf, censored=True),
            "",
            (),
        )
    else:
        value = _crossing(low, high, ladder)
        limits = (surely if surely is not None else 0.0, surely_not if surely_not is not None else math.inf)
        load = Interval(
            value, *(limits if several else (math.nan, math.nan)), n=max(look.probe.replications for look in looks)
        )
        first, others = _first_broken(ladder.probes[low], ladder.probes[high])
    return Found(arm.name, settings, load, open_rate(scenario), first, others, looks, _note(ladder, low, high))


def _crossing(low: float, high: float, ladder: _Ladder) -> float:
    """Where the mean of the first expectation to break crosses its threshold, on a straight line between the loads
    below and above.
    """
    first, _ = _first_broken(ladder.probes[low], ladder.probes[high])
    below, above = (
        next(judged.margin for judged in ladder.probes[load].judged if judged.text == first) for load in (low, high)
    )
    # nan where there is no distance: then the last that held
    share = below / (below - above) if below >= 0.0 > above else 0.0
    return low + share * (high - low)


def _first_broken(below: Probe, above: Probe) -> tuple[str, tuple[str, ...]]:
    """Which of those that are broken above crossed its threshold first, and the others."""
    before = {judged.text: judged.margin for judged in below.judged}
    shares = {}
    for judged in above.judged:
        if not judged.holds:
            margin = before[judged.text]
            known = margin >= 0.0 > judged.margin
            shares[judged.text] = margin / (margin - judged.margin) if known else 0.5
    first = min(shares, key=lambda text: shares[text])
    return first, tuple(text for text in shares if text != first)


def _broken(probe: Probe) -> tuple[str, tuple[str, ...]]:
    return probe.broken[0], probe.broken[1:]


def _note(ladder: _Ladder, low: float | None, high: float | None) -> str:
    again = [load for load, probe in sorted(ladder.probes.items()) if high is not None and load > high and probe.holds]
    if again:
        return f"not monotone: everything holds again at {again[0]:g}x"
    if low is None:
        return f"does not hold at any load: looked down to {min(ladder.probes):.3g}x"
    return f"held at every load: looked up to {max(ladder.probes):.3g}x" if high is None else ""
