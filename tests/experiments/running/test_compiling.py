"""Machine code made beside the first runs: taken when it is ready, by whoever runs jobs, without a trace in the results; and nobody is left behind."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import sim
from sim.errors import SimError
from sim.experiments.replicating.document import as_document
from sim.experiments.replicating.storing import open_run
from sim.experiments.running import engines
from sim.experiments.running.compiling import Compilation
from sim.experiments.running.executors import Executor
from sim.experiments.running.jobs import Job
from sim.experiments.running.journal import Journal
from tests.experiments import fakes
from tests.experiments.fakes import collect, save

pytestmark = pytest.mark.xdist_group("compiled")

COMPILED_AFTER = 3  # replications of each variant


class Announced:
    """In the place of the processes that compile: it is ready when a file appears, however long that takes."""

    def __init__(self, mark):
        self.mark, self.closed, self.failed = mark, False, False

    def state(self):
        if self.failed:
            return "failed"
        return "ready" if self.mark.exists() else "making"

    def close(self):
        self.closed = True


class Heard:
    def __init__(self):
        self.words = []

    def __call__(self, *_):
        pass

    def chose(self, words):
        self.words.append(words)


@pytest.fixture
def announced(monkeypatch, tmp_path):
    """A machine without machine code, on which everything is worth compiling."""
    making = Announced(tmp_path / "ready")
    monkeypatch.setattr(engines, "_is_ready", making.mark.exists)
    monkeypatch.setattr(engines, "_can_make_beside", lambda: True)
    monkeypatch.setattr(engines, "_making", lambda: making)
    monkeypatch.setattr(engines, "_LOOK", 0.0)
    monkeypatch.setattr(engines, "WORTH_LOADING", 0)
    monkeypatch.setattr(engines, "WORTH_COMPILING", 0)
    return making


def run_announced(making, workers, *, half_way=False, stays=True, progress=None, journal=None):
    ends = functools.partial(
        fakes.announces, mark=str(making.mark), after=COMPILED_AFTER - 1, half_way=half_way, stays=stays
    )
    return sim.run(fakes.shop(), replications=6, jobs=workers, perform=ends, progress=progress, journal=journal)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_left_when_it_is_ready_runs_on_it_and_nothing_else_changes(announced, workers, tmp_path):
    heard = Heard()
    found = run_announced(announced, workers, progress=heard)
    (result,) = found.variants.values()
    alone = sim.run(fakes.shop(), replications=6, jobs=1, engine="simpy")
    assert (found.fingerprint, result.figures.columns.keys()) == (
        alone.fingerprint,
        alone.variants["one"].figures.columns.keys(),
    )
    assert found.engine == "simpy and compiled"
    assert "simpy" in result.engines[:2], "one of these is over before the third begins"
    assert set(result.engines[COMPILED_AFTER:]) == {"compiled"}
    if workers == 1:
        assert result.engines == ("simpy",) * COMPILED_AFTER + ("compiled",) * (6 - COMPILED_AFTER)
    assert announced.closed
    assert [words.partition(":")[0] for words in heard.words] == ["engine simpy", "engine compiled"]
    assert as_document(found)["variants"]["one"]["engines"] == list(result.engines)
    assert "engines" not in as_document(alone)["variants"]["one"]
    save(found, tmp_path / "report")
    assert open_run(tmp_path / "report").variants["one"].engines == result.engines


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_is_under_way_begins_anew_on_it(announced, workers):
    """Of six runs the third is in its middle when the machine code is ready."""
    found = run_announced(announced, workers, half_way=True)
    (result,) = found.variants.values()
    assert found.fingerprint == sim.run(fakes.shop(), replications=6, jobs=1, engine="simpy").fingerprint
    assert result.engines[-1] == "compiled"
    if workers == 1:
        assert result.engines == ("simpy",) * (COMPILED_AFTER - 1) + ("compiled",) * (7 - COMPILED_AFTER)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_what_cannot_be_compiled_runs_on_simpy_to_the_end(announced, workers):
    announced.failed = True
    heard = Heard()
    found = run_announced(announced, workers, stays=False, progress=heard)
    assert (found.engine, set(found.variants["one"].engines)) == ("simpy", {"simpy"})
    assert heard.words[-1] == "engine simpy: the other one could not be compiled; --engine compiled tells why"
    assert announced.closed


def test_runs_that_are_over_before_it_is_ready_end_it(announced):
    found = sim.run(fakes.shop(), replications=2, jobs=1)
    assert found.engine == "simpy"
    assert announced.closed


def test_where_all_runs_are_known_nothing_is_compiled(announced, monkeypatch, tmp_path):
    with Journal(tmp_path / "journal") as journal:
        first = run_announced(announced, 1, journal=journal)
    announced.mark.unlink()
    monkeypatch.setattr(engines, "_making", lambda: pytest.fail("nothing is left to run"))
    with Journal(tmp_path / "journal") as journal:
        again = run_announced(announced, 1, journal=journal)
        assert journal.found == 6
    assert again.variants["one"].engines == first.variants["one"].engines, "what they ran on then"


def test_runs_of_an_interrupted_call_are_found_whichever_engine_the_next_one_chooses(announced, tmp_path):
    """`auto` has asked for no engine; who names one gets its own runs alone."""

    def interrupted(done, _total, _simulated):
        if done == 2:
            raise KeyboardInterrupt

    with Journal(tmp_path / "journal") as journal, pytest.raises(SimError, match="interrupted"):
        run_announced(announced, 1, stays=False, journal=journal, progress=interrupted)
    announced.mark.touch()
    for engine, known in (("auto", 2), ("compiled", 0)):
        ends = functools.partial(
            fakes.announces, mark=str(announced.mark), after=COMPILED_AFTER - 1, half_way=False, stays=False
        )
        with Journal(tmp_path / "journal") as journal:
            found = sim.run(fakes.shop(), replications=2, jobs=1, perform=ends, journal=journal, engine=engine)
            assert journal.found == known
        assert set(found.variants["one"].engines) == {"simpy" if known else "compiled"}


def test_a_sweep_and_a_search_take_it_as_well(announced):
    ends = functools.partial(fakes.announces, mark=str(announced.mark), after=1)
    swept = sim.sweep(fakes.shop(), "load=0.5,1", ["one"], replications=2, jobs=1, perform=ends)
    assert swept.engine == "simpy and compiled"
    assert announced.closed


# ---- the processes themselves


@pytest.mark.long
def test_it_is_ready_when_its_maker_has_ended_well_and_all_is_on_disk():
    for part, on_disk, state in (
        (fakes.makes_at_once, True, "ready"),
        (fakes.makes_at_once, False, "failed"),
        (fakes.makes_in_vain, True, "failed"),
    ):
        making = Compilation(part, fakes.makes_at_once, lambda on_disk=on_disk: on_disk)
        assert making.wait() == state
        making.close()


def test_it_is_ended_at_once():
    making = Compilation(fakes.makes_for_long, fakes.makes_for_long, lambda: True)
    assert making.state() == "making"
    began = time.monotonic()
    making.close()
    assert time.monotonic() - began < 2.0
    assert making.state() == "failed"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_it_does_not_outlive_a_parent_that_is_killed():
    code = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parents[3])!r})
        from tests.experiments import fakes
        from sim.experiments.running.compiling import Compilation
        making = Compilation(fakes.makes_for_long, fakes.makes_for_long, bool)
        print(*(process.pid for process in making._processes), flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as told:
        children = [int(word) for word in told.readline().split()]
    assert len(children) == 2
    time.sleep(1.0)
    parent.kill()
    parent.wait()
    waited = time.monotonic()
    while any(map(_is_alive, children)) and time.monotonic() - waited < 30.0:
        time.sleep(0.1)
    assert not any(map(_is_alive, children))


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.long
def test_workers_are_patient_while_it_goes_on(announced):
    """Whoever makes the faster engine has the processors first."""
    if not hasattr(os, "nice"):
        pytest.skip("no such thing here")
    jobs = [Job("{}", (), "sync", 7, replication) for replication in range(2)]
    with engines.EngineChoice("simpy", making=True) as choice, Executor(2, fakes.niceness, choice=choice) as executor:
        found = {}
        executor.run(jobs, found.__setitem__)
    own = os.nice(0)
    assert {result.metrics["nice"] for result in found.values()} == {min(own + 19.0, 19.0)}
    assert {result.metrics["nice"] for result in collect(jobs, workers=2, perform=fakes.niceness)} == {float(own)}
