"""What a call, or a client, has to do with a budget of its retries that counts more than retries."""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.codes import OK
from sim.compiled.rows import calls as rows
from sim.compiled.rows.running import spendings
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.policies import budget, library_budgets, throttle
from sim.policies.library_budgets import NOT_ALLOWED, NOTHING

take_tokens = budget.withdraw.compiled
succeeded, failed, allows = throttle.succeeded.compiled, throttle.failed.compiled, throttle.allows.compiled
attempt_begins, attempt_ends = library_budgets.attempt_begins.compiled, library_budgets.attempt_ends.compiled
take, forget = library_budgets.take.compiled, library_budgets.forget.compiled


@handler
def begin_spending(s: State, task: int, library: int) -> None:
    """An attempt of the task sets out; the first of its call has paid for no retry."""
    spendings(s)[task].under_way = True
    attempt_begins(rows.library_budgets(s)[library])


@handler
def nothing_spent(s: State, task: int) -> None:
    """A call begins."""
    spendings(s)[task].paid = NOTHING


@handler
def hear_spending(s: State, task: int, throttle: int, library: int, outcome: int, retryable: int) -> None:
    """How an attempt has ended, and whether that may be tried again."""
    if throttle >= 0:
        row = rows.throttles(s)[throttle]
        if outcome == OK:
            succeeded(row)
        elif retryable:
            failed(row)
    if library >= 0:
        spending = spendings(s)[task]
        attempt_ends(rows.library_budgets(s)[library], outcome, spending.paid)
        spending.under_way, spending.paid = False, NOTHING


@handler
def spend(s: State, task: int, budget: int, tokens: int, throttle: int, library: int, outcome: int) -> bool:
    """Whether one more retry, of an attempt that ended so, is within the budget."""
    if throttle >= 0:
        return bool(allows(rows.throttles(s)[throttle]))
    if library >= 0:
        paid = take(rows.library_budgets(s)[library], outcome)
        spendings(s)[task].paid = paid
        return bool(paid != NOT_ALLOWED)
    return bool(take_tokens(rows.budgets(s)[budget], rows_from(rows.rings(s), tokens), s.now))


@handler
def forget_spending(s: State, task: int, library: int) -> None:
    """There will be no further attempt, and the one that is under way ends for nobody."""
    spending = spendings(s)[task]
    forget(rows.library_budgets(s)[library], spending.paid, spending.under_way)
    spending.under_way, spending.paid = False, NOTHING
