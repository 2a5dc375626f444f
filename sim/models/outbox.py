"""The transactional outbox: a row is written together with the effects before it; a relay publishes the rows in order.

The relay looks every `poll` seconds, takes up to `batch` rows, publishes them, waits for the acks, and marks them; a
full batch is followed by the next at once. It retries for ever, and publishes again what it had not marked when it
crashed: each time is another attempt.

Its producer is that of the replica in which it runs.

Not modelled: the load that polling puts on the database.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sim.chance.chain import link_chain
from sim.models.context import Context
from sim.models.destination import Destination, Sent
from sim.models.ending import stop_thread
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.request import Request
from sim.models.task import Activity, Process, Replica, Task
from sim.spec.step import Publish
from sim.vocabulary import Stage


class Row:
    """What is to be published, and how often that was tried."""

    __slots__ = ("chain", "flow", "path", "request", "tries")

    def __init__(self, task: Task, flow: int):
        self.request: Request = task.request
        self.flow = flow  # its number, where spans are kept
        self.chain = task.chain
        self.path = task.path
        self.tries = 0


class Outbox:
    """The rows of one publishing step of one service, and their relay, which runs in the first replica that is up."""

    def __init__(
        self, context: Context, service: Host, topic: Destination, spec: Publish, salt: int, hops: tuple[Hop, Hop]
    ):
        self.env = context.env
        self.recorder = context.recorder
        self.service = service
        self.topic: Any = topic  # for who wires it: a topic, where there is none but those
        self.store = topic.store(spec)
        self.key, self.site = self.store.key, self.store.site
        self.salt = salt
        self.poll = spec.poll
        self.batch = spec.batch
        self.rows: deque[Row] = deque()  # not marked as published
        self.out, self.back = hops
        self.task: Task | None = None
        self.replica: Replica | None = None
        self.start()

    def write(self, task: Task) -> None:
        """Write a row in the transaction of the step."""
        task.request.alive += 1
        recorder, here = self.recorder, self.service.name_index
        flow = recorder.follow(task.request, task.flow, here)
        recorder.note(task.request, flow, Stage.OUTBOX, here)
        self.rows.append(Row(task, flow))

    def start(self) -> None:
        """Run the relay in the first replica that is up, if there is one."""
        self.replica = next(
            (
                replica
                for replica in self.service.replicas
                if not replica.down and not replica.draining and not self.service.refusing
            ),
            None,
        )
        if self.replica is None:
            self.task = None
            return
        self.task = Task(None, 0, 0, None, self.replica)
        self.task.own_thread = True
        self.task.begin(self._relay(self.task))
        self.env.wake(self.task)

    def stop(self) -> None:
        """Its replica died: whoever takes over publishes again what was not marked."""
        if self.task is not None:
            stop_thread(self.task)
        self.task = None

    def _relay(self, task: Task) -> Process:
        hold = self.env.hold
        while True:
            hold(task, self.poll)
            yield
            while self.rows:
                if task.replica is not None and task.replica.hung:
                    yield from self.service.thaw(task, task.replica)
                batch = [self.rows[index] for index in range(min(self.batch, len(self.rows)))]
                acknowledged = yield from self._publish(task, batch)
                if not acknowledged:
                    break
                for row in batch:
                    self.rows.popleft()
                    row.request.done()
                if len(batch) < self.batch:
                    break

    def _publish(self, task: Task, batch: list[Row]) -> Activity:
        """One produce request for the whole batch; 1 when it was acknowledged, 0 when it has to be tried again."""
        for row in batch:
            row.tries += 1
        request, chain = batch[0].request, self._chain(batch[0])
        delay = self.out.delay(request.id, chain)
        if delay < 0.0:
            return 0
        if delay > 0.0:
            self.env.hold(task, delay)
            yield
        if not (yield from self.store.run(task, [self._sent(row) for row in batch])):
            return 0
        delay = self.back.delay(request.id, chain)
        if delay < 0.0:
            return 0
        if delay > 0.0:
            self.env.hold(task, delay)
            yield
        return 1

    def _sent(self, row: Row) -> Sent:
        return Sent(row.request, self._chain(row), link_chain(row.path, self.salt, 0), row.flow)

    def _chain(self, row: Row) -> int:
        """Of the present attempt to publish it."""
        return link_chain(row.chain, self.salt, row.tries - 1)
