"""Which engine runs an experiment: they give the same records, and differ in how long they take to begin and how fast they are then.

The compiled engine takes about a second to load in each process, and half a minute to compile when that has not been done on this machine
for this version. `auto` takes it where every part of the scenario has a compiled twin and there is enough to simulate to repay that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from sim.spec.scenario import Scenario

ENGINES = ("auto", "simpy", "compiled")
WORTH_LOADING = 200_000  # requests of the whole experiment
WORTH_COMPILING = 3_000_000
WORTH_A_PROCESS = 30_000  # requests that take about as long as a process takes to begin


def known_engine(engine: str) -> str:
    """The name of an engine, or of the choice."""
    if engine not in ENGINES:
        raise UsageError(f"engine: unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
    return engine


def chosen_engine(engine: str, scenarios: Iterable[Scenario], runs: int) -> str:
    """The engine for `runs` replications of each of these scenarios, its machine code made.

    Raises UsageError for `compiled` where a scenario has a part that only SimPy runs.
    """
    if known_engine(engine) == "simpy":
        return "simpy"
    scenarios = list(scenarios)
    if engine == "auto" and not _worth_it(scenarios, runs):
        return "simpy"
    from sim.chance.compiler import cache_note
    from sim.compiled import is_ready, prepare, why_not

    reason = next((reason for scenario in scenarios if (reason := why_not(scenario))), "")
    if reason and engine == "compiled":
        raise UsageError(f"engine: found {reason}, which only SimPy runs; expected --engine simpy or auto")
    if reason:
        return "simpy"
    if not is_ready():
        _tell(f"compiling the fast engine, which takes half a minute or so: {cache_note() or 'once on this machine for this version'}")
    prepare()
    return "compiled"


def is_small(scenarios: Iterable[Scenario], runs: int) -> bool:
    """Whether an experiment is over before other processes would have begun. Of closed users it is not known how much they ask for."""
    from sim.spec.traffic import Closed

    scenarios = list(scenarios)
    closed = any(isinstance(traffic.arrivals, Closed) for scenario in scenarios for traffic in scenario.traffic.values())
    return not closed and _requests(scenarios, runs) < WORTH_A_PROCESS


def _tell(words: str) -> None:
    """What keeps the user waiting before the progress begins."""
    print(words, file=sys.stderr, flush=True)


def _worth_it(scenarios: list[Scenario], runs: int) -> bool:
    """Whether there is so much to simulate that loading, or compiling, is the smaller part."""
    requests = _requests(scenarios, runs)
    if requests < WORTH_LOADING:
        return False
    from sim.compiled import is_ready

    return requests >= WORTH_COMPILING or is_ready()


def _requests(scenarios: list[Scenario], runs: int) -> float:
    """Of open traffic, in all replications."""
    from sim.experiments.load import open_rate

    return sum(open_rate(scenario) * scenario.duration for scenario in scenarios) * runs
