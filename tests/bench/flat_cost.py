"""Whether a request costs the same in a long run: `python -m tests.bench.flat_cost [requests ...] [PATH=VALUE ...]`, by default 1e5 1e6 1e7.

Runs the order flow (W2) on the compiled engine, from a scenario to its records, and prints microseconds of CPU per request by the number of requests,
and how much that is of the smallest run: flat is 1.00 down to the last line. A figure is the median of three rounds, after one run that is not counted.
In each round a size below a million is run so often that it comes to a million, so that it is no harder to measure than the others.

A row of every request is kept in memory (`tests.bench.row_memory` says how much that is), so 1e8 takes more than most machines have, unless a setting
says to keep none. The largest resident set of the process stands last.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sim import compiled
from tests.bench.measuring import Contestant, Run, medians, peak_bytes, scenario_of, table

RATE = 390.0  # 1/s
SIZES = (100_000, 1_000_000, 10_000_000)
ENOUGH = 1_000_000  # requests in a measurement
ROUNDS = 3


def contestant(size: int, settings: Sequence[str] = (), enough: int = ENOUGH) -> Contestant:
    """Runs of `size` requests, as many as come to `enough`, or one."""
    scenario = scenario_of("order_flow", f"duration={size / RATE}s", *settings)

    def ready() -> Run:
        return lambda: sum(arrived(scenario) for _ in range(max(1, enough // size)))

    return ready


def arrived(scenario) -> int:
    """Simulate; how many requests there were, whether or not a row is kept of each."""
    return next(book.offered for book in compiled.simulate(scenario).books if book.component == "shoppers")


def lines(found: dict[int, float]) -> list[list[str]]:
    """Requests, microseconds for each, and the ratio to the smallest run."""
    smallest = found[min(found)]
    return [[f"{size:,}", f"{cost:.3f}", f"{cost / smallest:.2f}"] for size, cost in sorted(found.items())]


def main() -> None:
    """Print the table."""
    sizes = [int(float(word)) for word in sys.argv[1:] if "=" not in word] or SIZES
    settings = [word for word in sys.argv[1:] if "=" in word]
    compiled.prepare()
    contestant(min(sizes), settings)()()
    found = medians({size: contestant(size, settings) for size in sizes}, ROUNDS)
    table(["requests", "us", "to smallest"], lines(found))
    print(f"peak memory: {peak_bytes() / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
