"""Flows that part from a task, in the same replica and for the same request, as in `models/composed.py`."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled import spans
from sim.compiled.answers import FAIL, JUMP, NEXT
from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.calendar import make_ready
from sim.compiled.codes import OK
from sim.compiled.counting import times
from sim.compiled.ending import stop
from sim.compiled.places import leave, look_soon
from sim.compiled.rows.composed import repetitions
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, hosts, replicas
from sim.compiled.rows.programs import (
    RepeatOp,
    ShareOp,
    branches,
    parallel_ops,
    repeat_ops,
)
from sim.compiled.rows.running import flows, requests, saved, tasks
from sim.compiled.rows.state import State
from sim.compiled.tasks import FINISHED, GO_ON, abandon, done, forget, new_task

# -- branches of which all are waited for ------------------------------------------------------------------------------


@handler
def new_branch(s: State, task: int, before: int, program: int) -> int:
    """One more branch of a task, behind the one `before` it, which begins when its turn comes."""
    own = tasks(s)[task]
    branch = new_task(s, own.request, own.chain, own.path, task, own.replica)
    made = tasks(s)[branch]
    made.abandoned = own.abandoned
    made.attempt = own.attempt if own.attempt >= 0 else task
    made.on_wake = GO_ON
    made.pc = program
    made.outcome = OK
    if before < 0:
        own.child = branch
    else:
        tasks(s)[before].sibling = branch
    make_ready(s, branch)
    return branch


@handler
def wait_for_branches(s: State, task: int, host: int, count: int) -> None:
    """All have been made."""
    own = tasks(s)[task]
    if s.spans:
        spans.keep_branches(s, task, hosts(s)[host].name, count)
    own.branching = True
    own.branches_left = count


@handler
def start_branches(s: State, task: int, op: int) -> None:
    """Start all branches."""
    row = parallel_ops(s)[op]
    last = NOBODY
    for index in range(row.first, row.first + row.count):
        last = new_branch(s, task, last, branches(s)[index])
    wait_for_branches(s, task, row.host, row.count)


@handler
def branches_over(s: State, task: int) -> int:
    """All branches have ended; the first failure in their order is the outcome. What becomes of the step."""
    own = tasks(s)[task]
    own.branching = False
    outcome = OK
    branch = own.child
    own.child = -1
    while branch >= 0:
        row = tasks(s)[branch]
        if row.degraded:
            own.degraded = True
        if row.outcome != OK and outcome == OK:
            outcome = row.outcome
            own.where = row.where
            own.root = row.root
        following = row.sibling
        forget(s, branch)
        branch = following
    own.outcome = outcome
    return NEXT if outcome == OK else FAIL


@handler
def branch_ended(s: State, task: int, host: int) -> None:
    """A branch is over; the last one wakes the task that it is a part of."""
    own = tasks(s)[task]
    leave_branch(s, task, host)
    parent = own.caller
    own.caller = NOBODY
    own.on_wake = FINISHED
    tasks(s)[parent].branches_left -= 1
    if tasks(s)[parent].branches_left == 0:
        make_ready(s, parent)


@handler
def leave_branch(s: State, task: int, host: int) -> None:
    """The steps of a branch are over: the place that it held in an event loop is free."""
    if s.spans:
        spans.keep_stage(s, task, spans.END, hosts(s)[host].name, 0.0, NONE)
    if tasks(s)[task].granted:
        leave(s, host, task)


# -- one of several, and again and again -------------------------------------------------------------------------------


@handler
def take_branch(s: State, task: int, op: ShareOp) -> int:
    """Whether the draw falls below the edge of a branch; those before it did not have it."""
    own = tasks(s)[task]
    drawn = uniform(draws(s)[op.draw].key, requests(s)[own.request].id, own.path if op.kept else own.chain)
    return JUMP if drawn < op.edge else NEXT


@handler
def times_of(s: State, task: int, repetition: int) -> int:
    """How many times a task does it."""
    own = tasks(s)[task]
    number = own.path if repetitions(s)[repetition].kept else own.chain
    return times(s, repetition, requests(s)[own.request].id, number)


@handler
def begin_repeating(s: State, task: int, op: RepeatOp) -> int:
    """The first time has the draws that it would have without the step; JUMP: there is none."""
    own = tasks(s)[task]
    place = task * s.deepest + op.depth
    saved(s)[place] = own.chain
    saved(s)[place + 1] = own.path
    saved(s)[place + 2] = 0
    saved(s)[place + 3] = times_of(s, task, op.repetition)
    own.outcome = OK
    return NEXT if saved(s)[place + 3] > 0 else JUMP


@handler
def repeat(s: State, task: int, op: RepeatOp) -> int:
    """Once more, with draws of its own, or not."""
    own = tasks(s)[task]
    own.outcome = OK
    place = task * s.deepest + op.depth
    saved(s)[place + 2] += 1
    number = saved(s)[place + 2]
    if number >= saved(s)[place + 3]:
        return NEXT
    salt = repetitions(s)[op.repetition].salt
    own.chain = link_chain(saved(s)[place], salt, number)
    own.path = link_chain(saved(s)[place + 1], salt, number)
    return JUMP


@handler
def start_times(s: State, task: int, op: int, count: int) -> None:
    """So many at once."""
    own = tasks(s)[task]
    row = repeat_ops(s)[op]
    salt = repetitions(s)[row.repetition].salt
    last = NOBODY
    for number in range(count):
        last = new_branch(s, task, last, row.to)
        if number:
            tasks(s)[last].chain = link_chain(own.chain, salt, number)
            tasks(s)[last].path = link_chain(own.path, salt, number)
    wait_for_branches(s, task, row.host, count)


# -- the first that ends well ------------------------------------------------------------------------------------------


@handler
def racer_ended(s: State, task: int, host: int, cancels: bool, enough: int) -> None:
    """A branch of a race is over: that decides it, or does not, or nobody waits for it any more."""
    own = tasks(s)[task]
    leave_branch(s, task, host)
    parent = own.caller
    if parent < 0:
        come_home(s, task)
        return
    own.caller = NOBODY
    own.on_wake = FINISHED
    if is_decided(s, parent, enough):
        let_others_lose(s, parent, cancels)
        make_ready(s, parent)


@handler
def is_decided(s: State, task: int, enough: int) -> bool:
    """Whether enough branches of a race have ended well, or too many have not."""
    well, left = 0, 0
    branch = tasks(s)[task].child
    while branch >= 0:
        row = tasks(s)[branch]
        if row.caller != NOBODY:
            left += 1
        elif row.outcome == OK:
            well += 1
        branch = row.sibling
    return well == enough or well + left < enough


@handler
def let_others_lose(s: State, task: int, cancels: bool) -> None:
    """Those that still run are part of the task no more: they go on for nobody, or are stopped."""
    own = tasks(s)[task]
    branch = own.child
    own.child = NOBODY
    last = NOBODY
    while branch >= 0:
        row = tasks(s)[branch]
        following = row.sibling
        row.sibling = NOBODY
        if row.caller == NOBODY:
            if last < 0:
                own.child = branch
            else:
                tasks(s)[last].sibling = branch
            last = branch
        else:
            row.caller = NOBODY
            lose(s, branch, cancels)
        branch = following


@handler
def lose(s: State, branch: int, cancels: bool) -> None:
    """It goes on for nobody, or is stopped; it answers nobody any more."""
    own = tasks(s)[branch]
    if cancels:
        stop(s, branch, replicas(s)[own.replica].host, YES, NONE)
        return
    own.attempt = NOBODY
    answer_for(s, branch, branch)
    let_drift(s, branch)
    abandon(s, branch)


@handler
def answer_for(s: State, whole: int, branch: int) -> None:
    """The branches of a branch are a part of that one now."""
    if not tasks(s)[branch].branching:
        return
    inner = tasks(s)[branch].child
    while inner >= 0:
        tasks(s)[inner].attempt = whole
        answer_for(s, whole, inner)
        inner = tasks(s)[inner].sibling


@handler
def race_over(s: State, task: int, enough: int) -> int:
    """Well, where enough have ended so; else as the first in order that has not."""
    own = tasks(s)[task]
    own.branching = False
    first = NOBODY
    degraded = NO
    branch = own.child
    while branch >= 0:
        row = tasks(s)[branch]
        if row.outcome == OK:
            enough -= 1
            if row.degraded:
                degraded = YES
        elif first < 0:
            first = branch
        branch = row.sibling
    own.outcome = OK
    if enough > 0:
        row = tasks(s)[first]
        degraded = row.degraded
        own.outcome = row.outcome
        own.where = row.where
        own.root = row.root
    if degraded:
        own.degraded = True
    branch = own.child
    own.child = NOBODY
    while branch >= 0:
        following = tasks(s)[branch].sibling
        forget(s, branch)
        branch = following
    return NEXT if own.outcome == OK else FAIL


# -- what nobody waits for ---------------------------------------------------------------------------------------------


@handler
def begin_aside(s: State, task: int, program: int, host: int) -> int:
    """A flow that goes on by itself, and begins when its turn comes."""
    own = tasks(s)[task]
    flow = NONE
    if s.spans:
        flow = spans.follow(s, own.request, flows(s)[task].number, hosts(s)[host].name)
    aside = new_task(s, own.request, own.chain, own.path, NOBODY, own.replica)
    if s.spans:
        flows(s)[aside].number = flow
    made = tasks(s)[aside]
    made.on_wake = GO_ON
    made.pc = program
    made.outcome = OK
    let_drift(s, aside)
    make_ready(s, aside)
    return aside


@handler
def aside_ended(s: State, task: int, host: int) -> None:
    """Nothing is told of how it has ended but a count of those that failed."""
    if tasks(s)[task].outcome != OK:
        hosts(s)[host].background_failed += 1
    leave_branch(s, task, host)
    come_home(s, task)


@handler
def let_drift(s: State, task: int) -> None:
    """It goes on by itself from now on, and its request lives as long; a crash of the replica ends it."""
    own = tasks(s)[task]
    s.drifted += 1
    own.adrift = s.drifted
    hosts(s)[replicas(s)[own.replica].host].adrift += 1
    requests(s)[own.request].alive += 1


@handler
def come_home(s: State, task: int) -> None:
    """What went on by itself is over."""
    own = tasks(s)[task]
    own.adrift = 0
    hosts(s)[replicas(s)[own.replica].host].adrift -= 1
    request, replica = own.request, own.replica
    forget(s, task)
    done(s, request)
    if replicas(s)[replica].draining:
        look_soon(s, replica)
