"""One replication of one variant as a plain document that any process can run, and what comes back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from sim.experiments.running.inputs import drawn
from sim.experiments.running.memory_guard import within_memory
from sim.records.columns import Columns
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.spec.uncertain import ranges_in
from sim.stats.interval import Interval

Tick = Callable[[float], None]
"""Told the simulated time, in seconds, now and then."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know.

    It parses the document itself: specs are not pickled, so plug-ins need no import path.
    """

    document: str  # JSON of the canonical document, with the files it reads embedded
    plugins: tuple[str, ...]
    variant: str
    seed: int
    replication: int
    engine: str = "simpy"
    keep_records: bool = False
    file: str = ""  # as the user named it, for the command that repeats this job
    sets: tuple[str, ...] = ()  # PATH=VALUE on top of the document: the point of a sweep, a load
    given: tuple[str, ...] = ()  # PATH=VALUE that the document holds already, for that command too
    keep_timeline: bool = True
    confidence: float | None = None  # of intervals that this run alone gives; None: they are not asked for
    idle_core: bool = False  # beside this job a processor has nothing to do
    most_memory: float | None = None  # bytes that the run may come to take; None: as many as there are

    @property
    def command(self) -> str:
        """The command that runs this job alone."""
        options = [option for plugin in self.plugins for option in ("--plugin", plugin)]
        options += [option for text in (*self.given, *self.sets) for option in ("--set", text)]
        words = [
            "sim",
            "run",
            self.file or "FILE",
            "--variant",
            self.variant,
            "--seed",
            str(self.seed),
            "--only-replication",
            str(self.replication),
            *options,
        ]
        return shlex.join(words)


@dataclass(frozen=True)
class JobResult:
    """What comes back of a job: figures rather than records, which are kept for the exemplar alone."""

    metrics: dict[str, float]
    censored: frozenset[str]
    timeline: Columns
    fingerprint: str
    simulated: float  # s
    records: Records | None = None
    engine: str = ""  # what it ran on: the books say so, whatever the job was meant to run on
    intervals: dict[str, Interval] = field(default_factory=dict)  # that this run alone gives


WORTH_MACHINE_CODE = 1_000_000  # attempts of a run on SimPy: it draws for longer than numba takes to load

Perform = Callable[[Job, Tick], JobResult]


def perform(job: Job, tick: Tick) -> JobResult:
    """Simulate and measure. Where the warm-up is still to be found, the timeline is the series that it is found by."""
    from sim.metrics import measure
    from sim.metrics.settling import settling_series

    scenario = scenario_of(job)
    records = simulated(scenario, job, tick)
    if not scenario.auto_warmup:
        return measured(records, scenario, job)
    measurement = measure(records, scenario)
    return JobResult(
        metrics=dict(measurement.values),
        censored=frozenset(measurement.censored),
        timeline=settling_series(records),
        fingerprint=records.fingerprint(),
        simulated=records.duration,
    )


def measured(records: Records, scenario: Scenario, job: Job) -> JobResult:
    """All that a job asks of the records of its run."""
    from sim.metrics import measure
    from sim.metrics.observed import observe
    from sim.metrics.timeline import timeline
    from sim.metrics.within import within_run

    seen = observe(records, scenario)
    measurement = measure(records, scenario, seen)
    return JobResult(
        metrics=dict(measurement.values),
        censored=frozenset(measurement.censored),
        timeline=timeline(records, scenario, seen=seen) if job.keep_timeline else Columns(),
        fingerprint=records.fingerprint(),
        simulated=records.duration,
        records=records if job.keep_records else None,
        intervals=within_run(records, scenario, measurement, job.confidence, seen)
        if job.confidence is not None
        else {},
    )


def simulated(scenario: Scenario, job: Job, tick: Tick) -> Records:
    """The records of a job by its engine: every experiment simulates here.

    The scenario is that of the job, or one made of it.
    """
    tick = within_memory(tick, job.most_memory)
    if job.engine == "compiled":
        from sim.compiled import simulate as simulate_compiled

        return simulate_compiled(scenario, job.replication, tick, background=job.idle_core)
    from sim.chance.shared import worth_machine_code
    from sim.experiments.on_paper.run_size import attempts_of
    from sim.models import simulate

    if attempts_of(scenario) >= WORTH_MACHINE_CODE:
        worth_machine_code()
    return simulate(scenario, job.replication, tick)


def question_of(perform: Perform) -> str:
    """What a function that performs jobs asks of them, in words that decide its results: two questions to one job have
    two answers.
    """
    if isinstance(perform, partial):
        asked = ", ".join(f"{name}={value!r}" for name, value in sorted(perform.keywords.items()))
        return f"{question_of(perform.func)}({asked})"
    return f"{perform.__module__}.{perform.__qualname__}"


def scenario_of(job: Job) -> Scenario:
    """The variant of the job under the seed of the job, its inputs drawn where they are ranges."""
    study, uncertain = _study(job.document, job.plugins, job.sets)
    if uncertain:
        from sim.spec import load_document

        study = load_document(drawn(study.document, job.seed, job.replication), plugins=job.plugins)
    scenario = study.variants[job.variant]
    return scenario if scenario.seed == job.seed else scenario.model_copy(update={"seed": job.seed})


@lru_cache(maxsize=4)
def _study(document: str, plugins: tuple[str, ...], sets: tuple[str, ...]) -> tuple[Study, bool]:
    """The study, and whether some of its inputs are ranges."""
    from sim.spec import load_document

    loaded: dict[str, Any] = json.loads(document)
    study = load_document(loaded, plugins=plugins, sets=sets)
    return study, bool(ranges_in(study.document))
