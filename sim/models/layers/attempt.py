"""One attempt: it is put on the wire, and its answer waited for."""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.chance.chain import link_chain
from sim.models.call import Call, Layer, Run
from sim.models.outcomes import DEGRADED, OK, UNREACHABLE
from sim.models.request import Request
from sim.models.task import Activity, Killed, Replica, Task, crosses
from sim.policies.connecting import KEPT_ALIVE, LINUX_GIVES_UP


class Attempt(Layer):
    """The innermost layer, which every call has.

    An answer that is degraded is an answer; that of the caller will be degraded too.
    """

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        target = call.target
        self.only, self.publishes = target.only, target.publishes
        self.counts = target.counts  # whether the caller's balancer must hear of ends
        # Chooses by the request, where the balancer goes by more than its id.
        self.by_request: Callable[[Replica, Request, int], Replica | None] | None = getattr(target, "by_request", None)
        host = getattr(target, "host", None)
        self.dials = host is not None and host.listening is not None  # the kernel of the callee asks for connections
        # What is to be known of who sends it, when it arrives.
        self.sent: Callable[[Task, Task], None] | None = getattr(target, "sent", None)
        # What endpoints tell of their callers, where both are in zones.
        self.count_zone: Callable[[bool], None] = getattr(target, "count_zone", _uncounted)

    @staticmethod
    def wanted(_call: Call) -> bool:
        """Always."""
        return True

    def run(self, task: Task) -> Activity:
        """The outcome as it was answered, or UNREACHABLE where there is nobody to send to."""
        call = self.call
        began = call.env.now if self.counts else 0.0
        task.callee = callee = self.send(task)
        if callee is None:
            return call.failed(task, UNREACHABLE)
        try:
            yield
            if call.frozen(task):  # an answer or a timeout has woken it: nothing that comes later can change it
                task.ticket += 1
                task.children = None
                yield from call.thaw(task)
        except Killed:
            if self.counts:
                call.target.over(task.replica, callee)
            raise
        task.children = None
        if self.counts:
            call.target.over(task.replica, callee, task.outcome, began)
        if task.outcome == DEGRADED:
            task.degraded = True
            return OK
        return task.outcome

    def send(self, task: Task, heard: bool = True) -> Replica | None:
        """Put the attempt on the wire; the replica that it goes to, also where it is lost on its way.

        None where there is none.
        """
        call, request = self.call, task.request
        chain = path = 0
        if task.tries or call.salt or task.chain:
            chain, path = link_chain(task.chain, call.salt, task.tries), link_chain(task.path, call.salt, 0)
        replica = self.only
        if replica is None or replica.down:
            replica = (
                call.target.choose(task.replica, request.id, chain)
                if self.by_request is None
                else self.by_request(task.replica, request, chain)
            )
            if replica is None:
                return None
        hop = call.hop
        delay = hop.fixed
        if hop.between_zones >= 0.0:
            other = crosses(task, replica)
            self.count_zone(other)
            delay = hop.delay_between(request.id, chain, other)
        elif delay < 0.0:
            delay = hop.delay(request.id, chain)
        if delay >= 0.0:  # else it is lost: only a timeout will tell
            task.children = self._attempt(task, chain, path, replica)
            if call.propagates and heard:
                self._tell(task, task.children)
            if delay > 0.0:
                call.env.hold(task.children, delay)
            else:
                call.env.wake(task.children)
        if call.recorder.stages is not None:
            call.recorder.sent(task, task.children, call.target.where, task.tries)
        return replica

    def send_and_forget(self, task: Task) -> None:
        """An attempt of which the caller hears no more, not even that it was lost."""
        task.children = None
        self.send(task, heard=False)
        if task.children is not None:
            task.children.caller = None
            task.children = None

    def _attempt(self, task: Task, chain: int, path: int, replica: Replica) -> Task:
        """What travels, and is handled where it arrives."""
        call = self.call
        child = Task(task.request, chain, path, task, replica)
        task.request.alive += 1
        child.mark = call.mark ^ path if call.mark else 0
        child.back = call.back
        child.abandoned = task.abandoned
        if self.dials:
            child.connect = self._tries_to_connect(task)
        if self.publishes:
            child.producer = task.replica
            if self.sent is not None:
                self.sent(child, task)
        child.then = call.target.arrive
        return child

    def _tries_to_connect(self, task: Task) -> float:
        """For how long, s; over a connection that a pool has kept, not at all."""
        policy = self.call.policy
        if policy.pool is not None and not task.opened:
            return KEPT_ALIVE
        return LINUX_GIVES_UP if policy.connect_timeout is None else policy.connect_timeout

    def _tell(self, task: Task, child: Task) -> None:
        """What the callee is told: until when its answer is waited for."""
        call, deadline = self.call, task.timed_call.deadline
        if call.policy.timeout is not None:
            deadline = min(deadline, call.env.now + call.policy.timeout)
        if deadline < math.inf:
            call.deadlines[child] = deadline
            task.timed_call.attempts.append(child)


class Unheard:
    """A call in whose place one attempt is sent, of which the caller hears no more."""

    def __init__(self, attempt: Attempt):
        self.attempt = attempt

    def run(self, task: Task) -> Activity:
        """Send it, and go on."""
        self.attempt.send_and_forget(task)
        return OK
        yield


def _uncounted(_crosses: bool) -> None:
    """Brokers are in no zone."""
