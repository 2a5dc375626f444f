"""Doubly linked lists through the rows of a table, which have `previous` and `next`.

Whoever owns a list knows its first and its last.
"""

from __future__ import annotations

from typing import TypeVar

from sim.compiled.base import handler
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import Delivery
from sim.compiled.rows.running import Task
from sim.compiled.rows.tables import Rows

Linked = TypeVar("Linked", Task, Delivery)


@handler
def add_last(table: Rows[Linked], last: int, node: int) -> None:
    """Link a row behind the last of a list."""
    table[node].previous = last
    table[node].next = NOBODY
    if last >= 0:
        table[last].next = node


@handler
def add_first(table: Rows[Linked], first: int, node: int) -> None:
    """Link a row before the first of a list."""
    table[node].previous = NOBODY
    table[node].next = first
    if first >= 0:
        table[first].previous = node


@handler
def unlink(table: Rows[Linked], node: int) -> None:
    """Join the neighbours of a row, which still knows them."""
    row = table[node]
    if row.previous >= 0:
        table[row.previous].next = row.next
    if row.next >= 0:
        table[row.next].previous = row.previous
