"""What services and the gateway have in common: replicas with places and a queue, which faults can slow, freeze, refuse or kill.

Not modelled: time to notice that a replica is gone (balancers know at once), warm-up of a restarted replica, the bound of the listen
backlog in which those wait who come to a frozen process, and a change of pace of work that is under way when a slowdown begins or ends
(it keeps the pace it began with; a freeze does stop it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.chance.chain import link_chain
from sim.models.cpu import Cpu
from sim.models.ending import kill
from sim.models.outcomes import ERROR, IN_FLIGHT, OK, SHED, UNREACHABLE
from sim.models.task import IN_QUEUE, NOWHERE, ON_CPU, OUTSIDE, Account, Activity, Replica, Task
from sim.policies.base import passed
from sim.records.tables import Book
from sim.vocabulary import QUIET, EventKind, Outcome, Stage

if TYPE_CHECKING:
    from sim.models.world import World
    from sim.spec.service import Queue

UNLIMITED_PLACES = 1 << 60


class Host:
    """A named component with replicas. Subclasses say what happens to a task that has got its place."""

    def __init__(self, world: World, name: str, replicas: int, workers: int, cores: int | None, queue: Queue):
        self.world = world
        self.name = name
        self.name_index = world.recorder.name(name)
        self.env = world.env
        self.spans = world.recorder.spans
        self.workers = UNLIMITED_PLACES if workers < 0 else workers
        self.capacity = math.inf if queue.capacity < 0 else queue.capacity
        self.lifo = queue.discipline == "lifo"
        self.event_loop = False  # an event loop lets go of its worker while it waits for others
        self.queue_timeout = queue.timeout  # s
        self.patience = world.timers(queue.timeout, self._waited_too_long) if queue.timeout is not None else None
        self.cores = cores
        self.replicas = [Replica(self, index, self.workers, Cpu(self.env, cores) if cores else None) for index in range(replicas)]
        self.may_hang = False  # set by the faults: tasks check for a freeze only where one can happen
        self.tracks = self.spans is not None  # replicas keep track of who is inside: a fault may want to kill them, or spans are kept
        self.alive = [1] * replicas  # what balancers are told
        self.slow = 1.0
        self.slowdowns: list[float] = []
        self.error_faults: list[Any] = []
        self.refusing = 0
        self.queued = 0
        self.account = Account()
        self.queue_area = 0.0
        self.outside = 0
        self.outside_area = 0.0
        self.up = replicas
        self.up_area = 0.0
        self.last_shed = -math.inf
        self.shedding = False
        self._watch()

    @property
    def plain_work(self) -> bool:
        """Work is nothing but time: no shared cores, no worker to come by first, no freeze to look out for."""
        return not self.cores and not self.event_loop and not self.may_hang

    @property
    def busy(self) -> int:
        """Places that are taken, in all replicas."""
        return sum(self.workers - replica.free for replica in self.replicas)

    @property
    def open(self) -> int:
        """Attempts that have arrived and not ended."""
        return self.account.offered - sum(self.account.ended)

    def error_fault_hits(self, task: Task, salt: int) -> int:
        """ERROR if one of the error faults that are on now hits this attempt; by its salt each endpoint has luck of its own."""
        for fault in self.error_faults:
            if fault.chance(task.request.id, link_chain(task.chain, salt, 0)) < fault.share:
                task.where = self.name_index
                task.root = 0
                return ERROR
        return OK

    # -- places ---------------------------------------------------------------------------------------------------------

    def grant(self, task: Task, replica: Replica) -> None:
        """Take a place, of which there is a free one."""
        replica.free -= 1
        self.account.busy_area -= self.env.now
        task.granted = True

    def leave(self, task: Task, replica: Replica) -> None:
        """Give the place up; the head of the queue has it before the one who left goes on."""
        now = self.env.now
        task.granted = False
        if replica.waiting:
            self._grant_next(replica, now)
        else:
            replica.free += 1
            self.account.busy_area += now

    def let_go(self, task: Task) -> int:
        """An event loop gives its worker back before it waits for others."""
        if self.event_loop and task.granted:
            self.leave(task, task.replica)
        return OK

    def _grant_next(self, replica: Replica, now: float) -> None:
        """Hand a place, counted busy, to the next live entry of the queue."""
        queue = replica.queue
        while True:
            task, ticket = queue.pop() if self.lifo else queue.popleft()
            if task.ticket == ticket:
                break
        replica.waiting -= 1
        self.queued -= 1
        self.queue_area += now
        task.ticket += 1
        task.waits = NOWHERE
        task.granted = True
        task.outcome = OK
        self.env.wake(task)

    def take_place(self, task: Task) -> Activity:
        """Get a place again in the middle of a flow (event loop); never refused for want of queue capacity."""
        replica = task.replica
        if replica.free:
            self.grant(task, replica)
            return OK
        self.world.recorder.stage(task, Stage.PLACE, self.name_index)
        self.wait_in_queue(task, replica)
        yield
        return OK

    def wait_in_queue(self, task: Task, replica: Replica) -> None:
        """Join the end of the queue."""
        replica.queue.append((task, task.ticket))
        replica.waiting += 1
        task.waits = IN_QUEUE
        self.queued += 1
        self.queue_area -= self.env.now

    def _waited_too_long(self, task: Task) -> None:
        """The queue timeout fired while the task was still waiting; a frozen replica will look at the thaw whether it still is."""
        replica = task.replica
        if replica.hung:
            replica.overdue.append((task, task.ticket))
            return
        self.unqueue(task, replica)
        task.outcome = SHED
        self.env.wake(task)

    def unqueue(self, task: Task, replica: Replica) -> None:
        """Take a waiting task out of the queue: its entry there goes stale."""
        task.ticket += 1
        task.waits = NOWHERE
        replica.waiting -= 1
        self.queued -= 1
        self.queue_area += self.env.now

    # -- time -----------------------------------------------------------------------------------------------------------

    def spend(self, task: Task, seconds: float, computing: bool) -> Activity:
        """Let work (or a wait) of this length pass, on the cores where there are any, stretched by slowdowns and stopped by freezes."""
        seconds *= self.slow
        replica = task.replica
        if self.spans is not None:
            self.world.recorder.stage(task, Stage.WORK if computing else Stage.WAIT, self.name_index, seconds)
        if computing and replica.cpu is not None:
            task.waits = ON_CPU
            replica.cpu.run(task, seconds)
            yield
            task.waits = NOWHERE
        elif not self.may_hang:
            self.env.hold(task, seconds)
            yield
        else:
            yield from self._hold_unfrozen(task, replica, seconds, Stage.WORK if computing else Stage.WAIT)
        self.note_work(task, seconds)
        return OK

    def note_work(self, task: Task, seconds: float) -> None:
        """Work (or a wait) of this length is over."""
        self.account.work_done += seconds
        if task.abandoned:
            self.account.work_wasted += seconds
        else:
            task.worked += seconds

    def _hold_unfrozen(self, task: Task, replica: Replica, seconds: float, kind: Stage) -> Activity:
        """Hold for `seconds` that are not frozen."""
        since = replica.frozen(self.env.now)
        while True:
            self.env.hold(task, seconds)
            yield
            seconds = replica.frozen(self.env.now) - since  # what the freeze has cost so far; the rest of it is waited for
            if replica.hung:
                yield from self.thaw(task, replica)
            since = replica.frozen(self.env.now)
            if seconds <= 0:
                return OK
            self.world.recorder.stage(task, kind, self.name_index, seconds)

    def thaw(self, task: Task, replica: Replica) -> Activity:
        """Wait until the replica is not frozen."""
        while replica.hung:
            self.park(task)
            yield
        return OK

    def park(self, task: Task) -> None:
        """It goes on at the thaw."""
        self.world.recorder.stage(task, Stage.FROZEN, self.name_index)
        task.replica.parked.append(task)

    # -- harm -----------------------------------------------------------------------------------------------------------

    def watch_for_freezes(self) -> None:
        """A fault may freeze it; known before the first event."""
        if not self.may_hang:
            self.may_hang = True
            self.world.recorder.watch(self.name, "listen_backlog", "mean", lambda now: self.outside_area + self.outside * now)

    def wait_outside(self, task: Task, replica: Replica) -> None:
        """Wait in the listen backlog of a frozen process."""
        task.waits = OUTSIDE
        replica.parked.append(task)
        replica.backlog += 1
        self.outside += 1
        self.outside_area -= self.env.now

    def come_inside(self, task: Task, replica: Replica) -> None:
        """Wait there no longer."""
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
        """Let it go on where it stopped: first those give up whose patience ended in the queue, then all else in the order of the freeze."""
        replica.hung -= 1
        if replica.hung == 0:
            replica.closed -= 1
            replica.frozen_seconds += self.env.now - replica.hung_since
            if replica.cpu is not None:
                replica.cpu.go_on()
            overdue, replica.overdue = replica.overdue, []
            for task, ticket in overdue:
                if task.ticket == ticket:
                    self._waited_too_long(task)
            parked, replica.parked = replica.parked, []
            self.env.ready.extend(parked)

    def change_pace(self) -> None:
        """The slowdowns that are on now multiply."""
        self.slow = math.prod(self.slowdowns, start=1.0)

    def drop_all(self, replica: Replica) -> None:
        """Everything inside ends as unreachable, those who wait first, so that nobody inherits a place."""
        for task in [task for task in replica.inside if task.waits == IN_QUEUE]:
            kill(task, UNREACHABLE)
        for task in list(replica.inside):
            kill(task, UNREACHABLE)

    def crash(self, replica: Replica) -> None:
        """It dies with all it holds, what it remembers about others included."""
        now = self.env.now
        replica.down = True
        replica.closed += 1
        self.alive[replica.index] = 0
        self.up_area += now
        self.up -= 1
        self.world.recorder.event(EventKind.REPLICA_CRASHED, f"{self.name}[{replica.index}]")
        self.drop_all(replica)
        self.stop_consumers([replica])
        self.world.forget_guards(replica)
        self.world.forget_producer(replica)
        replica.balancers.clear()

    def restart(self, replica: Replica) -> None:
        """It comes back, empty."""
        if not replica.down:
            return
        replica.down = False
        replica.closed -= 1
        self.alive[replica.index] = 1
        self.up_area -= self.env.now
        self.up += 1
        self.world.recorder.event(EventKind.REPLICA_RESTARTED, f"{self.name}[{replica.index}]")
        if not self.refusing:
            self.start_consumers([replica])

    def stop_consumers(self, replicas: Sequence[Replica]) -> None:
        """Consumers and relays in these replicas stop (services have some)."""

    def start_consumers(self, replicas: Sequence[Replica]) -> None:
        """They start again."""

    # -- accounts -------------------------------------------------------------------------------------------------------

    def keep_track(self) -> None:
        """Somebody will want to know who is inside: a fault that kills, a policy that cancels, an event loop's books."""
        self.tracks = True

    def depart(self, task: Task, outcome: int, where: int) -> None:
        """An attempt has ended here, one way or another; for hosts that keep track."""
        self.account.ended[outcome] += 1
        del task.replica.inside[task]
        if self.spans is not None:
            self._keep_span(task, outcome, where, self.env.now)

    def note_shed(self) -> None:
        """Write the beginning of a spell of shedding into the event log."""
        now = self.env.now
        if passed(now, self.last_shed + QUIET):
            if self.shedding:
                self.world.recorder.event(EventKind.SHEDDING_ENDED, self.name, time=self.last_shed)
            self.world.recorder.event(EventKind.SHEDDING_BEGAN, self.name)
            self.shedding = True
        self.last_shed = now

    def close(self) -> None:
        """The clock has stopped: attempts that are still inside have spans without an end. Requests close after this."""
        if self.spans is not None:
            for replica in self.replicas:
                for task, where in replica.inside.items():
                    self._keep_span(task, IN_FLIGHT, where, math.nan)

    def _keep_span(self, task: Task, outcome: int, where: int, ended: float) -> None:
        assert self.spans is not None
        self.spans.append(task.request.id, task.chain, task.arrived, task.started, ended, where, task.replica.index, outcome, task.abandoned, task.flow)

    def book(self) -> Book:
        """Attempts that arrived, how they ended, and those found inside by counting."""
        inside = sum(len(replica.inside) for replica in self.replicas) if self.tracks else self.busy + self.queued + self.outside
        account = self.account
        return Book(self.name, account.offered, {outcome.word: account.ended[outcome] for outcome in Outcome if account.ended[outcome]}, inside)

    def _watch(self) -> None:
        watch, account = self.world.recorder.watch, self.account
        watch(self.name, "busy", "mean", lambda now: account.busy_area + self.busy * now)
        watch(self.name, "queue", "mean", lambda now: self.queue_area + self.queued * now)
        watch(self.name, "replicas", "mean", lambda now: self.up_area + self.up * now)
        watch(self.name, "workers", "mean", lambda now: (self.up_area + self.up * now) * self.workers if self.workers < UNLIMITED_PLACES else math.inf)
        if self.cores:
            watch(self.name, "cores_busy", "mean", lambda now: sum(replica.cpu.area(now) for replica in self.replicas if replica.cpu))
            watch(self.name, "cores", "mean", lambda now: (self.up_area + self.up * now) * (self.cores or 0))
        watch(self.name, "in_flight", "level", lambda _: self.open)
        watch(self.name, "attempts", "total", lambda _: account.offered)
        watch(self.name, "first_attempts", "total", lambda _: account.offered - account.offered_again)
        watch(self.name, "work_done", "total", lambda _: account.work_done)
        watch(self.name, "work_wasted", "total", lambda _: account.work_wasted)
