"""A disk that is full, after any number of bytes: one line, the documented exit code, the old file as it was, and nothing half-written left.

Real disks are small file systems in memory, which only root may mount; everywhere a limit on the size of files fails writes in their middle.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from sim.chance.keyed import uniform
from sim.cli.destination import Destination
from sim.cli.new_file import write_new
from sim.errors import OutputError
from sim.experiments.replicating.comparison import compare
from sim.experiments.replicating.storing import files_of
from sim.experiments.running.jobs import Job
from sim.experiments.running.journal import Journal
from sim.experiments.shipped import load
from sim.report.writing import write_report, write_whole
from tests.attacks.victims import AS_NOBODY, EAGER_SIM, NOBODY, REPOSITORY, SHOP, SIM, Victim, why_not_nobody
from tests.experiments import fakes

PAGE = 4096

Fill = Callable[[int], contextlib.AbstractContextManager[None]]
"""Leaves so many bytes on the disk while it is entered."""


def _mounted(folder: Path, owner: int = 0) -> str:
    """Mount a small disk there, open to its owner alone; why not, if not."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root may mount a disk"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=8m,mode=700,uid={owner},gid={owner}", "sim-test", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()


@pytest.fixture(params=["disk", "limit"])
def place(request, tmp_path) -> Iterator[tuple[Path, Fill]]:
    """A folder, and what makes the disk it lies on full."""
    folder = tmp_path / "small"
    folder.mkdir()
    if request.param == "limit":
        yield folder, _limited
        return
    if why := _mounted(folder):
        pytest.skip(why)
    try:
        yield folder, functools.partial(_filled, folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def _limited(left: int) -> Iterator[None]:
    """No file may be longer: a write that goes beyond is cut short there, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ears = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ears)


@contextlib.contextmanager
def _filled(folder: Path, left: int) -> Iterator[None]:
    """Something else takes all the room but that."""
    room = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize - left))
    try:
        yield
    finally:
        ballast.unlink()


def everything(folder: Path) -> dict[str, bytes]:
    """All files below, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if path.name != "ballast"
    }


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.yaml").write_text(SHOP.format(duration="5s"))
    return compare(load(folder / "shop.yaml"), replications=2, jobs=1, engine="simpy")


@pytest.fixture(scope="module")
def drawn(comparison, tmp_path_factory):
    """The files of a whole report."""
    folder = tmp_path_factory.mktemp("drawn") / "report"
    write_report(comparison, folder, files_of(comparison))
    return {
        PurePosixPath(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".sim-report.json"
    }


def moments(whole: int, count: int) -> list[int]:
    """Bytes at which the disk is full: none, the first, some in the middle, nearly all."""
    return [0, 1, *(whole * part // count for part in range(1, count))]


def test_a_report_is_replaced_whole_or_stays_as_it_was(place, drawn):
    folder, full = place
    write_whole(folder / "report", lambda: {PurePosixPath(name): "old" for name in ("index.html", "charts/a.svg")})
    before, failed = everything(folder), 0
    sizes = sorted(len(content) for content in drawn.values())
    whole = sizes[-1] if full is _limited else sum(-(-size // PAGE) * PAGE for size in sizes)
    for left in moments(whole, 12):
        with full(left):
            with pytest.raises(
                OutputError,
                match=r"could not be written \((No space left on device|File too large).*\); nothing was changed",
            ):
                write_whole(folder / "report", lambda: drawn)
            failed += 1
            assert everything(folder) == before, left
    assert failed == 13
    write_whole(folder / "report", lambda: drawn)
    assert {f"report/{name}" for name in drawn} < everything(folder).keys()


@pytest.mark.parametrize(
    "write",
    [lambda path, text: Destination(str(path)).write(text), lambda path, text: write_new(path, text, force=True)],
)
def test_a_file_is_replaced_whole_or_stays_as_it_was(place, write):
    folder, full = place
    path = folder / "figures.json"
    path.write_text("old")
    path.chmod(0o640)
    text = "x" * (5 * PAGE)
    for left in moments(len(text), 5):
        with (
            full(left),
            pytest.raises(
                OutputError, match=r"figures.json: could not be written: (No space left on device|File too large)"
            ),
        ):
            write(path, text)
        assert everything(folder) == {"figures.json": b"old"}, left
        assert path.stat().st_mode & 0o777 == 0o640
        with full(left), pytest.raises(OutputError):
            write(folder / "new.json", text)
        assert list(everything(folder)) == ["figures.json"], left


def test_a_journal_keeps_what_fits_and_says_why_it_keeps_no_more(place):
    """The work goes on; the next call finds what was whole, and runs the rest again."""
    folder, full = place
    jobs = [Job(json.dumps(fakes.shop().document), (), "one", 7, number, keep_timeline=False) for number in range(12)]
    results = [fakes.quick(job, lambda _now: None) for job in jobs]
    found = []
    for left in (0, 1, 1000, PAGE + 1, 3 * PAGE):
        with full(left), Journal(folder / f"{left}") as journal:
            for job, result in zip(jobs, results, strict=True):
                journal.keep(job, result)
            assert journal.trouble == "" or "No space left" in journal.trouble or "File too large" in journal.trouble
        with Journal(folder / f"{left}") as again:
            back = [again.find(job) for job in jobs]
        assert [result.fingerprint for result in back if result is not None] == [
            results[index].fingerprint for index, result in enumerate(back) if result
        ]
        found.append(sum(result is not None for result in back))
    assert found[0] == 0
    assert found == sorted(found)
    assert 0 < found[-1] < len(jobs) or full is not _limited


# ---- the whole command


def told(
    arguments: list[str], folder: Path, *before: str, sim: list[str] = SIM, **environment: str
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command, which must end."""
    own = {"PYTHONPATH": str(REPOSITORY), "SIM_CACHE": str(folder / "cache"), **environment}
    done = subprocess.run(
        [*before, *sim, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **own},
    )
    return done.returncode, done.stdout, done.stderr


QUICK = ["--replications", "2", "--engine", "simpy", "--jobs", "1", "--quiet"]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.yaml").write_text(SHOP.format(duration="5s"))
    return tmp_path


COMMANDS = {
    "compare": ["compare", "shop.yaml", *QUICK, "--out", "small/report"],
    "json": ["run", "shop.yaml", *QUICK, "--json", "small/out.json"],
    "sweep": ["sweep", "shop.yaml", "--over", "load=0.5,1", *QUICK, "--out", "small/report"],
    "explain": ["explain", "shop.yaml", *QUICK, "--out", "small/report"],
    "report": ["report", "small/drawn"],
}


@pytest.mark.long
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_the_command_says_it_in_one_line(shop, place, arguments):
    folder, full = place
    if arguments[0] == "report":
        assert told(["run", "shop.yaml", *QUICK, "--out", "small/drawn"], shop)[0] in (0, 1)
    before = everything(folder)
    if full is _limited:
        code, _, err = told(arguments, shop, "sh", "-c", 'ulimit -f 8; exec "$0" "$@"')  # blocks of 512 or 1024 bytes
    else:
        with full(2 * PAGE):
            code, _, err = told(arguments, shop)
    assert (code, err.count("\n")) == (3, 1), err
    assert err.startswith("error: ")
    assert "No space left on device" in err or "File too large" in err
    assert everything(folder) == before


COMPILING = """
import numpy as np
from sim.chance import compiler
from sim.chance.keyed import uniform
from sim.chance.shared import machine_code
print(machine_code(uniform)(np.uint64(5), 1, 0), compiler.cache_note(), sep=";")
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("user", "left"), [("as it is", 0), ("as it is", PAGE), ("nobody", 3 * PAGE), ("nobody", 64 * PAGE)]
)
def test_machine_code_that_cannot_be_kept_is_made_all_the_same(tmp_path, user, left):
    if user == "nobody" and (why := why_not_nobody()):
        pytest.skip(why)
    if why := _mounted(tmp_path, NOBODY if user == "nobody" else 0):
        pytest.skip(why)
    command = [*(AS_NOBODY if user == "nobody" else ()), sys.executable, "-c", COMPILING]
    own = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": "",
        "NUMBA_CACHE_DIR": "",
    }
    try:
        with _filled(tmp_path, left):
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=own)
        value, note = done.stdout.strip().split(";")
        assert float(value) == uniform(5, 1, 0)
        assert ("No space left on device" in note) == (left < 64 * PAGE), note
        assert not [path for path in tmp_path.rglob("*") if ".tmp." in path.name], "halves of files"
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.long
def test_a_full_home_costs_a_note_and_no_result(shop):
    """Neither can runs be kept there; the figures are the same, whoever asks for them."""
    home = shop / "home"
    home.mkdir()
    user = [] if why_not_nobody() else AS_NOBODY
    if why := _mounted(home, NOBODY if user else 0):
        pytest.skip(why)
    command = [
        "run",
        "shop.yaml",
        "--replications",
        "60",
        "--engine",
        "simpy",
        "--jobs",
        "1",
        "--json",
        "-",
        "--set",
        "duration=20s",
    ]
    bare = dict.fromkeys(("SIM_CACHE", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), "")
    found = []
    try:
        for left in (1000 * PAGE, PAGE):
            with _filled(home, left):
                code, out, err = told(command, shop, *user, sim=EAGER_SIM, HOME=str(home), **bare)
            found.append((code, json.loads(out)["fingerprint"]))
            assert ("note: finished runs are not kept: " in err) == (left == PAGE), err
            assert "Traceback" not in err
        assert found[0] == found[1]
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.long
def test_a_sweep_whose_journal_does_not_fit_ends_well_and_says_so(shop):
    cache = shop / "cache"
    cache.mkdir()
    if why := _mounted(cache):
        pytest.skip(why)
    try:
        with (
            _filled(cache, 2 * PAGE),
            Victim(
                [
                    "sweep",
                    "shop.yaml",
                    "--over",
                    "load=0.5,1",
                    "--replications",
                    "60",
                    "--engine",
                    "simpy",
                    "--jobs",
                    "2",
                ],
                shop,
                sim=EAGER_SIM,
            ) as victim,
        ):
            assert victim.ended(120.0) == 0, victim.said()
        assert f"note: finished runs are not kept: {cache}/journal: No space left on device" in victim.said()
    finally:
        subprocess.run(["umount", "-l", str(cache)], check=True)
