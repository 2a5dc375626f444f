"""Time series, as rows: what is watched, by number, in the order in which it was registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import sampling
from sim.compiled.flows.calls import LAYERS, series_of
from sim.compiled.program import Unsupported
from sim.compiled.rows import watched as rows
from sim.compiled.wiring.found import Filled, Found, fractions
from sim.compiled.wiring.lines import classes_of
from sim.models.group import MEMBER
from sim.models.ledger import LEDGER
from sim.models.queues.deaths import CAUSES
from sim.models.queues.series import MEMBER as CONSUMER

if TYPE_CHECKING:
    from sim.compiled.plugins.tables import PluginTables
    from sim.compiled.wiring.caches import CacheTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.compiled.wiring.idempotency import KeyTables
    from sim.compiled.wiring.locks import LockTables
    from sim.compiled.wiring.places import Places
    from sim.compiled.wiring.sagas import SagaTables
    from sim.compiled.wiring.sessions import SessionTables

OF_HOSTS = (  # as `sampling` numbers them
    "busy", "queue", "replicas", "workers", "cores_busy", "cores", "in_flight", "attempts", "first_attempts",
    "listen_backlog", "work_done", "work_wasted", "background", "background_failed", "paused",
)  # fmt: skip
OF_GROUPS = (
    ("lag", sampling.LAG),
    ("delivered", sampling.DELIVERED),
    ("redelivered", sampling.REDELIVERED),
    ("busy", sampling.GROUP_BUSY),
    ("workers", sampling.GROUP_WORKERS),
)

OF_QUEUES = (
    ("lag", sampling.QUEUE_LAG),
    ("ready", sampling.QUEUE_READY),
    ("unacked", sampling.QUEUE_UNACKED),
    ("delivered", sampling.QUEUE_DELIVERED),
    ("redelivered", sampling.QUEUE_REDELIVERED),
    ("process", sampling.QUEUE_PROCESS),
    ("busy", sampling.QUEUE_BUSY),
    ("workers", sampling.QUEUE_WORKERS),
)
OF_PRODUCERS = (
    ("blocked", sampling.PRODUCERS_BLOCKED),
    ("produce_requests", sampling.PRODUCE_REQUESTS),
    ("batches", sampling.PRODUCED_BATCHES),
    ("buffered", sampling.BUFFERED),
)
OF_SAGAS = (
    ("sagas_completed", sampling.SAGAS_COMPLETED),
    ("sagas_compensated", sampling.SAGAS_COMPENSATED),
    ("sagas_stuck", sampling.SAGAS_STUCK),
    ("sagas_open", sampling.SAGAS_OPEN),
)
OF_CACHE_WRITES = (
    ("cache_writes", sampling.CACHE_WRITES),
    ("cache_writes_stored", sampling.CACHE_WRITES_STORED),
    ("cache_writes_waiting", sampling.CACHE_WRITES_WAITING),
)
OF_NODES = (
    ("offline", sampling.OFFLINE),
    ("under_replicated", sampling.UNDER_REPLICATED),
    ("lost", sampling.RECORDS_LOST),
)
OF_FUNCTIONS = (
    ("instances", sampling.INSTANCES),
    ("cold_starts", sampling.COLD_STARTS),
    ("throttles", sampling.THROTTLES),
    ("spillover", sampling.SPILLOVER),
    ("executions", sampling.EXECUTIONS),
    ("running", sampling.RUNNING),
    ("running_provisioned", sampling.RUNNING_PROVISIONED),
)
OF_LOCKS = (
    ("locks_held", sampling.LOCKS_HELD),
    ("lock_waiting", sampling.LOCK_WAITING),
    ("locks_taken", sampling.LOCKS_TAKEN),
    ("lock_timeouts", sampling.LOCK_TIMEOUTS),
    ("deadlocks", sampling.DEADLOCKS),
)
OF_SESSIONS = (
    ("sessions_found", sampling.SESSIONS_FOUND),
    ("sessions_begun", sampling.SESSIONS_BEGUN),
    ("sessions_lost", sampling.SESSIONS_LOST),
)
OF_CACHES = (
    ("cache_hits", sampling.CACHE_HITS),
    ("cache_misses", sampling.CACHE_MISSES),
    ("cache_stale", sampling.CACHE_STALE),
    ("cache_joined", sampling.CACHE_JOINED),
    ("cache_loads", sampling.CACHE_LOADS),
    ("cache_entries", sampling.CACHE_ENTRIES),
)


class SeriesTables:
    """Their rows."""

    def __init__(
        self,
        places: Places,
        guards: GuardTables,
        caches: CacheTables,
        sagas: SagaTables,
        keys: KeyTables,
        sessions: SessionTables,
        locks: LockTables,
        plugins: PluginTables,
    ):
        self.places, self.guards, self.caches, self.sagas, self.plugins = places, guards, caches, sagas, plugins
        self.keys, self.sessions, self.locks = keys, sessions, locks
        self.series = Found(rows.Series)
        self._found: dict[tuple[str, str], list[dict[str, int]]] = {}
        self._watch_hosts()
        self._watch_guards()
        self._watch_groups()
        self._watch_nodes()
        self._watch_queues()
        self._watch_limits()
        self._watch_steps()
        self._watch_keys()
        self._watch_visits()
        self._watch_fleets()
        self._watch_ledger()
        self._watch_plugins()
        for series in places.world.recorder.series:
            known = self._found.get((series.component, series.quantity))
            if not known:
                raise Unsupported(f"the time series '{series.name}'")
            self.series.add(mean=series.kind == "mean", **known.pop(0))

    def _watch(self, component: str, quantity: str, what: int, index: int, count: int = 0) -> None:
        self._found.setdefault((component, quantity), []).append({"what": what, "index": index, "count": count})

    def _watch_hosts(self) -> None:
        for place, host in enumerate(self.places.hosts):
            for what, quantity in enumerate(OF_HOSTS):
                self._watch(host.name, quantity, what, place)
            self._watch(host.name, "listen_overflows", sampling.LISTEN_OVERFLOWS, place)
            self._watch(host.name, "throttled", sampling.THROTTLED, place)
            self._watch(host.name, "throttled_periods", sampling.THROTTLED_PERIODS, place)
            self._watch(host.name, "ejected", sampling.EJECTED, place)
            self._watch(host.name, "healthy", sampling.HEALTHY, place)
            self._watch(host.name, "from_same_zone", sampling.FROM_SAME_ZONE, place)
            self._watch(host.name, "from_other_zone", sampling.FROM_OTHER_ZONE, place)
            for rank, quantity in classes_of(host):
                self._watch(host.name, quantity, sampling.CLASS_QUEUE, place, rank)
        of_service: dict[str, int] = {}
        for place, outbox in enumerate(self.places.outboxes):
            name = outbox.service.name
            first = of_service.setdefault(name, place) == place
            self._watch(name, "outbox" if first else f"outbox {outbox.topic.name}", sampling.OUTBOX_ROWS, place)

    def _watch_guards(self) -> None:
        for call in self.places.world.calls.guarded:
            at, count = self.guards.guards_at(call.guards), len(call.guards)
            for layer, watched in [(one, its) for one in LAYERS for its in one.watched(call, call.guards)]:
                what = sampling.OF_LAYERS + series_of(layer, watched.quantity)
                self._watch(watched.component, watched.quantity, what, at, watched.guards or count)

    def _watch_groups(self) -> None:
        for place, group in enumerate(self.places.groups):
            for quantity, what in OF_GROUPS:
                self._watch(group.component, quantity, what, place)
            for index, member in enumerate(group.members):
                self._watch(group.component, f"{MEMBER} {index}", sampling.MEMBER_BUSY, self.places.member_at[member])

        producing = [broker for broker in self.places.broker_at if broker.spec.producer is not None]
        for place, broker in enumerate(producing):
            for quantity, what in OF_PRODUCERS:
                self._watch(broker.name, quantity, what, place)
        for topic, place in self.places.keeper_at.items():
            self._watch(topic.name, "deleted", sampling.DELETED, place)

    def _watch_nodes(self) -> None:
        for broker, place in self.places.broker_at.items():
            for quantity, what in OF_NODES:
                self._watch(broker.name, quantity, what, place, len(self.places.topic_at))

    def _watch_queues(self) -> None:
        for broker, place in self.places.queue_broker_at.items():
            self._watch(broker.name, "blocked", sampling.BLOCKED, place)
            self._watch(broker.name, "unroutable", sampling.UNROUTABLE, place)
            self._watch(broker.name, "offline", sampling.QUEUES_OFFLINE, place)
        for queue, place in self.places.queue_at.items():
            for quantity, what in OF_QUEUES:
                self._watch(queue.component, quantity, what, place)
            for number, cause in enumerate(CAUSES):
                self._watch(queue.component, f"given up {cause}", sampling.QUEUE_GIVEN_UP, place, number)
            for index, at in enumerate(self.places.channels_of(queue)):
                self._watch(queue.component, f"{CONSUMER} {index}", sampling.CHANNEL_BUSY, at)

    def _watch_steps(self) -> None:
        for host in self.places.hosts:
            if host.sagas is not None:
                for quantity, what in OF_SAGAS:
                    self._watch(host.name, quantity, what, self.sagas.place_of[host.sagas])
            if host.sessions is not None:
                for quantity, what in OF_SESSIONS:
                    self._watch(host.name, quantity, what, self.sessions.place_of[host.sessions])
            for name, lock in host.locks.items():
                for quantity, what in OF_LOCKS:
                    self._watch(host.name, f"{quantity} {name}", what, self.locks.place_of[lock])
            for name, written in host.cache_writes.items():
                for quantity, what in OF_CACHE_WRITES:
                    self._watch(host.name, f"{quantity} {name}", what, self.caches.counts_of[written])
            for name, counts in host.caches.items():
                for quantity, what in OF_CACHES:
                    self._watch(host.name, f"{quantity} {name}", what, self.caches.watched(counts))

    def _watch_keys(self) -> None:
        for service in self.places.world.services.values():
            for name, endpoint in service.endpoints.items():
                if endpoint.entrance.keys is not None:
                    place = self.keys.place_of[endpoint.where]
                    self._watch(service.name, f"replayed {name}", sampling.REPLAYED, place)
                    self._watch(service.name, f"key_conflicts {name}", sampling.KEY_CONFLICTS, place)

    def _watch_ledger(self) -> None:
        self._watch(LEDGER, "charged_not_reserved", sampling.NOT_RESERVED, 0)
        self._watch(LEDGER, "ever_charged_not_reserved", sampling.EVER_NOT_RESERVED, 0)

    def _watch_fleets(self) -> None:
        for place, name in enumerate(self.places.world.fleets):
            self._watch(name, "replicas_wanted", sampling.REPLICAS_WANTED, place)
            self._watch(name, "replicas_paid", sampling.REPLICAS_PAID, place)
            self._watch(name, "cpu_target", sampling.CPU_TARGET, place)
        functions = [host for host in self.places.hosts if host.function is not None]
        for place, host in enumerate(functions):
            for quantity, what in OF_FUNCTIONS:
                self._watch(host.name, quantity, what, place)
        for place, name in enumerate(self.places.world.node_pools):
            self._watch(name, "nodes", sampling.NODES, place)
            self._watch(name, "nodes_paid", sampling.NODES_PAID, place)
            self._watch(name, "replicas_pending", sampling.REPLICAS_PENDING, place)

    def _watch_visits(self) -> None:
        for place, workload in enumerate(self.places.world.workloads):
            self._watch(workload.name, "visits", sampling.VISITS, place)
            self._watch(workload.name, "visits_left", sampling.VISITS_LEFT, place)
            self._watch(workload.name, "virtual_users", sampling.VIRTUAL_USERS, place)
            self._watch(workload.name, "dropped_iterations", sampling.DROPPED_ITERATIONS, place)

    def _watch_limits(self) -> None:
        for place, limit in enumerate(self.places.world.limits()):
            self._watch(f"{limit.owner} {limit.label}", "passed", sampling.LIMIT_PASSED, place)
            self._watch(f"{limit.owner} {limit.label}", "turned_away", sampling.LIMIT_REFUSED, place)
            self._watch(f"{limit.owner} {limit.label}", "undecided", sampling.UNDECIDED, place)

    def _watch_plugins(self) -> None:
        for host, name, word in self.plugins.totals():
            if (host.name, name) in self._found:
                raise Unsupported(f"two steps that keep the time series '{host.name}.{name}'")
            self._watch(host.name, name, sampling.PLUGIN_TOTAL, word, len(host.replicas))

    def tables(self) -> Filled:
        """As they are at time 0."""
        recorder, moments = self.places.world.recorder, self.places.world.moments
        samples = np.zeros((len(moments) + 1, len(self.series)))
        samples[0] = recorder.samples[0]
        yield rows.series, self.series.array()
        yield rows.moments, np.array([0.0, *moments])
        yield rows.samples, samples
        yield rows.areas, fractions(recorder.areas)
