"""What waits to be consumed, as autoscalers of the models see it: views of rows (`elasticity.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.logs import groups
from sim.compiled.rows.queues import message_queues

if TYPE_CHECKING:
    from sim.compiled.control import Control
    from sim.models.group import Group
    from sim.models.queues.queue import Queue


class QueueView:
    """A queue of a queue broker, as KEDA sees it."""

    def __init__(self, control: Control, queue: Queue):
        self.control, self.place = control, control.wiring.queue_at[queue]

    @property
    def length(self) -> int:
        """Messages that are ready, or handed out and not acknowledged."""
        row = message_queues(self.control.s)[self.place]
        return row.ready + row.unacked


class GroupView:
    """A group of consumers, as KEDA sees it."""

    def __init__(self, control: Control, group: Group):
        self.control, self.partitions = control, group.partitions
        self.place = control.wiring.group_at[group]

    @property
    def lag(self) -> int:
        """Messages that have not ended."""
        return groups(self.control.s)[self.place].lag
