"""Ratios of the engines on the order flow, in one run: `python -m tests.bench.engine [simulated seconds] [rounds]`.

Prints microseconds of CPU per request for idiomatic SimPy and for our SimPy engine, their ratio round by round, and the memory that a
recorded request takes. Times vary by machine and load; the ratios are what is meant.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import simpy

from sim.models import simulate
from sim.spec import load
from tests.bench.idiomatic import OrderFlow

FLOW = Path(__file__).with_name("order_flow.yaml")
RATE = 390.0


def idiomatic(seconds: float) -> int:
    """Run the flow as SimPy's documentation would; requests answered."""
    flow = OrderFlow(simpy.Environment(), seed=1)
    flow.run(RATE, seconds)
    return len(flow.rows)


def ours(seconds: float) -> int:
    """Run it on our SimPy engine; requests recorded."""
    scenario = next(iter(load(FLOW, sets=[f"duration={seconds:g}s"]).variants.values()))
    return len(simulate(scenario).requests)


def microseconds(run: Callable[[float], int], seconds: float) -> float:
    """CPU time per request."""
    began = time.process_time()
    requests = run(seconds)
    return (time.process_time() - began) / requests * 1e6


def peak_mib() -> float:
    """Largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ours(20.0)  # compiles the draws
    before = peak_mib()
    requests = ours(seconds)
    print(f"memory per recorded request: {(peak_mib() - before) * 2**20 / requests:.0f} bytes ({requests} requests)")
    print(f"{'idiomatic us':>14} {'sim us':>8} {'ratio':>6}")
    ratios = []
    for _ in range(rounds):
        slow, fast = microseconds(idiomatic, seconds / 4), microseconds(ours, seconds)
        ratios.append(slow / fast)
        print(f"{slow:14.1f} {fast:8.1f} {slow / fast:6.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
