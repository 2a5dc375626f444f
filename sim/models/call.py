"""A guarded call: fallback( total timeout( retry( breaker( timeout( bulkhead( link, balancer, callee )))))), the one order of interceptors.

Retries, breakers and fallbacks judge by what the caller itself sees: its own timeout, open breaker, full bulkhead and failed connection, or the answer
of its direct callee, for which everything that went wrong further down is an error (`models/answers.py`). Why a call failed in the first place stays
with it as `root`, for the books.

At a timeout the caller's permit and connection are free again; the callee goes on with the abandoned attempt, unless the policy
says `on_timeout: cancel`. At the total timeout that is so for the attempt under way, and there is no other.

Not modelled: connection pools and connection set-up, deadline propagation, hedging.
"""

from __future__ import annotations

import math
from collections import deque
from heapq import heappush
from typing import TYPE_CHECKING, Any, Protocol

from sim.chance.chain import link_chain
from sim.models.task import CALL, ORDINARY, RUN, WAITING, Act, Task, abandon
from sim.policies import breaker as breakers
from sim.policies import budget as budgets
from sim.policies import bulkhead as bulkheads
from sim.policies import retry as retries
from sim.policies.base import passed, reached
from sim.spec.policy import Retry
from sim.vocabulary import QUIET, EventKind, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.models.host import Host, Replica
    from sim.models.link import Hop
    from sim.models.steps import StepSequence
    from sim.models.world import World
    from sim.spec.policy import CallPolicy

OK, DEGRADED, REFUSED = int(Outcome.OK), int(Outcome.DEGRADED), int(Outcome.REFUSED)
BREAKER_OPEN, BULKHEAD_FULL, TIMEOUT, UNREACHABLE = int(Outcome.BREAKER_OPEN), int(Outcome.BULKHEAD_FULL), int(Outcome.TIMEOUT), int(Outcome.UNREACHABLE)


class Target(Protocol):
    """What can be called: an endpoint of a service, or a topic of a broker."""

    component: str  # the callee as a dependency: what breakers and bulkheads are named after
    where: int  # its name in the records
    hop_stream: str  # the stream of its hops
    counts: bool  # whether `over` matters
    publishes: bool  # whether what arrives must know its producer

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
    def arrive(self) -> Callable[[Task], None]:
        """What an attempt does when it gets there: it is handled and answered."""


class Guard:
    """The memory of one caller about one callee, under one policy: breaker, budget, bulkhead."""

    __slots__ = ("about", "breaker", "budget", "bulkhead", "passed", "policy", "ring", "spent", "taken_area", "tokens", "turned_away", "waiting")

    def __init__(self, policy: CallPolicy, about: str):
        self.policy = policy
        self.about = about  # the callee, as events and series name it
        self.breaker: Any
        self.ring: Any
        self.budget: Any
        self.tokens: Any
        self.breaker, self.ring = breakers.new_breaker(policy.circuit_breaker) if policy.circuit_breaker else (None, None)
        budget = policy.retry.budget if policy.retry else None
        self.budget, self.tokens = budgets.new_budget(budget) if budget else (None, None)
        self.spent = -math.inf  # s; when the budget refused last
        self.bulkhead: Any = bulkheads.new_bulkhead(policy.bulkhead) if policy.bulkhead else None
        self.waiting: deque[tuple[Task, int]] = deque()  # for a place in the bulkhead, first come first served
        self.taken_area = 0.0
        self.passed = 0  # attempts that got a place
        self.turned_away = 0  # attempts that got none

    def renewed(self) -> Guard:
        """The guard of a replica that starts again: it remembers nothing, and its places are free; what was counted of it stays."""
        fresh = Guard(self.policy, self.about)
        fresh.taken_area, fresh.passed, fresh.turned_away = self.taken_area, self.passed, self.turned_away
        return fresh

    def taken_until(self, now: float) -> float:
        """Integral of the places taken."""
        inside: int = self.bulkhead.inside
        return self.taken_area + inside * now

    @property
    def in_line(self) -> int:
        """How many wait for a place."""
        return sum(task.ticket == ticket for task, ticket in self.waiting)


def leave_bulkhead(task: Task, ready: deque[Any], now: float) -> None:
    """Give the task's place to the first who still waits for it, or back."""
    guard, task.guard = task.guard, None
    while guard.waiting:
        heir, ticket = guard.waiting.popleft()
        if heir.ticket == ticket:
            heir.guard = guard
            guard.passed += 1
            ready.append(heir)
            return
    bulkheads.leave(guard.bulkhead)
    guard.taken_area += now


class Errand:
    """One call whose attempts and pauses together have a time limit."""

    __slots__ = ("deadline", "task", "ticket")

    def __init__(self, task: Task, deadline: float):
        self.task = task
        self.deadline = deadline  # s; minus infinity once the last pause has been cut short by it
        self.ticket = 0  # 1 when the call is over


class Call:
    """One call site: a target, a policy, and a salt that keeps its draws apart from those of other sites of the same target."""

    def __init__(
        self, world: World, site: str, caller: str, target: Target, policy: CallPolicy, policy_name: str, hops: tuple[Hop, Hop], fallback: StepSequence | None
    ):
        self.world = world
        self.env = world.env
        self.schedule = world.env.schedule
        self.calendar, self.numbers = world.env.calendar, world.env.numbers
        self.fixed_delay_queue, self.fixed_delay = world.env.fixed_delay_queue, world.env.fixed_delay
        self.ready = world.ready
        self.site = site
        self.caller = caller
        self.target = target
        self.only, self.counts, self.publishes = target.only, target.counts, target.publishes
        self.hop, self.back = hops
        self.salt = world.salt(site)
        self.mark = world.mark(site)
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
        self.lane = world.timers(policy.timeout, self._timed_out) if policy.timeout is not None else None
        self.guards = world.guards(self) if policy.circuit_breaker or policy.bulkhead or (policy.retry and policy.retry.budget) else None
        self.watchful = world.host(caller).may_hang
        breaker = policy.circuit_breaker
        self.breaks = breaker is not None
        self.limited = policy.bulkhead is not None
        wait = policy.bulkhead.max_wait if policy.bulkhead else 0.0
        self.bulkhead_lane = world.timers(wait, self._waited_for_bulkhead) if wait > 0 else None
        if world.recorder.stages is not None:
            self._send = self._send_and_tell  # type: ignore[method-assign]  # so that nobody else pays for the telling
        self.total = policy.total_timeout
        self.total_lane = world.timers(self.total, self._out_of_time) if self.total is not None else None
        if self.total is not None:
            self.begin = self._begin_in_time  # type: ignore[method-assign]  # the same
            self.go_on = self._go_on_in_time  # type: ignore[method-assign]

    def as_step(self) -> tuple[int, Any]:
        """As a step among others, which drive it by `begin` and `go_on`; a fallback takes a generator."""
        return (CALL if self.fallback is None else RUN), self

    def run(self, task: Task) -> Act:
        """Make the call for `task`; the outcome is OK, or that of the failure, whose place is then `task.where`."""
        outcome = self.begin(task)
        while outcome == WAITING:
            yield
            if self.watchful and task.replica.hung:
                yield from self._thaw(task)
            outcome = self.go_on(task)
        if outcome and outcome != REFUSED and self.fallback is not None:
            outcome = yield from self.fallback.run(task)
            if outcome == OK:
                task.degraded = True
        return outcome

    def _thaw(self, task: Task) -> Act:
        """A frozen caller hears at the thaw what has woken it: where that was an answer or a timeout, nothing that comes later can change it."""
        if task.calling is not None and task.callee is not None:
            task.ticket += 1
            task.children = None
        return (yield from task.replica.host.thaw(task, task.replica))

    def begin(self, task: Task) -> int:
        """Make the first attempt; the outcome, or WAITING."""
        task.tries = 0
        if self.guards is not None:
            task.memory = guard = self.guards[task.replica]
            if guard.budget is not None:
                budgets.deposit(guard.budget, guard.tokens, self.env.now)
        return self._attempt(task)

    def go_on(self, task: Task) -> int:
        """The task was woken, by an answer, a timeout, the bulkhead, or after a back-off: the outcome, or WAITING."""
        if task.calling is None:  # the back-off is over
            return self._attempt(task)
        replica = task.callee
        if replica is not None:
            outcome = task.outcome
            task.children = None
            if self.counts:
                self.target.over(task.replica, replica)
        elif task.guard is None:  # it waited for the bulkhead in vain
            outcome = task.outcome
        else:
            task.callee = self._send(task, task.tries)
            if task.callee is not None:
                return WAITING
            outcome = UNREACHABLE
        self._over(task, outcome)
        if outcome == OK:
            return OK
        if outcome == DEGRADED:
            task.degraded = True
            return OK
        if not self._again(task, outcome):
            return outcome
        return WAITING if task.pause > 0.0 else self._attempt(task)

    def _attempt(self, task: Task) -> int:
        """Make the next attempt; where it has failed at once, and there is no back-off, one more."""
        now = self.env.now
        while True:
            if self.breaks:
                guard = task.memory
                breaker = guard.breaker
                period = breaker.period
                task.admitted = breakers.admit(breaker, guard.ring, now)
                if breaker.period != period:
                    self._note_breaker(task, period)
                if task.admitted < 0:
                    task.where = self.target.where
                    task.root = 0
                    if not self._again(task, BREAKER_OPEN):
                        return BREAKER_OPEN
                    if task.pause > 0.0:
                        return WAITING
                    continue
            task.began = now
            task.root = 0
            if self.lane is not None:
                self.lane.arm(task)
            task.calling = self
            task.callee = None
            if self.limited and not self._enter_bulkhead(task):
                if self.bulkhead_lane is not None:
                    return WAITING
                outcome = BULKHEAD_FULL
            else:
                task.callee = self._send(task, task.tries)
                if task.callee is not None:
                    return WAITING
                outcome = UNREACHABLE
            self._over(task, outcome)
            if not self._again(task, outcome):
                return outcome
            if task.pause > 0.0:
                return WAITING

    def _over(self, task: Task, outcome: int) -> None:
        """The attempt is over: give back what it took, and let the breaker know."""
        task.ticket += 1
        task.calling = None
        if task.guard is not None:
            leave_bulkhead(task, self.ready, self.env.now)
        if self.breaks:
            guard = task.memory
            breaker = guard.breaker
            period = breaker.period
            now = self.env.now
            breakers.settle(breaker, guard.ring, now, task.admitted, outcome, now - task.began)
            if breaker.period != period:
                self._note_breaker(task, period)

    def _again(self, task: Task, outcome: int) -> bool:
        """Whether an attempt that ended so is followed by another: at once, or after a back-off that begins now."""
        task.tries += 1
        if task.tries >= self.max_attempts or not retries.retryable(self.retry, outcome):
            return False
        now = self.env.now
        if self.total is not None and reached(now, task.errand.deadline):
            return False
        if self.guards is not None and (guard := task.memory).budget is not None and not budgets.withdraw(guard.budget, guard.tokens, now):
            if passed(now, guard.spent + QUIET):
                self._note(EventKind.BUDGET_EXHAUSTED, task, now)
            guard.spent = now
            return False
        previous = task.pause if task.tries > 1 else self.retry.base  # where decorrelated jitter begins
        luck = self.jitter(task.request.id, link_chain(task.chain, self.salt, task.tries))
        task.pause = retries.backoff(self.retry, task.tries, luck, previous)
        if self.total is not None and reached(now + task.pause, task.errand.deadline):
            task.pause = task.errand.deadline - now
            task.errand.deadline = -math.inf
        if task.pause > 0.0:
            self.world.recorder.stage(task, Stage.BACKOFF, self.target.where)
            self.schedule(task, ORDINARY, task.pause)
        return True

    def _send(self, task: Task, attempt: int) -> Replica | None:
        """Put one attempt on the wire; None where there is nobody to send it to."""
        request = task.request
        chain = path = 0
        if attempt or self.salt or task.chain:
            chain, path = link_chain(task.chain, self.salt, attempt), link_chain(task.path, self.salt, 0)
        replica = self.only
        if replica is None or replica.down:
            replica = self.target.choose(task.replica, request.id, chain)
            if replica is None:
                task.where = self.target.where
                return None
        hop = self.hop
        delay = hop.fixed
        if delay < 0.0:
            delay = hop.delay(request.id, chain)
        if delay < 0.0:
            return replica  # lost: only the timeout will tell
        request.alive += 1
        child = Task(request, chain, path, task, replica)
        mark = self.mark
        child.mark = mark ^ path if mark else 0
        child.back = self.back
        if task.abandoned:
            child.abandoned = True
        if self.publishes:
            child.producer = task.replica
        task.children = child
        child.then = self.target.arrive
        if delay == self.fixed_delay:
            self.fixed_delay_queue.append((self.env.now + delay, ORDINARY, next(self.numbers), child))
        elif delay > 0.0:
            heappush(self.calendar, (self.env.now + delay, ORDINARY, next(self.numbers), child))
        else:
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

    def given_up(self, task: Task) -> None:
        """The caller was killed in the middle of an attempt: its probe, and its place in the balancer's count, are free again."""
        guard = self.guards[task.replica] if self.guards is not None else None
        if guard is not None and guard.breaker is not None:
            period = guard.breaker.period
            breakers.give_back(guard.breaker, guard.ring, self.env.now, task.admitted)
            if guard.breaker.period != period:
                self._note_breaker(task, period)
        if task.callee is not None and self.counts:
            self.target.over(task.replica, task.callee)
        if self.total is not None:
            task.errand.ticket = 1

    # -- total timeout ----------------------------------------------------------------------------------------------------

    def _begin_in_time(self, task: Task) -> int:
        """`begin`, where all attempts together have a time limit."""
        assert self.total is not None
        assert self.total_lane is not None
        task.errand = Errand(task, self.env.now + self.total)
        self.total_lane.arm(task.errand)
        return self._ended(task, Call.begin(self, task))

    def _go_on_in_time(self, task: Task) -> int:
        """`go_on`; a back-off may have been the last, cut short."""
        if task.calling is None and reached(self.env.now, task.errand.deadline):
            task.where = self.target.where
            task.root = 0
            return self._ended(task, TIMEOUT)
        return self._ended(task, Call.go_on(self, task))

    def _ended(self, task: Task, outcome: int) -> int:
        if outcome != WAITING:
            task.errand.ticket = 1
        return outcome

    def _out_of_time(self, errand: Errand) -> None:
        """No attempt goes on any longer. In a back-off, or frozen with an answer, the task finds out itself when it wakes."""
        task = errand.task
        if task.errand is not errand or task.calling is not self:
            return
        heard = task in task.replica.parked and (task.callee is not None or task.guard is None)  # an answer, or that the bulkhead stayed full
        if not heard:
            self._timed_out(task)

    # -- timeout ----------------------------------------------------------------------------------------------------------

    def _timed_out(self, task: Task) -> None:
        """Nobody waits any longer for this attempt; whether it goes on is the policy's choice."""
        child = task.children
        if child is not None:
            assert isinstance(child, Task)
            child.caller = None
            if self.cancels:
                self.world.kill(child, TIMEOUT, cancel=True)
            else:
                abandon(child)
        task.ticket += 1
        task.outcome = TIMEOUT
        task.where = self.target.where
        if task.callee is None and task.guard is not None:  # frozen, with a place that it has not used: it goes on at the thaw
            leave_bulkhead(task, self.ready, self.env.now)
        else:
            self.ready.append(task)

    # -- bulkhead ---------------------------------------------------------------------------------------------------------

    def _enter_bulkhead(self, task: Task) -> bool:
        """Take one of the bulkhead's places; where there is none, wait in line if the policy says so."""
        guard = task.memory
        if not guard.waiting and bulkheads.enter(guard.bulkhead):
            task.guard = guard
            guard.taken_area -= self.env.now
            guard.passed += 1
            return True
        if self.bulkhead_lane is None:
            guard.turned_away += 1
            task.where = self.target.where
        else:
            self.world.recorder.stage(task, Stage.BULKHEAD, self.target.where)
            guard.waiting.append((task, task.ticket))
            self.bulkhead_lane.arm(task)
        return False

    def _waited_for_bulkhead(self, task: Task) -> None:
        """`max_wait` is over; a task that got its place in time still has the same ticket, but holds the guard."""
        if task.guard is None:
            task.memory.turned_away += 1
            task.ticket += 1
            task.outcome = BULKHEAD_FULL
            task.where = self.target.where
            self.ready.append(task)

    # -- what the event log hears of guards ---------------------------------------------------------------------------------

    def _note_breaker(self, task: Task, before: int) -> None:
        """The breaker's state is another one than in period `before`: since when it is, and what it may have been in between."""
        breaker = task.memory.breaker
        if breaker.period > before + 1:  # half-open for too long it had opened, and that time is over too
            self._note(EventKind.BREAKER_OPENED, task, breaker.opened)
        self._note((EventKind.BREAKER_CLOSED, EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED)[breaker.state], task, breaker.since)

    def _note(self, kind: EventKind, task: Task, time: float) -> None:
        name = self.caller if self.policy.scope == "service" else f"{self.caller}[{task.replica.index}]"
        self.world.recorder.event(kind, name, task.memory.about, time=time)
