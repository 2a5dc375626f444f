"""Run every variant at every point of a design: scaling curves, the laws they follow, and which setting matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.errors import RunError, SimError, UsageError
from sim.experiments.replicating.arms import Arm, arms_of, named
from sim.experiments.replicating.metric_kinds import bounds_of
from sim.experiments.replicating.pilot import settled
from sim.experiments.replicating.results import Verdict
from sim.experiments.replicating.rounds import crew
from sim.experiments.replicating.verdicts import judge
from sim.experiments.running.jobs import Job, Perform, perform
from sim.experiments.running.journal import Journal
from sim.experiments.running.ledger import Progress
from sim.experiments.running.options import RunOptions
from sim.experiments.searching.axes import LOAD, Axis, axes_of
from sim.experiments.searching.designs import points_of
from sim.experiments.searching.points import MOST_CHECKED, Point, Space
from sim.experiments.searching.sweep_results import FailedRun, Gathering, Sweep
from sim.experiments.shipped import Source, as_study
from sim.records.columns import Columns
from sim.spec.expectation import expectations
from sim.spec.study import Study
from sim.spec.traffic import Closed
from sim.stats.mean import mean_interval
from sim.vocabulary import bound_keys

TOLERATED = 20  # failed runs after which the rest is not tried


def sweep(
    study: Source,
    over: Sequence[str] | str,
    variants: Sequence[str] | None = None,
    replications: int = 10,
    *,
    design: str = "grid",
    points: int | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
    journal: Journal | None = None,
    perform: Perform = perform,
    max_memory: str | float | None = None,
) -> Sweep:
    """Every variant, or those named, at every point of a design over the settings `over`: `services.payments.replicas=2,4,8`, `load=0.5..2:0.5`.

    `design` is grid, lhs (Latin hypercube), sobol (sequence) or sensitivity (Sobol indices), the last three with the number of `points`. All
    points have the same luck. A run that fails is told in `failures`; more than a few end the sweep. A `journal` keeps what is finished, so that
    the same call goes on where an earlier one was stopped.
    """
    study = as_study(study)
    if replications < 1:
        raise UsageError(f"replications: found {replications}, expected at least 1")
    axes = checked_axes(over)
    arms = named(arms_of(study), variants)
    seed = arms[0].scenario.seed
    chosen = tuple(Point(number, values) for number, values in enumerate(points_of(axes, design, points, seed)))
    plain, scenarios, count = Space(arms, axes, chosen, engine), [arm.scenario for arm in arms], replications * len(chosen)
    plain.check()
    options = RunOptions(jobs, cluster, engine, progress, journal, max_memory)
    choice = options.choose(scenarios, count, keeps=False, others=plain.largest())
    with choice, options.executor(perform, choice) as executor:
        with crew(executor, None, 0) as execute:
            arms, warmup = settled(arms, seed, choice.engine, replications, execute)
        space = Space(arms, axes, chosen, choice.engine)
        work = [(place, job) for point in chosen for arm in arms for place, job in _jobs(space, arm, point, replications, seed)]
        gathering = Gathering([place for place, _ in work])
        failed = executor.run([job for _, job in work], gathering.take, progress, tolerated=TOLERATED)
    failures = _failures(failed, work)
    if len(failures) == len(work):
        raise failed[0][1]
    runs = gathering.runs()
    return Sweep(
        study=study,
        engine=choice.engines,
        seed=seed,
        replications=replications,
        design=design,
        axes=axes,
        points=chosen,
        variants=tuple(arm.name for arm in arms),
        runs=runs,
        censored=frozenset(gathering.censored),
        verdicts=_verdicts(space, runs, gathering.censored),
        fingerprint=gathering.fingerprint(),
        closed=frozenset(arm.name for arm in arms if all(isinstance(traffic.arrivals, Closed) for traffic in arm.scenario.traffic.values())),
        failures=failures,
        warmup=warmup,
    )


def checked_axes(over: Sequence[str] | str) -> tuple[Axis, ...]:
    """The axes of a call."""
    axes = axes_of([over] if isinstance(over, str) else list(over))
    if any(LOAD in axis.paths and len(axis.paths) > 1 for axis in axes):
        raise UsageError("--over: 'load' is a factor on the arrivals, and cannot be joined with other paths")
    return axes


def sweep_length(study: Study, over: Sequence[str], design: str, points: int | None) -> int:
    """How many points there will be, to tell progress by."""
    return len(points_of(checked_axes(over), design, points, next(iter(study.variants.values())).seed))


def raise_failures(sweep: Sweep) -> None:
    """A RunError that names the failed runs, each with its seed and the command that repeats it alone."""
    if sweep.failures:
        told = "\n".join(f"{failure.reason}" for failure in sweep.failures[:5])
        more = f"\n... and {len(sweep.failures) - 5} more" if len(sweep.failures) > 5 else ""
        total = len(sweep.runs) + len(sweep.failures)
        raise RunError(f"{len(sweep.failures)} of {total} runs failed; the others are in the results\n{told}{more}")


def _jobs(space: Space, arm: Arm, point: Point, replications: int, seed: int) -> list[tuple[tuple[str, int, int], Job]]:
    settings = space.settings(arm, point.values)
    own = next((int(text.partition("=")[2]) for text in settings if text.startswith("seed=")), seed)
    return [((arm.name, point.number, job.replication), job) for job in space.jobs(arm, settings, range(replications), own)]


def _failures(failed: Sequence[tuple[Job, SimError]], work: list[tuple[tuple[str, int, int], Job]]) -> tuple[FailedRun, ...]:
    places = {id(job): place for place, job in work}
    return tuple(FailedRun(*places[id(job)], job.seed, str(error), job.command) for job, error in failed)


def _verdicts(space: Space, runs: pd.DataFrame, censored: set[tuple[str, int, str]]) -> dict[tuple[str, int], tuple[Verdict, ...]]:
    """The expectations at every point; those of the scenario as written, unless the sweep changes them."""
    changes = any(path.startswith(("expect", "variants", "traffic", "gateway")) for axis in space.axes for path in axis.paths)
    answer = {}
    for arm in space.arms:
        if not (arm.scenario.expect or changes) or arm.name not in runs.index.get_level_values("variant"):
            continue
        own = pd.DataFrame(runs.xs(arm.name, level="variant"))
        numbers = own.index.get_level_values("point").to_numpy()
        for point in space.points:
            first, last = np.searchsorted(numbers, [point.number, point.number + 1])  # jobs, and so runs, stand in the order of the points
            block = own.iloc[first:last]
            if block.empty:
                continue
            scenario = space.scenario(arm, space.settings(arm, point.values)) if changes and len(space.points) <= MOST_CHECKED else arm.scenario
            asked = {expectation.metric_key for expectation in expectations(scenario)}
            asked |= {bound for key in asked for bound in bound_keys(key)}
            keys = {str(key) for key in block.columns if key in asked and block[key].notna().any()}
            metrics = {key: mean_interval(block[key].to_numpy(), censored=(arm.name, point.number, key) in censored, bounds=bounds_of(key)) for key in keys}
            if found := judge(scenario, Columns.of(block), metrics):
                answer[arm.name, point.number] = found
    return answer
