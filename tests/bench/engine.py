"""Ratios of the engines on the order flow, in one run: `python -m tests.bench.engine [simulated seconds] [rounds]`.

Prints how long compilation takes (nothing is found on disk for it), microseconds of CPU per request for idiomatic SimPy, our SimPy engine and
the compiled one, the ratios to idiomatic SimPy round by round, and the memory that a recorded request takes. Times vary by machine and load; the ratios are what is meant.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import simpy

from sim.compiled import prepare
from sim.compiled import simulate as fast_simulate
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


def compiled(seconds: float) -> int:
    """Run it on the compiled engine, ten times as long; requests recorded."""
    scenario = next(iter(load(FLOW, sets=[f"duration={10 * seconds:g}s"]).variants.values()))
    return len(fast_simulate(scenario).requests)


def cold_compilation() -> float:
    """Seconds to compile the engine in a process that finds nothing on disk."""
    with tempfile.TemporaryDirectory() as empty:
        code = "import time; from sim.compiled import prepare; began = time.process_time(); prepare(); print(time.process_time() - began)"
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "NUMBA_CACHE_DIR": empty}, capture_output=True, text=True, check=True)
    return float(done.stdout)


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
    print(f"compilation from nothing: {cold_compilation():.0f} s of CPU")
    prepare()
    print(f"{'idiomatic us':>14} {'simpy us':>9} {'ratio':>6} {'compiled us':>12} {'ratio':>6}")
    ratios = []
    for _ in range(rounds):
        slow, ours_us, fast = microseconds(idiomatic, seconds / 4), microseconds(ours, seconds), microseconds(compiled, seconds)
        ratios.append((slow / ours_us, slow / fast))
        print(f"{slow:14.1f} {ours_us:9.1f} {slow / ours_us:6.2f} {fast:12.2f} {slow / fast:6.1f}")
    print("median ratios: simpy {:.2f}, compiled {:.1f}".format(*(statistics.median(column) for column in zip(*ratios, strict=True))))


if __name__ == "__main__":
    main()
