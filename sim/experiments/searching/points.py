"""The points of a sweep as jobs: every variant at every point, replication by replication, and what is checked before
the first one runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sim.errors import ScenarioError, UsageError
from sim.experiments.on_paper.load_factor import load_settings
from sim.experiments.on_paper.run_size import roughly
from sim.experiments.replicating.arms import Arm
from sim.experiments.running.jobs import Job
from sim.experiments.searching.axes import LOAD, Axis
from sim.spec.scenario import Scenario
from sim.units import factor

MOST_CHECKED = 500  # points that are loaded before anything runs; of more, those that show every value of every axis


@dataclass(frozen=True)
class Point:
    """One combination of values, one per axis, in the order of the axes."""

    number: int
    values: tuple[str, ...]


class Space:
    """All points of some axes for some variants."""

    def __init__(
        self, arms: Sequence[Arm], axes: Sequence[Axis], points: Sequence[Point], engine: str = "simpy"
    ) -> None:
        self.arms, self.axes, self.points, self.engine = tuple(arms), tuple(axes), tuple(points), engine
        self._documents = {arm.name: json.dumps(arm.document) for arm in arms}
        self._scenarios: dict[tuple[str, tuple[str, ...]], Scenario] = {}

    @property
    def seed(self) -> int:
        """Of all variants, unless a setting says another."""
        return self.arms[0].scenario.seed

    def settings(self, arm: Arm, values: Sequence[str]) -> tuple[str, ...]:
        """The PATH=VALUE of a point; the load last, since it scales what the others have set."""
        plain = tuple(
            text
            for axis, value in zip(self.axes, values, strict=True)
            if axis.paths != (LOAD,)
            for text in axis.settings(value)
        )
        return (*plain, *self.load(arm, plain, values))

    def load(self, arm: Arm, plain: tuple[str, ...], values: Sequence[str]) -> tuple[str, ...]:
        """The settings of the axis `load`, if there is one."""
        times = next((value for axis, value in zip(self.axes, values, strict=True) if axis.paths == (LOAD,)), None)
        if times is None:
            return ()
        touched = tuple(text for text in plain if text.startswith(("traffic", "variants", "duration")))
        return load_settings(self.scenario(arm, touched), _factor(times), arm.variant)

    def jobs(self, arm: Arm, settings: tuple[str, ...], numbers: Sequence[int], seed: int) -> list[Job]:
        """The replications of a variant under these settings; figures only."""
        document = self._documents[arm.name]
        return [
            Job(
                document,
                arm.plugins,
                arm.variant,
                seed,
                number,
                self.engine,
                file=arm.file,
                sets=settings,
                given=arm.given,
                keep_timeline=False,
            )
            for number in numbers
        ]

    def scenario(self, arm: Arm, settings: tuple[str, ...]) -> Scenario:
        """What a variant is under these settings; a UsageError that names them where it is nothing."""
        from sim.spec import load_document

        if not settings:
            return arm.scenario
        key = (arm.name, settings)
        if key not in self._scenarios:
            try:
                study = load_document(arm.document, plugins=arm.plugins, sets=settings)
            except ScenarioError as error:
                told = "\n".join(
                    str(problem).replace("<document>: ", "").replace("--set ", "--over ") for problem in error.problems
                )
                raise UsageError(f"at {', '.join(settings)}:\n{told}") from None
            except UsageError as error:
                raise UsageError(str(error).replace("--set ", "--over ")) from None
            if len(self._scenarios) > MOST_CHECKED:
                self._scenarios.clear()
            self._scenarios[key] = study.variants[arm.variant]
        return self._scenarios[key]

    def check(self) -> None:
        """Refuse what has no meaning before anything runs: all points, or of very many those that show every value and
        every end.
        """
        points = self.points if len(self.points) <= MOST_CHECKED else self._telling()
        for arm in self.arms:
            for point in points:
                self.scenario(arm, self.settings(arm, point.values))

    def largest(self) -> list[Scenario]:
        """Of every variant the point that takes most memory, roughly, among those where an axis is at its smallest or
        its largest.
        """
        ends = {
            point.number: point
            for place in range(len(self.axes))
            for point in self._by_size(place)[:: max(1, len(self.points) - 1)]
        }
        each = [[self.scenario(arm, self.settings(arm, point.values)) for point in ends.values()] for arm in self.arms]
        return [max(scenarios, key=roughly) for scenarios in each if scenarios]

    def _by_size(self, place: int) -> list[Point]:
        """The points in the order of the values of one axis."""
        from sim.experiments.searching.axes import number_of

        return sorted(self.points, key=lambda point: number_of(point.values[place]))

    def _telling(self) -> list[Point]:
        """At most so many points, as many different values of every axis as possible among them, the smallest and
        largest always.
        """
        seen: set[tuple[int, str]] = set()
        chosen: dict[int, Point] = {}
        for point in self.points:
            new = {(place, value) for place, value in enumerate(point.values)} - seen
            if new and len(chosen) < MOST_CHECKED - 2 * len(self.axes):
                seen |= new
                chosen[point.number] = point
        for place in range(len(self.axes)):
            ordered = self._by_size(place)
            chosen |= {point.number: point for point in (ordered[0], ordered[-1])}
        return list(chosen.values())


def _factor(text: str) -> float:
    try:
        times = factor(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise UsageError(f"--over load: {error}") from None
    if not times > 0:
        raise UsageError(f"--over load: found {text}, expected a factor above 0")
    return times
