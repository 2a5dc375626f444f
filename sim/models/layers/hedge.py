"""Hedging: where an answer takes long, the same is asked once more, and the first good answer counts.

Each copy goes through the layers inside by itself, with the draws of an attempt of its own. Losers are cancelled, as
gRPC and Polly do it, or go on for nobody.

Not modelled: that a copy goes to another replica than the first (the balancer chooses as always), and a percentile
of each endpoint apart: it is one of all that this caller asks under this policy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

from sim.models.budget import RetryBudget, Spending
from sim.models.call import Call, Layer, Run
from sim.models.clock import Signal
from sim.models.ending import stop_branch
from sim.models.guards import Guards, Memory, sum_of
from sim.models.outcomes import OK
from sim.models.task import Activity, Killed, Process, Task, TimedCall
from sim.policies import hedging
from sim.policies import retry as retries
from sim.spec.policy import Budget, CallPolicy
from sim.spec.policy import Hedge as Spec
from sim.vocabulary import Stage

APART = 1000  # between the numbers of copies, by which draws are keyed: more than there are attempts of a retry


class HedgeMemory(Memory):
    """How long answers took, what may be asked once more, and what is counted of it."""

    def __init__(self, hedge: Spec):
        self.row, self.ring = hedging.new_hedge(hedge)
        self.budget = RetryBudget(Budget(ratio=hedge.extra_load)) if hedge.extra_load is not None else None
        self.hedged = self.won = 0

    def renewed(self, policy: CallPolicy) -> HedgeMemory:
        """It has seen no answer; what was counted stays."""
        assert policy.hedge is not None
        fresh = HedgeMemory(policy.hedge)
        fresh.hedged, fresh.won = self.hedged, self.won
        return fresh

    def note(self, seconds: float) -> None:
        """A good answer of a first copy, or how long that has taken by now where another one overtook it.

        Left out, these would be missing from the tail, and the percentile would sink ever further.
        """
        hedging.note(self.row, self.ring, seconds)

    def pause(self) -> float:
        """Seconds until the next copy; negative: too few answers are known."""
        return hedging.pause(self.row, self.ring)

    def allows(self, now: float) -> bool:
        """Whether one more copy is within the extra load."""
        return self.budget is None or Spending(self.budget).withdraw(OK, now, lambda: None)


class Race:
    """The copies of one attempt."""

    def __init__(self, task: Task):
        self.task = task
        self.running: list[Task] = []
        self.over: deque[Task] = deque()
        self.last: Task | None = None  # the latest that is over
        self.open = True
        self.woken = False
        self.timers = 0  # how many were set; only the latest counts


class Hedge(Layer):
    """The first good answer, or the first that no further copy could mend; else the last."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.hedge is not None
        self.spec = call.policy.hedge
        self.rule = hedging.new_rule(self.spec)

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has it."""
        return call.policy.hedge is not None

    @staticmethod
    def memory(policy: CallPolicy) -> HedgeMemory | None:
        """One that has seen no answer."""
        return HedgeMemory(policy.hedge) if policy.hedge is not None else None

    @staticmethod
    def watch(call: Call, guards: Guards) -> None:
        """How many copies there were beside the first, and how many of these won."""
        watch, component = call.recorder.watch, f"{call.caller} -> {next(iter(guards.values())).about}"
        watch(component, "hedged", "total", sum_of(guards, HedgeMemory, lambda its, _: its.hedged))
        watch(component, "hedges_won", "total", sum_of(guards, HedgeMemory, lambda its, _: its.won))

    def run(self, task: Task) -> Activity:
        """Send the first copy, and further ones while no answer is good."""
        call, memory = self.call, self.call.guard(task).of(HedgeMemory)
        race, ticket, sent = Race(task), task.ticket, 0
        if memory.budget is not None:
            memory.budget.deposit(call.env.now)
        began = call.env.now
        call.recorder.stage(task, Stage.OTHER, call.target.where)
        while True:
            if sent <= self.spec.most and (sent == 0 or memory.allows(call.env.now)):
                self._send(race, sent)
                memory.hedged += sent > 0
                sent += 1
            elif sent <= self.spec.most:
                sent = self.spec.most + 1  # no copy more than the load that is granted
            if not race.running:
                assert race.last is not None  # nobody is left to hope for
                winner = race.last
                break
            self._wait_for_the_next(race, memory, sent)
            yield from self._wait(task, race)
            if task.ticket != ticket:  # given up, and all copies with it
                race.open = False
                return task.outcome
            if (found := self._winner(race)) is not None:
                winner = found
                break
        self._end(task, race)
        if winner.outcome == OK:
            memory.note(call.env.now - began)
        memory.won += winner.outcome == OK and winner.tries >= APART
        task.told = winner.told
        task.where, task.root, task.degraded = winner.where, winner.root, task.degraded or winner.degraded
        return winner.outcome

    def _wait(self, task: Task, race: Race) -> Generator[None, None, None]:
        """Until something happens to one of the copies, or the next is due."""
        race.woken = False
        task.children = list(race.running)
        try:
            yield
            if self.call.frozen(task):
                yield from self.call.thaw(task)
        except Killed:
            race.open = False
            raise

    def _end(self, task: Task, race: Race) -> None:
        """Nobody waits for the copies that still run."""
        race.open = False
        task.children = None
        for other in race.running:
            stop_branch(other, self.spec.cancel)

    def _send(self, race: Race, number: int) -> None:
        """One more copy."""
        task, call = race.task, self.call
        copy = Task(task.request, task.chain, task.path, task, task.replica)
        copy.abandoned = task.abandoned
        copy.attempt = task.attempt or task
        copy.told = 0.0
        copy.tries = task.tries + number * APART
        if call.policy.timed:
            copy.timed_call = TimedCall(copy, task.timed_call.deadline)
        race.running.append(copy)
        copy.begin(self._copy(copy, race))
        call.env.wake(copy)

    def _copy(self, copy: Task, race: Race) -> Process:
        """The layers inside, for one copy."""
        try:
            copy.outcome = yield from self.inner(copy)
        except Killed:  # what it has sent goes on for nobody, if at all
            if self.call.policy.timed:
                for attempt in copy.timed_call.attempts:
                    self.call.deadlines.pop(attempt, None)
            raise
        race.running.remove(copy)
        race.over.append(copy)
        copy.caller = None
        self._wake(race)
        copy.silence()
        yield

    def _wait_for_the_next(self, race: Race, memory: HedgeMemory, sent: int) -> None:
        """Set the clock for one more copy, where there may be one."""
        delay = memory.pause()
        if sent > self.spec.most or delay < 0.0:
            return
        race.timers += 1
        number = race.timers

        def now_due(_: object) -> None:
            if race.timers == number and race.open:
                self._wake(race)

        self.call.env.schedule(Signal(now_due), delay=delay)

    def _wake(self, race: Race) -> None:
        if not race.woken and race.open:
            race.woken = True
            self.call.env.wake(race.task)

    def _winner(self, race: Race) -> Task | None:
        """Who decides the race now; None: it goes on, with one more copy where there may be one."""
        while race.over:
            race.last = race.over.popleft()
            if race.last.outcome == OK or not retries.retryable(self.rule, race.last.outcome):
                return race.last
        return None
