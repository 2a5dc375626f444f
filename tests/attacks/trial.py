"""One mutated input from its bytes to its figures: read, checked on paper and, where it is valid, run for a short piece and measured."""

from __future__ import annotations

import random
import signal
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sim import compiled, models
from sim.compiled.program import Unsupported
from sim.errors import BooksDoNotBalance, ScenarioError, SimError
from sim.experiments.on_paper.offered_load import check
from sim.experiments.running.engines import attempts_of
from sim.experiments.running.memory_guard import resident, within_memory
from sim.experiments.shipped import load
from sim.metrics import measure
from sim.metrics.timeline import timeline
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from tests.attacks.corpus import later_samples, random_samples, recorded_samples, shipped_samples, written
from tests.attacks.mutations import mutated_rows, mutated_text, mutated_tree
from tests.compiled.same import differences

LONGEST = 10.0  # s of CPU for reading and checking: more is a hang
PIECE = 2.0  # s of CPU for a run; what goes on after that is let go, since the scenario asked for it
ATTEMPTS = 2000.0  # that a run may make, on paper
MOST_MEMORY = 2**29  # bytes; a run that comes to take more is ended with an error, as by the command
SCENARIO = "scenario.yaml"


@dataclass(frozen=True)
class Input:
    """The files of one trial, and which engine runs it."""

    files: Mapping[str, bytes]
    engine: str  # simpy, compiled, or both, which are then compared


class Hang(BaseException):
    """It took too long."""


def made(seed: int, number: int) -> Input:
    """The same input for the same two numbers."""
    dice = random.Random(f"{seed}/{number}")
    corpora = (shipped_samples(), random_samples(), recorded_samples(), later_samples())
    sample = dice.choice(corpora[dice.choice((0, 1, 2, 3, 3))])
    engine = dice.choice(("simpy", "simpy", "compiled", "both"))
    files = dict(sample.files)
    harmed = dice.choice(("tree", "tree", "tree", "tree", "text", *(("rows",) * 8 if files else ())))
    if harmed == "rows":
        text = sample.text.encode()
        files = {name: mutated_rows(dice, content) for name, content in files.items()}
    elif harmed == "text":
        text = mutated_text(dice, sample.text)
    else:
        text = written(mutated_tree(dice, sample.tree, [other.tree for corpus in corpora for other in corpus])).encode(
            errors="surrogatepass"
        )
    return Input({SCENARIO: text, **files}, engine)


def attempt(given: Input, folder: Path) -> str:
    """What came of it: `refused`, `ran`, `told` (an error of ours from the run) or `cut`. Whatever else is raised is a finding."""
    for name, content in given.files.items():
        (folder / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # numpy's: a user would see it as a note that nobody understands
        try:
            study = _within(LONGEST, lambda: _checked(folder / SCENARIO))
        except SimError as error:
            _judge(error)
            return "refused"
        try:
            _within(PIECE, lambda: _run(next(iter(study.variants.values())), given.engine))
        except Hang:
            return "cut"
        except BooksDoNotBalance:
            raise
        except SimError:
            return "told"
    return "ran"


def _within(seconds: float, work):
    """What the work gives, or a Hang after so many seconds of CPU: a busy machine makes nothing hang."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _checked(path: Path) -> Study:
    study = load(path)
    assert str(check(study))
    return study


def _judge(error: SimError) -> None:
    """An error says something, each problem in one line that can be read, and where it is."""
    problems = error.problems if isinstance(error, ScenarioError) else ()
    for said in map(str, problems or [error]):
        assert 0 < len(said) < 2000, f"{len(said)} characters"
        assert "\n" not in said, said
    for problem in problems:
        assert problem.file, problem


def _run(whole: Scenario, engine: str) -> None:
    expected = attempts_of(whole)
    scenario = (
        whole.model_copy(update={"duration": whole.duration * min(1.0, ATTEMPTS / expected), "warmup": 0.0})
        if expected > ATTEMPTS
        else whole
    )
    found, before = {}, resident() or 0
    for name, simulate in (("simpy", models.simulate), ("compiled", compiled.simulate)):
        if engine in (name, "both"):
            try:
                found[name] = simulate(scenario, 0, within_memory(lambda _: None, MOST_MEMORY))
            except (
                MemoryError
            ):  # tables are asked for before they are filled: a limit of the process may speak before the guard
                if (resident() or 0) < before + MOST_MEMORY // 4:
                    raise
                return
            except Unsupported:
                found["simpy"] = models.simulate(scenario)
    if len(found) == 2:
        apart = differences(found["simpy"], found["compiled"])
        assert not apart, apart
    records = next(iter(found.values()))
    measure(records, scenario)
    timeline(records, scenario)
