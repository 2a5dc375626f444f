"""Consumers of queues: their threads, and channels that open and close: `models/queues/channel.py` once more."""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.answers import JUMP, NEXT, PARK
from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, ONE, YES, ZERO, handler
from sim.compiled.calendar import OF_QUEUES, ORDER, ORDINARY, schedule
from sim.compiled.codes import CONSUMER_TIMED_OUT, LOST, OK, PROCESSED, REFUSED
from sim.compiled.consumers import REDELIVERIES_AT_ONCE
from sim.compiled.deliveries import let_go, listen, look_at, take_off
from sim.compiled.events import log
from sim.compiled.letters import ACKED, end_letter, node_of, stored
from sim.compiled.memory import find, remember
from sim.compiled.places import error_fault_hits
from sim.compiled.queue_events import (
    CARRIED,
    COMMITTED,
    EXPIRY,
    PATIENCE,
    PURPOSE_BITS,
    RECONNECT,
    STORED,
    TAKEN_IN,
)
from sim.compiled.queues import (
    carried,
    committed,
    dispatch,
    enqueue,
    offer,
    requeue,
    send_over,
    settled,
)
from sim.compiled.rows.calls import wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.queues import (
    Channel,
    channel_of,
    channels,
    give_back_queue_timer,
    letters,
    message_queues,
    queue_brokers,
    queue_deliveries,
    queue_timers,
)
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import END, keep_note, no_flow
from sim.compiled.standing import line_up, pass_over
from sim.compiled.tasks import done

INFINITE = math.inf

# -- the thread --------------------------------------------------------------------------------------------------------


@handler
def take_letter(s: State, task: int) -> int:
    """Take the next from the inbox: hand it to the steps (NEXT), or know its outcome already (JUMP)."""
    own = tasks(s)[task]
    channel = channels(s)[own.channel]
    place = channel.inbox_first
    delivery = queue_deliveries(s)[place]
    channel.inbox_first = delivery.behind
    if channel.inbox_first < 0:
        channel.inbox_last = NOBODY
    channel.current = place
    begin_handling(s, channel)
    letter = letters(s)[delivery.letter]
    tries = letter.handed + letter.deliveries - 1
    own.request = letter.request
    channel.in_hand = letter.request
    requests(s)[letter.request].alive += 1
    own.chain = link_chain(letter.chain, ZERO, tries)
    own.path = link_chain(letter.path, ZERO, ZERO)
    own.degraded = False
    own.outcome = OK
    if s.spans:
        flows(s)[task].number = delivery.flow
    if channel.idempotent and find(s, message_queues(s)[channel.queue].space + delivery.site, letter.entity) >= 0:
        return JUMP
    if hosts(s)[channel.host].errors_on:
        own.outcome = error_fault_hits(s, channel.host, task, channel.salt)
        if own.outcome:
            return JUMP
    return NEXT


@handler
def letter_over(s: State, task: int) -> int:
    """The steps have ended: say what became of the message. JUMP: to the next; PARK: it stops."""
    own = tasks(s)[task]
    channel = channels(s)[own.channel]
    well = own.outcome in (OK, REFUSED)
    if s.spans:
        no_flow(s, task)
    end_handling(s, channel)
    say(s, own.channel, own.request, well)
    put_down(s, own.channel)
    if not well:
        s.redeliveries += 1
        if s.redeliveries >= REDELIVERIES_AT_ONCE:
            s.must_grow = True  # back to Python, which looks whether time goes on
    if channel.closing:
        schedule(s, ORDINARY, 0.0, ORDER, channel.order)
        return PARK
    return JUMP


@handler
def say(s: State, consumer: int, request: int, well: bool) -> None:
    """Acknowledge it, or say that it failed; who acknowledges automatically says nothing."""
    channel = channels(s)[consumer]
    place = channel.current
    delivery = queue_deliveries(s)[place]
    channel.current = NOBODY
    delivery.handled = True
    delivery.under_way = False
    if well:
        queue = message_queues(s)[channel.queue]
        entity = requests(s)[request].id
        if channel.idempotent and find(s, queue.space + delivery.site, entity) < 0:
            remember(s, queue.space + delivery.site, entity)
        if s.spans:  # what follows is the way of the acknowledgement, which nobody waits for
            keep_note(s, request, delivery.flow, END, queue.name, 0.0, NONE)
    if channel.automatic:
        letter = delivery.letter
        take_off(s, place)
        let_go(s, place)
        end_letter(s, letter, PROCESSED if well else LOST)
    elif delivery.live:
        delivery.said = ACKED if well else channel.on_failure
        send_over(s, place, channel.back)
    else:
        let_go(s, place)


@handler
def begin_handling(s: State, channel: Channel) -> None:
    """It handles something from now on."""
    channel.processing = True
    channel.busy_area -= s.now
    queue = message_queues(s)[channel.queue]
    queue.busy += 1
    queue.busy_area -= s.now


@handler
def end_handling(s: State, channel: Channel) -> None:
    """What it had in hand is over, one way or another."""
    channel.processing = False
    channel.busy_area += s.now
    queue = message_queues(s)[channel.queue]
    queue.busy -= 1
    queue.busy_area += s.now


@handler
def put_down(s: State, consumer: int) -> None:
    """It acts on what it had in hand no more."""
    channel = channels(s)[consumer]
    request = channel.in_hand
    if request >= 0:
        channel.in_hand = NOBODY
        done(s, request)


# -- its channel -------------------------------------------------------------------------------------------------------


@by_address
@compiled
def reconnect(s: State, consumer: int) -> None:
    """Open a channel, where it is up and the broker can be reached."""
    channel = channels(s)[consumer]
    channel.unreached = wires(s)[channel.wire].cuts > 0
    if not channel.up or channel.open or queue_brokers(s)[channel.broker].down > 0 or channel.unreached:
        return
    queue, node = message_queues(s)[channel.queue], node_of(s, channel.broker, channel.replica)
    if (queue.closed and not queue.quorum) or (queue.beyond != 0 and queue.beyond >> node & ONE == ONE):
        try_later(s, consumer)
        return
    channel.open = True
    channel.node = node
    channel.held_area -= s.now
    queue.comers += 1
    channel.came = queue.comers
    if queue.active < 0:
        queue.active = consumer
    offer(s, consumer)


@by_address
@compiled
def try_later(s: State, consumer: int) -> None:
    """It comes back after a while, where it does not try already."""
    channel = channels(s)[consumer]
    interval = queue_brokers(s)[channel.broker].recovery
    if s.now >= channel.next_try:
        channel.next_try = s.now + interval
        schedule(s, ORDINARY, interval, OF_QUEUES, consumer << PURPOSE_BITS | RECONNECT)


@by_address
@compiled
def disconnect(s: State, consumer: int, failed: bool) -> None:
    """The channel is closed: whatever was handed out by it comes back; `failed`: that counts against the limit."""
    channel = channels(s)[consumer]
    if not channel.open:
        return
    channel.open = False
    channel.held_area += s.now
    if not channel.automatic:
        empty_inbox(s, consumer)
        call_back(s, consumer, failed)
    leave_queue(s, consumer)


@handler
def empty_inbox(s: State, consumer: int) -> None:
    """What waits for its thread is handled no more."""
    channel = channels(s)[consumer]
    place = channel.inbox_first
    channel.inbox_first = NOBODY
    channel.inbox_last = NOBODY
    while place >= 0:
        delivery = queue_deliveries(s)[place]
        delivery.under_way = False
        following = delivery.behind
        let_go(s, place)
        place = following


@handler
def call_back(s: State, consumer: int, failed: bool) -> None:
    """What is not acknowledged comes back to the queue, in the order in which it was sent."""
    channel = channels(s)[consumer]
    place = channel.handed.first
    channel.handed.first = NOBODY
    channel.handed.last = NOBODY
    message_queues(s)[channel.queue].unacked -= channel.unacked
    channel.unacked = 0
    following = place
    while place >= 0:
        delivery = queue_deliveries(s)[place]
        delivery.live = False
        place = delivery.next
    place = following
    while place >= 0:
        following = queue_deliveries(s)[place].next
        letter = queue_deliveries(s)[place].letter
        let_go(s, place)
        requeue(s, letter, failed)
        place = following


@handler
def leave_queue(s: State, consumer: int) -> None:
    """Where only one gets all, the next one has its turn: of the highest priority who has been there for longest."""
    pass_over(s, consumer)
    place = channels(s)[consumer].queue
    queue = message_queues(s)[place]
    if queue.active == consumer:
        queue.active = first_open(s, place)
        if queue.active >= 0 and queue.single:
            line_up(s, queue.active)
    dispatch(s, place)


@handler
def first_open(s: State, place: int) -> int:
    """Of the consumers with an open channel, those of the highest priority, the one that came first; NONE: nobody."""
    queue = message_queues(s)[place]
    best = NONE
    for index in range(queue.first_channel, queue.first_channel + queue.channels):
        other = channels(s)[channel_of(s)[index]]
        if not other.open:
            continue
        if best >= 0:
            least = channels(s)[best]
            if other.priority < least.priority or (other.priority == least.priority and other.came > least.came):
                continue
        best = channel_of(s)[index]
    return best


@by_address
@compiled
def go_on_over(s: State, consumer: int) -> None:
    """A wire was mended: what was stuck on it goes on, and who could not reach the broker comes back."""
    channel = channels(s)[consumer]
    if wires(s)[channel.wire].cuts > 0:
        return
    place = channel.stuck_first
    channel.stuck_first = NOBODY
    channel.stuck_last = NOBODY
    while place >= 0:
        delivery = queue_deliveries(s)[place]
        following = delivery.behind
        delivery.under_way = False
        if delivery.live:
            send_over(s, place, channel.back if delivery.handled else channel.out)
        else:
            let_go(s, place)
        place = following
    if channel.unreached:
        reconnect(s, consumer)


@compiled
def pass_over_from_outside(s: State, consumer: int) -> None:
    """It is sent no more."""
    pass_over(s, consumer)


@by_address
@compiled
def stop_channel(s: State, consumer: int, in_order: bool) -> None:
    """Its thread has stopped: what it has said comes before its goodbye where it stops in order; the rest comes back,
    or is lost under automatic acknowledgement.
    """
    channel = channels(s)[consumer]
    if channel.processing:
        end_handling(s, channel)
    if channel.current >= 0:
        place = channel.current
        channel.current = NOBODY
        queue_deliveries(s)[place].under_way = False
        let_go(s, place)
    if in_order and not channel.automatic and not message_queues(s)[channel.queue].closed:
        settle_handled(s, consumer)
    channel.idle = False
    channel.closing = False
    if channel.automatic:
        empty_inbox(s, consumer)
        while channel.handed.first >= 0:
            place = channel.handed.first
            letter = queue_deliveries(s)[place].letter
            take_off(s, place)
            let_go(s, place)
            end_letter(s, letter, LOST)
    disconnect(s, consumer, NO if in_order else YES)
    put_down(s, consumer)


@handler
def settle_handled(s: State, consumer: int) -> None:
    """What it has acknowledged already has come to the queue."""
    place = channels(s)[consumer].handed.first
    while place >= 0:
        following = queue_deliveries(s)[place].next
        if queue_deliveries(s)[place].handled:
            settled(s, place)
        place = following


# -- events ------------------------------------------------------------------------------------------------------------


@by_address
@handler
def happen_at_queue(s: State, index: int, before: float) -> None:
    """An event of a queue broker has come; the clock showed `before` at the one before it."""
    purpose, place = index & ((1 << PURPOSE_BITS) - 1), index >> PURPOSE_BITS
    if purpose == CARRIED:
        carried(s, place)
    elif purpose == TAKEN_IN:
        enqueue(s, place)
    elif purpose == COMMITTED:
        committed(s, place)
    elif purpose == STORED:
        stored(s, place)
    elif purpose == RECONNECT:
        reconnect(s, place)
    elif purpose == EXPIRY:
        look_at_head(s, place, before)
    elif purpose == PATIENCE:
        s.now = max(before, channels(s)[place].due)
        look_at_oldest(s, place)
    else:
        miss_heartbeats(s, place)


@handler
def look_at_head(s: State, timer: int, before: float) -> None:
    """The head of a queue may have expired."""
    row = queue_timers(s)[timer]
    s.now = max(before, row.due)
    place = row.queue
    give_back_queue_timer(s, timer)
    queue = message_queues(s)[place]
    if s.now >= queue.armed:
        queue.armed = INFINITE
        dispatch(s, place)


@handler
def look_at_oldest(s: State, consumer: int) -> None:
    """Close the channel when the oldest delivery has waited too long for its acknowledgement."""
    channel = channels(s)[consumer]
    channel.patient = False
    if channel.unacked == 0:
        return
    patience = message_queues(s)[channel.queue].patience
    due = queue_deliveries(s)[channel.handed.first].since + patience
    if due > s.now:
        look_at(s, consumer, due)
        return
    replica = float(replicas(s)[channel.replica].index)
    log(s, CONSUMER_TIMED_OUT, channel.subject, channel.about, replica)
    disconnect(s, consumer, YES)
    schedule(s, ORDINARY, queue_brokers(s)[channel.broker].recovery, OF_QUEUES, consumer << PURPOSE_BITS | RECONNECT)


@handler
def miss_heartbeats(s: State, consumer: int) -> None:
    """The broker closes a connection over which nothing has come for so long."""
    channel = channels(s)[consumer]
    channel.listened_to = False
    if channel.stuck_first < 0:
        return
    if channel.silent_until > s.now:  # that silence was over, and this is another
        listen(s, consumer)
    elif wires(s)[channel.wire].cuts > 0 and channel.open:
        disconnect(s, consumer, YES)
        channel.unreached = True
