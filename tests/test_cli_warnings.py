"""What `sim check` would warn of is printed by the commands that run, shortly, on stderr, and nowhere else."""

import json

import pytest

from sim import cli

SHOP = """version: 1
duration: 5s
traffic: {t: {sends: {a.b: 60%, a.c: 20%}, arrivals: {poisson: 9/s}}}
services: {a: {workers: 1, endpoints: {b: [{work: 100ms}], c: [], d: [], e: []}}}
policies: {p: {timeout: 1s}}
faults: [{at: 9s, outage: a}]
variants: {one: {}, two: {services: {a: {workers: 2}}}}
"""
QUICK = ("shop.yaml", "--replications", "1", "--jobs", "1", "--engine", "simpy")


@pytest.fixture(autouse=True)
def shop(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIM_CACHE", str(tmp_path_factory.mktemp("cache")))
    (tmp_path / "shop.yaml").write_text(SHOP)


def warned(capsys, *arguments):
    assert cli.answer(arguments) == 0
    out, err = capsys.readouterr()
    return out, [line for line in err.splitlines() if line.startswith("warning:") or "more: sim check" in line]


@pytest.mark.long
@pytest.mark.parametrize("verb", ["run", "compare", "explain"])
def test_a_run_prints_the_first_warning_of_each_kind_and_the_number_of_the_rest(capsys, verb):
    _, lines = warned(capsys, verb, *QUICK)
    assert lines == [
        "warning: policies.p: nothing refers to the policy 'p'",
        "warning: traffic.t.sends: the shares add up to 80%, not to 100%",
        "warning: faults.outage of a: begins at 9s, and the run ends at 5s",
        "warning: services: queues without limit: a",
        "warning: warmup: 0, with steady load",
        "2 more: sim check shop.yaml",
    ]


def test_quiet_is_quiet(capsys):
    assert warned(capsys, "run", *QUICK, "--quiet")[1] == []


def test_json_on_stdout_holds_no_warnings(capsys):
    out, lines = warned(capsys, "run", *QUICK, "--json", "-")
    assert "warning" not in json.dumps(json.loads(out))
    assert lines
