"""Doubly linked lists through the rows of a table, which have `previous` and `next`; a line knows its first and its
last.
"""

from __future__ import annotations

from typing import TypeVar

from sim.compiled.base import handler
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.lines import Turn, TurnLine
from sim.compiled.rows.locks import Claim, ClaimLine
from sim.compiled.rows.logs import Delivery, DeliveryLine, Transaction, TransactionLine
from sim.compiled.rows.producers import (
    Batch,
    BatchLine,
    ProducedRecord,
    Producer,
    ProduceRequest,
    ProducerLine,
    RecordLine,
    RequestLine,
)
from sim.compiled.rows.queues import Channel, Letter, LetterLine, QueueDelivery, QueueDeliveryLine, Round
from sim.compiled.rows.running import Task, TaskLine
from sim.compiled.rows.serverless import Instance, InstanceLine
from sim.compiled.rows.tables import Rows

Linked = TypeVar(
    "Linked",
    Task,
    Delivery,
    Turn,
    Letter,
    Channel,
    QueueDelivery,
    Instance,
    Producer,
    Batch,
    ProducedRecord,
    ProduceRequest,
    Transaction,
    Claim,
)
Line = (
    TaskLine
    | DeliveryLine
    | TurnLine
    | LetterLine
    | Round
    | QueueDeliveryLine
    | InstanceLine
    | ProducerLine
    | BatchLine
    | RecordLine
    | RequestLine
    | TransactionLine
    | ClaimLine
)


@handler
def add_last(table: Rows[Linked], line: Line, node: int) -> None:
    """Stand behind the last of a line."""
    table[node].previous = line.last
    table[node].next = NOBODY
    if line.last >= 0:
        table[line.last].next = node
    else:
        line.first = node
    line.last = node


@handler
def add_first(table: Rows[Linked], line: Line, node: int) -> None:
    """Stand before the first of a line."""
    table[node].previous = NOBODY
    table[node].next = line.first
    if line.first >= 0:
        table[line.first].previous = node
    else:
        line.last = node
    line.first = node


@handler
def unlink(table: Rows[Linked], line: Line, node: int) -> None:
    """Leave a line, from wherever the row stands in it; the row still knows its neighbours."""
    row = table[node]
    if row.previous >= 0:
        table[row.previous].next = row.next
    else:
        line.first = row.next
    if row.next >= 0:
        table[row.next].previous = row.previous
    else:
        line.last = row.previous
