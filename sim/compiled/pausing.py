"""The pauses of retry rules that are a library's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sim.compiled.base import handler
from sim.compiled.rows import calls as rows
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.models.pausing import Pauses
from sim.policies import library_backoffs
from sim.policies.retry_row import OURS, RetryRow

if TYPE_CHECKING:
    from sim.compiled.wiring.guards import GuardTables

library_backoff, seconds_of = library_backoffs.library_backoff.compiled, library_backoffs.seconds_of.compiled


def with_steps(pauses: Pauses, guards: GuardTables) -> RetryRow:
    """The row of a rule; of a library's with the place of its pauses in the ring, where they are a sequence."""
    row = replace(pauses.rule)
    if row.rule != OURS:
        row.first_step = guards.ring(list(pauses.steps) or [0.0])
    return row


@handler
def library_pause(s: State, task: int, retry: int, luck: float) -> float:
    """Seconds to pause after the tries of the task; it keeps what the next pause asks for."""
    own, rule = tasks(s)[task], rows.retries(s)[retry]
    before = own.pause
    own.pause = library_backoff(rule, rows_from(rows.rings(s), rule.first_step), own.tries, luck, before)
    return float(seconds_of(rule, before, own.pause))
