"""The operations of programs, by number, and what each does. A program is what a scenario's steps are translated to (`program.py`)."""

from __future__ import annotations

from sim.compiled import spans
from sim.compiled.calendar import hold, make_ready
from sim.compiled.calls import FAIL, NEXT, PARK
from sim.compiled.events import log
from sim.compiled.network import hop_delay
from sim.compiled.places import chance, compute, demand, frozen, leave, park, take_place
from sim.compiled.state import NONE, Row, State, branches, flows, handler, hosts, left, near, ran_out, replicas, requests, slots, sold, stocks, whole
from sim.compiled.tasks import FINISHED, GO_ON, NOBODY, NOWHERE, ON_CPU, WORKED, forget, new_task
from sim.vocabulary import EventKind, Outcome

(
    ENTRY, PASS, CALL, END, WELL, EFFECT, BY_CHANCE, SPEND, PLACE, LET_GO, THAW, LIMITS, ASK, CLIENT_DONE,
    POLL, TAKE_NEXT, HAND_OVER, RECORD_OVER, COMMIT, RELAY, OUTBOX, FORGET_CALL,
    GO_TO, FALL_BACK, FALLBACK_END, SALT_IN, SALT_OUT, LOOK, TAKE, REPLY, COURIER, PARALLEL, BRANCH_END, TOKEN, TOKEN_ANSWER, THINK, STILL_THERE, USER_DONE,
) = map(whole, range(38))  # fmt: skip

OK, DEGRADED, REFUSED = whole(Outcome.OK), whole(Outcome.DEGRADED), whole(Outcome.REFUSED)
STOCK_RAN_OUT, OVERSOLD = whole(EventKind.STOCK_RAN_OUT), whole(EventKind.OVERSOLD)
CHARGE, RESERVATION = 1, 2
FOR_OTHERS = 1  # a CALL of the identity provider, for which others of the same user may wait


@near
def note_work(s: State, task: int, host: int) -> None:
    """Work (or a wait) of this length is over."""
    own = slots(s)[task]
    hosts(s)[host].work_done += own.seconds
    if own.abandoned:
        hosts(s)[host].work_wasted += own.seconds
    else:
        own.worked += own.seconds


@handler
def spend(s: State, task: int, op: Row) -> int:
    """Let work (op.a) or a wait pass, on the cores where there are any, stretched by slowdowns and stopped by freezes."""
    own = slots(s)[task]
    host = hosts(s)[op.host]
    if own.phase == 0:
        own.seconds = demand(s, op, task) * host.slow
        own.pause = own.seconds
        if s.spans:
            spans.keep_stage(s, task, spans.WORK if op.a else spans.WAIT, host.name, own.seconds, NONE)
        if op.a and replicas(s)[own.replica].cores > 0:
            own.waits = ON_CPU
            compute(s, task, own.seconds)
            own.phase = 3
            return PARK
        own.since = frozen(s, own.replica) if host.may_hang else 0.0
        hold(s, task, own.seconds)
        own.phase = 1 if host.may_hang else 3
        return PARK
    if own.phase == 1:  # what the freeze has cost so far; the rest of it is waited for
        own.pause = frozen(s, own.replica) - own.since
        own.phase = 2
    if own.phase == 2:
        if replicas(s)[own.replica].hung:
            park(s, task)
            return PARK
        own.since = frozen(s, own.replica)
        if own.pause > 0.0:
            if s.spans:
                spans.keep_stage(s, task, spans.WORK if op.a else spans.WAIT, host.name, own.pause, NONE)
            hold(s, task, own.pause)
            own.phase = 1
            return PARK
    own.phase = 0
    own.waits = NOWHERE
    note_work(s, task, op.host)
    return NEXT


@near
def pass_time(s: State, task: int, op: Row) -> None:
    """Work or a wait that is nothing but time; the task goes on behind it when it is noted as done."""
    own = slots(s)[task]
    own.seconds = demand(s, op, task) * hosts(s)[op.host].slow
    own.then = WORKED
    hold(s, task, own.seconds)


@handler
def get_place(s: State, task: int, op: Row) -> int:
    """An event loop takes a thread of its own before it computes. op.a: consumers and relays need none."""
    own = slots(s)[task]
    if own.phase == 1:
        own.phase = 0
        return NEXT
    if own.granted or (own.own_thread and op.a) or take_place(s, op.host, task):
        return NEXT
    if s.spans:
        spans.keep_stage(s, task, spans.PLACE, hosts(s)[op.host].name, 0.0, NONE)
    own.phase = 1
    return PARK


@handler
def let_effect_be(s: State, task: int, op: Row) -> None:
    """A durable business fact: op.salt is its bit, op.a whether it is idempotent, op.b what the ledger takes it for."""
    request = requests(s)[slots(s)[task].request]
    if request.effects & op.salt and op.a:
        return
    request.effects |= op.salt
    if op.b == CHARGE:
        request.charges += 1
    elif op.b == RESERVATION:
        request.reservations += 1
    needs = request.needs
    if needs != 0 and request.effects & needs == needs and request.completion != request.completion:
        request.completion = s.now
        if s.spans:
            spans.keep_stage(s, task, spans.COMPLETED, NONE, 0.0, NONE)


@handler
def look_at_stock(s: State, task: int, op: Row) -> int:
    """Read how many there are; with none left the order is refused."""
    own = slots(s)[task]
    item = max(requests(s)[own.request].item, 0)
    own.seen = left(s)[stocks(s)[op.a].first + item]
    if own.seen > 0:
        return NEXT
    own.where = op.b
    own.root = 0
    own.outcome = REFUSED
    return FAIL


@handler
def take_from_stock(s: State, task: int, op: Row) -> None:
    """Sell one: one less is left than was seen."""
    own = slots(s)[task]
    stock = stocks(s)[op.a]
    item = max(requests(s)[own.request].item, 0)
    place = stock.first + item
    left(s)[place] = own.seen - 1
    sold(s)[place] += 1
    if own.seen == 1 and ran_out(s)[place] == 0:
        ran_out(s)[place] = 1
        log(s, STOCK_RAN_OUT, stock.subject, NONE, float(item))
    if sold(s)[place] == stock.items + 1:
        log(s, OVERSOLD, stock.subject, NONE, float(item))


@handler
def end_by_chance(s: State, task: int, op: Row) -> int:
    """End with the outcome op.a for a share of attempts."""
    own = slots(s)[task]
    if chance(s, op.row, task) >= op.share:
        return NEXT
    own.where = op.b
    own.root = 0
    own.outcome = op.a
    return FAIL


@handler
def reply(s: State, task: int, courier_at: int) -> None:
    """Send a courier with the answer of the attempt, of which this may be a branch; only the first reply is one."""
    own = slots(s)[task]
    attempt = own.attempt if own.attempt >= 0 else task
    asked = slots(s)[attempt]
    caller = asked.caller
    asked.caller = NOBODY
    if caller == NOBODY:
        return
    if s.spans:
        place = hosts(s)[replicas(s)[own.replica].host].name
        spans.keep_stage(s, attempt, spans.ANSWER, place, 0.0, flows(s)[task].number)
    delay = 0.0
    if asked.back >= 0:
        delay = hop_delay(s, asked.back, requests(s)[own.request].id, own.chain)
    if delay < 0.0:
        if caller >= 0:
            slots(s)[caller].child = -1
        return
    courier = new_task(s, own.request, own.chain, own.path, caller, own.replica)
    requests(s)[own.request].alive += 1
    if s.spans:
        spans.no_flow(s, courier)
    made = slots(s)[courier]
    made.then = GO_ON
    made.pc = courier_at
    made.pause = delay
    made.tries = DEGRADED if own.degraded or asked.degraded else OK
    if caller >= 0:
        slots(s)[caller].child = courier
    make_ready(s, courier)


@handler
def branch_out(s: State, task: int, op: Row) -> int:
    """Start all branches, wait for all; the first failure in branch order is the outcome."""
    own = slots(s)[task]
    if own.phase == 1:
        return branches_over(s, task)
    last = -1
    for index in range(op.a, op.a + op.b):
        branch = new_task(s, own.request, own.chain, own.path, task, own.replica)
        made = slots(s)[branch]
        made.abandoned = own.abandoned
        made.attempt = own.attempt if own.attempt >= 0 else task
        made.then = GO_ON
        made.pc = branches(s)[index]
        made.outcome = OK
        if last < 0:
            own.child = branch
        else:
            slots(s)[last].sibling = branch
        last = branch
        make_ready(s, branch)
    if s.spans:
        spans.keep_branches(s, task, hosts(s)[op.host].name, op.b)
    own.branches = 1
    own.branches_left = op.b
    own.phase = 1
    return PARK


@handler
def branches_over(s: State, task: int) -> int:
    """All branches have ended."""
    own = slots(s)[task]
    own.phase = 0
    own.branches = 0
    outcome = OK
    branch = own.child
    own.child = -1
    while branch >= 0:
        row = slots(s)[branch]
        if row.degraded:
            own.degraded = 1
        if row.outcome != OK and outcome == OK:
            outcome = row.outcome
            own.where = row.where
            own.root = row.root
        following = row.sibling
        forget(s, branch)
        branch = following
    own.outcome = outcome
    return NEXT if outcome == OK else FAIL


@handler
def branch_ended(s: State, task: int, host: int) -> None:
    """A branch is over; the last one wakes the task that it is a part of."""
    own = slots(s)[task]
    if s.spans:
        spans.keep_stage(s, task, spans.END, hosts(s)[host].name, 0.0, NONE)
    if own.granted:
        leave(s, host, task)
    parent = own.caller
    own.caller = NOBODY
    own.then = FINISHED
    slots(s)[parent].branches_left -= 1
    if slots(s)[parent].branches_left == 0:
        make_ready(s, parent)
