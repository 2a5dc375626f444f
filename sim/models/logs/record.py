"""Records of a producer, and who waits until they are acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sim.models.clock import Signal
from sim.models.logs.transactions import Transaction
from sim.models.request import Request
from sim.models.task import Task


class Way(Protocol):
    """A hop, or none."""

    def delay(self, entity: int, chain: int) -> float:
        """Seconds on the way; less than 0: it is lost."""


class Record:
    """One record, and who waits until it is acknowledged."""

    __slots__ = (
        "back",
        "chain",
        "flow",
        "hop",
        "key",
        "outcome",
        "path",
        "request",
        "site",
        "size",
        "task",
        "transaction",
        "turn",
    )

    def __init__(self, request: Request, chain: int, path: int, flow: int, size: float, hops: tuple[Way, Way]):
        self.request = request
        self.chain = chain
        self.path = path
        self.flow = flow
        self.size = size
        self.hop, self.back = hops
        self.key: str | None = None
        self.site = 0
        self.transaction: Transaction | None = None  # of which it is a part
        self.turn = -1  # the partition whose turn it was
        self.outcome = -1  # not known yet
        self.task: Callable[[], None] | None = None  # who is told, if anybody still waits

    def end(self, outcome: int) -> None:
        """It is acknowledged, or given up."""
        self.outcome = outcome
        told, self.task = self.task, None
        if told is not None:
            told()
        self.request.done()


class Ack(Signal):
    """Waits for the last record of a batch to be in all in-sync replicas, in the place of a task."""

    __slots__ = ()

    def __init__(self, then: Callable[[], None]):
        super().__init__(lambda _: then())


def waits(task: Task, record: Record, wake: Callable[[Task], None]) -> None:
    """The task is woken when the record is acknowledged."""
    record.task = lambda: wake(task)
