"""Microseconds of this machine per simulated request, one replication in this process: `make bench`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import sim

SCENARIOS = ("payment-outage", *sorted((Path(__file__).parents[1] / "bench").glob("*.yaml")))


def main() -> None:
    sources = sys.argv[1:] or SCENARIOS
    print(f"{'scenario':<24} {'variant':<20} {'requests':>9} {'seconds':>8} {'us/request':>11}")
    for source in sources:
        study = sim.load(source)
        for name, scenario in study.variants.items():
            sim.simulate(scenario.model_copy(update={"duration": scenario.warmup + 1.0, "faults": ()}))  # compile and load what is compiled
            begun = time.perf_counter()
            requests = len(sim.simulate(scenario).requests)
            took = time.perf_counter() - begun
            print(f"{study.name:<24} {name:<20} {requests:>9,} {took:>8.2f} {took / max(requests, 1) * 1e6:>11.1f}", flush=True)


if __name__ == "__main__":
    main()
