"""How hedged calls race: whether there is one more copy, who wins, and what becomes of the others."""

from __future__ import annotations

from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler
from sim.compiled.calendar import hold, make_ready
from sim.compiled.codes import OK
from sim.compiled.ending import stop
from sim.compiled.guards import guard_for
from sim.compiled.lists import unlink
from sim.compiled.races import close_race
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.running import races, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.spans import OTHER, keep_stage, no_flow
from sim.compiled.tasks import COPY_DUE, GO_ON, forget, new_task
from sim.models.layers.hedge import APART
from sim.policies import budget, hedging, retry

NOT_ASKED = -1  # by a breaker, which each copy asks for itself
deposit, withdraw, retryable = budget.deposit.compiled, budget.withdraw.compiled, retry.retryable.compiled
note_answer, pause = hedging.note.compiled, hedging.pause.compiled


@by_address
@handler
def begin_race(s: State, task: int, call: int) -> None:
    """Of an attempt that begins now; nothing is sent yet."""
    own, row, guard = tasks(s)[task], races(s)[task], rows.guards(s)[guard_for(s, call, task)]
    if guard.hedge_budget >= 0:
        deposit(rows.budgets(s)[guard.hedge_budget], rows_from(rows.rings(s), guard.hedge_tokens), s.now)
    row.open, row.woken = True, False
    row.began, row.ticket = s.now, own.ticket
    row.sent = row.number = 0
    row.over.first = row.over.last = row.latest = NOBODY
    own.admitted = NOT_ASKED
    own.child = NOBODY
    own.branching = True
    if s.spans:
        keep_stage(s, task, OTHER, rows.targets(s)[rows.calls(s)[call].target].where, 0.0, NONE)


@by_address
@handler
def race_goes_on(s: State, task: int, call: int) -> bool:
    """Send one more copy, if there may be one, and wait; False: it is decided, or the call was given up."""
    own, row = tasks(s)[task], races(s)[task]
    if row.sent > 0:
        if own.ticket != row.ticket:
            own.child = NOBODY
            end_race(s, task)
            return False
        winner = decided(s, task, call)
        if winner >= 0:
            finish(s, task, call, winner)
            return False
    most = rows.calls(s)[call].most_copies
    if row.sent == 0 or (row.sent <= most and allows(s, task, call)):
        send_copy(s, task, call)
    else:
        row.sent = most + 1  # no copy more, or than the load that is granted
    if own.child < 0:
        finish(s, task, call, row.latest)  # nobody is left to hope for
        return False
    if row.sent <= most:
        wait_for_the_next(s, task, call)
    row.woken = False
    return True


@handler
def allows(s: State, task: int, call: int) -> bool:
    """Whether one more copy is within the extra load."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    if guard.hedge_budget < 0:
        return True
    return bool(withdraw(rows.budgets(s)[guard.hedge_budget], rows_from(rows.rings(s), guard.hedge_tokens), s.now))


@handler
def send_copy(s: State, task: int, call: int) -> None:
    """One more, behind those that still run; it begins when its turn comes."""
    own, row = tasks(s)[task], races(s)[task]
    copy = new_task(s, own.request, own.chain, own.path, task, own.replica)
    made = tasks(s)[copy]
    made.copy = True
    made.told = 0.0
    made.abandoned = own.abandoned
    made.attempt = own.attempt if own.attempt >= 0 else task
    made.tries = own.tries + row.sent * APART
    made.deadline = own.deadline
    made.call_number = 0
    made.admitted = NOT_ASKED
    made.on_wake = GO_ON
    made.pc = own.pc
    if s.spans:
        no_flow(s, copy)
    last = own.child
    if last < 0:
        own.child = copy
    else:
        while tasks(s)[last].sibling >= 0:
            last = tasks(s)[last].sibling
        tasks(s)[last].sibling = copy
    rows.guards(s)[guard_for(s, call, task)].hedged += row.sent > 0
    row.sent += 1
    make_ready(s, copy)


@handler
def wait_for_the_next(s: State, task: int, call: int) -> None:
    """Another task comes when one more copy is due, where it is known when that is; only the latest such counts."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    delay = pause(rows.hedges(s)[guard.hedge], rows_from(rows.rings(s), guard.hedge_ring))
    if delay < 0.0:
        return
    own = tasks(s)[task]
    s.calls_made += 1
    races(s)[task].number = s.calls_made
    timer = new_task(s, own.request, own.chain, own.path, task, own.replica)
    tasks(s)[timer].on_wake = COPY_DUE
    tasks(s)[timer].tries = s.calls_made
    hold(s, timer, delay)


@handler
def decided(s: State, task: int, call: int) -> int:
    """The copy that decides the race now; -1: it goes on."""
    row, rule = races(s)[task], rows.retries(s)[rows.calls(s)[call].hedge_rule]
    while row.over.first >= 0:
        copy = row.over.first
        unlink(tasks(s), row.over, copy)
        if row.latest >= 0:
            forget(s, row.latest)
        row.latest = copy
        if tasks(s)[copy].outcome == OK or not retryable(rule, tasks(s)[copy].outcome):
            return int(copy)
    return NOBODY


@handler
def finish(s: State, task: int, call: int, winner: int) -> None:
    """The others are stopped; what they have called is cancelled, or works on for nobody."""
    own, row, won = tasks(s)[task], races(s)[task], tasks(s)[winner]
    row.open = False
    stop_copies(s, task, rows.calls(s)[call].cancels_losers)
    guard = rows.guards(s)[guard_for(s, call, task)]
    if won.outcome == OK:
        note_answer(rows.hedges(s)[guard.hedge], rows_from(rows.rings(s), guard.hedge_ring), s.now - row.began)
        guard.hedges_won += won.tries >= APART
    own.outcome, own.where, own.root = won.outcome, won.where, won.root
    own.told = won.told
    if won.degraded:
        own.degraded = True
    end_race(s, task)


@by_address
@handler
def stop_copies(s: State, task: int, cancel: bool) -> None:
    """All that still run."""
    own = tasks(s)[task]
    copy = own.child
    own.child = NOBODY
    while copy >= 0:
        following = tasks(s)[copy].sibling
        stop(s, copy, replicas(s)[own.replica].host, cancel, NONE)
        copy = following


@handler
def end_race(s: State, task: int) -> None:
    """Nobody asks for its copies any more."""
    close_race(s, task)
    tasks(s)[task].branching = False
