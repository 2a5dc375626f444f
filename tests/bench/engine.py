"""Both engines against SimPy as its documentation would have it, on two systems: `python -m tests.bench.engine [simulated seconds] [rounds]`.

First, the CPU time until a fresh process has the compiled engine: compiled from nothing, and found on disk. Then for the order flow (W2) and the
event-driven flow (W3), round by round, microseconds of CPU per request: idiomatic SimPy; our SimPy engine; the compiled engine from a scenario to its
records; its loop alone, without wiring and records; and how many times as fast as idiomatic SimPy each of the three is. The medians stand last, with the
requests that the compiled engine simulates in a second of CPU. Times vary by machine and load; the ratios are what is meant. Idiomatic SimPy costs the
more per request the longer it runs, for Python's collector of garbage walks what it keeps: by default it answers 78,000 requests of W2 in a round, the
compiled engine 780,000.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simpy

from sim import compiled, models
from sim.chance.shared import worth_machine_code
from tests.bench.idiomatic import OrderFlow
from tests.bench.idiomatic_events import EventFlow
from tests.bench.measuring import Contestant, loop, process, race, scenario_of

READY = "import time; from sim.compiled import prepare; prepare(); print(time.process_time())"


@dataclass(frozen=True)
class Flow:
    """One system, written twice."""

    title: str
    scenario: str
    rate: float  # 1/s
    written: Callable[[simpy.Environment, int], Any]

    def run_idiomatic(self, seconds: float) -> Any:
        """As SimPy's documentation would; what it has kept."""
        flow = self.written(simpy.Environment(), 1)
        flow.run(self.rate, seconds)
        return flow

    def contestants(self, seconds: float) -> dict[str, Contestant]:
        """The compiled engine runs ten times as long as the others: what it does once for each run would be too large a part of less."""
        usual, long = (scenario_of(self.scenario, f"duration={length:g}s") for length in (seconds, 10 * seconds))

        return {
            "idiomatic": lambda: lambda: len(self.run_idiomatic(seconds).rows),
            "simpy": lambda: lambda: len(models.simulate(usual).requests),
            "compiled": lambda: lambda: len(compiled.simulate(long).requests),
            "loop": lambda: loop(long),
        }


ORDERS = Flow("W2, the order flow", "order_flow", 390.0, OrderFlow)
EVENTS = Flow("W3, the event-driven flow", "event_flow", 205.0, EventFlow)


def preparation(cache: str | Path) -> float:
    """Seconds of CPU until the compiled engine is ready, in a process that looks for machine code there."""
    return float(process("-c", READY, NUMBA_CACHE_DIR=str(cache)).output)


def compare(flow: Flow, seconds: float, count: int) -> None:
    """Print the table of one system."""
    for ready in flow.contestants(1.0).values():  # what is compiled or read at first use
        ready()()
    print(f"\n{flow.title}")
    middle = race(flow.contestants(seconds), count)
    print(
        f"compiled: {1e6 / middle['compiled us']:,.0f} requests in a second of CPU; the loop alone {1e6 / middle['loop us']:,.0f}",
        flush=True,
    )


def main() -> None:
    """Print it all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as cache:
        print(
            f"compilation from nothing: {preparation(cache):.0f} s of CPU; found on disk: {preparation(cache):.1f} s",
            flush=True,
        )
    compiled.prepare()
    worth_machine_code()  # as `sim run` says of a long run on SimPy
    for flow in (ORDERS, EVENTS):
        compare(flow, seconds, count)


if __name__ == "__main__":
    main()
