"""Reads the wired models into tables: one `World` is made as for the SimPy engine, and never run.

So names, salts, streams, guards and groups are wired in one place only. What is written twice is how they behave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.arrivals import ArrivalTable
from sim.chance.keyed import stream_key
from sim.chance.popularity import popularity_table, stride
from sim.chance.table import DrawTable
from sim.compiled import network, sampling, topics
from sim.compiled import state as tables
from sim.compiled.interpreter import OF_BULKHEAD, OF_CALL, OF_CLIENT, OF_ERRAND, OF_QUEUE
from sim.compiled.operations import COURIER
from sim.compiled.program import Assembler, Unsupported, row_of
from sim.errors import UsageError
from sim.models.consumer import MEMBER
from sim.models.draws import Draws
from sim.models.fault import BrokerDown, Crash, Errors, FaultEvent, NetworkFault, Outage, Slow
from sim.models.gateway import Route
from sim.models.layers.breaker import BreakerMemory
from sim.models.layers.bulkhead import BulkheadMemory
from sim.models.layers.retry import BudgetMemory
from sim.models.service import Endpoint
from sim.models.topic import STICKY_RECORDS, PublishTarget
from sim.models.world import World
from sim.policies import balancer, limiter
from sim.policies.base import table_of
from sim.policies.partitioner import new_sticky
from sim.policies.retry import new_retry
from sim.spec.base import word_of
from sim.spec.policy import Retry
from sim.spec.traffic import Closed

if TYPE_CHECKING:
    from sim.models.call import Call, Target
    from sim.models.guards import Guard
    from sim.models.link import Hop, Wire
    from sim.models.task import Replica
    from sim.models.workload import Door, Workload
    from sim.spec.scenario import Scenario

BUILT_IN = (Outage, Slow, Errors, Crash, NetworkFault, BrokerDown)
KEYS = {"order": topics.BY_ORDER, "user": topics.BY_USER, "item": topics.BY_ITEM}
ACKS = {"0": topics.NO_ACKS, "1": topics.LEADER, "all": topics.ALL}
EMPTY_LISTS = [f"{what}_{end}" for what in ("queue", "parked", "overdue") for end in ("first", "last")] + ["jobs"]
OF_HOSTS = (  # as `sampling` numbers them
    "busy", "queue", "replicas", "workers", "cores_busy", "cores", "in_flight", "attempts", "first_attempts", "listen_backlog", "work_done", "work_wasted",
)  # fmt: skip
PER = {"user": 0, "route": 1, "all": 2}


class Drawn:
    """A row of the table of draws, where the models expect something to draw from."""

    def __init__(self, row: int):
        self.row = row

    def __call__(self, _entity: int, _chain: int) -> float:
        """Never."""
        raise AssertionError("a model that is only wired does not draw")


class TableOfDraws(Draws):
    """Draws that are rows of a table."""

    def __init__(self, seed: int, replication: int):
        super().__init__(seed, replication)
        self.table = DrawTable()

    def sampler(self, distribution: Any, stream: str) -> Any:  # noqa: ANN401 - a spec, and a Drawn
        """A row that draws from this distribution; Unsupported where the table has none for it."""
        if hasattr(distribution, "quantile"):
            raise Unsupported(f"the distribution '{word_of(distribution)}'")
        try:
            return Drawn(self.table.add(distribution, stream))
        except UsageError as error:
            raise Unsupported(f"the distribution '{word_of(distribution)}'") from error

    def uniform(self, stream: str) -> Any:  # noqa: ANN401 - a Drawn
        """A row that draws a uniform."""
        return Drawn(self.table.add_uniform(stream))


class Table:
    """The rows of one table, as they are found."""

    def __init__(self, dtype: np.dtype[np.void]):
        self.dtype = dtype
        self.rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, **values: Any) -> int:  # noqa: ANN401 - numbers
        """Append one; its place."""
        self.rows.append(values)
        return len(self.rows) - 1

    def array(self) -> NDArray[np.void]:
        """All of them, at least one."""
        array = np.zeros(max(1, len(self.rows)), self.dtype)
        for row, values in zip(array, self.rows, strict=False):
            for name, value in values.items():
                row[name] = value
        return array


class Wiring:
    """The tables of one scenario and replication, as they are at time 0."""

    def __init__(self, scenario: Scenario, replication: int):
        self.scenario = scenario
        self.replication = replication
        self.draws = TableOfDraws(scenario.seed, replication)
        self.world = world = World(scenario, replication, draws=self.draws)
        self.subjects: list[str] = []
        self.orders: list[Any] = []  # what Python does at an event of kind ORDER
        self.hosts = world.hosts()
        self.host_at: dict[Any, int] = {host: place for place, host in enumerate(self.hosts)}
        self.replicas: list[Replica] = [replica for host in self.hosts for replica in host.replicas]
        self.replicas += [world.nowhere, *(workload.caller for workload in world.workloads)]
        self.replica_at = {replica: place for place, replica in enumerate(self.replicas)}
        self._tables()
        self._hosts()
        self.assembler = Assembler(self)
        self.courier = self.assembler.emit(COURIER)
        self.gateway_work = -1
        if world.gateway is not None and world.gateway.spec.work is not None:
            self.gateway_work = row_of(world.sampler(world.gateway.spec.work, "gateway.work"))
        self._logs()
        self._entries()
        self._workloads()
        self._gate()
        self.ops = self.assembler.table()
        self._series()
        self.policies = self._policy_tables()  # as they are at the beginning: what a crash brings them back to

    def _tables(self) -> None:
        self.lanes = Table(tables.LANE_ROW)
        self.calls = Table(tables.CALL_ROW)
        self.targets = Table(tables.TARGET)
        self.hops = Table(tables.HOP_ROW)
        self.guards = Table(tables.GUARD_ROW)
        self.errors = Table(tables.ERRORS_ROW)
        self.error_at: dict[Errors, int] = {}
        moments = [entry[-1] for entry in sorted(self.world.env.calendar)]
        self.harms = list(dict.fromkeys(moment.harm for moment in moments if isinstance(moment, FaultEvent)))  # most both begin and end
        for harm in self.harms:
            if type(harm) not in BUILT_IN:
                raise Unsupported(f"the fault '{type(harm).__name__.lower()}'")
        self.doors = Table(tables.DOOR_ROW)
        self.popularity = Table(tables.POPULARITY)
        self.workloads = Table(tables.WORKLOAD_ROW)
        self.stocks = Table(tables.STOCK_ROW)
        self.breakers: list[Any] = []
        self.budgets: list[Any] = []
        self.bulkheads: list[Any] = []
        self.retries: list[Any] = []
        self.rings: list[float] = []
        self.guard_of: list[int] = []
        self.balancers: list[Any] = []
        self.thresholds: list[float] = []
        self.shares: list[NDArray[np.float64]] = []
        self._call_at: dict[Call, int] = {}
        self._target_at: dict[Any, int] = {}
        self._guards_at: dict[int, int] = {}
        self._guard_at: dict[int, int] = {}
        self.hop_at: dict[Hop, int] = {}
        self.wires: list[Wire] = self.world.network.wires
        self.wire_at = {wire: place for place, wire in enumerate(self.wires)}
        self.balancer_of = np.full((len(self.hosts), len(self.replicas)), -1, np.int64)

    def subject(self, text: str) -> int:
        """The place of a text that an event may be about."""
        self.subjects.append(text)
        return len(self.subjects) - 1

    # -- hosts --------------------------------------------------------------------------------------------------------------

    def _hosts(self) -> None:
        self.host_rows = Table(tables.HOST)
        self.replica_rows = Table(tables.REPLICA)
        for place, host in enumerate(self.hosts):
            errors = [harm for harm in self.harms if isinstance(harm, Errors) and harm.host is host]
            first_error = len(self.errors)
            for harm in errors:
                self.error_at[harm] = self.errors.add(share=harm.share, row=row_of(harm.chance))
            self.host_rows.add(
                slow=1.0,
                up_area=host.up_area,
                last_shed=-np.inf,
                name=host.name_index,
                first=self.replica_at[host.replicas[0]],
                count=len(host.replicas),
                capacity=min(host.capacity, tables.UNLIMITED),
                workers=host.workers,
                cores=host.cores or 0,
                up=host.up,
                lifo=host.lifo,
                lets_go=host.event_loop,
                may_hang=host.may_hang,
                tracks=host.tracks,
                patience=self.lane(host.queue_timeout, OF_QUEUE, place),
                errors_first=first_error,
                errors_count=len(errors),
                subject=self.subject(host.name),
            )
        nobody = dict.fromkeys(EMPTY_LISTS, -1)
        for replica in self.replicas:
            place = self.host_at.get(replica.host, -1)
            cores = self.hosts[place].cores or 0 if place >= 0 else 0
            self.replica_rows.add(host=place, index=replica.index, free=replica.free, cores=cores, due=np.inf, **nobody)

    def lane(self, duration: float | None, purpose: int, owner: int) -> int:
        """A lane of timers of one duration, seconds; -1 where there is none."""
        if duration is None:
            return -1
        return self.lanes.add(duration=duration, purpose=purpose, owner=owner, first=-1, last=-1)

    def hop(self, hop: Hop) -> int:
        """One direction of one kind of message."""
        if hop not in self.hop_at:
            row = row_of(hop.draw) if hop.draw is not None else -1
            self.hop_at[hop] = self.hops.add(length=hop.length, fixed=hop.fixed, row=row, chance=row_of(hop.chance), wire=self.wire_at[hop.wire], salt=hop.salt)
        return self.hop_at[hop]

    # -- programs -----------------------------------------------------------------------------------------------------------

    def _entries(self) -> None:
        """The programs of endpoints and routes."""
        self.entry_of: dict[Any, int] = {}
        for service in self.world.services.values():
            for endpoint in service.endpoints.values():
                self.entry_of[endpoint] = self.assembler.entrance(endpoint.entrance)
        if self.world.gateway is not None:
            for route in self.world.gateway.routes.values():
                self.entry_of[route] = self.assembler.entrance(route.entrance, route)

    def target(self, target: Target) -> int:
        """What can be called; its program is known in the end."""
        if target in self._target_at:
            return self._target_at[target]
        if isinstance(target, PublishTarget):
            topic = self.topic_at[target.topic]
            place = self.targets.add(
                kind=network.PUBLICATION,
                where=target.where,
                only=self.replica_at[self.world.nowhere],
                host=-1,
                topic=topic,
                key=KEYS.get(target.key or "", topics.STICKY),
                site=target.site,
            )
            self.targets.rows[place]["entry"] = place
        else:
            assert isinstance(target, (Route, Endpoint))
            host = self.host_at[target.host]
            replicas = target.host.replicas
            values = {
                "where": target.where,
                "only": self.replica_at[replicas[0]] if len(replicas) == 1 else -1,
                "host": host,
                "first": self.replica_at[replicas[0]],
                "count": len(replicas),
                "counts": target.counts,
                "entry": target,
            }
            if isinstance(target, Route):
                place = self.targets.add(kind=network.ROUTE, **values)
            else:
                draws = [row_of(draw) for draw in target.balancer_draws]
                place = self.targets.add(kind=network.ENDPOINT, uniforms=len(draws), u1=draws[0] if draws else -1, u2=draws[-1] if draws else -1, **values)
                self._balance(host, target)
        self._target_at[target] = place
        return place

    def _balance(self, host: int, endpoint: Endpoint) -> None:
        """Every possible caller has a balancer of its own over the replicas of a service."""
        replicas = len(endpoint.host.replicas)
        if replicas == 1 or self.balancer_of[host, 0] >= 0:
            return
        for place, caller in enumerate(self.replicas):
            self.balancer_of[host, place] = len(self.balancers)
            self.balancers.append(balancer.new_balancer(endpoint.service.balancing, caller.index % replicas))

    def call(self, call: Call) -> int:
        """A guarded call."""
        if call in self._call_at:
            return self._call_at[call]
        self._call_at[call] = place = len(self.calls)
        host = next(host for host in self.hosts if host.name == call.caller)
        per_replica = call.policy.scope != "service"
        retry, bulkhead = call.policy.retry or Retry(max_attempts=1), call.policy.bulkhead
        subject = len(self.subjects)
        self.subjects += [f"{call.caller}[{replica.index}]" for replica in host.replicas] if per_replica else [call.caller]
        self.calls.add(
            target=self.target(call.target),
            hop=self.hop(call.hop),
            back=self.hop(call.back),
            salt=call.salt,
            mark=call.mark,
            watchful=host.may_hang,
            max_attempts=retry.max_attempts,
            retry=self.retry(new_retry(retry)),
            jitter=row_of(self.world.uniform(f"{call.site}.backoff")),
            guards=self._guards(call),
            cancels=call.policy.on_timeout == "cancel",
            bulkhead=bulkhead is not None,
            subject=subject,
            about=self.subject(next(iter(call.guards.values())).about if call.guards else call.target.component),
            per_replica=per_replica,
            lane=self.lane(call.policy.timeout, OF_CALL, place),
            total_lane=self.lane(call.policy.total_timeout, OF_ERRAND, place),
            bulkhead_lane=self.lane(bulkhead.max_wait if bulkhead and bulkhead.max_wait > 0 else None, OF_BULKHEAD, place),
        )
        return place

    def retry(self, row: Any) -> int:  # noqa: ANN401 - a row of a policy
        """A rule of retries."""
        self.retries.append(row)
        return len(self.retries) - 1

    def _ring(self, ring: list[float]) -> int:
        self.rings += ring
        return len(self.rings) - len(ring)

    def _guards(self, call: Call) -> int:
        """Where the guards of a call stand, one for each replica of the caller."""
        return -1 if call.guards is None else self._guards_of(call.guards)

    def _guards_of(self, guards: dict[Replica, Guard]) -> int:
        if id(guards) not in self._guards_at:
            places = [self._guard(guard) for guard in guards.values()]
            self._guards_at[id(guards)] = len(self.guard_of)
            self.guard_of += places
        return self._guards_at[id(guards)]

    def _guard(self, guard: Guard) -> int:
        if id(guard) in self._guard_at:
            return self._guard_at[id(guard)]
        values: dict[str, float] = {"spent": -np.inf, "breaker": -1, "budget": -1, "bulkhead": -1, "first": -1, "last": -1}
        if (breaker := guard.find(BreakerMemory)) is not None:
            values |= {"breaker": len(self.breakers), "ring": self._ring(breaker.ring), "size": len(breaker.ring)}
            self.breakers.append(breaker.row)
        if (budget := guard.find(BudgetMemory)) is not None:
            values |= {"budget": len(self.budgets), "tokens": self._ring(budget.tokens)}
            self.budgets.append(budget.row)
        if (bulkhead := guard.find(BulkheadMemory)) is not None:
            values |= {"bulkhead": len(self.bulkheads)}
            self.bulkheads.append(bulkhead.row)
        self._guard_at[id(guard)] = place = self.guards.add(**values)
        return place

    # -- brokers and consumers ----------------------------------------------------------------------------------------------

    def _logs(self) -> None:
        world = self.world
        self.topic_rows, self.broker_rows = Table(tables.TOPIC_ROW), Table(tables.BROKER_ROW)
        self.partitions, self.group_rows = Table(tables.PARTITION_ROW), Table(tables.GROUP_ROW)
        self.group_lanes, self.member_rows = Table(tables.LANE_OF_GROUP), Table(tables.MEMBER_ROW)
        self.outbox_rows = Table(tables.OUTBOX_ROW)
        self.sticky: list[Any] = []
        self.group_of: list[int] = []
        self.member_of: list[int] = []
        self.delays: list[float] = []
        self.spaces = 0
        self.broker_at = {broker: place for place, broker in enumerate(world.brokers.values())}
        self.topic_at = {topic: place for place, topic in enumerate(world.topics.values())}
        self.groups = [group for topic in world.topics.values() for group in topic.groups]
        self.group_at = {group: place for place, group in enumerate(self.groups)}
        self.members = [member for service in world.services.values() for member in service.members]
        self.member_at = {member: place for place, member in enumerate(self.members)}
        self.outboxes = [outbox for service in world.services.values() for outbox in service.outboxes]
        self.outbox_at = {outbox: place for place, outbox in enumerate(self.outboxes)}
        stocks = list(world.stocks.values())
        self.stock_at = {stock: place for place, stock in enumerate(stocks)}
        self.left: list[int] = []
        for stock in stocks:
            self.stocks.add(items=stock.items, first=len(self.left), kinds=len(stock.left), subject=self.subject(stock.service))
            self.left += stock.left
        for broker in self.broker_at:
            self.broker_rows.add(acks=ACKS[broker.acks], first=-1, last=-1)
        for topic in self.topic_at:
            self.topic_rows.add(
                name=topic.name_index,
                broker=self.broker_at[topic.broker],
                first=len(self.partitions),
                count=len(topic.partitions),
                groups=len(topic.groups),
                first_group=len(self.group_of),
                chance=row_of(topic.chance),
                replication=row_of(topic.replication) if topic.replication is not None else -1,
            )
            self.sticky.append(new_sticky(len(topic.partitions), STICKY_RECORDS))
            self.group_of += [self.group_at[group] for group in topic.groups]
            for _ in topic.partitions:
                self.partitions.add(first=-1, last=-1)
        self._groups()

    def _groups(self) -> None:
        lane_at = {}
        for place, group in enumerate(self.groups):
            self.group_rows.add(
                topic=self.topic_at[group.topic],
                name=group.name_index,
                first=len(self.group_lanes),
                space=self.space(group.topic.sites),
                first_member=len(self.member_of),
                members=len(group.members),
                delayed_first=-1,
                delayed_last=-1,
            )
            self.member_of += [self.member_at[member] for member in group.members]
            for lane in group.partitions:
                owner = self.member_at[lane.owner] if lane.owner is not None else -1
                lane_at[lane] = self.group_lanes.add(group=place, owner=owner, first=-1, last=-1, retries_first=-1, retries_last=-1)
        self.lane_at = lane_at
        programs: dict[int, int] = {}
        for member in self.members:
            if id(member.steps) not in programs:
                programs[id(member.steps)] = self.assembler.consumer(member.steps)
            spec = member.spec
            self.member_rows.add(
                holding_area=member.holding_area,
                session=spec.session_timeout,
                group=self.group_at[member.group],
                host=self.host_at[member.service],
                replica=self.replica_at[member.replica],
                hop=self.hop(member.fetch_hop),
                wire=self.wire_at[member.fetch_hop.wire],
                broker=self.broker_at[member.group.topic.broker],
                salt=member.salt,
                max_poll=spec.max_poll_records,
                max_deliveries=spec.max_deliveries,
                retry_topic=len(spec.retry_topic.delays) if spec.retry_topic is not None else -1,
                retries_first=len(self.delays),
                idempotent=spec.idempotent,
                latest=spec.auto_offset_reset == "latest",
                first_lane=min((self.lane_at[lane] for lane in member.partitions), default=0),
                lanes=len(member.partitions),
                batch_first=-1,
                batch_last=-1,
                belongs=member.belongs,
                up=1,
                holding=member.holding,
                pc=programs[id(member.steps)],
            )
            if spec.retry_topic is not None:
                self.delays += spec.retry_topic.delays
        for place, outbox in enumerate(self.outboxes):
            self.outbox_rows.add(
                poll=outbox.poll,
                salt=outbox.salt,
                host=self.host_at[outbox.service],
                topic=self.topic_at[outbox.topic],
                key=KEYS.get(outbox.key or "", topics.STICKY),
                site=outbox.site,
                batch=outbox.batch,
                out=self.hop(outbox.out),
                back=self.hop(outbox.back),
                first=-1,
                last=-1,
                replica=self.replica_at[outbox.replica] if outbox.replica is not None else -1,
                pc=self.assembler.relay(place),
            )

    def space(self, count: int = 1) -> int:
        """A number of its own for one kind of key, or the first of several."""
        self.spaces += count
        return self.spaces - count + 1

    # -- traffic ------------------------------------------------------------------------------------------------------------

    def _workloads(self) -> None:
        self.arrivals = ArrivalTable()
        for place, workload in enumerate(self.world.workloads):
            first_door = len(self.doors)
            for door in workload.doors:
                self._door(door)
            self.thresholds += workload.thresholds
            spec = workload.spec
            closed = isinstance(spec.arrivals, Closed)
            if not closed and hasattr(spec.arrivals, "arrival_times"):
                raise Unsupported(f"the arrivals '{word_of(spec.arrivals)}'")
            think = row_of(self.world.sampler(spec.arrivals.think, f"traffic.{workload.name}.think")) if isinstance(spec.arrivals, Closed) else -1
            users = spec.arrivals.users if isinstance(spec.arrivals, Closed) else 0
            self.workloads.add(
                spent=-np.inf,
                subject=self.subject(workload.name),
                base=workload.base,
                name=workload.source,
                first_door=first_door,
                doors=len(workload.doors),
                mix=row_of(workload.pick_door),
                users=self._popularity(spec.users, f"traffic.{workload.name}.users", workload.first_user),
                items=self._popularity(spec.items, f"traffic.{workload.name}.items", 0),
                caller=self.replica_at[workload.caller],
                patient=workload.patient,
                pc=self.assembler.user(place, think, users) if closed else self.assembler.client(place),
                lane=self.lane(spec.timeout, OF_CLIENT, place),
                retry=self.retry(workload.retry),
                max_attempts=workload.max_attempts,
                jitter=row_of(workload.jitter),
                honor=spec.honor_retry_after,
                source=-1 if closed else self.arrivals.add(spec.arrivals, f"traffic.{workload.name}.arrivals"),
                route_rows=self.arrivals.add_rows(workload.routes),
                user_rows=self.arrivals.add_rows(workload.users),
                **self._budget(workload),
            )

    def _budget(self, workload: Workload) -> dict[str, int]:
        if workload.budget is None:
            return {"budget": -1, "tokens": -1}
        self.budgets.append(workload.budget)
        return {"budget": len(self.budgets) - 1, "tokens": self._ring(workload.tokens)}

    def _door(self, door: Door) -> int:
        return self.doors.add(target=self.target(door.target), hop=self.hop(door.hop), route=door.route, needs=door.needs, mark=door.mark)

    def _popularity(self, spec: Any, stream: str, number: int) -> int:  # noqa: ANN401 - a Popularity, or None
        if not spec:
            return -1
        table = popularity_table(spec.count, spec.exponent)
        first = sum(part.size for part in self.shares)
        self.shares.append(table)
        key = stream_key(self.scenario.seed, self.replication, stream)
        values = {"count": spec.count, "exponent": spec.exponent, "step": stride(spec.count), "first": first, "size": table.size, "number": number}
        return self.popularity.add(key=np.uint64(key), **values)

    # -- the gateway --------------------------------------------------------------------------------------------------------

    def _gate(self) -> None:
        self.limits, self.tokens = Table(tables.LIMIT_ROW), Table(tables.TOKEN_ROW)
        self.limiters: list[Any] = []
        self.limiter_rings: list[list[float]] = []
        gateway = self.world.gateway
        if gateway is None:
            return
        for limit in gateway.limits:
            row, ring = limiter.new_limiter(limit.spec)
            self.limiters.append(row)
            self.limiter_rings.append(ring)
            self.limits.add(
                last=limit.last,
                space=self.space(),
                per=PER[limit.spec.per],
                node=limit.spec.scope == "node",
                ring=len(ring),
                about=self.subject(limit.label),
            )
        spec = getattr(gateway.authentication, "spec", None)
        if spec is not None:
            self.tokens.add(ttl=spec.cache_ttl, invalid=spec.invalid or 0.0, known=self.space(), asking=self.space(), allow=spec.on_failure == "allow")

    # -- time series --------------------------------------------------------------------------------------------------------

    def _series(self) -> None:
        """What is watched, by number, in the order in which it was registered."""
        found: dict[tuple[str, str], list[dict[str, int]]] = {}

        def say(component: str, quantity: str, what: int, index: int, count: int = 0) -> None:
            found.setdefault((component, quantity), []).append({"what": what, "index": index, "count": count})

        for place, host in enumerate(self.hosts):
            for what, quantity in enumerate(OF_HOSTS):
                say(host.name, quantity, what, place)
        for (caller, _, _), guards in self.world.guard_sets.items():
            if next(iter(guards.values())).policy.circuit_breaker is not None:
                say(f"{caller} -> {next(iter(guards.values())).about}", "breaker_open", sampling.BREAKER_OPEN, self._guards_of(guards), len(guards))
        for place, group in enumerate(self.groups):
            kinds = (("lag", sampling.LAG), ("delivered", sampling.DELIVERED), ("redelivered", sampling.REDELIVERED))
            for quantity, what in (*kinds, ("busy", sampling.GROUP_BUSY), ("workers", sampling.GROUP_WORKERS)):
                say(group.component, quantity, what, place)
            for index, member in enumerate(group.members):
                say(group.component, f"{MEMBER} {index}", sampling.MEMBER_BUSY, self.member_at[member])
        self._series_of_limits(say)
        outboxes: dict[str, list[int]] = {}
        for place, outbox in enumerate(self.outboxes):
            mine = outboxes.setdefault(outbox.service.name, [])
            mine.append(place)
            say(outbox.service.name, f"outbox {outbox.topic.name}" if len(mine) > 1 else "outbox", sampling.OUTBOX_ROWS, place)
        self.series = Table(tables.SERIES_ROW)
        for series in self.world.recorder.series:
            known = found.get((series.component, series.quantity))
            if not known:
                raise Unsupported(f"the time series '{series.name}'")
            self.series.add(mean=series.kind == "mean", **known.pop(0))

    def _series_of_limits(self, say: Callable[..., None]) -> None:
        """What is watched of bulkheads and of the limits of the gateway."""
        passing = (("passed", sampling.PASSED), ("turned_away", sampling.TURNED_AWAY))
        for component, guards in self.world.bulkheads.items():
            first = next(iter(guards.values()))
            count = 1 if first.policy.scope == "service" else len(guards)
            say(component, "places", sampling.PLACES, first.of(BulkheadMemory).row.limit * count)
            for quantity, what in (("places_taken", sampling.PLACES_TAKEN), ("in_line", sampling.IN_LINE), *passing):
                say(component, quantity, what, self._guards_of(guards), count)
        for place, limit in enumerate(self.world.gateway.limits if self.world.gateway is not None else ()):
            say(f"gateway {limit.label}", "passed", sampling.LIMIT_PASSED, place)
            say(f"gateway {limit.label}", "turned_away", sampling.LIMIT_REFUSED, place)

    def guards_of(self, host: int, replica: int) -> list[tuple[int, str, str]]:
        """The guards that die with a replica, those of its own, not those that it shares; with the names of both ends."""
        found = []
        for (caller, _, _), guards in self.world.guard_sets.items():
            mine = self.hosts[host].replicas[replica]
            guard = guards.get(mine)
            if guard is not None and guard.policy.scope == "replica" and id(guard) in self._guard_at:
                found.append((self._guard_at[id(guard)], f"{caller}[{mine.index}]", guard.about))
        return found

    def place_of(self, guard: Guard) -> int | None:
        """Where a guard of the models stands; None: no call uses it."""
        return self._guard_at.get(id(guard))

    # -- arrays -------------------------------------------------------------------------------------------------------------

    def _policy_tables(self) -> dict[str, Any]:
        """The rows of policies, which are the models' own."""

        def table(rows: Iterable[Any], kind: Any) -> Any:  # noqa: ANN401 - structured arrays
            return table_of(list(rows) or [kind()])

        from sim.policies.balancer import BalancerRow
        from sim.policies.breaker import BreakerRow
        from sim.policies.budget import BudgetRow
        from sim.policies.bulkhead import BulkheadRow
        from sim.policies.limiter import LimiterRow
        from sim.policies.partitioner import StickyRow
        from sim.policies.retry import RetryRow

        return {
            "breakers": table(self.breakers, BreakerRow),
            "budgets": table(self.budgets, BudgetRow),
            "bulkheads": table(self.bulkheads, BulkheadRow),
            "retries": table(self.retries, RetryRow),
            "balancers": table(self.balancers, BalancerRow),
            "limiters": table(self.limiters, LimiterRow),
            "sticky": np.repeat(table(self.sticky, StickyRow), len(self.replicas)),  # any replica may be a producer
        }

    def target_table(self) -> NDArray[np.void]:
        """All targets, with the places of their programs."""
        for row in self.targets.rows:
            if not isinstance(row["entry"], int):
                row["entry"] = self.entry_of[row["entry"]]
        return self.targets.array()
