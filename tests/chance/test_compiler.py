"""Machine code on disk: never stale, never in the way."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sim.chance import compiler

PROGRAM = """
import numpy as np
from sim.chance import compiler
from sim.chance.keyed import uniform
from sim.chance.shared import machine_code
uniform = machine_code(uniform)
print(uniform(np.uint64(5), 1, 0), compiler.cache_directory(), bool(compiler.cache_note()), sum(uniform.stats.cache_hits.values()), sep=";")
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package, to be edited."""
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(compiler.PACKAGE, place / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    return place


def start(package, cache, **more):
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }
    environment.pop("NUMBA_CACHE_DIR", None) if "NUMBA_CACHE_DIR" not in more else None
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True, cwd=package
    )


def run(package, cache, **more):
    return answer(start(package, cache, **more))


def answer(process):
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    value, directory, noted, hits = out.strip().split(";")
    return float(value), directory, noted == "True", int(hits)


@pytest.mark.long
def test_the_cache_is_shared_survives_damage_and_never_serves_old_code(package, tmp_path):
    first = start(package, tmp_path)
    second = start(package, tmp_path)  # two processes race for an empty cache
    (value, directory, noted, _), (same, _, _, _) = answer(first), answer(second)
    assert value == same
    assert directory.startswith(str(tmp_path))
    assert not noted
    assert run(package, tmp_path) == (value, directory, False, 1)

    for file in [*Path(directory).rglob("*.nbi"), *Path(directory).rglob("*.nbc")]:
        file.write_bytes(b"damaged")
    assert run(package, tmp_path)[0] == value

    callee = package / "sim" / "chance" / "keyed.py"
    text = callee.read_text()
    callee.write_text(
        text.replace("np.float64(random >> S12) + 0.5) * CELL", "np.float64(random >> S12) + 0.5) * CELL / 2")
    )
    changed, other, _, hits = run(package, tmp_path)
    assert (changed, hits) == (value / 2, 0)
    assert other != directory
    callee.write_text(text)


def test_without_a_place_to_write_it_compiles_and_says_so(package, tmp_path):
    nowhere = tmp_path / "a file, not a directory"
    nowhere.touch()
    (value, directory, noted, hits) = run(package, nowhere)
    assert (directory, noted, hits) == ("None", True, 0)
    assert 0 < value < 1


def test_who_has_no_home_directory_is_told_so_too(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    home = type(compiler._home)()
    assert home.directory is None
    assert (
        home.note == "in every process anew, for its machine code cannot be kept: Could not determine home directory."
    )


def homeless():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.long
def test_the_users_own_cache_directory_is_respected(package, tmp_path):
    _, directory, _, _ = run(
        package, tmp_path / "unused", NUMBA_CACHE_DIR=str(tmp_path / "chosen"), NUMBA_NUM_THREADS="1"
    )
    assert directory.startswith(str(tmp_path / "chosen"))


def test_any_change_in_any_source_gives_another_digest(tmp_path):
    caller, callee = tmp_path / "caller.py", tmp_path / "callee.py"
    caller.write_text("from callee import f")
    callee.write_text("def f(): return 1")
    before = compiler.digest_of([caller, callee], ["flag"])
    assert compiler.digest_of([callee, caller], ["flag"]) == before
    assert compiler.digest_of([caller, callee], ["other"]) != before
    callee.write_text("def f(): return 2")
    assert compiler.digest_of([caller, callee], ["flag"]) != before


def test_every_source_of_the_shared_floors_is_in_the_digest():
    known = {Path(path).relative_to(compiler.PACKAGE).as_posix() for path in compiler._home.stamps}
    assert {"chance/keyed.py", "chance/transforms.py", "policies/__init__.py", "vocabulary.py"} <= known


def test_a_file_edited_after_the_digest_was_taken_is_not_remembered(monkeypatch):
    assert compiler._home.knows(compiler.digest_of)
    monkeypatch.setitem(compiler._home.stamps, compiler.__file__, (0, 0))
    assert not compiler._home.knows(compiler.digest_of)


def test_a_users_own_numba_settings_are_left_alone():
    before = compiler.config.CACHE_DIR

    @compiler.compiled
    def twice(x: float) -> float:
        return 2 * x

    assert before == compiler.config.CACHE_DIR
    assert twice(2.0) == 4.0
    assert twice.py_func(3.0) == 6.0


def test_a_full_disk_is_a_note_and_not_an_error(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiler.caching.FunctionCache, "save_overload", full)
    monkeypatch.setattr(compiler._home, "note", "")
    thrice = compiler.numba.njit(lambda x: 3 * x)
    compiler._remember(thrice, compiler._cache_in(tmp_path, compiler.cache_note))
    assert thrice(2) == 6
    assert "No space left" in compiler.cache_note()


def test_only_the_newest_directories_are_kept(tmp_path):
    stranger = tmp_path / "somebody-elses"
    stranger.mkdir()
    for number in range(compiler.KEPT + 5):
        (directory := tmp_path / f"sim-{number:016x}").mkdir()
        os.utime(directory, (number, number))
    current = tmp_path / f"sim-{0:016x}"
    compiler._forget_old(current)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == compiler.KEPT + 1
    assert {stranger.name, current.name, f"sim-{compiler.KEPT + 4:016x}"} <= left
    assert f"sim-{1:016x}" not in left


@pytest.mark.long
def test_the_same_sources_elsewhere_find_the_same_machine_code(package, tmp_path):
    """Another checkout, or the same version installed anew: neither where the files lie nor how old they are says anything."""
    value, directory, _, _ = run(package, tmp_path / "cache")
    other = tmp_path / "elsewhere"
    shutil.copytree(package / "sim", other / "sim", copy_function=shutil.copyfile)
    assert run(other, tmp_path / "cache") == (value, directory, False, 1)


LOCKED = """
import sys
from sim.chance.compiler import one_at_a_time
with one_at_a_time("part", float(sys.argv[1])) as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


@pytest.mark.long
def test_one_at_a_time_until_it_is_done_or_dead(tmp_path):
    pytest.importorskip("fcntl")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def process(patience="0"):
        found = subprocess.Popen(
            [sys.executable, "-c", LOCKED, patience],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return found, found.stdout.readline().strip()

    first, alone = process()
    assert alone == "True"
    second, alone = process("0.3")
    assert alone == "False"
    threading.Timer(0.5, first.kill).start()
    third, alone = process("60")
    assert alone == "True"
    for left in (first, second, third):
        left.communicate()
