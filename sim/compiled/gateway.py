"""Tokens at the gateway: `models/authentication.py` once more."""

from __future__ import annotations

from sim.compiled import operations as op_of
from sim.compiled.answers import FAIL, NEXT
from sim.compiled.base import NO, handler, whole
from sim.compiled.calendar import put_ready
from sim.compiled.codes import OK, REFUSED, TIMEOUT, UNAUTHORIZED
from sim.compiled.memory import find, note_task, remember
from sim.compiled.rows.gateway import entries, token_rules
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.programs import call_ops
from sim.compiled.rows.running import give_back_note, notes, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.tasks import ALIVE, GO_ON
from sim.policies import base, keys, limiter

PER_USER, PER_ROUTE, PER_ALL = map(whole, range(3))
# for whom a token is asked for: one that others share, one without a user, a bad one
FOR_ALL, FOR_ITSELF, INVALID = map(whole, range(3))
look, take = limiter.look.compiled, limiter.take.compiled
passed = base.passed.compiled
good_until = keys.good_until.compiled


@handler
def wait_for_verdict(s: State, entry: int, task: int) -> None:
    """Somebody asks already: stand behind those who wait for the answer."""
    row = entries(s)[entry]
    row.last = note_task(s, row.last, task)
    if row.first < 0:
        row.first = row.last
    tasks(s)[task].held += 1


@handler
def still_there(s: State, task: int, host: int) -> int:
    """The client of one who has asked for others too may have gone meanwhile."""
    own = tasks(s)[task]
    if not own.abandoned:
        return NEXT
    own.where = hosts(s)[host].name
    own.root = 0
    own.outcome = TIMEOUT
    return FAIL


@handler
def asks_for_others(s: State, task: int) -> bool:
    """Whether it makes the call of the identity provider that all of its user wait for."""
    own = tasks(s)[task]
    op = call_ops(s)[own.pc]
    return own.on_wake == GO_ON and op.kind == op_of.CALL and op.for_others and own.asks_for == FOR_ALL


@handler
def token_answered(s: State, task: int, host: int) -> int:
    """The call of the identity provider is over: its verdict is for all who wait for it. FAIL: not let in."""
    own = tasks(s)[task]
    token = token_rules(s)[0]
    answer = own.outcome
    user = NO if token.shared else requests(s)[own.request].user
    key = user * s.replica_count + replicas(s)[own.replica].index
    if own.asks_for == FOR_ALL and answer == OK and token.ttl > 0.0:
        known = find(s, token.known, key)
        if known < 0:
            known = remember(s, token.known, key)
        entries(s)[known].time = good_until(s.now, token.ttl, token.rotated_every)
    if answer == REFUSED or (answer == OK and own.asks_for == INVALID):
        own.where = hosts(s)[host].name
        own.root = 0
        own.outcome = UNAUTHORIZED
    elif answer != OK:
        own.outcome = token.failing
        if token.failing != OK and own.root == 0:
            own.root = answer
    if own.asks_for == FOR_ALL:
        tell_verdict(s, task, find(s, token.asking, key))
    return NEXT if own.outcome == OK else FAIL


@handler
def tell_verdict(s: State, task: int, place: int) -> None:
    """Wake those who waited for the answer to this task's call."""
    own = tasks(s)[task]
    entry = entries(s)[place]
    entry.value = -1
    waiter = entry.first
    entry.first = -1
    entry.last = -1
    while waiter >= 0:
        other = notes(s)[waiter].task
        if tasks(s)[other].life == ALIVE:
            tasks(s)[other].outcome = own.outcome
            tasks(s)[other].root = own.root
            tasks(s)[other].where = own.where
        put_ready(s, other)  # held while it waited: its turn takes that over
        following = notes(s)[waiter].next
        give_back_note(s, waiter)
        waiter = following
