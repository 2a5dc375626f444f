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

import psutil
import pytest

from sim import cli
from sim.experiments.running import jobs

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
def kitchen(tmp_path, tmp_path_factory, monkeypatch):
    """A folder with a scenario in it, and a journal that no other test writes to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIM_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("SIM_DEBUG", raising=False)
    (tmp_path / "kitchen.yaml").write_text(SHOP)
    return tmp_path


@pytest.fixture
def interrupted(monkeypatch):
    """Presses Ctrl-C once, when so many runs are over; answers with the list of the replications that were simulated to their end."""
    simulate = jobs.simulated

    def from_now_on(after):
        over = []

        def impatient(scenario, job, tick):
            if len(over) == after and not pressed:
                pressed.append(True)
                raise KeyboardInterrupt
            records = simulate(scenario, job, tick)
            over.append(job.replication)
            return records

        pressed = []
        for module in ("running.jobs", "replicating.explaining", "stability.replication"):
            monkeypatch.setattr(f"sim.experiments.{module}.simulated", impatient)
        return over

    return from_now_on


def sim(*arguments: str) -> int:
    return cli.answer([*arguments])


QUICK = ("--replications", "2", "--jobs", "1")


def test_run_prints_a_table_and_writes_nothing(capsys, kitchen):
    assert sim("run", "kitchen.yaml", "--variant", "two", *QUICK) == 0
    out = capsys.readouterr().out
    assert re.match(r"kitchen: 2 replications, seed 7, engine simpy, .*fingerprint\s[0-9a-f]{32}\n", out)
    assert "response p99" in out
    assert "✓ two: availability(kitchen.cook) >= 50%" in out
    assert [path.name for path in kitchen.iterdir()] == ["kitchen.yaml"]


@pytest.mark.long
def test_compare_writes_figures_and_report_where_they_belong(capsys, kitchen):
    assert sim("compare", "kitchen.yaml", *QUICK) == 0
    out = capsys.readouterr().out
    folder = kitchen / "reports" / "kitchen"
    assert "against one" in out
    assert "report: reports/kitchen/index.html" in out
    assert json.loads((folder / "results.json").read_text())["scenario"] == "kitchen"
    assert list(folder.glob("*.html"))


@pytest.mark.long
def test_a_finished_run_is_drawn_again(kitchen):
    sim("compare", "kitchen.yaml", *QUICK, "--out", "friday")
    before = (kitchen / "friday" / "results.json").read_text()
    for page in (kitchen / "friday").glob("*.html"):
        page.unlink()
    assert sim("report", "friday") == 0
    assert list((kitchen / "friday").glob("*.html"))
    assert (kitchen / "friday" / "results.json").read_text() == before
    assert sim("report", "friday") == 0


def test_a_sweep_shows_every_point_and_writes_tables(capsys, kitchen):
    assert sim("sweep", "kitchen.yaml", "--variants", "one", "--over", "services.kitchen.workers=1,2", *QUICK) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  kitchen.workers +requests +throughput", out, re.MULTILINE)
    folder = kitchen / "reports" / "kitchen-sweep"
    assert {"index.html", "results.json", "sweep.parquet", "runs.parquet"} <= {path.name for path in folder.iterdir()}
    assert sim("report", str(folder)) == 2
    assert "its results are of a sweep" in capsys.readouterr().err
    assert sim("compare", "kitchen.yaml", str(folder / "results.json"), *QUICK) == 2
    assert "the JSON of a sweep, expected that of run or compare" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["check", "run", "compare", "explain", "stability", "sweep", "capacity"])
def test_every_verb_that_reads_scenarios_can_be_confined(capsys, kitchen, verb):
    (kitchen / "room").mkdir()
    (kitchen / "room" / "s.yaml").symlink_to("../kitchen.yaml")
    for name in ("room/s.yaml", "kitchen.yaml"):
        assert sim(verb, name, "--confine", "room") == 2
        assert capsys.readouterr().err == f"error: {name}: lies outside of room\n"
    assert sim(verb, "kitchen.yaml", "--confine", "nowhere") == 2
    assert "nowhere: no such directory" in capsys.readouterr().err


def test_a_shipped_scenario_is_confined_to_its_own_folder(capsys, kitchen):
    (kitchen / "room").mkdir()
    assert sim("check", "01-one-queue", "--confine", "room") == 0
    assert sim("check", "kitchen.yaml", "--confine", ".") == 0
    assert capsys.readouterr().err == ""


def test_capacity_says_what_breaks_first_and_what_is_cheapest(capsys, kitchen):
    options = (
        "--variants",
        "one",
        "--set",
        "duration=6s",
        "--set",
        "warmup=0",
        "--replications",
        "4",
        "--jobs",
        "1",
        "--quiet",
    )
    assert (
        sim("capacity", "kitchen.yaml", *options, "--resolution", "20%", "--set", "expect.0=p95(response) < 300ms") == 0
    )
    assert "p95(response) < 300ms" in capsys.readouterr().out
    assert (kitchen / "reports" / "kitchen-capacity" / "looks.parquet").is_file()
    assert (
        sim(
            "capacity",
            "kitchen.yaml",
            *options,
            "--over",
            "services.kitchen.replicas=1..4",
            "--at",
            "2x",
            "--json",
            "-",
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out)["choices"][0]["settings"] is not None


def test_what_was_interrupted_goes_on_where_it_was(capsys, interrupted):
    options = ("run", "kitchen.yaml", "--replications", "4", "--jobs", "1")
    simulated = interrupted(after=2)
    assert sim(*options) == 130
    assert (
        "interrupted: 2 of 4 runs were finished; they are kept, and the same command goes on from there"
        in capsys.readouterr().err
    )
    assert sim(*options) == 0
    assert "2 of 4 runs were finished earlier" in capsys.readouterr().err
    assert simulated == [0, 1, 2, 3]
    assert sim(*options) == 0
    assert simulated == [0, 1, 2, 3, 0, 1, 2, 3]  # what was answered is forgotten


def test_another_question_is_not_answered_with_what_is_kept(interrupted):
    simulated = interrupted(after=2)
    explain = ("explain", "kitchen.yaml", "--variants", "one", "--replications", "4", "--jobs", "1")
    assert sim("run", "kitchen.yaml", "--replications", "4", "--jobs", "1") == 130
    assert sim(*explain) == 0
    assert simulated == [0, 1, 0, 1, 2, 3]


@pytest.mark.parametrize(
    "verb", ["explain", "stability --stressor outage:kitchen:2s --loads 1 --precision 0 --no-hysteresis"]
)
def test_every_verb_goes_on_where_it_was(capsys, interrupted, verb):
    simulated = interrupted(after=3)
    options = (*verb.split(), "kitchen.yaml", "--replications", "2", "--jobs", "1")
    assert sim(*options) == 130
    assert "interrupted: 3 of 4 runs were finished; they are kept" in capsys.readouterr().err
    assert sim(*options) == 0
    assert simulated == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "verb",
    [
        "run",
        "compare",
        "sweep --over load=1,2",
        "capacity",
        "capacity --at 1x --over services.kitchen.replicas=1",
        "explain",
        "stability --stressor outage:kitchen:2s --loads 1",
    ],
)
def test_no_verb_forgets_the_cluster(monkeypatch, capsys, verb):
    """A scheduler that is not there is noticed, unless the work is done here instead."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("sim.experiments.running.cluster._CONNECT", 0.1)
    assert sim(*verb.split(), "kitchen.yaml", "--cluster", "tcp://127.0.0.1:1") == 2
    assert "cluster tcp://127.0.0.1:1: cannot be reached" in capsys.readouterr().err


def test_a_failed_expectation_is_exit_code_1(capsys):
    assert sim("run", "kitchen.yaml", *QUICK, "--set", "expect.0=p99(response) < 1ms") == 1
    assert "✗ one: p99(response) < 1ms" in capsys.readouterr().out


def test_json_on_stdout_is_all_there_is(capsys):
    assert sim("run", "kitchen.yaml", *QUICK, "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 3
    assert document["variants"]["one"]["metrics"]["offered"]["unit"] == "1/s"


def test_the_same_call_gives_the_same_json(kitchen):
    for name in ("a.json", "b.json"):
        assert sim("compare", "kitchen.yaml", *QUICK, "--quiet", "--json", name) == 0
    assert (kitchen / "a.json").read_bytes() == (kitchen / "b.json").read_bytes()


@pytest.mark.long
def test_an_earlier_run_is_a_baseline(capsys):
    sim("run", "kitchen.yaml", *QUICK, "--json", "yesterday.json")
    capsys.readouterr()
    assert sim("compare", "kitchen.yaml", "yesterday.json", *QUICK) == 0
    out = capsys.readouterr().out
    assert "against yesterday.json, unpaired (Welch's test)" in out
    assert "one against one: nothing differs significantly" in out
    assert "too few replications to judge:" in out  # two of them prove no equality
    assert "no significant difference" not in out


@pytest.mark.long
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
        (
            ["compare", "kitchen.yaml", "--best", "p99(response)", "--indifference", "10"],
            "indifference: response_p99: found '10', expected a duration",
        ),
        (["run", "kitchen.yaml", "--engine", "simpie"], "did you mean 'simpy'?"),
        (["run", "kitchen.yaml", "--set", "services.kitchn.workers=2"], "did you mean 'kitchen'?"),
        (["run", "kitchen.yaml", "--replications", "0"], "0 is not in the range"),
        (["run", "kitchen.yaml", "--out", "kitchen.yaml"], "kitchen.yaml"),
        (["run", "kitchen.yaml", "--out", "."], "holds files that are not a report"),
        (["run", "kitchen.yaml", "--json", "."], "is a directory"),
        (["run", "kitchen.yaml", "--plugin", "nowhere.py"], "no such file"),
        (["report", "nowhere"], "no such directory"),
        (["sweep", "kitchen.yaml"], "nothing to vary"),
        (["sweep", "kitchen.yaml", "--over", "services.kitchn.workers=1,2"], "did you mean 'kitchen'?"),
        (["sweep", "kitchen.yaml", "--over", "load=1,2", "--design", "lsh"], "did you mean 'lhs'?"),
        (["sweep", "kitchen.yaml", "--over", "load=0.5..2.0", "--design", "lhs"], "expected --points N"),
        (["capacity", "kitchen.yaml", "--at", "2x"], "found no --over"),
        (["capacity", "kitchen.yaml", "--resolution", "a bit"], "--resolution: found 'a bit'"),
        (["run", "kitchen.yaml", "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"], "expected one of them"),
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

    monkeypatch.setattr("sim.experiments.replicating.comparison.run", broken)
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
    (kitchen / "cursed.yaml").write_text(
        "plugins: [bad_luck.py]\n" + SHOP.replace("{exponential: 40ms}", "{cursed: {}}")
    )
    assert (
        sim("run", "cursed.yaml", "--plugin", "bad_luck.py", "--set", "services.kitchen.queue.capacity=9", *QUICK) == 3
    )
    err = capsys.readouterr().err
    assert "variant 'one', seed 7, replication 0: ArithmeticError: cursed" in err
    assert "repeat it alone with: sim run cursed.yaml --variant one --seed 7 --only-replication 0 --plugin" in err
    assert "--set services.kitchen.queue.capacity=9" in err


def test_a_distribution_of_a_plug_in_that_says_nothing_on_paper_is_run_all_the_same(capsys, kitchen):
    (kitchen / "halves.py").write_text(
        "from sim.plugin import Distribution, register\n"
        "@register('distribution', 'halves')\n"
        "class Halves(Distribution):\n"
        "    def quantile(self, u): return 0.04\n"
    )
    (kitchen / "halves.yaml").write_text("plugins: [halves.py]\n" + SHOP.replace("{exponential: 40ms}", "{halves: {}}"))
    why = "the distribution 'halves' gives no mean: expected a property `mean`, in seconds"
    assert sim("check", "halves.yaml", "--plugin", "halves.py") == 2
    assert capsys.readouterr().err == f"error: {why}\n"
    assert sim("run", "halves.yaml", "--plugin", "halves.py", *QUICK) == 0
    assert f"warning: nothing is known on paper: {why}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb", ["list", "new", "check", "run", "compare", "explain", "stability", "sweep", "capacity", "report", "schema"]
)
def test_the_help_of_every_verb_has_an_example(capsys, verb):
    assert sim(verb, "--help") == 0
    assert f"Example:\n    sim {verb}" in capsys.readouterr().out


# ---- as a process of its own


def process(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sim", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_help_answers_at_once():
    """Nothing heavy is imported for it."""
    code = "import sys; from sim.cli import answer; answer(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "Simulate microservices" in done.stdout
    heavy = {"numpy", "pandas", "numba", "pydantic", "simpy", "matplotlib", "scipy", "pyarrow", "ruamel", "asyncio"}
    assert not heavy & {name.partition(".")[0] for name in done.stderr.split()}


def test_ctrl_c_is_exit_code_130_within_a_second_and_says_how_much_was_done(kitchen):
    (kitchen / "long.yaml").write_text(SHOP.replace("duration: 20s", "duration: 30h"))
    running = process("compare", "long.yaml", "--jobs", "2", "--engine", "simpy", start_new_session=True)
    while len(psutil.Process(running.pid).children()) < 2:  # the workers are being born
        time.sleep(0.05)
    time.sleep(1.0)
    pressed = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the parent and to its workers
    out, err = running.communicate(timeout=20)
    assert time.monotonic() - pressed < 2.0
    assert running.returncode == 130
    assert err.strip().splitlines()[-1] == "interrupted: 0 of 20 runs were finished"
    assert "Traceback" not in err
    assert out == ""
    assert not (kitchen / "reports").exists()


def test_an_interruption_that_something_has_wrapped_is_one_all_the_same(capsys, kitchen, monkeypatch):
    """As Python itself does where it falls into `__set_name__` while a class is made."""

    class Stubborn:
        def __set_name__(self, owner, name):
            raise KeyboardInterrupt

    def importing(*_args, **_more):
        type("Made", (), {"field": Stubborn()})

    monkeypatch.setattr("sim.experiments.shipped.load", importing)
    assert sim("check", "kitchen.yaml") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_who_goes_away_ends_the_talking_and_not_the_verdict():
    """`sim check ... | head -1`"""
    reader, writer = os.pipe()
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", "run", "kitchen.yaml", *QUICK], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    os.close(reader)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert err.startswith("engine simpy: about ")
    assert err.count("\n") == 1


def test_a_terminal_that_knows_no_tick_gets_a_question_mark():
    running = process(
        "run",
        "kitchen.yaml",
        *QUICK,
        encoding="latin-1",
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    )
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "? one: availability" in out


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "sim", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    assert re.fullmatch(r"sim \d+\.\d+\.\d+\n", done.stdout)
