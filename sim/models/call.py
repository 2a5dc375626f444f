"""A guarded call: fallback( retry( breaker( timeout( bulkhead( link, balancer, callee ))))), the one order of interceptors.

At a timeout the caller's permit and connection are free again; the callee goes on with the abandoned attempt, unless the policy
says `on_timeout: cancel`.

Not modelled: connection pools and connection set-up, deadline propagation, hedging.
"""

from __future__ import annotations

from collections import deque
from heapq import heappush
from typing import TYPE_CHECKING, Any, Protocol

from sim.models.task import ORDINARY, Act, Task, abandon, at_once
from sim.policies import breaker as breakers
from sim.policies import budget as budgets
from sim.policies import bulkhead as bulkheads
from sim.policies import retry as retries
from sim.spec.policy import Retry
from sim.vocabulary import EventKind, Outcome, Stage

if TYPE_CHECKING:
    from sim.models.host import Host, Replica
    from sim.models.link import Hop
    from sim.models.steps import Sequence
    from sim.models.world import World
    from sim.spec.policy import CallPolicy

OK, DEGRADED, REFUSED = int(Outcome.OK), int(Outcome.DEGRADED), int(Outcome.REFUSED)
BREAKER_OPEN, BULKHEAD_FULL, TIMEOUT, UNREACHABLE = int(Outcome.BREAKER_OPEN), int(Outcome.BULKHEAD_FULL), int(Outcome.TIMEOUT), int(Outcome.UNREACHABLE)
FAILED = frozenset(int(outcome) for outcome in (Outcome.ERROR, Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.SHED))
GOOD = frozenset((OK, DEGRADED))
PASSED = frozenset((OK, DEGRADED, REFUSED))  # the callee did its work: a business refusal is a success of the call

CHAIN_BASE = 0x9E3779B1
CHAIN_MASK = (1 << 62) - 1


def link_chain(chain: int, salt: int, attempt: int) -> int:
    """The chain of a part of a chain: 0 for first tries along first sites, another number for every other path."""
    return (chain * CHAIN_BASE + salt + attempt) & CHAIN_MASK if chain or salt or attempt else 0


class Target(Protocol):
    """What can be called: an endpoint of a service, or a topic of a broker."""

    component: str  # the callee as a dependency: what breakers and bulkheads are named after
    where: int  # its name in the records
    hop_stream: str  # the stream of its hops
    counts: bool  # whether `over` matters

    @property
    def only(self) -> Replica | None:
        """The one replica it has, where it has one."""

    @property
    def host(self) -> Host:
        """Where it lives."""

    def choose(self, caller: Replica, entity: int, chain: int) -> Replica | None:
        """The replica that takes this attempt; None: nobody is there."""

    def over(self, caller: Replica, replica: Replica) -> None:
        """For the balancer: the attempt is over from the caller's point of view."""

    @property
    def arrival(self) -> list[Any]:
        """The callbacks of an attempt on its way: they handle and answer it."""


class Guard:
    """The memory of one caller about one callee: breaker, budget, bulkhead."""

    __slots__ = ("breaker", "budget", "bulkhead", "policy", "ring", "tokens", "waiting")

    def __init__(self, policy: CallPolicy):
        self.policy = policy
        self.breaker: Any
        self.ring: Any
        self.budget: Any
        self.tokens: Any
        self.breaker, self.ring = breakers.new_breaker(policy.circuit_breaker) if policy.circuit_breaker else (None, None)
        budget = policy.retry.budget if policy.retry else None
        self.budget, self.tokens = budgets.new_budget(budget) if budget else (None, None)
        self.bulkhead: Any = bulkheads.new_bulkhead(policy.bulkhead) if policy.bulkhead else None
        self.waiting: deque[tuple[Task, int]] = deque()  # for a place in the bulkhead, first come first served


def leave_bulkhead(task: Task, ready: deque[Any]) -> None:
    """Give the task's place to the first who still waits for it, or back."""
    guard, task.guard = task.guard, None
    while guard.waiting:
        heir, ticket = guard.waiting.popleft()
        if heir.ticket == ticket:
            heir.guard = guard
            ready.append(heir)
            return
    bulkheads.leave(guard.bulkhead)


class Call:
    """One call site: a target, a policy, and a salt that keeps its draws apart from those of other sites of the same target."""

    def __init__(
        self, world: World, site: str, caller: str, target: Target, policy: CallPolicy, policy_name: str, hops: tuple[Hop, Hop], fallback: Sequence | None
    ):
        self.world = world
        self.env = world.env
        self.schedule = world.env.schedule
        self.calendar, self.number = world.env.calendar, world.env.number
        self.ready = world.ready
        self.caller = caller
        self.target = target
        self.hop, self.back = hops
        self.salt = world.salt(site)
        self.fallback = fallback
        self.policy = policy
        self.policy_name = policy_name  # sites of one caller that name the same policy share their guards
        retry = policy.retry or Retry(max_attempts=1)
        self.retry = retries.new_retry(retry)
        self.max_attempts = retry.max_attempts
        self.jitter = world.uniform(f"{site}.backoff")
        self.cancels = policy.on_timeout == "cancel"
        if self.cancels:
            for host in world.hosts():  # it goes on from callee to callee
                host.keep_track()
        self.lane = world.lane(policy.timeout, self._timed_out) if policy.timeout is not None else None
        self.guards = world.guards(self) if policy.circuit_breaker or policy.bulkhead or (policy.retry and policy.retry.budget) else None
        self.bulkhead_wait = policy.bulkhead.max_wait if policy.bulkhead else 0.0
        self.bulkhead_lane = world.lane(self.bulkhead_wait, self._waited_for_bulkhead) if self.bulkhead_wait > 0 else None
        if world.recorder.stages is not None:
            self._send = self._send_and_tell  # type: ignore[method-assign]  # so that nobody else pays for the telling

    def run(self, task: Task) -> Act:  # noqa: PLR0915 - the hot path, written out
        """Make the call for `task`; the outcome is OK, or that of the failure, whose place is then `task.where`."""
        guard = self.guards[task.replica] if self.guards is not None else None
        if guard is not None and guard.budget is not None:
            budgets.deposit(guard.budget, guard.tokens, self.env.now)
        attempt = 0
        pause = -1.0
        while True:
            admitted = 0
            if guard is not None and (breaker := guard.breaker) is not None:
                period = breaker.period
                admitted = breakers.admit(breaker, guard.ring, self.env.now)
                if breaker.period != period:
                    self._note_breaker(guard, task)
            if admitted < 0:
                task.where = self.target.where
                outcome = BREAKER_OPEN
            else:
                began = self.env.now
                if self.lane is not None:
                    self.lane.arm(task)
                if guard is not None:
                    task.calling = (self, admitted, None)
                if guard is not None and guard.bulkhead is not None and not (yield from self._enter_bulkhead(task, guard)):
                    outcome = task.outcome
                elif (replica := self._send(task, attempt)) is None:
                    outcome = UNREACHABLE
                else:
                    if self.target.counts:
                        task.calling = (self, admitted, replica)
                    yield
                    outcome = task.outcome
                    task.children = None
                    if self.target.counts:
                        self.target.over(task.replica, replica)
                task.ticket += 1
                task.calling = None
                if task.guard is not None:
                    leave_bulkhead(task, self.ready)
                if guard is not None and (breaker := guard.breaker) is not None:
                    period = breaker.period
                    if outcome in PASSED or outcome in FAILED:
                        now = self.env.now
                        breakers.record(breaker, guard.ring, now, admitted, 1 if outcome in FAILED else 0, now - began)
                    else:  # a rejection, by our own bulkhead or by a breaker further down, says nothing about the callee
                        breakers.give_back(breaker, guard.ring, self.env.now, admitted)
                    if breaker.period != period:
                        self._note_breaker(guard, task)
            attempt += 1
            if outcome in PASSED or attempt >= self.max_attempts or not retries.retryable(self.retry, outcome):
                break
            if guard is not None and guard.budget is not None and not budgets.withdraw(guard.budget, guard.tokens, self.env.now):
                break
            if pause < 0.0:
                pause = self.retry.base  # where decorrelated jitter begins
            pause = retries.backoff(self.retry, attempt, self.jitter(task.request.id, link_chain(task.chain, self.salt, attempt)), pause)
            if pause > 0.0:
                self.world.recorder.stage(task, Stage.BACKOFF, self.target.where)
                task.callbacks = task.wake
                self.schedule(task, ORDINARY, pause)
                yield
        if outcome == OK:
            return OK
        return (yield from self._after_all(task, outcome))

    def _after_all(self, task: Task, outcome: int) -> Act:
        """What is left when the last attempt was not simply ok: a degraded answer, a refusal, the fallback, or the failure."""
        if outcome == DEGRADED:
            task.degraded = True
            return OK
        if self.fallback is None or outcome == REFUSED:
            return outcome
        outcome = yield from self.fallback.run(task)
        if outcome == OK:
            task.degraded = True
        return outcome

    def _send(self, task: Task, attempt: int) -> Replica | None:
        """Put one attempt on the wire; None where there is nobody to send it to."""
        target = self.target
        request = task.request
        entity = request.id
        chain = link_chain(task.chain, self.salt, attempt) if attempt or self.salt or task.chain else 0
        replica = target.only
        if replica is None or replica.down:
            replica = target.choose(task.replica, entity, chain)
            if replica is None:
                task.where = target.where
                return None
        hop = self.hop
        delay = hop.fixed
        if delay < 0.0:
            delay = hop.delay(entity, chain)
        if delay < 0.0:
            return replica  # lost: only the timeout will tell
        request.alive += 1
        child = Task(request, chain, task, replica)
        child.back = self.back
        if task.abandoned:
            child.abandoned = True
        if attempt or task.again:
            child.again = True
        task.children = child
        if delay > 0.0:
            child.callbacks = target.arrival
            heappush(self.calendar, (self.env.now + delay, ORDINARY, self.number(), child))
        else:
            at_once(child, target.arrival[0])
            self.ready.append(child)
        return replica

    def _send_and_tell(self, task: Task, attempt: int) -> Replica | None:
        """The same where spans are kept."""
        replica = Call._send(self, task, attempt)
        if replica is not None:
            self.world.recorder.sent(task, task.children, self.target.where, attempt)
        return replica

    def send_and_forget(self, task: Task) -> None:
        """One attempt of which the caller hears no more, not even that it was lost; its policy has nothing to guard."""
        task.children = None
        self._send(task, 0)
        if task.children is not None:
            task.children.caller = None
            task.children = None

    def given_up(self, task: Task, admitted: int, replica: Replica | None) -> None:
        """The caller was killed in the middle of an attempt: its probe, and its place in the balancer's count, are free again."""
        guard = self.guards[task.replica] if self.guards is not None else None
        if guard is not None and guard.breaker is not None:
            breakers.give_back(guard.breaker, guard.ring, self.env.now, admitted)
        if replica is not None:
            self.target.over(task.replica, replica)

    # -- timeout ----------------------------------------------------------------------------------------------------------

    def _timed_out(self, task: Task) -> None:
        """Nobody waits any longer for this attempt; whether it goes on is the policy's choice."""
        child = task.children
        if child is not None:
            assert isinstance(child, Task)
            child.caller = None
            if self.cancels:
                self.world.kill(child, TIMEOUT)
            else:
                abandon(child)
        task.ticket += 1
        task.outcome = TIMEOUT
        task.where = self.target.where
        self.ready.append(task)

    # -- bulkhead ---------------------------------------------------------------------------------------------------------

    def _enter_bulkhead(self, task: Task, guard: Guard) -> Act:
        """1 with one of the bulkhead's places in hand; 0 with the outcome, where there was none in time."""
        if guard.waiting or not bulkheads.enter(guard.bulkhead):
            if self.bulkhead_lane is None:
                task.outcome = BULKHEAD_FULL
                task.where = self.target.where
                return 0
            self.world.recorder.stage(task, Stage.BULKHEAD, self.target.where)
            guard.waiting.append((task, task.ticket))
            self.bulkhead_lane.arm(task)
            yield
            return 1 if task.guard is not None else 0
        task.guard = guard
        return 1

    def _waited_for_bulkhead(self, task: Task) -> None:
        """`max_wait` is over; a task that got its place in time still has the same ticket, but holds the guard."""
        if task.guard is None:
            task.ticket += 1
            task.outcome = BULKHEAD_FULL
            task.where = self.target.where
            self.ready.append(task)

    # -- breaker ----------------------------------------------------------------------------------------------------------

    def _note_breaker(self, guard: Guard, task: Task) -> None:
        kind = (EventKind.BREAKER_CLOSED, EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED)[guard.breaker.state]
        name = self.caller if self.policy.scope == "service" else f"{self.caller}[{task.replica.index}]"
        self.world.recorder.event(kind, name, self.target.component)
