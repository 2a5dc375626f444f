"""Places of a host: who holds one, who waits for one, and the time that is spent there.

A place is a worker thread, or a thread of an event loop. A queue of finite length and patience stands before them.
"""

from __future__ import annotations

import math

from sim.models.context import Context
from sim.models.identity import Identities
from sim.models.lines import ControlledDelay, Lines
from sim.models.listening import Listening
from sim.models.loops import Loops
from sim.models.outcomes import OK, SHED
from sim.models.task import IN_QUEUE, NOWHERE, ON_CPU, Account, Activity, Cores, Killed, Replica, Task
from sim.models.timers import TimerQueue
from sim.spec.service import Queue
from sim.vocabulary import Stage

UNLIMITED_PLACES = 1 << 60


class Places:
    """The places of all replicas, and one rule for their queues."""

    def __init__(self, context: Context, name: str, workers: int, queue: Queue):
        self.context = context
        self.env = context.env
        self.recorder = context.recorder
        self.spans = context.recorder.spans  # None: none are kept
        self.name = name
        self.name_index = context.recorder.name(name)
        self.account = Account()
        self.workers = UNLIMITED_PLACES if workers < 0 else workers  # of each replica
        self.event_loop = False  # an event loop lets go of its worker while it waits for others
        self.capacity = math.inf if queue.capacity < 0 else queue.capacity
        self.lifo = queue.discipline == "lifo"
        self.identities = Identities(context, {})  # of traffic that `build` of the host knows
        plain = queue.discipline in ("fifo", "lifo")
        self.lines = None if plain else Lines(queue, context.recorder, name, self.identities)
        self.preempts = queue.preemptive and workers >= 0
        if queue.discipline == "codel":
            self.grant = self._grant_and_tell  # type: ignore[method-assign]  # the others pay nothing for it
        self.queue_timeout = queue.timeout  # s
        self.patience: TimerQueue | None = None
        if queue.timeout is not None:
            self.patience = TimerQueue(self.env, queue.timeout, self.give_up_waiting)
        self.loops: Loops | None = None  # None: any free worker takes who comes
        self.listening: Listening | None = None  # None: connections are accepted as they come
        self.queued = 0  # in all replicas
        self.queue_area = 0.0  # the integral of that
        self.uneven: dict[Replica, list[float]] | None = None  # slowdowns of single ones, where a fault may bring some
        self.slow = 1.0  # how many times as long all takes that begins now
        self.warm_up: tuple[float, float] | None = None  # how many times as long first work takes, and decay in s
        self.ageing: tuple[float, float] | None = None  # how many times as long work takes in the end, and after what s
        self.may_hang = False  # set by the faults: tasks check for a freeze only where one can happen

    # -- places ----------------------------------------------------------------------------------------------------

    def grant(self, task: Task, replica: Replica) -> None:
        """Take a place, of which there is a free one."""
        replica.free -= 1
        self.account.busy_area -= self.env.now
        task.granted = True

    def pin(self, replicas: int) -> None:
        """Connections are pinned to the threads of event loops from now on; the others pay nothing for it."""
        self.loops = Loops(self.context, self.name, self.workers, replicas)
        self.grant = self._grant_loop  # type: ignore[method-assign]
        self.leave = self._leave_loop  # type: ignore[method-assign]

    def has_place(self, task: Task, replica: Replica) -> bool:
        """Whether there is a free one that it may take."""
        return replica.free > 0 and (self.loops is None or self.loops.is_free(task, replica))

    def _grant_loop(self, task: Task, replica: Replica) -> None:
        assert self.loops is not None
        Places.grant(self, task, replica)
        self.loops.take(task, replica)

    def _leave_loop(self, task: Task, replica: Replica) -> None:
        """The next in the line of this loop has it before the one who left goes on."""
        assert self.loops is not None
        task.granted = False
        heir = self.loops.leave(task, replica)
        if heir is None:
            replica.free += 1
            self.account.busy_area += self.env.now
        else:
            self.unqueue(heir, replica)
            heir.granted = True
            heir.outcome = OK
            self.env.wake(heir)

    def leave(self, task: Task, replica: Replica) -> None:
        """Give the place up; the head of the queue has it before the one who left goes on."""
        now = self.env.now
        task.granted = False
        if not (replica.waiting and self._grant_next(replica, now)):
            replica.free += 1
            self.account.busy_area += now
        if self.listening is not None:
            self.listening.accept(replica)

    def let_go(self, task: Task) -> int:
        """An event loop gives its worker back before it waits for others."""
        if self.event_loop and task.granted:
            self.leave(task, task.replica)
        return OK

    def _grant_next(self, replica: Replica, now: float) -> bool:
        """Hand a place, counted busy, to the next live entry of the queue; False: all that were left have been
        dropped.
        """
        if self.lines is not None:
            return self._grant_in_line(self.lines, replica, now)
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
        return True

    def _grant_in_line(self, lines: Lines, replica: Replica, now: float) -> bool:
        """Hand a place, counted busy, to who is next in a line that may drop some on the way; False: none is left."""
        line = lines.of(replica)
        while True:
            task, dropped = line.next(now)
            if task is None:
                return False
            droppable = lines.part(task)
            self.unqueue(task, replica)
            if not (dropped and droppable):
                task.granted = True
                task.outcome = OK
                self.env.wake(task)
                return True
            task.outcome = SHED
            self.env.wake(task)

    def _grant_and_tell(self, task: Task, replica: Replica) -> None:
        """Who finds a free worker has not waited, and a controlled delay hears of it."""
        Places.grant(self, task, replica)
        line = self.lines.of(replica) if self.lines is not None else None
        if isinstance(line, ControlledDelay):
            line.no_wait(self.env.now)

    def make_room(self, task: Task, replica: Replica) -> bool:
        """Whether somebody in a full line is shed for this newcomer."""
        victim = self.lines.of(replica).give_way(task) if self.lines is not None else None
        if victim is None:
            return False
        self.unqueue(victim, replica)
        victim.outcome = SHED
        self.env.wake(victim)
        return True

    def take_place(self, task: Task) -> Activity:
        """Get a place again in the middle of a flow (event loop); never refused for want of queue capacity."""
        replica = task.replica
        if self.has_place(task, replica):
            self.grant(task, replica)
            return OK
        if self.preempts and self.interrupt_for(task, replica):
            return OK
        self.recorder.stage(task, Stage.PLACE, self.name_index)
        self.wait_in_queue(task, replica, midway=True)
        yield
        return OK

    def interrupt_for(self, task: Task, replica: Replica) -> bool:
        """Whether this newcomer has the place of one of a later class, whose work is interrupted."""
        assert self.lines is not None
        assert replica.cpu is not None
        if replica.hung or (victim := self.lines.victim(task, replica)) is None:
            return False
        seconds = replica.cpu.interrupt(victim)
        victim.granted = False
        self.recorder.stage(victim, Stage.PLACE, self.name_index)
        self.lines.interrupt(victim, replica, seconds)
        self._count_waiting(victim, replica)
        task.granted = True
        return True

    def wait_in_queue(self, task: Task, replica: Replica, midway: bool = False) -> None:
        """Join the end of the queue, or one's place in the line; who is midway is never dropped from it."""
        if self.loops is not None:
            self.loops.join(task, replica)
        elif self.lines is None:
            replica.queue.append((task, task.ticket))
        else:
            self.lines.join(task, replica, self.env.now, midway)
        self._count_waiting(task, replica)

    def _count_waiting(self, task: Task, replica: Replica) -> None:
        replica.waiting += 1
        task.waits = IN_QUEUE
        self.queued += 1
        self.queue_area -= self.env.now

    def give_up_waiting(self, task: Task) -> None:
        """The queue timeout fired while the task was still waiting; a frozen replica will look at the thaw whether it
        still is.
        """
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
        if self.lines is not None:
            self.lines.part(task)
        if self.listening is not None:
            self.listening.accept(replica)

    # -- time ------------------------------------------------------------------------------------------------------

    def spend(self, task: Task, seconds: float, computing: bool) -> Activity:
        """Let work (or a wait) of this length pass, on the cores where there are any, stretched by slowdowns and
        stopped by freezes.
        """
        seconds *= self.slow
        replica = task.replica
        if self.uneven is not None:
            seconds *= math.prod(self.uneven.get(replica, ()))
        if computing and (self.warm_up is not None or self.ageing is not None):
            seconds *= self._by_age(replica)
        if self.spans is not None:
            self.recorder.stage(task, Stage.WORK if computing else Stage.WAIT, self.name_index, seconds)
        if computing and replica.cpu is not None:
            task.waits = ON_CPU
            if self.preempts:
                yield from self._work_interruptibly(task, replica.cpu, seconds)
            else:
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

    def _by_age(self, replica: Replica) -> float:
        """How many times as long work takes in a replica that is not warm yet, or old."""
        times = 1.0
        if self.warm_up is not None:
            slow, decay = self.warm_up
            times = 1.0 + (slow - 1.0) * math.exp((replica.warm_since - self.env.now) / decay)
        if self.ageing is not None:
            slow, over = self.ageing
            times *= 1.0 + (slow - 1.0) * min((self.env.now - max(replica.warm_since, 0.0)) / over, 1.0)
        return times

    def _work_interruptibly(self, task: Task, cpu: Cores, seconds: float) -> Activity:
        """Go on where the work was interrupted, with a worker again, as often as that comes."""
        assert self.lines is not None
        cpu.run(task, seconds)
        try:
            yield
            while (left := self.lines.interrupted.pop(task, None)) is not None:
                self.recorder.stage(task, Stage.WORK, self.name_index, left)
                task.waits = ON_CPU
                cpu.run(task, left)
                yield
        except Killed:
            self.lines.interrupted.pop(task, None)
            raise
        return OK

    def compute(self, task: Task, seconds: float) -> Activity:
        """Work on a worker: one is taken first, where an event loop holds none."""
        if not task.granted:
            yield from self.take_place(task)
        return (yield from self.spend(task, seconds, computing=True))

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
            # What the freeze has cost so far is still to be spent; the rest of the freeze is waited for.
            seconds = replica.frozen(self.env.now) - since
            if replica.hung:
                yield from self.thaw(task, replica)
            since = replica.frozen(self.env.now)
            if seconds <= 0:
                return OK
            self.recorder.stage(task, kind, self.name_index, seconds)

    def thaw(self, task: Task, replica: Replica) -> Activity:
        """Wait until the replica is not frozen."""
        while replica.hung:
            self.park(task)
            yield
        return OK

    def park(self, task: Task) -> None:
        """It goes on at the thaw."""
        self.recorder.stage(task, Stage.FROZEN, self.name_index)
        task.replica.parked.append(task)
