"""Every verb that writes JSON writes one head, which its published schema accepts; rates are told as their author writes
them, the answer stands last, and what is the same everywhere takes no line.
"""

import json
import math

import jsonschema
import pytest

from sim.cli import answer
from sim.experiments.envelope import SCHEMA, head, head_schema, written
from sim.spec import load_text
from sim.units import rates_told_per, show_rate

SMALL = """version: 1
duration: 20s
traffic: {users: {sends: shop.buy, arrivals: {poisson: 5/s}}}
services: {shop: {workers: 2, endpoints: {buy: [{work: {exponential: 100ms}}]}}}
variants: {one: {services: {shop: {workers: 1}}}, two: {}}
expect: [availability >= 10%]
"""
QUICK = ["--replications", "2", "--jobs", "1", "--engine", "simpy", "--quiet"]
OUT = ["--out", "out"]
CALLS = {
    "list": [],
    "new": ["my-shop"],
    "check": ["small.yaml"],
    "run": ["small.yaml", *QUICK],
    "compare": ["small.yaml", *QUICK, *OUT],
    "explain": ["small.yaml", *QUICK, *OUT],
    "stability": ["small.yaml", *QUICK, *OUT, "--loads", "1", "--precision", "0", "--stressor", "spike:2x:2s"],
    "sweep": ["small.yaml", *QUICK, *OUT, "--over", "services.shop.workers=1,2", "--variants", "two"],
    "import": ["compose.yaml"],
    "export": ["small.yaml", "--to", "k6", "--out", "load.js", "--quiet"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x, ports: ['80:80']}}\n")
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("verb", CALLS)
def test_every_verb_writes_the_same_head(verb, folder, capsys):
    extra = ["--no-hysteresis"] if verb == "stability" else []
    assert answer([verb, *CALLS[verb], *extra, "--json", "found.json"]) in (0, 1), capsys.readouterr().err
    document = json.loads((folder / "found.json").read_text())
    jsonschema.Draft202012Validator(head_schema()).validate(document)
    assert list(document)[: len(head("x"))] == list(head("x"))
    assert (document["schema"], document["kind"], document["problems"]) == (SCHEMA, verb, [])


def test_a_wrong_call_is_json_too_with_the_head_alone(folder, capsys):
    (folder / "small.yaml").write_text(SMALL.replace("workers: 2", "wokers: 2"))
    assert answer(["run", "small.yaml", "--json=-"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["passed"]) == ("run", False)
    assert (document["problems"][0]["line"], document["problems"][0]["path"]) == (4, "services.shop.wokers")
    assert list(document) == list(head("run"))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["run"], "Missing argument 'FILE'"),
        (["run", "small.yaml", "--replicatoins", "2"], "No such option"),
        (["check", "smal.yaml"], "smal.yaml"),
        (["compare", "small.yaml", "--replications", "two"], "'two' is not a valid"),
    ],
)
def test_so_is_one_with_a_slip_in_an_option(call, told, folder, capsys):
    assert answer([*call, "--json", "-"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["passed"], list(document)) == (call[0], False, list(head(call[0])))
    assert told in document["problems"][0]["message"]


def test_a_verb_that_does_not_exist_writes_nothing(folder, capsys):
    assert answer(["rum", "small.yaml", "--json", "-"]) == 2
    assert capsys.readouterr().out == ""


def test_a_field_that_the_head_has_not_is_refused():
    with pytest.raises(TypeError, match="replicas"):
        head("run", replicas=3)


def test_json_has_neither_infinity_nor_nan():
    assert json.loads(written({"a": [math.inf, (math.nan, 1.0)]})) == {"a": [None, [None, 1.0]]}


@pytest.mark.parametrize(
    ("rates", "per"),
    [(["2.4/m"], "m"), (["90/h", "2.4/m"], "m"), (["3/d"], "d"), (["2/m", "1/s"], "s"), (["1/min"], "min")],
)
def test_rates_are_told_in_the_finest_unit_that_the_traffic_is_written_in(rates, per):
    traffic = ", ".join(
        f"t{place}: {{sends: shop.buy, arrivals: {{poisson: {rate}}}}}" for place, rate in enumerate(rates)
    )
    services = "services: {shop: {workers: 2, endpoints: {buy: [{work: 1ms}]}}}"
    assert load_text(f"version: 1\nduration: 1h\ntraffic: {{{traffic}}}\n{services}").rates_per == per


def test_a_rate_of_a_minute_stays_one_in_check_table_and_expectation(folder, capsys):
    (folder / "slow.yaml").write_text(
        "version: 1\nduration: 1h\ntraffic: {ops: {sends: shop.buy, arrivals: {deterministic: 2.4/m}}}\n"
        "services: {shop: {workers: 1, endpoints: {buy: [{work: 6s}]}}}\nexpect: [throughput >= 2/m]\n"
    )
    assert answer(["check", "slow.yaml"]) == 0
    assert " 2.4/m " in capsys.readouterr().out
    assert answer(["run", "slow.yaml", *QUICK]) == 0
    told = capsys.readouterr().out
    assert "found 2.38/m" in told  # one every 25 s, the first after 25 s: 143 of them are answered within the hour
    assert "/s" not in told
    assert show_rate(0.04) == "0.04/s"  # what was told there is told elsewhere as ever


def test_who_tells_in_another_unit_tells_the_others_as_before():
    with rates_told_per("h"):
        assert show_rate(2.0) == "7200/h"
    assert show_rate(2.0) == "2/s"


def test_the_answer_stands_behind_all_figures_and_what_is_alike_in_one_line(folder, capsys):
    assert answer(["compare", "small.yaml", *QUICK, *OUT]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("answer: "))
    assert not any(line.startswith("  response") for line in lines[place:])
    alike = [line for line in lines if line.startswith("  the same in all: ")]
    assert any("offered" in line for line in alike)
    assert not any(line.startswith("  offered") for line in lines)
