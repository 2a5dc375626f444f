"""How a host handles the attempts that come for one endpoint, or one route: arrival, place, steps, answer.

This is the hot path of the engine. An attempt whose steps are nothing but time, acts and calls needs no generator: such steps are
linked one to the next when the world is made, and each hands the task on. Any other runs as a flow. Both begin and end alike.

What an object holds to be called is read in one line and called in the next: the interpreter is quick at reading attributes and at
calling methods of a class, but not at calling what is an attribute.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappush
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sim.chance.keyed import stream_number
from sim.models.answers import Answers
from sim.models.task import ACT, DEGRADED, OK, ORDINARY, PASS, RUN, SHED, UNREACHABLE, WAITING, Flow, Steps, Task

if TYPE_CHECKING:
    from sim.models.call import Call
    from sim.models.demand import Demand
    from sim.models.host import Host, Replica

Go = Callable[[Task], None]


class Entrance:
    """The way through one host for one kind of attempt."""

    def __init__(self, host: Host, where: int, steps: Steps, answers: Answers):
        self.host = host
        self.account = host.account
        self.env = host.env
        self.calendar, self.numbers = host.env.calendar, host.env.numbers
        self.fixed_delay_queue, self.fixed_delay = host.env.fixed_delay_queue, host.env.fixed_delay
        self.ready = host.ready
        self.error_faults = host.error_faults
        self.where = where  # the name under which refusals of the host itself are recorded
        self.salt = stream_number(host.world.recorder.names[where]) >> 33  # of the draws of error faults
        self.steps = steps
        self.answers = answers
        self.deliver = self._deliver  # bound once, as what tasks do `then`
        self.leave_queue = self._leave_queue
        self.come_in = self._come_in
        simple = not host.may_hang and all(manner != RUN for manner, _ in steps)
        self.enter: Go = self._linked() if simple else self._begin_flow

    def arrive(self, task: Task) -> None:
        """It has reached its replica: take a place, wait for one, or be refused."""
        host = self.host
        account = self.account
        replica = task.replica
        account.offered += 1
        if task.mark and task.request.knows(task.mark):
            account.offered_again += 1
        if host.tracks:
            task.arrived = task.started = self.env.now
            replica.inside[task] = self.where
        if replica.closed:
            self._find_closed(task, replica)
        elif replica.free:
            replica.free -= 1
            account.busy_area -= self.env.now
            task.granted = True
            if self.error_faults:
                self._start(task)
            else:
                enter = self.enter
                enter(task)
        else:
            self._wait(task, replica)

    def _find_closed(self, task: Task, replica: Replica) -> None:
        """Nobody gets an answer. A frozen process does not even refuse: who finds no idle worker there waits in the listen backlog."""
        if not replica.hung or replica.closed > 1:  # it is not only frozen
            self._refuse(task, UNREACHABLE)
        elif replica.free and not replica.backlog:
            self._take_place(task, replica)
        else:
            task.started = math.nan
            task.then = self.come_in
            self.host.wait_outside(task, replica)

    def _come_in(self, task: Task) -> None:
        """It came while the process was frozen, and now goes through the door as everybody else, in its turn."""
        replica = task.replica
        self.host.come_inside(task, replica)
        if replica.free:
            self._take_place(task, replica)
        else:
            self._wait(task, replica)

    def _take_place(self, task: Task, replica: Replica) -> None:
        replica.free -= 1
        self.account.busy_area -= self.env.now
        task.granted = True
        task.started = self.env.now
        self._start(task)

    def _wait(self, task: Task, replica: Replica) -> None:
        """Join the queue, or be shed where it is full."""
        host = self.host
        if replica.waiting < host.capacity:
            task.started = math.nan
            task.then = self.leave_queue
            host.wait_in_queue(task, replica)
            if host.patience is not None:
                host.patience.arm(task)
        else:
            host.note_shed()
            self._refuse(task, SHED)

    def _leave_queue(self, task: Task) -> None:
        """Its turn has come, or its patience is over."""
        if task.granted:
            task.started = self.env.now
            self._start(task)
        else:
            self.host.note_shed()
            self._refuse(task, task.outcome)

    def _refuse(self, task: Task, outcome: int) -> None:
        task.where = self.where
        task.started = math.nan
        self.end(task, outcome, its_own=True)

    def _start(self, task: Task) -> None:
        """It has its place."""
        if self.error_faults and task.replica.hung:  # what is frozen does not even fail; the flow looks for itself
            task.then = self._start
            self.host.park(task)
        elif self.error_faults and (outcome := self.host.error_fault_hits(task, self.salt)):
            self.end(task, outcome, its_own=True)
        else:
            self.enter(task)

    def _linked(self) -> Go:
        """The steps, each made to go on to the next; what enters the first."""
        go: Go = self.end
        for manner, steps in reversed([(manner, [step for _, step in group]) for manner, group in groupby(self.steps, itemgetter(0))]):
            if manner == ACT:
                go = _Acts(self, [step.act for step in steps], go).enter
            else:
                link = _Passing if manner == PASS else _Calling
                for step in reversed(steps):
                    go = link(self, step, go).enter
        return go

    def _begin_flow(self, task: Task) -> None:
        flow = self._flow(task)
        task.then = flow.send
        next(flow)

    def _flow(self, task: Task) -> Flow:
        """Steps that wait for others, or watch out for a freeze."""
        host = self.host
        replica = task.replica
        watchful = host.may_hang
        outcome = OK
        for manner, step in self.steps:
            if watchful and replica.hung:
                yield from host.thaw(task, replica)
            if manner == PASS:
                seconds = step.of(task) * host.slow
                host.schedule(task, ORDINARY, seconds)
                yield
                host.note_work(task, seconds)
                continue
            outcome = step.act(task) if manner == ACT else (yield from step.run(task))
            if outcome:
                break
        if watchful and replica.hung:
            yield from host.thaw(task, replica)
        task.silence()
        self.end(task, outcome)
        yield

    def end(self, task: Task, outcome: int = OK, its_own: bool = False) -> None:
        """Give the place up, close the account, and answer. What the host itself refuses is `its_own`, and no matter of `answers`."""
        host = self.host
        reason = outcome
        if outcome:
            reason = outcome if its_own else task.root or outcome
            outcome = outcome if its_own else self.answers[outcome]
            task.root = 0 if reason == outcome else reason
        else:
            task.root = 0
            if task.degraded:
                reason = outcome = DEGRADED
        if task.granted:
            replica: Replica = task.replica
            if replica.waiting:
                host.leave(task, replica)
            else:
                task.granted = False
                replica.free += 1
                self.account.busy_area += self.env.now
        if host.tracks:
            host.depart(task, reason, self.where)
        else:
            self.account.ended[reason] += 1
        task.outcome = outcome
        back = task.back
        if back is None or task.caller is None:
            self._deliver(task)
            return
        delay = back.fixed
        if delay < 0.0:
            delay = back.delay(task.request.id, task.chain)
        task.then = self.deliver
        if delay == self.fixed_delay:
            self.fixed_delay_queue.append((self.env.now + delay, ORDINARY, next(self.numbers), task))
            return
        if delay > 0.0:
            heappush(self.calendar, (self.env.now + delay, ORDINARY, next(self.numbers), task))
            return
        if delay < 0.0:  # the answer is lost: its caller waits on, for nothing that is alive
            if isinstance(task.caller, Task):
                task.caller.children = None
            task.caller = None
        self._deliver(task)

    def _deliver(self, task: Task) -> None:
        """The answer has arrived, or nobody waits for it: the attempt is over."""
        caller = task.caller
        if caller is not None:
            task.caller = None
            caller.outcome = task.outcome
            caller.root = task.root
            caller.where = task.where
            self.ready.append(caller)
        request = task.request
        request.alive = alive = request.alive - 1
        if not alive and request.end == request.end:
            request.recorder.close(request)


class _Passing:
    """A step that is nothing but time."""

    def __init__(self, entrance: Entrance, demand: Demand, go: Go):
        self.host = entrance.host
        self.account = entrance.account
        self.env = entrance.env
        self.calendar, self.numbers = entrance.calendar, entrance.numbers
        self.draw = demand.draw
        self.go = go
        self.passed = self._passed
        self.enter: Go = self._enter_with_its_own if demand.kept else self._enter

    def _enter(self, task: Task) -> None:
        draw = self.draw
        task.seconds = seconds = draw(task.request.id, task.chain) * self.host.slow
        task.then = self.passed
        heappush(self.calendar, (self.env.now + seconds, ORDINARY, next(self.numbers), task))

    def _enter_with_its_own(self, task: Task) -> None:
        draw = self.draw
        task.seconds = seconds = draw(task.request.id, task.path) * self.host.slow
        task.then = self.passed
        heappush(self.calendar, (self.env.now + seconds, ORDINARY, next(self.numbers), task))

    def _passed(self, task: Task) -> None:
        account = self.account
        seconds = task.seconds
        account.work_done += seconds
        if task.abandoned:
            account.work_wasted += seconds
        else:
            task.worked += seconds
        go = self.go
        go(task)


class _Acts:
    """Steps in a row that take no time: together, so that no number of them makes a deep stack."""

    def __init__(self, entrance: Entrance, acts: list[Callable[[Task], int]], go: Go):
        self.end = entrance.end
        self.acts = acts
        self.go = go

    def enter(self, task: Task) -> None:
        for act in self.acts:
            outcome = act(task)
            if outcome:
                self.end(task, outcome)
                return
        go = self.go
        go(task)


class _Calling:
    """A call without a fallback."""

    def __init__(self, entrance: Entrance, call: Call, go: Go):
        self.end = entrance.end
        self.call = call
        self.go = go
        self.go_on = self._go_on

    def enter(self, task: Task) -> None:
        task.then = self.go_on
        outcome = self.call.begin(task)
        if outcome != WAITING:
            self.end(task, outcome)

    def _go_on(self, task: Task) -> None:
        outcome = self.call.go_on(task)
        if outcome == OK:
            go = self.go
            go(task)
        elif outcome != WAITING:
            self.end(task, outcome)
