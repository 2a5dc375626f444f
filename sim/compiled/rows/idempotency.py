"""Rows of idempotency keys: those of an endpoint, and what is known of one."""

from __future__ import annotations

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.running import marks
from sim.compiled.rows.tables import Table


class EndpointKeys(Row):
    """The keys of one endpoint."""

    ttl: float  # s
    key: int  # what tells its keys from marks, and from those of other endpoints
    in_progress: int  # what is answered while the first is at work
    keeps_failures: int
    replayed: int
    conflicts: int


class KeptAnswer(Row):
    """What is known of the key that the mark in the row of the same place stands for, where it stands for one."""

    expires: float  # s
    owner: int  # the task that is at work; -1: nobody is
    outcome: int  # IN_PROGRESS: not yet known
    root: int
    where: int


keys = Table("idempotency_keys", EndpointKeys)
keys_of = Table("idempotency_keys_of", int)
"""The keys of each endpoint, by its name; -1: it has none."""
kept = Table("kept_answers", KeptAnswer, beside=marks)
