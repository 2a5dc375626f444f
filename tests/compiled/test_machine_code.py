"""Machine code is made once, by two processes from both ends, and taken by whatever is under way when it is ready."""

import json
import os
import signal
from pathlib import Path

import pytest

from sim.chance.compiler import cache_directory, is_whole
from sim.compiled import machine_code
from sim.compiled.rows.state import STATE_TYPE
from tests.attacks.victims import Victim

pytestmark = pytest.mark.xdist_group("compiled")

SHOP = """
version: 1
duration: 10000s
warmup: 10s
services: {desk: {workers: 1, endpoints: {ask: [{work: {exponential: 5ms}}]}}}
traffic: {callers: {sends: desk.ask, arrivals: {poisson: 100/s}}}
"""


def test_the_parts_are_those_that_the_whole_is_made_of():
    """A helper that compiled them for other types would have worked in vain."""
    machine_code.prepare()
    assert is_whole()
    directory = cache_directory()
    for function, types in machine_code._PARTS:
        compiled = sum(function.stats.cache_misses.values())  # by this process, where nothing was on disk before
        function.compile((STATE_TYPE, *types))
        assert sum(function.stats.cache_misses.values()) == compiled, function.__name__
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        assert len(list(directory.rglob(f"{name}-*.nbc"))) == 1, name


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_from_nothing_it_is_made_beside_the_first_runs_broken_off_and_taken(tmp_path):
    """32 million attempts, more than a minute of SimPy on two processors. Ctrl-C in the middle keeps what is compiled, and leaves nobody."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    command = ["run", "shop.yaml", "--replications", "32", "--json", "out.json"]
    place = {"NUMBA_CACHE_DIR": str(tmp_path / "code"), "PYTHONDONTWRITEBYTECODE": "1"}

    def made():
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "code").rglob("*.nbc")}

    with Victim(command, tmp_path, **place) as victim:
        assert victim.until(lambda: len(made()) > 30, patience=300)
        assert len(victim.relatives()) > 3
        os.killpg(victim.process.pid, signal.SIGINT)
        assert victim.ended() == 130
    kept = made()
    assert len(kept) > 30
    assert list((tmp_path / "code").rglob("whole")) == []
    with Victim(command, tmp_path, **place) as victim:
        assert victim.ended(600) == 0
        assert "engine compiled: it is ready" in victim.said()
    assert {path: time for path, time in made().items() if path in kept} == kept, "nothing is compiled twice"
    found = json.loads((tmp_path / "out.json").read_text())
    with Victim([*command[:4], "--json", "out.json", "--engine", "compiled"], tmp_path, **place) as victim:
        assert victim.ended(600) == 0
    assert json.loads((tmp_path / "out.json").read_text())["fingerprint"] == found["fingerprint"]
    assert found["engine"].endswith("compiled")
