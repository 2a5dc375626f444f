"""What a queue asks of its broker."""

from __future__ import annotations

from typing import Protocol

from sim.models.queues.letter import Letter, Publication
from sim.spec.queue_broker import DeadLetter


class Post(Protocol):
    """The broker, as its queues know it (`queue_broker.py`)."""

    name: str

    @property
    def message_size(self) -> float:
        """Bytes of each message."""

    def give_up(self, letter: Letter, dead: DeadLetter) -> None:
        """Publish it again by the dead-letter exchange."""

    def weigh(self, by: int) -> None:
        """So many more messages are on disk."""

    def stored(self, publication: Publication) -> None:
        """A queue has it, or has refused it."""
