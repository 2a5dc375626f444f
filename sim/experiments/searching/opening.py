"""How every search begins: what is varied and for whom, read and checked; then room in memory, an engine, workers, and
the warm-up found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sim.errors import UsageError
from sim.experiments.replicating.arms import arms_of, named
from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.pilot import settled
from sim.experiments.replicating.rounds import crew
from sim.experiments.running.engines import EngineChoice
from sim.experiments.running.executors import Executor
from sim.experiments.running.options import RunOptions
from sim.experiments.searching.axes import LOAD, Axis, axes_of
from sim.experiments.searching.designs import points_of
from sim.experiments.searching.points import Point, Space
from sim.spec.study import Study


@dataclass(frozen=True)
class Opened:
    """What a search works with."""

    space: Space  # its variants with the warm-up that was found, its jobs for the engine that was chosen
    choice: EngineChoice
    executor: Executor
    warmup: FoundWarmup | None


def checked_axes(over: Sequence[str] | str) -> tuple[Axis, ...]:
    """The axes of a call. Raises UsageError for `load` joined with other paths."""
    axes = axes_of([over] if isinstance(over, str) else list(over))
    if any(LOAD in axis.paths and len(axis.paths) > 1 for axis in axes):
        raise UsageError("--over: 'load' is a factor on the arrivals, and cannot be joined with other paths")
    return axes


def axes_without_load(over: Sequence[str] | str, why: str) -> tuple[Axis, ...]:
    """The axes of a call that has the load elsewhere: `why` says where. Raises UsageError."""
    axes = checked_axes(over)
    if any(LOAD in axis.paths for axis in axes):
        raise UsageError(f"--over load: {why}")
    return axes


def space_of(
    study: Study,
    variants: Sequence[str] | None,
    axes: Sequence[Axis],
    design: str = "grid",
    points: int | None = None,
) -> Space:
    """The variants at the points of a design; at one point without a name where nothing is varied."""
    arms = named(arms_of(study), variants)
    values = points_of(axes, design, points, arms[0].scenario.seed) if axes else [()]
    return Space(arms, axes, [Point(number, each) for number, each in enumerate(values)])


def search_length(study: Study, over: Sequence[str], design: str, points: int | None) -> int:
    """How many points there will be, to tell progress by."""
    return len(points_of(checked_axes(over), design, points, next(iter(study.variants.values())).seed))


@contextmanager
def opened(
    space: Space, options: RunOptions, replications: int, looks: int = 1, times: float = 1.0
) -> Iterator[Opened]:
    """A search that looks at every point about `looks` times, each time with so many replications, under at most
    `times` the load as written.
    """
    scenarios, runs = [arm.scenario for arm in space.arms], looks * replications * len(space.points)
    estimate = options.estimate(scenarios, runs, times=times, keeps=False, others=space.largest())
    choice = options.choose(scenarios, runs, estimate)
    with choice, options.executor(choice) as executor:
        with crew(executor, None, 0) as execute:
            arms, warmup = settled(space.arms, space.seed, choice.engine, replications, execute)
        yield Opened(Space(arms, space.axes, space.points, choice.engine), choice, executor, warmup)
