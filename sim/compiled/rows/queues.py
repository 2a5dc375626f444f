"""Rows of queue brokers: queues, messages in them, consumers with their channels, and what publishers wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.calls import Hop, Wire
    from sim.compiled.rows.hosts import Host, Replica
    from sim.compiled.rows.programs import Op
    from sim.compiled.rows.running import Note, Request, Task


class QueueBroker(Row):
    """A queue broker."""

    disk: float  # bytes
    disk_free_limit: float
    message_size: float
    recovery: float  # s; between two tries of a consumer to come back
    down: int  # for how many faults
    alarms: int  # of faults
    on_disk: int  # messages
    blocked: int  # publishers
    unroutable: int
    first: Perhaps[Note]  # of those who are blocked
    last: Perhaps[Note]
    subject: int  # place in the list of subjects
    about_disk: int  # likewise
    has_disk: bool  # of a size that is known
    disk_is_low: bool
    nodes: int  # 0: it is up or down as a whole
    first_node: int  # in `connected_to`
    offline: int  # queues that are closed


class LetterLine(Row):
    """Messages that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Letter]
    last: Perhaps[Letter]


class MessageQueue(Row):
    """One queue."""

    free_at: float  # s; when its process has done with what came in so far
    worked: float
    busy_area: float
    ttl: float  # s; infinite: for ever
    armed: float  # s; when its head is looked at for having expired
    patience: float  # s; how long it waits for an acknowledgement
    slow: float  # how many times as long a commit takes
    broker: Reference[QueueBroker]
    bit: int  # its own among the queues of its broker that have dead letters; of the others one that is never set
    name: int
    commit: int  # a draw; -1: at once
    work: int  # likewise; -1: none
    ring: int  # where its line stands in `finished`; -1: its process takes no time
    taken: int  # what its process had to do with so far
    published: int
    delivered: int
    redelivered: int
    lag: int
    ready: int
    unacked: int
    busy: int
    new: LetterLine
    back: LetterLine  # of a quorum queue: what has come back, before all others
    uncommitted: LetterLine  # of a quorum queue, in order
    kept: LetterLine  # with nodes that it does not hear, in the order in which it came
    beyond: int  # bit i: it does not hear node i
    entries: int  # of a quorum queue: how many were committed
    returned: Perhaps[Letter]  # of a classic queue: what has come back, the top of a heap by offset
    active: Perhaps[Channel]  # the single one that gets all
    first_round: Reference[Round]  # the highest priority first
    rounds: int
    first_channel: int  # in `channel_of`
    channels: int
    comers: int  # channels that were opened
    space: int  # of its keys in `entries`
    most: int  # that may wait in it; -1: no end
    highest_priority: int  # up to which it tells messages apart; -1: it does not
    usual_priority: int  # of a message that says none
    failures_allowed: int  # -1: no end
    leader: int  # the node that leads it; -1: none
    stalled_first: Perhaps[QueueDelivery]  # of which it is to hear what became of them when it is open; by `behind`
    stalled_last: Perhaps[QueueDelivery]
    dead: int  # where its lines begin in `dead_routes`; -1: what it gives up goes nowhere
    hopeful: bool  # what waits here may still be handled
    consumed: bool
    quorum: bool
    drops_head: bool
    ranked: bool  # some message may have a priority
    rejects_to_dead: bool
    closed: bool  # its node is down, or it has no leader, or no majority
    single: bool


class Round(Row):
    """Consumers of one priority that have prefetch left, in the order of the round."""

    first: Perhaps[Channel]
    last: Perhaps[Channel]


class QueueDeliveryLine(Row):
    """Deliveries that stand in a line, by their `next` and `previous`."""

    first: Perhaps[QueueDelivery]
    last: Perhaps[QueueDelivery]


class Channel(Row):
    """A consumer of a queue, and its channel."""

    held_area: float
    busy_area: float
    due: float  # s; when the oldest delivery is looked at
    next_try: float  # s; when it tries to come back from a node that was lost
    silent_until: float  # s; where something is stuck: when the broker takes its connection for dead
    queue: Reference[MessageQueue]
    broker: Reference[QueueBroker]
    host: Reference[Host]
    replica: Reference[Replica]
    task: Perhaps[Task]
    out: Reference[Hop]
    back: Reference[Hop]
    wire: Reference[Wire]
    round: Reference[Round]
    priority: int
    prefetch: int  # 0: unlimited
    salt: int
    node: int  # to which its connection goes; -1: there are none
    came: int  # when its channel was opened, by number
    previous: Perhaps[Channel]  # of the round
    next: Perhaps[Channel]
    handed: QueueDeliveryLine  # sent and not settled
    unacked: int
    inbox_first: Perhaps[QueueDelivery]  # has come, and waits for its thread; by `behind`
    inbox_last: Perhaps[QueueDelivery]
    stuck_first: Perhaps[QueueDelivery]  # on a wire that is cut; likewise
    stuck_last: Perhaps[QueueDelivery]
    current: Perhaps[QueueDelivery]
    in_hand: Perhaps[Request]  # of which it handles a message
    pc: Reference[Op]
    order: int  # what Python does when it closes and has done with what it has in hand
    subject: int  # place in the list of subjects: its service
    about: int  # likewise: its queue
    on_failure: int  # FAILED ... in letters.py
    automatic: bool
    idempotent: bool
    in_line: bool
    up: bool
    closing: bool
    open: bool
    unreached: bool  # it has tried to open a channel over a wire that is cut
    idle: bool
    processing: bool
    patient: bool  # the oldest delivery will be looked at
    listened_to: bool  # so will be what is stuck


class Letter(Row):
    """One message in one queue."""

    published: float
    available: float  # nan: not yet
    expires: float
    expiration: float  # s; how long it may wait in a queue
    safe_at: float  # s; when the disk of a classic queue has it
    entity: int  # of its request, which may be closed where nobody consumes
    number: int
    chain: int
    path: int
    offset: int
    order: int  # the same, but those of a higher priority are before all others
    priority: int  # -1: none is said
    node: int  # to which its publisher is connected; -1: no channel keeps it until it is safe
    site: int
    address: int  # of its routing key and headers
    flow: int
    deliveries: int
    failures: int
    handed: int  # deliveries by queues in which it was before it was given up
    given_up_by: int  # bits of queues since it was rejected last: where it would go round in a circle
    request: Reference[Request]
    queue: Reference[MessageQueue]
    publication: Perhaps[Publication]  # where somebody waits until it is stored
    place: int  # WAITING ... in letters.py
    previous: Perhaps[Letter]  # of its line; in a heap the left below
    next: Perhaps[Letter]  # of its line, or of the free ones; in a heap the right below
    committed: bool
    stalled: bool  # nobody could take it in: it waits for a leader, or for a majority
    redelivered: bool


class QueueDelivery(Row):
    """One message on its way to one consumer, in its hands, and what becomes of it on the way back."""

    since: float  # s; when it was sent
    letter: Reference[Letter]  # as long as it is live
    channel: Reference[Channel]
    number: int  # among the deliveries of its queue
    site: int
    flow: int
    said: int  # ACKED ... in letters.py
    previous: Perhaps[QueueDelivery]  # of those of its channel
    next: Perhaps[QueueDelivery]  # likewise, or of the free ones
    behind: Perhaps[QueueDelivery]  # in the inbox, or stuck
    live: bool  # its channel is open, and it was not settled
    under_way: bool  # an event, a line or a thread has it
    handled: bool


class Publication(Row):
    """What was published once and somebody waits for: it is confirmed when every queue has it that it came to."""

    pending: int  # queues that do not have it yet
    waiter: Perhaps[ConfirmWait]
    next: Perhaps[Publication]  # free one
    refused: bool  # by a queue that is full


class ConfirmWait(Row):
    """A wait until so many publications are confirmed."""

    number: int  # in the order in which tasks began to wait
    open: int  # publications that are not confirmed
    broker: Reference[QueueBroker]
    node: int  # to which its publisher is connected
    task: Perhaps[Task]
    next: Perhaps[ConfirmWait]  # free one
    waiting: bool  # since its task has begun to
    refused: bool  # one of them was
    broken: bool  # the connection
    over: bool  # nobody waits any more


class QueueTimer(Row):
    """A look at the head of a queue, which will have expired."""

    due: float
    queue: Reference[MessageQueue]
    next: Perhaps[QueueTimer]  # free one


class Sender(Row, fixed=True):
    """One place that publishes to an exchange, or to a queue."""

    broker: Reference[QueueBroker]
    first: int  # of its queues, in `queue_routes`
    count: int
    address: int
    site: int
    where: int  # index into names
    expiration: int  # a draw; -1: for ever
    batch: int  # its lines in `batch_waits` and `batch_sent`; -1: no batches
    priority: int  # -1: none
    mandatory: bool


class DeadRoute(Row, fixed=True):
    """Where what a queue gives up goes that has come by this address."""

    first: int  # in `queue_routes`
    count: int
    address: int  # that it has there


queue_brokers = Table("queue_brokers", QueueBroker)
message_queues = Table("message_queues", MessageQueue)
queue_ended = Table("queue_ended", int)
"""How many messages ended in each way, a line of MESSAGE_ENDS for each queue."""
given_up = Table("given_up", int)
"""How many were given up for each reason, a line of CAUSES for each queue."""
finished = Table("finished", float)
"""When the process of a queue has done with the last messages: a ring of CREDIT for each whose process takes time."""
rounds = Table("rounds", Round)
channels = Table("channels", Channel)
channel_of = Table("channel_of", int)
connected_to = Table("connected_to", int)
"""The node to which those are connected who began with this one, a line for each broker that has nodes."""
letters = Table("letters", Letter, pool=Pool(1 << 7))
queue_deliveries = Table("queue_deliveries", QueueDelivery, pool=Pool(1 << 8))
publications = Table("publications", Publication, pool=Pool(1 << 7))
confirm_waits = Table("confirm_waits", ConfirmWait, pool=Pool(1 << 7))
queue_timers = Table("queue_timers", QueueTimer, pool=Pool(1 << 8))
senders = Table("senders", Sender)
queue_routes = Table("queue_routes", int)
dead_routes = Table("dead_routes", DeadRoute)
batch_waits = Table("batch_waits", int)
"""The wait of each producer that publishes in batches, a line of replicas for each such sender; -1: none."""
batch_sent = Table("batch_sent", int)
"""How many it has published so far, likewise."""

take_letter, give_back_letter = Taking(letters), Returning(letters)
take_queue_delivery, give_back_queue_delivery = Taking(queue_deliveries), Returning(queue_deliveries)
take_publication, give_back_publication = Taking(publications), Returning(publications)
take_confirm_wait, give_back_confirm_wait = Taking(confirm_waits), Returning(confirm_waits)
take_queue_timer, give_back_queue_timer = Taking(queue_timers), Returning(queue_timers)
