"""Both engines against Ciw, the library for queueing networks, on M/M/4 at 80 % (W1): `python -m tests.bench.against_ciw [requests] [rounds]`.

Prints the mean wait for a server by each and by Erlang's formula, then microseconds of CPU per request round by round, from a network or scenario to
its records, and how many times as fast as Ciw our engines are. Ciw has nodes, queues and routing, and no caller that holds a thread while it waits for
another service, no timeouts, retries, breakers or topics: the order flow (W2) cannot be said in it.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from typing import Any

from sim import compiled, models
from tests.bench.measuring import Contestant, race, scenario_of

SERVERS, RATE, WORK = 4, 320.0, 0.010
MISSING = "Ciw is not installed: pip install -e '.[bench]'"


def contestants(requests: int) -> dict[str, Contestant]:
    """The compiled engine runs ten times as long as the others."""
    usual, long = (scenario_of("one_queue", f"duration={length / RATE}s") for length in (requests, 10 * requests))
    return {
        "ciw": lambda: lambda: len(ciw_records(requests)),
        "simpy": lambda: lambda: len(models.simulate(usual).requests),
        "compiled": lambda: lambda: len(compiled.simulate(long).requests),
    }


def ciw_records(requests: int) -> Any:
    """One run of Ciw, as its documentation has it; a row for each request that was served."""
    import ciw

    ciw.seed(1)
    arrivals, services = ciw.dists.Exponential(RATE), ciw.dists.Exponential(1 / WORK)
    network = ciw.create_network(
        arrival_distributions=[arrivals], service_distributions=[services], number_of_servers=[SERVERS]
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(requests / RATE)
    return simulation.get_all_records()


def mean_waits(requests: int) -> dict[str, float]:
    """Mean time until a server is free, in seconds."""
    records = models.simulate(scenario_of("one_queue", f"duration={requests / RATE}s"))
    waits = [record.waiting_time for record in ciw_records(requests)]
    return {
        "ciw": sum(waits) / len(waits),
        "ours": records.gauge("desk", "queue").mean() / RATE,
        "formula": erlang_wait(),
    }


def erlang_wait(servers: int = SERVERS, rate: float = RATE, work: float = WORK) -> float:
    """Erlang's C formula: the mean wait in M/M/c, in seconds, at `rate` requests per second of `work` seconds each."""
    load = rate * work
    all_busy = load**servers / math.factorial(servers) / (1 - load / servers)
    waiting = all_busy / (sum(load**k / math.factorial(k) for k in range(servers)) + all_busy)
    return waiting * work / (servers - load)


def main() -> None:
    """Print it all."""
    if importlib.util.find_spec("ciw") is None:
        sys.exit(MISSING)
    requests = int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    compiled.prepare()
    for ready in contestants(1000).values():  # what is compiled or read at first use
        ready()()
    print("mean wait:", ", ".join(f"{name} {wait * 1e3:.2f} ms" for name, wait in mean_waits(requests).items()))
    race(contestants(requests), count)


if __name__ == "__main__":
    main()
