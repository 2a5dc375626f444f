"""The command line: names, exit codes and JSON are relied on; errors are told without a traceback, all at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim import cli

SHOP = """\
# Does the second cook help? One stove, one or two cooks.
version: 1
name: kitchen
duration: 20s
warmup: 2s
seed: 7
traffic:
  guests: {sends: kitchen.cook, arrivals: {poisson: 20/s}, timeout: 2s}
services:
  kitchen:
    workers: 1
    queue: {capacity: 20}
    endpoints:
      cook: [{work: {exponential: 40ms}}]
variants:
  one: {}
  two: {services: {kitchen: {replicas: 2}}}
expect:
  - availability(kitchen.cook) >= 50%
"""


@pytest.fixture(autouse=True)
def kitchen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIM_DEBUG", raising=False)
    (tmp_path / "kitchen.yaml").write_text(SHOP)
    return tmp_path


def sim(*arguments: str) -> int:
    return cli.answer([*arguments])


QUICK = ("--replications", "2", "--jobs", "1")


def test_run_prints_a_table_and_writes_nothing(capsys, kitchen):
    assert sim("run", "kitchen.yaml", "--variant", "two", *QUICK) == 0
    out = capsys.readouterr().out
    assert re.match(r"kitchen: 2 replications, seed 7, engine simpy, .*fingerprint [0-9a-f]{32}\n", out)
    assert "response p99" in out
    assert "✓ two: availability(kitchen.cook) >= 50%" in out
    assert [path.name for path in kitchen.iterdir()] == ["kitchen.yaml"]


def test_compare_writes_figures_and_report_where_they_belong(capsys, kitchen):
    assert sim("compare", "kitchen.yaml", *QUICK) == 0
    out = capsys.readouterr().out
    folder = kitchen / "reports" / "kitchen"
    assert "against one" in out
    assert "report: reports/kitchen/index.html" in out
    assert json.loads((folder / "results.json").read_text())["scenario"] == "kitchen"
    assert list(folder.glob("*.html"))


def test_a_finished_run_is_drawn_again(kitchen):
    sim("compare", "kitchen.yaml", *QUICK, "--out", "friday")
    before = (kitchen / "friday" / "results.json").read_text()
    for page in (kitchen / "friday").glob("*.html"):
        page.unlink()
    assert sim("report", "friday") == 0
    assert list((kitchen / "friday").glob("*.html"))
    assert (kitchen / "friday" / "results.json").read_text() == before
    assert sim("report", "friday") == 0


def test_a_failed_expectation_is_exit_code_1(capsys):
    assert sim("run", "kitchen.yaml", *QUICK, "--set", "expect.0=p99(response) < 1ms") == 1
    assert "✗ one: p99(response) < 1ms" in capsys.readouterr().out


def test_json_on_stdout_is_all_there_is(capsys):
    assert sim("run", "kitchen.yaml", *QUICK, "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["variants"]["one"]["metrics"]["offered"]["unit"] == "1/s"


def test_the_same_call_gives_the_same_json(kitchen):
    for name in ("a.json", "b.json"):
        assert sim("compare", "kitchen.yaml", *QUICK, "--quiet", "--json", name) == 0
    assert (kitchen / "a.json").read_bytes() == (kitchen / "b.json").read_bytes()


def test_an_earlier_run_is_a_baseline(capsys):
    sim("run", "kitchen.yaml", *QUICK, "--json", "yesterday.json")
    capsys.readouterr()
    assert sim("compare", "kitchen.yaml", "yesterday.json", *QUICK) == 0
    out = capsys.readouterr().out
    assert "against yesterday.json, unpaired (Welch's test)" in out
    assert "one against one: no significant difference" in out


def test_two_files_are_compared_as_one(capsys, kitchen):
    (kitchen / "bistro.yaml").write_text(SHOP.replace("40ms", "30ms"))
    assert sim("compare", "kitchen.yaml", "bistro.yaml", "--variants", "kitchen:one,bistro:one", *QUICK) == 0
    assert "against kitchen:one" in capsys.readouterr().out
    assert (kitchen / "reports" / "kitchen-vs-bistro" / "results.json").is_file()


def test_check_shows_load_and_warnings_and_refuses_nothing_that_is_merely_unwise(capsys):
    assert sim("check", "kitchen.yaml", "--set", "traffic.guests.arrivals.poisson=100/s") == 0
    out = capsys.readouterr().out
    assert out.startswith("kitchen: no errors")
    assert "warning: kitchen (workers): asked for 400% of what it can do" in out


def test_all_that_is_wrong_is_told_at_once_then_counted(capsys, kitchen):
    (kitchen / "bad.yaml").write_text(SHOP.replace("workers: 1", "wokers: 1").replace("duration: 20s", "duration: 20"))
    assert sim("check", "bad.yaml") == 2
    err = capsys.readouterr().err
    assert "bad.yaml:4:11: duration: found 20" in err
    assert "did you mean 'workers'?" in err
    assert re.search(r"^\d problems$", err, re.MULTILINE)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "kitchn.yaml"], "did you mean 'kitchen.yaml'?"),
        (["run", "payment-outrage"], "did you mean 'payment-outage'?"),
        (["run", "kitchen.yaml", "--variant", "tow"], "did you mean 'two'?"),
        (["compare", "kitchen.yaml", "--variants", "one,tow"], "did you mean 'two'?"),
        (["run", "kitchen.yaml", "--engine", "simpie"], "did you mean 'simpy'?"),
        (["run", "kitchen.yaml", "--set", "services.kitchn.workers=2"], "did you mean 'kitchen'?"),
        (["run", "kitchen.yaml", "--replications", "0"], "0 is not in the range"),
        (["run", "kitchen.yaml", "--out", "kitchen.yaml"], "kitchen.yaml"),
        (["run", "kitchen.yaml", "--out", "."], "holds files that are not a report"),
        (["run", "kitchen.yaml", "--json", "."], "is a directory"),
        (["run", "kitchen.yaml", "--plugin", "nowhere.py"], "no such file"),
        (["report", "nowhere"], "no such directory"),
        (["report", "."], "not the report of a run"),
        (["comprae", "kitchen.yaml"], "did you mean 'compare'?"),
        (["run", "kitchen.yaml", "--vairant", "two"], "--variant"),
        (["run"], "Missing argument 'FILE'"),
        (["new", "no/../good name"], "expected letters, digits and dashes"),
    ],
)
def test_a_wrong_call_is_exit_code_2_and_names_the_right_word(capsys, arguments, words):
    assert sim(*arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_new_scenario_is_written_once_and_is_right(capsys, kitchen):
    assert sim("new", "my-shop") == 0
    assert sim("check", "my-shop.yaml") == 0
    assert "no warnings" in capsys.readouterr().out
    (kitchen / "my-shop.yaml").write_text("mine")
    assert sim("new", "my-shop.yaml") == 2
    assert (kitchen / "my-shop.yaml").read_text() == "mine"


def test_list_shows_names_with_their_questions(capsys):
    assert sim("list") == 0
    assert re.search(r"^payment-outage +The payment provider goes dark", capsys.readouterr().out, re.MULTILINE)


def test_schema_is_a_json_schema(capsys):
    assert sim("schema") == 0
    assert "properties" in json.loads(capsys.readouterr().out)


def test_a_defect_is_one_line_and_exit_code_3_and_debug_shows_where(capsys, monkeypatch):
    def broken(*_arguments, **_options):
        raise KeyError("no such thing")

    monkeypatch.setattr("sim.experiments.comparison.run", broken)
    assert sim("run", "kitchen.yaml", *QUICK) == 3
    assert capsys.readouterr().err == "error: unexpected KeyError: 'no such thing'; --debug shows where\n"
    assert sim("run", "kitchen.yaml", *QUICK, "--debug") == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_failing_run_is_exit_code_3_with_the_command_that_repeats_it(capsys, kitchen):
    (kitchen / "bad_luck.py").write_text(
        "from sim.spec.base import register\n"
        "from sim.spec.distribution import Distribution\n"
        "@register('distribution', 'cursed')\n"
        "class Cursed(Distribution):\n"
        "    @property\n"
        "    def mean(self): return 0.01\n"
        "    @property\n"
        "    def scv(self): return 0.0\n"
        "    def quantile(self, u): raise ArithmeticError('cursed')\n"
    )
    (kitchen / "cursed.yaml").write_text("plugins: [bad_luck.py]\n" + SHOP.replace("{exponential: 40ms}", "{cursed: {}}"))
    assert sim("run", "cursed.yaml", "--plugin", "bad_luck.py", "--set", "services.kitchen.queue.capacity=9", *QUICK) == 3
    err = capsys.readouterr().err
    assert "variant 'one', seed 7, replication 0: ArithmeticError: cursed" in err
    assert "repeat it alone with: sim run cursed.yaml --variant one --seed 7 --only-replication 0 --plugin" in err
    assert "--set services.kitchen.queue.capacity=9" in err


@pytest.mark.parametrize("verb", ["list", "new", "check", "run", "compare", "sweep", "capacity", "report", "schema"])
def test_the_help_of_every_verb_has_an_example(capsys, verb):
    assert sim(verb, "--help") == 0
    assert f"Example:\n    sim {verb}" in capsys.readouterr().out


# ---- as a process of its own


def process(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "sim", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_help_answers_at_once():
    """Nothing heavy is imported; the fastest of three, since a busy machine is no fault of ours."""
    took = []
    for _ in range(3):
        begun = time.monotonic()
        assert subprocess.run([sys.executable, "-m", "sim", "--help"], capture_output=True, check=True).stdout
        took.append(time.monotonic() - begun)
    assert min(took) < 0.4


def test_ctrl_c_is_exit_code_130_within_a_second_and_says_how_much_was_done(kitchen):
    (kitchen / "long.yaml").write_text(SHOP.replace("duration: 20s", "duration: 30h"))
    running = process("compare", "long.yaml", "--jobs", "2", start_new_session=True)
    time.sleep(3.5)
    pressed = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the parent and to its workers
    out, err = running.communicate(timeout=20)
    assert time.monotonic() - pressed < 2.0
    assert running.returncode == 130
    assert err.strip().splitlines()[-1] == "interrupted: 0 of 20 runs were finished"
    assert "Traceback" not in err
    assert out == ""
    assert not (kitchen / "reports").exists()


def test_a_reader_who_goes_away_ends_the_talking_and_not_the_verdict():
    """`sim check ... | head -1`"""
    reader, writer = os.pipe()
    running = subprocess.Popen([sys.executable, "-m", "sim", "run", "kitchen.yaml", *QUICK], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    os.close(reader)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert err == ""


def test_a_terminal_that_knows_no_tick_gets_a_question_mark():
    running = process("run", "kitchen.yaml", *QUICK, encoding="latin-1", env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "? one: availability" in out


def test_python_dash_m_is_the_command():
    done = subprocess.run([sys.executable, "-m", "sim", "--version"], capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    assert re.fullmatch(r"sim \d+\.\d+\.\d+\n", done.stdout)
