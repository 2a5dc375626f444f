"""What a second core brings: `python -m tests.bench.two_cores [requests] [rounds]`.

Runs the order flow (W2) on the compiled engine in two worker processes that have loaded it already, once with one replication to do and once with two,
in turns. Prints the wall time of each, and their ratio: 1.00 means that the second replication was for nothing, 2.00 that there was one core. Each
replication is simulated and measured, as `sim run` does it. Wall time depends on what else the machine does: the load before is printed, and beside the median the
ratio of the fastest of each, which others disturb least.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator

from sim import compiled
from sim.experiments.executors import Executor, cores
from sim.experiments.jobs import Job
from sim.spec import load
from tests.bench.measuring import HERE, table

RATE = 390.0  # 1/s


def jobs(count: int, requests: float) -> list[Job]:
    """So many replications of so many requests."""
    study = load(HERE / "order_flow.yaml", sets=[f"duration={requests / RATE}s"])
    variant, scenario = next(iter(study.variants.items()))
    return [Job(json.dumps(study.document), (), variant, scenario.seed, k, "compiled", keep_timeline=False) for k in range(count)]


def wall(executor: Executor, count: int, requests: float) -> float:
    """Seconds until all are done."""
    began = time.perf_counter()
    executor.run(jobs(count, requests), lambda _index, _result: None)
    return time.perf_counter() - began


def measured(requests: float, count: int) -> Iterator[tuple[float, float]]:
    """Seconds for one replication and for two, round by round."""
    with Executor(2) as executor:
        wall(executor, 2, requests / 10)  # starts the workers, which load the engine
        for _ in range(count):
            yield wall(executor, 1, requests), wall(executor, 2, requests)


def main() -> None:
    """Print the table."""
    requests = float(sys.argv[1]) if len(sys.argv) > 1 else 3e6
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    compiled.prepare()
    print(f"{cores()} cores; load before: {os.getloadavg()[0]:.2f}")
    found: list[tuple[float, float]] = []

    def rows() -> Iterator[list[str]]:
        for one, two in measured(requests, count):
            found.append((one, two))
            yield [f"{value:.2f}" for value in (one, two, two / one)]

    table(["one s", "two s", "ratio"], rows())
    ones, twos = zip(*found, strict=True)
    print(f"median ratio: {statistics.median(two / one for one, two in found):.2f}; of the fastest of each: {min(twos) / min(ones):.2f}")


if __name__ == "__main__":
    main()
