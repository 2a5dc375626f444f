"""Work that is interrupted for who comes first, in a preemptive queue: `models/places.py` and `lines.py` once more."""

from __future__ import annotations

from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.cores import bring_up, compute, drop_job, meld, without_root
from sim.compiled.lines import class_of
from sim.compiled.lists import add_first
from sim.compiled.rows.hosts import hosts, jobs, replicas
from sim.compiled.rows.lines import class_lines, disciplines, standings
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import PLACE, WORK, keep_stage
from sim.compiled.tasks import IN_QUEUE, ON_CPU


@handler
def interrupt_for(s: State, host: int, task: int) -> bool:
    """Whether this newcomer has the place of one of a later class, whose work is interrupted."""
    replica = tasks(s)[task].replica
    if replicas(s)[replica].hung:
        return NO
    job = victim_of(s, host, task)
    if job < 0:
        return NO
    bring_up(s, replica)
    victim = jobs(s)[job].task
    left = jobs(s)[job].end - replicas(s)[replica].virtual
    drop_job(s, victim)
    tasks(s)[victim].granted = False
    if s.spans:
        keep_stage(s, victim, PLACE, hosts(s)[host].name, 0.0, NONE)
    stand_first(s, host, victim, max(left, 0.0))
    return YES


@handler
def victim_of(s: State, host: int, task: int) -> int:
    """The job of who gives way: of the last class after the newcomer's, who began last; -1: nobody's.

    All jobs are taken out of their heap, looked at, and put back.
    """
    row = replicas(s)[tasks(s)[task].replica]
    rank, began, found, seen = class_of(s, host, task), NONE, NONE, NONE
    while row.jobs >= 0:
        job = row.jobs
        row.jobs = without_root(s, job)
        own = jobs(s)[job]
        own.child, own.next = NONE, seen
        seen = job
        if tasks(s)[own.task].ticket == own.ticket and tasks(s)[own.task].granted:
            its = class_of(s, host, own.task)
            if its > rank or (found >= 0 and its == rank and own.sequence > began):
                rank, began, found = its, own.sequence, job
    while seen >= 0:
        job = seen
        seen = jobs(s)[job].next
        jobs(s)[job].next = NONE
        row.jobs = meld(s, row.jobs, job)
    return int(found)


@handler
def stand_first(s: State, host: int, task: int, left: float) -> None:
    """Stand before the others of one's class, with so much work to do."""
    rule, own = disciplines(s)[hosts(s)[host].discipline], standings(s)[task]
    rule.joined += 1
    own.number, own.midway, own.since = rule.joined, True, s.now
    own.interrupted, own.left = True, left
    own.line = rule.lines + replicas(s)[tasks(s)[task].replica].index * rule.classes + class_of(s, host, task)
    line = class_lines(s)[own.line]
    line.waiting += 1
    add_first(tasks(s), line.line, task)
    replicas(s)[tasks(s)[task].replica].waiting += 1
    tasks(s)[task].waits = IN_QUEUE
    hosts(s)[host].queued += 1
    hosts(s)[host].queue_area -= s.now


@handler
def not_interrupted(s: State, task: int) -> None:
    """Its work begins."""
    standings(s)[task].interrupted = False


@handler
def goes_on(s: State, task: int) -> bool:
    """Whether its work was interrupted: it has a worker again, and does what is left."""
    own = standings(s)[task]
    if not own.interrupted:
        return NO
    own.interrupted = False
    if s.spans:
        keep_stage(s, task, WORK, hosts(s)[replicas(s)[tasks(s)[task].replica].host].name, own.left, NONE)
    tasks(s)[task].waits = ON_CPU
    compute(s, task, own.left)
    return YES
