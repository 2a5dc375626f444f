"""The examples in the help of commands that simulate run, on the scenario that they name, but for searches that take minutes."""

from __future__ import annotations

import re
import shlex

import pytest
from heads import ROOT

from sim import cli
from sim.experiments import shipped

SHORT = ["--set", "duration=20s", "--set", "warmup=2s", "--jobs", "1"]
SIMULATES = ("run", "compare", "explain", "capacity")
OWN = ("--replications", "--precision", "--best")  # say how often


def examples():
    """What stands below `Example:` in the docstrings of commands, in one line each."""
    for path in sorted((ROOT / "sim/cli").glob("*.py")):
        text = re.sub(r"\\\\\n +", " ", path.read_text(encoding="utf-8"))
        for found in re.findall(r"^      sim ([^\n]+)$", text, re.MULTILINE):
            words = shlex.split(re.sub(r" {3,}.*", "", found))  # behind it may stand what it is
            if len(words) > 1 and words[1] in shipped.names() and words[0] in SIMULATES:
                yield pytest.param(words, id=" ".join(words))


@pytest.mark.long
@pytest.mark.parametrize("words", list(examples()))
def test_an_example_of_the_help_runs(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = [
        *SHORT,
        *([] if any(word in OWN for word in words) else ["--replications", "2" if "--at" in words else "1"]),
    ]
    assert cli.answer([*words, *short]) in (0, 1), capsys.readouterr().err  # 1: an expectation does not hold


def test_there_are_examples():
    assert {param.values[0][0] for param in examples()} == set(SIMULATES)
