"""The life of one attempt at a host, for one endpoint or one route: arrival, queue, place, steps, answer."""

from __future__ import annotations

import math

from sim.chance.keyed import stream_number
from sim.models.answers import Answers
from sim.models.ending import answer
from sim.models.host import Host
from sim.models.idempotency import Keys
from sim.models.limits import HoldingLimits, Limits
from sim.models.outcomes import DEGRADED, OK, SHED, UNREACHABLE
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Killed, Process, Replica, Task, answer_delay
from sim.policies.idempotency import WORK


class Entrance:
    """The way through one host for one kind of attempt."""

    def __init__(self, host: Host, where: int, steps: StepSequence, answers: Answers):
        self.host = host
        self.env = host.env
        self.account = host.account
        self.where = where  # the name under which refusals of the host itself are recorded
        self.salt = stream_number(host.recorder.names[where]) >> 33  # of the draws of error faults
        self.steps = steps
        self.answers = answers
        self.limits: Limits | None = None  # rate limits of a service, which are asked before the steps
        self.keys: Keys | None = None

    def arrive(self, task: Task) -> None:
        """It has reached its replica."""
        self.account.offered += 1
        if task.mark and task.request.knows(task.mark):
            self.account.offered_again += 1
        if self.host.loops is not None:
            self.host.loops.choose(task)
        if self.host.tracks:
            task.arrived = task.started = self.env.now
            task.replica.inside[task] = self.where
        task.run(self._life(task))

    def _life(self, task: Task) -> Process:
        """Get a place, go through the steps, give the place back, answer.

        What the host itself refuses is no matter of `answers`.
        """
        host, replica = self.host, task.replica
        if replica.free and not replica.closed and (host.loops is None or host.loops.is_free(task, replica)):
            host.grant(task, replica)
            refusal = OK
        else:
            refusal = yield from self._wait_for_place(task, replica)
        if host.error_faults and not refusal:
            refusal = yield from self._meet_error_faults(task)
        if host.function is not None and not refusal:
            refusal = yield from host.function.run(task)
        if self.limits is not None and not refusal:
            refusal = yield from self._meet_limits(task, self.limits)
        if refusal:
            self._end(task, task.root or refusal, refusal)
        elif self.keys is not None and (answered := self.keys.look(task, self.env.now)) != WORK:
            self._end(task, task.root or answered, answered)
        else:
            outcome = yield from self.steps.run(task) if self.keys is None else self._with_key(task, self.keys)
            if host.may_hang and replica.hung:
                yield from host.thaw(task, replica)
            self._end_of_steps(task, outcome)
        delay = self._way_back(task)
        if delay > 0.0:
            self.env.hold(task, delay)
            yield
        answer(task, task.outcome, self.env)
        task.request.done()
        task.silence()
        yield

    def _wait_for_place(self, task: Task, replica: Replica) -> Activity:
        """OK with a place, or the refusal.

        From a process that is down nobody gets an answer. A frozen one does not even refuse: who finds no idle worker
        there waits in the listen backlog, and goes through the door as everybody else in the turn that he has at the
        thaw.
        """
        host = self.host
        if host.listening is not None and task.connect >= 0.0:
            refusal = yield from host.listening.connect(task, replica)
            if refusal:
                return self._refused(task, refusal)
        if replica.closed:
            only_frozen = replica.hung and replica.closed == 1
            if not only_frozen:
                return self._refused(task, UNREACHABLE)
            if not host.has_place(task, replica) or replica.backlog:
                task.started = math.nan
                host.wait_outside(task, replica)
                yield
                host.come_inside(task, replica)
        if not host.has_place(task, replica) and not (host.preempts and host.interrupt_for(task, replica)):
            full = replica.waiting >= host.capacity
            if full and host.listening is None and not host.make_room(task, replica):
                host.shedding.note(self.env.now)
                return self._refused(task, SHED)
            task.started = math.nan
            if full and host.listening is not None and task.connect >= 0.0:
                host.listening.wait(task, replica)
            else:
                host.wait_in_queue(task, replica)
                if host.patience is not None:
                    host.patience.arm(task)
            yield
            if not task.granted:
                host.shedding.note(self.env.now)
                return self._refused(task, task.outcome)
        elif not task.granted:
            host.grant(task, replica)
        task.started = self.env.now
        return OK

    def _refused(self, task: Task, outcome: int) -> int:
        task.where = self.where
        task.started = math.nan
        return outcome

    def _meet_error_faults(self, task: Task) -> Activity:
        """ERROR where one of those that are on now hits it. What is frozen does not even fail."""
        host = self.host
        while host.error_faults and task.replica.hung:
            host.park(task)
            yield
        return host.error_fault_hits(task, self.salt) if host.error_faults else OK

    def _meet_limits(self, task: Task, limits: Limits) -> Activity:
        """OK, or what a rate limit of the host answers."""
        if isinstance(limits, HoldingLimits):
            return (yield from limits.run(task))
        return limits.act(task)

    def _with_key(self, task: Task, keys: Keys) -> Activity:
        """Go through the steps; what is killed in the midst of them was never done."""
        try:
            return (yield from self.steps.run(task))
        except Killed:
            keys.forget(task)
            raise

    def _end_of_steps(self, task: Task, outcome: int) -> None:
        """What is answered, and why it is so."""
        if outcome:
            reason, answered = task.root or outcome, self.answers[outcome]
        else:
            reason = answered = DEGRADED if task.degraded else OK
        task.root = 0 if reason == answered else reason
        if self.keys is not None:
            self.keys.end(task, answered)
        self._end(task, reason, answered)

    def _end(self, task: Task, reason: int, answered: int) -> None:
        """Give the place up, and close the account."""
        host = self.host
        if task.granted:
            host.leave(task, task.replica)
        if host.tracks:
            host.depart(task, reason, self.where)
        else:
            self.account.ended[reason] += 1
        task.outcome = answered

    def _way_back(self, task: Task) -> float:
        """Seconds until the caller has the answer; none where nobody waits for it.

        Lost, its caller waits on, for nothing that is alive.
        """
        back = task.back
        if back is None or task.caller is None:
            return 0.0
        delay = back.fixed if back.fixed >= 0.0 else answer_delay(task, back, task.caller)
        if delay < 0.0:
            if isinstance(task.caller, Task):
                task.caller.children = None
            task.caller = None
        return delay
