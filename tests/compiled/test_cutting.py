"""What is made of a flow, and what is refused, with flow and line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sim.compiled.calendar import hold
from sim.compiled.cutting.arranging import Cutter
from sim.compiled.cutting.modules import WRITTEN
from sim.compiled.cutting.needs import Needs
from sim.compiled.cutting.words import Refused, flow, fold, lasting, the
from sim.compiled.flows.all import files
from sim.compiled.flows.calls import LAYERS, guarded
from sim.compiled.guards import guard_for
from sim.compiled.places import park
from sim.compiled.rows.declaring import Row
from sim.models import layers as models
from sim.policies import retry

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Guard, Task

HERE = 4
ROOT = Path(__file__).parents[2]


def cut(what):
    return Cutter(what, "step", Needs()).cut().splitlines()[1:]


def refused(what):
    with pytest.raises(Refused) as error:
        cut(what)
    return str(error.value)


# -- what is made ------------------------------------------------------------------------------------------------------


@flow
def waits_twice(s, own: Task, call: Call):
    """A flow."""
    hold(s, own, 1.0)
    yield
    while own.replica.hung:
        park(s, own)
        yield
    return own.outcome


def test_a_flow_resumes_by_its_phase():
    assert cut(waits_twice) == [
        '    """A flow."""',
        "    own_row = tasks(s)[own]",
        "    pc = own_row.phase",
        "    if pc == 1:",
        "        if replicas(s)[own_row.replica].hung:",
        "            park(s, own)",
        "            own_row.phase = 1",
        "            return PARK",
        "        else:",
        "            own_row.phase = 0",
        "            return own_row.outcome",
        "    if pc == 0:",
        "        hold(s, own, 1.0)",
        "        own_row.phase = 1",
        "        return PARK",
        "    return PARK",
    ]


@flow
def outer(s, own: Task, call: Call, inner):
    own.tries = 0
    while True:
        outcome = yield from inner(s, own, call)
        own.tries += 1
        if own.tries >= call.max_attempts or not retry.retryable(call.retry, outcome):
            return outcome


@flow
def innermost(s, own: Task, call: Call):
    if own.callee is None:
        return 5
    hold(s, own, 2.0)
    yield
    return own.outcome


def test_layers_are_written_into_one_another_and_what_leads_back_at_once_asks_to_come_again():
    assert cut(fold(outer, innermost)) == [
        "    own_row = tasks(s)[own]",
        "    call_row = calls(s)[call]",
        "    pc = own_row.phase",
        "    to = -1",
        "    if pc == 1:",
        "        outcome = own_row.outcome",
        "        to = 3",
        "    if pc == 0:",
        "        own_row.tries = 0",
        "        to = 2",
        "    if pc == 2 or to == 2:",
        "        if own_row.callee < 0:",
        "            outcome = 5",
        "            to = 3",
        "        else:",
        "            hold(s, own, 2.0)",
        "            own_row.phase = 1",
        "            return PARK",
        "    if to == 3:",
        "        own_row.tries += 1",
        "        if own_row.tries >= call_row.max_attempts "
        "or not retry_retryable(retries(s)[call_row.retry], outcome):",
        "            own_row.phase = 0",
        "            return outcome",
        "        else:",
        "            own_row.phase = 2",
        "            return AGAIN",
        "    return PARK",
    ]


@lasting
def its_guard(s, call: Call, own: Task) -> Guard:
    return the(Guard, guard_for(s, call, own))


@flow
def remembers_what_lasts(s, own: Task, call: Call):
    guard = its_guard(s, call, own)
    yield
    guard.spent = s.now


def test_what_lasts_is_made_anew_at_each_resumption():
    assert cut(remembers_what_lasts)[1:4] == [
        "    guard = guard_for(s, call, own)",
        "    guard_row = guards(s)[guard]",
        "    pc = own_row.phase",
    ]


@flow
def gives_up(s, own: Task):
    child = own.child
    if child is None:
        return False
    child.caller = None
    own.child = None
    return True


@flow
def never_waits(s, own: Task) -> bool:
    """It is a plain function, and a part of it that never waits is called."""
    done = gives_up(s, own)
    if done:
        own.granted = True
    return done


def test_a_flow_without_a_wait_is_a_plain_function():
    made = cut(never_waits)
    assert "pc" not in "\n".join(made)
    assert [line.strip() for line in made].count("tasks(s)[child_1].caller = -1") == 1


@flow
def tells_where(s, own: Task):
    yield
    own.pause = 1.0
    yield HERE


def test_a_place_that_others_know_has_its_number():
    assert "        own_row.phase = 4" in cut(tells_where)


# -- what is refused ---------------------------------------------------------------------------------------------------


@flow
def remembers(s, own: Task, call: Call):
    before = own.seconds
    yield
    own.pause = before


@flow
def misspells(s, own: Task):
    own.pauze = 1.0
    yield


@flow
def writes_what_is_fixed(s, own: Task):
    own.replica = None
    yield


@flow
def writes_another_kind(s, own: Task, call: Call):
    own.child = call
    yield


@flow
def has_truth(s, own: Task):
    if own.guard:
        yield


@flow
def waits_in_a_for(s, own: Task):
    for _ in range(3):
        yield


@flow
def tells_too_much(s, own: Task):
    yield 3


@flow
def names_two_places_alike(s, own: Task):
    yield HERE
    own.pause = 1.0
    yield HERE
    own.pause = 2.0


@flow
def calls_what_it_likes(s, own: Task):
    print(own)
    yield


@flow
def names_an_argument(s, own: Task):
    hold(s, own, seconds=1.0)
    yield


@flow
def keeps_a_list(s, own: Task):
    own.pause = [1.0][0]
    yield


@flow
def forgets_to_yield(s, own: Task, call: Call):
    waits_twice(s, own, call)
    yield


@flow
def yields_from_what_never_waits(s, own: Task):
    yield from gives_up(s, own)


@flow
def goes_on_behind_its_end(s, own: Task):
    yield
    return
    own.pause = 1.0


@flow
def turns_without_a_wait(s, own: Task):
    while own.child is not None:
        gives_up(s, own)


@flow
def is_one_or_the_other(s, own: Task, call: Call):
    whom = call.target
    if own.degraded:
        whom = own.replica
    yield
    own.waits = whom.where


def is_no_flow(s, own: Task):
    yield


@pytest.mark.parametrize(
    ("what", "line", "why"),
    [
        (remembers, 2, "before would have to outlive a wait"),
        (misspells, 2, "Task has no field pauze"),
        (writes_what_is_fixed, 2, "replica is fixed"),
        (writes_another_kind, 2, "child is given a Call, expected a Task, or nobody"),
        (has_truth, 2, "own.guard is a row, which has no truth"),
        (waits_in_a_for, 2, "a wait or a flow inside of For"),
        (tells_too_much, 2, "a yield tells nothing but the name of its place"),
        (calls_what_it_likes, 2, "print is neither a policy nor a function of the engine"),
        (names_an_argument, 2, "no keyword arguments"),
        (keeps_a_list, 2, "no Subscript in a flow"),
        (forgets_to_yield, 2, "waits_twice waits: yield from it"),
        (yields_from_what_never_waits, 2, "gives_up never waits"),
        (goes_on_behind_its_end, 4, "nothing ever comes here"),
        (is_one_or_the_other, 4, "whom is given a Replica, and elsewhere a Target"),
    ],
)
def test_refused_with_its_line(what, line, why):
    told = refused(what)
    assert told.startswith(f"{what.__name__}, line {what.__code__.co_firstlineno + line}: ")
    assert why in told


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (names_two_places_alike, "one name for two places"),
        (turns_without_a_wait, "a loop around a part or a return, in a flow that never waits"),
        (is_no_flow, "is_no_flow is no flow"),
        (fold(outer), "inner is no flow"),
    ],
)
def test_refused_as_a_whole(what, why):
    assert why in refused(what)


# -- what is written ---------------------------------------------------------------------------------------------------


def test_what_is_written_is_what_would_be_written():
    stale = [path.name for path, text in files() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "python sim/compiled/cutting/write.py"
    there = {path for path in WRITTEN.glob("*.py") if path.name != "__init__.py"}
    assert there == {path for path, _ in files() if path.parent == WRITTEN}


@pytest.mark.long
def test_it_can_be_written_where_nothing_is_or_what_is_there_names_what_is_no_more(tmp_path):
    """The engine imports what is written; whoever renames a function of the engine can still write it anew."""
    shutil.copytree(ROOT / "sim", tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    written = tmp_path / "sim" / "compiled" / "written"
    expected = {path.name: path.read_text() for path in written.glob("*.py")}
    (written / "killed.py").unlink()
    (written / "steps.py").write_text("from sim.compiled.places import what_is_no_more")
    command = [sys.executable, str(tmp_path / "sim" / "compiled" / "cutting" / "write.py")]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, check=True)
    assert {path.name: path.read_text() for path in written.glob("*.py")} == expected


def test_layers_stand_in_the_order_of_the_models():
    """Those that only SimPy runs say so themselves; what a fallback does is a run of steps of whoever calls."""
    own = [layer.__name__ for layer in LAYERS]
    assert own == [layer.__name__ for layer in models.LAYERS if layer.__name__ in own]


def test_a_new_layer_is_its_flow_and_a_line():
    """A layer that counts what goes through it, put between two others: the rest is cut around it."""
    layers = [guarded, *(layer.flow for layer in LAYERS)]
    made = Cutter(fold(*layers[:3], counting, *layers[3:]), "call_step", Needs()).cut()
    before = Cutter(fold(*layers), "call_step", Needs()).cut()
    assert made.count("own_row.held += 1") == 1
    assert "own_row.held" not in before


@flow
def counting(s, own: Task, call: Call, inner):
    own.held += 1
    outcome = yield from inner(s, own, call)
    return outcome


def test_two_kinds_of_row_of_one_name_are_refused():
    """References are told apart by the name of the kind: the second would take those of the first."""
    known = dict(Row.row_kinds)
    with pytest.raises(TypeError, match=r"^Store: found a kind of row that sim\.compiled\.rows\.caches declares"):

        class Store(Row):
            first: int

    assert Row.row_kinds == known
