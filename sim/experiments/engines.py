"""Which engine runs an experiment: they give the same records, and differ in how long they take to begin and how fast they are then.

The compiled engine takes about a second to load in each process, and half a minute to compile when that has not been done on this machine
for this version. `auto` takes it where every part of the scenario has a compiled twin and there is enough to simulate to repay
that: attempts, not requests, for a request may be one call or a hundred.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from sim.experiments.ledger import Progress
    from sim.spec.scenario import Scenario

ENGINES = ("auto", "simpy", "compiled")
WORTH_LOADING = 200_000  # attempts of the whole experiment: SimPy takes a second for them, as loading the other engine does
WORTH_COMPILING = 6_000_000
WORTH_A_PROCESS = 60_000  # attempts that take about as long as a process takes to begin


def known_engine(engine: str) -> str:
    """The name of an engine, or of the choice."""
    if engine not in ENGINES:
        raise UsageError(f"engine: unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
    return engine


def chosen_engine(engine: str, scenarios: Iterable[Scenario], runs: int, progress: Progress | None = None) -> str:
    """The engine for `runs` replications of each of these scenarios, its machine code made; `progress` hears why `auto` chose it.

    Raises UsageError for `compiled` where a scenario has a part that only SimPy runs.
    """
    if known_engine(engine) != "auto":
        return _prepared(engine, list(scenarios))[0]
    scenarios = list(scenarios)
    attempts = runs * sum(map(attempts_of, scenarios))
    about = f"about {_rounded(attempts)} attempts"
    if attempts < WORTH_LOADING:
        chosen, why = "simpy", f"{about}; from {WORTH_LOADING:,} on loading the compiled one repays"
    elif attempts < WORTH_COMPILING and not _is_ready():
        chosen, why = "simpy", f"{about}; the compiled one is not compiled yet, which repays from {WORTH_COMPILING:,} on"
    else:
        chosen, reason = _prepared("auto", scenarios)
        why = f"{about}; {reason} runs on it alone" if reason else about
    tell = getattr(progress, "chose", None)
    if tell is not None:
        tell(f"engine {chosen}: {why}")
    return chosen


def attempts_of(scenario: Scenario) -> float:
    """How many attempts and deliveries one replication makes, on paper: of open traffic as it comes, of closed users the most that they can send."""
    from sim.experiments.load import open_rate
    from sim.experiments.offered_load import Analysis

    try:
        found = Analysis(scenario).rates
    except NotImplementedError:  # a plug-in that says nothing on paper: the requests alone
        return open_rate(scenario) * scenario.duration
    groups = Counter(topic for service in scenario.services.values() for topic in service.consumes)
    visits = [*found.endpoints.values(), *found.routes.values()]
    deliveries = [rate * (1 + groups[topic]) for topic, rate in found.topics.items()]
    return math.fsum((*visits, *deliveries)) * scenario.duration


def _rounded(attempts: float) -> str:
    """Two digits: it is an estimate."""
    return f"{float(f'{attempts:.2g}'):,.0f}"


def _is_ready() -> bool:
    from sim.compiled import is_ready

    return is_ready()


def _prepared(engine: str, scenarios: list[Scenario]) -> tuple[str, str]:
    """The engine, ready to run; and what only SimPy runs, where `auto` has taken it for that."""
    if engine == "simpy":
        return "simpy", ""
    from sim.chance.compiler import cache_note
    from sim.compiled import is_ready, prepare, why_not

    reason = next((reason for scenario in scenarios if (reason := why_not(scenario))), "")
    if reason and engine == "compiled":
        raise UsageError(f"engine: found {reason}, which only SimPy runs; expected --engine simpy or auto")
    if reason:
        return "simpy", reason
    if not is_ready():
        _tell(f"compiling the fast engine, which takes half a minute or so: {cache_note() or 'once on this machine for this version'}")
    prepare()
    return "compiled", ""


def is_small(scenarios: Iterable[Scenario], runs: int) -> bool:
    """Whether an experiment is over before other processes would have begun."""
    return runs * sum(map(attempts_of, scenarios)) < WORTH_A_PROCESS


def _tell(words: str) -> None:
    """What keeps the user waiting before the progress begins."""
    print(words, file=sys.stderr, flush=True)
