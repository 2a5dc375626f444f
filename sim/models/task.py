"""Threads of control, and where they run: a task is one attempt (or one consumer, relay, user) in one replica.

Most tasks are generators, which their `then` resumes:

    hold:   env.hold(task, seconds); yield      come back after some time
    park:   yield                               come back when somebody wakes the task (`env.wake`)

A generator never returns to the clock: its last statement is a bare `yield`, after which the task is simply forgotten.
Where a task is killed, `Killed` comes out of its `yield`: what it holds is given back on the way out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, Protocol

from sim.models.clock import Clock
from sim.models.link import Hop
from sim.models.request import Request
from sim.policies.connecting import LINUX_GIVES_UP
from sim.vocabulary import Outcome

Process = Generator[None, None, None]
"""The life of a task."""
Activity = Generator[None, None, int]
"""A part of a process that ends with an outcome code."""

NOWHERE, IN_QUEUE, ON_CPU, OUTSIDE = 0, 1, 2, 3
"""Where a task waits: at none of these, in the queue of its replica, on its cores, outside of it, which is frozen."""


class Killed(BaseException):
    """The task ends here and now. It is no error, and not for those who catch errors."""


class Account:
    """What a component counts of the attempts that come to it."""

    __slots__ = ("busy_area", "ended", "offered", "offered_again", "work_done", "work_wasted")

    def __init__(self) -> None:
        self.offered = 0  # attempts that have arrived
        self.offered_again = 0  # of these, those that were not the first of their request to come by the same path
        self.ended = [0] * len(Outcome)  # of these, by outcome
        self.work_done = 0.0  # s
        self.work_wasted = 0.0  # s; of this, for nobody
        self.busy_area = 0.0  # an `x_area` is the integral of x so far, less x * now: two additions per change of x


class Component(Protocol):
    """What is asked of the component in which a task runs, when the task is killed: a service or the gateway
    (`models/host.py`).
    """

    name: str
    name_index: int  # of its name in the records
    account: Account
    env: Clock

    def leave(self, task: Task, replica: Replica) -> None:
        """Give the place up."""

    def unqueue(self, task: Task, replica: Replica) -> None:
        """Wait in the queue no longer."""

    def come_inside(self, task: Task, replica: Replica) -> None:
        """Wait outside of a frozen process no longer."""

    def depart(self, task: Task, outcome: int, where: int) -> None:
        """An attempt that had arrived has ended."""


class Outside:
    """No component of the system: the side of clients, and of brokers. Nothing there ends before its time."""

    name = ""

    def __init__(self, place: int = 0) -> None:
        self.place = place  # of their traffic among all
        self.account = Account()


class Cores(Protocol):
    """The cores of one replica (`models/cpu.py`)."""

    def run(self, task: Task, work: float) -> None:
        """Compute for `work` core-seconds; the task, which yields now, is woken when it is done."""

    cores: int

    def drop(self, task: Task) -> None:
        """Forget a job whose task was killed."""

    def at_work(self) -> Iterator[tuple[int, Task]]:
        """Who computes, each with the number of his job."""

    def interrupt(self, task: Task) -> float:
        """Forget the job of a task; the core-seconds that it had still to do."""

    def stop(self) -> None:
        """Freeze."""

    def go_on(self) -> None:
        """End of the freeze."""

    def area(self, now: float) -> float:
        """Integral of the number of busy cores since 0."""


class Replica:
    """One instance of a component: `free` places (worker threads, or threads of an event loop), a queue, and perhaps
    cores.
    """

    __slots__ = (
        "absent",  # there is none at its place now, or one that is not ready yet (`models/fleet.py`)
        "adrift",  # flows of requests that go on in it and nobody waits for: steps in the background, losers of a race
        "backlog",  # how many wait outside, because it is frozen
        "balancers",  # by callee: what it knows about the load it has put on each replica
        "closed",  # for how many reasons it lets nobody in: it is down, an outage refuses, it is frozen
        "cpu",
        "down",
        "draining",  # nobody is sent to it any more, and it ends when it is empty
        "ending",  # what is inside ends at this moment: who waits there for something has it no more
        "free",
        "frozen_seconds",  # in all freezes that are over
        "granted",  # cores that it may use on average
        "host",
        "hung",  # how many faults freeze it now
        "hung_since",  # s
        "index",
        "inside",  # attempts that have arrived and not left, and where; kept only where somebody may ask
        "memory",  # what steps keep in it, each under what it likes; a crash empties it
        "overdue",  # who waited too long in the queue while it was frozen, with their tickets
        "parked",  # frozen tasks, and those who wait outside: at the thaw they go on in this order
        "queue",  # tasks with their tickets
        "skew",  # s; by how much its clock is ahead of the right time
        "tally",  # of the version that it is of, where somebody judges that (`models/release.py`)
        "waiting",  # live entries of the queue; entries of tasks that gave up stay in it until they reach its head
        "warm_since",  # s; when it was ready, and began to be less and less slow
        "workers",
        "zone",  # its number; -1: it is in none
    )

    def __init__(self, host: Component | Outside, index: int, workers: int, cpu: Cores | None = None):
        self.host = host
        self.absent = False
        self.adrift: dict[Task, None] = {}
        self.index = index
        self.workers = workers
        self.free = workers
        self.granted = 0.0
        self.zone = -1
        self.skew = 0.0
        self.tally: Any = None
        self.queue: deque[tuple[Task, int]] = deque()
        self.waiting = 0
        self.cpu = cpu
        self.down = False
        self.draining = False
        self.ending = False
        self.warm_since = -math.inf
        self.closed = 0
        self.hung = 0
        self.hung_since = 0.0
        self.frozen_seconds = 0.0
        self.backlog = 0
        self.parked: list[Task] = []
        self.overdue: list[tuple[Task, int]] = []
        self.inside: dict[Task, int] = {}
        self.balancers: dict[str, Any] = {}
        self.memory: dict[Any, Any] = {}

    def frozen(self, now: float) -> float:
        """Seconds that this replica has spent frozen since time 0."""
        return self.frozen_seconds + (now - self.hung_since if self.hung else 0.0)


class Permit(Protocol):
    """A place that is held while an attempt lasts (`models/layers/bulkhead.py`)."""

    def leave(self, task: Task, env: Clock) -> None:
        """Give it back."""


class TimedCall:
    """One call whose attempts and pauses together have a time limit."""

    __slots__ = ("attempts", "deadline", "pausing", "task", "ticket")

    def __init__(self, task: Task, deadline: float):
        self.task = task
        self.deadline = deadline  # s
        self.pausing = False  # between two attempts
        self.attempts: list[Task] = []  # those that were told of the deadline
        self.ticket = 0  # 1 when the call is over

    def end(self) -> None:
        """It is over: its timer is stale."""
        self.ticket = 1


class Task:
    """One attempt at something, and what it holds while it is at it."""

    __slots__ = (
        "abandoned",  # nobody waits for what this does, or for what that is part of
        "arrived",  # s; at the replica; set where the host keeps track
        "attempt",  # the attempt that it is a branch of
        "back",  # the hop that its answer takes
        "callee",  # the replica to which it has sent the present attempt of its call; None: not sent
        "caller",  # who is woken by the answer: a Task or a Request; None: nobody any more
        "chain",  # the retry and redelivery numbers along its path, folded into one number: the `attempt` of its draws
        "children",  # the attempt, or the list of branches, that it waits for now; None
        "connect",  # s; for how long its connection is tried, which is new; KEPT_ALIVE: it had one
        "degraded",  # a fallback stood in for something below
        "flow",  # its number, where spans are kept and it is part of a request's way
        "generator",
        "granted",  # holds a place at its replica
        "loop",  # of a host with pinned connections: the thread of its connection; -1: not known yet
        "mark",  # of its site and path, for what goes to a host; 0: its request cannot come that way twice
        "opened",  # of a pool: the connection of its present attempt is a new one
        "outcome",  # of what it waited for, and at last its own: as it is answered
        "own_thread",  # a consumer or relay: runs on a thread of its own, not on a worker of its replica
        "path",  # its chain without retry and redelivery numbers: the same for every attempt of the same
        "permit",  # the place in a bulkhead that it holds
        "producer",  # of a publication: the replica that sends it
        "replica",  # where it runs
        "request",
        "root",  # why it failed in the first place, where something else is answered; 0: it is the same
        "started",  # s; when it got its place, nan while it has none; set where the host keeps track
        "then",  # what is called, with the task, when its time or its turn has come
        "ticket",  # counts what it has waited for: a timer of an older ticket is stale
        "timed_call",  # the call that it makes, where all of it together has a time limit
        "told",  # s; what the limit that refused its present attempt asked for; set where somebody obeys
        "tries",  # how many attempts of the call that it makes are over
        "waits",  # NOWHERE, IN_QUEUE, ON_CPU, OUTSIDE
        "where",  # index of the name of the place where `outcome` arose
        "worked",  # s; before it was abandoned
    )
    arrived: float
    back: Hop | None
    callee: Replica | None
    caller: Any
    children: Any
    opened: bool
    outcome: int
    producer: Replica
    replica: Replica
    request: Request  # consumers, relays and users have another one from time to time, and none before the first
    started: float
    then: Callable[[Any], Any]
    timed_call: TimedCall
    told: float

    def __init__(
        self, request: Request | None, chain: int, path: int, caller: Task | Request | None, replica: Replica | None
    ):
        # None only until there is one, or there is no need for any: a test at each use would cost more than it tells.
        self.request = request  # type: ignore[assignment]
        self.chain = chain
        self.path = path
        self.caller = caller
        self.replica = replica  # type: ignore[assignment]
        self.abandoned = False
        self.attempt: Task | None = None
        self.back = None
        self.children = None
        self.connect = LINUX_GIVES_UP
        self.degraded = False
        self.flow = -1
        self.generator: Process | None = None
        self.granted = False
        self.loop = -1
        self.mark = 0
        self.own_thread = False
        self.permit: Permit | None = None
        self.root = 0
        self.ticket = 0
        self.tries = 0
        self.waits = NOWHERE
        self.where = -1
        self.worked = 0.0

    def begin(self, process: Process) -> None:
        """Bind its process, which runs when the task is held or woken."""
        self.generator = process
        self.then = _start

    def run(self, process: Process) -> None:
        """Bind its process, which runs now."""
        self.generator = process
        self.then = process.send
        next(process)

    def silence(self) -> None:
        """Never run again, whatever is still scheduled for it.

        Breaks the cycle task -> generator -> task, so that both are freed at once.
        """
        self.generator = None
        self.then = _nothing

    def kill(self) -> None:
        """End its process where it stands, and never run again."""
        if self.generator is not None:
            with suppress(Killed, StopIteration):
                self.generator.throw(Killed())
        self.silence()


def _start(task: Task) -> None:
    """The first turn of a process; afterwards it is resumed straight."""
    assert task.generator is not None
    task.run(task.generator)


def _nothing(_: object) -> None:
    """What a silenced task does when its time or its turn comes."""


def answer_delay(task: Task, back: Hop, caller: Task | Request) -> float:
    """Seconds on the way back from a task to who waits for it; LOST if it never arrives."""
    if back.between_zones >= 0.0 and isinstance(caller, Task):
        return back.delay_between(task.request.id, task.chain, crosses(task, caller.replica))
    return back.delay(task.request.id, task.chain)


def crosses(task: Task, other: Replica) -> bool:
    """Whether what a task sends leaves its zone; both replicas are in one."""
    return task.replica.zone != other.zone


def abandon(task: Task) -> None:
    """Nobody waits for this task any more: what it and its children have done, and still do, is wasted. It goes on."""
    if not task.abandoned:
        task.abandoned = True
        task.replica.host.account.work_wasted += task.worked
    children = task.children
    if children is None:
        return
    for child in children if isinstance(children, list) else (children,):
        if not child.abandoned:
            abandon(child)
