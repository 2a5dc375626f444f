"""Rows of log brokers: topics, messages, groups, members, and outboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.calls import Hop, Wire
from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking
from sim.policies.partitioner import STICKY, StickyRow

if TYPE_CHECKING:
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.hosts import Host, Replica
    from sim.compiled.rows.producers import Producer, Publisher
    from sim.compiled.rows.programs import Op
    from sim.compiled.rows.queues import ConfirmWait, Sender
    from sim.compiled.rows.running import Note, Request, Task


class TransactionLine(Row):
    """Transactions that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Transaction]
    last: Perhaps[Transaction]


class Topic(Row):
    """A topic."""

    name: int
    broker: Reference[Broker]
    first: Reference[Partition]
    count: int  # partitions
    groups: int
    first_group: int  # in `group_of`
    chance: int
    replication: int  # a draw; -1: followers have it at once
    published: int
    sizes: int  # of messages of each place that publishes, in `site_sizes`
    header: int  # that is the key, where one is: the first of its rows, one for each workload
    by_text: int  # the partitions of its values, in `text_partitions`
    keeper: Perhaps[Keeper]  # -1: it keeps all
    look_every: float  # s; at who is behind, where it has replicas
    look: int  # what Python does then
    looks: bool  # there is a look to come
    copies: int  # replicas of each partition
    min_insync: int  # with fewer in sync nothing becomes readable, and `acks: all` is refused
    lost: int  # records that were acknowledged and are gone
    about: int  # its name, as a place in the list of subjects
    deep: bool  # it has nodes, or records of transactions, or somebody who reads only committed ones


class Broker(Row):
    """A broker."""

    down: int  # for how many faults
    acks: int  # NO_ACKS ... in topics.py
    first: Perhaps[Note]  # of those who wait until it is there again
    last: Perhaps[Note]
    requests: float  # s; that a request takes of a node
    network: float  # bytes/s; 0: no limit
    disk: float  # bytes/s; likewise
    limited: bool  # whether a request takes a node any time
    transacts: bool  # whether any consumer of it handles records in transactions
    begun: TransactionLine  # that are open, in the order in which they began
    look: int  # at those: what Python does then
    looks: bool  # there is a look to come


class Node(Row):
    """A node of a broker."""

    down: int  # for how many faults
    life: int  # changes when it is lost
    slow: float  # how many times as long its disk takes
    free_requests: float  # s; when it has done with the requests that it was asked
    free_network: float  # s; likewise with what it receives
    free_disk: float  # s; with what it writes
    subject: int  # place in the list of subjects


class Partition(Row):
    """A partition: how far it goes, and what is not readable yet."""

    end: int
    first: Perhaps[Message]
    last: Perhaps[Message]
    first_segment: Perhaps[Segment]
    last_segment: Perhaps[Segment]
    topic: Reference[Topic]
    leader: Perhaps[Copy]  # -1: nobody leads
    epoch: int  # the term of who leads, or led last
    first_copy: Reference[Copy]  # where it has nodes
    in_sync: int  # replicas
    mark: int  # the high watermark: all before it is in all in-sync replicas


class Copy(Row):
    """One replica of one partition, as its leader sees it."""

    due: float  # s; when it has what is under way to it
    node: Reference[Node]
    partition: Reference[Partition]
    end: int  # the first offset that it lacks
    life: int  # changes when what is under way to it does not come any more
    first: Perhaps[Lack]
    last: Perhaps[Lack]
    in_sync: bool


class Lack(Row):
    """A record that a replica does not have; of one that is gone and out of sync not all are kept."""

    written: float  # s
    offset: int
    next: Perhaps[Lack]  # of its replica, or of the free ones


class Shipment(Row):
    """What is under way to a replica."""

    copy: Reference[Copy]
    end: int  # the offset behind it
    life: int  # of the replica, when it was sent
    next: Perhaps[Shipment]  # of the free ones


class Keeper(Row):
    """What deletes or compacts a topic."""

    segment_size: float  # bytes
    segment_time: float  # s
    check: float  # s; between two looks
    order: int  # what Python does at a look
    key: int  # by which it is compacted: BY_ORDER ... in topics.py
    deleted: int  # records
    compacts: bool
    armed: bool  # there is a look to come


class Segment(Row):
    """A piece of one partition."""

    began: float  # s; when its first record was written
    newest: float  # s; when its last was
    bytes: float
    offset: int  # its first
    end: int  # the offset behind its last record
    records: int
    first: Perhaps[KeyOfRecord]
    last: Perhaps[KeyOfRecord]
    next: Perhaps[Segment]  # of its partition, or of the free ones


class KeyOfRecord(Row):
    """A record of a topic that is compacted."""

    offset: int
    key: int
    size: float  # bytes
    next: Perhaps[KeyOfRecord]  # of its segment, or of the free ones


class Message(Row):
    """A message, as long as anything needs it."""

    published: float
    available: float  # nan: not yet
    number: int
    chain: int
    path: int
    offset: int
    request: Reference[Request]
    topic: Reference[Topic]
    partition: Reference[Partition]
    site: int
    waiter: Perhaps[Task]  # a publisher who waits for its replicas
    left: int  # deliveries, its replication, a publisher who looks at it again
    flow: int
    next: Perhaps[Message]  # of its partition, or of the free ones
    replicated: bool


class Fate(Row):
    """Where logs have nodes or transactions: more of the message in the row of the same place."""

    transaction: int  # SETTLED ... in transactions.py
    acknowledged: bool  # and not yet in all in-sync replicas
    lost: bool  # with the leader that alone had it
    next: Perhaps[Message]  # of its transaction


class Transaction(Row):
    """The transaction of a member, until that knows how it ended."""

    began: float  # s; when its first record was written
    timeout: float  # s
    broker: Reference[Broker]
    first: Perhaps[Message]
    last: Perhaps[Message]
    open: bool
    takes_part: bool  # its consumer is at the steps of its record
    previous: Perhaps[Transaction]
    next: Perhaps[Transaction]  # of its line, or of the free ones


class DeliveryLine(Row):
    """Deliveries that stand in a line, by their `next` and `previous`."""

    first: Perhaps[Delivery]
    last: Perhaps[Delivery]


class Group(Row):
    """A consumer group of a topic."""

    busy_area: float
    topic: Reference[Topic]
    name: int
    first: Reference[GroupPartition]
    lag: int
    delivered: int
    redelivered: int
    space: int  # of its keys in `entries`
    busy: int
    first_member: int  # in `member_of`
    members: int
    delayed: DeliveryLine  # in a retry topic
    committed_only: bool  # it does not read records of transactions that are open or aborted


class GroupPartition(Row):
    """A partition as one group sees it."""

    group: Reference[Group]
    owner: Perhaps[Member]
    waiting: DeliveryLine
    retries: DeliveryLine  # due in a retry topic
    unstable: DeliveryLine  # of who reads committed records: those from an open transaction on
    committed: bool
    obstructed: bool  # it is out of range, or nobody leads it
    out_of_range: bool  # what was to be read next is deleted
    offline: bool  # nobody leads it


class Delivery(Row):
    """A message on its way through one group."""

    end: float
    message: Reference[Message]
    partition: Reference[GroupPartition]
    count: int
    failures: int
    how: int  # MessageEnd
    flow: int
    kept: int  # by how many members that were evicted, and go on with it; less than 0: it has ended
    previous: Perhaps[Delivery]
    next: Perhaps[Delivery]  # of its list, or of the free ones


class Member(Row):
    """A member of a group."""

    holding_area: float
    busy_area: float
    session: float  # s; its timeout
    polled: float  # s; when it polled last, in a group that rebalances
    commit_interval: float  # s; between two automatic commits
    next_commit: float  # s
    fetch_min: float  # bytes
    fetch_wait: float  # s
    fetch_due: float  # s; when another fetch is answered than those that are
    first_fetch: Reference[NodeFetch]  # one for each node of its broker
    fetch_nodes: int  # how many
    first_node: Reference[Node]
    fetch_look: float  # s; when somebody will look for that
    fetches: int
    fetcher: Perhaps[Task]  # stands in for whoever looks for that; -1: each record as it comes
    commits: int  # BATCH ... in committing.py
    committer: Perhaps[Task]  # stands in for whoever looks whether it is time for an automatic commit
    handled: Perhaps[Delivery]  # and to be committed
    looks: bool  # the committer does
    loses: bool  # what it has in hand when it dies, since that was committed before
    group: Reference[Group]
    host: Reference[Host]
    replica: Reference[Replica]
    task: Perhaps[Task]
    hop: Reference[Hop]
    wire: Reference[Wire]
    broker: Reference[Broker]
    salt: int
    max_poll: int
    max_deliveries: int
    retry_topic: int  # how many delays; -1: it delivers again in place
    retries_first: int  # in `delays`
    first_held: int  # of its partitions, in `held`
    partitions: int
    turn: int
    batch: DeliveryLine
    following: Perhaps[Delivery]
    current: Perhaps[Delivery]
    pc: Reference[Op]
    transaction: Perhaps[Transaction]  # that it has open, or one that died before it
    transactions: int  # how many it has begun
    transaction_timeout: float  # s
    producer: Perhaps[Producer]  # of its own, for what is published in its transactions
    idempotent: bool
    latest: bool  # it starts at the end of a partition in which nothing was committed
    order: int  # what Python does when its batch is committed, because it closes or leaves; -1: nothing
    patience: Perhaps[TimerLane]  # of max_poll_interval; -1: its group does not rebalance
    errand: int  # what Python does when it is to join its group, or goes on with what others have now
    called: bool  # to join, when it polls next
    evicted: bool  # from its group, while it handles a batch: others have that now
    watched: bool  # there is an event that looks for how long it has handled one batch
    idle: bool
    belongs: bool  # to the group
    up: bool
    holding: bool  # partitions
    died: bool
    processing: bool


class NodeFetch(Row):
    """The fetch of a member to one node: `models/fetching.py`."""

    began: float  # s
    found: float  # bytes to be read, when somebody looked last
    first: float  # s; since when
    number: int  # of this fetch among those of its member, by which its way is drawn
    answered: bool  # when somebody looked last
    buffered: bool  # it is answered, and not all was polled


class Outbox(Row):
    """An outbox and its relay."""

    poll: float  # s
    salt: int
    rows: int
    host: Reference[Host]
    topic: Reference[Topic]
    sender: Perhaps[Sender]  # to a queue broker, in the place of the topic
    waiter: Perhaps[ConfirmWait]  # of that
    key: int
    site: int
    batch: int
    out: Reference[Hop]
    back: Reference[Hop]
    first: Perhaps[OutboxRow]
    last: Perhaps[OutboxRow]
    task: Perhaps[Task]
    replica: Perhaps[Replica]
    publisher: Perhaps[Publisher]  # by way of a producer
    following: Perhaps[OutboxRow]  # of the present batch, that is put next
    heard: int  # records of that, which are acknowledged or given up
    count: int  # of the present batch
    written: int  # of those, by the topic, where their replicas are waited for
    taken: int  # of those, by all replicas
    at: Perhaps[OutboxRow]  # the next to be written there
    partition: Perhaps[Partition]  # to which
    pc: Reference[Op]


class OutboxRow(Row):
    """A row of an outbox."""

    request: Reference[Request]
    chain: int
    path: int
    tries: int
    flow: int
    next: Perhaps[OutboxRow]  # of its outbox, or of the free ones


topics = Table("topics", Topic)
brokers = Table("brokers", Broker)
partitions = Table("partitions", Partition)
stickies = Table("stickies", StickyRow, dtype=STICKY)
"""What each possible producer sticks to, a line of replicas for each topic."""
dealt_out = Table("dealt_out", int)
"""How many messages each possible producer has dealt out in turn, likewise."""
site_sizes = Table("site_sizes", float)
"""Bytes of the messages of each place that publishes, a line for each topic."""
text_partitions = Table("text_partitions", int)
"""The partition of each text that is a key, a line for each topic with such keys."""
nodes = Table("nodes", Node)
copies = Table("copies", Copy)
lacks = Table("lacks", Lack, pool=Pool(1 << 6))
shipments = Table("shipments", Shipment, pool=Pool(1 << 6))
keepers = Table("keepers", Keeper)
segments = Table("segments", Segment, pool=Pool(1 << 6))
keys_of_records = Table("keys_of_records", KeyOfRecord, pool=Pool(1 << 6))
messages = Table("messages", Message, pool=Pool(1 << 10))
fates = Table("fates", Fate, beside=messages)
transactions = Table("transactions", Transaction, pool=Pool(1 << 6))
groups = Table("groups", Group)
group_of = Table("group_of", int)
group_ended = Table("group_ended", int)
"""How many messages ended in each way, a line of MESSAGE_ENDS for each group."""
group_partitions = Table("group_partitions", GroupPartition)
deliveries = Table("deliveries", Delivery, pool=Pool(1 << 11))
members = Table("members", Member)
node_fetches = Table("node_fetches", NodeFetch)
held = Table("held", int)
"""The partitions of each member: places in the table of partitions as groups see them."""
member_of = Table("member_of", int)
delays = Table("delays", float)
outboxes = Table("outboxes", Outbox)
outbox_rows = Table("outbox_rows", OutboxRow, pool=Pool(1 << 8))
pending = Table("pending", int, width="largest_batch")
"""The messages whose replicas a relay waits for, a line for each outbox."""

take_lack, give_back_lack = Taking(lacks), Returning(lacks)
take_shipment, give_back_shipment = Taking(shipments), Returning(shipments)
take_transaction, give_back_transaction = Taking(transactions), Returning(transactions)
take_message, give_back_message = Taking(messages), Returning(messages)
take_delivery, give_back_delivery = Taking(deliveries), Returning(deliveries)
take_segment, give_back_segment = Taking(segments), Returning(segments)
take_key_of_record, give_back_key_of_record = Taking(keys_of_records), Returning(keys_of_records)
take_outbox_row, give_back_outbox_row = Taking(outbox_rows), Returning(outbox_rows)
