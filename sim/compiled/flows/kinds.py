"""The rows as flows see them, for mypy: written by `python sim/compiled/cutting/write.py`, do not edit.

A row is its place in a table, so that functions of the engine can be handed it; a reference is the row it leads to.
"""

from __future__ import annotations

from sim.policies.aws_adaptive import AdaptiveRow
from sim.policies.balancer import BalancerRow
from sim.policies.balancing import BalancingRow, PeerRow
from sim.policies.base import Ring
from sim.policies.breaker import BreakerRow
from sim.policies.breaker_row import LibraryRow
from sim.policies.budget import BudgetRow
from sim.policies.bulkhead import BulkheadRow
from sim.policies.codel import CodelRow
from sim.policies.concurrency_row import ConcurrencyRow
from sim.policies.connections import PoolRow
from sim.policies.contention import ContentionRow
from sim.policies.hedging import HedgeRow
from sim.policies.library_budgets import LibraryBudgetRow
from sim.policies.quota import QuotaRow
from sim.policies.retry_row import RetryRow
from sim.policies.sticky_assignor import Claim
from sim.policies.throttle import ThrottleRow
from sim.policies.waiting import WaitingRow


class View(int):
    """What one caller knows of the replicas of one callee."""

    next_look: float
    rule: BalancingRow
    plain: BalancerRow
    host: Host
    peers: PeerRow
    loads: int
    points: int
    size: int
    places: int
    made_of: int
    subject: int
    about: int
    ejecting: int
    entity: int
    drawn: int
    made: bool


class Cache(int):
    """What is told of a cache, for all steps and replicas together."""

    hits: int
    misses: int
    stale: int
    joined: int
    loads: int
    first: Store
    stores: int


class Look(int):
    """A step that looks into a cache, and what is said there."""

    cache: Cache
    host: Host
    shared: bool
    coalesce: bool
    draw: int
    key: int
    hit: float
    ttl: float
    jitter: float
    negative_ttl: float
    stale_while_revalidate: float
    stale_if_error: float
    where: int
    bring: Op


class CacheWrites(int):
    """What is told of the writes to a cache, of all replicas together."""

    accepted: int
    stored: int
    first: Collected
    replicas: int


class Collected(int):
    """What a replica has still to write."""

    writes: int
    waiting: int
    has_timer: bool


class WriteStep(int):
    """A step that writes to a cache."""

    look: Look
    counts: CacheWrites
    batch: int
    host: Host
    timer: Op
    flush: Op


class Store(int):
    """The entries of a cache in one place, in the order in which they go."""

    first: Kept | None
    last: Kept | None
    count: int
    size: int
    frequent: bool
    known: int
    asked: int


class Kept(int):
    """What is kept for a key."""

    good_until: float
    key: int
    outcome: int
    block: Block | None
    previous: Kept | None
    next: Kept | None


class Block(int):
    """Entries that were used equally often; they stand one behind the other."""

    uses: int
    last: Kept | None
    next: Block | None


class Flight(int):
    """A look for a key that is under way."""

    store: Store
    key: int
    listed: bool
    degraded: bool
    first: Note | None
    last: Note | None
    next: Flight | None


class RequestRecord(int):
    """A logical request that is over."""

    id: int
    arrival: float
    end: float
    completion: float
    effects: int
    user: int
    item: int
    source: int
    route: int
    where: int
    attempts: int
    outcome: int
    charges: int
    reservations: int
    pending: bool
    expects: bool


class MessageRecord(int):
    """A message that has ended for a group."""

    id: int
    request: int
    offset: int
    published: float
    available: float
    end: float
    partition: int
    topic: int
    group: int
    deliveries: int
    how: int


class SpanRecord(int):
    """An attempt on a service."""

    request: int
    chain: int
    arrived: float
    started: float
    ended: float
    endpoint: int
    replica: int
    outcome: int
    abandoned: bool
    flow: int


class StageRecord(int):
    """What a flow did next."""

    request: int
    flow: int
    begin: float
    seconds: float
    about: int
    place: int
    kind: int


class EventRecord(int):
    """Something worth telling; subject and object are places in the list of subjects of the run."""

    time: float
    kind: int
    subject: int
    object: int
    value: float


class CandidateRecord(int):
    """A request that may be an exemplar."""

    id: int
    response: float
    lot: int
    spans: int
    stages: int


class TaskLine(int):
    """Tasks that stand in a line, by their `next` and `previous`."""

    first: Task | None
    last: Task | None


class Task(int):
    """A thread of control: an attempt, a publication, a branch, a courier, a client, a consumer or a relay."""

    seconds: float
    pause: float
    told: float
    began: float
    sent: float
    frozen_before: float
    worked: float
    deadline: float
    connect: float
    paced: float
    on_wake: int
    pc: Op
    ticket: int
    call_number: int
    outcome: int
    root: int
    entry: EntryOp
    request: Request | None
    chain: int
    path: int
    caller: Task | None
    replica: Replica
    tries: int
    admitted: int
    line: Guard | None
    member: Member | None
    channel: Channel | None
    next: Task | None
    previous: Task | None
    loop: Loop | None
    mark: int
    phase: int
    held: int
    waits: int
    life: int
    inside: int
    where: int
    child: Task | None
    sibling: Task | None
    attempt: Task | None
    saga: SagaRun | None
    visit: Visit | None
    flight: Flight | None
    claim: Claim | None
    adrift: int
    guard: Guard | None
    call: Call | None
    back: Hop | None
    callee: Replica | None
    branches_left: int
    producer: Replica
    target: Target
    message: Message | None
    before: Task | None
    transaction: int
    partition: Partition | None
    undecided: int
    confirm: ConfirmWait | None
    record: ProducedRecord | None
    stock_seen: int
    user: int
    asks_for: int
    granted: bool
    abandoned: bool
    degraded: bool
    own_thread: bool
    branching: bool
    copy: bool


class Connection(int):
    """Where there are pools: what the task in the row of the same place has of one."""

    ticket: int
    opener: Task | None
    holds: bool
    must_open: bool


class Race(int):
    """Where calls are hedged: the race of copies that the task in the row of the same place makes."""

    began: float
    ticket: int
    sent: int
    number: int
    over: TaskLine
    latest: Task | None
    open: bool
    woken: bool


class Told(int):
    """Where deadlines are handed on: what the task in the row of the same place was told, if it is an attempt."""

    until: float


class Entered(int):
    """Where limits of concurrency adapt: of the place that the task in the row of the same place has."""

    began: float
    inside: int


class Arrived(int):
    """Where versions are judged: of the attempt in the row of the same place."""

    at: float


class Spending(int):
    """Where a budget of retries counts attempts or their costs: what the call or client in the row of the same place"""

    paid: int
    under_way: bool


class Request(int):
    """A logical request that is open, or a free place for one."""

    arrival: float
    end: float
    completion: float
    retry_after: float
    id: int
    effects: int
    needs: int
    marks: int
    first_mark: Mark | None
    last_mark: Mark | None
    alive: int
    source: int
    door: Door
    route: int
    told_by: int
    where: int
    attempts: int
    outcome: int
    charges: int
    reservations: int
    user: int
    item: int
    number: int
    open: bool
    next: Request | None


class Mark(int):
    """The mark of an attempt that has arrived; each open request has a list of its own."""

    mark: int
    next: Mark | None


class Flow(int):
    """What spans tell of the task in the row of the same place."""

    arrived: float
    started: float
    number: int


class RequestNotes(int):
    """Where exemplars are kept: the notes of the open request in the row of the same place."""

    stages: int
    first_stage: StageNote | None
    last_stage: StageNote | None
    spans: int
    first_span: SpanNote | None
    last_span: SpanNote | None


class StageNote(int):
    """A stage of an open request."""

    row: StageRecord
    next: StageNote | None


class SpanNote(int):
    """A span of an open request."""

    row: SpanRecord
    next: SpanNote | None


class Note(int):
    """A task that waits for something rare, and the ticket of its wait."""

    task: Task
    ticket: int
    next: Note | None


class Call(int):
    """One call site: a target and a policy."""

    target: Target
    hop: Hop
    back: Hop
    salt: int
    mark: int
    max_attempts: int
    retry: RetryRow
    jitter: Draw
    lane: TimerLane | None
    total_lane: TimerLane | None
    bulkhead_lane: TimerLane | None
    guards: int
    subject: int
    about: int
    pool_lane: TimerLane | None
    hedge_rule: RetryRow
    most_copies: int
    max_pending: int
    connect: int
    limit_about: int
    adapts: bool
    in_vain: float
    cancels: bool
    honors: bool
    budgeted: bool
    hears: bool
    breaks: bool
    bulkhead: bool
    adaptive: bool
    luck: int
    timed: bool
    propagates: bool
    hedges: bool
    cancels_losers: bool
    pools: bool
    dials: bool
    connect_timeout: float
    limits: bool
    may_freeze: bool
    per_replica: bool


class Target(int):
    """What can be called: an endpoint, a route, a topic, or an exchange."""

    kind: int
    where: int
    only: Replica | None
    host: Host | None
    first: Replica
    count: int
    uniforms: int
    uniform: int
    other_uniform: int
    zone_uniform: int
    other_zone_uniform: int
    entry: Op
    topic: Topic
    sender: Sender
    key: int
    site: int
    counts: bool
    by_view: bool
    loads: int
    line: int


class Hop(int):
    """One direction of one kind of message."""

    length: float
    between_zones: float
    fixed: float
    draw: int
    chance: int
    wire: Wire
    salt: int


class Wire(int):
    """What two hosts share, and faults disturb."""

    loss: float
    cuts: int
    losses: int
    delays: int


class Guard(int):
    """The memory of one caller about one callee."""

    spent: float
    taken_area: float
    breaker: BreakerRow
    library: LibraryRow | None
    ring: Ring
    size: int
    budget: BudgetRow
    tokens: Ring
    throttle: ThrottleRow | None
    library_budget: LibraryBudgetRow | None
    bulkhead: BulkheadRow
    concurrency: ConcurrencyRow | None
    concurrency_ring: Ring
    places_area: float
    comes_with: Host | None
    line: TaskLine
    breaker_line: TaskLine
    passed: int
    turned_away: int
    limiter: WaitingRow
    adaptive: AdaptiveRow | None
    refused: float
    limit_passed: int
    limit_turned_away: int
    limit_in_line: int
    refusing: bool
    hedge: HedgeRow | None
    hedge_ring: Ring
    hedge_budget: BudgetRow | None
    hedge_tokens: Ring
    hedged: int
    hedges_won: int
    pool: PoolRow | None
    pool_ring: Ring
    pool_line: TaskLine
    pool_waiting: int
    pool_turned_away: int
    opened: int
    pool_area: float


class Repetition(int):
    """How many times something is done."""

    draw: int
    kept: bool
    salt: int
    first: int
    count: int


class Event(int):
    """Something that happens at a time; 32 bytes: two of them to a line of the cache."""

    time: float
    order: int
    what: int
    next: Event | None


class Timer(int):
    """Ends a wait of a task, unless that is over before."""

    deadline: float
    ticket: int
    task: Task
    next: Timer | None
    workload: Workload | None


class TimerLane(int):
    """Timers of one duration and purpose, which end in the order in which they begin."""

    duration: float
    due: float
    purpose: int
    owner: int
    first: Timer | None
    last: Timer | None
    whole_call: bool
    armed: bool


class Entry(int):
    """What is remembered of a key of some space."""

    time: float
    space: int
    key: int
    value: int
    first: Note | None
    last: Note | None
    used: bool


class TokenRule(int):
    """How tokens are looked at."""

    ttl: float
    invalid: float
    known: int
    asking: int
    rotated_every: float
    failing: int
    shared: bool


class Host(int):
    """A service or the gateway."""

    slow: float
    work_done: float
    work_wasted: float
    busy_area: float
    queue_area: float
    outside_area: float
    up_area: float
    granted: float
    granted_area: float
    last_shed: float
    last_overflow: float
    name: int
    first: Replica
    count: int
    capacity: int
    loops: int
    loop_luck: int
    listen_most: int
    syns_dropped: int
    workers: int
    cores: float
    offered: int
    again: int
    queued: int
    outside: int
    up: int
    patience: TimerLane | None
    discipline: Discipline | None
    errors_first: int
    errors_count: int
    errors_on: int
    function: Function | None
    adrift: int
    background_failed: int
    paused: int
    paused_area: float
    subject: int
    turn: int
    lifo: bool
    event_loop: bool
    preempts: bool
    may_hang: bool
    tracks: bool
    judged: bool
    shedding: bool
    overflowing: bool
    resizes: bool
    warm_slow: float
    warm_decay: float
    aged_slow: float
    aged_over: float


class Replica(int):
    """One process of a host, or who calls from outside."""

    slow: float
    hung_since: float
    returned: float
    frozen: float
    virtual: float
    last: float
    due: float
    used: float
    used_since: float
    granted: float
    skew: float
    host: Host | None
    index: int
    free: int
    waiting: int
    closed: int
    down: int
    hung: int
    backlog: int
    unaccepted: int
    queue: TaskLine
    accepting: TaskLine
    parked: TaskLine
    overdue_first: Note | None
    overdue_last: Note | None
    cores: int
    jobs: Job | None
    running: int
    sequence: int
    generation: int
    quota: QuotaRow | None
    contention: ContentionRow | None
    stopped: bool
    absent: bool
    ending: bool
    draining: bool
    heard: bool
    tally: Tally | None
    warm_since: float
    when_left: int


class Loop(int):
    """A thread to which connections are pinned."""

    taken: bool
    line: TaskLine


class Fleet(int):
    """Replicas that come and go, as the time series tell of them."""

    wanted: int
    paid: float
    paid_area: float
    cpu_target: float


class Tally(int):
    """How attempts ended in the replicas of one version, where somebody judges it."""

    bound: float
    ended: int
    failed: int
    late: int


class NodePool(int):
    """The nodes on which replicas stand, as the time series tell of them."""

    ready: int
    paid: int
    paid_area: float
    pending: int


class Job(int):
    """Work of a task on the cores of its replica."""

    end: float
    sequence: int
    ticket: int
    task: Task
    child: Job | None
    next: Job | None


class ErrorFault(int):
    """A share of attempts fails while it is on."""

    share: float
    draw: int
    struck: int
    on: bool


class Stock(int):
    """What a service has to sell."""

    items: int
    first: int
    kinds: int
    subject: int


class Draw(int):
    """A row of Draw."""

    key: int
    kind: int
    p0: float
    p1: float
    offset: int
    size: int
    parts: int


class EndpointKeys(int):
    """The keys of one endpoint."""

    ttl: float
    key: int
    in_progress: int
    keeps_failures: int
    replayed: int
    conflicts: int


class KeptAnswer(int):
    """What is known of the key that the mark in the row of the same place stands for, where it stands for one."""

    expires: float
    owner: int
    outcome: int
    root: int
    where: int


class Identity(int):
    """What all requests of a traffic carry, in the place of its workload; texts are numbers (see the wiring)."""

    consumer: int
    addresses: int
    population: int


class Reader(int):
    """What is read of a request to tell it from others."""

    word: int
    first: int


class Header(int):
    """A header of the requests of one traffic."""

    value: int
    draw: int
    first: int
    count: int


class Limit(int):
    """A limit. The counters of a key are rows in the table of its family, copies of those from `first` on."""

    last: float
    timeout: float
    in_vain: float
    space: int
    per: int
    about: int
    passed: int
    refused: int
    family: int
    first: int
    rates: int
    readers: int
    reads: int
    conditions: int
    asks: int
    anonymous: int
    answer: int
    tells: int
    latency: int
    trips: int
    refusing: int
    hanging: int
    undecided: int
    stored: bool
    tolerant: bool
    by_node: bool
    in_turn: bool
    keyed: bool
    node: bool
    limiting: bool


class LimitsStep(int):
    """The limits that the requests of one route or endpoint must pass."""

    host: Host
    first: int
    count: int
    route: int
    where: int
    stored: bool


class Condition(int):
    """A header that must have one of some values."""

    header: int
    first: int
    count: int


class LibraryCounter(int):
    """A row of LibraryCounter."""

    kind: int
    seen: int
    limit: int
    count: int
    previous: int
    index: int
    excess: int
    last: int
    span: int
    initial: int
    intervally: int
    speed: int
    burst: int
    delay: int
    penalty: int
    cost: int
    tokens: float
    rate: float
    start: float
    window: float


class ClockedCounter(int):
    """A row of ClockedCounter."""

    kind: int
    limit: int
    slots: int
    count: int
    index: int
    seen: int
    cost: int
    penalty: int
    stamps: int
    ring: int
    tokens: float
    last: float
    kept: float
    lifetime: float
    unit: float
    period: float
    rate: float
    burst: float
    window: float


class WaitingCounter(int):
    """A row of WaitingCounter."""

    kind: int
    limit: int
    permits: int
    cycle: int
    count: int
    free_at: int
    last: float
    period: float
    rate: float
    burst: float
    stored: float
    most: float
    interval: float
    cool_down: float
    threshold: float
    slope: float
    wait: float


class Discipline(int):
    """Who is served first at a host."""

    interval: float
    kind: int
    first: ReplicaLine
    lines: int
    classes: int
    deadlines: int
    named: int
    names: int
    reader: Reader
    space: int
    joined: int
    push_out: bool
    drop_late: bool


class TurnLine(int):
    """Keys that take turns, by their `next` and `previous`."""

    first: Turn | None
    last: Turn | None


class ReplicaLine(int):
    """What the line of one replica knows beside who stands in it."""

    since: float
    codel: CodelRow
    turns: TurnLine


class ClassLine(int):
    """Those of one class who wait for one replica."""

    line: TaskLine
    waiting: int


class Turn(int):
    """Those of one key who wait for one replica."""

    line: TaskLine
    key: int
    next: Turn | None
    previous: Turn | None


class Named(int):
    """A key that has a class."""

    key: int
    rank: int


class Standing(int):
    """How the task in the row of the same place stands in a line."""

    since: float
    due: float
    number: int
    line: int
    left: float
    interrupted: bool
    midway: bool


class LockCounts(int):
    """A lock as one service has it: what is told of that."""

    held_area: float
    held: int
    waiting: int
    taken: int
    timeouts: int
    deadlocks: int


class Lock(int):
    """A step that takes one."""

    counts: LockCounts
    space: int
    by_item: bool
    by_user: bool
    lane: TimerLane | None
    deadlock_lane: TimerLane | None
    held_after_crash: float
    where: int


class ClaimLine(int):
    """Who waits for what is locked, by their `next` and `previous`."""

    first: Claim | None
    last: Claim | None


class Locked(int):
    """What is locked. It is forgotten when nobody holds it."""

    line: ClaimLine
    space: int
    key: int
    holder: Task | None
    next: Locked | None


class TransactionLine(int):
    """Transactions that stand in a line, by their `next` and `previous`."""

    first: Transaction | None
    last: Transaction | None


class Topic(int):
    """A topic."""

    name: int
    broker: Broker
    first: Partition
    count: int
    groups: int
    first_group: int
    chance: int
    replication: int
    published: int
    sizes: int
    header: int
    by_text: int
    keeper: Keeper | None
    look_every: float
    look: int
    looks: bool
    copies: int
    min_insync: int
    lost: int
    about: int
    deep: bool


class Broker(int):
    """A broker."""

    down: int
    acks: int
    first: Note | None
    last: Note | None
    requests: float
    network: float
    disk: float
    limited: bool
    transacts: bool
    begun: TransactionLine
    look: int
    looks: bool


class Node(int):
    """A node of a broker."""

    down: int
    life: int
    slow: float
    free_requests: float
    free_network: float
    free_disk: float
    subject: int


class Partition(int):
    """A partition: how far it goes, and what is not readable yet."""

    end: int
    first: Message | None
    last: Message | None
    first_segment: Segment | None
    last_segment: Segment | None
    topic: Topic
    leader: Copy | None
    epoch: int
    first_copy: Copy
    in_sync: int
    mark: int


class Copy(int):
    """One replica of one partition, as its leader sees it."""

    due: float
    node: Node
    partition: Partition
    end: int
    life: int
    first: Lack | None
    last: Lack | None
    in_sync: bool


class Lack(int):
    """A record that a replica does not have; of one that is gone and out of sync not all are kept."""

    written: float
    offset: int
    next: Lack | None


class Shipment(int):
    """What is under way to a replica."""

    copy: Copy
    end: int
    life: int
    next: Shipment | None


class Keeper(int):
    """What deletes or compacts a topic."""

    segment_size: float
    segment_time: float
    check: float
    order: int
    key: int
    deleted: int
    compacts: bool
    armed: bool


class Segment(int):
    """A piece of one partition."""

    began: float
    newest: float
    bytes: float
    offset: int
    end: int
    records: int
    first: KeyOfRecord | None
    last: KeyOfRecord | None
    next: Segment | None


class KeyOfRecord(int):
    """A record of a topic that is compacted."""

    offset: int
    key: int
    size: float
    next: KeyOfRecord | None


class Message(int):
    """A message, as long as anything needs it."""

    published: float
    available: float
    number: int
    chain: int
    path: int
    offset: int
    request: Request
    topic: Topic
    partition: Partition
    site: int
    waiter: Task | None
    left: int
    flow: int
    next: Message | None
    replicated: bool


class Fate(int):
    """Where logs have nodes or transactions: more of the message in the row of the same place."""

    transaction: int
    acknowledged: bool
    lost: bool
    next: Message | None


class Transaction(int):
    """The transaction of a member, until that knows how it ended."""

    began: float
    timeout: float
    broker: Broker
    first: Message | None
    last: Message | None
    open: bool
    takes_part: bool
    previous: Transaction | None
    next: Transaction | None


class DeliveryLine(int):
    """Deliveries that stand in a line, by their `next` and `previous`."""

    first: Delivery | None
    last: Delivery | None


class Group(int):
    """A consumer group of a topic."""

    busy_area: float
    topic: Topic
    name: int
    first: GroupPartition
    lag: int
    delivered: int
    redelivered: int
    space: int
    busy: int
    first_member: int
    members: int
    delayed: DeliveryLine
    committed_only: bool


class GroupPartition(int):
    """A partition as one group sees it."""

    group: Group
    owner: Member | None
    waiting: DeliveryLine
    retries: DeliveryLine
    unstable: DeliveryLine
    committed: bool
    obstructed: bool
    out_of_range: bool
    offline: bool


class Delivery(int):
    """A message on its way through one group."""

    end: float
    message: Message
    partition: GroupPartition
    count: int
    failures: int
    how: int
    flow: int
    kept: int
    previous: Delivery | None
    next: Delivery | None


class Member(int):
    """A member of a group."""

    holding_area: float
    busy_area: float
    session: float
    polled: float
    commit_interval: float
    next_commit: float
    fetch_min: float
    fetch_wait: float
    fetch_due: float
    first_fetch: NodeFetch
    fetch_nodes: int
    first_node: Node
    fetch_look: float
    fetches: int
    fetcher: Task | None
    commits: int
    committer: Task | None
    handled: Delivery | None
    looks: bool
    loses: bool
    group: Group
    host: Host
    replica: Replica
    task: Task | None
    hop: Hop
    wire: Wire
    broker: Broker
    salt: int
    max_poll: int
    max_deliveries: int
    retry_topic: int
    retries_first: int
    first_held: int
    partitions: int
    turn: int
    batch: DeliveryLine
    following: Delivery | None
    current: Delivery | None
    pc: Op
    transaction: Transaction | None
    transactions: int
    transaction_timeout: float
    producer: Producer | None
    idempotent: bool
    latest: bool
    order: int
    patience: TimerLane | None
    errand: int
    called: bool
    evicted: bool
    watched: bool
    idle: bool
    belongs: bool
    up: bool
    holding: bool
    died: bool
    processing: bool


class NodeFetch(int):
    """The fetch of a member to one node: `models/fetching.py`."""

    began: float
    found: float
    first: float
    number: int
    answered: bool
    buffered: bool


class Outbox(int):
    """An outbox and its relay."""

    poll: float
    salt: int
    rows: int
    host: Host
    topic: Topic
    sender: Sender | None
    waiter: ConfirmWait | None
    key: int
    site: int
    batch: int
    out: Hop
    back: Hop
    first: OutboxRow | None
    last: OutboxRow | None
    task: Task | None
    replica: Replica | None
    publisher: Publisher | None
    following: OutboxRow | None
    heard: int
    count: int
    written: int
    taken: int
    at: OutboxRow | None
    partition: Partition | None
    pc: Op


class OutboxRow(int):
    """A row of an outbox."""

    request: Request
    chain: int
    path: int
    tries: int
    flow: int
    next: OutboxRow | None


class ProducerLine(int):
    """Producers that stand in a line, by their `next` and `previous`."""

    first: Producer | None
    last: Producer | None


class BatchLine(int):
    """Batches that stand in a line, by their `next` and `previous`."""

    first: Batch | None
    last: Batch | None


class BatchDeadlines(int):
    """Batches that may be given up, the oldest first, by their `later`."""

    due: float
    first: Batch | None
    last: Batch | None
    looks: bool


class RequestDeadlines(int):
    """Requests whose answer is waited for, likewise."""

    due: float
    first: ProduceRequest | None
    last: ProduceRequest | None
    looks: bool


class RecordLine(int):
    """Records that stand in a line, by their `next` and `previous`."""

    first: ProducedRecord | None
    last: ProducedRecord | None


class RequestLine(int):
    """Requests that stand in a line, by their `next` and `previous`."""

    first: ProduceRequest | None
    last: ProduceRequest | None


class NodeConnection(int):
    """Between a producer and a node of its broker."""

    silent_until: float
    arrived: float
    answered: float
    epoch: int
    count: int
    under_way: RequestLine
    unread: ProduceRequest | None
    newest: ProduceRequest | None
    no_room: OpenLine | None
    busy: bool
    broken: bool


class ProducerSettings(int):
    """What is said of the producers of one broker, and what they have in common."""

    linger: float
    batch: float
    buffer: float
    request_timeout: float
    delivery_timeout: float
    retry_backoff: float
    retry_backoff_max: float
    max_in_flight: int
    acks: int
    chance: int
    broker: Broker
    first_producer: Producer
    producers: int
    first_partition: Partition
    first_topic: Topic
    first_node: Node
    nodes: int
    topics: int
    first_quota: int
    hosts: int
    quota_ring: int
    quota_ring_size: int
    there: ProducerLine
    deliveries: BatchDeadlines
    answers: RequestDeadlines
    idempotent: bool


class Producer(int):
    """That of one replica, once it has published; a crash of that ends it."""

    free: float
    woken_at: float
    settings: ProducerSettings
    replica: Replica
    first_line: OpenLine
    first_built_in: int
    life: int
    first_connection: NodeConnection
    requests: int
    batches: int
    blocked: TaskLine
    waiting: int
    live: BatchLine
    first_open: OpenLine | None
    last_open: OpenLine | None
    previous: Producer | None
    next: Producer | None
    there: bool


class OpenLine(int):
    """The batches of one producer for one partition (`batch_lines.py`)."""

    first: Batch | None
    last: Batch | None
    oldest: Batch | None
    newest: Batch | None
    next: OpenLine | None
    sequence: int
    used: bool


class Batch(int):
    """Records of one partition that are sent together."""

    due: float
    deadline: float
    size: float
    producer: Producer
    topic: Topic
    partition: Partition
    sequence: int
    attempts: int
    epoch: int
    member: Member | None
    transaction: int
    records: RecordLine
    message: Message | None
    behind: Batch | None
    older: Batch | None
    newer: Batch | None
    later: Batch | None
    previous: Batch | None
    next: Batch | None
    held: int
    over: bool
    closed: bool


class ProducedRecord(int):
    """One record, and who waits until it is acknowledged, or for memory."""

    publisher: Publisher
    request: Request
    chain: int
    path: int
    flow: int
    member: Member | None
    transaction: int
    turn: int
    outcome: int
    task: Task | None
    ticket: int
    previous: ProducedRecord | None
    next: ProducedRecord | None
    held: int
    blocked: bool


class ProduceRequest(int):
    """One request under way: to the broker, until what `acks` asks for has happened there, and back."""

    size: float
    deadline: float
    throttle: float
    producer: Producer
    life: int
    node: Node
    connection: NodeConnection
    epoch: int
    previous: ProduceRequest | None
    behind: ProduceRequest | None
    first: RequestedBatch | None
    last: RequestedBatch | None
    unsettled: int
    later: ProduceRequest | None
    next: ProduceRequest | None
    held: int
    over: bool
    read: bool
    node_life: int
    told: bool


class RequestedBatch(int):
    """A batch in one request, and what became of it there."""

    request: ProduceRequest
    batch: Batch
    outcome: int
    before: Task | None
    next: RequestedBatch | None


class ProducerWake(int):
    """A look of a producer that is planned."""

    producer: Producer
    life: int
    next: ProducerWake | None


class Publisher(int):
    """One place that publishes through producers."""

    size: float
    settings: ProducerSettings
    topic: Topic
    key: int
    site: int
    out: Hop | None
    back: Hop | None
    patience: TimerLane
    hears: bool


class SagaCounts(int):
    """What is told of all sagas of one service."""

    completed: int
    compensated: int
    stuck: int
    open: int


class Saga(int):
    """What is said of one."""

    counts: SagaCounts
    salt: int
    attempts: int
    pause: float
    aside: Op | None


class SagaRun(int):
    """A saga that is under way, and how far it is."""

    counts: SagaCounts
    done: int
    tries: int
    chain: int
    path: int
    outcome: int
    where: int
    root: int
    next: SagaRun | None


class Ledger(int):
    """What is told of charges and reservations, where somebody follows them."""

    area: float
    open: int
    entered: int
    was_in: bool


class SessionCounts(int):
    """What is told of all sessions of one service."""

    found: int
    begun: int
    lost: int
    space: int


class Session(int):
    """A step that looks for one."""

    counts: SessionCounts
    expires: float
    stored: bool
    degrades: bool
    refuses: bool
    where: int


class Workload(int):
    """One traffic."""

    due: float
    spent: float
    base: int
    subject: int
    name: int
    arrived: int
    first_door: Door
    doors: int
    mix: int
    users: Population | None
    items: Population | None
    caller: Replica
    pc: Op
    lane: TimerLane | None
    own_patience: Draw | None
    bears: float
    staying: int
    retry: RetryRow
    max_attempts: int
    jitter: Draw
    budget: BudgetRow | None
    tokens: Ring
    throttle: ThrottleRow | None
    library_budget: LibraryBudgetRow | None
    source: int
    buffered: int
    taken: int
    route_rows: int
    user_rows: int
    apart: bool
    virtual: VirtualUsers | None
    visiting: Visiting | None
    visits: int
    left: int
    patient: bool
    tells: bool
    honor: bool


class Visiting(int):
    """What people do who come with several requests."""

    requests: Repetition
    first: int
    steps: int
    think: int
    patience: int
    leaves: float


class VirtualUsers(int):
    """Those of a load generator, who run the iterations of one open traffic."""

    there: int
    most: int
    busy: int
    dropped: int


class Visit(int):
    """Somebody with several requests."""

    number: int
    place: int
    count: int
    user: int
    next: Visit | None


class Population(int):
    """Users or items, by popularity."""

    exponent: float
    count: int
    step: int
    first: int
    size: int
    number: int
    key: int


class Door(int):
    """What a workload may ask for."""

    target: Target
    hop: Hop
    workload: Workload
    route: int
    needs: int
    mark: int
    narrower: int
    narrowers: int


class NarrowerRoute(int):
    """A route of the gateway that takes those requests of a door which carry something."""

    door: Door
    first: int
    count: int


class Source(int):
    """A row of Source."""

    kind: int
    key: int
    stays_key: int
    duration: float
    made: int
    mass: float
    time: float
    stays: int
    piece: int
    end: int
    offset: int
    size: int


class Piece(int):
    """A row of Piece."""

    kind: int
    start: float
    length: float
    base: float
    mass: float
    rate: float
    change: float
    scale: float
    phase: float
    origin: float


class Op(int):
    """One operation: which, on which host, and where to go on a jump and on a failure."""

    kind: int
    host: Host
    to: Op
    fail: Op


class EntryOp(int):
    """Where an endpoint or route begins."""

    kind: int
    host: Host
    to: Op
    fail: Op
    endpoint: int
    answers: int
    salt: int
    limits: LimitsStep
    limited: bool
    counted: bool
    keyed: bool


class TimedOp(int):
    """Work or a wait."""

    kind: int
    host: Host
    to: Op
    fail: Op
    draw: int
    kept: bool
    computing: bool


class PlaceOp(int):
    """Get a place."""

    kind: int
    host: Host
    to: Op
    fail: Op
    spares_own_threads: bool


class CallOp(int):
    """A guarded call."""

    kind: int
    host: Host
    to: Op
    fail: Op
    call: Call
    for_others: bool


class ProduceOp(int):
    """A publication by way of a producer."""

    kind: int
    host: Host
    to: Op
    fail: Op
    call: Call
    for_others: bool
    publisher: Publisher
    fails: bool


class BatchOp(int):
    """A publication of which the last of each batch is waited for."""

    kind: int
    host: Host
    to: Op
    fail: Op
    call: Call
    for_others: bool
    batch: int


class EndOp(int):
    """The end of an attempt."""

    kind: int
    host: Host
    to: Op
    fail: Op
    by_outcome: bool


class EffectOp(int):
    """A durable business fact."""

    kind: int
    host: Host
    to: Op
    fail: Op
    effect: int
    ledger: int
    idempotent: bool


class ChanceOp(int):
    """End with an outcome by chance."""

    kind: int
    host: Host
    to: Op
    fail: Op
    share: float
    draw: int
    outcome: int
    where: int
    kept: bool


class LimitsOp(int):
    """The limits of a route."""

    kind: int
    host: Host
    to: Op
    fail: Op
    step: LimitsStep


class WorkloadOp(int):
    """A client of a workload asks."""

    kind: int
    host: Host
    to: Op
    fail: Op
    workload: Workload


class ThinkOp(int):
    """A user of a workload thinks."""

    kind: int
    host: Host
    to: Op
    fail: Op
    workload: Workload
    draw: int
    ramp: float
    pacing: float
    users: int


class NextUserOp(int):
    """A user has his answer."""

    kind: int
    host: Host
    to: Op
    fail: Op
    users: int


class OutboxOp(int):
    """Write to an outbox, or relay it."""

    kind: int
    host: Host
    to: Op
    fail: Op
    outbox: Outbox


class SaltOp(int):
    """A part with a salt of its own begins or is over."""

    kind: int
    host: Host
    to: Op
    fail: Op
    salt: int
    depth: int


class StockOp(int):
    """Look at a stock, or take from it."""

    kind: int
    host: Host
    to: Op
    fail: Op
    stock: Stock
    where: int


class ReplyOp(int):
    """Answer early."""

    kind: int
    host: Host
    to: Op
    fail: Op
    courier: Op


class ParallelOp(int):
    """Branches."""

    kind: int
    host: Host
    to: Op
    fail: Op
    first: int
    count: int
    enough: int


class RacerOp(int):
    """A branch of a race is over."""

    kind: int
    host: Host
    to: Op
    fail: Op
    cancels: bool
    enough: int


class ShareOp(int):
    """One of several branches."""

    kind: int
    host: Host
    to: Op
    fail: Op
    edge: float
    draw: int
    kept: bool


class RepeatOp(int):
    """The same several times."""

    kind: int
    host: Host
    to: Op
    fail: Op
    repetition: Repetition
    depth: int


class AsideOp(int):
    """Something begins that nobody waits for."""

    kind: int
    host: Host
    to: Op
    fail: Op
    program: Op


class LookOp(int):
    """A look into a cache, or what comes of it."""

    kind: int
    host: Host
    to: Op
    fail: Op
    look: Look


class CacheWriteOp(int):
    """A write through a cache, or what comes of it."""

    kind: int
    host: Host
    to: Op
    fail: Op
    write: WriteStep
    depth: int
    timed: bool


class SagaOp(int):
    """A part of a saga."""

    kind: int
    host: Host
    to: Op
    fail: Op
    saga: Saga
    step: int


class SessionOp(int):
    """A look for a session, or what comes of it."""

    kind: int
    host: Host
    to: Op
    fail: Op
    session: Session


class LockOp(int):
    """A lock is taken, or given back."""

    kind: int
    host: Host
    to: Op
    fail: Op
    lock: Lock


class TokenOp(int):
    """A token that the identity provider may have to be asked for."""

    kind: int
    host: Host
    to: Op
    fail: Op
    draw: int
    where: int


class PluginOp(int):
    """A step of a plug-in."""

    kind: int
    host: Host
    to: Op
    fail: Op
    function: int
    step: int
    depth: int


class QueueBroker(int):
    """A queue broker."""

    disk: float
    disk_free_limit: float
    message_size: float
    recovery: float
    down: int
    alarms: int
    on_disk: int
    blocked: int
    unroutable: int
    first: Note | None
    last: Note | None
    subject: int
    about_disk: int
    has_disk: bool
    disk_is_low: bool
    nodes: int
    first_node: int
    offline: int


class LetterLine(int):
    """Messages that stand in a line, by their `next` and `previous`."""

    first: Letter | None
    last: Letter | None


class MessageQueue(int):
    """One queue."""

    free_at: float
    worked: float
    busy_area: float
    ttl: float
    armed: float
    patience: float
    slow: float
    broker: QueueBroker
    bit: int
    name: int
    commit: int
    work: int
    ring: int
    taken: int
    published: int
    delivered: int
    redelivered: int
    lag: int
    ready: int
    unacked: int
    busy: int
    new: LetterLine
    back: LetterLine
    uncommitted: LetterLine
    kept: LetterLine
    beyond: int
    entries: int
    returned: Letter | None
    active: Channel | None
    first_round: Round
    rounds: int
    first_channel: int
    channels: int
    comers: int
    space: int
    most: int
    highest_priority: int
    usual_priority: int
    failures_allowed: int
    leader: int
    stalled_first: QueueDelivery | None
    stalled_last: QueueDelivery | None
    dead: int
    hopeful: bool
    consumed: bool
    quorum: bool
    drops_head: bool
    ranked: bool
    rejects_to_dead: bool
    closed: bool
    single: bool


class Round(int):
    """Consumers of one priority that have prefetch left, in the order of the round."""

    first: Channel | None
    last: Channel | None


class QueueDeliveryLine(int):
    """Deliveries that stand in a line, by their `next` and `previous`."""

    first: QueueDelivery | None
    last: QueueDelivery | None


class Channel(int):
    """A consumer of a queue, and its channel."""

    held_area: float
    busy_area: float
    due: float
    next_try: float
    silent_until: float
    queue: MessageQueue
    broker: QueueBroker
    host: Host
    replica: Replica
    task: Task | None
    out: Hop
    back: Hop
    wire: Wire
    round: Round
    priority: int
    prefetch: int
    salt: int
    node: int
    came: int
    previous: Channel | None
    next: Channel | None
    handed: QueueDeliveryLine
    unacked: int
    inbox_first: QueueDelivery | None
    inbox_last: QueueDelivery | None
    stuck_first: QueueDelivery | None
    stuck_last: QueueDelivery | None
    current: QueueDelivery | None
    in_hand: Request | None
    pc: Op
    order: int
    subject: int
    about: int
    on_failure: int
    automatic: bool
    idempotent: bool
    in_line: bool
    up: bool
    closing: bool
    open: bool
    unreached: bool
    idle: bool
    processing: bool
    patient: bool
    listened_to: bool


class Letter(int):
    """One message in one queue."""

    published: float
    available: float
    expires: float
    expiration: float
    safe_at: float
    entity: int
    number: int
    chain: int
    path: int
    offset: int
    order: int
    priority: int
    node: int
    site: int
    address: int
    flow: int
    deliveries: int
    failures: int
    handed: int
    given_up_by: int
    request: Request
    queue: MessageQueue
    publication: Publication | None
    place: int
    previous: Letter | None
    next: Letter | None
    committed: bool
    stalled: bool
    redelivered: bool


class QueueDelivery(int):
    """One message on its way to one consumer, in its hands, and what becomes of it on the way back."""

    since: float
    letter: Letter
    channel: Channel
    number: int
    site: int
    flow: int
    said: int
    previous: QueueDelivery | None
    next: QueueDelivery | None
    behind: QueueDelivery | None
    live: bool
    under_way: bool
    handled: bool


class Publication(int):
    """What was published once and somebody waits for: it is confirmed when every queue has it that it came to."""

    pending: int
    waiter: ConfirmWait | None
    next: Publication | None
    refused: bool


class ConfirmWait(int):
    """A wait until so many publications are confirmed."""

    number: int
    open: int
    broker: QueueBroker
    node: int
    task: Task | None
    next: ConfirmWait | None
    waiting: bool
    refused: bool
    broken: bool
    over: bool


class QueueTimer(int):
    """A look at the head of a queue, which will have expired."""

    due: float
    queue: MessageQueue
    next: QueueTimer | None


class Sender(int):
    """One place that publishes to an exchange, or to a queue."""

    broker: QueueBroker
    first: int
    count: int
    address: int
    site: int
    where: int
    expiration: int
    batch: int
    priority: int
    mandatory: bool


class DeadRoute(int):
    """Where what a queue gives up goes that has come by this address."""

    first: int
    count: int
    address: int


class InstanceLine(int):
    """Instances with room, by their `next` and `previous`: who was used last stands last."""

    first: Instance | None
    last: Instance | None


class Function(int):
    """All of a service."""

    idle_timeout: float
    paid_area: float
    running_area: float
    running_provisioned_area: float
    roomy: InstanceLine
    ready: InstanceLine
    concurrency: int
    limit: int
    cold_start: int
    there: int
    provisioned: int
    fresh: int
    account: FunctionAccount | None
    running: int
    running_provisioned: int
    cold_starts: int
    throttled: int
    spilled: int
    executions: int


class FunctionAccount(int):
    """What functions without a reserve of their own share."""

    most: int
    active: int


class Instance(int):
    """One of them."""

    ready_at: float
    since: float
    active: int
    provisioned: bool
    next: Instance | None
    previous: Instance | None


class Holding(int):
    """Where there are functions: of the attempt in the row of the same place."""

    instance: int


class Series(int):
    """What one time series reads."""

    what: int
    index: int
    count: int
    mean: bool
