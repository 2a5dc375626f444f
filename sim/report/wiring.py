"""Who talks to whom in a scenario: boxes and arrows, before anything is placed or drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sim.report.queue_wiring import consumer_badges, dead_letters, membership_badges, published, queue_lines
from sim.report.words import clock, fault_kind, fault_name, lasting, show
from sim.spec.actions import Action, Calls, Publishes, badge_of, every_action, lists_in
from sim.spec.arrivals import Arrivals
from sim.spec.balancing import Balancing
from sim.spec.base import word_of
from sim.spec.contention import Contention
from sim.spec.fault import Fault, Zone
from sim.spec.gateway import Gateway, RateLimit
from sim.spec.node_pool import NodePool
from sim.spec.policy import NO_POLICY, CallPolicy, Hedge, Retry
from sim.spec.queue_broker import QueueBroker
from sim.spec.queueing import Queue
from sim.spec.scenario import Scenario
from sim.spec.service import Service
from sim.spec.step import Step
from sim.spec.traffic import Traffic
from sim.spec.walk import every_step
from sim.units import show_share

BoxKind = Literal["client", "gateway", "service", "topic"]


@dataclass(frozen=True)
class Box:
    """Something drawn as a box."""

    id: str
    kind: BoxKind
    name: str
    lines: tuple[str, ...] = ()  # what to know of it, most important first
    faults: tuple[str, ...] = ()  # what happens to it
    partitions: int = 0  # of a topic


@dataclass
class Arrow:
    """A way of requests (solid) or of messages (dashed), with the badges of its policies."""

    source: str
    target: str
    dashed: bool = False
    badges: dict[str, None] = field(default_factory=dict)
    details: dict[str, None] = field(default_factory=dict)  # for the tooltip
    faults: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Wiring:
    """The system of one scenario."""

    boxes: dict[str, Box]
    arrows: tuple[Arrow, ...]


def wiring_of(scenario: Scenario) -> Wiring:
    """Boxes and arrows of a scenario; arrows between the same two boxes are one."""
    boxes = {box.id: box for box in _boxes(scenario)}
    arrows: dict[tuple[str, str, bool], Arrow] = {}
    for source, target, dashed, badges, detail in _arrows(scenario):
        if source in boxes and target in boxes:
            arrow = arrows.setdefault((source, target, dashed), Arrow(source, target, dashed))
            arrow.badges.update(dict.fromkeys(badges))
            arrow.details[detail] = None
    for fault in scenario.faults:
        if fault.of_link:
            ends = {_station(name, boxes) for name in fault.befalls}
            for arrow in arrows.values():
                if {arrow.source, arrow.target} == ends:
                    arrow.faults[_fault_text(fault)] = None
    used = {end for arrow in arrows.values() for end in (arrow.source, arrow.target)}
    # a topic of another variant
    boxes = {name: box for name, box in boxes.items() if box.kind != "topic" or name in used}
    return Wiring(boxes, tuple(arrows.values()))


def _boxes(scenario: Scenario) -> Iterator[Box]:
    for name, traffic in scenario.traffic.items():
        yield Box(f"client:{name}", "client", name, tuple(_traffic_lines(traffic)))
    if scenario.gateway is not None:
        yield Box(
            "gateway", "gateway", "gateway", tuple(_gateway_lines(scenario.gateway)), _faults_of(scenario, "gateway")
        )
    for name, service in scenario.services.items():
        yield Box(
            f"service:{name}", "service", name, tuple(_service_lines(scenario, service)), _faults_of(scenario, name)
        )
    for broker_name, broker in scenario.brokers.items():
        for name, topic in broker.partitioned.items():
            lines = (f"topic of {broker_name}", _count(topic.partitions, "partition"))
            yield Box(f"topic:{name}", "topic", name, lines, _faults_of(scenario, broker_name), topic.partitions)
        if isinstance(broker, QueueBroker):
            for name, queue in broker.queues.items():
                yield Box(
                    f"topic:{name}",
                    "topic",
                    name,
                    queue_lines(broker_name, queue),
                    _faults_of(scenario, broker_name),
                )


def _arrows(scenario: Scenario) -> Iterator[tuple[str, str, bool, tuple[str, ...], str]]:
    """Source, target, dashed, badges, detail."""
    for name, traffic in scenario.traffic.items():
        badges = _badges(NO_POLICY, traffic.timeout, traffic.retry)
        if traffic.patience is not None:
            mean = traffic.mean_patience
            badges = ("own patience" if mean is None else f"patience ~{lasting(mean)}", *badges)
        for target in traffic.mix:
            place = (
                "gateway" if scenario.gateway is not None and target in scenario.gateway.routes else _service(target)
            )
            yield f"client:{name}", place, False, badges, f"sends {target}"
    if scenario.gateway is not None:
        yield from _gateway_arrows(scenario, scenario.gateway)
    for source, target, badge in dead_letters(scenario):
        yield f"topic:{source}", f"topic:{target}", True, (badge,), f"{source} gives messages up to {target}"
    for name, service in scenario.services.items():
        for place, endpoint in service.endpoints.items():
            yield from _step_arrows(scenario, name, place, endpoint.do)
        for topic, consume in service.consumes.items():
            retry = consume.retry_topic
            if not consume.group:
                yield f"topic:{topic}", f"service:{name}", True, consumer_badges(consume), f"{name} consumes {topic}"
                yield from _step_arrows(scenario, name, topic, consume.do)
                continue
            badges = (
                consume.group,
                *((f"retry after {', '.join(lasting(delay) for delay in retry.pauses)}",) if retry else ()),
                *membership_badges(consume),
            )
            yield f"topic:{topic}", f"service:{name}", True, badges, f"{consume.group} consumes {topic}"
            yield from _step_arrows(scenario, name, consume.group, consume.do)


def _gateway_arrows(scenario: Scenario, gateway: Gateway) -> Iterator[tuple[str, str, bool, tuple[str, ...], str]]:
    for route, spec in gateway.routes.items():
        asked = {**({"host": spec.hosts} if spec.hosts else {}), **spec.headers}
        carrying = tuple(f"{header}: {' or '.join(values)}" for header, values in asked.items())
        badges = (*carrying, *_badges(_policy(scenario, spec.policy), spec.timeout))
        if spec.translate is not None:
            badges = (*badges, f"as {spec.translate.to}")
        if spec.cache is not None:
            badges = (*badges, spec.cache.badge)
        for target, share in spec.targets.items():
            part = (show_share(share),) if spec.split else ()
            yield "gateway", _service(target), False, (*part, *badges), f"{route} to {target}"
        for action in every_action(spec.asks):
            if isinstance(action, Calls) and spec.token is not None:
                badges = (*_badges_of_call(scenario, action), spec.token.badge)
                yield "gateway", _service(action.endpoint), False, badges, f"{route} gets a token at {action.endpoint}"
    for action in gateway.authenticates:
        if isinstance(action, Calls):
            badges = _badges_of_call(scenario, action)
            what = "fetches keys" if action.for_all else "introspects tokens"
            yield "gateway", _service(action.endpoint), False, badges, f"{what} at {action.endpoint}"


def _step_arrows(
    scenario: Scenario, name: str, endpoint: str, steps: tuple[Step, ...]
) -> Iterator[tuple[str, str, bool, tuple[str, ...], str]]:
    for action, how_often in _with_badges(steps):
        if isinstance(action, Calls):
            badges = (*_badges_of_call(scenario, action), *how_often)
            yield f"service:{name}", _service(action.endpoint), False, badges, f"{endpoint} calls {action.endpoint}"
        elif isinstance(action, Publishes):
            badges = ("outbox",) if action.poll is not None else _badges(_policy(scenario, action.policy))
            for queue, more in published(scenario, action):
                yield (
                    f"service:{name}",
                    f"topic:{queue}",
                    True,
                    (*badges, *more, *how_often),
                    f"{endpoint} publishes to {action.topic}",
                )


def _with_badges(steps: Iterable[Step], badges: tuple[str, ...] = ()) -> Iterator[tuple[Action, tuple[str, ...]]]:
    """All actions, those inside of others with what is said there of how often they come."""
    for step in steps:
        for action in step.actions or ():
            yield action, badges
            for name, inner in lists_in(action):
                badge = badge_of(action, name)
                yield from _with_badges(inner, (*badges, badge) if badge else badges)


def _badges_of_call(scenario: Scenario, call: Calls) -> tuple[str, ...]:
    fallback = ("fallback",) if call.fallback is not None else ()
    cached = (f"cached {lasting(call.remembered)}",) if call.remembered is not None else ()
    return (*_badges(_policy(scenario, call.policy)), *fallback, *cached, *call.badges)


def _badges(policy: CallPolicy, timeout: float | None = None, retry: Retry | None = None) -> tuple[str, ...]:
    limit, retry = policy.timeout or timeout, policy.retry or retry
    breaker, bulkhead = policy.circuit_breaker, policy.bulkhead
    badges = (
        f"timeout {lasting(limit)}" if limit else "",
        f"connect {lasting(policy.connect_timeout)}" if policy.connect_timeout else "",
        f"retry ×{retry.max_attempts}" if retry is not None and retry.max_attempts > 1 else "",
        "budget" if retry is not None and retry.budget is not None else "",
        "breaker" if breaker is not None else "",
        _limit_badge(policy),
        f"hedge {_after(policy.hedge)}" if policy.hedge is not None else "",
        f"pool {policy.pool.size}" if policy.pool is not None else "",
        f"bulkhead {bulkhead.algorithm or bulkhead.most}" if bulkhead is not None else "",
    )
    return tuple(badge for badge in badges if badge)


def _limit_badge(policy: CallPolicy) -> str:
    limit = policy.rate_limit
    if limit is None or limit.adapts:
        return "adaptive limit" if limit is not None else ""
    return f"limit {show(limit.mean_rate, '1/s')}"


def _policy(scenario: Scenario, policy: str | CallPolicy | None) -> CallPolicy:
    if isinstance(policy, str):
        return scenario.policies.get(policy, NO_POLICY)
    return policy or NO_POLICY


def _traffic_lines(traffic: Traffic) -> Iterator[str]:
    yield _arrivals(traffic.arrivals)
    if traffic.people:
        yield f"{traffic.people:,} users"


def _arrivals(arrivals: Arrivals) -> str:
    rate, users = getattr(arrivals, "rate", None), getattr(arrivals, "users", None)
    if isinstance(rate, (int, float)):
        return f"{show(float(rate), '1/s')} open"
    if isinstance(users, int):
        return f"{users:,} closed users"
    return f"{type(arrivals).__name__.lower()}, open"


def _gateway_lines(gateway: Gateway) -> Iterator[str]:
    yield _size(gateway.replicas, gateway.workers)
    if gateway.pinned:
        yield "connections pinned to threads"
    if gateway.authentication is not None:
        yield f"authentication {word_of(gateway.authentication)}"
    yield from _limit_lines(gateway.rate_limits)
    yield from _backlog_line(gateway.queue)
    for name, route in gateway.routes.items():
        yield from (f"{name}: {line}" for line in _limit_lines(route.rate_limits))


def _after(hedge: Hedge) -> str:
    return hedge.after if isinstance(hedge.after, str) else lasting(hedge.after)


def _balanced(its: Balancing) -> str:
    more = (
        " weighted" if its.weights else "",
        ", zone aware" if its.zone_aware is not None else "",
        ", outliers ejected" if its.outlier_detection is not None else "",
        ", passive checks" if its.passive_health_checks is not None else "",
        f", slow start {lasting(its.slow_start)}" if its.slow_start is not None else "",
    )
    return its.policy + "".join(more)


def _limit_lines(limits: Iterable[RateLimit]) -> Iterator[str]:
    for limit in limits:
        whose = f"per {' and '.join(limit.keys)}" if limit.keys else "in all"
        for its in limit.periods:
            like = f", as {limit.preset}" if limit.preset else ""
            counted = f", in {limit.store.name}" if limit.store is not None else ""
            yield f"limit {show(its.rate, '1/s')} {whose}{like}{counted}"


_SCALED_VERTICALLY = {
    "recreate": "replicas are replaced",
    "in_place_or_recreate": "changed in place",
    "initial": "for replicas that start",
    "recommend": "only recommended",
}


def _service_lines(scenario: Scenario, service: Service) -> Iterator[str]:
    yield _size(service.replicas, service.workers)
    if service.serverless is not None:
        function = service.serverless
        warm = f", {function.provisioned:,} provisioned" if function.provisioned else ""
        yield f"instances by request, at most {function.most:,}{warm}, gone after {lasting(function.idle_timeout)}"
    if service.node_pool in scenario.node_pools:
        yield _nodes(service.node_pool, scenario.node_pools[service.node_pool])
    if service.pinned:
        yield "connections pinned to threads"
    if service.zones:
        yield f"in {', '.join(dict.fromkeys(service.zones))}"
    if service.autoscaling is not None:
        yield f"scales from {service.autoscaling.min} to {service.autoscaling.max}: {', '.join(_scaled_by(service))}"
    if service.cores is not None:
        yield _count(service.cores, "core") + " each"
    if service.cpu is not None:
        yield f"cpu limit {service.cpu.limit:g}, periods of {lasting(service.cpu.period)}"
    if service.contention is not None:
        yield "threads slow one another: " + _contention(service.contention)
    if service.pauses is not None:
        yield f"pauses {lasting(service.pauses.lasts.mean)} every {lasting(service.pauses.every.mean)}"
    if service.ageing is not None:
        yield f"{service.ageing.slow:g}x as slow after {lasting(service.ageing.over)}, until a restart"
    if service.vertical_scaling is not None:
        yield f"cpu limit by use, {_SCALED_VERTICALLY[service.vertical_scaling.mode]}"
    yield from _limit_lines(service.rate_limits)
    if isinstance(service.load_balancing, Balancing):
        yield "balanced by " + _balanced(service.load_balancing)
    if service.health_checks is not None:
        its = service.health_checks
        yield f"checked every {lasting(its.interval)}, {its.unhealthy_threshold} times"
    yield from _queue_lines(service.queue)
    if service.stock is not None:
        yield f"stock {service.stock.items:,}"
    yield from _effect_lines(service)


def _contention(its: Contention) -> str:
    said = ("serial", its.serial), ("crosstalk", its.crosstalk)
    return ", ".join(f"{word} {show_share(share)}" for word, share in said if share > 0.0)


def _queue_lines(queue: Queue) -> Iterator[str]:
    discipline = "" if queue.discipline == "fifo" else queue.discipline
    if queue.capacity >= 0:
        yield f"queue {queue.capacity:,}" + (f", {discipline}" if discipline else "")
    elif discipline:
        yield f"queue {discipline}"
    yield from _backlog_line(queue)


def _effect_lines(service: Service) -> Iterator[str]:
    chains = [
        *(endpoint.do for endpoint in service.endpoints.values()),
        *(consume.do for consume in service.consumes.values()),
    ]
    effects = dict.fromkeys(effect for chain in chains for step in every_step(chain) for effect in step.effects)
    for effect in list(effects)[:2]:
        yield f"→ {effect}"
    if len(effects) > 2:
        yield f"→ and {len(effects) - 2} more effects"


def _backlog_line(queue: Queue) -> Iterator[str]:
    if queue.listen_backlog is not None:
        yield f"listen backlog {queue.listen_backlog:,}"


def _scaled_by(service: Service) -> Iterator[str]:
    """What its autoscaler looks at."""
    assert service.autoscaling is not None
    for metric in service.autoscaling.measured:
        target = getattr(metric, metric.word)
        if metric.lag is not None:
            yield f"lag of {metric.lag.of}"
        elif metric.word in ("cpu", "workers"):
            yield f"{metric.word} {show_share(target)}"
        else:
            yield f"{metric.word.replace('_', ' ')} {target:g}"
    if service.autoscaling.scheduled:
        yield "schedule"


def _nodes(name: str, pool: NodePool) -> str:
    holds = _count(pool.cores, "core") if pool.cores is not None else _count(pool.replicas, "replica")
    return f"on {pool.min} to {_count(pool.max, 'node')} {name}, {holds} each"


def _size(replicas: int, workers: int) -> str:
    return f"{replicas} × {_count(workers, 'worker')}" if workers >= 0 else f"{replicas} × unlimited workers"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _service(target: str) -> str:
    return f"service:{target.partition('.')[0]}"


def _station(name: str, boxes: dict[str, Box]) -> str:
    return next((place for place in (name, f"service:{name}") if place in boxes), name)


def _faults_of(scenario: Scenario, component: str) -> tuple[str, ...]:
    zones = scenario.zones_of(component)
    return tuple(
        _fault_text(fault)
        for fault in scenario.faults
        if (component in fault.befalls and not fault.of_link) or (isinstance(fault, Zone) and fault.zone in zones)
    )


def _fault_text(fault: Fault) -> str:
    """`5:00–8:00 payments outage (hang)`: the verb only where the name does not say it."""
    name, (verb, comma, detail) = fault_name(fault), fault_kind(fault).partition(", ")
    kind = detail if verb in name else f"{verb}{comma}{detail}"
    at_once = fault.momentary or verb == "crash"
    until = f"–{clock(fault.at + fault.lasts)}" if fault.lasts is not None else "" if at_once else " to the end"
    return f"{clock(fault.at)}{until} {name}{f' ({kind})' if kind else ''}"
