"""Where `--json` writes: through what is no regular file, in the place of what is one."""

import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from sim.cli.destination import Destination
from sim.errors import OutputError, UsageError
from tests.test_cli_streams import in_shell

SIM = [sys.executable, "-m", "sim"]
RUN = "sim run 01-one-queue --set duration=20s --set warmup=0s --replications 1 --quiet"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_regular_file_is_replaced_with_its_mode_kept(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o640)
    inode = path.stat().st_ino
    Destination(str(path)).write("new")
    assert (path.read_text(), mode_of(path)) == ("new", 0o640)
    assert path.stat().st_ino != inode
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_new_file_has_the_mode_that_the_user_gives_new_files(tmp_path):
    mask = os.umask(0o027)
    try:
        Destination(str(tmp_path / "deep" / "new.json")).write("x")
    finally:
        os.umask(mask)
    assert mode_of(tmp_path / "deep" / "new.json") == 0o640


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.json"
    target.write_text("old")
    target.chmod(0o600)
    (tmp_path / "link").symlink_to(target)
    Destination(str(tmp_path / "link")).write("new")
    assert (tmp_path / "link").is_symlink()
    assert (target.read_text(), mode_of(target)) == ("new", 0o600)


def test_a_link_to_nothing_makes_the_file_it_names(tmp_path):
    (tmp_path / "link").symlink_to("later.json")
    Destination(str(tmp_path / "link")).write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "later.json").read_text() == "new"


def test_a_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    Destination(str(pipe)).write("through")
    reader.join()
    assert heard == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_through_and_stays_one():
    Destination("/dev/null").write("gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_an_error_in_one_line():
    with pytest.raises(OutputError, match="No space left"):
        Destination("/dev/full").write("x" * 10)


def test_what_cannot_be_written_is_told_before_the_work(tmp_path):
    with pytest.raises(UsageError, match="is a directory"):
        Destination(str(tmp_path)).refuse()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"Not a directory|cannot be written"):
        Destination(str(tmp_path / "file" / "out.json")).refuse()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("how", ["| cat", "> out.txt; cat out.txt"])
def test_standard_output_by_any_of_its_names_is_standard_output(tmp_path, name, how):
    done = in_shell(f"{RUN} --json {name} {how}", tmp_path)
    assert json.loads(done.stdout)["scenario"] == "01-one-queue"
    assert not [entry for entry in os.listdir(tmp_path) if entry != "out.txt"]


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2"])
def test_standard_error_is_appended_to_where_it_is_a_file(tmp_path, name):
    done = in_shell(f"echo before > err.txt; {RUN} --json {name} 2>> err.txt; cat err.txt", tmp_path)
    before, rest = (tmp_path / "err.txt").read_text().split("\n", 1)
    assert (before, json.loads(rest)["scenario"]) == ("before", "01-one-queue")
    assert "response p99" in done.stdout


def test_an_open_descriptor_is_written_to_where_it_stands(tmp_path):
    done = in_shell(f"exec 5> log.txt; echo before >&5; {RUN} --json /dev/fd/5; echo after >&5; cat log.txt", tmp_path)
    lines = (tmp_path / "log.txt").read_text()
    assert done.returncode == 0
    assert lines.startswith("before\n{")
    assert lines.endswith("}\nafter\n")


@pytest.mark.parametrize("where", ["key", "file", "option", "command", "value"])
def test_control_characters_never_reach_the_terminal(tmp_path, where):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    scenario = tmp_path / (f"a{evil}.yaml" if where == "file" else "a.yaml")
    key = json.dumps(evil) if where == "key" else "a"
    value = json.dumps(evil) if where == "value" else "a.x"
    scenario.write_text(
        f"version: 1\nduration: 1s\ntraffic: {{u: {{sends: {value}, arrivals: {{poisson: 1/s}}}}}}\nservices: {{{key}: {{oops: 1}}}}\n"
    )
    arguments = (
        ["check", str(scenario)]
        if where not in ("option", "command")
        else ["run", f"--{evil}"]
        if where == "option"
        else [evil]
    )
    done = subprocess.run([*SIM, *arguments], capture_output=True, check=False, cwd=os.getcwd())
    assert done.returncode == 2
    said = (done.stdout + done.stderr).decode()
    assert not any(letter in said for letter in "\x1b\x07\u202e")
    assert any(escaped in said for escaped in ("u001b", "U+001B", "x1b"))
