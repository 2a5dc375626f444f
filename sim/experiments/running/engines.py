"""Which engine runs an experiment: they give the same records, and differ in how long they take to begin and how fast
they are then.

The compiled engine takes about a second to load in each process, and a minute to compile when that has not been
done on this machine for this version. `auto` takes it where every part of the scenario has a compiled twin and there is
enough to simulate to repay that: attempts, not requests, for a request may be one call or a hundred. Where it is still
to be compiled that is done beside the first runs, on SimPy; what is left when it is ready runs on it.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sim.chance.shared import machine_code_is_off
from sim.errors import UsageError, did_you_mean
from sim.experiments.on_paper.run_size import attempts_of

if TYPE_CHECKING:
    from sim.experiments.running.compiling import Compilation
    from sim.experiments.running.ledger import Progress
    from sim.spec.scenario import Scenario

ENGINES = ("auto", "simpy", "compiled")
# attempts of the whole experiment: SimPy takes a second for them, as loading the other engine does
WORTH_LOADING = 200_000
WORTH_COMPILING = 3_000_000  # attempts for which SimPy on two processors takes about as long as they take to compile
# attempts that one process is done with by the time others have begun
WORTH_A_PROCESS = {"simpy": 200_000, "compiled": 2_000_000}
_LOOK = 0.1  # s between two looks at what is being compiled


class EngineChoice:
    """The engine of the next jobs. A context: leaving it ends the compilation, if one is going on."""

    def __init__(
        self, engine: str, *, either: bool = False, making: bool = False, progress: Progress | None = None
    ) -> None:
        """`either`: results of the other engine will do as well, for nobody has asked for this one.

        `making`: the compiled one is made beside.
        """
        self.engine, self.either = engine, either
        self._wanted, self._progress = making, progress
        self._making: Compilation | None = None
        self._looked = 0.0
        self._ran = Counter[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wanted = False
        self._end()

    @property
    def engines(self) -> str:
        """Those that have run something: `simpy`, `compiled`, or `simpy and compiled`."""
        return " and ".join(engine for engine in ENGINES if self._ran[engine]) or self.engine

    def ran(self, engine: str) -> None:
        """A result has come from this engine."""
        self._ran[engine] += 1

    def begin(self) -> None:
        """There are jobs to be run: begin to compile what is wanted."""
        if not self._wanted:
            return
        self._wanted = False
        try:
            self._making = _making()
        except OSError as error:
            self._say(f"engine simpy: there is no process to compile the other one ({error.strerror or error})")

    def is_making(self) -> bool:
        """Whether the compiled engine is still being made. If not, `engine` is the one that runs from now on."""
        if self._making is None or time.monotonic() - self._looked < _LOOK:
            return self._making is not None
        self._looked = time.monotonic()
        state = self._making.state()
        if state != "making":
            self._end()
            if state == "ready":
                self.engine = "compiled"
                self._say("engine compiled: it is ready, and runs what is left")
            else:
                self._say("engine simpy: the other one could not be compiled; --engine compiled tells why")
        return self._making is not None

    def _end(self) -> None:
        if self._making is not None:
            self._making.close()
            self._making = None

    def _say(self, words: str) -> None:
        _say(self._progress, words)


def known_engine(engine: str) -> str:
    """The name of an engine, or of the choice."""
    if engine not in ENGINES:
        raise UsageError(f"engine: unknown engine '{engine}'{did_you_mean(engine, ENGINES)}")
    return engine


def chosen_engine(
    engine: str, scenarios: Iterable[Scenario], runs: int, progress: Progress | None = None, *, here: bool = True
) -> EngineChoice:
    """The engine for `runs` replications of each of these scenarios; `progress` hears why `auto` chose it.

    Machine code is made before this returns, or where `auto` chose it `here`, on this machine with a processor to
    spare, while the first jobs run. Raises UsageError for `compiled` where a scenario has a part that only SimPy runs.
    """
    if known_engine(engine) != "auto":
        return EngineChoice(_prepared(engine, list(scenarios)))
    scenarios = list(scenarios)
    attempts = runs * sum(map(attempts_of, scenarios))
    about = f"about {_rounded(attempts)} attempts"
    if attempts < WORTH_LOADING:
        return _told(
            EngineChoice("simpy", either=True),
            f"{about}; from {WORTH_LOADING:,} on loading the compiled one repays",
            progress,
        )
    if machine_code_is_off():
        return _told(
            EngineChoice("simpy", either=True),
            f"{about}; NUMBA_DISABLE_JIT is set, and the compiled one would run in plain Python",
            progress,
        )
    if reason := _why_not(scenarios):
        return _told(EngineChoice("simpy", either=True), f"{about}; {reason} runs on it alone", progress)
    if _is_ready():
        return _told(EngineChoice("compiled", either=True), about, progress)
    beside = here and _can_make_beside()
    worth = WORTH_COMPILING if beside else 2 * WORTH_COMPILING
    if attempts < worth:
        return _told(
            EngineChoice("simpy", either=True),
            f"{about}; the compiled one is {_to_be_compiled()}, which repays from {worth:,} on",
            progress,
        )
    if beside:
        choice = EngineChoice("simpy", either=True, making=True, progress=progress)
        return _told(
            choice,
            f"{about}; the compiled one is being compiled beside it, a minute or so, once on this machine for "
            "this version",
            progress,
        )
    return _told(EngineChoice(_prepared("compiled", scenarios), either=True), about, progress)


def _rounded(attempts: float) -> str:
    """Two digits: it is an estimate."""
    return f"{float(f'{attempts:.2g}'):,.0f}"


def is_small(scenarios: Iterable[Scenario], runs: int, engine: str) -> bool:
    """Whether an experiment is over on this engine before other processes would have begun."""
    return runs * sum(map(attempts_of, scenarios)) < WORTH_A_PROCESS[engine]


def _told(choice: EngineChoice, why: str, progress: Progress | None) -> EngineChoice:
    _say(progress, f"engine {choice.engine}: {why}")
    return choice


def _say(progress: Progress | None, words: str) -> None:
    tell = getattr(progress, "chose", None)
    if tell is not None:
        tell(words)


def _is_ready() -> bool:
    from sim.compiled import is_ready

    return is_ready()


def _why_not(scenarios: Iterable[Scenario]) -> str:
    """The first part of them that only SimPy runs."""
    from sim.compiled import why_not

    return next((reason for scenario in scenarios if (reason := why_not(scenario))), "")


def _can_make_beside() -> bool:
    """Whether there is a place for machine code that other processes find, and a processor that it need not take from
    the runs.
    """
    from sim.chance.compiler import cache_directory, cache_note
    from sim.experiments.running.executors import cores

    return cache_directory() is not None and not cache_note() and cores() > 1


def _to_be_compiled() -> str:
    from sim.chance.compiler import cache_note

    return f"compiled {note}" if (note := cache_note()) else "not compiled yet"


def _making() -> Compilation:
    from sim.compiled import help_making, is_ready, make
    from sim.experiments.running.compiling import Compilation

    return Compilation(make, help_making, is_ready)


def _prepared(engine: str, scenarios: list[Scenario]) -> str:
    """The engine, ready to run in this process."""
    if engine == "simpy":
        return engine
    if reason := _why_not(scenarios):
        raise UsageError(f"engine: found {reason}, which only SimPy runs; expected --engine simpy or auto")
    from sim.chance.compiler import cache_note
    from sim.compiled import prepare

    if not _is_ready():
        _tell(
            "compiling the fast engine, which takes a minute or so: "
            f"{cache_note() or 'once on this machine for this version'}"
        )
        if _can_make_beside():
            _make_now()
    prepare()
    return engine


def _make_now() -> None:
    """By two processes, in two thirds of the time that one takes; if they fail, this one does it, or shows what is
    wrong.
    """
    try:
        making = _making()
    except OSError:
        return
    try:
        making.wait()
    finally:
        making.close()


def _tell(words: str) -> None:
    """What keeps the user waiting before the progress begins."""
    print(words, file=sys.stderr, flush=True)
