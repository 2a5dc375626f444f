"""The same source runs as plain Python over rows with bounds and types checked; the two engines agree there too."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.chance.compiler import compiled
from sim.compiled.machine import Machine
from sim.compiled.rows.calls import breakers
from sim.compiled.rows.events import give_back_timer, take_timer, timers
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.records import append_event_record, event_records
from sim.compiled.rows.running import Task, requests, take_mark, take_task, tasks
from sim.compiled.rows.state import State
from sim.compiled.wiring import Wiring

pytestmark = pytest.mark.xdist_group("compiled")

ROOT = Path(__file__).parents[2]
QUEUE = """
version: 1
name: queue
duration: 2s
traffic: {users: {sends: shop.buy, arrivals: {poisson: 20/s}}}
services: {shop: {workers: 1, endpoints: {buy: [{work: {exponential: 20ms}}]}}}
"""


def in_plain_python(*arguments):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("first", [0, 10])
def test_random_systems_in_plain_python(first):
    done = in_plain_python("-m", "tests.compiled.checked", str(first), "10")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.long
def test_who_is_killed_in_a_back_off_before_anything_was_sent_takes_nobody_off_the_balancer():
    """The breaker has refused every attempt of its call, and its row remembers a callee of an earlier owner."""
    done = in_plain_python("-m", "tests.compiled.checked", "2181", "1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.long
@pytest.mark.parametrize("first", [100, 3040])
def test_many_random_systems_in_plain_python(first):
    done = in_plain_python("-m", "tests.compiled.checked", str(first), "50")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.long
def test_the_command_runs_it(tmp_path):
    (tmp_path / "queue.yaml").write_text(QUEUE)
    file, out = str(tmp_path / "queue.yaml"), tmp_path / "out.json"
    command = ["-m", "sim", "run", file, "--replications", "1", "--json", str(out), "--quiet", "--engine", "compiled"]
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    found = []
    for more in ([], ["--checked"]):
        subprocess.run([sys.executable, *command, *more], cwd=ROOT, env=environment, check=True)
        found.append(json.loads(out.read_text())["fingerprint"])
    assert found[0] == found[1]


def test_the_command_says_what_can_be_checked():
    done = subprocess.run(
        [sys.executable, "-m", "sim", "run", "01-one-queue", "--checked"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "found --engine auto, expected --engine compiled" in done.stderr


# -- what the rows refuse -----------------------------------------------------------------------------------------------------


@pytest.fixture
def s():
    return Machine(Wiring(next(iter(sim.load_text(QUEUE).variants.values())), 0)).s


def refused(kind, words):
    return pytest.raises(kind, match=re.escape(words))


def test_a_row_that_a_table_does_not_have(s):
    size = s.size_of(hosts)
    with refused(IndexError, f"hosts[{size}]: expected a row of {size}"):
        hosts(s)[size]
    with refused(IndexError, "hosts[-1]"):
        hosts(s)[-1]


def test_a_reference_to_a_row_that_is_not_there(s):
    own = tasks(s)[0]
    with refused(IndexError, f"Task.replica: found {s.size_of(replicas)}, expected a row of Replica"):
        own.replica = s.size_of(replicas)
    with refused(IndexError, "Task.replica: found -1"):
        own.replica = -1
    own.callee = -1  # perhaps there is none
    own.caller = -2  # the request itself
    with refused(IndexError, "Task.callee: found -2"):
        own.callee = -2


def test_a_number_of_another_kind(s):
    own = tasks(s)[0]
    with refused(TypeError, "Task.pause: found 1, expected a float"):
        own.pause = 1
    with refused(TypeError, "Task.phase: found 1.0"):
        own.phase = 1.0
    with refused(TypeError, "Task.granted: found 1, expected a bool"):
        own.granted = 1
    with refused(TypeError, "BreakerRow.since: found 0, expected a float"):
        breakers(s)[0].since = 0


def test_a_field_that_was_not_declared(s):
    with pytest.raises(AttributeError):
        tasks(s)[0].grnated = True


def test_what_is_written_is_read(s):
    own = tasks(s)[3]
    own.pause, own.outcome, own.granted, own.caller = 2.5, 7, True, 4
    assert (own.pause, own.outcome, own.granted, own.caller) == (2.5, 7, True, 4)
    found = tasks.array(s)[3]
    assert (found["pause"], found["outcome"], found["granted"], found["caller"]) == (2.5, 7, True, 4)
    assert Task.zeros(1)["caller"][0] == -1


# -- how rows are taken -------------------------------------------------------------------------------------------------------


@compiled
def take_marks(s: State, count: int) -> int:
    """Take so many marks, and never come back to Python in between."""
    last = -1
    for _ in range(count):
        last = take_mark(s)
    return last


@compiled
def write_events(s: State, count: int) -> int:
    """The same of the event log."""
    last = -1
    for _ in range(count):
        last = append_event_record(s)
    return last


@pytest.mark.parametrize("take", [take_marks, take_marks.py_func], ids=["machine code", "plain Python"])
def test_an_operation_that_takes_more_than_there_is_ends_in_an_error(s, take):
    with refused(RuntimeError, "one operation took more rows of marks than are kept free for it"):
        take(s, 1_000_000)


@pytest.mark.parametrize("write", [write_events, write_events.py_func], ids=["machine code", "plain Python"])
def test_an_operation_that_writes_more_than_there_is_room_for_ends_in_an_error(s, write):
    with refused(RuntimeError, "one operation wrote more rows of event_records than there is room for"):
        write(s, 1_000_000)
    assert event_records.count(s).count == s.size_of(event_records)


@pytest.mark.parametrize("take", [take_marks, take_marks.py_func], ids=["machine code", "plain Python"])
def test_more_is_asked_for_while_there_is_a_reserve(s, take):
    from sim.compiled.rows.running import marks

    account = marks.account(s)
    free = account.left - account.reserve
    assert account.reserve >= 64
    take(s, free)
    assert not s.must_grow
    take(s, 1)
    assert s.must_grow


def test_what_is_given_back_is_taken_next(s):
    one, other = take_timer(s), take_timer(s)
    give_back_timer(s, one)
    give_back_timer(s, other)
    assert (take_timer(s), take_timer(s)) == (other, one)
    assert timers.account(s).left == s.size_of(timers) - 2


def test_tables_that_belong_together_grow_together(s):
    machine_free = tasks.account(s).left
    for _ in range(machine_free):
        take_task(s)
    before = s.size_of(tasks)
    assert s.must_grow
    from sim.compiled.room import Room

    room = Room(s, Wiring(next(iter(sim.load_text(QUEUE).variants.values())), 0))
    room.make()
    assert s.size_of(tasks) > before
    assert s.tables["saved"].memory.array.shape[0] == s.size_of(tasks)
    assert tasks.account(s).left >= tasks.account(s).reserve
    assert s.size_of(requests) == requests.account(s).left
