"""What a larger system costs: `python -m tests.bench.many_services [services ...]`, by default 2 20 200, even numbers.

The load is the same in all: 1,000 requests per second, each of which calls one service that calls another. So is the capacity: 100 workers in front and
100 behind, cut into so many services. A request picks one of the pairs. Prints by the number of services: microseconds of CPU per request in the loop of
the compiled engine, their ratio to the smallest system, that of the logarithms, which it should not exceed; and the milliseconds that wiring takes, once
for each run. Medians of five rounds.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from sim import compiled
from sim.compiled.wiring import Wiring
from sim.spec import load_document
from sim.spec.scenario import Scenario
from tests.bench.measuring import loop, medians, table

NUMBERS = (2, 20, 200)
RATE, WORKERS, SECONDS, ROUNDS = 1000, 100, 500.0, 5


def system(services: int, seconds: float = SECONDS) -> Scenario:
    """So many services in pairs, a front that calls its back; the half of their number divides 100."""
    pairs = services // 2
    work = {"work": {"exponential": "10ms"}}
    fronts = {
        f"front-{pair}": {"ask": [work, {"call": f"back-{pair}.answer", "policy": "guarded"}]} for pair in range(pairs)
    }
    backs = {f"back-{pair}": {"answer": [work]} for pair in range(pairs)}
    document: dict[str, Any] = {
        "version": 1,
        "duration": f"{seconds}s",
        "traffic": {
            "callers": {"sends": {f"{front}.ask": 1 / pairs for front in fronts}, "arrivals": {"poisson": f"{RATE}/s"}}
        },
        "network": {"default": {"latency": "0.5ms"}},
        "services": {
            name: {"workers": WORKERS // pairs, "endpoints": endpoints}
            for name, endpoints in {**fronts, **backs}.items()
        },
        "policies": {"guarded": {"timeout": "1s", "retry": {"max_attempts": 2, "backoff": {"constant": "10ms"}}}},
    }
    return next(iter(load_document(document).variants.values()))


def wiring(scenario: Scenario) -> float:
    """Milliseconds of CPU to wire it."""
    began = time.process_time()
    Wiring(scenario, 0)
    return (time.process_time() - began) * 1e3


def lines(found: dict[int, float], wired: dict[int, float]) -> list[list[str]]:
    """Services, microseconds per request, the ratio to the smallest, that of the logarithms, milliseconds of wiring."""
    least = min(found)
    return [
        [str(n), f"{cost:.3f}", f"{cost / found[least]:.2f}", f"{math.log(n) / math.log(least):.2f}", f"{wired[n]:.0f}"]
        for n, cost in sorted(found.items())
    ]


def main() -> None:
    """Print the table."""
    numbers = [int(word) for word in sys.argv[1:]] or NUMBERS
    compiled.prepare()
    systems = {number: system(number) for number in numbers}
    loop(system(min(numbers), 1.0))()
    found = medians({number: lambda scenario=scenario: loop(scenario) for number, scenario in systems.items()}, ROUNDS)
    table(
        ["services", "us", "to smallest", "logarithm", "wiring ms"],
        lines(found, {number: wiring(scenario) for number, scenario in systems.items()}),
    )


if __name__ == "__main__":
    main()
