"""Whether a service has what its autoscaling looks at."""

from __future__ import annotations

from collections.abc import Iterator

from sim.errors import did_you_mean
from sim.spec.autoscaling import Lag, ScalingMetric
from sim.spec.document import Location
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
