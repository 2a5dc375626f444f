"""The time series, sampled at every tick: what `World` watches, by number."""

from __future__ import annotations

import math

from sim.compiled.apart import by_address
from sim.compiled.balancing import ejected_on_average, healthy_replicas
from sim.compiled.base import OUTCOMES, UNLIMITED, handler, whole
from sim.compiled.cores import busy_cores
from sim.compiled.instances import area_of_instances
from sim.compiled.lines import waiting_of_class
from sim.compiled.queues import CAUSES
from sim.compiled.rows.caches import cache_writes, caches, collected, stores
from sim.compiled.rows.hosts import ended, fleets, from_zones, hosts, node_pools, quotas, replicas
from sim.compiled.rows.idempotency import keys
from sim.compiled.rows.limits import limits
from sim.compiled.rows.locks import lock_counts
from sim.compiled.rows.logs import groups, keepers, member_of, members, outboxes, partitions, topics
from sim.compiled.rows.plugins import STEP_WORDS, plugin_words
from sim.compiled.rows.producers import producer_settings, producers
from sim.compiled.rows.queues import channel_of, channels, given_up, message_queues, queue_brokers
from sim.compiled.rows.sagas import ledgers, saga_counts
from sim.compiled.rows.serverless import serverless_functions
from sim.compiled.rows.sessions import session_counts
from sim.compiled.rows.state import State
from sim.compiled.rows.traffic import virtual_users, workloads
from sim.compiled.rows.watched import areas, moments, samples, series
from sim.compiled.written.watched import read_layers

(
    # of hosts, and of what stands beside them
    BUSY, QUEUE, REPLICAS, WORKERS, CORES_BUSY, CORES, IN_FLIGHT, ATTEMPTS, FIRST_ATTEMPTS, LISTEN_BACKLOG,
    WORK_DONE, WORK_WASTED, BACKGROUND, BACKGROUND_FAILED, PAUSED,
    LISTEN_OVERFLOWS, EJECTED, CLASS_QUEUE, PLUGIN_TOTAL,
    # of groups of consumers, and of where records are kept
    LAG, DELIVERED, REDELIVERED, GROUP_BUSY, GROUP_WORKERS, MEMBER_BUSY, OUTBOX_ROWS, DELETED,
    LIMIT_PASSED, LIMIT_REFUSED, UNDECIDED,
    VISITS, VISITS_LEFT, VIRTUAL_USERS, DROPPED_ITERATIONS,
    REPLICAS_WANTED, REPLICAS_PAID, CPU_TARGET,
    # of mechanisms, each with a function of its own
    CACHE_HITS, CACHE_MISSES, CACHE_STALE, CACHE_JOINED, CACHE_LOADS, CACHE_ENTRIES,
    SAGAS_COMPLETED, SAGAS_COMPENSATED, SAGAS_STUCK, SAGAS_OPEN, HEALTHY, FROM_SAME_ZONE, FROM_OTHER_ZONE,
    REPLAYED, KEY_CONFLICTS, SESSIONS_FOUND, SESSIONS_BEGUN, SESSIONS_LOST, THROTTLED, THROTTLED_PERIODS,
    NOT_RESERVED, EVER_NOT_RESERVED, NODES, NODES_PAID, REPLICAS_PENDING,
    QUEUE_LAG, QUEUE_READY, QUEUE_UNACKED, QUEUE_DELIVERED, QUEUE_REDELIVERED, QUEUE_PROCESS, QUEUE_GIVEN_UP,
    QUEUE_BUSY, QUEUE_WORKERS, CHANNEL_BUSY, BLOCKED, UNROUTABLE, QUEUES_OFFLINE, INSTANCES, COLD_STARTS, THROTTLES,
    SPILLOVER, EXECUTIONS, RUNNING, RUNNING_PROVISIONED,
    CACHE_WRITES, CACHE_WRITES_STORED, CACHE_WRITES_WAITING, OFFLINE, UNDER_REPLICATED, RECORDS_LOST,
    PRODUCERS_BLOCKED, PRODUCE_REQUESTS, PRODUCED_BATCHES, BUFFERED,
    LOCKS_HELD, LOCK_WAITING, LOCKS_TAKEN, LOCK_TIMEOUTS, DEADLOCKS, OF_LAYERS,
) = map(whole, range(98))  # fmt: skip


@handler
def read(s: State, what: int, index: int, count: int) -> float:
    """The level or total of one series now, or its integral since 0."""
    if what < LISTEN_OVERFLOWS:
        return read_host(s, what, index)
    if what < LAG:
        return read_beside_host(s, what, index, count)
    if what < LIMIT_PASSED:
        return read_consumers(s, what, index)
    if what < VISITS:
        return read_limit(s, what, index)
    if what < REPLICAS_WANTED:
        return read_traffic(s, what, index)
    if what < CACHE_HITS:
        return read_fleet(s, what, index)
    return read_mechanism(s, what, index, count)


@handler
def read_mechanism(s: State, what: int, index: int, count: int) -> float:
    """The same of whatever has a function of its own."""
    if what < SAGAS_COMPLETED:
        return read_cache(s, what, index)
    if what < HEALTHY:
        return read_sagas(s, what, index)
    if what < REPLAYED:
        return read_known(s, what, index)
    if what < SESSIONS_FOUND:
        return float(keys(s)[index].replayed if what == REPLAYED else keys(s)[index].conflicts)
    if what < THROTTLED:
        return read_sessions(s, what, index)
    if what < NOT_RESERVED:
        return read_quotas(s, what, index)
    if what < NODES:
        return read_ledger(s, what)
    if what < QUEUE_LAG:
        return read_pool(s, what, index)
    if what < BLOCKED:
        return read_queue(s, what, index, count)
    if what < INSTANCES:
        return read_queue_broker(s, what, index)
    if what < CACHE_WRITES:
        return read_function(s, what, index)
    if what < OFFLINE:
        return read_cache_writes(s, what, index)
    if what < PRODUCERS_BLOCKED:
        return read_nodes(s, what, index, count)
    if what < LOCKS_HELD:
        return read_producers(s, what, index)
    if what < OF_LAYERS:
        return read_lock(s, what, index)
    return read_layers(s, what - OF_LAYERS, index, count)


@handler
def read_queue_broker(s: State, what: int, index: int) -> float:
    """The same of a queue broker as a whole."""
    row = queue_brokers(s)[index]
    if what == QUEUES_OFFLINE:
        return float(row.offline)
    return float(row.blocked if what == BLOCKED else row.unroutable)


@handler
def read_beside_host(s: State, what: int, index: int, count: int) -> float:
    """The same of what stands beside a host: its kernel, who balances it, its queue by classes, steps of plug-ins."""
    if what == LISTEN_OVERFLOWS:
        return float(hosts(s)[index].syns_dropped)
    if what == EJECTED:
        return ejected_on_average(s, index)
    if what == CLASS_QUEUE:
        return waiting_of_class(s, index, count)
    return read_plugin(s, index, count)


@handler
def read_consumers(s: State, what: int, index: int) -> float:
    """The same of a group of consumers, one of its members, an outbox, or what deletes records of a topic."""
    now = s.now
    if what == OUTBOX_ROWS:
        return float(outboxes(s)[index].rows)
    if what == DELETED:
        return float(keepers(s)[index].deleted)
    if what == MEMBER_BUSY:
        return float(members(s)[index].busy_area + (now if members(s)[index].processing else 0.0))
    group = groups(s)[index]
    if what == LAG:
        return float(group.lag)
    if what == DELIVERED:
        return float(group.delivered)
    if what == REDELIVERED:
        return float(group.redelivered)
    if what == GROUP_BUSY:
        return float(group.busy_area + group.busy * now)
    total = 0.0
    for member in range(group.first_member, group.first_member + group.members):
        row = members(s)[member_of(s)[member]]
        total += row.holding_area + (now if row.holding else 0.0)
    return total


@handler
def read_limit(s: State, what: int, index: int) -> float:
    """The same of a limit."""
    limit = limits(s)[index]
    if what == LIMIT_PASSED:
        return float(limit.passed)
    return float(limit.refused if what == LIMIT_REFUSED else limit.undecided)


@handler
def read_traffic(s: State, what: int, index: int) -> float:
    """The same of the journeys and virtual users of a traffic."""
    traffic = workloads(s)[index]
    if what == VISITS:
        return float(traffic.visits)
    if what == VISITS_LEFT:
        return float(traffic.left)
    users = virtual_users(s)[traffic.virtual]
    return float(users.busy if what == VIRTUAL_USERS else users.dropped)


@handler
def read_fleet(s: State, what: int, index: int) -> float:
    """The same of replicas that come and go."""
    fleet = fleets(s)[index]
    if what == REPLICAS_WANTED:
        return float(fleet.wanted)
    if what == CPU_TARGET:
        return float(fleet.cpu_target)
    return float(fleet.paid_area + fleet.paid * s.now)


@handler
def read_plugin(s: State, word: int, replicas_of_host: int) -> float:
    """What a step of a plug-in has counted in all replicas."""
    total = 0
    for replica in range(replicas_of_host):
        total += plugin_words(s)[word + replica * STEP_WORDS]
    return float(total)


@handler
def read_nodes(s: State, what: int, broker: int, topics_of_all: int) -> float:
    """The same of a log with nodes."""
    total = 0
    for place in range(topics_of_all):
        topic = topics(s)[place]
        if topic.broker != broker or not topic.deep:
            continue
        if what == RECORDS_LOST:
            total += topic.lost
            continue
        for index in range(topic.first, topic.first + topic.count):
            partition = partitions(s)[index]
            is_so = partition.leader < 0 if what == OFFLINE else partition.in_sync < topic.copies
            total += int(is_so)
    return float(total)


@handler
def read_quotas(s: State, what: int, index: int) -> float:
    """For how long replicas of a host have been throttled, or how often."""
    host = hosts(s)[index]
    total = 0.0
    for replica in range(host.first, host.first + host.count):
        quota = quotas(s)[replicas(s)[replica].quota]
        total += quota.area + quota.throttled * s.now if what == THROTTLED else float(quota.times)
    return total


@handler
def read_host(s: State, what: int, index: int) -> float:
    """The same of a host."""
    now = s.now
    host = hosts(s)[index]
    if what >= IN_FLIGHT:
        return count_at_host(s, what, index)
    if what == BUSY:
        busy = 0
        for replica in range(host.first, host.first + host.count):
            busy += host.workers - replicas(s)[replica].free
        return float(host.busy_area + busy * now)
    if what == QUEUE:
        return float(host.queue_area + host.queued * now)
    if what == REPLICAS:
        return float(host.up_area + host.up * now)
    if what == WORKERS:
        return (host.up_area + host.up * now) * host.workers if host.workers < UNLIMITED else math.inf
    if what == CORES_BUSY:
        total = 0.0
        for replica in range(host.first, host.first + host.count):
            row = replicas(s)[replica]
            total += row.used + (now - row.used_since) * busy_cores(s, replica)
        return total
    if host.resizes:
        return host.granted_area + host.granted * now
    return (host.up_area + host.up * now) * host.cores


@handler
def count_at_host(s: State, what: int, index: int) -> float:
    """The same of the attempts at a host, and of their work."""
    host = hosts(s)[index]
    if what == IN_FLIGHT:
        over = 0
        for outcome in range(OUTCOMES):
            over += ended(s)[index * OUTCOMES + outcome]
        return float(host.offered - over)
    if what == ATTEMPTS:
        return float(host.offered)
    if what == FIRST_ATTEMPTS:
        return float(host.offered - host.again)
    if what == LISTEN_BACKLOG:
        return float(host.outside_area + host.outside * s.now)
    if what == WORK_DONE:
        return float(host.work_done)
    if what == WORK_WASTED:
        return float(host.work_wasted)
    if what == PAUSED:
        return host.paused_area + host.paused * s.now
    return float(host.adrift if what == BACKGROUND else host.background_failed)


@handler
def read_cache(s: State, what: int, index: int) -> float:
    """The same of a cache."""
    cache = caches(s)[index]
    if what == CACHE_HITS:
        return float(cache.hits)
    if what == CACHE_MISSES:
        return float(cache.misses)
    if what == CACHE_STALE:
        return float(cache.stale)
    if what == CACHE_JOINED:
        return float(cache.joined)
    if what == CACHE_LOADS:
        return float(cache.loads)
    count = 0
    for store in range(cache.first, cache.first + cache.stores):
        count += stores(s)[store].count
    return float(count)


@handler
def read_cache_writes(s: State, what: int, index: int) -> float:
    """The same of writes to a cache."""
    counts = cache_writes(s)[index]
    if what == CACHE_WRITES:
        return float(counts.accepted)
    if what == CACHE_WRITES_STORED:
        return float(counts.stored)
    waiting = 0
    for place in range(counts.first, counts.first + counts.replicas):
        waiting += collected(s)[place].waiting
    return float(waiting)


@handler
def read_producers(s: State, what: int, index: int) -> float:
    """The same of the producers of a log broker; those that are gone have sent what they have sent."""
    settings = producer_settings(s)[index]
    if what == BUFFERED:
        buffered, producer = 0.0, settings.there.first
        while producer >= 0:
            buffered += settings.buffer - producers(s)[producer].free
            producer = producers(s)[producer].next
        return buffered
    total = 0
    for producer in range(settings.first_producer, settings.first_producer + settings.producers):
        row = producers(s)[producer]
        total += row.waiting if what == PRODUCERS_BLOCKED else row.requests if what == PRODUCE_REQUESTS else row.batches
    return float(total)


@handler
def read_known(s: State, what: int, index: int) -> float:
    """The same of what balancers know of the replicas of a host, and of the zones of its callers."""
    if what == HEALTHY:
        return healthy_replicas(s, index)
    return float(from_zones(s)[2 * index + (1 if what == FROM_OTHER_ZONE else 0)])


@handler
def read_sessions(s: State, what: int, index: int) -> float:
    """The same of the sessions of a service."""
    counts = session_counts(s)[index]
    if what == SESSIONS_FOUND:
        return float(counts.found)
    return float(counts.begun if what == SESSIONS_BEGUN else counts.lost)


@handler
def read_lock(s: State, what: int, index: int) -> float:
    """The same of a lock as one service has it."""
    counts = lock_counts(s)[index]
    if what == LOCKS_HELD:
        return counts.held_area + counts.held * s.now
    if what == LOCK_WAITING:
        return float(counts.waiting)
    if what == LOCKS_TAKEN:
        return float(counts.taken)
    return float(counts.timeouts if what == LOCK_TIMEOUTS else counts.deadlocks)


@handler
def read_ledger(s: State, what: int) -> float:
    """The same of charges and reservations."""
    ledger = ledgers(s)[0]
    return ledger.area + ledger.open * s.now if what == NOT_RESERVED else float(ledger.entered)


@handler
def read_function(s: State, what: int, index: int) -> float:
    """The same of the instances of a function."""
    if what == INSTANCES:
        return area_of_instances(s, index)
    function = serverless_functions(s)[index]
    if what == RUNNING:
        return function.running_area + function.running * s.now
    if what == RUNNING_PROVISIONED:
        return function.running_provisioned_area + function.running_provisioned * s.now
    if what == SPILLOVER:
        return float(function.spilled)
    if what == EXECUTIONS:
        return float(function.executions)
    return float(function.cold_starts if what == COLD_STARTS else function.throttled)


@handler
def read_pool(s: State, what: int, index: int) -> float:
    """The same of the nodes of a pool."""
    pool = node_pools(s)[index]
    if what == NODES_PAID:
        return pool.paid_area + pool.paid * s.now
    return float(pool.ready if what == NODES else pool.pending)


@handler
def read_sagas(s: State, what: int, index: int) -> float:
    """The same of the sagas of a service."""
    counts = saga_counts(s)[index]
    if what == SAGAS_COMPLETED:
        return float(counts.completed)
    if what == SAGAS_COMPENSATED:
        return float(counts.compensated)
    return float(counts.stuck if what == SAGAS_STUCK else counts.open)


@handler
def read_queue(s: State, what: int, index: int, cause: int) -> float:
    """The same of a queue of a queue broker, or of one of its consumers."""
    now = s.now
    if what == CHANNEL_BUSY:
        return channels(s)[index].busy_area + (now if channels(s)[index].processing else 0.0)
    queue = message_queues(s)[index]
    if what == QUEUE_LAG:
        return float(queue.lag)
    if what == QUEUE_READY:
        return float(queue.ready)
    if what == QUEUE_UNACKED:
        return float(queue.unacked)
    if what == QUEUE_DELIVERED:
        return float(queue.delivered)
    if what == QUEUE_REDELIVERED:
        return float(queue.redelivered)
    if what == QUEUE_PROCESS:
        return queue.worked - (queue.free_at - now if queue.free_at > now else 0.0)
    if what == QUEUE_GIVEN_UP:
        return float(given_up(s)[index * CAUSES + cause])
    if what == QUEUE_BUSY:
        return queue.busy_area + queue.busy * now
    total = 0.0
    for place in range(queue.first_channel, queue.first_channel + queue.channels):
        row = channels(s)[channel_of(s)[place]]
        total += row.held_area + (now if row.open else 0.0)
    return total


@by_address
@handler
def tick(s: State) -> None:
    """Sample all series now."""
    since = moments(s)[s.tick]
    s.tick += 1
    now = s.now
    for index in range(s.series_count):
        row = series(s)[index]
        value = read(s, row.what, row.index, row.count)
        if row.mean:
            area = areas(s)[index]
            areas(s)[index] = value
            value = (value - area) / (now - since)
        samples(s)[s.tick * s.series_count + index] = value
