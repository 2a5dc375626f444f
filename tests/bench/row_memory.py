"""What a recorded request takes: `python -m tests.bench.row_memory [PATH=VALUE ...]`.

Runs the order flow (W2) and the event-driven flow (W3) on the compiled engine, each in a process of its own: first briefly, then for a million requests
more. Prints by how much the largest resident set grew for each of these, how many bytes of that the records hold in the end, and how many rows there are
to a request: W3 has two of messages beside its own. The rest is what is needed on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sim import compiled
from sim.records.tables import Records
from tests.bench.measuring import peak_bytes, process, scenario_of, table

RATES = {"order_flow": 390.0, "event_flow": 205.0}  # 1/s
BRIEF, LONG = 100_000, 1_100_000  # requests


def held(records: Records) -> int:
    """Bytes of all rows and series."""
    return sum(
        kept.nbytes for kept in (records.requests, records.messages, records.events, records.gauges, records.ticks)
    )


def measured(name: str, settings: Sequence[str], brief: int, long: int) -> tuple[float, float, float]:
    """Of this process: growth of its peak, bytes of the records, and rows, each per request by which the second run was longer."""
    compiled.prepare()
    found = []
    for requests in (brief, long):
        records = compiled.simulate(scenario_of(name, f"duration={requests / RATES[name]}s", *settings))
        found.append((peak_bytes(), held(records), len(records.requests) + len(records.messages)))
    first, second = found
    return tuple((after - before) / (long - brief) for before, after in zip(first, second, strict=True))


def apart(name: str, settings: Sequence[str] = (), brief: int = BRIEF, long: int = LONG) -> list[float]:
    """The same, measured in a process of its own."""
    code = (
        f"from tests.bench.row_memory import measured; print(*measured({name!r}, {list(settings)!r}, {brief}, {long}))"
    )
    return [float(word) for word in process("-c", code).output.split()]


def main() -> None:
    """Print the table."""
    table(
        ["flow", "peak bytes", "of records", "rows"],
        ([name, *(f"{value:.1f}" for value in apart(name, sys.argv[1:]))] for name in RATES),
    )


if __name__ == "__main__":
    main()
