"""Executors: the same results wherever jobs run, in the order of the jobs, and a quick end when something goes wrong."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from sim.errors import BooksDoNotBalance, Interrupted, RunError, UsageError
from sim.experiments.running.executors import Executor
from sim.experiments.running.jobs import Job
from sim.experiments.running.journal import Journal
from tests.experiments import fakes
from tests.experiments.fakes import collect


def jobs(count: int) -> list[Job]:
    return [
        Job("{}", (), variant, 7, replication, file="shop.yaml")
        for variant in ("sync", "async")
        for replication in range(count)
    ]


@pytest.mark.long
def test_processes_give_what_this_process_gives_in_the_order_of_the_jobs():
    alone = collect(jobs(3), workers=1, perform=fakes.quick)
    together = collect(jobs(3), workers=2, perform=fakes.slow_at_first)
    assert pd.DataFrame([result.metrics for result in alone]).equals(
        pd.DataFrame([result.metrics for result in together])
    )
    assert [result.fingerprint for result in together] == ["sync0", "sync1", "sync2", "async0", "async1", "async2"]


def test_progress_counts_finished_jobs_and_simulated_seconds():
    seen: list[tuple[int, int, float]] = []
    collect(jobs(2), workers=1, perform=fakes.quick, progress=lambda *state: seen.append(state))
    assert seen[0] == (0, 4, 1.0)
    assert seen[-1] == (4, 4, 40.0)


def test_workers_use_one_thread_per_library_and_this_process_keeps_its_own_setting(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    results = collect(jobs(1), workers=2, perform=fakes.threads)
    assert [result.metrics["threads"] for result in results] == [1.0, 1.0]
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.long
@pytest.mark.parametrize(
    ("processors", "replications", "idle"), [(1, 1, False), (2, 1, False), (4, 1, True), (3, 2, False)]
)
def test_a_job_knows_whether_a_processor_has_nothing_to_do_beside_it(processors, replications, idle, monkeypatch):
    """Two variants in as many workers as there are jobs: each may have a second thread where there are twice as many processors."""
    monkeypatch.setattr("sim.experiments.running.executors.cores", lambda: processors)
    results = collect(jobs(replications), workers=2 * replications, perform=fakes.told_of_an_idle_core)
    assert [result.metrics["idle"] for result in results] == [idle] * 2 * replications


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_job_names_itself_and_the_command_that_repeats_it(workers):
    with pytest.raises(RunError) as caught:
        collect(jobs(2), workers=workers, perform=fakes.fails)
    message = str(caught.value)
    assert "seed 7, replication 1: KeyError: 'no such thing'" in message
    assert "sim run shop.yaml --variant" in message
    assert "--seed 7 --only-replication 1" in message
    assert "fakes.py" in caught.value.__notes__[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_ours_keeps_its_kind(workers):
    with pytest.raises(BooksDoNotBalance, match="replication 1: orders: offered 10, ended 9"):
        collect(jobs(2), workers=workers, perform=fakes.unbalanced)


@pytest.mark.long
def test_a_job_that_kills_its_worker_is_told_with_its_seed_and_costs_nobody_else_anything():
    taken: dict[int, str] = {}
    with Executor(2, fakes.dies) as executor:
        failures = executor.run(
            jobs(4), lambda index, result: taken.__setitem__(index, result.fingerprint), tolerated=3
        )
    said = sorted(str(error) for _, error in failures)
    assert [text.partition(",")[0] for text in said] == ["variant 'async'", "variant 'sync'"]
    for text in said:
        assert "seed 7, replication 1: its worker process was killed" in text
        assert "repeat it alone with: sim run" in text
    assert sorted(taken) == [index for index, job in enumerate(jobs(4)) if job.replication != 1]
    with pytest.raises(RunError, match=r"replication 1: its worker process was killed"):
        collect(jobs(2), workers=2, perform=fakes.dies)


@pytest.mark.long
def test_a_worker_that_is_killed_is_replaced_and_its_jobs_are_done_once(tmp_path):
    results = collect(jobs(6), workers=2, perform=functools.partial(fakes.killed_once, folder=str(tmp_path)))
    assert [result.fingerprint for result in results] == [
        result.fingerprint for result in collect(jobs(6), workers=1, perform=fakes.quick)
    ]
    assert (tmp_path / "killed").exists()


def test_without_shared_memory_all_runs_in_this_process(monkeypatch):
    def read_only(*_args, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("sim.experiments.running.processes.Processes", read_only)
    with pytest.warns(UserWarning, match=r"no worker processes can be had \(Read-only file system\)"):
        assert len(collect(jobs(2), workers=2, perform=fakes.quick)) == len(jobs(2))


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_everything_within_a_second(workers):
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT) if os.name == "nt" else os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(1.0, press)
    timer.start()
    with pytest.raises(Interrupted, match="0 of 4 runs were finished"):
        collect(jobs(2), workers=workers, perform=fakes.endless)
    assert time.monotonic() - pressed[0] < 1.0


def test_an_interruption_counts_what_earlier_rounds_have_left_in_the_journal(tmp_path):
    """A search for capacity asks round after round; `0 of 4` alone would say that all is lost."""

    @functools.wraps(fakes.quick)
    def stopped_at_the_second_variant(job, tick):
        if job.variant == "async":
            raise KeyboardInterrupt
        return fakes.quick(job, tick)

    first, second = jobs(3)[:3], jobs(3)[3:]
    with Journal(tmp_path) as journal, Executor(1, stopped_at_the_second_variant, journal=journal) as executor:
        executor.run(first, lambda _index, _result: None)
        with pytest.raises(Interrupted) as caught:
            executor.run(second, lambda _index, _result: None)
    said = "interrupted: 0 of 3 runs were finished, after 3 of earlier rounds; they are kept, and the same command goes on from there"
    assert str(caught.value) == said


@pytest.mark.long
def test_a_script_without_a_main_guard_may_use_processes(tmp_path: Path):
    """With `spawn` a worker would run such a script again, and die of it."""
    script = tmp_path / "study.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            sys.path.insert(0, {str(Path(__file__).parents[3])!r})
            from tests.experiments import fakes
            from tests.experiments.fakes import collect
            from sim.experiments.running.jobs import Job
            print(len(collect([Job("{{}}", (), "sync", 7, k) for k in range(2)], workers=2, perform=fakes.quick)))
            """
        )
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "2", done.stderr


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path: Path):
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[3])!r})
        from tests.experiments import fakes
        from tests.experiments.fakes import collect
        from sim.experiments.running.jobs import Job
        collect([Job("{{}}", (), {str(tmp_path)!r}, 7, k) for k in range(2)], workers=2, perform=fakes.endless)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    workers = _until(lambda: [int(path.name) for path in tmp_path.iterdir()], lambda found: len(found) == 2)
    parent.kill()
    parent.wait()
    assert _until(lambda: [pid for pid in workers if _alive(pid)], lambda left: not left) == []


def _until(look, content):
    """What `look` gives as soon as `content` is satisfied with it, or after half a minute."""
    for _ in range(300):
        if content(look()):
            break
        time.sleep(0.1)
    return look()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_fewer_than_one_worker_is_refused():
    with pytest.raises(UsageError, match="found 0, expected at least 1"):
        collect(jobs(1), workers=0)
