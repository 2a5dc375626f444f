"""Locks: who holds one, and who waits for it, as in `models/lock.py` and `models/lock_manager.py`."""

from __future__ import annotations

from sim.compiled.answers import FAIL, NEXT
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, ZERO, handler
from sim.compiled.calendar import KIND_BITS, OF_LOCKS, ORDINARY, make_ready, push
from sim.compiled.codes import DEADLOCK, LOCK_TIMEOUT, OK
from sim.compiled.flights import land
from sim.compiled.lists import add_last, unlink
from sim.compiled.memory import find, remember
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.locks import (
    claims,
    give_back_claim,
    give_back_locked,
    lock_counts,
    locked,
    locks,
    take_claim,
    take_locked,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State


@handler
def key_of_lock(s: State, task: int, lock: int) -> int:
    """What a task wants to lock."""
    row, request = locks(s)[lock], requests(s)[tasks(s)[task].request]
    if row.by_item:
        return request.item
    return request.user if row.by_user else ZERO


@handler
def ask_for_lock(s: State, task: int, lock: int) -> bool:
    """Take it, or stand in line for it: False."""
    own, row = tasks(s)[task], locks(s)[lock]
    key = key_of_lock(s, task, lock)
    place = find(s, row.space, key)
    if place < 0:
        place = remember(s, row.space, key)
    known = entries(s)[place].value
    new = take_claim(s)
    claim = claims(s)[new]
    claim.lock = lock
    claim.task = task
    claim.waits = False
    claim.outer = own.claim
    claim.flight = own.flight
    own.claim = new
    if known < 0:
        known = take_locked(s)
        entries(s)[place].value = known
        its = locked(s)[known]
        its.space = row.space
        its.key = key
        its.line.first = NOBODY
        its.line.last = NOBODY
        hand_over(s, new, known)
    elif locked(s)[known].holder == task:
        claim.locked = NOBODY
    else:
        claim.locked = known
        claim.waits = True
        add_last(claims(s), locked(s)[known].line, new)
        lock_counts(s)[row.counts].waiting += 1
        return False
    return True


@handler
def hand_over(s: State, claim: int, to: int) -> None:
    """Somebody holds what is locked from now on."""
    row = claims(s)[claim]
    row.locked = to
    locked(s)[to].holder = row.task
    counts = lock_counts(s)[locks(s)[row.lock].counts]
    counts.taken += 1
    counts.held += 1
    counts.held_area -= s.now


@handler
def holds_another(s: State, task: int) -> bool:
    """Whether a task that waits for a lock holds one."""
    return bool(claims(s)[tasks(s)[task].claim].outer >= 0)


@handler
def leave_line_of_lock(s: State, claim: int) -> None:
    """Wait no longer."""
    row = claims(s)[claim]
    row.waits = False
    unlink(claims(s), locked(s)[row.locked].line, claim)
    lock_counts(s)[locks(s)[row.lock].counts].waiting -= 1


@handler
def forget_claim(s: State, task: int) -> None:
    """The innermost of a task is over."""
    own = tasks(s)[task]
    claim = own.claim
    own.claim = claims(s)[claim].outer
    give_back_claim(s, claim)


@handler
def hears_of_lock(s: State, task: int) -> int:
    """The wait is over: FAIL without the lock."""
    row = claims(s)[tasks(s)[task].claim]
    if locked(s)[row.locked].holder == task:
        return NEXT
    forget_claim(s, task)
    return FAIL


@handler
def unlock(s: State, task: int) -> int:
    """The steps have ended, well or not."""
    own = tasks(s)[task]
    row = claims(s)[own.claim]
    what, lock = row.locked, row.lock
    forget_claim(s, task)
    if what >= 0:
        give_back_lock(s, what, locks(s)[lock].counts)
    return NEXT if own.outcome == OK else FAIL


@by_address
@handler
def give_back_lock(s: State, place: int, counts: int) -> None:
    """The first in line has it, or nobody."""
    its = lock_counts(s)[counts]
    its.held -= 1
    its.held_area += s.now
    row = locked(s)[place]
    heir = row.line.first
    while heir >= 0 and replicas(s)[tasks(s)[claims(s)[heir].task].replica].ending:
        leave_line_of_lock(s, heir)
        claims(s)[heir].locked = NOBODY  # it dies in this instant, too
        heir = row.line.first
    if heir < 0:
        entries(s)[find(s, row.space, row.key)].value = NOBODY
        give_back_locked(s, place)
        return
    leave_line_of_lock(s, heir)
    hand_over(s, heir, place)
    task = claims(s)[heir].task
    tasks(s)[task].ticket += 1  # its timers are stale
    make_ready(s, task)


# -- waits that end otherwise ------------------------------------------------------------------------------------------


@by_address
@handler
def lock_expired(s: State, task: int, looks: bool) -> None:
    """The timeout of a wait is over, or it is time to look for a deadlock; who has the lock by then has another
    ticket.
    """
    own = tasks(s)[task]
    lock = locks(s)[claims(s)[own.claim].lock]
    if looks:
        if not in_circle(s, task):
            return
        lock_counts(s)[lock.counts].deadlocks += 1
        own.outcome = DEADLOCK
    else:
        lock_counts(s)[lock.counts].timeouts += 1
        own.outcome = LOCK_TIMEOUT
    leave_line_of_lock(s, own.claim)
    own.ticket += 1
    own.where = lock.where
    own.root = 0
    make_ready(s, task)


@handler
def waits_for(s: State, task: int) -> int:
    """Who holds what a task waits for; -1: it does not wait, or nobody that is there."""
    claim = tasks(s)[task].claim
    if claim < 0 or not claims(s)[claim].waits:
        return NOBODY
    return locked(s)[claims(s)[claim].locked].holder


@handler
def in_circle(s: State, task: int) -> bool:
    """Whether a task waits, by way of others, for itself.

    A circle of others is left by Brent's method: who is met is held against the one at the last power of two.
    """
    other = waits_for(s, task)
    mark, steps, most = other, 0, 1
    while other >= 0 and other != task:
        other = waits_for(s, other)
        steps += 1
        if other == mark:
            return False
        if steps == most:
            mark = other
            most *= 2
            steps = 0
    return bool(other >= 0)


# -- the end from outside ----------------------------------------------------------------------------------------------


@by_address
@handler
def release_locks_of(s: State, task: int) -> None:
    """A task is killed: it gives back its locks, the innermost first, and what it looked for within them."""
    own = tasks(s)[task]
    while own.claim >= 0:
        while own.flight != claims(s)[own.claim].flight:
            land(s, task, NONE)
        claim = own.claim
        row = claims(s)[claim]
        what, lock = row.locked, locks(s)[row.lock]
        own.claim = row.outer
        if row.waits:
            leave_line_of_lock(s, claim)
        elif what >= 0 and locked(s)[what].holder == task:
            if replicas(s)[own.replica].down and lock.held_after_crash > 0.0:
                locked(s)[what].holder = NOBODY
                push(s, s.now + lock.held_after_crash, ORDINARY, OF_LOCKS | claim << KIND_BITS)
                continue  # its row stays until then
            give_back_lock(s, what, lock.counts)
        give_back_claim(s, claim)


@handler
def free_after_crash(s: State, claim: int) -> None:
    """What a task held that has crashed."""
    row = claims(s)[claim]
    give_back_lock(s, row.locked, locks(s)[row.lock].counts)
    give_back_claim(s, claim)
