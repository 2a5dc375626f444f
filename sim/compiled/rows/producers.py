"""Rows of the producers of a log broker: records, batches, and the requests in which they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.running import TaskLine
from sim.compiled.rows.tables import Pool, Returning, Table, Taking
from sim.policies.client_quota import CLIENT_QUOTA, ClientQuotaRow
from sim.policies.partitioner import BUILT_IN, BuiltInRow

if TYPE_CHECKING:
    from sim.compiled.rows.calls import Hop
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.hosts import Replica
    from sim.compiled.rows.logs import Broker, Member, Message, Node, Partition, Topic
    from sim.compiled.rows.running import Request, Task


class ProducerLine(Row):
    """Producers that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Producer]
    last: Perhaps[Producer]


class BatchLine(Row):
    """Batches that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Batch]
    last: Perhaps[Batch]


class BatchDeadlines(Row):
    """Batches that may be given up, the oldest first, by their `later`."""

    due: float  # s; when the oldest is looked at
    first: Perhaps[Batch]
    last: Perhaps[Batch]
    looks: bool  # there is an event of the oldest


class RequestDeadlines(Row):
    """Requests whose answer is waited for, likewise."""

    due: float  # s
    first: Perhaps[ProduceRequest]
    last: Perhaps[ProduceRequest]
    looks: bool


class RecordLine(Row):
    """Records that stand in a line, by their `next` and `previous`."""

    first: Perhaps[ProducedRecord]
    last: Perhaps[ProducedRecord]


class RequestLine(Row):
    """Requests that stand in a line, by their `next` and `previous`."""

    first: Perhaps[ProduceRequest]
    last: Perhaps[ProduceRequest]


class NodeConnection(Row):
    """Between a producer and a node of its broker."""

    silent_until: float  # s; for a quota its client sends nothing before
    arrived: float  # s; when the last request that was sent arrives
    answered: float  # s; when the last answer that was sent does
    epoch: int  # changes when it is closed, and another is opened in its place
    count: int  # of those under way
    under_way: RequestLine  # whose answer is waited for
    unread: Perhaps[ProduceRequest]  # the first that the node has not read; by `behind`
    newest: Perhaps[ProduceRequest]  # the last
    no_room: Perhaps[OpenLine]  # of the partition that found none in the last request
    busy: bool  # a request is handled, or the channel is muted for a quota
    broken: bool  # its node was lost, of which its client has not heard


class ProducerSettings(Row):
    """What is said of the producers of one broker, and what they have in common."""

    linger: float  # s
    batch: float  # bytes
    buffer: float  # bytes
    request_timeout: float  # s
    delivery_timeout: float  # s
    retry_backoff: float  # s
    retry_backoff_max: float  # s
    max_in_flight: int
    acks: int  # NO_ACKS ... in topics.py
    chance: int
    broker: Reference[Broker]
    first_producer: Reference[Producer]  # one for each replica, and then one for each member that has transactions
    producers: int
    first_partition: Reference[Partition]
    first_topic: Reference[Topic]
    first_node: Reference[Node]
    nodes: int
    topics: int
    first_quota: int  # one for each host at each node, in `client_quotas`; -1: there is none
    hosts: int
    quota_ring: int  # of the first, in `quota_rings`
    quota_ring_size: int
    there: ProducerLine  # in the order in which they came to be
    deliveries: BatchDeadlines
    answers: RequestDeadlines
    idempotent: bool


class Producer(Row):
    """That of one replica, once it has published; a crash of that ends it."""

    free: float  # bytes
    woken_at: float  # s; when it looks next
    settings: Reference[ProducerSettings]
    replica: Reference[Replica]
    first_line: Reference[OpenLine]  # one for each partition of its broker
    first_built_in: int  # in `built_ins` and `producer_turns`, one for each topic of its broker
    life: int  # changes when it ends
    first_connection: Reference[NodeConnection]  # one for each node of its broker
    requests: int
    batches: int
    blocked: TaskLine  # who waits for memory
    waiting: int  # how many are blocked
    live: BatchLine  # in the order in which they were made
    first_open: Perhaps[OpenLine]  # of the lines that it has used, in the order of their first use
    last_open: Perhaps[OpenLine]
    previous: Perhaps[Producer]  # of those of its broker
    next: Perhaps[Producer]
    there: bool


class OpenLine(Row):
    """The batches of one producer for one partition (`batch_lines.py`)."""

    first: Perhaps[Batch]  # of those that are not sent, or to be sent again; by `behind`
    last: Perhaps[Batch]
    oldest: Perhaps[Batch]  # of all that are not over, sent or not; by `newer`
    newest: Perhaps[Batch]
    next: Perhaps[OpenLine]
    sequence: int  # of its next batch
    used: bool


class Batch(Row):
    """Records of one partition that are sent together."""

    due: float  # s; when its linger, or the pause before its next try, is over
    deadline: float  # s
    size: float  # bytes
    producer: Reference[Producer]
    topic: Reference[Topic]
    partition: Reference[Partition]
    sequence: int
    attempts: int
    epoch: int  # of its partition's leader, when it was sent last
    member: Perhaps[Member]  # in whose transaction its records are
    transaction: int  # which of its transactions; 0: none
    records: RecordLine
    message: Perhaps[Message]  # as which the broker has its last record
    behind: Perhaps[Batch]  # of those of its partition that are to be sent
    older: Perhaps[Batch]  # of those of its partition that are not over
    newer: Perhaps[Batch]
    later: Perhaps[Batch]
    previous: Perhaps[Batch]  # of those of its producer that are live
    next: Perhaps[Batch]  # likewise, or of the free ones
    held: int  # how many name it: its producer, those that may expire, requests
    over: bool  # acknowledged, or given up
    closed: bool  # no more records come in


class ProducedRecord(Row):
    """One record, and who waits until it is acknowledged, or for memory."""

    publisher: Reference[Publisher]
    request: Reference[Request]
    chain: int
    path: int
    flow: int
    member: Perhaps[Member]  # in whose transaction it is
    transaction: int  # which of its transactions; 0: none
    turn: int  # the partition whose turn it was; -1: not known yet
    outcome: int  # -1: not known yet
    task: Perhaps[Task]
    ticket: int  # of its wait
    previous: Perhaps[ProducedRecord]  # of its batch
    next: Perhaps[ProducedRecord]  # likewise, or of the free ones
    held: int  # how many name it: its batch, a relay
    blocked: bool  # its task waits for memory


class ProduceRequest(Row):
    """One request under way: to the broker, until what `acks` asks for has happened there, and back."""

    size: float  # bytes
    deadline: float  # s
    throttle: float  # s; for which its client is to send nothing more
    producer: Reference[Producer]
    life: int  # of its producer when it was sent
    node: Reference[Node]  # to which it is sent
    connection: Reference[NodeConnection]
    epoch: int  # of that, when it was sent
    previous: Perhaps[ProduceRequest]  # of those under way on it
    behind: Perhaps[ProduceRequest]  # that the node has not read
    first: Perhaps[RequestedBatch]
    last: Perhaps[RequestedBatch]
    unsettled: int  # batches of which nothing is known
    later: Perhaps[ProduceRequest]
    next: Perhaps[ProduceRequest]  # under way, or of the free ones
    held: int  # events and waits that name it
    over: bool  # for its producer
    read: bool  # by its node
    node_life: int  # of that, when it read it
    told: bool  # the answer is on its way


class RequestedBatch(Row):
    """A batch in one request, and what became of it there."""

    request: Reference[ProduceRequest]
    batch: Reference[Batch]
    outcome: int  # -1: not known yet
    before: Perhaps[Task]  # who waited before for the same message
    next: Perhaps[RequestedBatch]  # of its request, or of the free ones


class ProducerWake(Row):
    """A look of a producer that is planned."""

    producer: Reference[Producer]
    life: int
    next: Perhaps[ProducerWake]  # free one


class Publisher(Row, fixed=True):
    """One place that publishes through producers."""

    size: float  # bytes of a record
    settings: Reference[ProducerSettings]
    topic: Reference[Topic]
    key: int
    site: int
    out: Perhaps[Hop]  # -1: no way at all
    back: Perhaps[Hop]
    patience: Reference[TimerLane]  # of who finds no memory
    hears: bool


producer_settings = Table("producer_settings", ProducerSettings)
producers = Table("producers", Producer)
open_lines = Table("open_lines", OpenLine)
queued_batches = Table("queued_batches", int)
"""How many batches stand in each of `open_lines`."""
node_connections = Table("node_connections", NodeConnection)
"""Of each producer to each node of its broker."""
built_ins = Table("built_ins", BuiltInRow, dtype=BUILT_IN)
"""Where each producer sends what has no key, for each topic of its broker."""
producer_turns = Table("producer_turns", int)
"""How many records each producer has dealt out in turn, likewise."""
client_quotas = Table("client_quotas", ClientQuotaRow, dtype=CLIENT_QUOTA)
quota_rings = Table("quota_rings", float)
publishers = Table("publishers", Publisher)
batches = Table("batches", Batch, pool=Pool(1 << 7))
produced_records = Table("produced_records", ProducedRecord, pool=Pool(1 << 8))
produce_requests = Table("produce_requests", ProduceRequest, pool=Pool(1 << 7))
requested_batches = Table("requested_batches", RequestedBatch, pool=Pool(1 << 7))
producer_wakes = Table("producer_wakes", ProducerWake, pool=Pool(1 << 6))

take_batch, give_back_batch = Taking(batches), Returning(batches)
take_produced_record, give_back_produced_record = Taking(produced_records), Returning(produced_records)
take_produce_request, give_back_produce_request = Taking(produce_requests), Returning(produce_requests)
take_requested_batch, give_back_requested_batch = Taking(requested_batches), Returning(requested_batches)
take_producer_wake, give_back_producer_wake = Taking(producer_wakes), Returning(producer_wakes)
