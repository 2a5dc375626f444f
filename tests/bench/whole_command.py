"""What is told about a run against the run: `python -m tests.bench.whole_command [requests] [rounds]`.

`sim run` of one M/M/1 queue, one replication in one process, less the same command for one request, against the loop of the compiled engine for the same
requests; with rows, and with `record: summary`. By the clock on the wall, which is what a user waits for, and by CPU, for a second thread reads the rows while
the engine goes on. Then a quiet system, in which next to nothing happens: microseconds
for each simulated second, and for each of these and each station, on either engine; and a run with 5 and with 400 planned faults, per request. Rounds run all
in turns; the medians and the ratios are what is meant.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sim import compiled, models
from sim.metrics import measure
from sim.records.tables import Records
from sim.spec import load_text
from sim.spec.scenario import Scenario
from tests.bench.measuring import Took, loop, microseconds, process, table

QUEUE = """version: 1
duration: {duration}s
traffic: {{users: {{sends: a.x, arrivals: {{poisson: 750/s}}}}}}
services: {{a: {{workers: 1, endpoints: {{x: [{{work: {{exponential: 1ms}}}}]}}}}}}
"""
QUIET = """version: 1
duration: {duration}s
traffic: {{users: {{sends: s0.x, arrivals: {{poisson: 1/h}}}}}}
services: {{{services}}}
"""
HARMED = """version: 1
duration: {duration}s
warmup: 50s
traffic: {{users: {{sends: a.x, arrivals: {{poisson: 20/s}}}}}}
services: {{a: {{workers: 10, endpoints: {{x: [{{work: 5ms}}]}}}}}}
faults: [{faults}]
"""


def command(seconds: float, *settings: str) -> Took:
    """The whole command, with a journal of its own."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "queue.yaml"
        scenario.write_text(QUEUE.format(duration=seconds))
        options = ["--replications", "1", "--jobs", "1", "--engine", "compiled", "--quiet"]
        sets = [word for setting in settings for word in ("--set", setting)]
        return process("-m", "sim", "run", str(scenario), *options, *sets, SIM_CACHE=folder)


def told(seconds: float, count: int) -> list[list[str]]:
    """The rows of the first table."""
    requests, found = seconds * 750, dict[str, list[tuple[float, float]]]()
    scenario = load_text(QUEUE.format(duration=seconds)).variants["base"]
    for _ in range(count):
        spent = microseconds(loop(scenario))
        found.setdefault("loop", []).append((spent, spent))
        for name, settings in (("rows", ()), ("summary", ("record=summary",))):
            long, short = command(seconds, *settings), command(1 / 750, *settings)
            times = (long.wall - short.wall, long.cpu - short.cpu)
            found.setdefault(name, []).append(tuple(time / requests * 1e6 for time in times))
    middle = {name: [statistics.median(its) for its in zip(*values, strict=True)] for name, values in found.items()}
    return [
        [
            name,
            f"{wall:.3f}",
            f"{cpu:.3f}",
            *(f"{time / of_loop:.2f}" for time, of_loop in zip((wall, cpu), middle["loop"], strict=True)),
        ]
        for name, (wall, cpu) in middle.items()
    ]


def quiet(services: int, seconds: float, simulate: Callable[[Scenario], Records]) -> float:
    """Microseconds of CPU for each simulated second, from a scenario to its figures."""
    stations = ", ".join(f"s{place}: {{workers: 1, endpoints: {{x: [{{work: 1ms}}]}}}}" for place in range(services))
    scenario = load_text(QUIET.format(duration=seconds, services=stations)).variants["base"]

    def run() -> int:
        measure(simulate(scenario), scenario)
        return int(seconds)

    return microseconds(run)


def harmed(faults: int) -> float:
    """Microseconds of CPU for each request, from records to figures."""
    planned = ", ".join(
        f"{{name: f{place}, at: {60 + 20 * place}s, for: 2s, slow: {{of: a, by: 2x}}}}" for place in range(faults)
    )
    scenario = load_text(HARMED.format(duration=20 * faults + 100, faults=planned)).variants["base"]
    records = compiled.simulate(scenario)

    def run() -> int:
        measure(records, scenario)
        return len(records.requests)

    return microseconds(run)


def main() -> None:
    """Print all three tables."""
    requests = float(sys.argv[1]) if len(sys.argv) > 1 else 1e6
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    compiled.prepare()
    table(["M/M/1", "us/request", "us of CPU", "to the loop", "CPU to it"], told(requests / 750, count))
    print()
    rows = []
    for name, simulate in (("compiled", compiled.simulate), ("simpy", models.simulate)):
        quiet(1, 1e3, simulate)
        rows += [[name, str(n), f"{(took := quiet(n, 1e5, simulate)):.2f}", f"{took / n:.2f}"] for n in (1, 20)]
    table(["engine", "services", "us/second", "us/station"], rows)
    print()
    few, many = harmed(5), harmed(400)
    table(["faults", "us/request", "ratio"], [["5", f"{few:.2f}", "1"], ["400", f"{many:.2f}", f"{many / few:.2f}"]])


if __name__ == "__main__":
    main()
