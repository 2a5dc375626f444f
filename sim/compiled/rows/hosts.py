"""Rows of hosts: services, the gateway, and what they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chance.table import ROW
from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.running import TaskLine
from sim.compiled.rows.tables import Pool, Returning, Table, Taking
from sim.policies.contention import CONTENTION, ContentionRow
from sim.policies.quota import QUOTA, QuotaRow

if TYPE_CHECKING:
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.lines import Discipline
    from sim.compiled.rows.running import Note, Task
    from sim.compiled.rows.serverless import Function


class Host(Row):
    """A service or the gateway.

    An area is an integral over time: of what is so now, `count * now` is yet to be added.
    """

    slow: float  # by how much work is stretched
    work_done: float
    work_wasted: float
    busy_area: float
    queue_area: float
    outside_area: float
    up_area: float
    granted: float  # cores of those that are up, where their limits change
    granted_area: float
    last_shed: float
    last_overflow: float  # s; of its listen backlogs
    name: int  # index into names
    first: Reference[Replica]
    count: int  # replicas
    capacity: int  # of the queue of each replica
    loops: int  # of pinned connections, the first in `loops`: a line of workers for each replica; -1: they share
    loop_luck: int  # a draw: which one it is
    listen_most: int  # connections that the kernel of each keeps; 0: all are accepted as they come
    syns_dropped: int
    workers: int  # of each replica
    cores: float  # that each replica may use on average; 0: as many as it takes
    offered: int
    again: int  # attempts that had arrived before
    queued: int
    outside: int
    up: int
    patience: Perhaps[TimerLane]
    discipline: Perhaps[Discipline]  # where its queue is neither first in first out nor last in first out
    errors_first: int  # of its error faults
    errors_count: int
    errors_on: int
    function: Perhaps[Function]  # where its instances come by themselves
    adrift: int  # flows that go on in it and nobody waits for
    background_failed: int
    paused: int  # replicas that stand still by themselves
    paused_area: float
    subject: int  # place in the list of subjects
    turn: int  # of the gateway: whose turn it is
    lifo: bool
    event_loop: bool  # it gives its place up while it waits
    preempts: bool  # a newcomer may interrupt who is at work
    may_hang: bool
    tracks: bool  # it keeps track of who is in it
    judged: bool  # versions of it are
    shedding: bool
    overflowing: bool  # there has been a spell of it
    resizes: bool  # limits of its replicas change
    warm_slow: float  # how many times as long first work takes; 0: it is not asked how old a replica is
    warm_decay: float  # s
    aged_slow: float  # how many times as long work takes in the end; 0: replicas do not age
    aged_over: float  # s; until then


class Replica(Row):
    """One process of a host, or who calls from outside."""

    slow: float  # by how much its work is stretched, beside that of its host
    hung_since: float
    returned: float  # s; when it came back last; -inf: it was always there
    frozen: float  # s; spent frozen before the present freeze
    virtual: float  # time of its cores
    last: float  # when that was brought up
    due: float  # of the next completion
    used: float  # core-seconds
    used_since: float
    granted: float  # cores that it may use on average
    skew: float  # s; by how much its clock is ahead of the right time
    host: Perhaps[Host]
    index: int
    free: int  # workers
    waiting: int
    closed: int  # for how many reasons nobody gets an answer
    down: int
    hung: int  # how many freezes hold it
    backlog: int
    unaccepted: int  # connections that its kernel keeps
    queue: TaskLine
    accepting: TaskLine  # those that a full process has yet to accept
    parked: TaskLine  # those who go on at the thaw
    overdue_first: Perhaps[Note]  # whose patience ended in the freeze
    overdue_last: Perhaps[Note]
    cores: int
    jobs: Perhaps[Job]  # root of a pairing heap
    running: int  # jobs that live
    sequence: int
    generation: int  # of its event
    quota: Perhaps[QuotaRow]
    contention: Perhaps[ContentionRow]  # how much those who compute in it slow one another
    stopped: bool  # its cores: it is frozen, or throttled
    absent: bool  # there is none at its place now, or one that is not ready yet
    ending: bool  # what is inside ends at this moment
    draining: bool  # nobody is sent to it any more, and it ends when it is empty
    heard: bool  # somebody wants to know what ends in it: it drains, or its version is judged
    tally: Perhaps[Tally]  # of its version
    warm_since: float  # s; when it was ready, and began to be less and less slow
    when_left: int  # the order to look whether it is empty, where it is one of a fleet; -1: it is not


class Loop(Row):
    """A thread to which connections are pinned."""

    taken: bool
    line: TaskLine


class Fleet(Row):
    """Replicas that come and go, as the time series tell of them."""

    wanted: int
    paid: float  # those that are there, starting and draining ones too, each by what it costs
    paid_area: float
    cpu_target: float  # cores that are recommended for each


class Tally(Row):
    """How attempts ended in the replicas of one version, where somebody judges it."""

    bound: float  # s; an attempt that took longer is late
    ended: int
    failed: int
    late: int


class NodePool(Row):
    """The nodes on which replicas stand, as the time series tell of them."""

    ready: int
    paid: int  # those that start or drain, too
    paid_area: float
    pending: int  # replicas that no node has room for


class Job(Row):
    """Work of a task on the cores of its replica."""

    end: float  # virtual
    sequence: int
    ticket: int  # of the task; an old one is stale
    task: Reference[Task]
    child: Perhaps[Job]
    next: Perhaps[Job]  # sibling in the pairing heap, or free one


class ErrorFault(Row):
    """A share of attempts fails while it is on."""

    share: float
    draw: int
    struck: int  # in `struck`: the line of the replicas of its host; -1: it strikes all of them
    on: bool


class Stock(Row):
    """What a service has to sell."""

    items: int  # units of each kind
    first: int  # of its kinds, in `left`
    kinds: int
    subject: int


class Draw:
    """A distribution or a uniform, as sim/chance/table.py has it."""

    key: int
    kind: int


hosts = Table("hosts", Host)
fleets = Table("fleets", Fleet)
node_pools = Table("node_pools", NodePool)
tallies = Table("tallies", Tally)
loops = Table("loops", Loop)
replicas = Table("replicas", Replica, counted="replica_count")
jobs = Table("jobs", Job, pool=Pool(1 << 10))
error_faults = Table("error_faults", ErrorFault)
struck = Table("struck", int)
"""Whether each replica of a host is struck by an error fault of only some of them: a line for each such fault."""
stocks = Table("stocks", Stock)
left = Table("left", int)
"""Units of each kind of each stock that are left; those sold.

And whether the event log knows that it ran out, beside.
"""
sold = Table("sold", int)
ran_out = Table("ran_out", int)
ended = Table("ended", int)
"""How many attempts ended with each outcome, a line of OUTCOMES for each host."""
contentions = Table("contentions", ContentionRow, dtype=CONTENTION)
quotas = Table("quotas", QuotaRow, dtype=QUOTA)
draws = Table("draws", Draw, dtype=ROW)
numbers = Table("numbers", float)

zone_of = Table("zone_of", int)
"""The number of the zone of each replica; -1: it is in none."""
from_zones = Table("from_zones", int)
"""Of each host the calls that came from the zone of their replica, and beside it those from another one."""

take_job, give_back_job = Taking(jobs), Returning(jobs)
