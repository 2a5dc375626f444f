"""What the head of a shipped scenario says about figures is what a run gives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from heads import agree, fresh, rewrite, show, table_of

import sim

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
PLUGINS = {"09-cache-plugin": [SCENARIOS / "cache.py"]}


@pytest.mark.long
@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_figures_in_the_head_are_those_of_a_run(path):
    table = table_of(path.read_text(encoding="utf-8"))
    assert table is not None, "expected a table of what to look at"
    study = sim.load(path, plugins=PLUGINS.get(path.stem, ()))
    found = fresh(table, sim.compare(study, table.variants, table.replications))
    if os.environ.get("UPDATE_HEADS"):
        rewrite(path, table, found)
        return
    wrong = [
        f"{key}, {name}: the head says {said}, the run {now}"
        for key, values in found.items()
        for name, said, now in zip(table.variants, table.figures[key], values, strict=True)
        if not agree(said, now)
    ]
    assert wrong == []


def test_figures_are_shown_as_people_write_them():
    assert [show(*figure) for figure in ((0.2004, "s"), (12.34, "s"), (600.0, "s"), (0.0, "s"), (0.9935, "share"), (91.2, "1/s"), (22106.0, "1"))] == [
        "200 ms",
        "12.3 s",
        "10 min",
        "0 s",
        "99.3 %",
        "91.2/s",
        "22,106",
    ]
    assert show(600.0, "s", True) == "> 10 min"
    assert show(float("inf"), "s") == "never"


def test_a_wrong_figure_is_noticed():
    assert agree("200 ms", "204 ms")
    assert not agree("200 ms", "240 ms")
    assert not agree("200 ms", "200 s")
    assert not agree("never", "3 s")
    assert agree("-", "-")
