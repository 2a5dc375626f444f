"""The event log."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import handler
from sim.compiled.rows.records import append_event_record, event_records
from sim.compiled.rows.state import State


@compiled
def log_at(s: State, time: float, kind: int, subject: int, about: int, value: float) -> None:
    """The same of something that has happened at this time."""
    row = event_records(s)[append_event_record(s)]
    row.time = time
    row.kind = kind
    row.subject = subject
    row.object = about
    row.value = value


@handler
def log(s: State, kind: int, subject: int, about: int, value: float) -> None:
    """Note something worth telling that happens now.

    Subject and about are places in the list of subjects, -1: nothing.
    """
    log_at(s, s.now, kind, subject, about, value)
