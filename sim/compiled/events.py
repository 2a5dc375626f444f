"""The event log."""

from __future__ import annotations

from sim.compiled.state import State, event_rows, handler


@handler
def log(s: State, kind: int, subject: int, about: int, value: float) -> None:
    """Note something worth telling; subject and about are places in the list of subjects, -1: nothing."""
    row = event_rows(s)[s.event_rows]
    row.time = s.now
    row.kind = kind
    row.subject = subject
    row.object = about
    row.value = value
    s.event_rows += 1
    if s.event_rows >= s.events_most:
        s.short = 1
