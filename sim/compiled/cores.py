"""Cores of replicas, which tasks share: `models/cpu.py` once more.

Jobs stand in a pairing heap for each replica, by the virtual time at which they end.
"""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NO, YES, handler
from sim.compiled.calendar import CPU, ORDINARY, make_ready, schedule
from sim.compiled.rows.hosts import contentions, give_back_job, jobs, quotas, replicas, take_job
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.policies import base, contention
from sim.policies import quota as policy

spend, lasts, until_next = policy.spend.compiled, policy.lasts.compiled, policy.until_next.compiled
throttle, resume, resize = policy.throttle.compiled, policy.resume.compiled, policy.resize.compiled
noise, slowdown = base.noise.compiled, contention.slowdown.compiled


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
    rate = 1.0 if row.running <= row.cores else row.cores / row.running
    return rate if row.contention < 0 else rate / slowed(s, replica)


@by_address
@handler
def slowed(s: State, replica: int) -> float:
    """How many times as long as alone work takes of those who compute in it now."""
    row = replicas(s)[replica]
    return float(slowdown(contentions(s)[row.contention], row.running))


@handler
def bring_up(s: State, replica: int) -> None:
    """Bring virtual time and the usage integral up to now, before anything changes."""
    now = s.now
    row = replicas(s)[replica]
    if row.quota >= 0 and not row.stopped:
        spend(quotas(s)[row.quota], busy_cores(s, replica), row.last, now)
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
    if row.hung > 0 or row.running == 0:
        return
    if row.quota >= 0:
        delay = next_under_quota(s, replica)
    else:
        delay = (first_job_end(s, replica) - row.virtual) / pace(s, replica)
        delay = max(delay, 0.0)
    if s.now + delay < row.due:
        row.due = s.now + delay
        row.generation += 1
        schedule(s, ORDINARY, delay, CPU, row.generation * s.replica_count + replica)
        s.cpu_events += 1
        if s.cpu_events > s.cpu_events_most:
            s.must_grow = True


@by_address
@handler
def next_under_quota(s: State, replica: int) -> float:
    """Seconds until a job is done or the quota used up, or until the next period where it is."""
    row = replicas(s)[replica]
    quota = quotas(s)[row.quota]
    if quota.throttled:
        return float(until_next(quota, s.now))
    delay = max((first_job_end(s, replica) - row.virtual) / pace(s, replica), 0.0)
    return min(delay, lasts(quota, busy_cores(s, replica), s.now))


@by_address
@handler
def ends_with_quota(s: State, replica: int, left: float) -> bool:
    """Whether the first job, which takes `left` seconds more, is done at the moment in which the quota is used up;
    otherwise all stand still where that is now.
    """
    row = replicas(s)[replica]
    quota = quotas(s)[row.quota]
    if s.now + lasts(quota, busy_cores(s, replica), s.now) > s.now:
        return NO
    if left <= noise(s.now):
        return YES
    throttle(quota, s.now)
    row.stopped = True
    return NO


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
    row = replicas(s)[replica]
    row.stopped = False
    if row.quota >= 0 and quotas(s)[row.quota].throttled:
        if until_next(quotas(s)[row.quota], s.now) <= 0.0:
            resume(quotas(s)[row.quota], s.now)
        else:
            row.stopped = True
    arm_cores(s, replica)


@compiled
def resize_cores(s: State, replica: int, quota: float) -> None:
    """Another quota from now on, core-seconds in each period."""
    bring_up(s, replica)
    row = replicas(s)[replica]
    resize(quotas(s)[row.quota], quota, s.now)
    row.stopped = row.hung > 0
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
    if row.quota >= 0 and quotas(s)[row.quota].throttled:
        bring_up(s, replica)
        resume(quotas(s)[row.quota], now)
        row.stopped = False
        arm_cores(s, replica)
        return
    if row.running == 0:
        return
    head = first_job_end(s, replica)
    rate = pace(s, replica)
    left = (head - (row.virtual + (now - row.last) * rate)) / rate
    bring_up(s, replica)
    if now + left > now and not (row.quota >= 0 and ends_with_quota(s, replica, left)):
        arm_cores(s, replica)
        return
    row.virtual = head
    task = jobs(s)[row.jobs].task
    drop_first_job(s, replica)
    row.running -= 1
    tasks(s)[task].ticket += 1
    make_ready(s, task)
    arm_cores(s, replica)
