"""`warmup: auto`: a pilot of a few replications tells when the mean response has settled, and every run of the
experiment is cut there.

What the run is cut at is a stated time from then on: the results are those of the same scenario with that warm-up
written into it. The pilot is always of the first replications, so the time depends on the scenario and the seed, not on
how long somebody went on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.running.jobs import Job, JobResult

PILOT = 5  # replications, as Welch has it


def pilot_runs(arms: Sequence[Arm], replications: int) -> int:
    """How many jobs the pilot takes; none where the warm-up is stated."""
    return sum(arm.scenario.auto_warmup for arm in arms) * min(PILOT, replications)


def settled(
    arms: Sequence[Arm], seed: int, engine: str, replications: int, execute: Callable[[Sequence[Job]], list[JobResult]]
) -> tuple[list[Arm], FoundWarmup | None]:
    """The arms with the warm-up that was found, the longest of all, and how it was found."""
    asking = [arm for arm in arms if arm.scenario.auto_warmup]
    count = min(PILOT, replications)
    if not asking:
        return list(arms), None
    jobs = [
        Job(json.dumps(arm.document), arm.plugins, arm.variant, seed, k, engine, file=arm.file, given=arm.given)
        for arm in asking
        for k in range(count)
    ]
    results = execute(jobs)
    per_arm = {arm.name: results[place * count : (place + 1) * count] for place, arm in enumerate(asking)}
    found = {arm.name: _cut(arm, per_arm[arm.name]) for arm in asking}
    longest = max(seconds for seconds, _ in found.values())
    warmup = FoundWarmup(
        longest,
        {name: seconds for name, (seconds, _) in found.items()},
        tuple(name for name, (_, short) in found.items() if short),
        count,
    )
    return [_with_warmup(arm, longest) if arm.scenario.auto_warmup else arm for arm in arms], warmup


def _cut(arm: Arm, results: Sequence[JobResult]) -> tuple[float, bool]:
    """When an arm has settled, and whether its run is too short to tell."""
    from sim.metrics.settling import RESPONSE
    from sim.stats.warmup import mean_series, mser5

    series = mean_series([result.timeline[RESPONSE] for result in results])
    deleted, too_short = mser5(series)
    return round(deleted * arm.scenario.duration / series.size, 9), too_short


def _with_warmup(arm: Arm, seconds: float) -> Arm:
    text = f"{seconds!r}s"
    scenario = arm.scenario.model_copy(update={"warmup": seconds})
    return replace(
        arm, scenario=scenario, document={**arm.document, "warmup": text}, given=(*arm.given, f"warmup={text}")
    )
