"""`sim export` as a user types it: of a scenario, of a finished run, to a file, a pipe or a device."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sim.cli import answer
from sim.exporting import FORMATS
from tests.exporting.runs import CALLS, EVENTS

WHOLE = CALLS.replace("sends: shop.buy", "sends: GET /").replace(
    "services:\n", "gateway: {workers: 1, routes: {GET /: {to: shop.buy, policy: {timeout: 1s}}}}\nservices:\n"
)
RUN = ("--engine", "simpy", "--jobs", "1", "--quiet")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(CALLS)
    return tmp_path


@pytest.mark.parametrize("name", [found.name for found in FORMATS])
def test_every_format_is_written_of_a_scenario(shop, name):
    (shop / "shop.yaml").write_text(WHOLE)
    assert answer(["export", "shop.yaml", "--to", name, "--out", "out", *RUN]) == 0
    assert (shop / "out").stat().st_size > 100
    assert [path.name for path in shop.iterdir() if path.name.startswith(".")] == []


def test_every_format_is_named_in_the_help():
    from sim.cli.export import export

    told = export.help.partition("Formats:")[2].partition("Example:")[0]
    assert [found.name for found in FORMATS if found.name not in told] == []


@pytest.mark.long
def test_a_finished_run_is_exported_without_running_again(shop, capsys):
    (shop / "shop.yaml").write_text(WHOLE)
    assert (
        answer(
            [
                "compare",
                "shop.yaml",
                "--set",
                "record={keep: rows, spans: exemplars}",
                "--replications",
                "2",
                "--out",
                "report",
                *RUN,
            ]
        )
        == 1
    )
    capsys.readouterr()
    for name in (found.name for found in FORMATS):
        assert answer(["export", "report", "--to", name, "--out", f"{name}.out"]) == 0
    assert json.loads((shop / "otlp.out").read_text())["resourceSpans"]
    assert answer(["export", "report/run.zip", "--to", "csv", "--out", "again.csv"]) == 0
    assert (shop / "again.csv").read_bytes() == (shop / "csv.out").read_bytes()
    assert (
        'name="replications" value="1"' in (shop / "junit.out").read_text()
    )  # nothing is random: the second is the same


def test_a_finished_run_without_spans_is_told_what_to_do(shop, capsys):
    answer(["compare", "shop.yaml", "--replications", "1", "--out", "report", *RUN])
    capsys.readouterr()
    assert answer(["export", "report", "--to", "jaeger"]) == 2
    assert "record: {spans: exemplars}" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("option", [["--set", "duration=1s"], ["--seed", "4"], ["--replications", "2"]])
def test_a_finished_run_stays_as_it_is(shop, capsys, option):
    answer(["compare", "shop.yaml", "--replications", "1", "--out", "report", *RUN])
    assert answer(["export", "report", "--to", "csv", *option]) == 2
    assert "stays as it is" in capsys.readouterr().err


def test_a_damaged_run_is_told_and_nothing_is_written(shop, capsys):
    answer(["compare", "shop.yaml", "--replications", "1", "--out", "report", *RUN])
    archive = shop / "report" / "run.zip"
    archive.write_bytes(archive.read_bytes()[:-100])
    assert answer(["export", "report", "--to", "csv", "--out", "out.csv"]) == 2
    assert "damaged" in capsys.readouterr().err
    assert not (shop / "out.csv").exists()


def test_a_run_outside_of_the_folder_that_confines_is_not_opened(shop, tmp_path_factory, capsys):
    assert answer(["export", str(tmp_path_factory.mktemp("elsewhere")), "--to", "csv", "--confine", str(shop)]) == 2
    assert "lies outside" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop.yaml", "--to", "jeager"], "did you mean 'jaeger'"),
        (["shop.yaml", "--to", "csv", "--variant", "bass"], "did you mean 'base'"),
        (["shop.yaml", "--to", "csv", "--start", "yesterday"], "expected a date such as"),
        (["shop.yaml", "--to", "csv", "--start", "0001-01-01"], "between 1970 and 2200"),
        (["shop.yaml", "--to", "csv", "--out", "."], "--out .: is a directory"),
        (["shop.yml", "--to", "csv"], "no such file"),
    ],
)
def test_what_is_wrong_is_told_in_words(shop, capsys, arguments, words):
    assert answer(["export", *arguments, "--quiet"]) == 2
    assert words in capsys.readouterr().err


def test_without_out_it_goes_to_stdout_alone(shop, capsys):
    assert (
        answer(["export", "shop.yaml", "--to", "otlp", "--engine", "simpy", "--jobs", "1", "--set", "duration=2s"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["resourceSpans"]


@pytest.mark.long
def test_parquet_goes_through_a_pipe_as_bytes(shop):
    command = [sys.executable, "-m", "sim", "export", "shop.yaml", "--to", "parquet", *RUN]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.startswith(b"PAR1")
    assert done.stdout.endswith(b"PAR1")


def test_a_device_is_written_through_and_an_old_file_stays_where_the_work_fails(shop):
    assert answer(["export", "shop.yaml", "--to", "csv", "--out", os.devnull, *RUN]) == 0
    (shop / "old").write_text("old")
    (shop / "events.yaml").write_text(EVENTS + "record: summary\n")
    assert answer(["export", "events.yaml", "--to", "csv", "--out", "old", *RUN]) == 2
    assert (shop / "old").read_text() == "old"


def test_a_comparison_writes_what_ci_servers_read_beside_its_table(shop, capsys):
    """The summary goes behind what the step has said already, as GitHub wants; the report of JUnit replaces that of the last run."""
    (shop / "summary.md").write_text("before")
    (shop / "sim.xml").write_text("old")
    command = ["compare", "shop.yaml", "--junit", "sim.xml", "--github-summary", "summary.md", "--out", "report", *RUN]
    assert answer(command) == 1
    assert "corner-shop" in capsys.readouterr().out
    assert (shop / "summary.md").read_text().startswith("before\n### ❌ corner\\-shop: 1 of 3 expectations failed\n")
    assert (shop / "sim.xml").read_text().startswith("<?xml")
    assert answer(["run", "shop.yaml", "--github-summary", "summary.md", *RUN]) == 1
    assert (shop / "summary.md").read_text().count("### ") == 2


def test_a_place_that_cannot_be_written_is_told_before_the_work(shop, capsys):
    assert answer(["run", "shop.yaml", "--junit", ".", *RUN]) == 2
    assert "--junit .: is a directory" in capsys.readouterr().err
