"""Places at the replicas of hosts, their queues, and cores.

`models/host.py`, `models/entrance.py` and `models/cpu.py` once more.
"""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, YES, ZERO, handler, inlined
from sim.compiled.calendar import CONTROL, ORDER, arm, make_ready, schedule
from sim.compiled.codes import (
    ERROR,
    LISTEN_OVERFLOW_BEGAN,
    LISTEN_OVERFLOW_ENDED,
    OK,
    SHED,
    SHEDDING_BEGAN,
    SHEDDING_ENDED,
)
from sim.compiled.events import log, log_at
from sim.compiled.instances import leave_instance
from sim.compiled.lines import hear_of_no_wait, is_dropped, join_line, leave_line, next_in_line, who_gives_way
from sim.compiled.lists import add_last, unlink
from sim.compiled.preempting import interrupt_for
from sim.compiled.rows.declaring import ITS_REQUEST
from sim.compiled.rows.hosts import draws, error_faults, hosts, loops, numbers, replicas, struck, tallies
from sim.compiled.rows.programs import timed_ops
from sim.compiled.rows.running import arrived, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import FROZEN, keep_stage
from sim.compiled.tasks import IN_QUEUE, NOWHERE, OUTSIDE, PARKED, UNACCEPTED
from sim.policies import base
from sim.vocabulary import QUIET

draw_here = inlined(draw)
passed = base.passed.compiled


@inlined
def demand(s: State, op: int, task: int) -> float:
    """The time that this operation takes this task: what its request brings with it, or what each attempt draws."""
    own = tasks(s)[task]
    row = timed_ops(s)[op]
    return draw_here(draws(s), numbers(s), row.draw, requests(s)[own.request].id, own.path if row.kept else own.chain)


@inlined
def chance(s: State, uniform_draw: int, task: int) -> float:
    """The uniform that a row of the table of draws gives to this task."""
    own = tasks(s)[task]
    return uniform(draws(s)[uniform_draw].key, requests(s)[own.request].id, own.chain)


@handler
def by_age(s: State, host: int, replica: int) -> float:
    """How many times as long work takes in a replica that was ready not long ago, or is old."""
    row, since = hosts(s)[host], replicas(s)[replica].warm_since
    times = 1.0 + (row.warm_slow - 1.0) * math.exp((since - s.now) / row.warm_decay)
    if row.aged_slow > 0.0:
        times *= 1.0 + (row.aged_slow - 1.0) * min((s.now - max(since, 0.0)) / row.aged_over, 1.0)
    return times


# -- queues ------------------------------------------------------------------------------------------------------------


@handler
def wait_in_queue(s: State, host: int, task: int, midway: bool) -> None:
    """Join the end of the queue of the task's replica, or one's place in its line.

    Who is midway, and waits for a worker again, is never dropped from that.
    """
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    if hosts(s)[host].discipline >= 0:
        join_line(s, host, task, midway)
    elif hosts(s)[host].loops >= 0:
        add_last(tasks(s), loops(s)[own.loop].line, task)
    else:
        add_last(tasks(s), replica.queue, task)
    replica.waiting += 1
    own.waits = IN_QUEUE
    hosts(s)[host].queued += 1
    hosts(s)[host].queue_area -= s.now


@handler
def out_of_queue(s: State, host: int, task: int) -> None:
    """Take a waiting task out, from wherever it stands; what it waited for is over."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    if hosts(s)[host].discipline >= 0:
        leave_line(s, host, task)
    elif hosts(s)[host].loops >= 0:
        unlink(tasks(s), loops(s)[own.loop].line, task)
    else:
        unlink(tasks(s), replica.queue, task)
    own.ticket += 1
    own.waits = NOWHERE
    replica.waiting -= 1
    hosts(s)[host].queued -= 1
    hosts(s)[host].queue_area += s.now
    if replica.accepting.first >= 0:
        accept_connections(s, host, own.replica)


@inlined
def leave(s: State, host: int, task: int) -> None:
    """Give the place up; the head of the queue has it before the one who left goes on."""
    own = tasks(s)[task]
    own.granted = False
    replica = replicas(s)[own.replica]
    if own.loop >= 0:
        leave_loop(s, host, task)
    elif replica.waiting == 0:
        replica.free += 1
        hosts(s)[host].busy_area += s.now
    else:
        pass_place_on(s, host, task)
    if replica.accepting.first >= 0:
        accept_connections(s, host, own.replica)


@handler
def pass_place_on(s: State, host: int, task: int) -> None:
    """Give the place to the head of the queue."""
    if hosts(s)[host].discipline >= 0:
        pass_place_down_the_line(s, host, task)
        return
    replica = replicas(s)[tasks(s)[task].replica]
    heir = replica.queue.last if hosts(s)[host].lifo else replica.queue.first
    out_of_queue(s, host, heir)
    tasks(s)[heir].granted = True
    tasks(s)[heir].outcome = OK
    make_ready(s, heir)


@by_address
@handler
def pass_place_down_the_line(s: State, host: int, task: int) -> None:
    """Give the place to who is next in a line that may drop some on the way; it is free where none is left."""
    heir = next_in_line(s, host, tasks(s)[task].replica)
    while heir >= 0 and is_dropped(s, host, heir):
        shed_from_queue(s, host, heir)
        heir = next_in_line(s, host, tasks(s)[task].replica)
    if heir < 0:
        replicas(s)[tasks(s)[task].replica].free += 1
        hosts(s)[host].busy_area += s.now
        return
    out_of_queue(s, host, heir)
    tasks(s)[heir].granted = True
    tasks(s)[heir].outcome = OK
    make_ready(s, heir)


@handler
def shed_from_queue(s: State, host: int, task: int) -> None:
    """One who waits is shed."""
    out_of_queue(s, host, task)
    tasks(s)[task].outcome = SHED
    make_ready(s, task)


@by_address
@handler
def make_room(s: State, host: int, task: int) -> bool:
    """Whether somebody in a full line is shed for this newcomer."""
    if hosts(s)[host].discipline < 0:
        return NO
    victim = who_gives_way(s, host, task)
    if victim < 0:
        return NO
    shed_from_queue(s, host, victim)
    return YES


@handler
def take_place(s: State, host: int, task: int) -> bool:
    """Get a place again in the middle of a flow; False: the task has to wait for it."""
    replica = replicas(s)[tasks(s)[task].replica]
    if hosts(s)[host].loops >= 0:
        find_loop(s, host, task)
    if replica.free > 0 and loop_is_free(s, task):
        replica.free -= 1
        hosts(s)[host].busy_area -= s.now
        tasks(s)[task].granted = True
        take_loop(s, task)
        if hosts(s)[host].discipline >= 0:
            hear_of_no_wait(s, host, task)
        return True
    if hosts(s)[host].preempts and interrupt_for(s, host, task):
        tasks(s)[task].granted = True
        return True
    wait_in_queue(s, host, task, YES)
    return False


# -- loops of pinned connections ---------------------------------------------------------------------------------------


@by_address
@handler
def choose_loop(s: State, host: int, task: int) -> None:
    """The loop of an attempt that arrives: that of its user's connection where a client asks, else any."""
    row, own = hosts(s)[host], tasks(s)[task]
    user = requests(s)[own.request].user
    by_client = own.caller == ITS_REQUEST or (own.caller >= 0 and replicas(s)[tasks(s)[own.caller].replica].host < 0)
    if by_client and user >= 0:
        number = user % row.workers
    else:
        number = min(int(chance(s, row.loop_luck, task) * row.workers), row.workers - 1)
    own.loop = row.loops + replicas(s)[own.replica].index * row.workers + number


@by_address
@handler
def find_loop(s: State, host: int, task: int) -> None:
    """That of a task which is to have it again, or for the first time: a branch has that of its attempt."""
    own = tasks(s)[task]
    if own.loop < 0:
        if own.attempt >= 0 and tasks(s)[own.attempt].loop >= 0:
            own.loop = tasks(s)[own.attempt].loop
        else:
            choose_loop(s, host, task)


@handler
def loop_is_free(s: State, task: int) -> bool:
    """Whether the loop of a task is idle; where there is none, any will do."""
    own = tasks(s)[task]
    return bool(own.loop < 0 or not loops(s)[own.loop].taken)


@handler
def take_loop(s: State, task: int) -> None:
    """It is busy from now on, where there is one."""
    own = tasks(s)[task]
    if own.loop >= 0:
        loops(s)[own.loop].taken = True


@by_address
@handler
def leave_loop(s: State, host: int, task: int) -> None:
    """The next in the line of this loop has it, or it is idle."""
    own = tasks(s)[task]
    heir = loops(s)[own.loop].line.first
    if heir < 0:
        loops(s)[own.loop].taken = False
        replicas(s)[own.replica].free += 1
        hosts(s)[host].busy_area += s.now
        return
    out_of_queue(s, host, heir)
    tasks(s)[heir].granted = True
    tasks(s)[heir].outcome = OK
    make_ready(s, heir)


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
    own = tasks(s)[task]
    for index in range(row.errors_first, row.errors_first + row.errors_count):
        fault = error_faults(s)[index]
        if (
            fault.on
            and (fault.struck < 0 or struck(s)[fault.struck + replicas(s)[own.replica].index] == 1)
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
    add_last(tasks(s), replica.parked, task)


@handler
def unpark(s: State, task: int) -> None:
    """Take a parked task out."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    own.waits = NOWHERE
    unlink(tasks(s), replica.parked, task)


@by_address
@handler
def end_is_heard(s: State, task: int, outcome: int) -> None:
    """An attempt has ended in a replica that drains, or whose version is judged."""
    replica = replicas(s)[tasks(s)[task].replica]
    if replica.tally >= 0:
        tally = tallies(s)[replica.tally]
        tally.ended += 1
        if outcome >= SHED:
            tally.failed += 1
        if passed(s.now, arrived(s)[task].at + tally.bound):
            tally.late += 1
    if hosts(s)[replica.host].function >= 0:
        leave_instance(s, task, hosts(s)[replica.host].function)
    if replica.draining:
        look_soon(s, tasks(s)[task].replica)


@by_address
@handler
def note_arrival(s: State, task: int) -> None:
    """An attempt has come to a host of which versions are judged."""
    arrived(s)[task].at = s.now


@by_address
@handler
def look_soon(s: State, replica: int) -> None:
    """Something inside of a draining replica has ended: when all that it wakes has had its turn, Python looks."""
    schedule(s, CONTROL, 0.0, ORDER, replicas(s)[replica].when_left)


@handler
def wait_outside(s: State, task: int) -> None:
    """Wait for the thaw of a frozen process: in its listen backlog, or in the buffer of a connection."""
    set_aside(s, task)
    count_outside(s, task, OUTSIDE)


@handler
def count_outside(s: State, task: int, waits: int) -> None:
    """One more waits outside of the process, in this way."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    own.waits = waits
    replica.backlog += 1
    hosts(s)[replica.host].outside += 1
    hosts(s)[replica.host].outside_area -= s.now
    if own.connect >= 0.0:
        replica.unaccepted += 1


@handler
def come_inside(s: State, task: int) -> None:
    """Wait there no longer."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    if own.connect >= 0.0:
        replica.unaccepted -= 1
    own.waits = NOWHERE
    replica.backlog -= 1
    hosts(s)[replica.host].outside -= 1
    hosts(s)[replica.host].outside_area += s.now


# -- listen backlogs ---------------------------------------------------------------------------------------------------


@by_address
@handler
def drop_syn(s: State, host: int, task: int) -> float:
    """There is no room for a connection: for how long whoever asks waits until the SYN is sent again, s."""
    row, own = hosts(s)[host], tasks(s)[task]
    row.syns_dropped += 1
    if passed(s.now, row.last_overflow + QUIET):
        if row.overflowing:
            log_at(s, row.last_overflow, LISTEN_OVERFLOW_ENDED, row.subject, NONE, 0.0)
        log(s, LISTEN_OVERFLOW_BEGAN, row.subject, NONE, 0.0)
        row.overflowing = True
    row.last_overflow = s.now
    return min(own.pause, own.seconds)


@by_address
@handler
def wait_to_be_accepted(s: State, task: int) -> None:
    """Be the last of those whom the process has yet to accept."""
    add_last(tasks(s), replicas(s)[tasks(s)[task].replica].accepting, task)
    count_outside(s, task, UNACCEPTED)


@handler
def leave_backlog(s: State, task: int) -> None:
    """Wait there no longer."""
    unlink(tasks(s), replicas(s)[tasks(s)[task].replica].accepting, task)
    come_inside(s, task)


@by_address
@compiled  # Python calls it, too, at a thaw
def accept_connections(s: State, host: int, place: int) -> None:
    """The process takes as many connections as it has room for, in the order in which they came."""
    row, replica = hosts(s)[host], replicas(s)[place]
    while replica.accepting.first >= 0 and replica.closed == 0 and (replica.free > 0 or replica.waiting < row.capacity):
        task = replica.accepting.first
        leave_backlog(s, task)
        if replica.free > 0:
            replica.free -= 1
            row.busy_area -= s.now
            tasks(s)[task].granted = True
            if row.discipline >= 0:
                hear_of_no_wait(s, host, task)
            tasks(s)[task].outcome = OK
            make_ready(s, task)
        else:
            wait_in_queue(s, host, task, NO)
            if row.patience >= 0:
                arm(s, row.patience, task)
