"""Doubly linked lists through the rows of a table, which have `previous` and `next`; whoever owns a list knows its first and its last."""

from __future__ import annotations

from sim.compiled.state import Rows, handler


@handler
def add_last(table: Rows, last: int, node: int) -> None:
    """Link a row behind the last of a list."""
    table[node].previous = last
    table[node].next = -1
    if last >= 0:
        table[last].next = node


@handler
def add_first(table: Rows, first: int, node: int) -> None:
    """Link a row before the first of a list."""
    table[node].previous = -1
    table[node].next = first
    if first >= 0:
        table[first].previous = node


@handler
def unlink(table: Rows, node: int) -> None:
    """Join the neighbours of a row, which still knows them."""
    row = table[node]
    if row.previous >= 0:
        table[row.previous].next = row.next
    if row.next >= 0:
        table[row.next].previous = row.previous
