"""The verbs that ask why it is slow and whether it comes back: `sim explain`, `sim stability`."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape

import pytest

from sim import cli

SHOP = """\
version: 1
name: kitchen
duration: 20s
warmup: 2s
traffic:
  guests: {sends: kitchen.cook, arrivals: {poisson: 10/s}, timeout: 500ms, retry: {max_attempts: 3, backoff: {constant: 0s}, on: [timeout]}}
services:
  kitchen: {workers: 1, endpoints: {cook: [{work: {exponential: 20ms}}]}}
variants:
  one: {}
  two: {services: {kitchen: {replicas: 2}}}
"""
QUICK = ("--quiet", "--jobs", "1", "--replications", "1")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kitchen.yaml").write_text(SHOP)
    return tmp_path


def test_explain_tells_writes_and_draws(shop, capsys):
    assert cli.answer(["explain", "kitchen.yaml", *QUICK, "--json", "why.json"]) == 0
    told = capsys.readouterr().out
    assert "p99 of one" in told
    assert "p99 of two" in told
    folder = shop / "reports/kitchen-explained"
    assert sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.name.startswith(".")
    ) == [
        "charts",
        "charts/composition.png",
        "charts/composition.svg",
        "explanation.json",
        "explanation.txt",
        "index.html",
    ]
    assert "report: reports/kitchen-explained/index.html" in told
    page = (folder / "index.html").read_text()
    assert '<p class="conclusion">Of the p99 ' in page
    assert "sim explain kitchen.yaml --quantiles p50,p99" in page
    document = json.loads((shop / "why.json").read_text())
    assert list(document["variants"]) == ["one", "two"]
    assert list(document["variants"]["one"]["quantiles"]) == ["p50", "p99"]


def test_explain_takes_quantiles_variants_and_failures(shop, capsys):
    options = [
        "--quantiles",
        "p90,p99.9",
        "--variants",
        "two",
        "--route",
        "kitchen.cook",
        "--all",
        "--json",
        "-",
        "--out",
        "why",
    ]
    assert cli.answer(["explain", "kitchen.yaml", *QUICK, *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["route"] == "kitchen.cook"
    assert {name: list(variant["quantiles"]) for name, variant in document["variants"].items()} == {
        "two": ["p90", "p99.9"]
    }
    assert (shop / "why" / "charts" / "composition.svg").is_file()


def test_an_explanation_does_not_take_the_place_of_files_that_are_not_its_own(shop, capsys):
    (shop / "mine").mkdir()
    (shop / "mine" / "thesis.txt").write_text("years of work")
    assert cli.answer(["explain", "kitchen.yaml", *QUICK, "--out", "mine"]) == 2
    assert "left alone" in capsys.readouterr().err
    assert cli.answer(["explain", "kitchen.yaml", *QUICK]) == 0
    assert cli.answer(["explain", "kitchen.yaml", *QUICK]) == 0, "its own place is written again"


@pytest.mark.long
def test_stability_tells_writes_and_draws(shop, capsys):
    options = [
        "--stressor",
        "outage:kitchen:3s",
        "--loads",
        "5/s,0.8",
        "--watch",
        "65s",
        "--dwell",
        "10s",
        "--precision",
        "0",
    ]
    assert cli.answer(["stability", "kitchen.yaml", *QUICK, *options]) == 0
    told = capsys.readouterr().out
    assert "one: stressor outage:kitchen:3s" in told
    assert "comes back at every load that was tried, up to 8/s" in told
    document = json.loads((shop / "reports/kitchen-stability/stability.json").read_text())
    assert [point["rate"] for point in document["points"]] == [5.0, 8.0]
    assert [step["rate"] for step in document["hysteresis"]["steps"]] == [5.0, 8.0, 5.0]
    assert (shop / "reports/kitchen-stability/charts/hysteresis.svg").is_file()
    page = (shop / "reports/kitchen-stability/index.html").read_text()
    assert "Yes: after outage:kitchen:3s one comes back at every load that was tried, up to 8/s." in page
    again = shlex.split(unescape(re.findall(r"<code>sim (stability [^<]*)</code>", page)[0]))
    fingerprint = document["fingerprint"]
    assert cli.answer([*again, "--quiet", "--json", "again.json"]) == 0
    assert json.loads((shop / "again.json").read_text())["fingerprint"] == fingerprint, (
        "the command on the page gives the same runs"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "kitchen.yaml", "--quantiles", "most"], "--quantiles: found most"),
        (["explain", "kitchen.yaml", "--route", "kitchen.cok"], "unknown route 'kitchen.cok'"),
        (["stability", "kitchen.yaml"], "the scenario has no faults"),
        (["stability", "kitchen.yaml", "--stressor", "flood"], "found 'flood'"),
        (["stability", "kitchen.yaml", "--loads", "much"], "--loads: found 'much'"),
        (["stability", "kitchen.yaml", "--watch", "long"], "--watch: found 'long'"),
        (["stability", "kitchen.yaml", "--variant", "tow"], "did you mean 'two'"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(shop, capsys, arguments, message):
    assert cli.answer([*arguments, "--quiet"]) == 2
    assert message in capsys.readouterr().err
