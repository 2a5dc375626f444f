"""Three hundred mutated scenarios and recordings: no exception but ours, no hang, no memory beyond a GiB. By hand: python -m tests.attacks.fuzz."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.spec.document import plain
from sim.spec.reading import read_yaml
from tests.attacks import fuzz
from tests.attacks.corpus import later_samples, random_samples, recorded_samples, shipped_samples, written
from tests.attacks.mutations import mutated_rows, mutated_text, mutated_tree
from tests.attacks.trial import SCENARIO, Input, attempt, made
from tests.attacks.victims import AS_NOBODY, REPOSITORY

SEED = 7


@pytest.mark.long
@pytest.mark.xdist_group("compiled")
@pytest.mark.skipif(
    not hasattr(os, "fork") or not Path("/proc/self/statm").exists(),
    reason="forks, and asks /proc how large a process is",
)
def test_nothing_but_errors_of_ours_comes_of_mutated_input(tmp_path):
    findings = fuzz.fuzz(300, SEED, tmp_path)
    told = "\n\n".join(f"{kind}: {numbers}\n{findings.words[kind]}" for kind, numbers in findings.kinds.items())
    assert not findings.kinds, f"python -m tests.attacks.fuzz --seed {SEED} --only NUMBER\n{told}"
    assert findings.verdicts["ran"] >= 60, "most of what is mutated a little should still be a scenario"
    assert findings.verdicts["refused"] >= 60


@pytest.mark.long
def test_nor_for_a_user_who_is_not_root(nobodys):
    command = [
        *AS_NOBODY,
        sys.executable,
        "-m",
        "tests.attacks.fuzz",
        "40",
        "--seed",
        str(SEED + 1),
        "--engine",
        "simpy",
        "--keep",
        str(nobodys / "found"),
    ]
    own = {**os.environ, "HOME": str(nobodys), "TMPDIR": str(nobodys), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, env=own)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_same_numbers_make_the_same_input():
    assert [made(3, number) for number in range(30)] == [made(3, number) for number in range(30)]
    assert made(3, 1) != made(4, 1)


@pytest.mark.long
def test_what_is_not_mutated_is_written_as_it_was_read():
    for sample in (*shipped_samples(), *random_samples()[:10], *later_samples(), *recorded_samples()):
        assert plain(read_yaml(written(sample.tree))) == plain(read_yaml(sample.text))


@pytest.mark.long
def test_every_sample_runs(tmp_path):
    """Harm done to what is wrong already would find nothing."""
    for number, sample in enumerate(
        (*shipped_samples()[:3], *random_samples()[:3], *later_samples()[::15], *recorded_samples())
    ):
        assert attempt(Input({SCENARIO: sample.text.encode(), **sample.files}, "simpy"), tmp_path) == "ran", number


def test_a_finding_is_noticed_and_told_apart_by_its_place(tmp_path, monkeypatch):
    def broken(_path):
        raise KeyError("no such thing")

    monkeypatch.setattr("tests.attacks.trial.load", broken)
    kind, words = fuzz.judged(SEED, 0, tmp_path)
    assert kind.startswith("KeyError in test_fuzz.py:broken")
    assert "no such thing" in words


@pytest.mark.parametrize("harm", [mutated_text, mutated_rows])
def test_any_bytes_can_be_harmed(harm):
    for seed in range(300):
        dice = random.Random(seed)
        text = "".join(dice.choice("ab,\n\"'é ") for _ in range(dice.randrange(12)))
        assert isinstance(harm(dice, text if harm is mutated_text else text.encode()), bytes)


def test_any_tree_can_be_harmed():
    for seed in range(300):
        harmed = written(mutated_tree(random.Random(seed), {"a": [1, {"b": None}], "c": "5ms"}, [{"a": 1}]))
        try:
            read_yaml(harmed)
        except ScenarioError:
            continue
