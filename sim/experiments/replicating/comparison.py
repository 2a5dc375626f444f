"""Run one variant, or compare several on common random numbers: jobs out, figures, differences and verdicts back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from sim.errors import UsageError
from sim.experiments.replicating.arms import Arm, arms_of, combine, named
from sim.experiments.replicating.from_inputs import inputs_of
from sim.experiments.replicating.method import Best, Inputs, Method, Precision, in_words
from sim.experiments.replicating.metric_kinds import additions_of, bounds_of, nature_of
from sim.experiments.replicating.pilot import pilot_runs, settled
from sim.experiments.replicating.plan import Plan
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.experiments.replicating.rounds import Rounds, best_at_once, crew, precise_at_once, until_best, until_precise
from sim.experiments.replicating.verdicts import judge
from sim.experiments.running.jobs import JobResult
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.running.resources import Estimate
from sim.experiments.shipped import Source, as_study
from sim.records.columns import Columns, mean_of
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.stats.bootstrap import Resamples
from sim.stats.interval import Difference, Interval
from sim.vocabulary import catalogue_order, has_direction


def compare(
    study: Source | Sequence[Source],
    variants: Sequence[str] | None = None,
    replications: int | None = None,
    *,
    precision: float | None = None,
    metrics: Sequence[str] = (),
    best: str | None = None,
    indifference: str | float | None = None,
    confidence: float = 0.95,
    interval: str = "t",
    rows: str = "first",
    **options: Unpack[RunKeywords],
) -> Comparison:
    """All variants, or those named, under the same seed and replications; the first is the baseline of the differences.

    Several studies are one comparison, whose variants are named `<file-stem>:<variant>`; all of them take the seed of
    the first. There are ten `replications`, or as many as make the error of these `metrics` (`p99(response)`) at most
    `precision` (0.05), or as many as tell which variant is `best` by a metric, if it is by `indifference` ("10ms"):
    then `replications` is the cap, 100 by default. `rows="all"` keeps the rows of every replication (`all_requests` of
    a variant), and not of the first alone. The other keywords, `jobs`, `engine`, `cluster` ..., are those of
    `RunOptions`: where and how it runs.
    """
    sources = [study] if isinstance(study, (Study, str, Path, Mapping)) else study
    whole = combine([as_study(source) for source in sources])
    plan = Plan(
        replications=replications,
        precision=precision,
        metrics=tuple(metrics),
        best=best,
        indifference=indifference,
        confidence=confidence,
        interval=interval,
        rows=rows,
    )
    chosen = named(arms_of(whole), variants)
    if best is not None and len(chosen) < 2:
        raise UsageError(f"best: found {len(chosen)} variant, expected at least two to choose from")
    return _experiment(whole, chosen, plan, RunOptions(**options))


def run(
    study: Source,
    variant: str | None = None,
    replications: int | None = None,
    *,
    precision: float | None = None,
    metrics: Sequence[str] = (),
    confidence: float = 0.95,
    interval: str = "t",
    only_replication: int | None = None,
    rows: str = "first",
    **options: Unpack[RunKeywords],
) -> Comparison:
    """One variant, the first unless named. `only_replication` runs that one alone, as it was among the others.

    The other options are those of `compare`. A single replication has intervals where its own parts give them: by batch
    means.
    """
    study = as_study(study)
    plan = Plan(
        replications=replications,
        only=only_replication,
        precision=precision,
        metrics=tuple(metrics),
        confidence=confidence,
        interval=interval,
        rows=rows,
    )
    arms = arms_of(study)
    chosen = named(arms, [variant if variant is not None else next(iter(arms))])
    return _experiment(study, chosen, plan, RunOptions(**options))


def _experiment(study: Study, arms: Sequence[Arm], plan: Plan, options: RunOptions) -> Comparison:
    seed = arms[0].scenario.seed
    keys = _keys(arms, plan)  # looked up before anything runs
    scenarios, most = [arm.scenario for arm in arms], pilot_runs(arms, plan.pilot) + plan.most * len(arms)
    with (
        options.choose(scenarios, plan.pilot, _estimate(options, scenarios, plan)) as choice,
        crew(options.executor(choice, scenarios, plan.most), options.hearer, most) as execute,
    ):
        engine = choice.engine
        arms, warmup = settled(arms, seed, engine, plan.pilot, execute)
        alone = plan.confidence if plan.most == 1 else None
        rounds = Rounds(arms, seed, engine, execute, plan.only or 0, alone, plan.rows == "all")
        exact = rounds.certain(plan.most)
        rule = _at_once(rounds, plan, keys) if exact else _replicate(rounds, plan, keys)
    figures = {arm.name: Figures.of(rounds.results[arm.name], rounds.numbers(arm.name)) for arm in arms}
    resamples = resamples_of(plan.interval, seed)
    variants = {
        arm.name: _variant(arm, figures[arm.name], rounds.results[arm.name], plan.confidence, resamples, exact)
        for arm in arms
    }
    most = max(len(results) for results in rounds.results.values())
    return Comparison(
        study=study,
        engine=choice.engines,
        seed=seed,
        replications=most,
        variants=variants,
        differences=differences_between(figures, variants, plan.confidence, resamples, exact),
        fingerprint=digest_of([part for name, result in variants.items() for part in (name, result.fingerprint)]),
        method=Method(
            confidence=plan.confidence,
            interval=plan.interval if most > 1 or exact else interval_of_one(_figures_of(variants)),
            warmup=warmup,
            precision=rule if isinstance(rule, Precision) else None,
            best=rule if isinstance(rule, Best) else None,
            exact=exact,
            alike=most if most > 1 and all(_alike(results) for results in rounds.results.values()) else 0,
            inputs=_inputs(arms, figures, range(rounds.first, rounds.first + most)),
        ),
    )


def _figures_of(variants: Mapping[str, VariantResult]) -> Iterable[Interval]:
    return (figure for result in variants.values() for figure in result.metrics.values())


def _inputs(arms: Sequence[Arm], figures: Mapping[str, Figures], replications: range) -> Inputs | None:
    """What of the spread comes from the inputs that are ranges."""
    tables = {name: its.table for name, its in figures.items()}
    return inputs_of(arms, arms[0].scenario.seed, tables, replications)


def _keys(arms: Sequence[Arm], plan: Plan) -> tuple[str, ...]:
    scenarios = [arm.scenario for arm in arms]
    if plan.best is not None:
        key = plan.best_key(scenarios)
        plan.least_difference(key)
        return (key,)
    return plan.keys(scenarios) if plan.precision is not None else ()


def _replicate(rounds: Rounds, plan: Plan, keys: tuple[str, ...]) -> Precision | Best | None:
    """As many replications as the plan asks for; what its rule came to."""
    if plan.precision is not None:
        return until_precise(rounds, keys, plan.precision, plan.most, plan.confidence)
    if plan.best is not None:
        least = plan.least_difference(keys[0])
        return until_best(rounds, keys[0], least, in_words(least, keys[0]), plan.most, plan.confidence)
    rounds.run(plan.most)
    return None


def _estimate(options: RunOptions, scenarios: Sequence[Scenario], plan: Plan) -> Estimate:
    """What the first batch takes; where all rows are kept, each replication as much as a first one."""
    if plan.rows == "all":
        return options.estimate([scenario for scenario in scenarios for _ in range(plan.most)], 1)
    return options.estimate(scenarios, plan.pilot)


def _at_once(rounds: Rounds, plan: Plan, keys: tuple[str, ...]) -> Precision | Best | None:
    """What the plan's rule comes to where nothing is random."""
    if plan.precision is not None:
        return precise_at_once(rounds, keys, plan.precision, plan.most)
    return (
        best_at_once(rounds, keys[0], in_words(plan.least_difference(keys[0]), keys[0]), plan.confidence)
        if plan.best is not None
        else None
    )


def _alike(results: Sequence[JobResult]) -> bool:
    return len({result.fingerprint for result in results}) == 1


def interval_of_one(figures: Iterable[Interval]) -> str:
    """How the intervals of a single replication are come by: from its own parts, where these give any."""
    return "batch means" if any(figure.low < figure.high for figure in figures) else "t"


def resamples_of(interval: str, seed: int) -> Resamples | None:
    """The lots of the bootstrap, where that is how intervals are computed."""
    if interval != "bootstrap":
        return None
    from sim.chance.resampling import Resampling

    return Resampling(seed)


@dataclass(frozen=True)
class Figures:
    """The figures of one variant: one row per replication, and which metrics were only lower bounds somewhere."""

    table: Columns
    censored: frozenset[str]

    @classmethod
    def of(cls, results: Sequence[JobResult], numbers: Sequence[int]) -> Figures:
        """Those of these replications, which have these numbers."""
        keys = sorted({key for result in results for key in result.metrics}, key=catalogue_order)
        columns = {
            key: np.array([result.metrics.get(key, float("nan")) for result in results], dtype=np.float64)
            for key in keys
        }
        table = Columns(np.array(numbers), columns, "replication")
        return cls(table, frozenset(key for result in results for key in result.censored))


def intervals_of(figures: Figures, confidence: float, resamples: Resamples | None, exact: bool) -> dict[str, Interval]:
    """The mean of every figure over the replications."""
    from sim.stats.mean import mean_interval

    return {
        key: mean_interval(
            values,
            confidence,
            censored=key in figures.censored,
            resamples=resamples,
            bounds=bounds_of(key),
            exact=exact,
        )
        for key, values in figures.table.columns.items()
    }


def _variant(
    arm: Arm,
    figures: Figures,
    results: Sequence[JobResult],
    confidence: float,
    resamples: Resamples | None,
    exact: bool,
) -> VariantResult:
    exemplar = results[0].records
    assert exemplar is not None, "the first replication keeps its records"
    metrics = intervals_of(figures, confidence, resamples, exact)
    if len(results) == 1 and not exact:
        metrics |= results[0].intervals
    return VariantResult(
        name=arm.name,
        scenario=arm.scenario,
        metrics=metrics,
        figures=figures.table,
        verdicts=judge(arm.scenario, figures.table, metrics),
        records=exemplar,
        over_time=mean_of([result.timeline for result in results]),
        fingerprint=digest_of([result.fingerprint for result in results]),
        engines=tuple(result.engine for result in results),
        every=tuple(result.records for result in results if result.records is not None),
    )


def differences_between(
    figures: Mapping[str, Figures],
    variants: Mapping[str, VariantResult],
    confidence: float,
    resamples: Resamples | None,
    exact: bool,
) -> dict[str, dict[str, Difference]]:
    """Variant - baseline for every metric with a good direction, over the replications that both have, all variants
    judged together.
    """
    from sim.stats.paired import differences

    (_, base), *others = figures.items()
    compared = [
        (name, key, other)
        for name, other in others
        for key in other.table.columns
        if key in base.table.columns and has_direction(key)
    ]
    exemplars = [result.records for result in variants.values()]
    # of a race; all begin with the same one
    shared = {name: min(len(base.table), len(other.table)) for name, other in others}
    additions, duration = max(map(additions_of, exemplars)), max(records.duration for records in exemplars)
    found = differences(
        {f"{name}\0{key}": other.table[key][: shared[name]] for name, key, other in compared},
        {f"{name}\0{key}": base.table[key][: shared[name]] for name, key, _ in compared},
        confidence,
        variant_censored={f"{name}\0{key}" for name, key, other in compared if key in other.censored},
        baseline_censored={f"{name}\0{key}" for name, key, _ in compared if key in base.censored},
        resamples=resamples,
        natures={f"{name}\0{key}": nature_of(str(key), duration, additions) for name, key, _ in compared},
        exact=exact,
    )
    answer: dict[str, dict[str, Difference]] = {name: {} for name, _ in others}
    for name, key, _ in compared:
        answer[name][key] = found[f"{name}\0{key}"]
    return answer


def digest_of(parts: Sequence[str]) -> str:
    """Of fingerprints, and of the names between them."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
