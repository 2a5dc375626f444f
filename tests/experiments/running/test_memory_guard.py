"""Memory that a run takes is looked at while it goes on, and a run that takes too much is ended."""

import os
import subprocess
import sys

import pytest

import sim
from sim.errors import SimError, UsageError
from sim.experiments.running import memory_guard
from sim.experiments.running.memory_guard import resident, within_memory

MIB = 2**20


def test_a_run_that_takes_too_much_is_ended_with_what_helps(monkeypatch):
    taken, told = iter([1, 100 * MIB, 150 * MIB, 170 * MIB]), []
    monkeypatch.setattr(memory_guard, "resident", lambda: next(taken))
    monkeypatch.setattr(memory_guard, "_PAUSE", 0.0)
    tick = within_memory(told.append, 60 * MIB)
    tick(0.5)
    tick(1.0)
    with pytest.raises(
        UsageError, match=r"memory: found 73\.4MB taken by one replication after 2s of it, expected at most 62\.9MB"
    ) as caught:
        tick(2.0)
    assert "retries a `budget`" in str(caught.value)
    assert "`--max-memory` allows more" in str(caught.value)
    assert told == [0.5, 1.0]


def test_nobody_looks_at_every_tick(monkeypatch):
    looks = []
    monkeypatch.setattr(memory_guard, "resident", lambda: looks.append(1) or 0)
    monkeypatch.setattr(memory_guard, "_PAUSE", 3600.0)
    tick = within_memory(lambda _: None, 1.0)
    for now in range(100):
        tick(float(now))
    assert len(looks) == 2  # whether the system tells, and the first tick


@pytest.mark.parametrize(("most", "known"), [(None, 0), (1.0, None)])
def test_without_a_bound_and_where_the_system_tells_nothing_the_tick_is_itself(most, known, monkeypatch):
    monkeypatch.setattr(memory_guard, "resident", lambda: known)
    tick = within_memory(print, most)
    assert tick is print


@pytest.mark.skipif(resident() is None, reason="the system does not tell")
def test_what_is_resident_grows_by_what_is_taken():
    before = resident()
    held = b"x" * (64 * MIB)
    assert 60 * MIB < resident() - before < 80 * MIB
    assert len(held) == 64 * MIB


STORM = """
version: 1
duration: 10m
traffic: {users: {sends: a.x, arrivals: {deterministic: 400/s}, timeout: 100ms, retry: {max_attempts: 200, backoff: {constant: 0s}}}}
services:
  a: {workers: unlimited, endpoints: {x: [{call: b.y}]}}
  b: {workers: 10, endpoints: {y: [{wait: 1ms}]}}
faults: [{at: 1s, for: 9m, slow: {of: b, by: 1000000x}}]
record: {keep: summary}
"""


@pytest.mark.skipif(resident() is None, reason="the system does not tell")
@pytest.mark.long
@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_storm_that_paper_does_not_foresee_is_ended(engine):
    """On paper b is 4 % busy. In the fault no attempt ends, each is given up after a tenth of a second for the next one, and
    4,000 more of them wait each second.
    """
    with pytest.raises(SimError, match=r"memory: found .* taken by one replication after .* expected at most 100MB"):
        sim.run(sim.load_text(STORM), replications=1, jobs=1, engine=engine, max_memory="100MB")


UNDER_A_LIMIT = """
import os, resource, sys
import sim
study = sim.load_text(sys.argv[1])
calm = sim.load_text(sys.argv[1], sets=["duration=1s", "faults=[]"])
sim.run(calm, replications=1, jobs=1, engine="simpy")  # libraries take theirs before
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * os.sysconf("SC_PAGE_SIZE") + (96 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    sim.run(study, replications=1, jobs=1, engine="simpy", max_memory="1TB")
except sim.SimError as error:
    print(error)
"""


@pytest.mark.skipif(resident() is None, reason="the system does not tell")
@pytest.mark.long
def test_where_the_system_gives_no_more_memory_that_is_what_is_said():
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, STORM],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.startswith("memory: the system gave no more beside the "), done
    assert "give queues a `capacity` and retries a `budget`" in done.stdout
    assert done.returncode == 0
