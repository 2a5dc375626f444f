"""How long a caller or a client pauses before it tries again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sim.compiled.apart import by_address
from sim.compiled.base import handler, inlined
from sim.compiled.rows import calls as rows
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.models.pausing import Pauses
from sim.policies import library_backoffs, retry
from sim.policies.retry_row import OURS, RetryRow

if TYPE_CHECKING:
    from sim.compiled.wiring.guards import GuardTables

backoff_after = retry.backoff_after.compiled
library_backoff, seconds_of = library_backoffs.library_backoff.compiled, library_backoffs.seconds_of.compiled


def with_steps(pauses: Pauses, guards: GuardTables) -> RetryRow:
    """The row of a rule; of a library's with the place of its pauses in the ring, where they are a sequence."""
    row = replace(pauses.rule)
    if row.rule != OURS:
        row.first_step = guards.ring(list(pauses.steps) or [0.0])
    return row


@inlined
def next_pause(s: State, task: int, rule: RetryRow, outcome: int, luck: float) -> float:
    """Seconds from a try that ended so to the next one, by a rule of ours or of a library."""
    own = tasks(s)[task]
    if own.tries == 1:
        own.pause = rule.begin
    if rule.rule == OURS:
        own.pause = backoff_after(rule, outcome, own.tries, luck, own.pause)
        return float(own.pause)
    return library_pause(s, task, rule, luck)


@by_address
@handler
def library_pause(s: State, task: int, rule: RetryRow, luck: float) -> float:
    """The same by a rule of a library; the task keeps what the next pause asks for."""
    own = tasks(s)[task]
    before = own.pause
    own.pause = library_backoff(rule, rows_from(rows.rings(s), rule.first_step), own.tries, luck, before)
    return float(seconds_of(rule, before, own.pause))
