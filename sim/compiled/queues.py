"""Queues and the deliveries that their consumers are sent: `models/queues/queue.py`, and of `channel.py` what a message
meets on its way; what has no part in their circle is in `deliveries.py`.

Each of these leads to the others in a circle (what is given up by one queue comes to another, what is acknowledged lets
the next be handed out), so they are called by their addresses.
"""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.base import NO, ONE, YES, ZERO, handler, whole
from sim.compiled.calendar import OF_QUEUES, ORDINARY, occur, schedule
from sim.compiled.closed_queues import come_too_late, keep, stall, stall_delivery
from sim.compiled.codes import DEAD_LETTERED, DROPPED, EXPIRED, PROCESSED
from sim.compiled.deliveries import into_inbox, let_go, look_at, stick, take_off
from sim.compiled.letters import (
    ACKED,
    EXPIRED_CAUSE,
    GONE,
    HANDED_OUT,
    INBOUND,
    REJECTED,
    REJECTED_CAUSE,
    REQUEUED,
    TOO_LONG,
    TOO_OFTEN,
    UNCOMMITTED,
    count_in,
    end_letter,
    new_letter,
    note_wait,
    stored,
)
from sim.compiled.lists import add_last, unlink
from sim.compiled.network import travel
from sim.compiled.queue_events import (
    CARRIED,
    COMMITTED,
    PURPOSE_BITS,
    STORED,
    TAKEN_IN,
    queue_event,
)
from sim.compiled.rows.calls import hops, wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, numbers
from sim.compiled.rows.queues import (
    channels,
    dead_routes,
    finished,
    given_up,
    letters,
    message_queues,
    publications,
    queue_brokers,
    queue_deliveries,
    queue_routes,
    take_queue_delivery,
)
from sim.compiled.rows.state import State
from sim.compiled.standing import head_of, line_up, next_taker, put, put_back, take, watch_head
from sim.models.queues.deaths import CAUSES as EVERY_CAUSE
from sim.models.queues.process import CREDIT as MOST_IN_LINE

CAUSES, CREDIT = whole(len(EVERY_CAUSE)), whole(MOST_IN_LINE)

# -- in ----------------------------------------------------------------------------------------------------------------


@by_address
@handler
def accept(s: State, letter: int) -> None:
    """A message has been routed to its queue: taken in when the process comes to it, and confirmed when it is safe."""
    count_in(s, letter)
    row = letters(s)[letter]
    place, publication = row.queue, row.publication
    queue = message_queues(s)[place]
    if queue.beyond != 0 and row.node >= 0 and queue.beyond >> row.node & ONE == ONE:
        keep(s, letter)
        return
    if queue.closed:
        stall(s, letter)
        return
    if queue.most >= 0 and not queue.drops_head and queue.ready >= queue.most:
        if publication >= 0:
            publications(s)[publication].refused = True
        refuse(s, letter)
        if publication >= 0:
            stored(s, publication)
        return
    if queue.quorum:
        row.place = UNCOMMITTED
        add_last(letters(s), queue.uncommitted, letter)
        replicate(s, letter)
        return
    delay = process(s, letter)
    until_safe = delay + commit_time(s, letter)
    row.safe_at = s.now + until_safe
    if delay > 0.0:
        row.place = INBOUND
        schedule(s, ORDINARY, delay, OF_QUEUES, letter << PURPOSE_BITS | TAKEN_IN)
    else:
        enqueue(s, letter)
    if publication >= 0 and until_safe > 0.0:
        schedule(s, ORDINARY, until_safe, OF_QUEUES, publication << PURPOSE_BITS | STORED)
    elif publication >= 0:
        stored(s, publication)


@handler
def replicate(s: State, letter: int) -> None:
    """The leader of a quorum queue takes it in, and a majority of the members."""
    until_safe = process(s, letter) + commit_time(s, letter)
    if until_safe > 0.0:
        schedule(s, ORDINARY, until_safe, OF_QUEUES, letter << PURPOSE_BITS | COMMITTED)
    else:
        committed(s, letter)


@handler
def refuse(s: State, letter: int) -> None:
    """The new one gives way: `reject-publish-dlx` dead-letters it, `reject-publish` does not."""
    place = letters(s)[letter].queue
    if message_queues(s)[place].rejects_to_dead:
        give_up(s, letter, TOO_LONG)
    else:
        given_up(s)[place * CAUSES + TOO_LONG] += 1
        end_letter(s, letter, DROPPED)


@handler
def process(s: State, letter: int) -> float:
    """Seconds until the process of the queue has taken it in."""
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    if queue.work < 0:
        return 0.0
    seconds = draw(draws(s), numbers(s), queue.work, row.entity, row.chain)
    queue.free_at = max(queue.free_at, s.now) + seconds
    queue.worked += seconds
    finished(s)[queue.ring + queue.taken % CREDIT] = queue.free_at
    queue.taken += 1
    return queue.free_at - s.now


@handler
def commit_time(s: State, letter: int) -> float:
    """Seconds until it is safe, once it is taken in."""
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    if queue.commit < 0:
        return 0.0
    return draw(draws(s), numbers(s), queue.commit, row.entity, row.chain) * queue.slow


@handler
def committed(s: State, letter: int) -> None:
    """A majority has it; what is behind one that it does not have yet waits for that one."""
    queue = message_queues(s)[letters(s)[letter].queue]
    if queue.closed or letters(s)[letter].place == GONE:
        come_too_late(s, letter)
        return
    letters(s)[letter].committed = True
    while queue.uncommitted.first >= 0 and letters(s)[queue.uncommitted.first].committed:
        head = queue.uncommitted.first
        row = letters(s)[head]
        unlink(letters(s), queue.uncommitted, head)
        queue.entries += 1
        if row.publication >= 0:
            stored(s, row.publication)
            row.publication = NOBODY
        enqueue(s, head)


@by_address
@handler
def enqueue(s: State, letter: int) -> None:
    """It can be delivered, and is, if nobody is before it and somebody is free."""
    row = letters(s)[letter]
    place = row.queue
    queue = message_queues(s)[place]
    if row.place == GONE:
        come_too_late(s, letter)
        return
    row.place = 0
    row.available = s.now
    row.expires = s.now + min(queue.ttl, row.expiration)
    if queue.ready == 0:
        taker = next_taker(s, place)
        if taker >= 0:
            hand_out(s, letter, taker)
            return
    put(s, place, letter)
    while queue.drops_head and queue.most >= 0 and queue.ready > queue.most:
        give_up(s, take(s, place), TOO_LONG)
    watch_head(s, place)


# -- out ---------------------------------------------------------------------------------------------------------------


@by_address
@handler
def dispatch(s: State, place: int) -> None:
    """Hand out what there is, as long as somebody has room."""
    queue = message_queues(s)[place]
    if queue.closed:
        return
    drop_expired(s, place)
    while queue.ready > 0:
        taker = next_taker(s, place)
        if taker < 0:
            break
        hand_out(s, take(s, place), taker)
        drop_expired(s, place)
    watch_head(s, place)


@handler
def drop_expired(s: State, place: int) -> None:
    """Give up what has waited too long, as far as it stands at the head."""
    head = head_of(s, place)
    while head >= 0 and letters(s)[head].expires <= s.now:
        give_up(s, take(s, place), EXPIRED_CAUSE)
        head = head_of(s, place)


@handler
def offer(s: State, channel: int) -> None:
    """It may have room again: then it stands at the end of the round."""
    line_up(s, channel)
    dispatch(s, channels(s)[channel].queue)


@by_address
@handler
def hand_out(s: State, letter: int, taker: int) -> None:
    """The queue sends a message to a consumer."""
    row, channel = letters(s)[letter], channels(s)[taker]
    queue = message_queues(s)[row.queue]
    row.deliveries += 1
    row.place = HANDED_OUT
    queue.delivered += 1
    if row.redelivered:
        queue.redelivered += 1
    new = take_queue_delivery(s)
    delivery = queue_deliveries(s)[new]
    delivery.since = s.now
    delivery.letter = letter
    delivery.channel = taker
    delivery.number = queue.delivered
    delivery.site = row.site
    delivery.flow = row.flow
    delivery.said = ACKED
    delivery.behind = NOBODY
    delivery.live = True
    delivery.under_way = False
    delivery.handled = False
    add_last(queue_deliveries(s), channel.handed, new)
    if not channel.automatic:
        queue.unacked += 1
        channel.unacked += 1
        if queue.quorum and not channel.patient:
            look_at(s, taker, s.now + queue.patience)
    send_over(s, new, channel.out)
    line_up(s, taker)


@handler
def send_over(s: State, place: int, hop: int) -> None:
    """Put a delivery, or what is said of it, on the wire.

    What is lost is sent again until it comes (TCP); where nothing can come, it is stuck.
    """
    delivery = queue_deliveries(s)[place]
    if wires(s)[hops(s)[hop].wire].cuts > 0:
        stick(s, place)
        return
    letter = letters(s)[delivery.letter]
    delay = hops(s)[hop].fixed
    if delay < 0.0:
        chain = link_chain(letter.chain, ZERO, letter.handed + letter.deliveries - 1)
        delay = travel(s, hop, letter.entity, chain)
    if delay > 0.0:
        delivery.under_way = True
        occur(s, queue_event(CARRIED, place), delay)
    else:
        carried(s, place)


@by_address
@handler
def carried(s: State, place: int) -> None:
    """A delivery has come to its consumer, or what that says of it to the queue."""
    delivery = queue_deliveries(s)[place]
    delivery.under_way = False
    if delivery.handled:
        settled(s, place)
    elif not delivery.live or not channels(s)[delivery.channel].up:
        let_go(s, place)
    else:
        into_inbox(s, place)


# -- back --------------------------------------------------------------------------------------------------------------


@by_address
@compiled
def settled(s: State, place: int) -> None:
    """The queue hears what became of a delivery, unless the channel has closed meanwhile."""
    delivery = queue_deliveries(s)[place]
    if not delivery.live:
        let_go(s, place)
        return
    if message_queues(s)[channels(s)[delivery.channel].queue].closed:
        stall_delivery(s, place)
        return
    take_off(s, place)
    letter, said, channel = delivery.letter, delivery.said, delivery.channel
    let_go(s, place)
    if said == ACKED:
        end_letter(s, letter, PROCESSED)
    elif said == REJECTED:
        give_up(s, letter, REJECTED_CAUSE)
    else:
        requeue(s, letter, NO if said == REQUEUED else YES)
    offer(s, channel)


@handler
def requeue(s: State, letter: int, failed: bool) -> None:
    """It comes back, where it was or before all others; one that has failed too often is given up."""
    row = letters(s)[letter]
    place = row.queue
    queue = message_queues(s)[place]
    row.redelivered = True
    if failed:
        row.failures += 1
    if 0 <= queue.failures_allowed < row.failures:
        give_up(s, letter, TOO_OFTEN)
        return
    if s.spans:
        note_wait(s, letter)
    put_back(s, place, letter)


@by_address
@handler
def give_up(s: State, letter: int, cause: int) -> None:
    """Dead-letter it, if that is asked for; in this queue it has ended."""
    row = letters(s)[letter]
    place = row.queue
    queue = message_queues(s)[place]
    given_up(s)[place * CAUSES + cause] += 1
    how = EXPIRED if cause == EXPIRED_CAUSE else DROPPED
    if queue.dead >= 0:
        if how == DROPPED:
            how = DEAD_LETTERED
        row.given_up_by = ZERO if cause == REJECTED_CAUSE else row.given_up_by | ONE << queue.bit
        publish_again(s, letter)
    end_letter(s, letter, how)


@handler
def publish_again(s: State, letter: int) -> None:
    """The dead-letter exchange publishes it, without its expiration; where it has gone round in a circle, it is
    dropped.
    """
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    route = dead_routes(s)[queue.dead + row.address]
    if not goes_anywhere(s, letter, queue.dead + row.address):
        queue_brokers(s)[queue.broker].unroutable += 1
    for index in range(route.first, route.first + route.count):
        other = queue_routes(s)[index]
        if not in_circle(s, letter, other):
            again = new_letter(s, other, row.request, row.entity, row.chain, row.path)
            copy = letters(s)[again]
            copy.flow = row.flow
            copy.site = row.site
            copy.address = route.address
            copy.expiration = math.inf
            copy.priority = row.priority
            copy.publication = NOBODY
            copy.node = NOBODY
            copy.handed = row.handed + row.deliveries
            copy.given_up_by = row.given_up_by
            accept(s, again)


@handler
def goes_anywhere(s: State, letter: int, dead_route: int) -> bool:
    """Whether some queue gets it."""
    route = dead_routes(s)[dead_route]
    for index in range(route.first, route.first + route.count):
        if not in_circle(s, letter, queue_routes(s)[index]):
            return True
    return False


@handler
def in_circle(s: State, letter: int, queue: int) -> bool:
    """Whether it would come to a queue again without ever having been rejected on the way."""
    return letters(s)[letter].given_up_by >> message_queues(s)[queue].bit & ONE == ONE
