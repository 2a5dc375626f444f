"""What a second core brings: `python -m tests.bench.two_cores [requests] [rounds]`.

Runs the order flow (W2) on the compiled engine in two worker processes that have loaded it already, once with one replication to do and once with two,
in turns. Each is simulated and measured, as `sim run` does it. Prints the wall time of one and of two and their ratio: 1.00 means that the second was
for nothing, 2.00 that there was one core. Wall time depends on what else the machine does, so the load before is printed, and a last line for the
fastest of each, which others disturb least. The CPU time of a replication, alone and beside another, says what the two cost each other in memory and
caches, whatever else goes on.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator

from sim import compiled
from sim.experiments.running.executors import Executor, cores
from sim.experiments.running.jobs import Job
from sim.spec import load
from tests.bench.measuring import HERE, table, timed

RATE = 390.0  # 1/s


def jobs(count: int, requests: float) -> list[Job]:
    """So many replications of so many requests."""
    study = load(HERE / "order_flow.yaml", sets=[f"duration={requests / RATE}s"])
    variant, scenario = next(iter(study.variants.items()))
    return [
        Job(json.dumps(study.document), (), variant, scenario.seed, k, "compiled", keep_timeline=False)
        for k in range(count)
    ]


def spent(executor: Executor, count: int, requests: float) -> tuple[float, float]:
    """Wall seconds until all are done, and CPU seconds of each on average."""
    taken: list[float] = []
    began = time.perf_counter()
    executor.run(jobs(count, requests), lambda _index, result: taken.append(result.metrics["cpu"]))
    return time.perf_counter() - began, statistics.mean(taken)


def measured(requests: float, count: int) -> Iterator[tuple[float, float, float, float]]:
    """Round by round: wall seconds for one replication and for two, CPU seconds of one alone and of one beside another."""
    with Executor(2, timed) as executor:
        spent(executor, 2, requests / 10)  # starts the workers, which load the engine
        for _ in range(count):
            (one, alone), (two, beside) = spent(executor, 1, requests), spent(executor, 2, requests)
            yield one, two, alone, beside


def main() -> None:
    """Print the table."""
    requests = float(sys.argv[1]) if len(sys.argv) > 1 else 3e6
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    compiled.prepare()
    print(f"{cores()} cores; load before: {os.getloadavg()[0]:.2f}")
    found: list[tuple[float, float, float, float]] = []

    def rows() -> Iterator[list[str]]:
        for row in measured(requests, count):
            found.append(row)
            yield _shown(*row)
        yield _shown(*(min(column) for column in zip(*found, strict=True)))

    table(["one s", "two s", "ratio", "CPU alone s", "CPU beside s", "ratio"], rows())


def _shown(one: float, two: float, alone: float, beside: float) -> list[str]:
    return [f"{value:.2f}" for value in (one, two, two / one, alone, beside, beside / alone)]


if __name__ == "__main__":
    main()
