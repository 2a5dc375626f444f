"""The journal: what was finished is found again bit by bit, what is damaged is run again, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from sim.experiments.replicating.explaining import perform_explaining
from sim.experiments.running import journal as journal_module
from sim.experiments.running.jobs import Job, JobResult, perform, question_of
from sim.experiments.running.journal import Journal
from sim.experiments.running.packing import pack_job, pack_result, unpack_job, unpack_result
from sim.spec.plugins import load_plugins, text_of
from sim.stats.interval import Interval
from tests.experiments import fakes
from tests.experiments.fakes import collect


def job(replication: int = 0, **changes) -> Job:
    return dataclasses.replace(
        Job(json.dumps(fakes.shop().document), (), "one", 7, replication, keep_records=replication == 0), **changes
    )


def test_a_result_comes_back_bit_by_bit():
    result = perform(job(), lambda _now: None)
    again = unpack_result(pack_result(result))
    assert list(again.metrics) == list(result.metrics)
    np.testing.assert_array_equal(list(again.metrics.values()), list(result.metrics.values()))
    assert again.timeline.frame().equals(result.timeline.frame())
    assert again.records.fingerprint() == result.records.fingerprint() == again.fingerprint
    for field in dataclasses.fields(result.records):
        one, other = getattr(result.records, field.name), getattr(again.records, field.name)
        assert one.tobytes() == other.tobytes() if isinstance(one, np.ndarray) else one == other, field.name
    assert {field.name for field in dataclasses.fields(JobResult)} == set(vars(again))


def test_a_summary_comes_back_bit_by_bit():
    """Its arrays, whatever they are made of, and the digests of the rows that were not kept."""
    result = perform(job(sets=("record=summary",)), lambda _now: None)
    again = unpack_result(pack_result(result)).records
    assert again.fingerprint() == result.fingerprint == perform(job(), lambda _now: None).fingerprint
    for field in dataclasses.fields(result.records.summary):
        one, other = getattr(result.records.summary, field.name), getattr(again.summary, field.name)
        assert (
            one == other if field.name == "digests" else (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
        ), field.name


def test_what_is_no_file_in_the_folder_of_the_journal_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "folder.journal").mkdir()
    (tmp_path / "link.journal").symlink_to("/dev/zero")
    with Journal(tmp_path) as journal:
        assert journal.find(job()) is None
        journal.keep(job(), perform(job(), lambda _now: None))
        assert not journal.trouble
    assert {path.name for path in tmp_path.iterdir()} >= {"pipe.journal", "folder.journal", "link.journal"}


def test_a_job_travels_as_a_document_with_its_plug_ins(tmp_path):
    (tmp_path / "mine.py").write_text("X = 1\n")
    sent = job(1, plugins=(str(tmp_path / "mine.py"),), sets=("services.kitchen.workers=3",))
    assert unpack_job(pack_job(sent)) == sent
    packed = pack_job(sent, with_plugins=True)
    (tmp_path / "mine.py").write_text("raise SystemExit('another text')\n")
    travelled = unpack_job(packed)
    assert text_of(travelled.plugins[0]) == "X = 1\n"
    assert load_plugins(travelled.plugins) == travelled.plugins
    assert not Path(travelled.plugins[0]).exists()  # it runs from memory: nobody can have put another file there


def test_what_was_finished_is_not_run_again_and_goes_when_it_is_answered(tmp_path):
    jobs = [job(k) for k in range(3)]
    with Journal(tmp_path) as first:
        collect(jobs[:2], workers=1, perform=fakes.quick, journal=first)
    run: list[int] = []
    seen: list[tuple[int, int, float]] = []

    @functools.wraps(fakes.quick)
    def counted(work, tick):
        run.append(work.replication)
        return fakes.quick(work, tick)

    with Journal(tmp_path) as second:
        results = collect(jobs, workers=1, perform=counted, journal=second, progress=lambda *state: seen.append(state))
        assert run == [2]
        assert seen[0] == (2, 3, 20.0)
        assert [result.fingerprint for result in results] == ["one0", "one1", "one2"]
        assert len(list(tmp_path.iterdir())) == 2
        second.done()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"sets": ("a=1",)},
        {"variant": "two"},
        {"keep_records": False},
        {"document": "{}"},
        {"keep_timeline": False},
    ],
)
def test_another_job_is_another_job(tmp_path, change):
    with Journal(tmp_path) as journal:
        assert journal.key(job()) != journal.key(job(**change))
        assert journal.key(job()) == journal.key(job(file="elsewhere.yaml"))


def test_another_question_is_another_job(tmp_path):
    quantiles = [
        functools.partial(perform_explaining, shares=shares, route=None, failures=False) for shares in ((0.5,), (0.99,))
    ]
    questions = [question_of(asked) for asked in (perform, *quantiles, quantiles[0])]
    with Journal(tmp_path) as journal:
        keys = [journal.key(job(), question) for question in questions]
    assert len(set(keys)) == 3
    assert keys[1] == keys[3]


def test_another_program_is_another_job(tmp_path, monkeypatch):
    with Journal(tmp_path) as journal:
        before = journal.key(job())
        monkeypatch.setattr(journal_module, "identity", lambda: "sim 0.0.0")
        assert journal.key(job()) != before


def test_a_torn_or_damaged_entry_costs_itself_alone(tmp_path):
    with Journal(tmp_path) as journal:
        for k in range(3):
            journal.keep(job(k, keep_records=False), fakes.quick(job(k, keep_records=False), lambda _now: None))
    (segment,) = tmp_path.iterdir()
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-5])
    with Journal(tmp_path) as journal:
        assert [journal.find(job(k, keep_records=False)) is not None for k in range(3)] == [True, True, False]
    segment.write_bytes(whole[:-40] + b"\0" * 40)
    with Journal(tmp_path) as journal:
        assert [journal.find(job(k, keep_records=False)) is not None for k in range(3)] == [True, True, False]


def test_disk_use_is_bounded(tmp_path, monkeypatch):
    for k in range(3):
        with Journal(tmp_path) as journal:
            journal.keep(job(k), fakes.quick(job(k), lambda _now: None))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    monkeypatch.setattr(journal_module, "LIMIT", sum(sizes) - 1)
    with Journal(tmp_path):
        assert len(list(tmp_path.iterdir())) == 2
    old = time.time() - 40 * 86400
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    with Journal(tmp_path):
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(journal_module, "LARGEST", 10)
    with Journal(tmp_path) as journal:
        journal.keep(job(), fakes.quick(job(), lambda _now: None))
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_that_is_over_soon_is_not_written_down_unless_it_is_broken_off(tmp_path):
    jobs = [job(k) for k in range(3)]
    with Journal(tmp_path, patience=60.0) as answered:
        collect(jobs, workers=1, perform=fakes.quick, journal=answered)
        assert list(tmp_path.iterdir()) == []
        answered.done()
    assert list(tmp_path.iterdir()) == []
    with Journal(tmp_path, patience=60.0) as broken_off:
        collect(jobs, workers=1, perform=fakes.quick, journal=broken_off)
    with Journal(tmp_path) as again:
        collect([*jobs, job(3)], workers=1, perform=fakes.quick, journal=again)
        assert again.found == 3
        assert len(list(tmp_path.iterdir())) == 2


def test_the_last_result_waits_for_more_or_for_an_end_without_an_answer(tmp_path):
    """What comes after it is the answer, and its rows take longer to write than to answer with."""
    jobs = [job(k) for k in range(5)]
    with Journal(tmp_path, patience=1e-9) as journal:
        collect(jobs[:3], workers=1, perform=fakes.quick, journal=journal)
        with Journal(tmp_path) as other:
            assert [other.find(each, question_of(fakes.quick)) is not None for each in jobs] == [
                True,
                True,
                False,
                False,
                False,
            ]
        collect(jobs[3:4], workers=1, perform=fakes.quick, journal=journal)
        collect(jobs[4:], workers=1, perform=fakes.quick, journal=journal)
        with Journal(tmp_path) as other:
            assert [other.find(each, question_of(fakes.quick)) is not None for each in jobs] == [
                True,
                True,
                True,
                True,
                False,
            ]
    with Journal(tmp_path) as again:
        assert all(again.find(each, question_of(fakes.quick)) is not None for each in jobs)


def test_a_result_keeps_its_intervals(tmp_path):
    result = dataclasses.replace(
        fakes.quick(job(), lambda _now: None),
        intervals={"offered": Interval(2.0, 1.5, math.inf), "availability": Interval(0.1 + 0.2)},
    )
    with Journal(tmp_path) as journal:
        journal.keep(job(), result)
    with Journal(tmp_path) as journal:
        found = journal.find(job())
        assert repr(found.intervals) == repr(result.intervals)  # where nan is nan
        assert journal.find(dataclasses.replace(job(), confidence=0.95)) is None


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with Journal(tmp_path / "file" / "journal") as journal:
        assert len(collect([job(1)], workers=1, perform=fakes.quick, journal=journal)) == 1
        assert journal.trouble


@pytest.mark.long
def test_after_kill_9_no_finished_job_runs_twice(tmp_path):
    """The runs leave a mark each; killed in the middle, the second call runs those that are missing and no other."""
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[3])!r})
        from tests.experiments import fakes
        from tests.experiments.fakes import collect
        from sim.experiments.running.jobs import Job
        from sim.experiments.running.journal import Journal
        jobs = [Job("{{}}", (), {str(tmp_path / "marks")!r}, 7, k, keep_timeline=False) for k in range(12)]
        with Journal({str(tmp_path / "journal")!r}) as journal:
            results = collect(jobs, workers=2, perform=fakes.marked, journal=journal)
        print(len(results), len({{result.fingerprint for result in results}}), journal.found)
    """
    (tmp_path / "marks").mkdir()
    victim = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    for _ in range(600):
        if _kept(tmp_path) >= 4:
            break
        time.sleep(0.05)
    victim.kill()
    victim.wait()
    time.sleep(0.5)  # the workers go with their parent
    kept = _kept(tmp_path)
    assert 4 <= kept < 12
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["12", "12", str(kept)]
    began = [path.name.split("-")[0] for path in (tmp_path / "marks").glob("*-began-*")]
    assert len(began) - 12 <= 2 + 2  # those that were under way, or on their way back, when the blow fell


def _kept(folder: Path) -> int:
    return sum(1 for path in (folder / "journal").glob("*.journal") for _ in journal_module._entries_of(path))


def test_without_a_home_directory_nothing_is_kept_and_why_is_said(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    for name in ("SIM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with Journal() as journal:
        assert journal.trouble == "Could not determine home directory."
        assert not journal.found
