"""Scenarios that must fail, each beside the words it must fail with: one line for each problem, no more and no fewer."""

from pathlib import Path

import pytest

import sim.spec
from sim.errors import ScenarioError

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_scenario_is_told_in_plain_words(name, monkeypatch):
    monkeypatch.chdir(HERE)
    expected = (HERE / f"{name}.txt").read_text().splitlines()
    with pytest.raises(ScenarioError) as caught:
        sim.spec.load(f"{name}.yaml")
    told = [str(problem) for problem in caught.value.problems]
    assert told == expected


@pytest.mark.parametrize("name", NAMES)
def test_no_message_speaks_the_jargon_of_the_validator(name):
    words = (HERE / f"{name}.txt").read_text()
    assert not any(
        jargon in words
        for jargon in (
            "Input should",
            "Value error",
            "pydantic",
            "Extra inputs",
            "type=",
            "Traceback",
            "Field required",
        )
    )
