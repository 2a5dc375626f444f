"""Processes that stand still and go on: what arrives meanwhile waits outside, and comes in by the door at the thaw."""

from __future__ import annotations

from sim.models.context import Context
from sim.models.places import Places
from sim.models.task import NOWHERE, OUTSIDE, Replica, Task
from sim.spec.service import Queue


class Freezable(Places):
    """Replicas with places, each of which a fault may freeze."""

    def __init__(self, context: Context, name: str, workers: int, queue: Queue):
        super().__init__(context, name, workers, queue)
        self.outside = 0  # who waits in listen backlogs
        self.outside_area = 0.0  # the integral of that, as of the others
        self.paused = 0  # replicas that stand still by themselves (`models/process_pauses.py`)
        self.paused_area = 0.0

    def watch_for_freezes(self) -> None:
        """A fault may freeze it; known before the first event."""
        if not self.may_hang:
            self.may_hang = True
            if self.listening is None:
                self.watch_outside()

    def watch_outside(self) -> None:
        """Show how many wait outside."""
        self.recorder.watch(self.name, "listen_backlog", "mean", lambda now: self.outside_area + self.outside * now)

    def wait_outside(self, task: Task, replica: Replica) -> None:
        """Wait for the thaw of a frozen process: in its listen backlog, or in the buffer of a connection."""
        replica.parked.append(task)
        self.count_outside(task, replica)

    def count_outside(self, task: Task, replica: Replica) -> None:
        """One more waits outside of the process."""
        task.waits = OUTSIDE
        replica.backlog += 1
        self.outside += 1
        self.outside_area -= self.env.now
        if self.listening is not None and task.connect >= 0.0:
            self.listening.inside[replica.index] += 1

    def come_inside(self, task: Task, replica: Replica) -> None:
        """Wait there no longer."""
        if self.listening is not None and task.connect >= 0.0:
            self.listening.inside[replica.index] -= 1
        task.waits = NOWHERE
        replica.backlog -= 1
        self.outside -= 1
        self.outside_area += self.env.now

    def freeze(self, replica: Replica) -> None:
        """Stop all that goes on in it; what arrives waits outside, unless a worker is idle."""
        replica.hung += 1
        if replica.hung == 1:
            replica.closed += 1
            replica.hung_since = self.env.now
            if replica.cpu is not None:
                replica.cpu.stop()

    def unfreeze(self, replica: Replica) -> None:
        """Let it go on where it stopped: first those give up whose patience ended in the queue, then all else in the
        order of the freeze.
        """
        replica.hung -= 1
        if replica.hung == 0:
            replica.closed -= 1
            replica.frozen_seconds += self.env.now - replica.hung_since
            if replica.cpu is not None:
                replica.cpu.go_on()
            overdue, replica.overdue = replica.overdue, []
            for task, ticket in overdue:
                if task.ticket == ticket:
                    self.give_up_waiting(task)
            if self.listening is not None:
                self.listening.accept(replica)
            parked, replica.parked = replica.parked, []
            self.env.ready.extend(parked)

    def pause(self, replica: Replica) -> None:
        """It freezes by itself."""
        self.paused += 1
        self.paused_area -= self.env.now
        self.freeze(replica)

    def go_on(self, replica: Replica) -> None:
        """And is done with that."""
        self.paused -= 1
        self.paused_area += self.env.now
        self.unfreeze(replica)

    def watch_for_pauses(self) -> None:
        """Its replicas may; known before the first event."""
        self.watch_for_freezes()
        self.recorder.watch(self.name, "paused", "mean", lambda now: self.paused_area + self.paused * now)
