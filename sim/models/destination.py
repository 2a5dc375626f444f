"""What can be published to: a topic of a log broker, an exchange or a queue of a queue broker."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sim.models.call import Call, Target
from sim.models.request import Request
from sim.models.task import Activity, Task
from sim.records.tables import Book
from sim.spec.policy import CallPolicy
from sim.spec.step import Publish


class Sent(NamedTuple):
    """A row of an outbox, as it is published."""

    request: Request
    chain: int
    path: int
    flow: int


class Named(Protocol):
    """A broker, as those know it who publish."""

    name: str


class Store(Protocol):
    """Where the relay of an outbox publishes its rows."""

    key: str | None  # what decides the partition, where there are some
    site: int  # of the publications

    def run(self, task: Task, rows: list[Sent]) -> Activity:
        """They have reached the broker: 1 when all are acknowledged, 0 when they have to be published again."""


class Hearing(Protocol):
    """What a publisher does where it does not wait for each ack, in the place of its call."""

    def run(self, task: Task) -> Activity:
        """Publish; the outcome, as far as it is waited for."""


class Destination(Protocol):
    """What a publication names."""

    name: str

    @property
    def broker(self) -> Named:
        """Of which it is a part."""

    @property
    def policy(self) -> CallPolicy:
        """Of a publication that names none."""

    def target(self, spec: Publish) -> Target:
        """As something that can be called."""

    def hearing(self, call: Call, spec: Publish) -> Hearing | None:
        """How its publisher hears of it; None: it waits for the answer of its call."""

    def store(self, spec: Publish) -> Store:
        """For the relay of an outbox."""


class Kept(Protocol):
    """What keeps messages until they have ended: a topic, a queue."""

    name: str

    def write_unended(self) -> None:
        """Append the rows of messages that have not ended: the clock has stopped."""

    def book(self) -> Book:
        """What came in, how it ended, and what is still there."""
