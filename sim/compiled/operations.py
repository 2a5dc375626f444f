"""The operations of programs, by number, and what each does.

A program is what a scenario's steps are translated to (`program.py`).
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled import spans
from sim.compiled.answers import FAIL, NEXT
from sim.compiled.base import NONE, ZERO, handler, inlined, is_known, whole
from sim.compiled.calendar import hold, make_ready
from sim.compiled.codes import DEGRADED, OK, OVERSOLD, REFUSED, STOCK_RAN_OUT
from sim.compiled.deadlines import forget_deadline
from sim.compiled.events import log
from sim.compiled.network import answer_delay
from sim.compiled.places import demand
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, hosts, left, ran_out, replicas, sold, stocks
from sim.compiled.rows.programs import (
    AsideOp,
    BatchOp,
    CacheWriteOp,
    CallOp,
    ChanceOp,
    EffectOp,
    EndOp,
    EntryOp,
    LimitsOp,
    LockOp,
    LookOp,
    NextUserOp,
    Op,
    OutboxOp,
    ParallelOp,
    PlaceOp,
    PluginOp,
    ProduceOp,
    RacerOp,
    RepeatOp,
    ReplyOp,
    SagaOp,
    SaltOp,
    SessionOp,
    ShareOp,
    StockOp,
    ThinkOp,
    TimedOp,
    TokenOp,
    WorkloadOp,
    timed_ops,
)
from sim.compiled.rows.running import flows, requests, saved, tasks
from sim.compiled.rows.state import State
from sim.compiled.tasks import GO_ON, WORKED, new_task

(
    ENTRY, PASS, CALL, END, WELL, EFFECT, BY_CHANCE, SPEND, PLACE, LET_GO, THAW, LIMITS, ASK, CLIENT_DONE,
    POLL, TAKE_NEXT, HAND_OVER, RECORD_OVER, COMMIT, RELAY, OUTBOX, FORGET_CALL,
    GO_TO, FALL_BACK, FALLBACK_END, SALT_IN, SALT_OUT, LOOK, TAKE, REPLY, COURIER, PARALLEL, BRANCH_END, TOKEN,
    TOKEN_ANSWER, THINK, STILL_THERE, USER_DONE,
    TAKE_BRANCH, REPEAT, AGAIN, REPEAT_OVER, AT_ONCE, RACE, RACER_END, BACKGROUND, BACKGROUND_END,
    PLUGIN_BEGINS, PLUGIN_STEP,
    HIT_BY_SHARE, LOOK_INTO_CACHE, LOADED, BRING,
    WRITE_BEGINS, WRITTEN_THROUGH, WRITE_BEHIND, TAKE_COLLECTED, COLLECTED_WRITTEN,
    COME, VISIT, ITERATION_OVER,
    SAGA, TRANSACTION_DONE, SAGA_COMPLETED, TURN_BACK, UNDO, UNDO_OVER, WENT_BACK, SAGA_OVER, RETRACT,
    TAKE_OUT, ENTER,
    LOOK_FOR_SESSION, KEEP_SESSION, SESSION_LOST,
    LOCK, UNLOCK,
    COMMIT_RECORD, REST, BEGIN_TRANSACTION, END_TRANSACTION,
    RECEIVE, LETTER_OVER, PUBLISH_UNCONFIRMED, PUBLISH_IN_BATCH, PRODUCE,
) = map(whole, range(86))  # fmt: skip

OPERANDS: dict[int, type[Op]] = {
    ENTRY: EntryOp, PASS: TimedOp, SPEND: TimedOp, PLACE: PlaceOp, CALL: CallOp, FORGET_CALL: CallOp, END: EndOp,
    EFFECT: EffectOp,
    BY_CHANCE: ChanceOp, LIMITS: LimitsOp, ASK: WorkloadOp, THINK: ThinkOp, USER_DONE: NextUserOp, OUTBOX:
    OutboxOp, RELAY: OutboxOp,
    SALT_IN: SaltOp, SALT_OUT: SaltOp, LOOK: StockOp, TAKE: StockOp, REPLY: ReplyOp, PARALLEL: ParallelOp, TOKEN:
    TokenOp,
    TAKE_BRANCH: ShareOp, REPEAT: RepeatOp, AGAIN: RepeatOp, REPEAT_OVER: SaltOp, AT_ONCE: RepeatOp, RACE: ParallelOp,
    RACER_END: RacerOp, BACKGROUND: AsideOp, HIT_BY_SHARE: LookOp,
    LOOK_INTO_CACHE: LookOp, LOADED: LookOp, BRING: LookOp, COME: ThinkOp, VISIT: WorkloadOp,
    ITERATION_OVER: WorkloadOp,
    **dict.fromkeys((WRITE_BEGINS, WRITTEN_THROUGH, WRITE_BEHIND, TAKE_COLLECTED, COLLECTED_WRITTEN), CacheWriteOp),
    SAGA: SagaOp, TURN_BACK: SagaOp, UNDO: SagaOp, UNDO_OVER: SagaOp, RETRACT: EffectOp,
    LOOK_FOR_SESSION: SessionOp, KEEP_SESSION: SessionOp, SESSION_LOST: SessionOp,
    LOCK: LockOp,
    PUBLISH_UNCONFIRMED: CallOp, PUBLISH_IN_BATCH: BatchOp, PRODUCE: ProduceOp,
    PLUGIN_BEGINS: PluginOp, PLUGIN_STEP: PluginOp,
}  # fmt: skip
"""What an operation has to know, by its kind; the others know what `Op` has."""

NO_ENTRY, CHARGE, RESERVATION = map(whole, range(3))  # what the ledger takes an effect for


@inlined
def note_work(s: State, task: int, host: int) -> None:
    """Work (or a wait) of this length is over."""
    own = tasks(s)[task]
    hosts(s)[host].work_done += own.seconds
    if own.abandoned:
        hosts(s)[host].work_wasted += own.seconds
    else:
        own.worked += own.seconds


@inlined
def pass_time(s: State, task: int, op: int) -> None:
    """Work or a wait that is nothing but time; the task goes on behind it when it is noted as done."""
    own = tasks(s)[task]
    own.seconds = demand(s, op, task) * hosts(s)[timed_ops(s)[op].host].slow
    own.on_wake = WORKED
    hold(s, task, own.seconds)


@handler
def let_effect_be(s: State, task: int, op: EffectOp) -> None:
    """A durable business fact comes to exist, once more where it is not idempotent."""
    request = requests(s)[tasks(s)[task].request]
    if request.effects & op.effect and op.idempotent:
        return
    request.effects |= op.effect
    if op.ledger == CHARGE:
        request.charges += 1
    elif op.ledger == RESERVATION:
        request.reservations += 1
    needs = request.needs
    if needs != 0 and request.effects & needs == needs and not is_known(request.completion):
        request.completion = s.now
        if s.spans:
            spans.keep_stage(s, task, spans.COMPLETED, NONE, 0.0, NONE)


@handler
def look_at_stock(s: State, task: int, op: StockOp) -> int:
    """Read how many there are; with none left the order is refused."""
    own = tasks(s)[task]
    item = max(requests(s)[own.request].item, 0)
    own.stock_seen = left(s)[stocks(s)[op.stock].first + item]
    if own.stock_seen > 0:
        return NEXT
    own.where = op.where
    own.root = 0
    own.outcome = REFUSED
    return FAIL


@handler
def take_from_stock(s: State, task: int, op: StockOp) -> None:
    """Sell one: one less is left than was seen."""
    own = tasks(s)[task]
    stock = stocks(s)[op.stock]
    item = max(requests(s)[own.request].item, 0)
    place = stock.first + item
    left(s)[place] = own.stock_seen - 1
    sold(s)[place] += 1
    if own.stock_seen == 1 and ran_out(s)[place] == 0:
        ran_out(s)[place] = 1
        log(s, STOCK_RAN_OUT, stock.subject, NONE, float(item))
    if sold(s)[place] == stock.items + 1:
        log(s, OVERSOLD, stock.subject, NONE, float(item))


@handler
def end_by_chance(s: State, task: int, op: ChanceOp) -> int:
    """End with an outcome for a share of attempts."""
    own = tasks(s)[task]
    number = own.path if op.kept else own.chain
    if uniform(draws(s)[op.draw].key, requests(s)[own.request].id, number) >= op.share:
        return NEXT
    own.where = op.where
    own.root = 0
    own.outcome = op.outcome
    return FAIL


@handler
def reply(s: State, task: int, courier_at: int) -> None:
    """Send a courier with the answer of the attempt, of which this may be a branch; only the first reply is one."""
    own = tasks(s)[task]
    attempt = own.attempt if own.attempt >= 0 else task
    parent = tasks(s)[attempt]
    caller = parent.caller
    parent.caller = NOBODY
    if caller == NOBODY:
        return
    if s.tells:
        forget_deadline(s, attempt)  # nobody waits for what it does from now on
    if s.spans:
        place = hosts(s)[replicas(s)[own.replica].host].name
        spans.keep_stage(s, attempt, spans.ANSWER, place, 0.0, flows(s)[task].number)
    delay = 0.0
    if parent.back >= 0:
        delay = answer_delay(s, parent.back, task, caller)
    if delay < 0.0:
        if caller >= 0:
            tasks(s)[caller].child = -1
        return
    courier = new_task(s, own.request, own.chain, own.path, caller, own.replica)
    requests(s)[own.request].alive += 1
    if s.spans:
        spans.no_flow(s, courier)
    made = tasks(s)[courier]
    made.on_wake = GO_ON
    made.pc = courier_at
    made.pause = delay
    made.outcome = DEGRADED if own.degraded or parent.degraded else OK
    if caller >= 0:
        tasks(s)[caller].child = courier
    make_ready(s, courier)


@handler
def part_begins(s: State, task: int, op: SaltOp) -> None:
    """A part that can be reached by two sites begins: its draws are of this one."""
    own = tasks(s)[task]
    place = task * s.deepest + op.depth
    saved(s)[place] = own.chain
    saved(s)[place + 1] = own.path
    own.chain = link_chain(own.chain, op.salt, ZERO)
    own.path = link_chain(own.path, op.salt, ZERO)


@handler
def part_over(s: State, task: int, op: SaltOp) -> int:
    """It is over: the chain is what it was before."""
    own = tasks(s)[task]
    place = task * s.deepest + op.depth
    own.chain = saved(s)[place]
    own.path = saved(s)[place + 1]
    return NEXT if own.outcome == OK else FAIL
