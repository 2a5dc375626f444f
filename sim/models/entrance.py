"""How a host handles the attempts that come for one endpoint, or one route: arrival, place, steps, answer.

This is the hot path of the engine. An attempt whose steps are nothing but time and acts needs no generator: `_advance` walks them.
Any other runs as a flow. Both begin and end alike.
"""

from __future__ import annotations

import math
from heapq import heappush
from typing import TYPE_CHECKING

from sim.models.task import ACT, DEGRADED, OK, ORDINARY, PASS, RUN, SHED, UNREACHABLE, Flow, Steps, Task, at_once, nothing

if TYPE_CHECKING:
    from sim.models.host import Host, Replica


class Entrance:
    """The way through one host for one kind of attempt."""

    def __init__(self, host: Host, where: int, steps: Steps):
        self.host = host
        self.env = host.env
        self.ready = host.ready
        self.where = where  # the name under which refusals of the host itself are recorded
        self.steps = steps
        self.simple = not host.may_hang and all(manner in (PASS, ACT) for manner, _ in steps)
        self.arrival = [self.arrive]  # the callbacks of an attempt that is on its way here
        self.working = [self._worked]  # of one whose step takes its time
        self.delivery = [self._deliver]  # of one whose answer is on its way back

    def arrive(self, task: Task) -> None:
        """It has reached its replica: take a place, wait for one, or be refused."""
        host = self.host
        replica = task.replica
        host.offered += 1
        if task.again:
            host.attempts_again += 1
        if host.tracks:
            task.arrived = task.started = host.env.now
            replica.inside[task] = self.where
        if replica.closed:
            self._refuse(task, UNREACHABLE)
        elif replica.free:
            replica.free -= 1
            host.busy_area -= self.env.now
            task.granted = True
            if self.simple and not host.error_faults:
                self._advance(task, 0)
            else:
                self._start(task)
        elif replica.waiting < host.capacity:
            task.started = math.nan
            at_once(task, self._leave_queue)
            host.wait_in_queue(task, replica)
            if host.patience is not None:
                host.patience.arm(task)
        else:
            host.note_shed()
            self._refuse(task, SHED)

    def _leave_queue(self, task: Task) -> None:
        """Its turn has come, or its patience is over."""
        if task.granted:
            task.started = self.host.env.now
            self._start(task)
        else:
            self.host.note_shed()
            self._refuse(task, task.outcome)

    def _refuse(self, task: Task, outcome: int) -> None:
        task.where = self.where
        task.started = math.nan
        self._end(task, outcome)

    def _start(self, task: Task) -> None:
        """It has its place."""
        if self.host.error_faults and (outcome := self.host.struck(task)):
            self._end(task, outcome)
        elif self.simple:
            self._advance(task, 0)
        else:
            flow = self._flow(task)
            task.send = flow.send
            task.wake = [flow.send]
            next(flow)

    def _advance(self, task: Task, position: int) -> None:
        """Walk on through steps that take no time, up to the next that does."""
        outcome = OK
        for manner, step in self.steps[position:] if position else self.steps:
            position += 1
            if manner == PASS:
                host = self.host
                task.seconds = seconds = step(task.request.id, task.chain) * host.slow
                task.position = position
                task.callbacks = self.working
                heappush(host.calendar, (self.env.now + seconds, ORDINARY, host.number(), task))
                return
            outcome = step(task)
            if outcome:
                break
        self._end(task, outcome)

    def _worked(self, task: Task) -> None:
        """The time of a step is over."""
        host = self.host
        host.work_done += task.seconds
        if task.abandoned:
            host.work_wasted += task.seconds
        self._advance(task, task.position)

    def _flow(self, task: Task) -> Flow:
        """Steps that call, wait for others, or watch out for a freeze."""
        host = self.host
        replica = task.replica
        request = task.request
        watchful = host.may_hang
        outcome = OK
        for manner, step in self.steps:
            if watchful and replica.hung:
                yield from host.thaw(task, replica)
            if manner == PASS:
                seconds = step(request.id, task.chain) * host.slow
                task.callbacks = task.wake
                heappush(host.calendar, (host.env.now + seconds, ORDINARY, host.number(), task))
                yield
                host.work_done += seconds
                if task.abandoned:
                    host.work_wasted += seconds
                continue
            outcome = (yield from step(task)) if manner == RUN else step(task)
            if outcome:
                break
        if watchful and replica.hung:
            yield from host.thaw(task, replica)
        task.send = nothing  # breaks the cycle task -> generator -> task: both are freed at once
        task.wake = None
        self._end(task, outcome)
        yield

    def _end(self, task: Task, outcome: int) -> None:
        """Give the place up, close the account, and answer."""
        host = self.host
        if task.granted:
            replica: Replica = task.replica
            if replica.waiting:
                host.leave(task, replica)
            else:
                task.granted = False
                replica.free += 1
                host.busy_area += self.env.now
        if task.degraded and not outcome:
            outcome = DEGRADED
        if host.tracks:
            host.depart(task, outcome, self.where)
        else:
            host.ended[outcome] += 1
        task.outcome = outcome
        back = task.back
        if back is None or task.caller is None:
            self._deliver(task)
            return
        delay = back.fixed
        if delay < 0.0:
            delay = back.delay(task.request.id, task.chain)
        if delay > 0.0:
            task.callbacks = self.delivery
            heappush(host.calendar, (self.env.now + delay, ORDINARY, host.number(), task))
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
            caller.where = task.where
            self.ready.append(caller)
        request = task.request
        request.alive = alive = request.alive - 1
        if not alive and request.end == request.end:
            request.recorder.close(request)
