"""Whether a service has what its autoscaling looks at, and nodes to stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.errors import did_you_mean
from sim.spec.autoscaling import Lag, ScalingMetric
from sim.spec.cpu import MILLI
from sim.spec.document import Location
from sim.spec.node_pool import NodePool
from sim.spec.queue_broker import QueueBroker
from sim.spec.scenario import Scenario
from sim.spec.service import Service

Found = tuple[Location, str]  # where, and what


def scaling_problems(scenario: Scenario) -> Iterator[Found]:
    """Every metric of which a service has nothing that could be measured."""
    queues = {
        queue for broker in scenario.brokers.values() if isinstance(broker, QueueBroker) for queue in broker.queues
    }
    for name, service in scenario.services.items():
        scaling = service.autoscaling
        for index, metric in enumerate(scaling.measured if scaling is not None else ()):
            at: Location = ("services", name, "autoscaling")
            at = (*at, "metrics", index) if scaling is not None and scaling.metrics else at
            yield from _metric(at, metric, name, service)
            if metric.lag is not None:
                yield from _lag((*at, "lag"), metric.lag, service, queues)


def node_pool_problems(scenario: Scenario) -> Iterator[Found]:
    """Every service in a pool that is not there, or whose nodes cannot hold what is there at the beginning."""
    for name, service in scenario.services.items():
        known = service.node_pool is None or service.node_pool in scenario.node_pools
        at: Location = ("services", name, "node_pool")
        if not known:
            word = service.node_pool or ""
            hint = (
                did_you_mean(word, scenario.node_pools) if scenario.node_pools else "; the scenario has no node_pools"
            )
            yield at, f"unknown node pool '{word}'{hint}"
    for pool, spec in scenario.node_pools.items():
        its = [(name, service) for name, service in scenario.services.items() if service.node_pool == pool]
        large = [(name, service.asks_for / MILLI) for name, service in its if service.asks_for > spec.space[0]]
        for name, cores in large:
            yield (
                ("services", name, "node_pool"),
                (f"found '{pool}', whose nodes have {spec.cores} cores; a replica of '{name}' asks for {cores:g}"),
            )
        needed = 0 if large else _nodes_at_first(spec, [service for _, service in its])
        if needed > spec.max:
            yield (
                ("node_pools", pool, "max"),
                (
                    f"found {spec.max}, expected at least {needed}: so many nodes hold the replicas that are "
                    "there at the beginning"
                ),
            )


def _nodes_at_first(pool: NodePool, services: Iterable[Service]) -> int:
    asked = [service.asks_for for service in services for _ in range(service.replicas)]
    return 1 + max(pool.first_fit(asked), default=-1)


def _metric(at: Location, metric: ScalingMetric, name: str, service: Service) -> Iterator[Found]:
    if metric.cpu is not None and service.computes_on is None:
        yield at, f"found cpu as a metric, but '{name}' has neither `cores` nor `cpu` of which it could use a share"
    if metric.workers is not None and service.workers < 0:
        yield at, f"found workers as a metric, but '{name}' has unlimited workers"


def _lag(at: Location, lag: Lag, service: Service, queues: set[str]) -> Iterator[Found]:
    """Of a group that the service is a member of, or of a queue that it consumes."""
    groups = {consume.group for source, consume in service.consumes.items() if source not in queues}
    consumed = queues.intersection(service.consumes)
    if lag.group is not None and lag.group in consumed:
        yield (*at, "group"), f"'{lag.group}' is a queue, which has no groups; expected lag: {{queue: {lag.group}}}"
    elif lag.group is not None and lag.group not in groups:
        yield (*at, "group"), _unknown("group", lag.group, groups, "is a member of no group")
    if lag.queue is not None and lag.queue not in consumed:
        yield (*at, "queue"), _unknown("queue", lag.queue, consumed, "consumes no queue")


def _unknown(what: str, word: str, known: set[str], none: str) -> str:
    return f"unknown {what} '{word}'{did_you_mean(word, known) if known else f'; the service {none}'}"
