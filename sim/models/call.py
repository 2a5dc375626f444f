"""A guarded call: layers around one attempt, each a generator that runs what is inside it.

Which there are, and in what order, says `layers/`.

Every layer judges by what the caller itself sees: its own timeout, open breaker, full bulkhead and failed connection,
or the answer of its direct callee, for which everything that went wrong further down is an error (`models/answers.py`).
Why a call failed in the first place stays with it as `root`, for the books.

At a timeout the caller's permit and connection are free again; the callee goes on with the abandoned attempt, unless
the policy says `on_timeout: cancel`. At the total timeout that is so for the attempt under way, and there is no other.

Not modelled: many requests on one connection (HTTP/2), and the time that a cancellation takes to travel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from sim.models.context import Context
from sim.models.ending import kill, stop_branch
from sim.models.guards import Guard, Guards, Memory, distinct
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.outcomes import TIMEOUT
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Replica, Task, abandon
from sim.spec.policy import CallPolicy
from sim.vocabulary import EventKind

Run = Callable[[Task], Activity]
"""Makes the call for a task, or what is left of it inside some layers; ends with the outcome code."""


class Target(Protocol):
    """What can be called: an endpoint of a service, a route of the gateway, or a topic of a broker."""

    component: str  # the callee as a dependency: what breakers and bulkheads are named after
    where: int  # its name in the records
    hop_stream: str  # the stream of its hops
    counts: bool  # whether `over` matters
    publishes: bool  # whether what arrives must know its producer

    @property
    def only(self) -> Replica | None:
        """The one replica it has, where it has one."""

    def choose(self, caller: Replica, entity: int, chain: int) -> Replica | None:
        """The replica that takes this attempt; None: nobody is there."""

    def over(self, caller: Replica, replica: Replica, outcome: int = -1, began: float = 0.0) -> None:
        """For the balancer: the attempt is over from the caller's point of view; how, where that is known."""

    @property
    def arrive(self) -> Callable[[Task], None]:
        """What an attempt does when it gets there: it is handled and answered."""


class Token(Protocol):
    """What a call must have before it is made."""

    def run(self, task: Task) -> Activity:
        """OK with one, or the outcome of the request for it."""


class Waiter:
    """Who waits for a connection, or until it is open (`models/layers/pool.py`)."""

    __slots__ = ("must_open", "served", "task", "ticket")

    def __init__(self, task: Task):
        self.task = task
        self.ticket = task.ticket
        self.served = False  # has one, or may open one
        self.must_open = False

    @property
    def there(self) -> bool:
        """Whether he still waits."""
        return not self.served and self.task.ticket == self.ticket


class Layer(ABC):
    """What a policy puts around the rest of a call.

    `run` is a generator: before it runs `inner` it enters, afterwards it leaves, and where the caller is killed
    meanwhile (`Killed` comes out of its `yield from`) it gives back what it holds.
    """

    def __init__(self, call: Call, inner: Run):
        self.call = call
        self.inner = inner

    @staticmethod
    @abstractmethod
    def wanted(call: Call) -> bool:
        """Whether the call has this layer."""

    @staticmethod
    def memory(_policy: CallPolicy) -> Memory | None:
        """A new memory for one guard of the caller, for a layer that remembers something from one call to the next."""
        return None

    @staticmethod  # noqa: B027 - most register none
    def watch(call: Call, guards: Guards) -> None:
        """Register the time series of the memories in these guards; the call is the first to use them."""

    @abstractmethod
    def run(self, task: Task) -> Activity:
        """The outcome of what is inside, or another one in its place, whose origin is then `task.where`."""


def places_over_time(call: Call, guards: Guards, each: int) -> Callable[[float], float]:
    """The integral of the places of a caller, so many under each guard. Where its replicas come and go, each has its
    own only while it is there; of others those that have crashed count, too.
    """
    host, own = call.host, call.policy.scope == "replica"
    if host.comes_and_goes and own:
        return lambda now: each * (host.up_area + host.up * now)
    places = each * len(distinct(guards))
    return lambda now: places * now


class Call:
    """One call site: who calls whom, under which policy, and a salt that keeps its draws apart from those of other
    sites of the same target.
    """

    run: Run  # through all its layers
    guards: Guards  # by replica of the caller; empty where no layer remembers anything
    bulkhead_name: str  # as figures name its places
    limit_name: str  # and its rate limit
    pool_name: str  # and its connections
    deadlines: dict[Task, float]  # s; until when whoever asked waits for an attempt, where it was told

    def __init__(
        self,
        context: Context,
        site: str,
        caller: Host,
        target: Target,
        policy: CallPolicy,
        policy_name: str,
        hops: tuple[Hop, Hop],
        fallback: StepSequence | None,
        token: Token | None = None,
    ):
        self.context = context
        self.env = context.env
        self.recorder = context.recorder
        self.site = site
        self.host = caller
        self.caller = caller.name
        self.target = target
        self.policy = policy
        self.policy_name = policy_name  # sites of one caller that name the same policy share their guards
        self.hop, self.back = hops
        self.salt = context.salt(site)
        self.mark = context.mark(site)
        self.fallback = fallback
        self.token = token
        self.cancels = policy.cancels
        self.propagates = policy.deadline is not None
        self.connecting: dict[Task, Waiter] = {}

    def shares_guards_with(self, other: Call) -> bool:
        """Whether the two are of one caller, towards one callee, under one policy."""
        same_ends = (self.caller, self.target.component) == (other.caller, other.target.component)
        return same_ends and self.policy_name == other.policy_name

    def guard(self, task: Task) -> Guard:
        """What the replica of the task remembers about the callee."""
        return self.guards[task.replica]

    def failed(self, task: Task, outcome: int) -> int:
        """The caller's own failure: it arises at the call, and nowhere further down."""
        task.where = self.target.where
        task.root = 0
        return outcome

    def frozen(self, task: Task) -> bool:
        """Whether the task was woken in a frozen process: it hears of that at the thaw."""
        return self.host.may_hang and task.replica.hung > 0

    def thaw(self, task: Task) -> Activity:
        """Wait for the thaw."""
        return self.host.thaw(task, task.replica)

    def give_up(self, task: Task) -> None:
        """Nobody waits any longer for the attempt that the task makes; whether that goes on is the policy's choice."""
        child, task.children = task.children, None
        if isinstance(child, list):  # copies of a hedged attempt
            for copy in child:
                stop_branch(copy, self.cancels)
        elif child is not None:
            child.caller = None
            if self.cancels:
                kill(child, TIMEOUT, cancel=True)
            else:
                abandon(child)
        task.ticket += 1
        task.outcome = self.failed(task, TIMEOUT)
        if task.permit is not None and task.callee is None and task not in self.connecting:
            task.permit.leave(task, self.env)  # frozen, with a place that it has not used: it goes on at the thaw
        elif task not in task.replica.parked:  # likewise, with a connection
            self.env.wake(task)

    def note(self, kind: EventKind, task: Task, time: float) -> None:
        """Write what happened to the guard of the task into the event log; `time` is when, s."""
        name = self.caller if self.policy.scope == "service" else f"{self.caller}[{task.replica.index}]"
        self.recorder.event(kind, name, self.guard(task).about, time=time)
