"""Places at the replicas of hosts, their queues, and cores.

`models/host.py`, `models/entrance.py` and `models/cpu.py` once more.
"""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.chance.table import draw
from sim.compiled.base import NONE, ZERO, handler, inlined, whole
from sim.compiled.calendar import CPU, ORDINARY, make_ready, schedule
from sim.compiled.events import log, log_at
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows.hosts import draws, error_faults, give_back_job, hosts, jobs, numbers, replicas, take_job
from sim.compiled.rows.programs import TimedOp
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import FROZEN, keep_stage
from sim.compiled.tasks import IN_QUEUE, NOWHERE, OUTSIDE, PARKED
from sim.policies import base
from sim.vocabulary import QUIET, EventKind, Outcome

OK, SHED, ERROR = whole(Outcome.OK), whole(Outcome.SHED), whole(Outcome.ERROR)
draw_here = inlined(draw)
passed = base.passed.compiled
SHEDDING_BEGAN, SHEDDING_ENDED = whole(EventKind.SHEDDING_BEGAN), whole(EventKind.SHEDDING_ENDED)


@inlined
def demand(s: State, op: TimedOp, task: int) -> float:
    """The time that this operation takes this task: what its request brings with it, or what each attempt draws."""
    own = tasks(s)[task]
    return draw_here(draws(s), numbers(s), op.draw, requests(s)[own.request].id, own.path if op.kept else own.chain)


@inlined
def chance(s: State, uniform_draw: int, task: int) -> float:
    """The uniform that a row of the table of draws gives to this task."""
    own = tasks(s)[task]
    return uniform(draws(s)[uniform_draw].key, requests(s)[own.request].id, own.chain)


# -- queues ------------------------------------------------------------------------------------------------------------


@handler
def wait_in_queue(s: State, host: int, task: int) -> None:
    """Join the end of the queue of the task's replica."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    add_last(tasks(s), replica.queue_last, task)
    replica.queue_last = task
    if replica.queue_first < 0:
        replica.queue_first = task
    replica.waiting += 1
    own.waits = IN_QUEUE
    hosts(s)[host].queued += 1
    hosts(s)[host].queue_area -= s.now


@handler
def out_of_queue(s: State, host: int, task: int) -> None:
    """Take a waiting task out, from wherever it stands; what it waited for is over."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    unlink(tasks(s), task)
    if replica.queue_first == task:
        replica.queue_first = own.next
    if replica.queue_last == task:
        replica.queue_last = own.previous
    own.ticket += 1
    own.waits = NOWHERE
    replica.waiting -= 1
    hosts(s)[host].queued -= 1
    hosts(s)[host].queue_area += s.now


@inlined
def leave(s: State, host: int, task: int) -> None:
    """Give the place up; the head of the queue has it before the one who left goes on."""
    own = tasks(s)[task]
    own.granted = False
    replica = replicas(s)[own.replica]
    if replica.waiting == 0:
        replica.free += 1
        hosts(s)[host].busy_area += s.now
    else:
        pass_place_on(s, host, task)


@handler
def pass_place_on(s: State, host: int, task: int) -> None:
    """Give the place to the head of the queue."""
    replica = replicas(s)[tasks(s)[task].replica]
    heir = replica.queue_last if hosts(s)[host].lifo else replica.queue_first
    out_of_queue(s, host, heir)
    tasks(s)[heir].granted = True
    tasks(s)[heir].outcome = OK
    make_ready(s, heir)


@handler
def take_place(s: State, host: int, task: int) -> bool:
    """Get a place again in the middle of a flow; False: the task has to wait for it."""
    replica = replicas(s)[tasks(s)[task].replica]
    if replica.free > 0:
        replica.free -= 1
        hosts(s)[host].busy_area -= s.now
        tasks(s)[task].granted = True
        return True
    wait_in_queue(s, host, task)
    return False


@handler
def note_shed(s: State, host: int) -> None:
    """Write the beginning of a spell of shedding into the event log."""
    now = s.now
    row = hosts(s)[host]
    if passed(now, row.last_shed + QUIET):
        if row.shedding:
            log_at(s, row.last_shed, SHEDDING_ENDED, row.subject, NONE, 0.0)
        log(s, SHEDDING_BEGAN, row.subject, NONE, 0.0)
        row.shedding = True
    row.last_shed = now


@handler
def error_fault_hits(s: State, host: int, task: int, salt: int) -> int:
    """ERROR if one of the error faults that are on now hits this attempt.

    The salt keeps the luck of its endpoint apart from that of others.
    """
    row = hosts(s)[host]
    for index in range(row.errors_first, row.errors_first + row.errors_count):
        fault = error_faults(s)[index]
        own = tasks(s)[task]
        if (
            fault.on
            and uniform(draws(s)[fault.draw].key, requests(s)[own.request].id, link_chain(own.chain, salt, ZERO))
            < fault.share
        ):
            own.where = row.name
            own.root = 0
            return ERROR
    return OK


# -- freezes -----------------------------------------------------------------------------------------------------------


@handler
def frozen(s: State, replica: int) -> float:
    """Seconds that this replica has spent frozen since time 0."""
    row = replicas(s)[replica]
    return row.frozen + (s.now - row.hung_since if row.hung else 0.0)


@handler
def park(s: State, task: int) -> None:
    """Wait until the replica is not frozen."""
    own = tasks(s)[task]
    if s.spans:
        keep_stage(s, task, FROZEN, hosts(s)[replicas(s)[own.replica].host].name, 0.0, NONE)
    own.waits = PARKED
    set_aside(s, task)


@handler
def set_aside(s: State, task: int) -> None:
    """Stand behind the last of those who go on at the thaw."""
    replica = replicas(s)[tasks(s)[task].replica]
    add_last(tasks(s), replica.parked_last, task)
    replica.parked_last = task
    if replica.parked_first < 0:
        replica.parked_first = task


@handler
def unpark(s: State, task: int) -> None:
    """Take a parked task out."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    own.waits = NOWHERE
    unlink(tasks(s), task)
    if replica.parked_first == task:
        replica.parked_first = own.next
    if replica.parked_last == task:
        replica.parked_last = own.previous


@handler
def wait_outside(s: State, task: int) -> None:
    """Wait in the listen backlog of a frozen process."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    own.waits = OUTSIDE
    set_aside(s, task)
    replica.backlog += 1
    hosts(s)[replica.host].outside += 1
    hosts(s)[replica.host].outside_area -= s.now


@handler
def come_inside(s: State, task: int) -> None:
    """Wait there no longer."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    own.waits = NOWHERE
    replica.backlog -= 1
    hosts(s)[replica.host].outside -= 1
    hosts(s)[replica.host].outside_area += s.now


# -- cores -------------------------------------------------------------------------------------------------------------


@handler
def meld(s: State, one: int, other: int) -> int:
    """Two pairing heaps of jobs become one, first the one that ends first."""
    if one < 0:
        return other
    if other < 0:
        return one
    a, b = jobs(s)[one], jobs(s)[other]
    if b.end < a.end or (b.end == a.end and b.sequence < a.sequence):
        b.next = -1
        a.next = b.child
        b.child = one
        return other
    a.next = -1
    b.next = a.child
    a.child = other
    return one


@handler
def without_root(s: State, root: int) -> int:
    """The rest of a pairing heap, in two passes: melded in pairs, then the pairs from last to first."""
    pairs = -1
    child = jobs(s)[root].child
    while child >= 0:
        other = jobs(s)[child].next
        jobs(s)[child].next = -1
        rest = -1
        if other >= 0:
            rest = jobs(s)[other].next
            jobs(s)[other].next = -1
        pair = meld(s, child, other)
        jobs(s)[pair].next = pairs
        pairs = pair
        child = rest
    root = -1
    while pairs >= 0:
        rest = jobs(s)[pairs].next
        jobs(s)[pairs].next = -1
        root = meld(s, root, pairs)
        pairs = rest
    return root


@handler
def drop_first_job(s: State, replica: int) -> None:
    """Forget the job that ends first."""
    row = replicas(s)[replica]
    root = row.jobs
    row.jobs = without_root(s, root)
    give_back_job(s, root)


@handler
def first_job_end(s: State, replica: int) -> float:
    """Virtual end of the first live job."""
    row = replicas(s)[replica]
    while tasks(s)[jobs(s)[row.jobs].task].ticket != jobs(s)[row.jobs].ticket:
        drop_first_job(s, replica)
    return jobs(s)[row.jobs].end


@handler
def busy_cores(s: State, replica: int) -> int:
    """Cores in use now."""
    row = replicas(s)[replica]
    return 0 if row.stopped else min(row.running, row.cores)


@handler
def pace(s: State, replica: int) -> float:
    """How fast virtual time grows."""
    row = replicas(s)[replica]
    return 1.0 if row.running <= row.cores else row.cores / row.running


@handler
def bring_up(s: State, replica: int) -> None:
    """Bring virtual time and the usage integral up to now, before anything changes."""
    now = s.now
    row = replicas(s)[replica]
    row.used += (now - row.used_since) * busy_cores(s, replica)
    row.used_since = now
    if row.running == 0:
        row.virtual = 0.0
        while row.jobs >= 0:
            drop_first_job(s, replica)
    elif not row.stopped:
        row.virtual = row.virtual + (now - row.last) * pace(s, replica)
    row.last = now


@handler
def arm_cores(s: State, replica: int) -> None:
    """Make sure that an event fires no later than the next completion."""
    row = replicas(s)[replica]
    if row.stopped or row.running == 0:
        return
    delay = (first_job_end(s, replica) - row.virtual) / pace(s, replica)
    delay = max(delay, 0.0)
    if s.now + delay < row.due:
        row.due = s.now + delay
        row.generation += 1
        schedule(s, ORDINARY, delay, CPU, row.generation * s.replica_count + replica)
        s.cpu_events += 1
        if s.cpu_events > s.cpu_events_most:
            s.must_grow = True


@handler
def compute(s: State, task: int, work: float) -> None:
    """Let the task have its share of the cores until `work` core-seconds are done."""
    own = tasks(s)[task]
    replica = own.replica
    bring_up(s, replica)
    row = replicas(s)[replica]
    row.sequence += 1
    new = take_job(s)
    job = jobs(s)[new]
    job.end = row.virtual + work
    job.sequence = row.sequence
    job.task = task
    job.ticket = own.ticket
    job.child = -1
    job.next = -1
    row.jobs = meld(s, row.jobs, new)
    row.running += 1
    arm_cores(s, replica)


@handler
def drop_job(s: State, task: int) -> None:
    """Forget the job of a task that was killed."""
    own = tasks(s)[task]
    replica = own.replica
    bring_up(s, replica)
    own.ticket += 1
    replicas(s)[replica].running -= 1
    arm_cores(s, replica)


@compiled
def stop_cores(s: State, replica: int) -> None:
    """Freeze: virtual time stands still, and what was pending is stale."""
    bring_up(s, replica)
    row = replicas(s)[replica]
    row.stopped = True
    row.due = math.inf
    row.generation += 1


@compiled
def start_cores(s: State, replica: int) -> None:
    """End of the freeze."""
    bring_up(s, replica)
    replicas(s)[replica].stopped = False
    arm_cores(s, replica)


@handler
def cores_fire(s: State, what: int) -> None:
    """The event of a completion; it may have come too early, or be stale."""
    now = s.now
    s.cpu_events -= 1
    replica = what % s.replica_count
    row = replicas(s)[replica]
    if what // s.replica_count != row.generation or row.due == math.inf:
        return
    row.due = math.inf
    if row.running == 0:
        return
    head = first_job_end(s, replica)
    rate = pace(s, replica)
    if now + (head - (row.virtual + (now - row.last) * rate)) / rate > now:
        bring_up(s, replica)
        arm_cores(s, replica)
        return
    bring_up(s, replica)
    row.virtual = head
    task = jobs(s)[row.jobs].task
    drop_first_job(s, replica)
    row.running -= 1
    tasks(s)[task].ticket += 1
    make_ready(s, task)
    arm_cores(s, replica)
