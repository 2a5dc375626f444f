"""Queues of a queue broker whose node is lost, or that have no leader or no majority: what waits for them to go on, and
what is lost. As in `models/queues/queue.py`; who leads is decided in `queue_nodes.py`.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler
from sim.compiled.codes import LOST
from sim.compiled.deliveries import stand_behind
from sim.compiled.letters import GONE, INBOUND, UNCOMMITTED, WAITING, close_letter, end_letter, stored
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.queues import (
    give_back_letter,
    letters,
    message_queues,
    publications,
    queue_deliveries,
    take_letter,
)
from sim.compiled.rows.state import State
from sim.compiled.standing import merged, take
from sim.compiled.tasks import done


@by_address
@handler
def stall(s: State, letter: int) -> None:
    """A channel keeps it for the next leader, or the leader for a majority; where neither is, it is lost, and who waits
    for its confirm hears so.
    """
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    if queue.quorum and (queue.leader >= 0 or row.node >= 0):
        row.stalled = True
        row.place = UNCOMMITTED
        add_last(letters(s), queue.uncommitted, letter)
        return
    lose_at_once(s, letter)


@by_address
@handler
def keep(s: State, letter: int) -> None:
    """It is with a node that the queue does not hear: the channel of a quorum queue keeps it."""
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    if queue.quorum:
        row.place = UNCOMMITTED
        add_last(letters(s), queue.kept, letter)
    else:
        lose_at_once(s, letter)


@handler
def lose_at_once(s: State, letter: int) -> None:
    """Nobody has it, and who waits for its confirm hears so."""
    publication = letters(s)[letter].publication
    if publication >= 0:
        publications(s)[publication].refused = True
    end_letter(s, letter, LOST)
    if publication >= 0:
        stored(s, publication)


@compiled
def part_from(s: State, place: int, letter: int) -> None:
    """The node by which it came keeps what was sent to a leader that is lost."""
    queue = message_queues(s)[place]
    unlink(letters(s), queue.uncommitted, letter)
    letters(s)[letter].stalled = False
    add_last(letters(s), queue.kept, letter)


@compiled
def lose_kept(s: State, place: int, letter: int) -> None:
    """What a node kept is lost with that."""
    unlink(letters(s), message_queues(s)[place].kept, letter)
    lose_at_once(s, letter)


@by_address
@handler
def come_too_late(s: State, letter: int) -> None:
    """A majority would have it now, but it is lost, or has to be sent again: to the next leader, or to a majority."""
    row = letters(s)[letter]
    if row.place == GONE:
        give_back_letter(s, letter)
    else:
        row.stalled = True


@by_address
@handler
def stall_delivery(s: State, place: int) -> None:
    """What its consumer said of it is heard when the queue is open."""
    queue = message_queues(s)[letters(s)[queue_deliveries(s)[place].letter].queue]
    stand_behind(s, place, queue.stalled_last)
    if queue.stalled_first < 0:
        queue.stalled_first = place
    queue.stalled_last = place


@by_address
@compiled
def close_queue(s: State, place: int, leader: int) -> None:
    """It takes nothing in and hands nothing out; what had come to a majority behind others that had not has still to be
    taken in.
    """
    queue = message_queues(s)[place]
    queue.closed = True
    queue.leader = leader
    letter = queue.uncommitted.first
    while letter >= 0:
        row = letters(s)[letter]
        if row.committed:
            row.committed = False
            row.stalled = True
        letter = row.next


@by_address
@compiled
def keep_for_the_next(s: State, letter: int) -> None:
    """Its leader is lost: it waits for the next one in a row of its own, and the event of its commit, which is still to
    come, finds this one gone.
    """
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    kept = take_letter(s)
    letters(s)[kept] = row
    letters(s)[kept].stalled = True
    if row.previous >= 0:
        letters(s)[row.previous].next = kept
    else:
        queue.uncommitted.first = kept
    if row.next >= 0:
        letters(s)[row.next].previous = kept
    else:
        queue.uncommitted.last = kept
    row.place = GONE


@by_address
@compiled
def drop_uncommitted(s: State, place: int, node: int) -> None:
    """What a quorum queue has not committed is lost, where no other node has the channel it came by."""
    queue = message_queues(s)[place]
    letter = queue.uncommitted.first
    while letter >= 0:
        row = letters(s)[letter]
        following = row.next
        if row.node == node or row.node < 0:
            unlink(letters(s), queue.uncommitted, letter)
            lose(s, letter)
        letter = following


@by_address
@compiled
def take_out_unsafe(s: State, place: int) -> None:
    """What waits in a classic queue waits no longer, as far as it was not on disk."""
    queue = message_queues(s)[place]
    kept, ready = NONE, 0
    while queue.ready > 0:
        letter = take(s, place)
        row = letters(s)[letter]
        if row.safe_at > s.now:
            continue
        row.place = WAITING
        row.previous = NOBODY
        row.next = NOBODY
        kept = merged(letters(s), kept, letter)
        ready += 1
    queue.returned = kept
    queue.ready = ready


@by_address
@compiled
def lose(s: State, letter: int) -> None:
    """It ends here; as long as an event is to come that is about it, its row is not free."""
    row = letters(s)[letter]
    quorum = message_queues(s)[row.queue].quorum
    publication, request, hopeful = row.publication, row.request, message_queues(s)[row.queue].hopeful
    if publication >= 0:
        publications(s)[publication].refused = True
    close_letter(s, letter, LOST)
    if row.place == INBOUND:
        row.place = GONE
    else:
        row.place = 0
        give_back_letter(s, letter)
    if hopeful:
        done(s, request)
    if quorum and publication >= 0:  # a classic queue would have stored it later: then its publisher hears of it
        stored(s, publication)
