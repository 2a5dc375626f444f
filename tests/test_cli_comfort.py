"""What makes the terminal pleasant: lists within its width, copies to start from, completion, and a run on every save."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import sim
from sim.cli import answer
from sim.experiments import shipped

SMALL = """version: 1
duration: 5s
traffic: {a: {sends: b.c, arrivals: {deterministic: 10/s}}}
services: {b: {workers: 1, endpoints: {c: [{work: 10ms}]}}}
variants: {base: {}, bigger: {services: {b: {workers: 2}}}}
"""


@pytest.mark.parametrize("width", ["80", "132"])
def test_the_list_fits_the_terminal_and_says_every_question_whole(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", width)
    assert answer(["list"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= int(width)
    assert all(" ".join(shipped.question(name).split()) in " ".join(said.split()) for name in shipped.names())


# ---- new --from


@pytest.mark.parametrize("name", [name for name in shipped.names() if name != "09-cache-plugin"])
def test_a_copy_of_every_shipped_scenario_that_stands_alone_is_one(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert answer(["new", "mine", "--from", name]) == 0
    copy, original = sim.load("mine.yaml"), sim.load(name)
    assert copy.name == "mine"
    assert copy.question == original.question
    assert {key: its.model_copy(update={"name": ""}) for key, its in copy.variants.items()} == {
        key: its.model_copy(update={"name": ""}) for key, its in original.variants.items()
    }


def test_what_cannot_be_copied_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert answer(["new", "mine", "--from", "payment-outrage"]) == 2
    assert "did you mean 'payment-outage'" in capsys.readouterr().err
    assert answer(["new", "mine", "--from", "09-cache-plugin"]) == 2
    assert "needs cache.py beside it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---- completion


def completed(line, folder=None):
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_SIM_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from sim.cli import main; main()"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return [word.partition(",")[2] for word in done.stdout.split()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sim comp", ["compare", "completion"]),
        ("sim check payment", ["payment-outage", "payment"]),  # and a file that begins so
        ("sim run payment-outage --variant sync", ["sync", "sync-no-breaker"]),
        ("sim compare payment-outage --variants sync,a", ["sync,async", "sync,async-queue"]),
        ("sim run 01-one-queue --metric goodp", ["goodput"]),
        ("sim export 01-one-queue --to j", ["jaeger", "junit"]),
        ("sim run nowhere --variant s", []),
        ("sim words circuit", ["circuit_breaker"]),
    ],
)
def test_words_are_completed(line, offered):
    assert completed(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_that_switches_completion_on_is_said_alone(shell, capsys):
    assert answer(["completion", shell]) == 0
    told = capsys.readouterr()
    assert f"_SIM_COMPLETE={shell}_source" in told.out
    assert len(told.out.splitlines()) == 1
    assert told.err == ""  # nothing that a file of settings would say at every start


def test_another_shell_is_told(capsys):
    assert answer(["completion", "tcsh"]) == 2
    assert "expected one of: bash, zsh, fish" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to try it in")
def test_bash_takes_the_line(tmp_path):
    """In a shell whose `sim` is this one."""
    (tmp_path / "sim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from sim.cli import main; main()" "$@"\n')
    (tmp_path / "sim").chmod(0o755)
    line = subprocess.run(
        [sys.executable, "-m", "sim", "completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"{line}complete -p sim"], env=environment, capture_output=True, text=True, check=True
    )
    assert "sim" in done.stdout


# ---- watch


@pytest.mark.long
def test_a_saved_file_is_checked_and_run_again(tmp_path):
    """Errors are told and waited out; Ctrl-C ends it."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    command = [
        sys.executable,
        "-m",
        "sim",
        "watch",
        "small.yaml",
        "--engine",
        "simpy",
        "--jobs",
        "1",
        "--quiet",
        "--set",
        "seed=3",
    ]
    with open(tmp_path / "said", "w") as said:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT)
    try:
        _wait_for(tmp_path / "said", "watching", 1)
        file.write_text(SMALL.replace("workers: 1", "wokers: 1"))
        _wait_for(tmp_path / "said", "watching", 2)
        file.write_text(SMALL.replace("10ms", "20ms"))
        text = _wait_for(tmp_path / "said", "watching", 3)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
    assert code == 130
    first, second, third = text.split("watching")[:3]
    assert "10.0 ms" in first
    assert "seed 3" in first
    assert "did you mean 'workers'?" in second
    assert "20.0 ms" in third


def _wait_for(path, words, times):
    for _ in range(600):
        if (text := path.read_text()).count(words) >= times:
            return text
        time.sleep(0.1)
    raise AssertionError(f"not said {times} times: {words}\n{path.read_text()}")


def test_only_a_file_can_be_watched(capsys):
    assert answer(["watch", "payment-outage"]) == 2
    assert "expected one that is saved now and then" in capsys.readouterr().err


# ---- JSON of the verbs that run nothing


def test_a_check_as_json_says_load_and_warnings(tmp_path, capsys):
    """10/s for 10 ms each on one worker: a tenth of it, so that ten times the load fills it."""
    (tmp_path / "small.yaml").write_text(SMALL)
    assert answer(["check", str(tmp_path / "small.yaml"), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["kind"], found["problems"]) == (3, "check", [])
    base = found["variants"]["base"]
    assert (base["bottleneck"], base["capacity"]) == ("b", pytest.approx(10.0))
    (station,) = base["stations"]
    assert (station["servers"], station["utilisation"]) == (1, pytest.approx(0.1))
    assert {"place", "finding", "why"} <= set(found["warnings"][0])


def test_what_is_wrong_is_json_too_with_its_line(tmp_path, capsys):
    (tmp_path / "small.yaml").write_text(SMALL.replace("workers: 1", "wokers: 1"))
    assert answer(["check", str(tmp_path / "small.yaml"), "--json", "-"]) == 2
    told = capsys.readouterr()
    problems = json.loads(told.out)["problems"]
    assert [(problem["line"], problem["path"]) for problem in problems if "wokers" in problem["path"]] == [
        (4, "services.b.wokers")
    ]
    assert "did you mean 'workers'?" in told.err


def test_the_list_as_json_has_every_question(capsys):
    assert answer(["list", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "list"
    assert [its["name"] for its in found["scenarios"]] == shipped.names()


# ---- words


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (
            "outage",
            ["outage (Outage)", "how: hang, refuse, blackhole; hang by default", "outage: payments, how: refuse"],
        ),
        ("circuit_breaker", ["circuit_breaker, of CallPolicy: CircuitBreaker", "CircuitBreaker", "gobreaker: {}"]),
        ("max_attempts", ["max_attempts, of Retry: whole number; 3 by default", "  >       max_attempts: 4"]),
        ("Scenario", ["services: map of Service; required", "Example, the shop:", "name: shop"]),
        ("constant", ["constant (Constant)", "constant (ConstantBackoff)"]),
        ("at", ["Each with its example: sim words Scheduled outage slow"]),
    ],
)
def test_a_word_is_explained_with_an_example(word, told, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert answer(["words", word]) == 0
    shown = capsys.readouterr().out
    assert [part for part in told if part not in shown] == []
    assert max(len(line) for line in shown.partition("Example")[0].splitlines()) <= 80


def test_all_words_are_listed(capsys):
    assert answer(["words"]) == 0
    listed = capsys.readouterr().out
    assert "Faults: outage, slow" in listed
    assert "CircuitBreaker" in listed


@pytest.mark.parametrize(
    ("word", "instead"), [("outrage", "did you mean 'outage'?"), ("hpa", "it is `autoscaling: {min: 2, max: 10")]
)
def test_another_word_is_told_with_the_right_one(word, instead, capsys):
    assert answer(["words", word]) == 2
    assert instead in capsys.readouterr().err


def test_ctrl_c_in_the_midst_of_a_run_ends_the_watching_too(tmp_path, monkeypatch):
    """It would otherwise take two: one for the run, one for the watching."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    asked = []

    def interrupted(arguments):
        asked.append(arguments[0])
        return 130 if arguments[0] == "compare" else 0

    monkeypatch.setattr("sim.cli.answer", interrupted)
    assert answer(["watch", str(file)]) == 130
    assert asked == ["check", "compare"]
