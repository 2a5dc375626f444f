"""The command line where its streams or its disk are not what they should be: a closed stdout, a full device, half a scenario."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line for the shell in which `sim` is the command."""
    line = f'sim() {{ "{sys.executable}" -m sim "$@"; }}; {command}'
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_reason_to_fail(closed, tmp_path):
    done = in_shell(f"sim list {closed}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["list", "schema"])
def test_what_cannot_be_said_is_an_error_in_one_line(command, tmp_path):
    done = in_shell(f"sim {command} >/dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (3, "error: stdout could not be written: No space left on device\n")


def test_a_scenario_that_could_not_be_written_whole_is_not_in_the_way_of_the_next_try(tmp_path):
    failed = in_shell("ulimit -f 0; sim new corner", tmp_path)
    assert failed.returncode == 3
    assert "error: corner.yaml: could not be written: File too large" in failed.stderr
    assert list(tmp_path.iterdir()) == []
    assert in_shell("sim new corner", tmp_path).returncode == 0


def test_an_empty_name_is_called_empty(tmp_path):
    assert "found the name '', expected letters" in in_shell("sim new ''", tmp_path).stderr


def test_a_pipe_is_not_taken_for_a_missing_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert in_shell("sim check pipe.yaml", tmp_path).stderr == "error: pipe.yaml: is a pipe, not a regular file\n"


def test_a_word_for_a_number_is_told_in_plain_words(tmp_path):
    told = in_shell("sim run 01-one-queue --replications two", tmp_path).stderr
    assert "Invalid value for '--replications': 'two' is not a valid whole number." in told


@pytest.mark.long
def test_the_schema_knows_the_words_of_a_plug_in_that_is_named(tmp_path):
    plugin = Path("scenarios/cache.py").resolve()
    assert "cached_call" in json.dumps(
        json.loads(in_shell(f"sim schema --plugin '{plugin}'", tmp_path).stdout)["$defs"]["step"]
    )
    assert "cached_call" not in in_shell("sim schema", tmp_path).stdout
    assert in_shell("sim schema --plugin nowhere.py", tmp_path).stderr == "error: plug-in nowhere.py: no such file\n"


def test_a_directory_with_a_broken_marker_is_refused_before_the_work(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".sim-report.json").write_text("{")
    done = in_shell("sim compare 01-one-queue --replications 1 --out out", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "error: out: holds files that are not a report of this version of sim, and is left alone; choose another directory\n"
    )


def test_rates_of_closed_users_are_told_in_plain_words(tmp_path):
    users = "version: 1\nduration: 10m\ntraffic: {u: {sends: a.e, arrivals: {closed: {users: 3, think: 1s}}}}\n"
    (tmp_path / "closed.yaml").write_text(
        f"{users}services: {{a: {{workers: 1, endpoints: {{e: [{{work: 5ms}}]}}}}}}\n"
    )
    told = in_shell("sim stability closed.yaml --stressor outage:a:5s --loads 10/s,20/s --quiet", tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert (
        told.stderr
        == "error: --loads: found rates, but no open traffic sends anything to be a share of; expected factors such as 0.5,1,2\n"
    )


@pytest.mark.long
def test_long_names_are_told_or_shortened(tmp_path):
    """400 characters are more than a file name holds."""
    long = "n" * 400
    text = "version: 1\nname: {name}\nduration: 10s\ntraffic: {{u: {{sends: {a}.e, arrivals: {{poisson: 5/s}}}}}}\nservices: {{{a}: {{workers: 1, endpoints: {{e: [{{work: 5ms}}]}}}}}}\n"
    (tmp_path / "key.yaml").write_text(text.format(name="x", a=long))
    told = in_shell("sim run key.yaml", tmp_path)
    assert told.returncode == 2
    assert "found a name of 400 characters, expected at most 200" in told.stderr
    (tmp_path / "name.yaml").write_text(text.format(name="ü" * 400, a="a"))
    told = in_shell("sim compare name.yaml --replications 2 --quiet", tmp_path)
    assert told.returncode == 0
    assert len(next((tmp_path / "reports").iterdir()).name.encode()) < 120
