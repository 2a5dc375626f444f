"""SIGTERM is heard as Ctrl-C is: the same words, finished runs kept, exit code 143, nobody left behind; by every verb, at any moment."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.attacks.victims import SHOP, Victim

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]

LONG = ["--replications", "400", "--engine", "simpy", "--quiet"]
VERBS = {
    "run": ["run", "shop.yaml", "--json", "out.json", "--out", "out"],
    "compare": ["compare", "shop.yaml", "--out", "out"],
    "explain": ["explain", "shop.yaml", "--out", "out"],
    "stability": ["stability", "shop.yaml", "--watch", "65s", "--out", "out"],
    "sweep": ["sweep", "shop.yaml", "--over", "load=0.5,1", "--out", "out"],
    "capacity": ["capacity", "shop.yaml", "--out", "out"],
}
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.yaml").write_text(SHOP.format(duration="20s"))
    return tmp_path


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_that_runs_ends_at_sigterm_and_keeps_what_is_finished(folder, verb):
    _ended_by_sigterm(folder, verb, nobody=False)


def test_so_it_does_for_a_user_who_is_not_root(nobodys):
    (nobodys / "shop.yaml").write_text(SHOP.format(duration="20s"))
    _ended_by_sigterm(nobodys, "sweep", nobody=True)


def _ended_by_sigterm(folder: Path, verb: str, nobody: bool) -> None:
    with Victim([*VERBS[verb], *LONG, "--jobs", "2"], folder, nobody) as victim:
        assert victim.until(lambda: len(victim.kept()) >= 3)
        kept, asked = len(victim.kept()), time.monotonic()
        os.kill(victim.process.pid, signal.SIGTERM)
        assert victim.ended() == 143
    assert time.monotonic() - asked < 3.0
    said = victim.said().strip().splitlines()
    assert said[-1].startswith("interrupted: ")
    assert said[-1].endswith("they are kept, and the same command goes on from there")
    assert len(victim.kept()) >= kept
    assert {path.name for path in folder.iterdir()} - {"home"} == {"shop.yaml", "cache", "stderr.txt", "stdout.txt"}, (
        "no report, no JSON, and no half of one"
    )


@pytest.mark.parametrize(
    ("number", "jobs"), [(signal.SIGTERM, "1"), (signal.SIGTERM, "2"), (signal.SIGINT, "2"), (signal.SIGHUP, "2")]
)
def test_what_supervisors_send_to_the_whole_group_ends_it_as_well(folder, number, jobs):
    with Victim([*VERBS["sweep"], *LONG, "--jobs", jobs], folder) as victim:
        assert victim.until(lambda: len(victim.kept()) >= 3)
        os.killpg(victim.process.pid, number)
        assert victim.ended() == EXIT_CODES[number]
    assert "they are kept, and the same command goes on from there" in victim.said()
    assert "Traceback" not in victim.said()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "shop.yaml"],
        ["schema"],
        ["report", "drawn"],
        ["compare", "shop.yaml", "--replications", "4", "--engine", "simpy"],
    ],
)
def test_at_any_moment_it_is_done_or_interrupted_in_one_line(folder, arguments):
    """A signal that comes before the first line of ours has run ends the process by itself, as the system does: -15."""
    dice = random.Random(11)
    if arguments[0] == "report":
        with Victim(
            ["run", "shop.yaml", "--replications", "2", "--engine", "simpy", "--out", "drawn", "--quiet"], folder
        ) as drawn:
            assert drawn.ended() == 0
    for _ in range(4):
        before = {path.name for path in folder.glob("*/*.html")}
        with Victim(arguments, folder) as victim:
            time.sleep(dice.uniform(0.05, 2.5))
            os.kill(victim.process.pid, signal.SIGTERM)
            code = victim.ended()
        assert code in (-signal.SIGTERM, 143, 0, *([1] if arguments[0] == "compare" else [])), victim.said()
        assert "Traceback" not in victim.said()
        assert ("\ninterrupted" in f"\n{victim.said()}") == (code == 143)
        assert before <= {path.name for path in folder.glob("*/*.html")}, "an earlier report is still there"
        assert not list(folder.glob(".*")), "nor is there half of a new one"


def test_what_is_ignored_from_the_start_stays_ignored(folder):
    """`nohup sim sweep ... &` outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Victim(
            [*VERBS["run"], "--replications", "4", "--engine", "simpy", "--quiet", "--jobs", "1"], folder
        ) as victim:
            time.sleep(1.0)
            os.kill(victim.process.pid, signal.SIGHUP)
            assert victim.ended() == 0
    finally:
        signal.signal(signal.SIGHUP, before)
