"""Run one variant, or compare several on common random numbers: jobs out, figures, differences and verdicts back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd

from sim.errors import UsageError, did_you_mean
from sim.experiments.executors import Progress, collect
from sim.experiments.jobs import Job, JobResult, Perform, perform
from sim.experiments.journal import Journal
from sim.experiments.results import Comparison, VariantResult, base_of
from sim.experiments.several import Arm, arms_of, combine
from sim.experiments.shipped import Source, as_study
from sim.experiments.verdicts import judge
from sim.spec.base import Kind, words
from sim.spec.study import Study
from sim.stats.interval import Difference
from sim.vocabulary import METRICS

Execute = Callable[[Sequence[Job]], list[JobResult]]
ENGINES = ("auto", "simpy")


def compare(
    study: Source | Sequence[Source],
    variants: Sequence[str] | None = None,
    replications: int = 10,
    *,
    jobs: int | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
    perform: Perform = perform,
    journal: Journal | None = None,
    cluster: str | None = None,
) -> Comparison:
    """All variants, or those named, under the same seed and replications; the first is the baseline of the differences.

    Several studies are one comparison, whose variants are named `<file-stem>:<variant>`; all of them take the seed of the first.
    What the `journal` knows is not run again; `cluster` is the address of a Dask scheduler, in place of `jobs` processes here.
    """
    sources = [study] if isinstance(study, (Study, str, Path)) else study
    whole = combine([as_study(source) for source in sources])
    chosen = _chosen(arms_of(whole), variants)
    return _experiment(whole, chosen, _numbered(replications), chosen_engine(engine), executing(jobs, cluster, progress, perform, journal))


def run(
    study: Source,
    variant: str | None = None,
    replications: int = 10,
    *,
    jobs: int | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
    only_replication: int | None = None,
    perform: Perform = perform,
    journal: Journal | None = None,
    cluster: str | None = None,
) -> Comparison:
    """One variant, the first unless named. `only_replication` runs that one alone, as it was among the others."""
    study = as_study(study)
    arms = arms_of(study)
    chosen = _chosen(arms, [variant if variant is not None else next(iter(arms))])
    if only_replication is not None and only_replication < 0:
        raise UsageError(f"only-replication: found {only_replication}, expected 0 or more")
    numbers = [only_replication] if only_replication is not None else _numbered(replications)
    return _experiment(study, chosen, numbers, chosen_engine(engine), executing(jobs, cluster, progress, perform, journal))


def chosen_engine(engine: str) -> str:
    """The engine that `auto` stands for; another name must be one of those there are."""
    if engine not in ENGINES:
        raise UsageError(f"engine: unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
    return "simpy"


def executing(jobs: int | None, cluster: str | None, progress: Progress | None, perform: Perform, journal: Journal | None) -> Execute:
    """What runs a list of jobs, as the options of a call say."""
    workers = workers_for(jobs, cluster)
    return lambda work: collect(work, workers, progress, perform, journal=journal, cluster=cluster)


def workers_for(jobs: int | None, cluster: str | None = None) -> int | None:
    """Words that were registered by hand, in a notebook say, are known to this process alone: there the jobs stay here."""
    by_hand = any(not spec.__module__.startswith(("sim.", "sim_plugin_")) for kind in get_args(Kind) for spec in words(kind).values())
    if by_hand and cluster is not None:
        raise UsageError("cluster: found words that were registered by hand, which no other machine knows; put them into a plug-in file")
    return 1 if by_hand else jobs


def _numbered(replications: int) -> list[int]:
    if replications < 1:
        raise UsageError(f"replications: found {replications}, expected at least 1")
    return list(range(replications))


def _chosen(arms: dict[str, Arm], names: Sequence[str] | None) -> list[Arm]:
    if names is None:
        return list(arms.values())
    unknown = [name for name in names if name not in arms]
    if unknown:
        raise UsageError("\n".join(f"unknown variant '{name}'{did_you_mean(name, arms)}" for name in unknown))
    if not names:
        raise UsageError("no variant is named")
    return [arms[name] for name in dict.fromkeys(names)]


def _experiment(study: Study, arms: Sequence[Arm], numbers: Sequence[int], engine: str, execute: Execute) -> Comparison:
    seed = arms[0].scenario.seed
    jobs = [job for arm in arms for job in _jobs(arm, seed, numbers, engine)]
    results = execute(jobs)
    per_arm = [results[place : place + len(numbers)] for place in range(0, len(results), len(numbers))]
    figures = {arm.name: _Figures.of(found, numbers) for arm, found in zip(arms, per_arm, strict=True)}
    variants = {arm.name: _variant(arm, figures[arm.name], found) for arm, found in zip(arms, per_arm, strict=True)}
    return Comparison(
        study=study,
        engine=engine,
        seed=seed,
        replications=len(numbers),
        variants=variants,
        differences=_differences(figures),
        fingerprint=_digest([part for name, result in variants.items() for part in (name, result.fingerprint)]),
    )


def _jobs(arm: Arm, seed: int, numbers: Sequence[int], engine: str) -> list[Job]:
    document = json.dumps(arm.document)
    return [
        Job(document, arm.plugins, arm.variant, seed, number, engine, keep_records=number == numbers[0], file=arm.file, given=arm.given) for number in numbers
    ]


@dataclass(frozen=True)
class _Figures:
    """The figures of one variant: one row per replication, and which metrics were only lower bounds somewhere."""

    table: pd.DataFrame
    censored: frozenset[str]

    @classmethod
    def of(cls, results: Sequence[JobResult], numbers: Sequence[int]) -> _Figures:
        keys = sorted({key for result in results for key in result.metrics}, key=place_of)
        rows = [[result.metrics.get(key, float("nan")) for key in keys] for result in results]
        table = pd.DataFrame(rows, index=pd.Index(numbers, name="replication"), columns=keys, dtype=float)
        return cls(table, frozenset(key for result in results for key in result.censored))


def _variant(arm: Arm, figures: _Figures, results: Sequence[JobResult]) -> VariantResult:
    from sim.metrics.timeline import mean_timelines
    from sim.stats.mean import mean_interval

    exemplar = results[0].records
    assert exemplar is not None, "the first replication keeps its records"
    metrics = {str(key): mean_interval(figures.table[key].to_numpy(), censored=key in figures.censored) for key in figures.table}
    return VariantResult(
        name=arm.name,
        scenario=arm.scenario,
        metrics=metrics,
        per_replication=figures.table,
        verdicts=judge(arm.scenario, figures.table, metrics),
        records=exemplar,
        timeline=mean_timelines([result.timeline for result in results]),
        fingerprint=_digest([result.fingerprint for result in results]),
    )


def _differences(figures: Mapping[str, _Figures]) -> dict[str, dict[str, Difference]]:
    """Variant - baseline for every metric with a good direction, all variants judged together."""
    from sim.stats.paired import differences

    (_, base), *others = figures.items()
    compared = [(name, key, other) for name, other in others for key in other.table if key in base.table and has_direction(str(key))]
    found = differences(
        {f"{name}\0{key}": other.table[key].to_numpy() for name, key, other in compared},
        {f"{name}\0{key}": base.table[key].to_numpy() for name, key, _ in compared},
        variant_censored={f"{name}\0{key}" for name, key, other in compared if key in other.censored},
        baseline_censored={f"{name}\0{key}" for name, key, _ in compared if key in base.censored},
    )
    answer: dict[str, dict[str, Difference]] = {name: {} for name, _ in others}
    for name, key, _ in compared:
        answer[name][str(key)] = found[f"{name}\0{key}"]
    return answer


def has_direction(key: str) -> bool:
    """Whether more, or less, of this metric is better in itself."""
    metric = METRICS.get(base_of(key))
    return metric is not None and metric.better != ""


def place_of(key: str) -> tuple[int, str]:
    """Sorts metric keys in the order of the catalogue, labels in alphabetical order, those of plug-ins last."""
    return (_PLACES.get(base_of(key), len(_PLACES)), key)


_PLACES = {name: place for place, name in enumerate(METRICS)}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
