"""What becomes of the sagas that a task is in the midst of when it is killed."""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.rows.running import tasks
from sim.compiled.rows.sagas import give_back_saga_run, saga_counts, saga_runs
from sim.compiled.rows.state import State


@handler
def strand_sagas(s: State, task: int) -> None:
    """Those of which something has been done are stuck."""
    own = tasks(s)[task]
    while own.saga >= 0:
        run = saga_runs(s)[own.saga]
        if run.done > 0:
            saga_counts(s)[run.counts].stuck += 1
        end_saga(s, task)


@handler
def end_saga(s: State, task: int) -> None:
    """The innermost is over."""
    own = tasks(s)[task]
    run = own.saga
    own.saga = saga_runs(s)[run].next
    give_back_saga_run(s, run)
