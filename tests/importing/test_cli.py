"""`sim import` on the command line: where the scenario goes, what is said beside it, and what is never overwritten."""

import io
import json
import stat
import sys

import pytest

from sim import cli
from sim.experiments.on_paper.offered_load import check
from sim.spec import load_text

SHOP = 'services: {web: {ports: ["80:80"], environment: {CART_ADDR: "cart:70"}}, cart: {image: example/cart}}\n'


@pytest.fixture(autouse=True)
def compose(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yaml").write_text(SHOP)
    return tmp_path


def test_the_scenario_goes_to_stdout_and_what_is_said_to_stderr(capsys):
    assert cli.answer(["import", "compose.yaml"]) == 0
    out, err = capsys.readouterr()
    assert load_text(out).name == "compose"
    assert "requests come in at web" in err
    assert "to be supplied" in err
    assert cli.answer(["import", "compose.yaml", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_what_import_wrote_check_accepts_and_names_what_is_to_be_supplied(capsys):
    assert cli.answer(["import", "compose.yaml", "--out", "shop.yaml"]) == 0
    assert cli.answer(["check", "shop.yaml"]) == 0
    out = capsys.readouterr().out
    assert "shop: no errors" in out
    assert "6 values stand in for what nobody measured (TO BE SUPPLIED)" in " ".join(out.split())


def test_marks_that_are_gone_are_told_of_no_more(capsys):
    assert cli.answer(["import", "compose.yaml", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert any("TO BE SUPPLIED" in warning.finding for warning in check(load_text(text)).warnings)
    assert not any(
        "TO BE SUPPLIED" in warning.finding
        for warning in check(load_text(text.replace("# TO BE SUPPLIED", "#"))).warnings
    )


def test_a_file_that_is_there_is_replaced_only_by_force(compose, capsys):
    (compose / "shop.yaml").write_text("mine")
    assert cli.answer(["import", "compose.yaml", "--out", "shop.yaml"]) == 2
    assert "shop.yaml: exists already; nothing was changed" in capsys.readouterr().err
    assert (compose / "shop.yaml").read_text() == "mine"
    assert cli.answer(["import", "compose.yaml", "--out", "shop.yaml", "--force"]) == 0
    assert "name: shop" in (compose / "shop.yaml").read_text()
    assert (
        stat.S_IMODE((compose / "shop.yaml").stat().st_mode) & 0o077
        == stat.S_IMODE((compose / "compose.yaml").stat().st_mode) & 0o077
    )
    assert sorted(path.name for path in compose.iterdir()) == ["compose.yaml", "shop.yaml"]


def test_a_folder_that_is_not_there_is_told(capsys):
    assert cli.answer(["import", "compose.yaml", "--out", "none/shop.yaml"]) == 3
    assert "none/shop.yaml: could not be written: No such file" in capsys.readouterr().err


def test_json_holds_all_that_was_said_and_the_scenario(compose, capsys):
    assert cli.answer(["import", "compose.yaml", "--json", "-", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["services"] == 2
    assert told["files"] == [{"file": "compose.yaml", "kinds": ["Docker compose"], "taken": {"call": 1, "service": 2}}]
    assert {stand_in["what"] for stand_in in told["to_be_supplied"]} >= {
        "how many requests come",
        "the time that a request takes here",
    }
    assert load_text(told["text"])
    assert cli.answer(["import", "compose.yaml", "--json", "told.json", "--out", "shop.yaml"]) == 0
    assert json.loads((compose / "told.json").read_text())["services"] == 2


def test_standard_input_is_a_file_too(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SHOP.encode())))
    assert cli.answer(["import", "-", "--name", "my shop"]) == 0
    out, err = capsys.readouterr()
    assert load_text(out).name == "my shop"
    assert "<stdin>: Docker compose: 1 call, 2 services" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.yaml"], "missing.yaml: no such file"),
        (["."], ".: is a directory, not a regular file, expected files; name them: ./*.yaml"),
        (["/dev/null"], "is a device, not a regular file"),
        (["compose.yaml", "--kind", "composer"], "--kind: unknown kind 'composer'; did you mean 'compose'?"),
        (["compose.yaml", "--name", "a\x1bb"], "found the name 'a\\x1bb', expected words"),
        (["compose.yaml", "--confine", "inner"], "lies outside of inner"),
        ([], "Missing argument"),
    ],
)
def test_a_wrong_call_is_told_without_a_traceback(compose, capsys, arguments, words):
    (compose / "inner").mkdir()
    assert cli.answer(["import", *arguments]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_a_file_that_is_too_large_is_told_without_being_read_whole(compose, capsys):
    with (compose / "large.yaml").open("wb") as file:
        file.truncate(10 * 2**30)
    assert cli.answer(["import", "large.yaml"]) == 2
    assert "large.yaml: found more than 4 MiB" in capsys.readouterr().err
