"""What the head of a shipped scenario says about figures is what a run gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from heads import SCENARIOS, agree, fresh, plugins_of, rewrite, show, table_of

from sim import compare, load
from sim.experiments.replicating.document import as_json

LARGE = "black-friday-at-scale"  # a hundred million requests: minutes, and so only on demand
on_demand = pytest.mark.skipif("LARGE_HEADS" not in os.environ, reason="takes ten minutes; LARGE_HEADS=1 runs it")


@pytest.mark.long
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=on_demand if path.stem == LARGE else ()) for path in SCENARIOS],
    ids=lambda path: path.stem,
)
def test_the_figures_in_the_head_are_those_of_a_run(path, tmp_path):
    table = table_of(path.read_text(encoding="utf-8"))
    assert table is not None, "expected a table of what to look at"
    found = fresh(table, json.loads(figures_of(path, table, tmp_path)))
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


def figures_of(path, table, tmp_path):
    """What `--json` writes. A plug-in has a process of its own: its words are registered once, whatever path it has."""
    if plugins_of(path):
        asked = ["--variants", ",".join(table.variants), "--replications", str(table.replications), "--quiet"]
        plugins = [f"--plugin={plugin}" for plugin in plugins_of(path)]
        command = [sys.executable, "-m", "sim", "compare", str(path), "--out", str(tmp_path / "report")]
        done = subprocess.run([*command, *asked, *plugins, "--json", "-"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    comparison = compare(load(path), table.variants, table.replications, jobs=1)
    assert comparison.passed, "every expectation holds, too"
    return as_json(comparison)


SHOWN = [
    ({"value": 0.2004, "unit": "s"}, "200 ms"),
    ({"value": 12.34, "unit": "s"}, "12.3 s"),
    ({"value": 600.0, "unit": "s"}, "10 min"),
    ({"value": 600.0, "unit": "s", "censored": True}, "> 10 min"),
    ({"value": None, "unit": "s", "censored": True}, "never"),
    ({"value": None, "unit": "s"}, "-"),
    (None, "-"),
    ({"value": 0.9934, "unit": "share"}, "99.3 %"),
    ({"value": 91.2, "unit": "1/s"}, "91.2/s"),
    ({"value": 22106.0, "unit": "1"}, "22,106"),
]


@pytest.mark.parametrize(("figure", "shown"), SHOWN, ids=[shown for _, shown in SHOWN])
def test_figures_are_shown_as_people_write_them(figure, shown):
    assert show(figure) == shown


def test_a_wrong_figure_is_noticed():
    assert agree("200 ms", "204 ms")
    assert not agree("200 ms", "240 ms")
    assert not agree("200 ms", "200 s")
    assert not agree("> 200 ms", "200 ms")
    assert not agree("never", "3 s")
    assert agree("-", "-")
