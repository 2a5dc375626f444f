"""The world of one run: everything a scenario names, made and wired, and the loop that runs it on a stock SimPy environment."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np

from sim.chance.keyed import stream_number
from sim.errors import BooksDoNotBalance
from sim.models import fault as faults
from sim.models.call import Call, Layer, Target
from sim.models.clock import CONTROL, OBSERVATION, Clock, Done, Signal
from sim.models.collecting import nothing_collected
from sim.models.consumer import Group, Member
from sim.models.demand import Demand
from sim.models.draws import Draws
from sim.models.gateway import Gateway
from sim.models.guards import Guard, Guards
from sim.models.host import Host
from sim.models.layers import LAYERS
from sim.models.layers.breaker import BreakerMemory
from sim.models.network import Network
from sim.models.outbox import Outbox
from sim.models.recorder import Recorder, ticks_of
from sim.models.service import Endpoint, Service
from sim.models.site import Site, StepSequence
from sim.models.sites import mark_of, salts, tried_again
from sim.models.stillness import Stillness, Turning
from sim.models.stock import Stock
from sim.models.summary import plan_of
from sim.models.task import Outside, Replica, Task
from sim.models.timers import TimerQueue
from sim.models.topic import Broker, Message, Topic
from sim.models.unnoticed import Late, breaker_by_now, breaker_forgotten, breakers_of, end_of_spell, in_order
from sim.models.workload import Door, Workload
from sim.records.keeping import Kept, keeper
from sim.records.tables import Book, Records
from sim.spec.distribution import Constant, Distribution
from sim.spec.gateway import OAuth, Route
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.spec.scenario import Scenario
from sim.spec.sites import bulkheads, consumer_name
from sim.spec.step import Publish, Step
from sim.spec.traffic import Traffic, first_users
from sim.vocabulary import EventKind, MessageEnd, Outcome

INTROSPECTION_TIMEOUT = 10.0  # s, of Kong's openid-connect; where the policy has none
MANY = 32  # ticks in a row that see the same are worth being sampled at once
CLEAR = 1e-9  # by this share of its time an event lies behind a tick that is certain to come before it
SOURCE_BITS = 23  # of a request id above its running number, so that ids stay below 2**63


class World:
    """One run of one scenario. Components are made here, in the order of the scenario, and find one another through here."""

    def __init__(
        self, scenario: Scenario, replication: int = 0, progress: Callable[[float], None] | None = None, draws: Draws | None = None
    ):
        self.scenario = scenario
        self.replication = replication
        self.progress = progress
        latency = scenario.network.default.latency
        self.env = Clock(latency.value if isinstance(latency, Constant) and latency.value > 0 else math.nan)
        self.ready = self.env.ready
        self.moments = deque(ticks_of(scenario))
        self._all_moments = np.array(self.moments)
        self.recorder = Recorder(self.env, scenario.record.spans, scenario.warmup, keeper(plan_of(scenario, (0.0, *self.moments))))
        self.draws = draws or Draws(scenario.seed, replication)
        self.network = Network(scenario.network, self.draws)
        self.first_users = first_users(scenario.traffic)
        self.next_message = itertools.count().__next__
        self._salts = salts(scenario)
        self._tried_again = tried_again(scenario)
        self.guard_sets: dict[tuple[str, str, str], Guards] = {}  # by caller, policy and callee
        self.bulkheads: dict[str, Guards] = {}  # by the name of their time series
        self.effects: dict[str, int] = {}
        self.stocks: dict[str, Stock] = {}
        self._build()

    def _build(self) -> None:
        """Hosts first, then what refers to them, traffic and faults last."""
        scenario = self.scenario
        self.outside = Outside()
        self.nowhere = self.outsider()
        self.gateway = Gateway(self, scenario.gateway) if scenario.gateway is not None else None
        self.services = {name: Service(self, name, spec) for name, spec in scenario.services.items()}
        self.brokers = {name: Broker(self, name, spec) for name, spec in scenario.brokers.items()}
        self.topics = {name: Topic(self, self.brokers[broker], name, topic) for broker, spec in scenario.brokers.items() for name, topic in spec.topics.items()}
        for fault in scenario.faults:
            faults.plan(self, fault)
        for service in self.services.values():
            for endpoint in service.endpoints.values():
                endpoint.build()
        self._join_groups()
        if self.gateway is not None:
            self.gateway.build()
            if any(traffic.timeout is not None for traffic in scenario.traffic.values()):
                self.gateway.keep_track()  # whose clients go away
        self.workloads = [Workload(self, name, traffic) for name, traffic in scenario.traffic.items()]
        for workload in self.workloads:
            workload.start()
        self._plan_ticks()
        self._may_pass = self.recorder.may_pass
        self._stillness = Stillness(scenario)
        self.env.look = self._look

    # -- running ----------------------------------------------------------------------------------------------------------

    def run(self) -> Records:
        """Run to the end of the scenario's duration, close the books, and hand over the records."""
        with nothing_collected(), suppress(Done):  # the last observation
            self.env.run_tasks()
        return self._close()

    def _look(self, turns: int) -> None:
        """Whether time goes on."""
        sent = [workload.arrived for workload in self.workloads]
        if not self._stillness.goes_on(self.env.now, turns, sent, len(self.recorder.open)):
            raise self._stillness.error(sent, self._who_turns())

    def _who_turns(self) -> Turning:
        """The component of the task whose turn it is, or is next, and the end of the last request."""
        names, first = self.recorder.names, min(self.env.calendar, key=itemgetter(0, 1, 2))[-1]
        tasks = [task for task in (self.env.going_on, *self.ready, first) if isinstance(task, Task)]
        task = next((task for task in tasks if task.replica.host is not self.outside), tasks[0] if tasks else None)
        turning = Turning()
        if task is not None:
            turning = Turning(task.replica.host.name, names[task.request.source] if task.request is not None else "")
        rows = self.recorder.requests.rows()
        if not rows.size:
            return turning
        where = int(rows["where"][-1])
        return replace(turning, where=names[where] if where >= 0 else "", outcome=int(rows["outcome"][-1]))

    def _plan_ticks(self) -> None:
        """Observe at the beginning, and at every tick."""
        self.recorder.tick()
        self.ticker = Signal(self._tick)
        self.env.late(self.ticker, OBSERVATION, self.moments[0])

    def _tick(self, _: object) -> None:
        self.recorder.tick()
        moment = self.moments.popleft()
        if still := self._still():
            first = self._all_moments.size - len(self.moments)
            self.recorder.pass_still(self._all_moments[first : first + still])
            for _ in range(still):
                moment = self.moments.popleft()
        if self.progress is not None:
            self.progress(moment)
        if not self.moments:
            raise Done
        self.env.late(self.ticker, OBSERVATION, self.moments[0])

    def _still(self) -> int:
        """How many of the next ticks see what this one has seen, for nothing happens before; 0 where there are few, and never the last one."""
        calendar = self.env.calendar
        until = calendar[0][0] if calendar else math.inf
        if len(self.moments) <= MANY or until < self.moments[MANY] or self.ready or self.env.fixed_delay_queue or not self._may_pass:
            return 0
        first = self._all_moments.size - len(self.moments)
        return int(np.searchsorted(self._all_moments[:-1], until * (1.0 - CLEAR))) - first

    def _close(self) -> Records:
        recorder = self.recorder
        for topic in self.topics.values():
            for group in topic.groups:
                for delivery in group.unended():  # also what was processed and not committed: it would be delivered again
                    self.message_row(delivery.message, group.name_index, math.nan, delivery.count, int(MessageEnd.QUEUED))
            for partition in topic.partitions:
                for message in partition.unreadable:
                    for group in topic.groups:
                        self.message_row(message, group.name_index, math.nan, 0, int(MessageEnd.QUEUED))
        for host in self.hosts():
            host.close()
        for request in list(recorder.open):
            recorder.close(request, pending=request.alive > 0 or request.end != request.end)
        self._tell_what_nobody_noticed()
        spans, stages = recorder.flows()
        recorder.hand_over()
        kept = recorder.keeper.finish()
        books = (*self.traffic_books(kept), *(host.book() for host in self.hosts()), *(topic.book() for topic in self.topics.values()))
        self._balance(books)
        scenario = self.scenario
        records = Records(
            seed=scenario.seed,
            replication=self.replication,
            duration=scenario.duration,
            warmup=scenario.warmup,
            names=tuple(recorder.names),
            requests=kept.requests,
            messages=kept.messages,
            summary=kept.summary,
            spans=spans,
            stages=stages,
            exemplary=scenario.record.spans == "exemplars",
            events=in_order(recorder.events.rows()),
            series=recorder.series,
            ticks=np.array(recorder.ticks),
            gauges=recorder.gauges(),
            books=books,
            effect_names=tuple(self.effects),
            oversold={name: stock.oversold for name, stock in self.stocks.items()},
        )
        records.remember(kept.digests)
        return records

    def _tell_what_nobody_noticed(self) -> None:
        now = self.env.now
        for host in self.hosts():
            self._tell(end_of_spell(EventKind.SHEDDING_ENDED, host.shedding, host.last_shed, now, host.name))
        for limit in self.gateway.limits if self.gateway is not None else ():
            self._tell(end_of_spell(EventKind.LIMITING_ENDED, limit.limiting, limit.last, now, "gateway", limit.label))
        for name, guard in breakers_of(self.guard_sets):
            self._tell(breaker_by_now(guard.of(BreakerMemory).row, now, name, guard.about))

    def _tell(self, events: Iterable[Late]) -> None:
        for event in events:
            self.recorder.event(event.kind, event.subject, event.about, time=event.time)

    def traffic_books(self, kept: Kept) -> list[Book]:
        """Arrivals against rows: every request that arrived has one."""
        books = []
        for workload in self.workloads:
            outcomes = kept.outcomes(workload.source)
            ended = {outcome.word: int(outcomes[outcome]) for outcome in Outcome if outcome != Outcome.IN_FLIGHT and outcomes[outcome]}
            books.append(Book(workload.name, workload.arrived, ended, int(outcomes[Outcome.IN_FLIGHT])))
        return books

    def _balance(self, books: Sequence[Book]) -> None:
        """Refuse to hand over records whose books do not balance."""
        for book in books:
            if not book.balances:
                raise BooksDoNotBalance(f"{book.component}: offered {book.offered}, ended {book.ended}, still there {book.open}")
        for host in self.hosts():
            counted = [sum(places) for places in zip(*((replica.waiting, replica.backlog) for replica in host.replicas), strict=True)]
            if [host.queued, host.outside] != counted or min(replica.free for replica in host.replicas) < 0:
                raise BooksDoNotBalance(f"{host.name}: {host.queued} and {host.outside} counted in queues and outside, where {counted} are")

    # -- what components ask for ------------------------------------------------------------------------------------------

    def hosts(self) -> list[Host]:
        """The gateway, where there is one, and all services."""
        return ([self.gateway] if self.gateway is not None else []) + list(self.services.values())

    def host(self, name: str) -> Host:
        """A service, or the gateway."""
        if name == "gateway" and self.gateway is not None:
            return self.gateway
        return self.services[name]

    def outsider(self) -> Replica:
        """One end of a conversation that is no host: a client, a broker."""
        return Replica(self.outside, 0, 0)

    def key(self, stream: str) -> int:
        """The key of a stream of draws."""
        return self.draws.key(stream)

    def sampler(self, distribution: Distribution, stream: str) -> Callable[[int, int], float]:
        """(request id, chain) -> a draw of this distribution, seconds."""
        return self.draws.sampler(distribution, stream)

    def demand(self, distribution: Distribution, stream: str, per: str = "request") -> Demand:
        """A time that a request brings with it, or that each attempt draws."""
        return Demand(self.sampler(distribution, stream), per == "request")

    def uniform(self, stream: str) -> Callable[[int, int], float]:
        """(request id, chain) -> a uniform draw in (0, 1)."""
        return self.draws.uniform(stream)

    def salt(self, site: str) -> int:
        """What keeps the draws of this call site apart from those of the first site of the same target."""
        return self._salts.get(site, 0)

    def mark(self, site: str) -> int:
        """What tells the attempts of this call from those of other calls by the same path; 0 where no path is taken twice."""
        return mark_of(site) if site in self._tried_again else 0

    def source_base(self, name: str) -> int:
        """The high bits of the ids of this traffic's requests."""
        return stream_number(name) >> (64 - SOURCE_BITS)

    def timers(self, duration: float, expire: Callable[[Any], None]) -> TimerQueue:
        """Timers of one duration and purpose."""
        return TimerQueue(self.env, duration, expire)

    def reach_again(self) -> None:
        """Something was mended: consumers that could not reach their broker try again."""
        for broker in self.brokers.values():
            broker.restore()

    def effect_bit(self, name: str) -> int:
        """The bit of an effect in the mask of a request."""
        return self.effects.setdefault(name, 1 << len(self.effects))

    def endpoint(self, target: str) -> Endpoint:
        """`service.endpoint`"""
        service, _, endpoint = target.partition(".")
        return self.services[service].endpoints[endpoint]

    def topic(self, name: str) -> Topic:
        """A topic of any broker."""
        return self.topics[name]

    def stock(self, host: Host) -> Stock:
        """The stock of a service."""
        if host.name not in self.stocks:
            kinds = max((traffic.items.count for traffic in self.scenario.traffic.values() if traffic.items), default=1)
            spec = self.services[host.name].spec.stock
            assert spec is not None
            self.stocks[host.name] = Stock(self, host.name, spec.items, kinds)
        return self.stocks[host.name]

    def outbox(self, site: Site, topic: Topic, spec: Publish) -> Outbox:
        """An outbox of a service, with its relay."""
        service = self.services[site.host.name]
        outbox = Outbox(self, service, topic, spec, self.salt(site.name))
        service.outboxes.append(outbox)
        self.recorder.watch(service.name, f"outbox {topic.name}" if len(service.outboxes) > 1 else "outbox", "level", lambda _: len(outbox.rows))
        return outbox

    # -- calls ------------------------------------------------------------------------------------------------------------

    def call(self, site: Site, target: Target | Endpoint, policy: str | CallPolicy | None, fallback: Sequence[Step] | None) -> Call:
        """A guarded call from a step."""
        steps = site.named(f"{site.name}.fallback").sequence(fallback) if fallback is not None else None
        return self._call(site.name, site.host, target, policy, steps)

    def route_call(self, gateway: Gateway, name: str, route: Route) -> Call:
        """The call of a gateway route: its `per_try_timeout` goes before the timeout of its policy, its `timeout` is that of all attempts together."""
        return self._call(f"gateway.{name}.call", gateway, self.endpoint(route.to), route.guarded(self._policy(route.policy)), None)

    def introspection_call(self, gateway: Gateway, spec: OAuth) -> Call:
        """The call of the identity provider; it times out, or a lost answer would keep its user out for ever."""
        policy = self._policy(spec.policy)
        if policy.timeout is None:
            policy = policy.model_copy(update={"timeout": INTROSPECTION_TIMEOUT})
        return self._call("gateway.oauth.call", gateway, self.endpoint(spec.introspect), policy, None)

    def _call(self, site: str, caller: Host, target: Target | Endpoint, policy: str | CallPolicy | None, fallback: StepSequence | None) -> Call:
        name = policy if isinstance(policy, str) else site
        hops = self.network.hops(caller.name, target.component, target.hop_stream)
        return Call(self, site, caller, target, self._policy(policy), name, hops, fallback, LAYERS)

    def _policy(self, policy: str | CallPolicy | None) -> CallPolicy:
        if policy is None:
            return NO_POLICY
        return self.scenario.policies[policy] if isinstance(policy, str) else policy

    def guards(self, call: Call, layers: Sequence[type[Layer]]) -> Guards | None:
        """The guards of a caller towards a callee under one policy: one per replica, or one for all. None where no layer remembers anything."""
        policy = call.policy
        if not any(layer.memory(policy) is not None for layer in layers):
            return None
        key = (call.caller, call.policy_name, call.target.component)
        if key not in self.guard_sets:
            about = self._about(call)

            def guard() -> Guard:
                return Guard(policy, about, (memory for layer in layers if (memory := layer.memory(policy)) is not None))

            shared = guard() if policy.scope == "service" else None
            self.guard_sets[key] = guards = {replica: shared or guard() for replica in call.host.replicas}
            for layer in reversed(layers):
                if layer.memory(policy) is not None:
                    layer.watch(call, guards)
        return self.guard_sets[key]

    def bulkhead_name(self, call: Call) -> str:
        """As figures name it; that of a plug-in's step says which policy it belongs to."""
        key = (call.caller, call.target.component, call.policy_name)
        names = {(its.caller, its.callee, its.policy_name): its.name for its in bulkheads(self.scenario)}
        return names.get(key, f"{call.caller} -> {call.target.component} ({call.policy_name})")

    def _about(self, call: Call) -> str:
        """The callee as events and series name it: with the policy where the caller has a breaker for it already, under another one."""
        callee = call.target.component
        rivals = [guards for (caller, _, other), guards in self.guard_sets.items() if (caller, other) == (call.caller, callee)]
        taken = any(guard.find(BreakerMemory) is not None for guards in rivals for guard in guards.values())
        return f"{callee} ({call.policy_name})" if taken and call.policy.circuit_breaker is not None else callee

    def forget_guards(self, replica: Replica) -> None:
        """A crashed replica starts again with closed breakers, empty bulkheads and no budget."""
        for (caller, _, _), guards in self.guard_sets.items():
            guard = guards.get(replica)
            if guard is not None and guard.policy.scope == "replica":
                if (breaker := guard.find(BreakerMemory)) is not None:
                    self._tell(breaker_forgotten(breaker.row, self.env.now, f"{caller}[{replica.index}]", guard.about))
                guards[replica] = guard.renewed()

    def forget_producer(self, replica: Replica) -> None:
        """The producer of a crashed replica is gone."""
        for topic in self.topics.values():
            topic.forget_producer(replica)

    # -- doors and groups -------------------------------------------------------------------------------------------------

    def door(self, target: str, traffic: Traffic) -> Door:
        """What a client calls: a gateway route, or an endpoint."""
        if self.gateway is not None:
            completes_with = self.gateway.spec.routes[target].completes_with
            called: Any = self.gateway.routes[target]
        else:
            completes_with = traffic.completes_with
            called = self.endpoint(target)
        needs = 0
        for effect in completes_with:
            needs |= self.effect_bit(effect)
        mark = mark_of(f"door {target}") if traffic.retry is not None and traffic.retry.max_attempts > 1 else 0
        return Door(called, self.network.door_hop(called.component), self.recorder.name(target), needs, mark)

    def _join_groups(self) -> None:
        """Consumers of all services join their groups; partitions are dealt out."""
        groups: dict[tuple[str, str], Group] = {}
        for service in self.services.values():
            for topic, consume in service.spec.consumes.items():
                key = (consume.group, topic)
                if key not in groups:
                    groups[key] = Group(self, consume.group, self.topics[topic])
                name = consumer_name(service.name, consume.group, topic)
                steps = Site(self, service, name, self.recorder.name(name)).sequence(consume.do)
                for replica in service.replicas:
                    for _ in range(consume.consumers):
                        service.members.append(Member(groups[key], service, replica, consume, steps))
        for group in groups.values():
            group.assign()
            group.watch_members()

    def expire_session(self, member: Member) -> None:
        """A crashed member's partitions move when its session times out, unless it is back before."""
        task = member.task  # of the life that has ended: one who comes back and dies again has a session of its own

        def expire(_: object) -> None:
            if member.replica.down and member.belongs and member.task is task:
                member.belongs = False
                self.rebalance(member.group)

        self.env.schedule(Signal(expire), CONTROL, member.spec.session_timeout)

    def rebalance(self, group: Group) -> None:
        """Deal the partitions out again."""
        group.assign()
        self.recorder.event(EventKind.PARTITIONS_ASSIGNED, group.name, group.topic.name, sum(member.belongs for member in group.members))

    # -- messages ---------------------------------------------------------------------------------------------------------

    def message_row(self, message: Message, group: int, end: float, deliveries: int, how: int) -> None:
        """Append the row of a message for one group."""
        request = message.request
        topic = message.topic
        self.recorder.messages.append(
            message.number,
            request.id,
            message.offset,
            message.published,
            message.available,
            end,
            message.partition.index,
            topic.name_index,
            group,
            min(deliveries, 32767),  # the column is narrow
            how,
        )


def simulate(scenario: Scenario, replication: int = 0, progress: Callable[[float], None] | None = None) -> Records:
    """Run one replication of one scenario on the SimPy engine. `progress` hears the simulated time at every interval."""
    with nothing_collected():
        return World(scenario, replication, progress).run()
