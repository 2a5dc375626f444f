"""Rows of operations: what each kind has to know. All stand in one table, and `ops` sees what they have in common."""

from __future__ import annotations

from sim.compiled.rows.caches import Look, WriteStep
from sim.compiled.rows.calls import Call
from sim.compiled.rows.composed import Repetition
from sim.compiled.rows.declaring import Reference, Row
from sim.compiled.rows.hosts import Host, Stock
from sim.compiled.rows.limits import LimitsStep
from sim.compiled.rows.locks import Lock
from sim.compiled.rows.logs import Outbox
from sim.compiled.rows.producers import Publisher
from sim.compiled.rows.sagas import Saga
from sim.compiled.rows.sessions import Session
from sim.compiled.rows.tables import Table, View
from sim.compiled.rows.traffic import Workload

OP_BYTES = 72


class Op(Row, size=OP_BYTES, fixed=True):
    """One operation: which, on which host, and where to go on a jump and on a failure."""

    kind: int
    host: Reference[Host]
    to: Reference[Op]
    fail: Reference[Op]


class EntryOp(Op, size=OP_BYTES, fixed=True):
    """Where an endpoint or route begins."""

    endpoint: int  # index into names
    answers: int  # what its caller hears for each outcome, packed: see attempts.py
    salt: int  # of its error faults
    limits: Reference[LimitsStep]  # that it must pass before its steps
    limited: bool  # whether it must come by limits, or by an instance of a function
    counted: bool  # whether there are limits
    keyed: bool  # whether it knows again what comes twice


class TimedOp(Op, size=OP_BYTES, fixed=True):
    """Work or a wait."""

    draw: int
    kept: bool  # drawn for the request and not for the attempt
    computing: bool


class PlaceOp(Op, size=OP_BYTES, fixed=True):
    """Get a place."""

    spares_own_threads: bool  # consumers and relays need none


class CallOp(Op, size=OP_BYTES, fixed=True):
    """A guarded call."""

    call: Reference[Call]
    for_others: bool  # others of the same user may wait for its answer


class ProduceOp(CallOp, size=OP_BYTES, fixed=True):
    """A publication by way of a producer."""

    publisher: Reference[Publisher]
    fails: bool  # and nothing is done in its place


class BatchOp(CallOp, size=OP_BYTES, fixed=True):
    """A publication of which the last of each batch is waited for."""

    batch: int


class EndOp(Op, size=OP_BYTES, fixed=True):
    """The end of an attempt."""

    by_outcome: bool  # of the task; else it is well


class EffectOp(Op, size=OP_BYTES, fixed=True):
    """A durable business fact."""

    effect: int  # its bit
    ledger: int  # what the ledger takes it for: NO_ENTRY ... in operations.py
    idempotent: bool


class ChanceOp(Op, size=OP_BYTES, fixed=True):
    """End with an outcome by chance."""

    share: float
    draw: int
    outcome: int
    where: int  # index into names
    kept: bool  # drawn for the request and not for the attempt


class LimitsOp(Op, size=OP_BYTES, fixed=True):
    """The limits of a route."""

    step: Reference[LimitsStep]


class WorkloadOp(Op, size=OP_BYTES, fixed=True):
    """A client of a workload asks."""

    workload: Reference[Workload]


class ThinkOp(WorkloadOp, size=OP_BYTES, fixed=True):
    """A user of a workload thinks."""

    draw: int
    ramp: float  # s; until all users are there; 0: they are at once
    pacing: float  # s; from the beginning of one request to that of the next at least
    users: int


class NextUserOp(Op, size=OP_BYTES, fixed=True):
    """A user has his answer."""

    users: int  # of its population


class OutboxOp(Op, size=OP_BYTES, fixed=True):
    """Write to an outbox, or relay it."""

    outbox: Reference[Outbox]


class SaltOp(Op, size=OP_BYTES, fixed=True):
    """A part with a salt of its own begins or is over."""

    salt: int
    depth: int  # where `saved` keeps what was before


class StockOp(Op, size=OP_BYTES, fixed=True):
    """Look at a stock, or take from it."""

    stock: Reference[Stock]
    where: int  # index into names


class ReplyOp(Op, size=OP_BYTES, fixed=True):
    """Answer early."""

    courier: Reference[Op]  # the program of who carries the answer


class ParallelOp(Op, size=OP_BYTES, fixed=True):
    """Branches."""

    first: int  # of them, in `branches`
    count: int
    enough: int  # of a race: how many must end well


class RacerOp(Op, size=OP_BYTES, fixed=True):
    """A branch of a race is over."""

    cancels: bool  # the others, where it has won
    enough: int  # must end well


class ShareOp(Op, size=OP_BYTES, fixed=True):
    """One of several branches."""

    edge: float  # its share and those of the branches before it
    draw: int
    kept: bool  # drawn for the request and not for the attempt


class RepeatOp(Op, size=OP_BYTES, fixed=True):
    """The same several times."""

    repetition: Reference[Repetition]
    depth: int  # where `saved` keeps what was before, and how far it is


class AsideOp(Op, size=OP_BYTES, fixed=True):
    """Something begins that nobody waits for."""

    program: Reference[Op]


class LookOp(Op, size=OP_BYTES, fixed=True):
    """A look into a cache, or what comes of it."""

    look: Reference[Look]


class CacheWriteOp(Op, size=OP_BYTES, fixed=True):
    """A write through a cache, or what comes of it."""

    write: Reference[WriteStep]
    depth: int  # where a task keeps how many it writes
    timed: bool  # after a while


class SagaOp(Op, size=OP_BYTES, fixed=True):
    """A part of a saga."""

    saga: Reference[Saga]
    step: int  # which of its transactions


class SessionOp(Op, size=OP_BYTES, fixed=True):
    """A look for a session, or what comes of it."""

    session: Reference[Session]


class LockOp(Op, size=OP_BYTES, fixed=True):
    """A lock is taken, or given back."""

    lock: Reference[Lock]


class TokenOp(Op, size=OP_BYTES, fixed=True):
    """A token that the identity provider may have to be asked for."""

    draw: int
    where: int  # index into names: who would be asked


class PluginOp(Op, size=OP_BYTES, fixed=True):
    """A step of a plug-in."""

    function: int  # of its flow, in `plugin_functions`
    step: int  # its row in the first replica of its host
    depth: int  # of its frame


ops = Table("ops", Op)
entry_ops = View(ops, EntryOp)
timed_ops = View(ops, TimedOp)
place_ops = View(ops, PlaceOp)
call_ops = View(ops, CallOp)
produce_ops = View(ops, ProduceOp)
batch_ops = View(ops, BatchOp)
end_ops = View(ops, EndOp)
effect_ops = View(ops, EffectOp)
chance_ops = View(ops, ChanceOp)
limits_ops = View(ops, LimitsOp)
workload_ops = View(ops, WorkloadOp)
think_ops = View(ops, ThinkOp)
next_user_ops = View(ops, NextUserOp)
outbox_ops = View(ops, OutboxOp)
salt_ops = View(ops, SaltOp)
stock_ops = View(ops, StockOp)
reply_ops = View(ops, ReplyOp)
parallel_ops = View(ops, ParallelOp)
racer_ops = View(ops, RacerOp)
share_ops = View(ops, ShareOp)
repeat_ops = View(ops, RepeatOp)
aside_ops = View(ops, AsideOp)
look_ops = View(ops, LookOp)
cache_write_ops = View(ops, CacheWriteOp)
saga_ops = View(ops, SagaOp)
session_ops = View(ops, SessionOp)
lock_ops = View(ops, LockOp)
token_ops = View(ops, TokenOp)
plugin_ops = View(ops, PluginOp)
branches = Table("branches", int)
"""Where the program of each branch begins."""
