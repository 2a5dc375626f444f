"""The world of one run: everything a scenario names, made and wired.

It is made for either engine; that of SimPy runs it (`models/running.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from sim.models.autoscaler import Autoscaler
from sim.models.behaviours import behaviour_of
from sim.models.calls import Calls
from sim.models.client import Client, Door
from sim.models.clock import Clock
from sim.models.demand import Demand
from sim.models.destination import Destination, Kept
from sim.models.draws import Draw, Draws
from sim.models.faulting import plan
from sim.models.fleet import Fleet
from sim.models.gateway import Gateway
from sim.models.group import Group
from sim.models.groups import join_groups, open_channels
from sim.models.host import Host
from sim.models.ledger import Ledger
from sim.models.limits import Limit
from sim.models.lock_manager import LockManager
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.wiring import make_topic
from sim.models.network import Network
from sim.models.node_pool import NodePool
from sim.models.observing import Observer
from sim.models.outbox import Outbox
from sim.models.queues.queue import Queue
from sim.models.recorder import Recorder, ticks_of
from sim.models.serverless import Account
from sim.models.service import Endpoint, Service
from sim.models.sites import mark_of, salts, tried_again
from sim.models.stock import Stock
from sim.models.summary import plan_of
from sim.models.task import Outside, Replica
from sim.models.topic import Broker, Topic
from sim.models.vertical_scaler import VerticalScaler
from sim.models.watchdog import Watchdog
from sim.models.workload import Workload
from sim.records.row_sinks import row_sink
from sim.spec import routing
from sim.spec.distribution import Constant, Distribution
from sim.spec.scenario import Scenario
from sim.spec.step import Publish
from sim.spec.traffic import Traffic, first_users


class World:
    """One run of one scenario.

    Components are made here, in the order of the scenario; what they may ask for is a `Context`, or a `System`.
    """

    def __init__(
        self,
        scenario: Scenario,
        replication: int = 0,
        progress: Callable[[float], None] | None = None,
        draws: Draws | None = None,
    ):
        self.scenario = scenario
        self.replication = replication
        self.env = _clock(scenario)
        self.moments = ticks_of(scenario)  # s; when the time series are sampled, but for time 0
        kept = row_sink(plan_of(scenario, (0.0, *self.moments)))
        self.recorder = Recorder(self.env, scenario.record.spans, scenario.warmup, kept)
        self.draws = draws or Draws(scenario.seed, replication)
        self.ledger: Ledger | None = Ledger(self) if scenario.ledger.follow else None
        self.network = Network(scenario.network, self.draws, _zoned(scenario))
        self.nowhere = Replica(Outside(), 0, 0)
        self.locks = LockManager()
        self.effects: dict[str, int] = {}  # the bit of each in the masks of requests
        self.stocks: dict[str, Stock] = {}  # by service
        self.views: dict[str, Any] = {}  # by name (`models/view.py`)
        self._salts = salts(scenario)
        self._tried_again = tried_again(scenario)
        self._make_components()
        self._make_steps()
        self._make_traffic()
        self.observer = Observer(self.env, self.recorder, self.moments, progress)
        self.observer.start()
        self.env.look = Watchdog(scenario, self.env, self.recorder, self.workloads).look

    # -- made in this order ----------------------------------------------------------------------------------------

    def _make_components(self) -> None:
        """Hosts and brokers, and the faults that hit them: what a fault can do must be known before anything else is
        made.
        """
        scenario = self.scenario
        self.gateway: Gateway | None = (
            Gateway(self, scenario.gateway, scenario.skew_of("gateway")) if scenario.gateway is not None else None
        )
        left = scenario.unclaimed_concurrency
        self.account = None if left is None else Account(left)
        self.services: dict[str, Service] = {
            name: Service(self, name, spec, scenario.places_of(name), self.account, scenario.skew_of(name))
            for name, spec in scenario.services.items()
        }
        for host in self.hosts():
            host.spread(scenario.zones_of(host.name), scenario.zones)
            host.clocks_are(scenario.clock_skew_of(host.name))
        self.node_pools = {name: NodePool(self, name, spec) for name, spec in scenario.node_pools.items()}
        self.fleets: dict[str, Fleet] = {
            name: Fleet(self, service, service.spec, self.node_pools.get(service.spec.node_pool or ""))
            for name, service in self.services.items()
            if service.spec.autoscaling is not None
            or service.spec.vertical_scaling is not None
            or service.spec.node_pool is not None
            or any(name == fault.of for fault in scenario.deployments)
        }
        for pool in self.node_pools.values():
            pool.begin([fleet for fleet in self.fleets.values() if fleet.nodes is pool])
        self.brokers: dict[str, Broker] = {
            name: behaviour_of(spec)(self, name, spec) for name, spec in scenario.brokers.items()
        }
        self.topics: dict[str, Topic] = {
            name: make_topic(self, self.brokers[broker], name, topic)
            for broker, spec in scenario.brokers.items()
            for name, topic in spec.partitioned.items()
        }
        self.destinations: dict[str, Destination] = dict(self.topics)
        self.kept: list[Kept] = list(self.topics.values())
        for broker in self.brokers.values():
            self.destinations.update(broker.others)
            self.kept += broker.stores
        self.calls = Calls(self, scenario, self.network, self.hosts())
        for fault in scenario.faults:
            plan(self, fault)

    def _make_steps(self) -> None:
        """What endpoints, consumers and routes do, and so all calls between them."""
        for service in self.services.values():
            for endpoint in service.endpoints.values():
                endpoint.build(self)
        self.groups = join_groups(self, self.network, self.services, self.topics)
        open_channels(self, self.network, self.services, self.brokers.values())
        self._make_autoscalers()
        if self.gateway is not None:
            self.gateway.build(self)
            if any(traffic.gives_up for traffic in self.scenario.traffic.values()):
                self.gateway.keep_track()  # whose clients go away

    def _make_autoscalers(self) -> None:
        groups: dict[str, list[Group]] = {}
        for group in self.groups:
            groups.setdefault(group.name, []).append(group)
        stores = (store for broker in self.brokers.values() for store in broker.stores)
        queues = {store.name: store for store in stores if isinstance(store, Queue)}
        self.autoscalers = [
            Autoscaler(fleet, self.services[name], spec, groups, queues)
            for name, fleet in self.fleets.items()
            if (spec := self.services[name].spec.autoscaling) is not None
        ]
        self.vertical_scalers = [
            VerticalScaler(fleet, self.services[name], vertical, cpu)
            for name, fleet in self.fleets.items()
            if (vertical := self.services[name].spec.vertical_scaling) is not None
            and (cpu := self.services[name].spec.cpu) is not None
        ]

    def _make_traffic(self) -> None:
        if any(traffic.deadline is not None for traffic in self.scenario.traffic.values()):
            for host in self.hosts():
                host.keep_track()  # what is late is cancelled
        users = first_users(self.scenario.traffic)
        self.workloads: list[Workload] = []
        for name, traffic in self.scenario.traffic.items():
            client = Client(self, name, traffic, self.gateway, self.calls.deadlines, len(self.workloads))
            doors = [self._door(target, traffic) for target in traffic.mix]
            self.workloads.append(Workload(self, name, traffic, client, doors, users.get(name, 0)))
        for workload in self.workloads:
            workload.start(self.scenario.duration)

    def _door(self, target: str, traffic: Traffic) -> Door:
        """What a client calls: a gateway route, or an endpoint."""
        called: Any
        narrower: list[tuple[dict[str, tuple[str, ...]], Door]] = []
        if self.gateway is not None:
            for name in routing.narrower(self.gateway.spec).get(target, ()):
                asked = routing.conditions(self.gateway.spec.routes[name])
                accepted = {condition.header: condition.accepted(traffic) for condition in asked}
                narrower.append((accepted, self._door(name, traffic)))
            completes_with = self.gateway.spec.routes[target].completes_with
            called = self.gateway.routes[target]
        else:
            completes_with = traffic.completes_with
            called = self.endpoint(target)
        needs = 0
        for effect in completes_with:
            needs |= self.effect_bit(effect)
        mark = mark_of(f"door {target}") if traffic.retry is not None and traffic.retry.max_attempts > 1 else 0
        hop = self.network.door_hop(called.component)
        return Door(called, hop, self.recorder.name(target), needs, mark, tuple(narrower))

    # -- what a component may ask for (`models/context.py`) --------------------------------------------------------

    def key(self, stream: str) -> int:
        """The key of a stream of draws."""
        return self.draws.key(stream)

    def sampler(self, distribution: Distribution, stream: str) -> Draw:
        """Draws of this distribution, seconds."""
        return self.draws.sampler(distribution, stream)

    def uniform(self, stream: str) -> Draw:
        """Uniform draws in (0, 1)."""
        return self.draws.uniform(stream)

    def demand(self, distribution: Distribution, stream: str, per: str = "request") -> Demand:
        """A time that a request brings with it, or that each attempt draws."""
        return Demand(self.sampler(distribution, stream), per == "request")

    def salt(self, site: str) -> int:
        """What keeps the draws of this call site apart from those of the first site of the same target."""
        return self._salts.get(site, 0)

    def mark(self, site: str) -> int:
        """What tells the attempts of this call from those of other calls by the same path; 0 where no path is taken
        twice.
        """
        return mark_of(site) if site in self._tried_again else 0

    # -- what steps, routes and endpoints may ask for (`models/site.py`) -------------------------------------------

    def endpoint(self, target: str) -> Endpoint:
        """`service.endpoint`"""
        service, _, endpoint = target.partition(".")
        return self.services[service].endpoints[endpoint]

    def destination(self, name: str) -> Destination:
        """What can be published to, of any broker."""
        return self.destinations[name]

    def stock(self, host: Host) -> Stock:
        """The stock of a service."""
        if host.name not in self.stocks:
            kinds = max((traffic.items.count for traffic in self.scenario.traffic.values() if traffic.items), default=1)
            spec = self.services[host.name].spec.stock
            assert spec is not None
            self.stocks[host.name] = Stock(self.recorder, host.name, spec.items, kinds)
        return self.stocks[host.name]

    def outbox(self, site: str, host: Host, topic: Destination, spec: Publish) -> Outbox:
        """A new outbox of a service, with its relay."""
        service = self.services[host.name]
        hops = self.network.hops(service.name, topic.broker.name, f"{service.name}/outbox/{topic.name}")
        outbox = Outbox(self, service, topic, spec, self.salt(site), hops)
        service.outboxes.append(outbox)
        series = f"outbox {topic.name}" if len(service.outboxes) > 1 else "outbox"
        self.recorder.watch(service.name, series, "level", lambda _: len(outbox.rows))
        return outbox

    def effect_bit(self, name: str) -> int:
        """The bit of an effect in the mask of a request."""
        return self.effects.setdefault(name, 1 << len(self.effects))

    # -- what faults ask for ---------------------------------------------------------------------------------------

    def hosts(self) -> list[Host]:
        """The gateway, where there is one, and all services."""
        return ([self.gateway] if self.gateway is not None else []) + list(self.services.values())

    def limits(self) -> Iterator[Limit]:
        """The rate limits of the gateway, of its routes, and of services."""
        if self.gateway is not None:
            yield from self.gateway.limits
            yield from self.gateway.limits_of_routes
        for service in self.services.values():
            yield from service.limits

    def host(self, name: str) -> Host:
        """A service, or the gateway."""
        if name == "gateway" and self.gateway is not None:
            return self.gateway
        return self.services[name]

    def forget(self, replica: Replica) -> None:
        """It has crashed: what it remembered about others is gone, and so is its producer."""
        self.calls.forget_guards(replica)
        for topic in self.topics.values():
            topic.forget_producer(replica)
        for broker in self.brokers.values():
            if isinstance(broker, ClusteredBroker):
                broker.forget_producer(replica)

    def reach_again(self) -> None:
        """Something was mended: consumers that could not reach their broker try again."""
        for broker in self.brokers.values():
            broker.restore()


def _zoned(scenario: Scenario) -> list[str]:
    """The components that are in zones."""
    return [name for name in ("gateway", *scenario.services) if scenario.zones_of(name)]


def _clock(scenario: Scenario) -> Clock:
    """A clock for which hops of the usual length need no heap."""
    latency = scenario.network.default.latency
    return Clock(latency.value if isinstance(latency, Constant) and latency.value > 0 else math.nan)
