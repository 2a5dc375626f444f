"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Publications at a log broker, and the relays of outboxes.
"""

from __future__ import annotations

from sim.compiled.answers import AGAIN, PARK
from sim.compiled.apart import by_address
from sim.compiled.attempts import lose_answer
from sim.compiled.base import NO, NONE, handler, whole
from sim.compiled.calendar import hold
from sim.compiled.exchanges import are_confirmed, heard_of, is_held_back, publish_rows
from sim.compiled.leaders import (
    acknowledge,
    answer_of,
    ask,
    place_of,
    refusal,
    refusal_of_asked,
    waits_for,
    wake_earlier,
    write_publication,
)
from sim.compiled.letters import stand_blocked
from sim.compiled.network import hop_delay
from sim.compiled.places import park
from sim.compiled.producing import (
    are_acknowledged,
    drop_record,
    must_hear,
    publish_record,
    put_row,
    release_records,
    wait_for_record,
)
from sim.compiled.relays import (
    batch_delay,
    begin_batch,
    count_tries,
    pending_message,
    place_of_row,
    publish_batch,
    release_written,
    strike_off,
    write_row,
)
from sim.compiled.rows.calls import calls, targets
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import brokers, messages, outboxes, topics
from sim.compiled.rows.producers import publishers
from sim.compiled.rows.programs import produce_ops
from sim.compiled.rows.queues import queue_brokers, senders
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import flow_of, keep_stage
from sim.compiled.tasks import answer, done, forget
from sim.compiled.topics import append, is_available, release, wait_for_replicas
from sim.compiled.transactions import is_fenced

ALL = whole(2)
ANSWER = whole(10)
CALL = whole(0)
ERROR = whole(9)
FAIL = whole(2)
FENCED = whole(4)
NEXT = whole(1)
OK = whole(0)
UNREACHABLE = whole(10)


@handler
def publication(s: State, own: int) -> int:
    """Append the event, wait for what `acks` asks for, and acknowledge."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 1:
        sent_1 = own_row.message
        if not is_available(s, sent_1):
            own_row.outcome = UNREACHABLE
            own_row.where = targets(s)[own_row.target].where
        if s.spans:
            keep_stage(s, own, ANSWER, targets(s)[own_row.target].where, 0.0, NONE)
        release(s, sent_1)
        to = 3
    if pc == 0:
        own_row.outcome = OK
        target_1 = own_row.target
        target_1_row = targets(s)[target_1]
        if brokers(s)[topics(s)[target_1_row.topic].broker].down:
            own_row.outcome = UNREACHABLE
            own_row.where = target_1_row.where
            to = 3
        else:
            request_1 = own_row.request
            its_flow_1 = flow_of(s, own)
            number_1 = append(s, target_1_row.topic, target_1_row.key, target_1_row.site, own_row.producer, request_1, own_row.chain, own_row.path, NO, its_flow_1)
            message_1 = number_1
            message_1_row = messages(s)[message_1]
            if brokers(s)[topics(s)[target_1_row.topic].broker].acks == ALL and wait_for_replicas(s, own, message_1):
                own_row.message = message_1
                message_1_row.left += 1
                own_row.phase = 1
                return PARK
            else:
                if s.spans:
                    keep_stage(s, own, ANSWER, target_1_row.where, 0.0, NONE)
                to = 3
    if to == 3:
        if own_row.back >= 0 and own_row.caller != -1:
            delay_2 = hop_delay(s, own_row.back, requests(s)[own_row.request].id, own_row.chain)
            if delay_2 > 0.0:
                hold(s, own, delay_2)
                own_row.phase = 2
                return PARK
            else:
                if delay_2 < 0.0:
                    lose_answer(s, own)
                to = 2
        else:
            to = 2
    if pc == 2 or to == 2:
        answer(s, own, own_row.outcome)
        done(s, own_row.request)
        forget(s, own)
        return PARK
    return PARK


@by_address
@handler
def publication_at_leader(s: State, own: int) -> int:
    """The same at a log with nodes or transactions: one request for each record, to the leader of its partition."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 2:
        wake_earlier(s, own)
        to = 5
    if pc == 1:
        own_row.outcome = refusal_of_asked(s, own, own_row.partition)
        if own_row.outcome != OK:
            to = 7
        else:
            to = 4
    if pc == 0:
        own_row.outcome = UNREACHABLE
        if brokers(s)[topics(s)[targets(s)[own_row.target].topic].broker].down:
            to = 7
        else:
            target_1 = own_row.target
            target_1_row = targets(s)[target_1]
            number_1 = place_of(s, target_1_row.topic, target_1_row.key, own_row.producer, own_row.request, own_row.chain)
            own_row.partition = number_1
            own_row.outcome = refusal(s, own_row.partition)
            if own_row.outcome != OK:
                to = 7
            else:
                delay_1 = ask(s, own, own_row.partition, targets(s)[own_row.target].site)
                if delay_1 > 0.0:
                    hold(s, own, delay_1)
                    own_row.phase = 1
                    return PARK
                else:
                    to = 4
    if to == 4:
        if own_row.transaction > 0 and is_fenced(s, own_row.member, own_row.transaction):
            own_row.outcome = FENCED
            to = 7
        else:
            own_row.message = write_publication(s, own)
            if brokers(s)[topics(s)[targets(s)[own_row.target].topic].broker].acks == ALL:
                if waits_for(s, own, own_row.message):
                    own_row.phase = 2
                    return PARK
                else:
                    to = 5
            else:
                acknowledge(s, own_row.message)
                to = 6
    if to == 5:
        own_row.outcome = answer_of(s, own_row.message)
        to = 6
    if to == 6:
        if s.spans:
            keep_stage(s, own, ANSWER, targets(s)[own_row.target].where, 0.0, NONE)
        release(s, own_row.message)
        to = 7
    if to == 7:
        if own_row.outcome != OK:
            own_row.where = targets(s)[own_row.target].where
        if own_row.back >= 0 and own_row.caller != -1:
            delay_2 = hop_delay(s, own_row.back, requests(s)[own_row.request].id, own_row.chain)
            if delay_2 > 0.0:
                hold(s, own, delay_2)
                own_row.phase = 3
                return PARK
            else:
                if delay_2 < 0.0:
                    lose_answer(s, own)
                to = 3
        else:
            to = 3
    if pc == 3 or to == 3:
        answer(s, own, own_row.outcome)
        done(s, own_row.request)
        forget(s, own)
        return PARK
    return PARK


@by_address
@handler
def produce(s: State, own: int, op: int) -> int:
    """Publish by way of the producer of its replica, in the place of a call."""
    own_row = tasks(s)[own]
    op_row = produce_ops(s)[op]
    call_2 = op_row.call
    call_2_row = calls(s)[call_2]
    pc = own_row.phase
    to = -1
    if pc == 2:
        to = 3
    if pc == 3 or to == 3:
        if call_2_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 3
            return PARK
        else:
            to = 5
    if pc == 1:
        if own_row.outcome != OK:
            drop_record(s, own)
            to = 5
        else:
            to = 4
    if pc == 0:
        own_row.outcome = OK
        if s.spans:
            keep_stage(s, own, CALL, targets(s)[calls(s)[op_row.call].target].where, 0.0, NONE)
        if not publish_record(s, own, op):
            own_row.phase = 1
            return PARK
        else:
            to = 4
    if to == 4:
        if not publishers(s)[op_row.publisher].hears:
            to = 5
        else:
            wait_for_record(s, own)
            own_row.phase = 2
            return PARK
    if to == 5:
        if own_row.outcome == OK:
            own_row.phase = 0
            return NEXT
        elif op_row.fails:
            call_3 = op_row.call
            call_3_row = calls(s)[call_3]
            own_row.where = targets(s)[call_3_row.target].where
            own_row.root = 0
            to = 6
        else:
            to = 6
    if to == 6:
        own_row.phase = 0
        return FAIL
    return PARK


@by_address
@handler
def relay_step(s: State, own: int, outbox: int) -> int:
    """Look every so often, and publish batch after batch until one is not full, or not acknowledged."""
    own_row = tasks(s)[own]
    outbox_row = outboxes(s)[outbox]
    pc = own_row.phase
    to = -1
    if pc == 3:
        if refusal_of_asked(s, own, outbox_row.partition) != OK:
            release_written(s, outbox)
            stored_1 = False
            to = 19
        else:
            to = 17
    if pc == 7:
        if outbox_row.rows > 0:
            to = 8
        else:
            to = 21
    if pc == 8 or to == 8:
        if replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 8
            return PARK
        else:
            outbox_row.count = min(outbox_row.batch, outbox_row.rows)
            count_tries(s, outbox)
            delay_1 = batch_delay(s, outbox, outbox_row.out)
            if delay_1 < 0.0:
                acknowledged = False
                to = 20
            elif delay_1 > 0.0:
                hold(s, own, delay_1)
                own_row.phase = 9
                return PARK
            else:
                to = 9
    if pc == 9 or to == 9:
        if outbox_row.publisher >= 0:
            outbox_row.taken = 0
            to = 12
        elif outbox_row.sender >= 0:
            to = 10
        elif topics(s)[outbox_row.topic].deep:
            if brokers(s)[topics(s)[outbox_row.topic].broker].down:
                stored_1 = False
                to = 19
            else:
                begin_batch(s, outbox)
                to = 14
        elif brokers(s)[topics(s)[outbox_row.topic].broker].down:
            stored_1 = False
            to = 19
        else:
            kept_5 = brokers(s)[topics(s)[outbox_row.topic].broker].acks == ALL
            publish_batch(s, outbox, kept_5)
            to = 16
    if pc == 12 or to == 12:
        if outbox_row.taken < outbox_row.count:
            own_row.outcome = OK
            if not put_row(s, own, outbox):
                own_row.phase = 5
                return PARK
            else:
                to = 5
        else:
            outbox_row.heard = 0
            to = 13
    if pc == 5 or to == 5:
        if own_row.outcome != OK:
            drop_record(s, own)
            release_records(s, outbox)
            stored_1 = False
            to = 19
        else:
            own_row.phase = 12
            return AGAIN
    if pc == 13 or to == 13:
        if outbox_row.heard < outbox_row.count:
            if must_hear(s, own, outbox):
                own_row.phase = 6
                return PARK
            else:
                to = 6
        else:
            stored_1 = are_acknowledged(s, outbox)
            to = 19
    if pc == 6 or to == 6:
        outbox_row.heard += 1
        own_row.phase = 13
        return AGAIN
    if pc == 10 or to == 10:
        if is_held_back(s, senders(s)[outbox_row.sender].broker):
            stand_blocked(s, senders(s)[outbox_row.sender].broker, own)
            own_row.phase = 10
            return PARK
        elif queue_brokers(s)[senders(s)[outbox_row.sender].broker].down:
            stored_1 = False
            to = 19
        else:
            outbox_row.waiter = publish_rows(s, outbox, own)
            if not are_confirmed(s, outbox_row.waiter, own):
                own_row.phase = 2
                return PARK
            else:
                to = 2
    if pc == 2 or to == 2:
        stored_1 = heard_of(s, outbox_row.waiter, ERROR, UNREACHABLE) == OK
        to = 19
    if pc == 14 or to == 14:
        if outbox_row.written < outbox_row.count:
            outbox_row.partition = place_of_row(s, outbox)
            if refusal(s, outbox_row.partition) != OK:
                release_written(s, outbox)
                stored_1 = False
                to = 19
            else:
                delay_4 = ask(s, own, outbox_row.partition, outbox_row.site)
                if delay_4 > 0.0:
                    hold(s, own, delay_4)
                    own_row.phase = 3
                    return PARK
                else:
                    to = 17
        else:
            to = 15
    if to == 17:
        write_row(s, outbox)
        own_row.phase = 14
        return AGAIN
    if pc == 15 or to == 15:
        if outbox_row.taken < outbox_row.written:
            if brokers(s)[topics(s)[outbox_row.topic].broker].acks != ALL:
                acknowledge(s, pending_message(s, outbox))
                to = 18
            elif waits_for(s, own, pending_message(s, outbox)):
                own_row.phase = 4
                return PARK
            else:
                to = 4
        else:
            stored_1 = True
            to = 19
    if pc == 4 or to == 4:
        if answer_of(s, pending_message(s, outbox)) != OK:
            release_written(s, outbox)
            stored_1 = False
            to = 19
        else:
            to = 18
    if to == 18:
        release(s, pending_message(s, outbox))
        outbox_row.taken += 1
        own_row.phase = 15
        return AGAIN
    if pc == 16 or to == 16:
        if outbox_row.taken < outbox_row.written:
            if wait_for_replicas(s, own, pending_message(s, outbox)):
                own_row.phase = 1
                return PARK
            else:
                to = 1
        else:
            stored_1 = True
            to = 19
    if pc == 1 or to == 1:
        if not is_available(s, pending_message(s, outbox)):
            release_written(s, outbox)
            stored_1 = False
            to = 19
        else:
            release(s, pending_message(s, outbox))
            outbox_row.taken += 1
            own_row.phase = 16
            return AGAIN
    if to == 19:
        if not stored_1:
            acknowledged = False
            to = 20
        else:
            delay_1 = batch_delay(s, outbox, outbox_row.back)
            if delay_1 < 0.0:
                acknowledged = False
                to = 20
            elif delay_1 > 0.0:
                hold(s, own, delay_1)
                own_row.phase = 11
                return PARK
            else:
                to = 11
    if pc == 11 or to == 11:
        acknowledged = True
        to = 20
    if to == 20:
        if not acknowledged:
            to = 21
        else:
            strike_off(s, outbox)
            if outbox_row.count < outbox_row.batch:
                to = 21
            else:
                own_row.phase = 7
                return AGAIN
    if pc == 0:
        to = 21
    if to == 21:
        hold(s, own, outbox_row.poll)
        own_row.phase = 7
        return PARK
    return PARK
