"""Run every variant at every point of a design: scaling curves, the laws they follow, and which setting matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from sim.errors import RunError, SimError, UsageError
from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.metric_kinds import bounds_of
from sim.experiments.replicating.results import Verdict
from sim.experiments.replicating.verdicts import judge
from sim.experiments.running.jobs import Job
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.searching.opening import Opened, checked_axes, opened, space_of
from sim.experiments.searching.points import MOST_CHECKED, Point, Space
from sim.experiments.searching.sweep_results import FailedRun, Gathering, Sweep
from sim.experiments.shipped import Source, as_study
from sim.records.columns import Columns
from sim.spec.expectation import expectations
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
    **options: Unpack[RunKeywords],
) -> Sweep:
    """Every variant, or those named, at every point of a design over the settings `over`:
    `services.payments.replicas=2,4,8`, `load=0.5..2:0.5`.

    `design` is grid, lhs (Latin hypercube), sobol (sequence) or sensitivity (Sobol indices), the last three with the
    number of `points`. All points have the same luck. A run that fails is told in `failures`; more than a few end the
    sweep. The other keywords are those of `RunOptions`.
    """
    study, how = as_study(study), RunOptions(**options)
    if replications < 1:
        raise UsageError(f"replications: found {replications}, expected at least 1")
    plain = space_of(study, variants, checked_axes(over), design, points)
    plain.check()
    with opened(plain, how, replications) as search:
        space = search.space
        gathering, failures = _gathered(search, replications, how)
    runs = gathering.runs()
    return Sweep(
        study=study,
        engine=search.choice.engines,
        seed=space.seed,
        replications=replications,
        design=design,
        axes=space.axes,
        points=space.points,
        variants=tuple(arm.name for arm in space.arms),
        runs=runs,
        censored=frozenset(gathering.censored),
        verdicts=_verdicts(space, runs, gathering.censored),
        fingerprint=gathering.fingerprint(),
        closed=_closed(space.arms),
        failures=failures,
        warmup=search.warmup,
    )


def _closed(arms: Sequence[Arm]) -> frozenset[str]:
    """The variants without open arrivals."""
    return frozenset(
        arm.name for arm in arms if all(traffic.arrivals.population for traffic in arm.scenario.traffic.values())
    )


def raise_failures(sweep: Sweep) -> None:
    """A RunError that names the failed runs, each with its seed and the command that repeats it alone."""
    if sweep.failures:
        told = "\n".join(f"{failure.reason}" for failure in sweep.failures[:5])
        more = f"\n... and {len(sweep.failures) - 5} more" if len(sweep.failures) > 5 else ""
        total = len(sweep.runs) + len(sweep.failures)
        raise RunError(f"{len(sweep.failures)} of {total} runs failed; the others are in the results\n{told}{more}")


def _gathered(search: Opened, replications: int, how: RunOptions) -> tuple[Gathering, tuple[FailedRun, ...]]:
    """Every variant at every point; the error of the first run where all have failed."""
    space = search.space
    work = [
        (place, job)
        for point in space.points
        for arm in space.arms
        for place, job in _jobs(space, arm, point, replications)
    ]
    gathering = Gathering([place for place, _ in work])
    failed = search.executor.run([job for _, job in work], gathering.take, how.hearer, tolerated=TOLERATED)
    if len(failed) == len(work):
        raise failed[0][1]
    return gathering, _failures(failed, work)


def _jobs(space: Space, arm: Arm, point: Point, replications: int) -> list[tuple[tuple[str, int, int], Job]]:
    settings = space.settings(arm, point.values)
    own = next((int(text.partition("=")[2]) for text in settings if text.startswith("seed=")), space.seed)
    return [
        ((arm.name, point.number, job.replication), job) for job in space.jobs(arm, settings, range(replications), own)
    ]


def _failures(
    failed: Sequence[tuple[int, SimError]], work: list[tuple[tuple[str, int, int], Job]]
) -> tuple[FailedRun, ...]:
    found = [(*work[index], error) for index, error in failed]
    return tuple(FailedRun(*place, job.seed, str(error), job.command) for place, job, error in found)


def _verdicts(
    space: Space, runs: pd.DataFrame, censored: set[tuple[str, int, str]]
) -> dict[tuple[str, int], tuple[Verdict, ...]]:
    """The expectations at every point; those of the scenario as written, unless the sweep changes them."""
    changes = any(
        path.startswith(("expect", "variants", "traffic", "gateway")) for axis in space.axes for path in axis.paths
    )
    answer = {}
    for arm in space.arms:
        if not (arm.scenario.expect or changes) or arm.name not in runs.index.get_level_values("variant"):
            continue
        own = pd.DataFrame(runs.xs(arm.name, level="variant"))
        numbers = own.index.get_level_values("point").to_numpy()
        for point in space.points:
            # jobs, and so runs, stand in the order of the points
            first, last = np.searchsorted(numbers, [point.number, point.number + 1])
            block = own.iloc[first:last]
            if block.empty:
                continue
            scenario = (
                space.scenario(arm, space.settings(arm, point.values))
                if changes and len(space.points) <= MOST_CHECKED
                else arm.scenario
            )
            asked = {expectation.metric_key for expectation in expectations(scenario)}
            asked |= {bound for key in asked for bound in bound_keys(key)}
            keys = {str(key) for key in block.columns if key in asked and block[key].notna().any()}
            metrics = {
                key: mean_interval(
                    block[key].to_numpy(), censored=(arm.name, point.number, key) in censored, bounds=bounds_of(key)
                )
                for key in keys
            }
            if found := judge(scenario, Columns.of(block), metrics):
                answer[arm.name, point.number] = found
    return answer
