"""A small shop, and jobs that need no models: what they give depends on variant and replication alone, wherever they run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from sim.errors import BooksDoNotBalance
from sim.experiments.replicating.results import Comparison
from sim.experiments.replicating.storing import files_of
from sim.experiments.running.executors import Executor
from sim.experiments.running.jobs import Job, JobResult, Perform, Tick, perform
from sim.experiments.running.journal import Journal
from sim.experiments.running.ledger import Progress
from sim.records.columns import Columns
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, Book, Records, Series
from sim.report.writing import write_whole
from sim.spec import Study, load_text

SHOP = """\
# Does the second cook help? One stove, one or two cooks.
version: 1
name: kitchen
duration: 20s
warmup: 2s
seed: 7
traffic:
  guests: {sends: kitchen.cook, arrivals: {poisson: 20/s}, timeout: 2s}
services:
  kitchen:
    workers: 1
    queue: {capacity: 20}
    endpoints:
      cook: [{work: {exponential: 40ms}}]
variants:
  one: {}
  two: {services: {kitchen: {replicas: 2}}}
expect:
  - availability(kitchen.cook) >= 50%
"""


def shop(text: str = SHOP, file: str = "kitchen.yaml") -> Study:
    return load_text(text, file)


def collect(
    jobs: Sequence[Job],
    workers: int | None = None,
    progress: Progress | None = None,
    perform: Perform = perform,
    *,
    journal: Journal | None = None,
    cluster: str | None = None,
) -> list[JobResult]:
    """Run all jobs in one round and give their results in the same order."""
    with Executor(workers, perform, journal=journal, cluster=cluster, most=len(jobs)) as executor:
        results: dict[int, JobResult] = {}
        executor.run(jobs, results.__setitem__, progress)
    return [results[index] for index in range(len(jobs))]


def save(comparison: Comparison, directory: Path) -> None:
    """The files of a run without the pages of its report."""
    write_whole(directory, lambda: {PurePosixPath(name): content for name, content in files_of(comparison).items()})


def quick(job: Job, tick: Tick) -> JobResult:
    """`one` answers in a tenth of a second or so, `two` in 10 ms less; both have the same luck."""
    tick(1.0)
    luck = np.random.default_rng([job.seed, job.replication])
    shorter = 0.01 if job.variant in ("two", "async") else 0.0
    metrics = {
        "offered": 120.0,
        "response_p99": 0.1 + 0.01 * luck.random() - shorter,
        "response_p99(kitchen.cook)": 0.1,
        "availability": 0.99,
        "availability(kitchen.cook)": 0.99,
        "completion_p99": 9.0,
        "recovery_time(outage)": float("inf") if job.variant == "two" else 3.0,
        "detection_time(outage)": float("nan"),
    }
    timeline = Columns(
        np.array([0.0, 1.0]), {"offered": np.array([120.0, 121.0]), "response_p99": np.array([0.1, np.nan])}, "time"
    )
    records = made_up_records(job.seed, job.replication) if job.keep_records else None
    return JobResult(metrics, frozenset({"completion_p99"}), timeline, f"{job.variant}{job.replication}", 10.0, records)


def made_up_records(seed: int, replication: int) -> Records:
    requests = np.zeros(3, REQUEST)
    requests["arrival"], requests["end"] = [0.5, 1.5, 2.5], [0.6, 1.7, np.nan]
    requests["completion"] = np.nan
    requests["outcome"] = [0, 2, 11]
    requests["where"] = -1
    return Records(
        seed=seed,
        replication=replication,
        duration=20.0,
        warmup=2.0,
        names=("guests", "kitchen.cook"),
        requests=requests,
        messages=np.zeros(0, MESSAGE),
        spans=np.zeros(0, SPAN),
        events=np.zeros(0, EVENT),
        series=(Series("kitchen", "busy", "mean"),),
        ticks=np.array([1.0, 2.0]),
        gauges=np.array([[0.5], [0.75]]),
        books=(Book("kitchen", 3, {"ok": 1, "refused": 1}, 1),),
        effect_names=("cooked",),
        oversold={"kitchen": 0},
    )


def slow_at_first(job: Job, tick: Tick) -> JobResult:
    time.sleep(0.3 if job.replication == 0 else 0.0)
    return quick(job, tick)


def endless(job: Job, tick: Tick) -> JobResult:
    """Goes on until it is stopped; where the variant is a directory it leaves its process number there."""
    if Path(job.variant).is_dir():
        (Path(job.variant) / str(os.getpid())).touch()
    for second in range(600):
        tick(float(second))
        time.sleep(0.1)
    return quick(job, tick)


def threads(job: Job, tick: Tick) -> JobResult:
    result = quick(job, tick)
    result.metrics["threads"] = float(os.environ.get("OMP_NUM_THREADS", "nan"))
    return result


def told_of_an_idle_core(job: Job, tick: Tick) -> JobResult:
    result = quick(job, tick)
    result.metrics["idle"] = float(job.idle_core)
    return result


def niceness(job: Job, tick: Tick) -> JobResult:
    result = quick(job, tick)
    result.metrics["nice"] = float(os.nice(0))
    return result


def dies(job: Job, tick: Tick) -> JobResult:
    if job.replication == 1:
        os._exit(9)
    return quick(job, tick)


def killed_once(job: Job, tick: Tick, folder: str) -> JobResult:
    """Somebody kills the worker in the middle of the third job, once."""
    mark = Path(folder) / "killed"
    if job.replication == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(job, tick)


def fails(job: Job, tick: Tick) -> JobResult:
    if job.replication == 1:
        raise KeyError("no such thing")
    return quick(job, tick)


def unbalanced(job: Job, tick: Tick) -> JobResult:
    if job.replication == 1:
        raise BooksDoNotBalance("orders: offered 10, ended 9")
    return quick(job, tick)


def marked(job: Job, tick: Tick) -> JobResult:
    """Leaves a mark in the directory that its variant names, when it begins and when it ends."""
    marks = Path(job.variant)
    (marks / f"{job.replication}-began-{os.getpid()}").touch()
    time.sleep(0.15)
    result = quick(job, tick)
    (marks / f"{job.replication}-ended-{os.getpid()}").touch()
    return result


def simple_queue(job: Job, tick: Tick) -> JobResult:
    """The figures of one queue with one server (M/M/1), by formula, with a little luck that a replication has at every load.

    Its p99 is ln(100) / (mu - lambda); above mu it never ends. The load is taken from the settings of the job, as a run would.
    """
    from sim.experiments.on_paper.load_factor import open_rate
    from sim.experiments.running.jobs import scenario_of

    tick(1.0)
    scenario = scenario_of(job)
    service = next(iter(scenario.services.values()))
    capacity, rate = 100.0 * service.workers * service.replicas, open_rate(scenario)
    luck = 1.0 + 0.03 * float(np.random.default_rng([job.seed, job.replication]).standard_normal())
    p99 = luck * float(np.log(100.0)) / (capacity - rate) if rate < capacity else 1000.0 + rate
    metrics = {
        "response_p99": p99,
        "availability": 1.0,
        "offered": rate,
        "throughput": min(rate, capacity) * (0.9 + 0.1 * luck),
    }
    metrics |= {
        "cost": service.replicas * service.cost * scenario.duration,
        "lost_orders": max(0.0, rate - 95.0) // 1 if scenario.name == "leaky" else 0.0,
    }
    return JobResult(metrics, frozenset(), Columns(), f"{rate}-{job.replication}", 10.0)


def announces(job: Job, tick: Tick, mark: str, after: int, half_way: bool = False, stays: bool = False) -> JobResult:
    """A real run, at the end of which (or in whose middle) a file appears, from replication `after` on: the machine code is ready, say.

    With `stays` later ones are under way on SimPy until they begin anew, however fast they are and however late that is noticed.
    """
    if stays and job.replication > after and job.engine == "simpy":
        time.sleep(60.0)

    def told(now: float) -> None:
        if half_way and job.replication >= after:
            Path(mark).touch()
        tick(now)

    result = perform(job, told)
    if job.replication >= after:
        Path(mark).touch()
    return result


def makes_for_long() -> None:
    time.sleep(600)


def makes_at_once() -> None:
    """Machine code is there at once."""


def makes_in_vain() -> None:
    raise OSError("no space left on device")
