"""Rows of what goes on: tasks, requests, and what is noted of them until they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Caller, Fixed, Perhaps, Reference, Row
from sim.compiled.rows.records import SpanRecord, StageRecord
from sim.compiled.rows.tables import Pool, Returning, ReturningChain, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.caches import Flight
    from sim.compiled.rows.calls import Call, Guard, Hop, Target
    from sim.compiled.rows.hosts import Loop, Replica
    from sim.compiled.rows.locks import Claim
    from sim.compiled.rows.logs import Member, Message, Partition
    from sim.compiled.rows.producers import ProducedRecord
    from sim.compiled.rows.programs import EntryOp, Op
    from sim.compiled.rows.queues import Channel, ConfirmWait
    from sim.compiled.rows.sagas import SagaRun
    from sim.compiled.rows.traffic import Door, Visit


class TaskLine(Row):
    """Tasks that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Task]
    last: Perhaps[Task]


class Task(Row):
    """A thread of control: an attempt, a publication, a branch, a courier, a client, a consumer or a relay.

    What is set together stands together.
    """

    seconds: float  # s; of the work or wait under way, undisturbed
    # S; what the present operation waits next: a back-off, what a freeze has cost it, the way of an early answer
    pause: float
    told: float  # s; what the limit that refused its present attempt asked for; valid where somebody obeys
    began: float  # s; when the present attempt of its call began, as the breaker counts it
    sent: float  # s; when it was sent, where a balancer hears how it ends
    frozen_before: float  # s; that its replica had spent frozen when the work or wait began
    worked: float  # s; what it has worked so far
    deadline: float  # s; of its call, all attempts together
    connect: float  # s; for how long its connection is tried, which is new; negative: it had one
    paced: float  # s; when a user who keeps a pace asked last
    on_wake: int  # what it does when its turn comes: ARRIVE ... in tasks.py
    pc: Reference[Op]  # the operation that it is at
    ticket: int  # of what it waits for; an old one is stale
    call_number: int  # of the call with a total timeout that it is in; 0: of none
    outcome: int  # of its last operation; Outcome
    root: int  # the reason for which that failed in the first place; 0: that is the outcome
    entry: Fixed[Reference[EntryOp]]  # of an attempt: the ENTRY of its endpoint
    request: Perhaps[Request]
    chain: int
    path: int
    caller: Caller[Task]  # who waits for it
    replica: Fixed[Reference[Replica]]  # where it runs, or arrives
    tries: int  # attempts of its present call, or for its present request, that are over
    admitted: int  # what the breaker said to its attempt: negative: no
    line: Perhaps[Guard]  # where it stands in line for a place of the bulkhead, or waits for the test of the breaker
    member: Perhaps[Member]  # of a consumer, or of a publication in its transaction
    channel: Perhaps[Channel]  # of a consumer of a queue
    next: Perhaps[Task]  # of the line that it stands in, or of the free rows
    previous: Perhaps[Task]
    loop: Perhaps[Loop]  # of pinned connections: the thread of its own
    mark: int  # of its site and path, where attempts are told apart from those that come again; 0: they are not
    phase: int  # how far it is in its present operation
    held: int  # how many entries of calendar, ready queue and notes name it
    waits: int  # where it stands: NOWHERE ... in tasks.py
    life: int  # ALIVE ... in tasks.py
    inside: int  # number of its arrival at a host that keeps track of who is in it; 0 before and after
    where: int  # index into names: where its failure arose
    child: Perhaps[Task]  # the attempt that it waits for, or the first of its branches
    sibling: Perhaps[Task]  # the next branch
    attempt: Perhaps[Task]  # of which it is a branch
    saga: Perhaps[SagaRun]  # that it is in the midst of, the innermost first
    visit: Perhaps[Visit]  # of somebody with several requests
    flight: Perhaps[Flight]  # what it looks for on behalf of a cache, the innermost first
    claim: Perhaps[Claim]  # of a lock, or a wait for one, the innermost first
    adrift: int  # its number among those that went on by themselves; 0: somebody waits for it
    guard: Perhaps[Guard]  # whose bulkhead it has a place in
    call: Perhaps[Call]  # whose attempt is under way, where somebody counts it
    back: Perhaps[Hop]  # the way of its answer
    callee: Perhaps[Replica]  # the replica that its present attempt went to
    branches_left: int
    producer: Reference[Replica]  # of a publication: who publishes
    target: Reference[Target]  # of a publication
    message: Perhaps[Message]  # of a publication: what its replicas are waited for
    before: Perhaps[Task]  # of a publication or relay: who waited for the same message before it
    transaction: int  # of a publication: which of those of its member it is a part of; 0: of none
    partition: Perhaps[Partition]  # of a publication to a log with nodes: where it is to be written
    # bit i: the store of the i-th limit that it meets has not answered; negative: it ends there; of a publication or
    # relay: the node of a log that it has asked, and that one's life then
    undecided: int
    confirm: Perhaps[ConfirmWait]  # of a publication to a queue broker
    record: Perhaps[ProducedRecord]  # that it publishes by way of a producer
    stock_seen: int  # how many units there were when it looked
    user: int  # of a user of a closed population: which of them asks next
    asks_for: int  # whose token it asks for: FOR_ALL ... in gateway.py
    granted: bool  # it has a place at its replica
    abandoned: bool  # nobody waits for it any more
    degraded: bool
    own_thread: bool  # a consumer or relay, which needs no place
    branching: bool  # its children are branches
    copy: bool  # it is a copy of a hedged attempt


class Connection(Row):
    """Where there are pools: what the task in the row of the same place has of one."""

    ticket: int  # of its wait
    opener: Perhaps[Task]  # who comes back when its connection is open; -1: it is
    holds: bool  # a connection, or the right to open one
    must_open: bool


class Race(Row):
    """Where calls are hedged: the race of copies that the task in the row of the same place makes."""

    began: float  # s
    ticket: int  # of the task when it began
    sent: int  # copies; one more than there may be: there will be no more
    number: int  # of who comes when one more is due
    over: TaskLine  # copies that have ended since it was looked at
    latest: Perhaps[Task]  # the copy whose end was looked at last
    open: bool
    woken: bool  # it is to look at its copies


class Told(Row):
    """Where deadlines are handed on: what the task in the row of the same place was told, if it is an attempt."""

    until: float  # s; when its answer is waited for no longer; infinite: it does not know


class Entered(Row):
    """Where limits of concurrency adapt: of the place that the task in the row of the same place has."""

    began: float  # s; since when
    inside: int  # how many had one then, itself included


class Arrived(Row):
    """Where versions are judged: of the attempt in the row of the same place."""

    at: float  # s


class Spending(Row):
    """Where a budget of retries counts attempts or their costs: what the call or client in the row of the same place
    has to do with it.
    """

    paid: int  # what its last retry took; NOTHING: there was none
    under_way: bool  # an attempt is


class Request(Row):
    """A logical request that is open, or a free place for one."""

    arrival: float
    end: float  # nan: not answered
    completion: float
    retry_after: float  # s; what the gateway told the client last
    id: int
    effects: int  # bit i: effect i exists
    needs: int  # the effects that complete it
    marks: int  # how many attempts are remembered
    first_mark: Perhaps[Mark]
    last_mark: Perhaps[Mark]
    alive: int  # how many attempts, outbox rows, messages and couriers relate to it
    source: int  # index into names: its traffic
    door: Reference[Door]
    route: int
    told_by: int  # the outcome that came with `retry_after`, until it has been heard
    where: int
    attempts: int
    outcome: int
    charges: int
    reservations: int
    user: int
    item: int
    number: int  # in the order in which requests were made
    open: bool
    next: Perhaps[Request]  # free one; at the end of the run the open one that came after


class Mark(Row):
    """The mark of an attempt that has arrived; each open request has a list of its own."""

    mark: int
    next: Perhaps[Mark]


class Flow(Row):
    """What spans tell of the task in the row of the same place."""

    arrived: float
    started: float
    number: int  # -1: it is no flow of a request's way


class RequestNotes(Row):
    """Where exemplars are kept: the notes of the open request in the row of the same place."""

    stages: int
    first_stage: Perhaps[StageNote]
    last_stage: Perhaps[StageNote]
    spans: int
    first_span: Perhaps[SpanNote]
    last_span: Perhaps[SpanNote]


class StageNote(Row):
    """A stage of an open request."""

    row: StageRecord
    next: Perhaps[StageNote]


class SpanNote(Row):
    """A span of an open request."""

    row: SpanRecord
    next: Perhaps[SpanNote]


class Note(Row):
    """A task that waits for something rare, and the ticket of its wait."""

    task: Reference[Task]
    ticket: int
    next: Perhaps[Note]


tasks = Table("tasks", Task, pool=Pool(1 << 10))
requests = Table("requests", Request, pool=Pool(1 << 10))
marks = Table("marks", Mark, pool=Pool(1 << 10))
notes = Table("notes", Note, pool=Pool(1 << 11))
stage_notes = Table("stage_notes", StageNote, pool=Pool(1 << 10))
span_notes = Table("span_notes", SpanNote, pool=Pool(1 << 10))
flows = Table("flows", Flow, beside=tasks)
connections = Table("connections", Connection, beside=tasks)
races = Table("races", Race, beside=tasks)
told = Table("told", Told, beside=tasks)
entered = Table("entered", Entered, beside=tasks)
arrived = Table("arrived", Arrived, beside=tasks)
spendings = Table("spendings", Spending, beside=tasks)
request_notes = Table("request_notes", RequestNotes, beside=requests)
saved = Table("saved", int, width="deepest", beside=tasks)
"""Chains and paths that a task comes back to when a part with a salt of its own is over: `deepest` for each task."""

take_task, give_back_task = Taking(tasks), Returning(tasks)
take_request, give_back_request = Taking(requests), Returning(requests)
take_mark, give_back_marks = Taking(marks), ReturningChain(marks)
take_note, give_back_note = Taking(notes), Returning(notes)
take_stage_note, give_back_stage_notes = Taking(stage_notes), ReturningChain(stage_notes)
take_span_note, give_back_span_notes = Taking(span_notes), ReturningChain(span_notes)
