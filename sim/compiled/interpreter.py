"""The interpreter: takes events in their order, and lets tasks run through their programs until they wait.

It returns to Python when its budget of events is spent, when tasks have woken one another too often without an event,
when something must grow, when Python has to do something (a fault, a session that expires), and at the end. It may
return between any two operations, and goes on where it was.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled import operations as op_of
from sim.compiled.answers import FAIL, JUMP, NEXT, PARK
from sim.compiled.apart import by_address
from sim.compiled.attempts import waited_too_long
from sim.compiled.base import handler, inlined, whole
from sim.compiled.cache_writes import (
    begin_to_write,
    collected_written,
    take_collected,
    write_behind,
    written_through,
)
from sim.compiled.caches import begin_to_bring, hit_by_share, loaded
from sim.compiled.calendar import (
    ARRIVAL,
    DUE,
    KIND_BITS,
    LANE,
    OF_CLIENT,
    OF_DEADLOCK,
    OF_LOCKS,
    OF_MEMBERS,
    OF_MEMORY,
    OF_NODES,
    OF_QUEUE,
    OF_QUEUES,
    ORDER,
    REPLICATED,
    TASK,
    TICK,
    ask_python,
    drop_head,
    next_event,
    observe,
    wait_for_lane,
)
from sim.compiled.channels import happen_at_queue, letter_over
from sim.compiled.clients import arrival, client_timed_out
from sim.compiled.codes import OK, REFUSED, TIMEOUT
from sim.compiled.committing import look_at_commit
from sim.compiled.consumers import deliver_record, due, record_over, take_next
from sim.compiled.cores import cores_fire
from sim.compiled.exchanges import is_last_of_batch
from sim.compiled.fetching import look_at_fetch
from sim.compiled.flows.calls import purpose_of
from sim.compiled.flows.layers.attempt import send_and_forget
from sim.compiled.flows.layers.total_timeout import TotalTimeout
from sim.compiled.forks import (
    aside_ended,
    begin_aside,
    begin_repeating,
    branch_ended,
    racer_ended,
    repeat,
    take_branch,
)
from sim.compiled.gateway import still_there, token_answered
from sim.compiled.leaders import happen_at_node
from sim.compiled.locking import free_after_crash, lock_expired, unlock
from sim.compiled.operations import (
    end_by_chance,
    let_effect_be,
    look_at_stock,
    note_work,
    part_begins,
    part_over,
    pass_time,
    reply,
    take_from_stock,
)
from sim.compiled.places import leave, park
from sim.compiled.plugins.steps import plugin_step
from sim.compiled.produced import happen_at_producer, stand_in_for_request, wake_blocked
from sim.compiled.races import copy_due
from sim.compiled.relays import write_to_outbox
from sim.compiled.rows.events import give_back_timer, ready, timer_lanes, timers
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.programs import (
    CacheWriteOp,
    Op,
    aside_ops,
    batch_ops,
    cache_write_ops,
    call_ops,
    chance_ops,
    effect_ops,
    end_ops,
    look_ops,
    next_user_ops,
    ops,
    outbox_ops,
    racer_ops,
    repeat_ops,
    reply_ops,
    saga_ops,
    salt_ops,
    session_ops,
    share_ops,
    stock_ops,
    workload_ops,
)
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.traffic import workloads
from sim.compiled.rows.watched import moments
from sim.compiled.sagas import (
    begin_saga,
    complete_saga,
    enter_in_ledger,
    is_to_be_undone,
    retract,
    take_out_of_ledger,
    transaction_done,
    turn_back,
    went_back,
)
from sim.compiled.sampling import tick
from sim.compiled.sessions import keep_session, look_for_session, tell_of_loss
from sim.compiled.stranding import end_saga
from sim.compiled.tasks import (
    ALIVE,
    COPY_DUE,
    GO_ON,
    HEARS_OF_REPLICAS,
    LOOKS_AT_COMMIT,
    LOOKS_AT_FETCH,
    OPENED,
    PUBLISH,
    PUBLISH_AT_EXCHANGE,
    WORKED,
    answered,
    forget,
    free_row,
    opened,
)
from sim.compiled.topics import replicated
from sim.compiled.transactions import begin_transaction
from sim.compiled.visits import arrival_apart, iteration_over
from sim.compiled.written.attempts import attempt_step
from sim.compiled.written.caches import look_into_cache
from sim.compiled.written.calls import call_expired, call_step
from sim.compiled.written.clients import ask, come, think, visit
from sim.compiled.written.composed import branch_out, race, repeat_at_once
from sim.compiled.written.limits import meet_limits
from sim.compiled.written.locks import take_lock
from sim.compiled.written.members import commit, commit_record, commit_transaction, poll, rest
from sim.compiled.written.publications import produce, publication, publication_at_leader, relay_step
from sim.compiled.written.queues import publication_at_exchange, publish_unconfirmed, receive
from sim.compiled.written.sagas import look_at_undo
from sim.compiled.written.steps import carry, get_place, spend
from sim.compiled.written.tokens import look_at_token

BUDGET_SPENT, MUST_GROW, ORDERED, DONE, TOO_MANY_TURNS = map(whole, range(5))  # why the interpreter returned
OF_WHOLE_CALLS = whole(purpose_of(TotalTimeout))
TURNS_AT_ONCE = whole(1 << 16)  # of tasks, without an event between them


@compiled(nogil=True)
def run(s: State, budget: int) -> int:
    """Run until one of the reasons to return."""
    turns = TURNS_AT_ONCE
    while True:
        if s.must_grow:
            return MUST_GROW
        if s.current >= 0:
            task = s.current
            s.current = -1
        else:
            if s.ready_size > 0:
                if turns <= 0:
                    return TOO_MANY_TURNS
                turns -= 1
                task = ready(s)[s.ready_first & s.ready_mask]
                s.ready_first += 1
                s.ready_size -= 1
                if task < 0:
                    answered(s, -1 - task)
                    continue
            else:
                if budget <= 0:
                    return BUDGET_SPENT
                budget -= 1
                turns = TURNS_AT_ONCE
                before = s.now
                what = next_event(s)
                task = what >> KIND_BITS
                kind = what & ((1 << KIND_BITS) - 1)
                if kind == ARRIVAL:
                    if workloads(s)[task].apart:
                        arrival_apart(s, task)
                        continue
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
                            due_at = timer_lanes(s)[task].due if task >= 0 else timers(s)[-1 - task].deadline
                            s.now = max(before, due_at)
                        happen(s, kind, task, before)
                    continue
            if not wake(s, task):
                continue
        go_on(s, task)


@by_address
@handler
def happen(s: State, kind: int, index: int, before: float) -> None:
    """The events that few requests meet; the clock showed `before` at the one before it."""
    if kind == LANE and index < 0:
        expire_told(s, -1 - index)
    elif kind == LANE:
        expire(s, index)
    elif kind == REPLICATED:
        replicated(s, index)
    elif kind == DUE:
        due(s, index)
    elif kind >= OF_QUEUES:
        if kind == OF_QUEUES:
            happen_at_queue(s, index, before)
        elif kind == OF_NODES:
            happen_at_node(s, index)
        elif kind == OF_LOCKS:
            free_after_crash(s, index)
        else:
            happen_at_producer(s, index, before)
    else:  # CPU
        cores_fire(s, index)


@inlined
def wake(s: State, task: int) -> bool:
    """A task's event has come, or its turn in the ready queue. True: it goes on with its program."""
    own = tasks(s)[task]
    own.held -= 1
    if own.life != ALIVE:
        if own.held == 0:
            free_row(s, task)
        return False
    then = own.on_wake
    if then == WORKED:
        note_work(s, task, ops(s)[own.pc].host)
        own.pc += 1
        own.on_wake = GO_ON
        return True
    if then == GO_ON:
        return True
    if then == PUBLISH:
        publication(s, task)
        return False
    if then >= OPENED:
        if then >= PUBLISH_AT_EXCHANGE:
            if then == PUBLISH_AT_EXCHANGE:
                publication_at_exchange(s, task)
            else:
                publication_at_leader(s, task)
        elif then == OPENED:
            opened(s, task)
        elif then == COPY_DUE:
            copy_due(s, task)
        else:
            stand_in(s, task, then)
        return False
    return attempt_step(s, task) == NEXT


@by_address
@handler
def stand_in(s: State, task: int, then: int) -> None:
    """The turn of what a task stands in for."""
    if then == LOOKS_AT_FETCH:
        look_at_fetch(s, tasks(s)[task].member)
    elif then == LOOKS_AT_COMMIT:
        look_at_commit(s, tasks(s)[task].member)
    elif then == HEARS_OF_REPLICAS:
        stand_in_for_request(s, task)
    else:  # an order, which Python has put into the ready queue
        ask_python(s, tasks(s)[task].phase)
        forget(s, task)


@handler
def expire(s: State, lane: int) -> None:
    """The event of a lane: expire all that are due, and wait for the next that is not stale."""
    now = s.now
    row = timer_lanes(s)[lane]
    if row.purpose == OF_MEMBERS:
        ask_python(s, row.owner)
        return
    while row.first >= 0:
        timer = timers(s)[row.first]
        task = timer.task
        ticket = tasks(s)[task].call_number if row.whole_call else tasks(s)[task].ticket
        if ticket != timer.ticket:
            drop_head(s, lane)
        elif timer.deadline <= now:
            drop_head(s, lane)
            if row.purpose == OF_QUEUE:
                waited_too_long(s, task, row.owner)
            elif row.purpose == OF_CLIENT:
                client_timed_out(s, task, row.owner)
            elif row.purpose == OF_MEMORY:
                wake_blocked(s, task, TIMEOUT)
            elif row.purpose <= OF_DEADLOCK:
                lock_expired(s, task, row.purpose == OF_DEADLOCK)
            else:
                call_expired(s, task, row.owner, row.purpose)
        else:
            wait_for_lane(s, lane, timer.deadline)
            return
    row.armed = False


@handler
def expire_told(s: State, timer: int) -> None:
    """The deadline of a call that was told has come, or the patience of a client is over."""
    row = timers(s)[timer]
    task, ticket, workload = row.task, row.ticket, row.workload
    give_back_timer(s, timer)
    if workload >= 0:
        if tasks(s)[task].ticket == ticket:
            client_timed_out(s, task, workload)
    elif tasks(s)[task].call_number == ticket:
        call_expired(s, task, tasks(s)[task].call, OF_WHOLE_CALLS)


@inlined
def go_on(s: State, task: int) -> None:
    """Run through the program of a task until it waits, or is over."""
    own = tasks(s)[task]
    while True:
        if s.must_grow:
            s.current = task
            return
        op = ops(s)[own.pc]
        kind = op.kind
        result = NEXT
        if kind == op_of.PASS:
            pass_time(s, task, own.pc)
            return
        if kind == op_of.CALL:
            result = call_step(s, task, call_ops(s)[own.pc].call)
        elif kind == op_of.END:
            if not end_ops(s)[own.pc].by_outcome:
                own.outcome = OK
            attempt_step(s, task)
            return
        elif kind == op_of.WELL:
            own.outcome = OK
        elif kind == op_of.EFFECT:
            let_effect_be(s, task, effect_ops(s)[own.pc])
        elif kind == op_of.BY_CHANCE:
            result = end_by_chance(s, task, chance_ops(s)[own.pc])
        elif kind == op_of.SPEND:
            result = spend(s, task, own.pc)
        elif kind == op_of.PLACE:
            result = get_place(s, task, own.pc)
        elif kind == op_of.LET_GO:
            if own.granted:
                leave(s, op.host, task)
        elif kind == op_of.THAW:
            if replicas(s)[own.replica].hung:
                park(s, task)
                return
        elif kind == op_of.LIMITS:
            result = meet_limits(s, task, own.pc)
        elif kind == op_of.ASK:
            result = ask(s, task, workload_ops(s)[own.pc].workload)
        elif kind == op_of.CLIENT_DONE:
            forget(s, task)
            return
        elif kind <= op_of.FORGET_CALL:
            result = of_logs(s, task, op)
        else:
            result = of_queues(s, task, op) if kind >= op_of.RECEIVE else unusual(s, task, op)
        if result == NEXT:
            own.pc += 1
        elif result == FAIL:
            own.pc = op.fail
        elif result == JUMP:
            own.pc = op.to
        elif result == PARK:
            return


@handler
def of_logs(s: State, task: int, op: Op) -> int:
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
        return relay_step(s, task, outbox_ops(s)[tasks(s)[task].pc].outbox)
    if kind == op_of.OUTBOX:
        write_to_outbox(s, task, outbox_ops(s)[tasks(s)[task].pc].outbox)
    else:
        send_and_forget(s, task, call_ops(s)[tasks(s)[task].pc].call)
    return NEXT


@by_address
@handler
def of_queues(s: State, task: int, op: Op) -> int:
    """The operations of consumers of queues, and of those who publish otherwise than by a call."""
    pc = tasks(s)[task].pc
    if op.kind == op_of.RECEIVE:
        return receive(s, task)
    if op.kind == op_of.LETTER_OVER:
        return letter_over(s, task)
    if op.kind == op_of.PUBLISH_UNCONFIRMED:
        return publish_unconfirmed(s, task, pc)
    if op.kind == op_of.PRODUCE:
        return produce(s, task, pc)
    row = batch_ops(s)[pc]
    if is_last_of_batch(s, row.call, tasks(s)[task].replica, row.batch):
        return NEXT
    send_and_forget(s, task, row.call)
    return JUMP


@by_address
@handler
def unusual(s: State, task: int, op: Op) -> int:
    """The operations that few tasks come by."""
    own = tasks(s)[task]
    kind = op.kind
    if kind == op_of.GO_TO:
        return JUMP
    if kind == op_of.FALL_BACK:
        return FAIL if own.outcome == REFUSED else NEXT
    if kind == op_of.FALLBACK_END:
        own.degraded = True
        own.outcome = OK
    elif kind == op_of.SALT_IN:
        part_begins(s, task, salt_ops(s)[own.pc])
    elif kind == op_of.SALT_OUT:
        return part_over(s, task, salt_ops(s)[own.pc])
    elif kind == op_of.LOOK:
        return look_at_stock(s, task, stock_ops(s)[own.pc])
    elif kind == op_of.TAKE:
        take_from_stock(s, task, stock_ops(s)[own.pc])
    elif kind == op_of.REPLY:
        reply(s, task, reply_ops(s)[own.pc].courier)
    elif kind == op_of.COURIER:
        return carry(s, task)
    elif kind == op_of.PARALLEL:
        return branch_out(s, task, own.pc)
    elif kind == op_of.BRANCH_END:
        branch_ended(s, task, op.host)
        return PARK
    elif op_of.PLUGIN_BEGINS <= kind <= op_of.PLUGIN_STEP:
        return plugin_step(s, task)
    elif kind > op_of.USER_DONE:
        return of_composed(s, task, op)
    elif kind == op_of.THINK:
        return think(s, task, own.pc)
    elif kind != op_of.USER_DONE:
        return of_tokens(s, task, op)
    else:
        own.user += next_user_ops(s)[own.pc].users
        return JUMP
    return NEXT


@by_address
@handler
def of_composed(s: State, task: int, op: Op) -> int:
    """The operations of steps that are made of other steps, and of people with a pace or a visit of their own."""
    pc = tasks(s)[task].pc
    kind = op.kind
    if kind == op_of.TAKE_BRANCH:
        return take_branch(s, task, share_ops(s)[pc])
    if kind == op_of.REPEAT:
        return begin_repeating(s, task, repeat_ops(s)[pc])
    if kind == op_of.AGAIN:
        return repeat(s, task, repeat_ops(s)[pc])
    if kind == op_of.REPEAT_OVER:
        return part_over(s, task, salt_ops(s)[pc])
    if kind == op_of.AT_ONCE:
        return repeat_at_once(s, task, pc)
    if kind == op_of.RACE:
        return race(s, task, pc)
    if kind == op_of.RACER_END:
        racer_ended(s, task, op.host, racer_ops(s)[pc].cancels, racer_ops(s)[pc].enough)
        return PARK
    if kind >= op_of.BEGIN_TRANSACTION:
        return of_transactions(s, task, op)
    if kind >= op_of.COMMIT_RECORD:
        return commit_record(s, task) if kind == op_of.COMMIT_RECORD else rest(s, task)
    if kind >= op_of.LOCK:
        return unlock(s, task) if kind == op_of.UNLOCK else take_lock(s, task, pc)
    if kind >= op_of.LOOK_FOR_SESSION:
        return of_sessions(s, task, op)
    if kind >= op_of.SAGA:
        return of_sagas(s, task, op)
    if kind == op_of.COME:
        return come(s, task, pc)
    if kind == op_of.VISIT:
        return visit(s, task, pc)
    if kind == op_of.ITERATION_OVER:
        return iteration_over(s, workload_ops(s)[pc].workload)
    if kind >= op_of.HIT_BY_SHARE:
        return of_caches(s, task, op)
    if kind == op_of.BACKGROUND:
        begin_aside(s, task, aside_ops(s)[pc].program, op.host)
        return NEXT
    aside_ended(s, task, op.host)
    return PARK


@by_address
@handler
def of_transactions(s: State, task: int, op: Op) -> int:
    """The operations of consumers that handle each record in a transaction."""
    if op.kind == op_of.END_TRANSACTION:
        return commit_transaction(s, task)
    begin_transaction(s, tasks(s)[task].member)
    return NEXT


@handler
def of_caches(s: State, task: int, op: Op) -> int:
    """The operations of caches."""
    pc = tasks(s)[task].pc
    if op.kind >= op_of.WRITE_BEGINS:
        return of_cache_writes(s, task, cache_write_ops(s)[pc])
    if op.kind == op_of.LOOK_INTO_CACHE:
        return look_into_cache(s, task, pc)
    if op.kind == op_of.LOADED:
        return loaded(s, task, look_ops(s)[pc].look)
    if op.kind == op_of.BRING:
        return begin_to_bring(s, task, look_ops(s)[pc].look)
    return hit_by_share(s, task, look_ops(s)[pc].look)


@by_address
@handler
def of_cache_writes(s: State, task: int, op: CacheWriteOp) -> int:
    """The operations of writes through a cache."""
    if op.kind == op_of.TAKE_COLLECTED:
        return take_collected(s, task, op)
    if op.kind == op_of.WRITE_BEGINS:
        begin_to_write(s, op.write)
    elif op.kind == op_of.WRITTEN_THROUGH:
        written_through(s, task, op.write)
    elif op.kind == op_of.WRITE_BEHIND:
        write_behind(s, task, op.write)
    else:
        collected_written(s, task, op)
    return NEXT


@handler
def of_sessions(s: State, task: int, op: Op) -> int:
    """The operations of sessions."""
    session = session_ops(s)[tasks(s)[task].pc].session
    if op.kind == op_of.LOOK_FOR_SESSION:
        return look_for_session(s, task, session)
    if op.kind == op_of.SESSION_LOST:
        return tell_of_loss(s, task, session)
    keep_session(s, task, session)
    return NEXT


@handler
def of_sagas(s: State, task: int, op: Op) -> int:
    """The operations of sagas."""
    pc = tasks(s)[task].pc
    kind = op.kind
    if kind == op_of.TURN_BACK:
        return turn_back(s, task, saga_ops(s)[pc])
    if kind == op_of.UNDO:
        return NEXT if is_to_be_undone(s, task, saga_ops(s)[pc].step) else JUMP
    if kind == op_of.UNDO_OVER:
        return look_at_undo(s, task, pc)
    if kind == op_of.WENT_BACK:
        return went_back(s, task)
    if kind == op_of.SAGA:
        begin_saga(s, task, saga_ops(s)[pc])
    elif kind == op_of.TRANSACTION_DONE:
        transaction_done(s, task)
    elif kind == op_of.SAGA_COMPLETED:
        complete_saga(s, task)
    elif kind == op_of.SAGA_OVER:
        end_saga(s, task)
    elif kind == op_of.TAKE_OUT:
        take_out_of_ledger(s, task)
    elif kind == op_of.ENTER:
        enter_in_ledger(s, task)
    else:
        retract(s, task, effect_ops(s)[pc])
    return NEXT


@handler
def of_tokens(s: State, task: int, op: Op) -> int:
    """The operations of the gateway's authentication."""
    if op.kind == op_of.TOKEN:
        return look_at_token(s, task, tasks(s)[task].pc)
    if op.kind == op_of.TOKEN_ANSWER:
        return token_answered(s, task, op.host)
    return still_there(s, task, op.host)
