"""How long `sim run` takes to begin: `python -m tests.bench.warm_start [rounds]`.

Runs a scenario of one second in fresh processes that find machine code and everything else of earlier runs on disk: one replication on either engine, in
one process; ten, as by default, in a process that starts a worker for each core; and `sim --help`. Prints wall and CPU time, medians of rounds that run
all, and the ratios to the first line. Then the five packages that take longest to import in the run of the first line, each without what it imports of
others, and what all imports take together.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence

from tests.bench.measuring import Took, process, table

SCENARIO = "tests/bench/order_flow.yaml"
BRIEF = ("run", SCENARIO, "--set", "duration=1s", "--quiet")
COMMANDS = {
    "compiled": (*BRIEF, "--engine", "compiled", "--replications", "1"),
    "simpy": (*BRIEF, "--engine", "simpy", "--replications", "1"),
    "compiled, ten": (*BRIEF, "--engine", "compiled"),
    "simpy, ten": (*BRIEF, "--engine", "simpy"),
    "--help": ("--help",),
}
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def begin(command: Sequence[str], *options: str) -> Took:
    """`sim` with these words, in a process that keeps its journal to itself."""
    with tempfile.TemporaryDirectory() as cache:
        return process(*options, "-m", "sim", *command, SIM_CACHE=cache)


def measured(count: int) -> dict[str, tuple[float, float]]:
    """Seconds of wall and CPU time of each command: medians."""
    begin(COMMANDS["compiled"])  # whatever is compiled only once
    taken = [{name: begin(command) for name, command in COMMANDS.items()} for _ in range(count)]
    return {
        name: tuple(statistics.median(getattr(row[name], kind) for row in taken) for kind in ("wall", "cpu"))
        for name in COMMANDS
    }


def imports(command: Sequence[str]) -> Counter[str]:
    """Seconds that the modules of each package take to import, without what these import of other packages."""
    taken: Counter[str] = Counter()
    for microseconds, module in IMPORT.findall(begin(command, "-X", "importtime").errors):
        taken[module.partition(".")[0]] += int(microseconds) / 1e6
    return taken


def main() -> None:
    """Print both tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found = measured(count)
    first = found["compiled"]
    rows = [
        [name, *(f"{value:.2f}" for value in (wall, cpu, wall / first[0], cpu / first[1]))]
        for name, (wall, cpu) in found.items()
    ]
    table(["sim", "wall s", "CPU s", "wall ratio", "CPU ratio"], rows)
    taken = imports(COMMANDS["compiled"])
    print()
    table(
        ["imports of", "s"],
        [[name, f"{seconds:.3f}"] for name, seconds in [*taken.most_common(5), ("all", taken.total())]],
    )


if __name__ == "__main__":
    main()
