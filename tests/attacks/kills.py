"""`kill -9` at random moments of a sweep: `python -m tests.attacks.kills 100 --seed 7`.

A real `sim sweep` is killed (itself, all of its session, or one of its workers) when its journal holds a random number of runs, begun
again, killed again, until it is done; then the next round begins. By the journal no run that was kept is run again, none that was kept is missing, and the figures at the end are
those of a sweep that nobody disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attacks.victims import EAGER_SIM, SHOP, Victim

SWEEP = [
    "sweep",
    "shop.yaml",
    "--over",
    "load=0.5,0.8,1",
    "--replications",
    "8",
    "--engine",
    "simpy",
    "--jobs",
    "2",
    "--json",
    "out.json",
    "--out",
    "out",
]
RUNS = 2 * 3 * 8  # variants, loads, replications
WAYS = ("parent", "all", "worker")


@dataclass
class Tally:
    """What a campaign has done."""

    kills: int = 0
    rounds: int = 0  # sweeps that came to their end
    resumed: int = 0  # runs that a later sweep found in the journal


def campaign(kills: int, seed: int, folder: Path, nobody: bool = False) -> Tally:
    """Kill so many times (as nobody, if asked), then let the last sweep come to its end. An AssertionError says what was lost, run twice, or left behind."""
    dice, tally = random.Random(seed), Tally()
    (folder / "shop.yaml").write_text(SHOP.format(duration="20s"))
    with Victim(SWEEP, folder, nobody, EAGER_SIM) as victim:
        assert victim.ended(120.0) == 0, victim.said()
    right = _figures(folder)
    while tally.kills < kills:
        _one_life(dice, folder, nobody, tally, right)
    while _one_life(dice, folder, nobody, tally, right, spared=True):
        pass
    return tally


def _one_life(
    dice: random.Random,
    folder: Path,
    nobody: bool,
    tally: Tally,
    right: dict[str, Any],
    spared: bool = False,
) -> bool:
    """One sweep, killed somewhere in the middle unless it is spared or done before; whether it was killed."""
    written = _written(folder)
    with Victim(SWEEP, folder, nobody, EAGER_SIM) as victim:
        before = victim.kept()
        # by what is kept and not by a time, which falls before the first run on one machine and after the last on another
        enough, later = dice.randrange(RUNS), dice.uniform(0.0, 0.1)
        if not spared and victim.until(lambda: len(victim.kept()) >= enough):
            time.sleep(later)
            _strike(dice, victim)
            tally.kills += 1
        code = victim.ended(120.0)
        after = victim.kept()
    assert len(set(after)) == len(after), "a run that the journal held was run again"
    tally.resumed += _resumed(victim.said(), len(set(before)))
    if code == 0:
        tally.rounds += 1
        assert _figures(folder) == right, "other figures than those of a sweep that nobody disturbed"
        assert after == [], "what is answered is forgotten"
        left = {path.name for path in folder.iterdir()} - {
            "shop.yaml",
            "out",
            "out.json",
            "cache",
            "home",
            "stdout.txt",
            "stderr.txt",
        }
        assert not left, f"left behind: {left}"
        return False
    assert code == -signal.SIGKILL, victim.said()
    assert set(before) <= set(after) or _written(folder) != written, "runs that the journal held are gone"
    return True


def _strike(dice: random.Random, victim: Victim) -> None:
    way = dice.choice(WAYS)
    workers = [process for process in victim.relatives() if process != victim.process.pid]
    if way == "all":
        os.killpg(victim.process.pid, signal.SIGKILL)
    elif way == "worker" and workers:
        _kill(dice.choice(workers))  # and the sweep goes on
    else:
        _kill(victim.process.pid)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _resumed(said: str, kept: int) -> int:
    """How many runs it said that it found; all that the journal held, if it came so far."""
    found = re.search(r"(\d+) of (\d+) runs were finished earlier", said)
    if not found:
        return 0
    assert (int(found[1]), int(found[2])) == (kept, RUNS), f"{found[0]}; the journal held {kept}"
    return kept


def _written(folder: Path) -> int:
    """When the report was written. The blow may fall when a new one stands, and its runs are just being forgotten."""
    results = folder / "out" / "results.json"
    return results.stat().st_mtime_ns if results.is_file() else 0


def _figures(folder: Path) -> dict[str, Any]:
    """What the sweep has written; it is taken away, so that the next round must write it anew."""
    said: dict[str, Any] = json.loads((folder / "out.json").read_text())
    kept: dict[str, Any] = json.loads((folder / "out" / "results.json").read_text())
    assert said == kept
    (folder / "out.json").unlink()
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; an AssertionError where a promise is broken."""
    options = argparse.ArgumentParser(
        prog="python -m tests.attacks.kills", description="Kill a sweep at random moments."
    )
    options.add_argument("kills", type=int, nargs="?", default=100)
    options.add_argument("--seed", type=int, default=7)
    asked = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(campaign(asked.kills, asked.seed, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
