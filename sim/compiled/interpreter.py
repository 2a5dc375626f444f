"""The interpreter: takes events in their order, and lets tasks run through their programs until they wait.

It returns to Python when its budget of events is spent, when tasks have woken one another too often without an event, when something must grow,
when Python has to do something (a fault, a session that expires), and at the end. It may return between any two operations, and goes on where it was.
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.table import draw
from sim.compiled import operations as op_of
from sim.compiled.attempts import arrive, come_in, deliver, leave_queue, start, steps_over, waited_too_long
from sim.compiled.calendar import ARRIVAL, DUE, KIND_BITS, LANE, ORDER, REPLICATED, TASK, TICK, drop_head, hold, next_event, observe, wait_for_lane
from sim.compiled.calls import FAIL, JUMP, NEXT, PARK, call_step, call_timed_out, out_of_time, send_and_forget, waited_for_bulkhead
from sim.compiled.clients import arrival, ask, client_timed_out, make_request
from sim.compiled.consumers import commit, deliver_record, due, poll, record_over, take_next
from sim.compiled.gateway import limited, look_at_token, still_there, token_answered
from sim.compiled.operations import (
    branch_ended,
    branch_out,
    end_by_chance,
    get_place,
    let_effect_be,
    look_at_stock,
    note_work,
    pass_time,
    reply,
    spend,
    take_from_stock,
)
from sim.compiled.places import cores_fire, leave, park
from sim.compiled.relays import relay_step, write_letter
from sim.compiled.sampling import tick
from sim.compiled.state import ZERO, Row, State, draws, handler, lanes, moments, near, numbers, ops, ready, replicas, saved, slots, timers, whole, workloads
from sim.compiled.tasks import ARRIVE, COME_IN, DELIVER, GO_ON, LEAVE_QUEUE, PUBLISH, WORKED, answer, answered, done, forget, free_slot
from sim.compiled.topics import publication, replicated
from sim.vocabulary import Outcome

SPENT, SHORT, ORDERED, DONE, DALLIED = map(whole, range(5))  # why the interpreter returned
TURNS_AT_ONCE = whole(1 << 18)  # of tasks, without an event between them
OF_CALL, OF_BULKHEAD, OF_QUEUE, OF_CLIENT, OF_ERRAND = map(whole, range(5))  # purposes of lanes
OK, REFUSED = whole(Outcome.OK), whole(Outcome.REFUSED)


@compiled(nogil=True)
def run(s: State, budget: int) -> int:
    """Run until one of the reasons to return."""
    turns = TURNS_AT_ONCE
    while True:
        if s.short:
            return SHORT
        if s.current >= 0:
            task = s.current
            s.current = -1
        else:
            if s.ready > 0:
                if turns <= 0:
                    return DALLIED
                turns -= 1
                task = ready(s)[s.ready_first & s.ready_mask]
                s.ready_first += 1
                s.ready -= 1
                if task < 0:
                    answered(s, -1 - task)
                    continue
            else:
                if budget <= 0:
                    return SPENT
                budget -= 1
                turns = TURNS_AT_ONCE
                before = s.now
                what = next_event(s)
                task = what >> KIND_BITS
                kind = what & ((1 << KIND_BITS) - 1)
                if kind == ARRIVAL:
                    task = arrival(s, task)
                    if task < 0:
                        continue
                elif kind != TASK:
                    if kind == ORDER:
                        s.order = task
                        return ORDERED
                    if kind == TICK:
                        s.now = moments(s)[s.tick + 1]
                        tick(s)
                        if s.tick == s.last_tick:
                            return DONE
                        observe(s, moments(s)[s.tick + 1])
                    else:
                        if kind == LANE:
                            s.now = max(before, lanes(s)[task].due)
                        happen(s, kind, task)
                    continue
            if not wake(s, task):
                continue
        go_on(s, task)


@handler
def happen(s: State, kind: int, index: int) -> None:
    """The events that few requests meet."""
    if kind == LANE:
        expire(s, index)
    elif kind == REPLICATED:
        replicated(s, index)
    elif kind == DUE:
        due(s, index)
    else:  # CPU
        cores_fire(s, index)


@near
def wake(s: State, task: int) -> bool:
    """A task's event has come, or its turn in the ready queue. True: it goes on with its program."""
    own = slots(s)[task]
    own.held -= 1
    if own.dead:
        if own.held == 0:
            free_slot(s, task)
        return False
    then = own.then
    if then == WORKED:
        note_work(s, task, ops(s)[own.pc].host)
        own.pc += 1
        own.then = GO_ON
        return True
    if then == GO_ON:
        return True
    if then == DELIVER:
        deliver(s, task)
        return False
    if then == PUBLISH:
        publication(s, task)
        return False
    begins = True
    if then == ARRIVE:
        begins = arrive(s, task)
    elif then == LEAVE_QUEUE:
        begins = leave_queue(s, task)
    elif then == COME_IN:
        begins = come_in(s, task)
    return begins and start(s, task)


@handler
def expire(s: State, lane: int) -> None:
    """The event of a lane: expire all that are due, and wait for the next that is not stale."""
    now = s.now
    row = lanes(s)[lane]
    while row.first >= 0:
        timer = timers(s)[row.first]
        task = timer.slot
        ticket = slots(s)[task].errand if row.purpose == OF_ERRAND else slots(s)[task].ticket
        if ticket != timer.ticket:
            drop_head(s, lane)
        elif timer.deadline <= now:
            drop_head(s, lane)
            if row.purpose == OF_CALL:
                call_timed_out(s, task, row.owner)
            elif row.purpose == OF_CLIENT:
                client_timed_out(s, task, row.owner)
            elif row.purpose == OF_QUEUE:
                waited_too_long(s, task, row.owner)
            elif row.purpose == OF_ERRAND:
                out_of_time(s, task, row.owner)
            else:
                waited_for_bulkhead(s, task, row.owner)
        else:
            wait_for_lane(s, lane, timer.deadline)
            return
    row.armed = 0


@near
def go_on(s: State, task: int) -> None:
    """Run through the program of a task until it waits, or is over."""
    own = slots(s)[task]
    while True:
        if s.short:
            s.current = task
            return
        op = ops(s)[own.pc]
        kind = op.kind
        result = NEXT
        if kind == op_of.PASS:
            pass_time(s, task, op)
            return
        if kind == op_of.CALL:
            result = call_step(s, task, op.a)
        elif kind == op_of.END:
            steps_over(s, task, own.outcome if op.a else OK)
            return
        elif kind == op_of.WELL:
            own.outcome = 0
        elif kind == op_of.EFFECT:
            let_effect_be(s, task, op)
        elif kind == op_of.BY_CHANCE:
            result = end_by_chance(s, task, op)
        elif kind == op_of.SPEND:
            result = spend(s, task, op)
        elif kind == op_of.PLACE:
            result = get_place(s, task, op)
        elif kind == op_of.LET_GO:
            if own.granted:
                leave(s, op.host, task)
        elif kind == op_of.THAW:
            if replicas(s)[own.replica].hung:
                park(s, task)
                return
        elif kind == op_of.LIMITS:
            result = limited(s, task, op.host, op.a, op.b)
        elif kind == op_of.ASK:
            result = ask(s, task, op.a)
        elif kind == op_of.CLIENT_DONE:
            forget(s, task)
            return
        elif kind <= op_of.FORGET_CALL:
            result = of_logs(s, task, op)
        else:
            result = unusual(s, task, op)
        if result == NEXT:
            own.pc += 1
        elif result == FAIL:
            own.pc = op.fail
        elif result == JUMP:
            own.pc = op.to
        elif result == PARK:
            return


@handler
def of_logs(s: State, task: int, op: Row) -> int:
    """The operations of consumers and relays, and of those who publish."""
    kind = op.kind
    if kind == op_of.POLL:
        return poll(s, task)
    if kind == op_of.TAKE_NEXT:
        return take_next(s, task)
    if kind == op_of.HAND_OVER:
        return deliver_record(s, task)
    if kind == op_of.RECORD_OVER:
        return record_over(s, task)
    if kind == op_of.COMMIT:
        return commit(s, task)
    if kind == op_of.RELAY:
        return relay_step(s, task, op.a)
    if kind == op_of.OUTBOX:
        write_letter(s, task, op.a)
    else:
        send_and_forget(s, task, op.a)
    return NEXT


@handler
def unusual(s: State, task: int, op: Row) -> int:
    """The operations that few tasks come by."""
    own = slots(s)[task]
    kind = op.kind
    if kind == op_of.GO_TO:
        return JUMP
    if kind == op_of.FALL_BACK:
        return FAIL if own.outcome == REFUSED else NEXT
    if kind == op_of.FALLBACK_END:
        own.degraded = 1
        own.outcome = 0
    elif kind == op_of.SALT_IN:
        place = task * s.deepest + op.a
        saved(s)[place] = own.chain
        saved(s)[place + 1] = own.path
        own.chain = link_chain(own.chain, op.salt, ZERO)
        own.path = link_chain(own.path, op.salt, ZERO)
    elif kind == op_of.SALT_OUT:
        place = task * s.deepest + op.a
        own.chain = saved(s)[place]
        own.path = saved(s)[place + 1]
        return NEXT if own.outcome == 0 else FAIL
    elif kind == op_of.LOOK:
        return look_at_stock(s, task, op)
    elif kind == op_of.TAKE:
        take_from_stock(s, task, op)
    elif kind == op_of.REPLY:
        reply(s, task, op.a)
    elif kind == op_of.COURIER:
        return carry(s, task)
    elif kind == op_of.PARALLEL:
        return branch_out(s, task, op)
    elif kind == op_of.BRANCH_END:
        branch_ended(s, task, op.host)
        return PARK
    elif kind == op_of.TOKEN:
        return look_at_token(s, task, op)
    elif kind == op_of.TOKEN_ANSWER:
        return token_answered(s, task, op.host)
    elif kind == op_of.THINK:
        return think(s, task, op)
    elif kind == op_of.STILL_THERE:
        return still_there(s, task, op.host)
    else:  # USER_DONE
        own.seen += op.b
        return JUMP
    return NEXT


@handler
def carry(s: State, task: int) -> int:
    """A courier takes an early answer to its caller."""
    own = slots(s)[task]
    if own.phase == 0 and own.pause > 0.0:
        own.phase = 1
        hold(s, task, own.pause)
        return PARK
    answer(s, task, own.tries)
    done(s, own.request)
    forget(s, task)
    return PARK


@handler
def think(s: State, task: int, op: Row) -> int:
    """A user of a closed population pauses, and then makes a request of its own number."""
    own = slots(s)[task]
    if own.phase == 0:
        pause = draw(draws(s), numbers(s), op.row, workloads(s)[op.a].base | own.seen, ZERO)
        if pause > 0.0:
            own.phase = 1
            hold(s, task, pause)
            return PARK
    own.phase = 0
    own.request = make_request(s, op.a, own.seen, s.now)
    return NEXT
