"""Rows of the gateway's tokens, and what is remembered by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Row
from sim.compiled.rows.tables import Table

if TYPE_CHECKING:
    from sim.compiled.rows.running import Note


class Entry(Row):
    """What is remembered of a key of some space."""

    time: float  # until when a token is good
    space: int
    key: int
    value: int  # the counter of a limit; of a token: 1: somebody asks for it
    first: Perhaps[Note]  # of those who wait for the answer
    last: Perhaps[Note]
    used: bool


class TokenRule(Row):
    """How tokens are looked at."""

    ttl: float
    invalid: float  # share of bad ones
    known: int  # space of the answers
    asking: int  # space of the questions
    rotated_every: float  # s; after which an answer is not good any more; 0: never
    failing: int  # the outcome where nobody can be asked; OK: the request passes
    shared: bool  # all of a replica share one answer


entries = Table("entries", Entry, counted="entries_size")
old_entries = Table("old_entries", Entry)
"""The smaller table, while everything in it moves."""
token_rules = Table("token_rules", TokenRule)
