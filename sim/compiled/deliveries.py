"""Deliveries on their way between a queue and its consumer: on the wire, stuck behind one that is cut, in the inbox."""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.calendar import ORDINARY, TIMER, make_ready, push
from sim.compiled.lists import unlink
from sim.compiled.queue_events import HEARTBEAT, PATIENCE, queue_event
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.queues import channels, give_back_queue_delivery, message_queues, queue_deliveries
from sim.compiled.rows.state import State
from sim.compiled.standing import noise
from sim.models.queues.channel import HEARTBEAT as SECONDS_OF_SILENCE

SILENCE = SECONDS_OF_SILENCE


@handler
def look_at(s: State, taker: int, due: float) -> None:
    """Look then whether the oldest delivery has waited too long for its acknowledgement."""
    channel = channels(s)[taker]
    channel.patient = True
    channel.due = due
    push(s, due + noise(due), TIMER, queue_event(PATIENCE, taker))


@handler
def listen(s: State, consumer: int) -> None:
    """Look then whether something has come over a wire that is cut."""
    channel = channels(s)[consumer]
    channel.listened_to = True
    push(s, channel.silent_until, ORDINARY, queue_event(HEARTBEAT, consumer))


@handler
def stand_behind(s: State, place: int, last: int) -> None:
    """It is under way still, as the last of a list in which each knows the one behind it."""
    delivery = queue_deliveries(s)[place]
    delivery.under_way = True
    delivery.behind = NOBODY
    if last >= 0:
        queue_deliveries(s)[last].behind = place


@handler
def stick(s: State, place: int) -> None:
    """It waits for the wire to be mended; the broker learns by its silence that it is cut."""
    consumer = queue_deliveries(s)[place].channel
    channel = channels(s)[consumer]
    stand_behind(s, place, channel.stuck_last)
    if channel.stuck_first < 0:
        channel.stuck_first = place
        channel.silent_until = s.now + SILENCE
        if not channel.listened_to:
            listen(s, consumer)
    channel.stuck_last = place


@handler
def into_inbox(s: State, place: int) -> None:
    """It waits in the client for its turn."""
    channel = channels(s)[queue_deliveries(s)[place].channel]
    stand_behind(s, place, channel.inbox_last)
    if channel.inbox_first < 0:
        channel.inbox_first = place
    channel.inbox_last = place
    if channel.idle:
        channel.idle = False
        make_ready(s, channel.task)


@handler
def let_go(s: State, place: int) -> None:
    """Nobody asks for a delivery any more that is settled, and that nothing has."""
    delivery = queue_deliveries(s)[place]
    if not delivery.live and not delivery.under_way:
        give_back_queue_delivery(s, place)


@handler
def take_off(s: State, place: int) -> None:
    """It is settled: its channel has it no more."""
    delivery = queue_deliveries(s)[place]
    channel = channels(s)[delivery.channel]
    delivery.live = False
    unlink(queue_deliveries(s), channel.handed, place)
    if not channel.automatic:
        channel.unacked -= 1
        message_queues(s)[channel.queue].unacked -= 1
