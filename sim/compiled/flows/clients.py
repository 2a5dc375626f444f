"""Clients that wait for their answers, as in `sim/models/workload.py`: they ask, time out, try again, and think."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.answers import JUMP, NEXT
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler
from sim.compiled.calendar import arm, hold
from sim.compiled.clients import bear, make_request, send_attempt, thinking_time, told_to_client
from sim.compiled.codes import BUDGET_EXHAUSTED, OK, UNREACHABLE
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, perhaps, the
from sim.compiled.deadlines import tell_patience
from sim.compiled.events import log
from sim.compiled.network import choose, leave_balancer
from sim.compiled.pausing import next_pause
from sim.compiled.rows.calls import retries
from sim.compiled.rows.events import timer_lanes
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.traffic import workloads
from sim.compiled.spans import BACKOFF, keep_stage, new_flow
from sim.compiled.spending import begin_spending, hear_spending, nothing_spent, spend
from sim.compiled.tasks import answered
from sim.compiled.visits import goes, next_of_visit, pause_between
from sim.policies import base, budget, retry, retry_after
from sim.vocabulary import QUIET

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Replica, Request, Task, ThinkOp, Workload, WorkloadOp

passed, retryable = base.passed.compiled, retry.retryable.compiled
gives_up, at_least = retry_after.gives_up.compiled, retry_after.at_least.compiled


@flow
def ask(s: State, own: Task, workload: Workload) -> Waits[int]:
    """Attempts until one is good, or hopeless, or one too many; then the request has its answer."""
    if s.spans:
        new_flow(s, own)
    if workload.budget is not None:
        budget.deposit(workload.budget, workload.tokens, s.now)
    if workload.library_budget is not None:
        nothing_spent(s, own)
    own.tries = 0
    while True:
        if workload.library_budget is not None:
            begin_for(s, own, workload)
        yield from attempt(s, own, workload)
        own.ticket += 1  # the timer is stale
        own.tries += 1
        if workload.budget is not None:
            hear_client(s, own, workload)
        if own.tries >= workload.max_attempts or not retry.retryable(workload.retry, own.outcome):
            break
        if workload.honor and is_told_too_much(s, own, workload):
            break
        if workload.budget is not None and not withdraw_for(s, own, workload):
            break
        request = the(Request, own.request)
        luck = uniform(workload.jitter.key, request.id, own.tries)
        wait = next_pause(s, own, workload.retry, own.outcome, luck)
        if workload.honor:
            wait = pause_as_told(s, own, workload, wait)
        request.told_by = OK
        if wait > 0.0:
            if s.spans:
                keep_stage(s, own, BACKOFF, workload.name, 0.0, -1)
            hold(s, own, wait)
            yield
    asked = the(Request, own.request)
    asked.outcome = own.root if own.root else own.outcome
    asked.where = own.where
    answered(s, asked)
    return NEXT


@by_address
@handler
def is_told_too_much(s: State, task: int, workload: int) -> bool:
    """Whether the answer asks for a pause for which no client waits."""
    own = tasks(s)[task]
    return bool(gives_up(retries(s)[workloads(s)[workload].retry], told_to_client(s, own.request, own.outcome)))


@by_address
@handler
def pause_as_told(s: State, task: int, workload: int, wait: float) -> float:
    """The pause of the back-off, or the longer one that the answer asks for, s."""
    own = tasks(s)[task]
    return float(at_least(retries(s)[workloads(s)[workload].retry], wait, told_to_client(s, own.request, own.outcome)))


@by_address
@handler
def begin_for(s: State, task: int, workload: int) -> None:
    """An attempt sets out, which the budget of a library counts."""
    begin_spending(s, task, workloads(s)[workload].library_budget)


@by_address
@handler
def hear_client(s: State, task: int, workload: int) -> None:
    """How an attempt ended."""
    outcome, row = tasks(s)[task].outcome, workloads(s)[workload]
    again = retryable(retries(s)[row.retry], outcome)
    hear_spending(s, task, row.throttle, row.library_budget, outcome, again)


@by_address
@handler
def withdraw_for(s: State, task: int, workload: int) -> bool:
    """Whether one more retry is within the budget; where a spell begins in which none is, the event log hears of it."""
    row = workloads(s)[workload]
    allowed = spend(s, task, row.budget, row.tokens, row.throttle, row.library_budget, tasks(s)[task].outcome)
    if not allowed:
        if passed(s.now, row.spent + QUIET):
            log(s, BUDGET_EXHAUSTED, row.subject, NONE, 0.0)
        row.spent = s.now
    return bool(allowed)


@flow
def attempt(s: State, own: Task, workload: Workload) -> Waits[None]:
    """One attempt at the door, and its answer, or none: where nobody is there, the client knows at once."""
    request = the(Request, own.request)
    request.attempts = own.tries + 1
    own.root = 0
    own.sent = s.now
    if workload.lane is not None:
        arm(s, workload.lane, own)
    elif workload.own_patience is not None:
        own.deadline = bear(s, own, workload)
    chosen = choose(s, request.door.target, workload.caller, request, link_chain(0, 0, own.tries))
    own.callee = perhaps(Replica, chosen)
    if own.callee is None:
        own.outcome = UNREACHABLE
        own.where = request.door.target.where
        return
    send_attempt(s, own)
    if workload.tells and own.child is not None:
        tell_patience(s, own.child, patience_ends(s, own, workload))
    yield
    own.child = None
    target = the(Request, own.request).door.target
    leave_balancer(s, target, workload.caller, the(Replica, own.callee), own.outcome, own.sent)


@handler
def patience_ends(s: State, task: int, workload: int) -> float:
    """Until when a client waits for the attempt that it sends now, s."""
    lane = workloads(s)[workload].lane
    return s.now + timer_lanes(s)[lane].duration if lane >= 0 else tasks(s)[task].deadline


@flow
def come(s: State, own: Task, op: ThinkOp) -> Waits[int]:
    """Users come one after the other, at equal gaps."""
    if own.user > 0:
        hold(s, own, op.ramp * own.user / op.users)
        yield
    return NEXT


@flow
def visit(s: State, own: Task, op: WorkloadOp) -> Waits[int]:
    """Somebody who has an answer goes, or thinks and asks again (JUMP)."""
    if goes(s, own, op.workload):
        return NEXT
    pause = pause_between(s, own, op.workload)
    if pause > 0.0:
        hold(s, own, pause)
        yield
    own.request = the(Request, next_of_visit(s, own, op.workload))
    return JUMP


@flow
def think(s: State, own: Task, op: ThinkOp) -> Waits[int]:
    """A user of a closed population pauses, and then makes a request of his own number."""
    pause = thinking_time(s, own, op)
    if pause > 0.0:
        hold(s, own, pause)
        yield
    own.request = the(Request, make_request(s, op.workload, own.user, s.now))
    return NEXT


def modules() -> Iterable[Module]:
    """What is written of clients."""
    steps = [Step(ask, "ask", apart=True), Step(come, "come"), Step(think, "think"), Step(visit, "visit")]
    yield Module("clients", "Clients that wait for their answers.", steps)
