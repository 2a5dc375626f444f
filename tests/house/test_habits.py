"""What others put into their own checks: the action of GitHub and the hooks of pre-commit fail where an expectation does not hold."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
from heads import ROOT
from ruamel.yaml import YAML

HOLDS = """version: 1
duration: 5s
traffic: {a: {sends: b.c, arrivals: {deterministic: 10/s}}}
services: {b: {workers: 1, endpoints: {c: [{work: 10ms}]}}}
expect: [p99(response) < 20ms]
"""
BROKEN = HOLDS.replace("< 20ms", "< 5ms")
ACTION = YAML(typ="safe").load((ROOT / ".github/actions/sim/action.yml").read_text())
HOOKS = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture
def place(tmp_path):
    (tmp_path / "holds.yaml").write_text(HOLDS)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    (tmp_path / "wrong.yaml").write_text(HOLDS.replace("workers", "wokers"))
    return tmp_path


# ---- the action


def simulated(place, files, **more):
    """The step that simulates, as the runner starts it."""
    folder = place / "temp" / "sim" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sim "$@"\n')
    (folder / "sim").chmod(0o755)
    given = {"FILES": files, "OPTIONS": "--replications 1 --jobs 1", "JUNIT": "", **more}
    environment = {
        **os.environ,
        **given,
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
    }
    (script,) = [step["run"] for step in ACTION["runs"]["steps"] if step["name"] == "Simulate"]
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]  # as GitHub runs `shell: bash`
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_action_fails_on_a_broken_expectation_and_goes_on_to_the_next_file(place):
    done = simulated(place, "broken.yaml\nholds.yaml\n", JUNIT="reports of ci")
    assert done.returncode == 1, done.stderr
    summary = (place / "summary.md").read_text()
    assert summary.count("### ❌") == 1
    assert summary.count("### ✅") == 1
    assert sorted(path.name for path in (place / "reports of ci").iterdir()) == ["broken.yaml.xml", "holds.yaml.xml"]


@pytest.mark.long
def test_the_action_is_content_where_all_holds(place):
    assert simulated(place, "holds.yaml").returncode == 0


@pytest.mark.long
def test_the_action_runs_no_text_of_its_inputs(place):
    done = simulated(place, "$(touch ran).yaml\n`touch ran`.yaml; touch ran")
    assert done.returncode == 1
    assert not (place / "ran").exists()


def test_the_action_is_a_composite_one_whose_inputs_are_all_used():
    assert ACTION["runs"]["using"] == "composite"
    text = (ROOT / ".github/actions/sim/action.yml").read_text()
    assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in text] == []
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"])


# ---- the hooks


def hooked(place, name, *files):
    (entry,) = [hook["entry"] for hook in HOOKS if hook["id"] == name]
    command = [sys.executable, *shlex.split(entry)[1:], *files]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_the_hooks_have_what_pre_commit_needs():
    assert all({"id", "name", "entry", "language"} <= set(hook) for hook in HOOKS)
    assert {hook["language"] for hook in HOOKS} == {"python"}


def test_the_hook_of_check_tells_what_is_wrong_in_every_file(place):
    assert hooked(place, "sim-check", "holds.yaml", "broken.yaml").returncode == 0
    done = hooked(place, "sim-check", "wrong.yaml", "holds.yaml")
    assert done.returncode == 2
    assert "did you mean 'workers'?" in done.stderr


@pytest.mark.long
def test_the_hook_of_expectations_fails_on_a_broken_one_and_says_what_was_found(place):
    done = hooked(place, "sim-expect", "--replications", "1", "holds.yaml", "broken.yaml")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == ["broken.yaml: base: expected p99(response) < 5ms, found 10.0 ms"]
    assert hooked(place, "sim-expect", "holds.yaml").returncode == 0
    assert not (place / "reports").exists()
