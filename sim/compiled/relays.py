"""The transactional outbox and its relay: `models/outbox.py` once more."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.calendar import hold
from sim.compiled.calls import AGAIN, PARK
from sim.compiled.network import hop_delay
from sim.compiled.places import park
from sim.compiled.spans import OUTBOX, follow, keep_note
from sim.compiled.state import (
    NONE,
    ONE,
    ZERO,
    State,
    brokers,
    flows,
    handler,
    hosts,
    letters,
    messages,
    outboxes,
    pending,
    replicas,
    requests,
    slots,
    topics,
    whole,
)
from sim.compiled.tasks import done
from sim.compiled.topics import ALL, append, release, wait_for_replicas

SLEEPING, LOOKING, THAWING, ARRIVED, REPLICATING, ACKNOWLEDGED = map(whole, range(6))  # phases of a relay


@handler
def write_letter(s: State, task: int, outbox: int) -> None:
    """Write a row in the transaction of the step."""
    own = slots(s)[task]
    row = outboxes(s)[outbox]
    requests(s)[own.request].alive += 1
    letter = s.letter
    made = letters(s)[letter]
    s.letter = made.next
    s.letters_free -= 1
    if s.letters_free < 4:
        s.short = 1
    made.request = own.request
    made.chain = own.chain
    made.path = own.path
    made.tries = 0
    made.flow = NONE
    if s.spans:
        made.flow = follow(s, own.request, flows(s)[task].number, hosts(s)[row.host].name)
        keep_note(s, own.request, made.flow, OUTBOX, hosts(s)[row.host].name, 0.0, NONE)
    made.next = -1
    if row.last < 0:
        row.first = letter
    else:
        letters(s)[row.last].next = letter
    row.last = letter
    row.rows += 1


@handler
def relay_step(s: State, task: int, outbox: int) -> int:  # noqa: PLR0915 - one loop, as in the model
    """Carry the relay on from where it stands."""
    own = slots(s)[task]
    row = outboxes(s)[outbox]
    while True:
        if own.phase == SLEEPING:
            own.phase = LOOKING
            hold(s, task, row.poll)
            return PARK
        if own.phase == LOOKING:
            if row.rows == 0:
                own.phase = SLEEPING
                continue
            own.phase = THAWING
        if own.phase == THAWING:
            if replicas(s)[own.replica].hung:
                park(s, task)
                return PARK
            row.count = min(row.batch, row.rows)
            count_tries(s, outbox)
            first = letters(s)[row.first]
            delay = hop_delay(s, row.out, requests(s)[first.request].id, chain_of(s, outbox, row.first))
            if delay < 0.0:
                own.phase = SLEEPING
                continue
            own.phase = ARRIVED
            if delay > 0.0:
                hold(s, task, delay)
                return PARK
        if own.phase == ARRIVED:
            broker = brokers(s)[topics(s)[row.topic].broker]
            if broker.down:
                own.phase = SLEEPING
                continue
            publish_batch(s, outbox, broker.acks == ALL)
            row.taken = 0 if broker.acks == ALL else row.count
            own.phase = REPLICATING
        if own.phase == REPLICATING:
            while row.taken < row.count:
                message = pending(s)[outbox * s.largest_batch + row.taken]
                if row.waited == 0 and wait_for_replicas(s, task, message):
                    row.waited = 1
                    return PARK
                row.waited = 0
                if messages(s)[message].available != messages(s)[message].available:  # the broker has gone down meanwhile
                    break
                release(s, message)
                row.taken += 1
            if row.taken < row.count:
                release_rest(s, outbox)
                own.phase = SLEEPING
                continue
            own.phase = ACKNOWLEDGED
            first = letters(s)[row.first]
            delay = hop_delay(s, row.back, requests(s)[first.request].id, chain_of(s, outbox, row.first))
            if delay < 0.0:
                own.phase = SLEEPING
                continue
            if delay > 0.0:
                hold(s, task, delay)
                return PARK
        if own.phase == ACKNOWLEDGED:
            strike_off(s, outbox)
            own.phase = LOOKING if row.count == row.batch else SLEEPING
            return AGAIN  # the next batch is another operation: there may have to be more room first


@handler
def count_tries(s: State, outbox: int) -> None:
    """The rows of the batch are tried once more."""
    row = outboxes(s)[outbox]
    letter = row.first
    for _ in range(row.count):
        letters(s)[letter].tries += 1
        letter = letters(s)[letter].next


@handler
def chain_of(s: State, outbox: int, letter: int) -> int:
    """Of the present attempt to publish a row."""
    return link_chain(letters(s)[letter].chain, outboxes(s)[outbox].salt, letters(s)[letter].tries - 1)


@handler
def publish_batch(s: State, outbox: int, kept: bool) -> None:
    """Append the rows of the batch to the topic; where their acks are waited for, the messages are kept until then."""
    row = outboxes(s)[outbox]
    letter = row.first
    for index in range(row.count):
        sent = letters(s)[letter]
        path = link_chain(sent.path, row.salt, ZERO)
        chain = chain_of(s, outbox, letter)
        message = append(s, row.topic, row.key, row.site, row.replica, sent.request, chain, path, ONE if kept else ZERO, sent.flow)
        if kept:
            pending(s)[outbox * s.largest_batch + index] = message
        letter = sent.next


@compiled
def release_rest(s: State, outbox: int) -> None:
    """The relay waits for none of its messages any more."""
    row = outboxes(s)[outbox]
    while row.taken < row.count:
        release(s, pending(s)[outbox * s.largest_batch + row.taken])
        row.taken += 1
    row.waited = 0


@handler
def strike_off(s: State, outbox: int) -> None:
    """Mark the batch as published."""
    row = outboxes(s)[outbox]
    for _ in range(row.count):
        letter = row.first
        request = letters(s)[letter].request
        row.first = letters(s)[letter].next
        if row.first < 0:
            row.last = -1
        row.rows -= 1
        letters(s)[letter].next = s.letter
        s.letter = letter
        s.letters_free += 1
        done(s, request)
