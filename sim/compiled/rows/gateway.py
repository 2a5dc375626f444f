"""Rows of the gateway, and what is remembered by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Row
from sim.compiled.rows.tables import Table
from sim.policies.limiter import LIMITER, LimiterRow

if TYPE_CHECKING:
    from sim.compiled.rows.running import Note


class Limit(Row):
    """A limit; its counters are rows of `limiters`."""

    last: float  # when it last refused
    space: int  # of its keys in `entries`
    per: int  # PER_USER ... in gateway.py
    ring: int  # stamps of each counter
    about: int
    passed: int
    refused: int
    node: bool  # each replica counts for itself
    limiting: bool


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
    allow: bool  # let everybody in while the identity provider fails


limits = Table("limits", Limit)
limiters = Table("limiters", LimiterRow, dtype=LIMITER, counted="limiters_size")
ring_of = Table("ring_of", int)
limiter_rings = Table("limiter_rings", float, counted="stamps_size")
entries = Table("entries", Entry, counted="entries_size")
old_entries = Table("old_entries", Entry)
"""The smaller table, while everything in it moves."""
token_rules = Table("token_rules", TokenRule)
