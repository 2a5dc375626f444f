"""Messages of a queue broker: what is counted of them, who waits for them to be stored, and the alarm of the disk.

What `models/queues/letter.py` and parts of `queue.py` and `queue_broker.py` are.
"""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import MESSAGE_ENDS, NONE, handler, whole
from sim.compiled.calendar import put_ready
from sim.compiled.codes import PROCESSED, PUBLISHERS_BLOCKED, PUBLISHERS_RELEASED
from sim.compiled.consumers import MOST_DELIVERIES
from sim.compiled.events import log
from sim.compiled.memory import note_task
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.queues import (
    MessageQueue,
    confirm_waits,
    connected_to,
    give_back_confirm_wait,
    give_back_letter,
    give_back_publication,
    letters,
    message_queues,
    publications,
    queue_brokers,
    queue_ended,
    take_confirm_wait,
    take_letter,
    take_publication,
)
from sim.compiled.rows.records import append_message_record, append_stage_record, message_records, stage_records
from sim.compiled.rows.running import give_back_note, notes, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import ALL, END, FOLLOWED, LAG, RETRY_TOPIC, follow, keep_note
from sim.compiled.tasks import done
from sim.models.queues.queue import RANK as ORDER_OF_A_RANK

RANK = whole(ORDER_OF_A_RANK)
REJECTED_CAUSE, EXPIRED_CAUSE, TOO_LONG, TOO_OFTEN = map(whole, range(4))  # the causes of models/queues/deaths.py
# where a message is; 0: nowhere; GONE: it has ended, and an event is to come that is about it
INBOUND, UNCOMMITTED, WAITING, HANDED_OUT, GONE = map(whole, range(1, 6))
ACKED, REQUEUED, FAILED, REJECTED = map(whole, range(4))  # what a consumer says of it


@handler
def new_letter(s: State, queue: int, request: int, entity: int, chain: int, path: int) -> int:
    """A message that has been routed to a queue; what else is known of it, whoever publishes it says."""
    letter = take_letter(s)
    row = letters(s)[letter]
    row.queue = queue
    row.request = request
    row.entity = entity
    row.chain = chain
    row.path = path
    row.number = s.next_message
    s.next_message += 1
    row.published = s.now
    row.available = math.nan
    row.expires = math.inf
    row.offset = -1
    row.order = -1
    row.deliveries = 0
    row.failures = 0
    row.place = 0
    row.safe_at = -math.inf
    row.committed = False
    row.stalled = False
    row.redelivered = False
    return letter


@handler
def count_in(s: State, letter: int) -> None:
    """It has come to its queue."""
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    if s.spans:
        row.flow = follow_letter(s, letter, row.flow)
        note_wait(s, letter)
    row.offset = queue.published
    row.order = row.offset - rank_of(queue, row.priority) * RANK
    queue.published += 1
    queue.lag += 1
    if queue.hopeful:
        requests(s)[row.request].alive += 1
    weigh(s, queue.broker, 1)


@handler
def rank_of(queue: MessageQueue, priority: int) -> int:
    """A priority, as far as this queue tells it apart."""
    if queue.highest_priority < 0:
        return 0
    return min(queue.usual_priority if priority < 0 else priority, queue.highest_priority)


@by_address
@handler
def end_letter(s: State, letter: int, how: int) -> None:
    """It has ended in its queue."""
    row = letters(s)[letter]
    request, hopeful = row.request, message_queues(s)[row.queue].hopeful
    close_letter(s, letter, how)
    row.place = 0
    give_back_letter(s, letter)
    if hopeful:
        done(s, request)


@handler
def close_letter(s: State, letter: int, how: int) -> None:
    """It is counted, and its row is written."""
    row = letters(s)[letter]
    queue = message_queues(s)[row.queue]
    queue_ended(s)[row.queue * MESSAGE_ENDS + how] += 1
    queue.lag -= 1
    weigh(s, queue.broker, -1)
    if s.spans and how != PROCESSED:  # that was noted when it was handled
        note_letter(s, letter, END)
    write_letter(s, letter, s.now, how)


@compiled
def write_letter(s: State, letter: int, end: float, how: int) -> None:
    """Append its row: when and how it ended in this queue, nan and QUEUED where it has not."""
    row = message_records(s)[append_message_record(s)]
    sent = letters(s)[letter]
    row.id = sent.number
    row.request = sent.entity
    row.offset = sent.offset
    row.published = sent.published
    row.available = sent.available
    row.end = end
    row.partition = 0
    row.topic = message_queues(s)[sent.queue].name
    row.group = s.name_of_queues
    row.deliveries = min(sent.deliveries, MOST_DELIVERIES)
    row.how = how


# -- notes -------------------------------------------------------------------------------------------------------------


@handler
def note_letter(s: State, letter: int, kind: int) -> None:
    """What becomes of a message from now on, where spans are kept; its request may be closed where nobody consumes."""
    row = letters(s)[letter]
    request = requests(s)[row.request]
    place = message_queues(s)[row.queue].name
    if request.open and request.id == row.entity:
        keep_note(s, row.request, row.flow, kind, place, 0.0, NONE)
    elif s.spans == ALL and row.flow >= 0:
        note = stage_records(s)[append_stage_record(s)]
        note.request = row.entity
        note.flow = row.flow
        note.begin = s.now
        note.seconds = 0.0
        note.about = NONE
        note.place = place
        note.kind = kind


@handler
def note_wait(s: State, letter: int) -> None:
    """It waits from now on."""
    queue = message_queues(s)[letters(s)[letter].queue]
    note_letter(s, letter, LAG if queue.consumed else RETRY_TOPIC)


@handler
def follow_letter(s: State, letter: int, flow: int) -> int:
    """The number of the flow that it is, which comes of another."""
    row = letters(s)[letter]
    request = requests(s)[row.request]
    place = message_queues(s)[row.queue].name
    if request.open and request.id == row.entity:
        return follow(s, row.request, flow, place)
    return follow_closed(s, row.entity, flow, place)


@handler
def follow_closed(s: State, entity: int, flow: int, place: int) -> int:
    """The same where its request is closed."""
    if flow < 0:
        return NONE
    child = s.next_flow
    s.next_flow += 1
    if s.spans == ALL:
        note = stage_records(s)[append_stage_record(s)]
        note.request = entity
        note.flow = flow
        note.begin = s.now
        note.seconds = 0.0
        note.about = child
        note.place = place
        note.kind = FOLLOWED
    return child


# -- who waits for it --------------------------------------------------------------------------------------------------


@handler
def stored(s: State, publication: int) -> None:
    """One of the queues of a publication has it, or has refused it."""
    row = publications(s)[publication]
    row.pending -= 1
    if row.pending > 0 or row.waiter < 0:
        return
    wait = confirm_waits(s)[row.waiter]
    wait.refused = wait.refused or row.refused
    wait.open -= 1
    waiter = row.waiter
    give_back_publication(s, publication)
    if wait.open == 0:
        if wait.task >= 0:
            put_ready(s, wait.task)  # held while it waited: its turn takes that over
            wait.task = NOBODY
        if wait.over:
            give_back_confirm_wait(s, waiter)


@handler
def new_publication(s: State) -> int:
    """What somebody will wait for."""
    publication = take_publication(s)
    row = publications(s)[publication]
    row.pending = 0
    row.refused = False
    row.waiter = NOBODY
    return publication


@handler
def new_wait(s: State, broker: int, node: int) -> int:
    """A wait for publications."""
    waiter = take_confirm_wait(s)
    row = confirm_waits(s)[waiter]
    row.open = 0
    row.broker = broker
    row.node = node
    row.task = NOBODY
    row.waiting = False
    row.refused = False
    row.broken = False
    row.over = False
    return waiter


@handler
def add_to_wait(s: State, waiter: int, publication: int) -> None:
    """Wait for this one, too, unless it is known already what becomes of it."""
    wait, row = confirm_waits(s)[waiter], publications(s)[publication]
    wait.refused = wait.refused or row.refused
    if row.pending > 0:
        row.waiter = waiter
        wait.open += 1
    else:
        give_back_publication(s, publication)


@handler
def begin_wait(s: State, waiter: int, task: int) -> bool:
    """Whether there is something to wait for; then the task is woken when there is not."""
    row = confirm_waits(s)[waiter]
    if row.open == 0:
        return False
    row.task = task
    row.waiting = True
    row.number = s.waits_begun
    s.waits_begun += 1
    tasks(s)[task].held += 1
    return True


@compiled
def end_wait(s: State, waiter: int) -> None:
    """Nobody waits any more."""
    row = confirm_waits(s)[waiter]
    row.waiting = False
    row.over = True
    if row.open == 0:
        give_back_confirm_wait(s, waiter)


# -- nodes -------------------------------------------------------------------------------------------------------------


@handler
def node_of(s: State, broker: int, replica: int) -> int:
    """To which a replica is connected; NOBODY: there are none."""
    row = queue_brokers(s)[broker]
    if row.nodes == 0:
        return NOBODY
    return connected_to(s)[row.first_node + replicas(s)[replica].index % row.nodes]


# -- alarms ------------------------------------------------------------------------------------------------------------


@handler
def blocks(s: State, broker: int) -> bool:
    """Whether publishers have to wait."""
    row = queue_brokers(s)[broker]
    return row.alarms > 0 or row.disk_is_low


@handler
def weigh(s: State, broker: int, by: int) -> None:
    """So many more messages are on disk."""
    row = queue_brokers(s)[broker]
    row.on_disk += by
    if row.has_disk:
        look_at_disk(s, broker)


@by_address
@handler
def look_at_disk(s: State, broker: int) -> None:
    """Whether there is too little room left."""
    row = queue_brokers(s)[broker]
    low = row.disk - row.on_disk * row.message_size < row.disk_free_limit
    if low != row.disk_is_low:
        before = blocks(s, broker)
        row.disk_is_low = low
        now = blocks(s, broker)
        if now != before:
            log(s, PUBLISHERS_BLOCKED if now else PUBLISHERS_RELEASED, row.subject, row.about_disk, 0.0)
            if not now:
                release_blocked(s, broker)


@handler
def stand_blocked(s: State, broker: int, task: int) -> None:
    """Wait until the broker reads again."""
    row = queue_brokers(s)[broker]
    row.blocked += 1
    row.last = note_task(s, row.last, task)
    if row.first < 0:
        row.first = row.last
    tasks(s)[task].held += 1


@compiled
def release_blocked(s: State, broker: int) -> None:
    """All who wait for that go on."""
    row = queue_brokers(s)[broker]
    place = row.first
    row.first = NOBODY
    row.last = NOBODY
    row.blocked = 0
    while place >= 0:
        note = notes(s)[place]
        put_ready(s, note.task)  # held while it waited: its turn takes that over
        following = note.next
        give_back_note(s, place)
        place = following
