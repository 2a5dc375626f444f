"""Retries: another attempt, at once or after a pause, as long as rule, budget and total timeout allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.calendar import hold
from sim.compiled.codes import BUDGET_EXHAUSTED, TIMEOUT
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.draw_rows import row_of
from sim.compiled.flows.layer import LONG_AGO, PAUSED, Layer, Values, failed, its_guard, thawed
from sim.compiled.guards import guard_for, note
from sim.compiled.pausing import next_pause, with_steps
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import BACKOFF, keep_stage
from sim.compiled.spending import begin_spending, forget_spending, hear_spending, nothing_spent, spend
from sim.models.budget import RetryBudget
from sim.models.pausing import Pauses
from sim.policies import base, budget, retry, retry_after
from sim.policies.base import reached
from sim.policies.budget import SLICES, BudgetRow
from sim.policies.library_budgets import LibraryBudgetRow
from sim.policies.retry_row import RetryRow
from sim.policies.throttle import ThrottleRow
from sim.spec.policy import Retry as RetryPolicy
from sim.vocabulary import QUIET

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Request, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard

passed = base.passed.compiled
retryable = retry.retryable.compiled
heard, gives_up = retry_after.heard.compiled, retry_after.gives_up.compiled
at_least = retry_after.at_least.compiled


@flow
def retrying(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """`own.tries` counts the attempts that are over: the draws of an attempt are keyed by it."""
    if not (call.hedges and own.copy):  # a copy of an attempt is one more, and not one after another
        begin_call(s, own, call)
    while True:
        if call.hears and not (call.hedges and own.copy):
            begin_attempt(s, own, call)
        if call.honors:
            own.told = 0.0
        outcome = yield from inner(s, own, call)
        if call.hedges and own.copy:
            return outcome
        own.tries += 1
        if call.hears:
            hear(s, own, call, outcome)
        if own.tries >= call.max_attempts or not retry.retryable(call.retry, outcome):
            return outcome
        if call.honors and is_told_too_much(s, own, call, outcome):
            return outcome
        if call.timed and reached(s.now, own.deadline):
            return outcome
        if call.budgeted and not withdraw(s, own, call, outcome):
            return outcome
        luck = uniform(call.jitter.key, the(Request, own.request).id, link_chain(own.chain, call.salt, own.tries))
        wait = next_pause(s, own, call.retry, outcome, luck)
        if call.honors:
            wait = pause_as_told(s, own, call, outcome, wait)
        if call.timed and reached(s.now + wait, own.deadline):
            wait = own.deadline - s.now  # a pause that could only end after it is cut short
            own.deadline = LONG_AGO
        if wait > 0.0:
            if s.spans:
                keep_stage(s, own, BACKOFF, call.target.where, 0.0, -1)
            hold(s, own, wait)
            yield PAUSED
            yield from thawed(s, own, call)
            if call.timed and reached(s.now, own.deadline):
                if call.hears:
                    retries_are_over(s, own, call)
                failed(s, own, call)
                return TIMEOUT


@flow
def begin_call(s: State, own: Task, call: Call) -> None:
    """No attempt is over; the budget hears of the call."""
    if call.budgeted:
        guard = its_guard(s, call, own)
        budget.deposit(guard.budget, guard.tokens, s.now)
        if guard.library_budget is not None:
            nothing_spent(s, own)
    own.tries = 0


@flow
def retries_are_over(s: State, own: Task, call: Call) -> None:
    """Its attempt or pause counts no longer; a copy of an attempt has nothing to do with the budget."""
    if call.hears and not (call.hedges and own.copy):
        forget_attempt(s, own, call)


@by_address
@handler
def is_told_too_much(s: State, task: int, call: int, outcome: int) -> bool:
    """Whether the answer asks for a pause for which nobody waits."""
    return bool(gives_up(rows.retries(s)[rows.calls(s)[call].retry], heard(outcome, tasks(s)[task].told)))


@by_address
@handler
def pause_as_told(s: State, task: int, call: int, outcome: int, wait: float) -> float:
    """The pause of the back-off, or the longer one that the answer asks for, s."""
    rule = rows.retries(s)[rows.calls(s)[call].retry]
    return float(at_least(rule, wait, heard(outcome, tasks(s)[task].told)))


@by_address
@handler
def begin_attempt(s: State, task: int, call: int) -> None:
    """One sets out."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    if guard.library_budget >= 0:
        begin_spending(s, task, guard.library_budget)


@by_address
@handler
def forget_attempt(s: State, task: int, call: int) -> None:
    """There will be no further one."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    if guard.library_budget >= 0:
        forget_spending(s, task, guard.library_budget)


@by_address
@handler
def hear(s: State, task: int, call: int, outcome: int) -> None:
    """How an attempt ended."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    again = retryable(rows.retries(s)[rows.calls(s)[call].retry], outcome)
    hear_spending(s, task, guard.throttle, guard.library_budget, outcome, again)


@by_address
@handler
def withdraw(s: State, task: int, call: int, outcome: int) -> bool:
    """Whether one more retry is within the budget; where a spell begins in which none is, the event log hears of it."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    allowed = spend(s, task, guard.budget, guard.tokens, guard.throttle, guard.library_budget, outcome)
    if not allowed:
        if passed(s.now, guard.spent + QUIET):
            note(s, task, call, BUDGET_EXHAUSTED, s.now)
        guard.spent = s.now
    return bool(allowed)


class Retry(Layer):
    """Attempts until one is good, or hopeless, or one too many."""

    name = "retry"
    flow = retrying
    killed = retries_are_over
    tables = (
        (rows.retries, RetryRow),
        (rows.budgets, BudgetRow),
        (rows.throttles, ThrottleRow),
        (rows.library_budgets, LibraryBudgetRow),
    )

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, place: int) -> Values:
        """Its rule; a call without one is made once."""
        rule = call.policy.retry or RetryPolicy(max_attempts=1)
        return {
            "max_attempts": rule.max_attempts,
            "retry": tables.guards.policy(rows.retries, with_steps(Pauses(rule), tables.guards)),
            "jitter": row_of(tables.places.world.uniform(f"{call.site}.backoff")),
            "honors": rule.honor_retry_after,
            "budgeted": rule.budget is not None,
            "hears": rule.budget is not None and rule.budget.of_library,
        }

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """The budget, and when it was last found exhausted."""
        known = guard.find(RetryBudget)
        if known is None:
            return {"spent": LONG_AGO, "budget": NOBODY}
        return {"spent": LONG_AGO} | budget_of(known, tables)

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, _name: str, _about: str) -> None:
        """A budget of its own begins."""
        guard.spent = LONG_AGO
        if guard.throttle >= 0:
            machine.renew(rows.throttles, guard.throttle)
        if guard.library_budget >= 0:
            machine.renew(rows.library_budgets, guard.library_budget)
        if guard.budget >= 0:
            machine.renew(rows.budgets, guard.budget)
            rows.rings.array(machine.s)[guard.tokens : guard.tokens + SLICES] = 0.0


def budget_of(budget: RetryBudget, tables: GuardTables) -> Values:
    """Where its rows stand."""
    return {
        "budget": tables.policy(rows.budgets, budget.row),
        "tokens": tables.ring(budget.tokens),
        "throttle": NOBODY if budget.throttle is None else tables.policy(rows.throttles, budget.throttle),
        "library_budget": NOBODY if budget.library is None else tables.policy(rows.library_budgets, budget.library),
    }
