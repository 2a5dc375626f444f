"""Publications at a log broker, and the relays of outboxes, as in `sim/models/topic.py` and `sim/models/outbox.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, NEXT
from sim.compiled.attempts import lose_answer
from sim.compiled.calendar import hold
from sim.compiled.codes import ERROR, OK, UNREACHABLE
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.exchanges import are_confirmed, heard_of, is_held_back, publish_rows
from sim.compiled.flows.layer import failed, thawed
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
    BLOCKED,
    CONFIRMING,
    HEARING,
    REPLICATING,
    SPREADING,
    WRITING,
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
from sim.compiled.rows.state import State
from sim.compiled.spans import ANSWER, CALL, flow_of, keep_stage
from sim.compiled.tasks import answer, done, forget
from sim.compiled.topics import ALL, append, is_available, release, wait_for_replicas
from sim.compiled.transactions import FENCED, is_fenced

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import (
        ConfirmWait,
        Member,
        Message,
        Outbox,
        Partition,
        ProduceOp,
        Request,
        Sender,
        Task,
    )


@flow
def publication(s: State, own: Task) -> Waits[None]:
    """Append the event, wait for what `acks` asks for, and acknowledge."""
    yield from reach_replicas(s, own)
    yield from tell_publisher(s, own)


@flow
def publication_at_leader(s: State, own: Task) -> Waits[None]:
    """The same at a log with nodes or transactions: one request for each record, to the leader of its partition."""
    yield from reach_leader(s, own)
    if own.outcome != OK:
        own.where = own.target.where
    yield from tell_publisher(s, own)


@flow
def tell_publisher(s: State, own: Task) -> Waits[None]:
    """The outcome, if it still hears; then the publication is over."""
    if own.back is not None and own.caller is not None:
        delay = hop_delay(s, own.back, the(Request, own.request).id, own.chain)
        if delay > 0.0:
            hold(s, own, delay)
            yield
        elif delay < 0.0:
            lose_answer(s, own)
    answer(s, own, own.outcome)
    done(s, the(Request, own.request))
    forget(s, own)


@flow
def reach_replicas(s: State, own: Task) -> Waits[None]:
    """OK, or UNREACHABLE where the broker is down, or goes down before its replicas have it."""
    own.outcome = OK
    target = own.target
    if target.topic.broker.down:
        own.outcome = UNREACHABLE
        own.where = target.where
        return
    request = the(Request, own.request)
    its_flow = flow_of(s, own)
    number = append(
        s, target.topic, target.key, target.site, own.producer, request, own.chain, own.path, False, its_flow
    )
    message = the(Message, number)
    if target.topic.broker.acks == ALL and wait_for_replicas(s, own, message):
        own.message = message
        message.left += 1
        yield
        sent = the(Message, own.message)
        if not is_available(s, sent):
            own.outcome = UNREACHABLE
            own.where = own.target.where
        if s.spans:
            keep_stage(s, own, ANSWER, own.target.where, 0.0, -1)
        release(s, sent)
    elif s.spans:
        keep_stage(s, own, ANSWER, target.where, 0.0, -1)


@flow
def reach_leader(s: State, own: Task) -> Waits[None]:
    """Append at the leader as soon as its node has time, and wait for what `acks` asks for."""
    own.outcome = UNREACHABLE
    if own.target.topic.broker.down:
        return
    target = own.target
    number = place_of(s, target.topic, target.key, own.producer, the(Request, own.request), own.chain)
    own.partition = the(Partition, number)
    own.outcome = refusal(s, the(Partition, own.partition))
    if own.outcome != OK:
        return
    delay = ask(s, own, the(Partition, own.partition), own.target.site)
    if delay > 0.0:
        hold(s, own, delay)
        yield
        own.outcome = refusal_of_asked(s, own, the(Partition, own.partition))
        if own.outcome != OK:
            return
    if own.transaction > 0 and is_fenced(s, the(Member, own.member), own.transaction):
        own.outcome = FENCED
        return
    own.message = the(Message, write_publication(s, own))
    if own.target.topic.broker.acks == ALL:
        if waits_for(s, own, the(Message, own.message)):
            yield
            wake_earlier(s, own)
        own.outcome = answer_of(s, the(Message, own.message))
    else:
        acknowledge(s, the(Message, own.message))
    if s.spans:
        keep_stage(s, own, ANSWER, own.target.where, 0.0, -1)
    release(s, the(Message, own.message))


# -- by way of a producer ----------------------------------------------------------------------------------------------


@flow
def produce(s: State, own: Task, op: ProduceOp) -> Waits[int]:
    """Publish by way of the producer of its replica, in the place of a call."""
    yield from reach_producer(s, own, op)
    if own.outcome == OK:
        return NEXT
    if op.fails:
        failed(s, own, op.call)
    return FAIL


@flow
def reach_producer(s: State, own: Task, op: ProduceOp) -> Waits[None]:
    """OK when its record is acknowledged, where that is heard."""
    own.outcome = OK
    if s.spans:
        keep_stage(s, own, CALL, op.call.target.where, 0.0, -1)
    if not publish_record(s, own, op):
        yield
        if own.outcome != OK:
            drop_record(s, own)
            return
    if not op.publisher.hears:
        return
    wait_for_record(s, own)
    yield
    yield from thawed(s, own, op.call)


# -- relays ------------------------------------------------------------------------------------------------------------


@flow
def relay(s: State, own: Task, outbox: Outbox) -> Waits[int]:
    """Look every so often, and publish batch after batch until one is not full, or not acknowledged."""
    while True:
        hold(s, own, outbox.poll)
        yield
        while outbox.rows > 0:
            while own.replica.hung:
                park(s, own)
                yield
            outbox.count = min(outbox.batch, outbox.rows)
            acknowledged = yield from publish(s, own, outbox)
            if not acknowledged:
                break
            strike_off(s, outbox)
            if outbox.count < outbox.batch:
                break


@flow
def publish(s: State, own: Task, outbox: Outbox) -> Waits[bool]:
    """One produce request for the whole batch; whether it was acknowledged."""
    count_tries(s, outbox)
    delay = batch_delay(s, outbox, outbox.out)
    if delay < 0.0:
        return False
    if delay > 0.0:
        hold(s, own, delay)
        yield
    if outbox.publisher is not None:
        stored = yield from store_by_producer(s, own, outbox)
    elif outbox.sender is not None:
        stored = yield from store_in_queues(s, own, outbox)
    elif outbox.topic.deep:
        stored = yield from store_at_leaders(s, own, outbox)
    else:
        stored = yield from store_in_topic(s, own, outbox)
    if not stored:
        return False
    delay = batch_delay(s, outbox, outbox.back)
    if delay < 0.0:
        return False
    if delay > 0.0:
        hold(s, own, delay)
        yield
    return True


@flow
def store_in_queues(s: State, own: Task, outbox: Outbox) -> Waits[bool]:
    """Whether all queues have confirmed the batch."""
    while is_held_back(s, the(Sender, outbox.sender).broker):
        stand_blocked(s, the(Sender, outbox.sender).broker, own)
        yield
    if the(Sender, outbox.sender).broker.down:
        return False
    outbox.waiter = the(ConfirmWait, publish_rows(s, outbox, own))
    if not are_confirmed(s, the(ConfirmWait, outbox.waiter), own):
        yield CONFIRMING
    return heard_of(s, the(ConfirmWait, outbox.waiter), ERROR, UNREACHABLE) == OK


@flow
def store_by_producer(s: State, own: Task, outbox: Outbox) -> Waits[bool]:
    """Whether its producer has heard that the topic has the whole batch."""
    outbox.taken = 0
    while outbox.taken < outbox.count:
        own.outcome = OK
        if not put_row(s, own, outbox):
            yield BLOCKED
        if own.outcome != OK:
            drop_record(s, own)
            release_records(s, outbox)
            return False
    outbox.heard = 0
    while outbox.heard < outbox.count:
        if must_hear(s, own, outbox):
            yield HEARING
        outbox.heard += 1
    return are_acknowledged(s, outbox)


@flow
def store_in_topic(s: State, own: Task, outbox: Outbox) -> Waits[bool]:
    """Whether the topic has the batch, with all the replicas that are waited for."""
    if outbox.topic.broker.down:
        return False
    kept = outbox.topic.broker.acks == ALL
    publish_batch(s, outbox, kept)
    while outbox.taken < outbox.written:
        if wait_for_replicas(s, own, pending_message(s, outbox)):
            yield REPLICATING
        if not is_available(s, pending_message(s, outbox)):
            release_written(s, outbox)
            return False
        release(s, pending_message(s, outbox))
        outbox.taken += 1
    return True


@flow
def store_at_leaders(s: State, own: Task, outbox: Outbox) -> Waits[bool]:
    """The same of a log with nodes or transactions: one request for each record."""
    if outbox.topic.broker.down:
        return False
    begin_batch(s, outbox)
    while outbox.written < outbox.count:
        outbox.partition = the(Partition, place_of_row(s, outbox))
        if refusal(s, the(Partition, outbox.partition)) != OK:
            release_written(s, outbox)
            return False
        delay = ask(s, own, the(Partition, outbox.partition), outbox.site)
        if delay > 0.0:
            hold(s, own, delay)
            yield WRITING
            if refusal_of_asked(s, own, the(Partition, outbox.partition)) != OK:
                release_written(s, outbox)
                return False
        write_row(s, outbox)
    while outbox.taken < outbox.written:
        if outbox.topic.broker.acks != ALL:
            acknowledge(s, pending_message(s, outbox))
        else:
            if waits_for(s, own, pending_message(s, outbox)):
                yield SPREADING
            if answer_of(s, pending_message(s, outbox)) != OK:
                release_written(s, outbox)
                return False
        release(s, pending_message(s, outbox))
        outbox.taken += 1
    return True


def modules() -> Iterable[Module]:
    """What is written of them."""
    steps = [
        Step(publication, "publication", ends=True),
        Step(publication_at_leader, "publication_at_leader", ends=True, apart=True),
        Step(produce, "produce", apart=True),
        Step(relay, "relay_step", apart=True),
    ]
    yield Module("publications", "Publications at a log broker, and the relays of outboxes.", steps)
