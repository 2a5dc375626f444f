"""The caller's own rate limit: an attempt waits for its turn, or is refused because that is too far away.

Not modelled: threads that give up on their turn; a call whose total timeout ends in the wait has used its turn up. Who
waits for a token of the AWS SDK's adaptive mode hears of a new rate when his wait is over (botocore wakes one thread).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.models.call import Call, Layer
from sim.models.guards import Guards, Memory, sum_of
from sim.models.outcomes import RATE_LIMITED, TIMEOUT
from sim.models.spell import Spell
from sim.models.task import Activity, Killed, Task
from sim.models.unnoticed import Late
from sim.policies import aws_adaptive, waiting
from sim.policies.base import reached
from sim.spec.policy import CallerLimit, CallPolicy
from sim.vocabulary import EventKind, Stage


class LimiterMemory(Memory):
    """When whose turn is, and what is counted of it."""

    def __init__(self, limit: CallerLimit):
        self.adaptive: Any = aws_adaptive.AdaptiveRow() if limit.adapts else None  # the other row is then of no use
        self.row = row_of(limit)
        self.in_vain = limit.longest if limit.resilience4j is not None else 0.0  # s; who is refused waits so long
        self.passed = 0
        self.turned_away = 0
        self.in_line = 0
        self.spell: Spell | None = None  # of refusals, once there is one

    def renewed(self, policy: CallPolicy) -> LimiterMemory:
        """One that has seen nobody; what was counted stays. Who waits in a replica that dies, dies with it."""
        assert policy.rate_limit is not None
        fresh = LimiterMemory(policy.rate_limit)
        if fresh.adaptive is not None:
            fresh.adaptive.unborn = 1  # its client is made when it is first used
        fresh.passed, fresh.turned_away = self.passed, self.turned_away
        return fresh

    def unnoticed(self, now: float, _subject: str, _about: str) -> Iterator[Late]:
        """The end of a spell of refusals."""
        if self.spell is not None:
            yield from self.spell.end(now)

    def forgotten(self, _now: float, subject: str, about: str) -> Iterator[Late]:
        """A spell of refusals ends with the replica."""
        if self.spell is not None:
            yield Late(EventKind.LIMITING_ENDED, self.spell.last, subject, f"{about} rate limit")


def row_of(limit: CallerLimit) -> waiting.WaitingRow:
    """The policy of a limit."""
    if (its := limit.resilience4j) is not None:
        return waiting.new_waiting("resilience4j", limit.mean_rate, 1, its.limit_refresh_period, its.timeout_duration)
    kind = "guava" if limit.preset == "guava" else "smooth"
    return waiting.new_waiting(kind, limit.rate, limit.burst, 1.0, limit.wait, limit.warm_up)


class RateLimit(Layer):
    """Who has a turn keeps it: later ones wait behind him."""

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.rate_limit is not None

    @staticmethod
    def memory(policy: CallPolicy) -> LimiterMemory | None:
        """One that has seen nobody."""
        return LimiterMemory(policy.rate_limit) if policy.rate_limit is not None else None

    @staticmethod
    def watch(call: Call, guards: Guards) -> None:
        """What passes, what is refused, and who waits, in all replicas of the caller together."""
        watch, component = call.recorder.watch, call.limit_name
        watch(component, "passed", "total", sum_of(guards, LimiterMemory, lambda its, _: its.passed))
        watch(component, "turned_away", "total", sum_of(guards, LimiterMemory, lambda its, _: its.turned_away))
        watch(component, "in_line", "level", sum_of(guards, LimiterMemory, lambda its, _: its.in_line))

    def run(self, task: Task) -> Activity:
        """Wait for the turn of this attempt, and make it."""
        call, memory = self.call, self.call.guard(task).of(LimiterMemory)
        if memory.adaptive is not None:
            return (yield from self._adaptively(task, memory))
        now = call.env.now
        wait = waiting.ahead(memory.row, now)
        if not waiting.willing(memory.row, now, wait):
            memory.turned_away += 1
            self._note(task, memory)
            over = (yield from self._wait(task, memory, memory.in_vain)) if memory.in_vain > 0.0 else 0
            return call.failed(task, TIMEOUT if over else RATE_LIMITED)
        waiting.reserve(memory.row, now, 1)
        if wait > 0.0 and (yield from self._wait(task, memory, wait)):
            return call.failed(task, TIMEOUT)
        memory.passed += 1
        return (yield from self.inner(task))

    def _adaptively(self, task: Task, memory: LimiterMemory) -> Activity:
        """Wait until there is a token; the end of the attempt tells how fast they come."""
        call = self.call
        while (wait := aws_adaptive.ask(memory.adaptive, call.env.now)) > 0.0:
            if (yield from self._wait(task, memory, wait)):
                return call.failed(task, TIMEOUT)
        memory.passed += 1
        outcome = yield from self.inner(task)
        aws_adaptive.hear(memory.adaptive, call.env.now, int(outcome == RATE_LIMITED))
        return outcome

    def _wait(self, task: Task, memory: LimiterMemory, seconds: float) -> Activity:
        """Stand in line; 1 where the total timeout of the call came first."""
        call = self.call
        timed = task.timed_call if call.policy.timed else None
        cut = timed is not None and reached(call.env.now + seconds, timed.deadline)
        call.recorder.stage(task, Stage.OTHER, call.target.where)
        memory.in_line += 1
        if timed is not None:
            timed.pausing = True
        call.env.schedule(task, delay=timed.deadline - call.env.now if timed is not None and cut else seconds)
        try:
            yield
            if call.frozen(task):
                yield from call.thaw(task)
        except Killed:
            memory.in_line -= 1
            raise
        memory.in_line -= 1
        if timed is None:
            return 0
        timed.pausing = False
        return int(cut or reached(call.env.now, timed.deadline))

    def _note(self, task: Task, memory: LimiterMemory) -> None:
        call = self.call
        if memory.spell is None:
            shared = call.policy.scope == "service"
            subject = call.caller if shared else f"{call.caller}[{task.replica.index}]"
            about = f"{call.guard(task).about} rate limit"
            kinds = EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED
            memory.spell = Spell(call.recorder, *kinds, subject, about)
        memory.spell.note(call.env.now)
