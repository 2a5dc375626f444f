"""Signals that end a command: which exit code a shell sees. What they leave behind is in tests/attacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.cli.ending import came_of_interruption


def ended(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    """How a process ends whose main module this is."""
    (folder / "victim.py").write_text(module)
    return subprocess.run(
        [sys.executable, "-m", "victim"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )


MODULE = """
import os, signal
from sim.cli.ending import Ending
ending, code = Ending(), 0
try:
    exec("import os, time; os.kill(os.getpid(), {number}); time.sleep(9)")
except KeyboardInterrupt:
    code = 130
raise SystemExit(ending.exit_code(code))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_each_signal_has_its_exit_code_wherever_it_falls(tmp_path, number, code):
    """Into an `exec` too, by which libraries make classes: Python would then end by SIGINT, whatever exit code is asked for."""
    done = ended(tmp_path, MODULE.format(number=int(number)))
    assert (done.returncode, done.stderr) == (code, "")


SWALLOWED = """
import signal, time, weakref
from sim.cli.ending import Ending
ending, code = Ending(), 0
class Thing:
    pass
def at_its_end(_):
    signal.raise_signal({number})
    for _ in range(1000):
        pass
thing = Thing()
reference = weakref.ref(thing, at_its_end)
try:
    del thing  # what the callback raises, Python prints and forgets
    time.sleep(9)
except KeyboardInterrupt:
    code = 130
raise SystemExit(ending.exit_code(code))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_that_falls_where_nothing_can_be_raised_comes_again(tmp_path, number, code):
    done = ended(tmp_path, SWALLOWED.format(number=int(number)))
    assert (done.returncode, done.stderr) == (code, "")


FORGOTTEN = """
import signal, time
from sim.cli.ending import Ending
ending, code = Ending(), 0
try:
    try:
        signal.raise_signal({number})
        for _ in range(1000):
            pass
    except KeyboardInterrupt:
        pass  # as C code does that looks for an attribute and clears whatever was raised meanwhile
    time.sleep(9)
except KeyboardInterrupt:
    code = 130
raise SystemExit(ending.exit_code(code))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_that_somebody_forgets_comes_again(tmp_path, number, code):
    began = time.monotonic()
    done = ended(tmp_path, FORGOTTEN.format(number=int(number)))
    assert (done.returncode, done.stderr) == (code, "")
    assert time.monotonic() - began < 9


BROKEN = """
import os, signal, threading, time
from sim.cli.ending import Ending
ending, code = Ending(), 0
def manage():
    heard.wait()
    raise ValueError("a worker has gone")
heard = threading.Event()
if {early}:
    heard.set()
thread = threading.Thread(target=manage)
thread.start()
try:
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(9)
except KeyboardInterrupt:
    code = 130
    heard.set()
thread.join()
raise SystemExit(ending.exit_code(code))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize("early", [True, False])
def test_a_thread_that_stumbles_is_told_before_all_is_ended_and_not_after(tmp_path, early):
    done = ended(tmp_path, BROKEN.format(early=early))
    assert done.returncode == 143
    assert ("a worker has gone" in done.stderr) == early


def test_what_was_raised_for_an_interruption_is_told_from_other_errors():
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = KeyboardInterrupt()
    assert came_of_interruption(wrapped)
    assert not came_of_interruption(ValueError("another"))
