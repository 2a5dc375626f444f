"""How the benchmarks measure: CPU time, in rounds that run all contestants one after the other, and the medians of them.

Times of one machine vary by a third within minutes. What is compared is therefore measured in turns, within one run, and only the ratios mean anything.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sim.compiled.machine import Machine
from sim.compiled.rows.traffic import workloads
from sim.compiled.wiring import Wiring
from sim.experiments.running.jobs import Job, JobResult, Tick, perform
from sim.records.row_sinks import Kept
from sim.records.rows import Rows, bytes_of
from sim.spec import load
from sim.spec.scenario import Scenario

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Run = Callable[[], int]
"""Something that simulates, and says how many requests that were."""
Contestant = Callable[[], Run]
"""Gets ready, and gives what is measured."""


def scenario_of(name: str, *settings: str) -> Scenario:
    """One of the scenarios beside this file, with settings PATH=VALUE."""
    return next(iter(load(HERE / f"{name}.yaml", sets=list(settings)).variants.values()))


class Copying:
    """A sink that copies rows and does nothing else with them: no digest, no records."""

    def __init__(self) -> None:
        self._requests, self._messages = bytearray(), bytearray()

    def take_requests(self, rows: Rows) -> None:
        self._requests += bytes_of(rows)

    def take_messages(self, rows: Rows) -> None:
        self._messages += bytes_of(rows)

    def finish(self) -> Kept:
        raise NotImplementedError


def loop(scenario: Scenario) -> Run:
    """The loop of the compiled engine alone: everything is wired already, and rows are copied out of it."""
    machine = Machine(Wiring(scenario, 0))
    machine.sink = Copying()

    def run() -> int:
        machine.run()
        return int(workloads.array(machine.s)["arrived"].sum())

    return run


def microseconds(run: Run) -> float:
    """CPU time per request. What earlier runs have left is swept up before; the collector of garbage works as it does for everybody."""
    gc.collect()
    began = time.process_time()
    requests = run()
    return (time.process_time() - began) / requests * 1e6


def rounds(contestants: Mapping[str, Contestant], count: int) -> Iterator[dict[str, float]]:
    """Microseconds per request of each contestant, one after the other, `count` times."""
    for _ in range(count):
        yield {name: microseconds(ready()) for name, ready in contestants.items()}


def medians(contestants: Mapping[str, Contestant], count: int) -> dict[str, float]:
    """Microseconds per request of each, the medians of so many rounds."""
    found = list(rounds(contestants, count))
    return {name: statistics.median(row[name] for row in found) for name in contestants}


def race(contestants: Mapping[str, Contestant], count: int) -> dict[str, float]:
    """Print a line for each round: microseconds per request of each, and how many times as fast as the first the others are. Gives the medians."""
    first, *others = contestants
    found: list[dict[str, float]] = []

    def rows() -> Iterator[Sequence[float]]:
        for row in rounds(contestants, count):
            ratios = {f"{name} ratio": row[first] / row[name] for name in others}
            found.append({**{f"{name} us": row[name] for name in row}, **ratios})
            yield list(found[-1].values())

    table([*(f"{name} us" for name in contestants), *(f"{name} ratio" for name in others)], rows())
    middle = {name: statistics.median(row[name] for row in found) for name in found[0]}
    ratios = ", ".join(f"{name} {middle[f'{name} ratio']:.3g}" for name in others)
    print(f"median ratios to {first}: {ratios}", flush=True)
    return middle


def table(columns: Sequence[str], rows: Iterable[Sequence[float | str]]) -> None:
    """Print rows as they come, under their columns. Numbers have three digits that count."""
    widths = [max(len(column), 13) for column in columns]
    print("  ".join(column.rjust(width) for column, width in zip(columns, widths, strict=True)), flush=True)
    for row in rows:
        print("  ".join(_shown(value).rjust(width) for value, width in zip(row, widths, strict=True)), flush=True)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def timed(job: Job, tick: Tick) -> JobResult:
    """What the job gives, and the CPU time that it took. It stands here since workers import what they perform, and know no `__main__`."""
    began = time.process_time()
    result = perform(job, tick)
    return dataclasses.replace(result, metrics={**result.metrics, "cpu": time.process_time() - began})


def peak_bytes() -> int:
    """The largest resident set of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says there begins with the peak of the process that started this one
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) * 1024
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclasses.dataclass(frozen=True)
class Took:
    """A process that has ended well."""

    wall: float  # s
    cpu: float  # s, of all its threads and children
    output: str
    errors: str


def process(*arguments: str, **environment: str) -> Took:
    """Run Python with these arguments in a process of its own; raises CalledProcessError where that fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout, done.stderr)
