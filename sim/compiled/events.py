"""The event log."""

from __future__ import annotations

from sim.compiled.state import State, event_rows, handler


@handler
def log_at(s: State, time: float, kind: int, subject: int, about: int, value: float) -> None:
    """The same of something that has happened at this time."""
    row = event_rows(s)[s.event_rows]
    row.time = time
    row.kind = kind
    row.subject = subject
    row.object = about
    row.value = value
    s.event_rows += 1
    if s.event_rows >= s.events_most:
        s.short = 1


@handler
def log(s: State, kind: int, subject: int, about: int, value: float) -> None:
    """Note something worth telling that happens now; subject and about are places in the list of subjects, -1: nothing."""
    log_at(s, s.now, kind, subject, about, value)
