"""How attempts end: their callers are told, and who is killed gives back what it holds."""

from __future__ import annotations

from sim.models.clock import Clock
from sim.models.outcomes import TIMEOUT
from sim.models.task import IN_QUEUE, ON_CPU, OUTSIDE, Component, Outside, Replica, Task, abandon


def answer(task: Task, outcome: int, env: Clock) -> None:
    """Tell the caller, if anybody still waits."""
    caller, task.caller = task.caller, None
    if caller is not None:
        caller.outcome = outcome
        caller.root = task.root
        caller.where = task.where
        # who ends before its turn comes must not end again what has answered it
        if isinstance(caller, Task) and caller.children is task:
            caller.children = None
        env.wake(caller)


def kill(task: Task, outcome: int, cancel: bool = False) -> None:
    """End an attempt from outside: it gives back what it holds, its caller hears `outcome`, its children work on for
    nobody, or are cancelled too.

    What is on its way to a broker, or there, works on for nobody.
    """
    replica = task.replica
    host = replica.host
    if isinstance(host, Outside):
        abandon(task)
        return
    _stop(task, host, replica, cancel)
    where = replica.inside.get(task, host.name_index)
    if task in replica.inside:
        host.depart(task, outcome, where)
    task.where = where
    task.root = 0
    answer(task, outcome, host.env)
    task.request.done()


def stop_branch(task: Task, cancel: bool) -> None:
    """Stop a branch of an attempt that nobody waits for any more; what it has called is cancelled, or works on."""
    host = task.replica.host
    assert not isinstance(host, Outside)
    _stop(task, host, task.replica, cancel)


def stop_thread(task: Task) -> None:
    """Stop a thread of its own (a consumer, a relay), with what it waits for."""
    host = task.replica.host
    assert not isinstance(host, Outside)
    _stop(task, host, task.replica, cancel=False)


def _stop(task: Task, host: Component, replica: Replica, cancel: bool) -> None:
    """Out of queue, cores, freeze and place; then out of its process, which gives back what calls hold; then its
    children.
    """
    if task.waits == IN_QUEUE:
        host.unqueue(task, replica)
    elif task.waits == ON_CPU and replica.cpu is not None:
        replica.cpu.drop(task)
    elif task.waits == OUTSIDE:
        host.come_inside(task, replica)
    if task in replica.parked:
        replica.parked.remove(task)
    if task.granted:
        host.leave(task, replica)
    task.kill()
    if not task.abandoned and not task.own_thread:
        host.account.work_wasted += task.worked
    children, task.children = task.children, None
    task.ticket += 1
    if isinstance(children, list):
        for branch in children:
            _stop(branch, host, replica, cancel)
    elif children is not None:
        children.caller = None
        if cancel:
            kill(children, TIMEOUT, cancel)
        else:
            abandon(children)
