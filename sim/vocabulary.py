"""The closed lists: how requests and messages end, the harms there are, and every metric with its unit and meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum


class Outcome(IntEnum):
    """How a logical request or an attempt ends: exactly one of these. The numbers are stored in records."""

    OK = 0
    DEGRADED = 1  # answered by a fallback
    REFUSED = 2  # the business says no: sold out, declined
    RATE_LIMITED = 3
    UNAUTHORIZED = 4
    SHED = 5  # the queue was full, or the wait in it too long
    BREAKER_OPEN = 6
    BULKHEAD_FULL = 7
    TIMEOUT = 8
    ERROR = 9
    UNREACHABLE = 10
    IN_FLIGHT = 11  # not answered when the clock stopped
    LOCK_TIMEOUT = 12  # the wait for a lock was too long
    DEADLOCK = 13  # each of several waits for a lock that the next one holds; this one was ended

    @property
    def word(self) -> str:
        """The name in scenarios, tables and JSON: lower case."""
        return self.name.lower()


# s without another refusal after which shedding, limiting, or a spent retry budget counts as over in the event log
QUIET = 10.0

TO_BE_SUPPLIED = "TO BE SUPPLIED"  # in a comment of a scenario: the value beside it is a stand-in that nobody measured

GOOD = (Outcome.OK, Outcome.DEGRADED)
# the callee did its work: a business refusal is a success of the call
PASSED = (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED)
FAILED = (Outcome.TIMEOUT, Outcome.ERROR, Outcome.UNREACHABLE, Outcome.SHED)


class MessageEnd(IntEnum):
    """How a message ends for one consumer group."""

    PROCESSED = 0
    DEAD_LETTERED = 1
    EXPIRED = 2
    DROPPED = 3
    SKIPPED = 4  # before the group's first offset under auto_offset_reset: latest
    LOST = 5
    QUEUED = 6  # not ended when the clock stopped

    @property
    def word(self) -> str:
        """The name in tables and JSON: lower case."""
        return self.name.lower()


class EventKind(IntEnum):
    """What the event log can say."""

    FAULT_BEGAN = 0
    FAULT_ENDED = 1
    BREAKER_OPENED = 2
    BREAKER_HALF_OPENED = 3
    BREAKER_CLOSED = 4
    REPLICA_CRASHED = 5
    REPLICA_RESTARTED = 6
    SHEDDING_BEGAN = 7
    SHEDDING_ENDED = 8
    PARTITIONS_ASSIGNED = 9
    STOCK_RAN_OUT = 10
    OVERSOLD = 11
    BUDGET_EXHAUSTED = 12
    LIMITING_BEGAN = 13
    LIMITING_ENDED = 14
    SCALED = 15  # an autoscaler wants another number of replicas: the value
    REPLICA_STARTING = 16
    REPLICA_READY = 17
    REPLICA_DRAINING = 18
    REPLICA_STOPPED = 19
    PUBLISHERS_BLOCKED = 20
    PUBLISHERS_RELEASED = 21
    CONSUMER_TIMED_OUT = 22
    REPLICA_EJECTED = 23  # a balancer sends nobody to it for a while
    REPLICA_RETURNED = 24
    REBALANCE_BEGAN = 25
    LEADER_LOST = 26  # a node is gone that led so many partitions of a log, or quorum queues: the value
    LEADER_ELECTED = 27  # so many partitions, or a quorum queue, have another leader
    ISR_SHRANK = 28  # a follower is out of sync in so many partitions
    ISR_EXPANDED = 29
    REPLICA_UNHEALTHY = 30  # its health checks have failed
    REPLICA_HEALTHY = 31
    LISTEN_OVERFLOW_BEGAN = 32  # the kernel drops SYNs: connections that the process does not accept have no room left
    LISTEN_OVERFLOW_ENDED = 33
    REPLICA_PENDING = 34  # no node has room for it
    NODE_STARTING = 35
    NODE_READY = 36
    NODE_DRAINING = 37  # with so many replicas: the value
    NODE_STOPPED = 38
    CANARY_STEPPED = 39  # such a share of the replicas is to be new: the value
    CANARY_ABORTED = 40  # after so many failed measurements: the value
    VERSION_PROMOTED = 41  # all callers meet the new one
    REPLICA_RESIZED = 42  # it has another CPU limit from now on, cores: the value
    REPLICA_PAUSED = 43  # it stands still by itself for so many seconds, unless it ends before: the value

    @property
    def word(self) -> str:
        """The name in tables and JSON: lower case."""
        return self.name.lower()


class Stage(IntEnum):
    """What a request can be doing, seen from one attempt, one branch, or its client.

    The numbers are stored in records.
    """

    CALL = 0  # waits for the answer of an attempt
    RETRY = 1  # the same, for an attempt after the first of its call
    BACKOFF = 2  # pauses before the next attempt
    BULKHEAD = 3  # waits for a place in its own bulkhead
    WORK = 4  # computes, or waits for its share of the cores
    WAIT = 5  # lets time pass that is spent elsewhere
    PLACE = 6  # waits for a thread of its event loop again
    FROZEN = 7  # waits for the end of a freeze
    PARALLEL = 8  # waits for its branches
    REPLICATION = 9  # waits until a published event is replicated
    ANSWER = 10  # has answered: the answer is on its way, and what it does from now on it does for nobody
    END = 11  # a branch is over
    OTHER = 12  # waits for something of a plug-in, or for the answer to another's call
    OUTBOX = 13  # an event in an outbox waits for its relay
    LAG = 14  # an event that can be read waits for a consumer
    RETRY_TOPIC = 15  # an event waits in a retry topic
    FOLLOWED = 16  # no time: what comes of it goes on in another flow, an event in an outbox or on its way to a group
    COMPLETED = 17  # no time: the last effect of the order exists
    LOCK = 18  # waits for a lock

    @property
    def word(self) -> str:
        """The name in tables and JSON: lower case."""
        return self.name.lower()


MOMENTS = (Stage.FOLLOWED, Stage.COMPLETED)  # no stages that last, but moments within one

BASES = {
    "arrivals": "requests that arrived in the window from the end of the warm-up to the end of the run",
    "departures": "what left in that window: answers given and orders completed in it, whenever their request arrived",
    "time": "every moment of that window",
    "run": "the whole run, warm-up included",
}
"""What a figure can stand on."""

_OF = {
    **dict.fromkeys(("goodput", "throughput", "completed", "cost_per_thousand"), "departures"),
    **dict.fromkeys(
        (
            "amplification",
            "wasted_work",
            "utilisation_max",
            "utilisation",
            "queue_mean",
            "lag_max",
            "cost",
            "stale_reads",
        ),
        "time",
    ),
    **dict.fromkeys(
        (
            "dropped_iterations",
            "not_reserved_mean",
            "recovery_time",
            "detection_time",
            "drain_time",
            "messages",
            "messages_dead_lettered",
            "redeliveries",
        ),
        "run",
    ),
    **dict.fromkeys(
        (
            "lost_orders",
            "pending_orders",
            "double_charges",
            "charged_not_reserved",
            "charged_after_failure",
            "oversold_items",
        ),
        "run",
    ),
}
"""What the metrics stand on that do not stand on arrivals."""


@dataclass(frozen=True)
class Metric:
    """One figure of a run. `better` is 'lower', 'higher' or '' where neither direction is good in itself."""

    name: str
    unit: str  # "s", "1/s", "1", "share", "cost"
    meaning: str
    better: str = "lower"
    labels: tuple[str, ...] = ()  # what stands in brackets: route, fault, clock, outcome, service, group, view

    @property
    def overall(self) -> bool:
        """Whether it also stands without brackets: a route may be named, anything else must be."""
        return set(self.labels) <= {"route"}

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest value it can have, in its unit."""
        return (0.0, 1.0) if self.unit == "share" or self.name.startswith("apdex") else (0.0, math.inf)

    @property
    def of(self) -> str:
        """What it stands on, one of BASES."""
        return _OF.get(self.name, "arrivals")


_STATISTICS = {
    "mean": "mean",
    "p50": "median",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "p999": "99.9th percentile",
}


def _latency(clock: str, meaning: str) -> tuple[Metric, ...]:
    return tuple(
        Metric(f"{clock}_{statistic}", "s", f"{words} of {meaning}", "lower", ("route",))
        for statistic, words in _STATISTICS.items()
    )


_COMPLETION = (
    "the time from intended arrival until all effects of the order exist, over orders answered ok or degraded, in "
    "flight, or completed anyway; "
    "unfinished ones stand behind all finished ones, and a percentile that falls among them is known only to be later "
    "than their age"
)
_AVAILABILITY = (
    "(ok + degraded + refused) / (all but unauthorized) of the requests that have an end; "
    "no figure where more than a tenth of them are in flight at the end of the run: then only its bounds are known"
)
_GOODPUT = "answers per second that were ok within the latency objective of their route (all ok where it has none)"
_APDEX = (
    "Apdex with T = the latency objective of the route (0.5 s without one), over the requests that availability counts "
    "and those in flight that have waited for 4 T; no figure where more than a tenth of them are in flight and may "
    "yet be in time"
)
_BURN = (
    "failures / the failures that the availability objective allows: 1 spends the budget exactly; no figure where "
    "availability has none"
)
_AMPLIFICATION = (
    "attempts on services / the first ones of their request by their path, which is what one try of each "
    "call would have made"
)
_NOT_RESERVED = (
    "mean time for which an order is charged and not reserved, each time that it is: until it is reserved, paid back, "
    "or the run is over (`ledger: {follow: true}`)"
)
_DROPPED = (
    "arrivals of the whole run for which no virtual user was free (k6): no request was made, so they are in no other "
    "figure"
)
_RECOVERY = "from the end of the fault until success share and p95 are within 5 % of before, for a minute"
_PENDING = (
    "orders of the whole run answered ok or degraded, incomplete, that something alive at the end may still complete"
)

_STALE = "share of reads of a view that did not find what was written last for their user or item, and read what is old"
_BUSIEST = (
    "utilisation of what is busiest: workers or cores of a service or the gateway, consumers that hold partitions or "
    "the hottest of them, "
    "places of a bulkhead, a rate limit for all"
)
_BUSY = (
    "mean share that is busy, of workers (of cores, where a service has them), of the consumers of `GROUP TOPIC` that "
    "hold partitions or of `queue QUEUE`, "
    "of the places of a bulkhead `CALLER -> CALLEE`, or of what a rate limit `gateway all limit` lets pass"
)


def _bounded(metric: Metric) -> tuple[Metric, ...]:
    """A metric and what it is at least and at most, whatever becomes of the requests in flight at the end."""
    ends = (("least", "at least"), ("most", "at most"))
    found = (
        Metric(f"{metric.name}_{word}", metric.unit, f"what {metric.name} is {words}, {_OPEN}", "", metric.labels)
        for word, words in ends
    )
    return metric, *found


_OPEN = "however the requests in flight at the end would have ended"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *_latency("response", "the time from intended arrival to the answer, over requests answered ok or degraded"),
        *_latency(
            "response_all",
            "the time from intended arrival to the answer, over all answered requests, failures included",
        ),
        *_latency("completion", _COMPLETION),
        Metric("requests", "1", "logical requests", "", ("route",)),
        Metric("orders", "1", "those of them of which effects are expected", "", ("route",)),
        Metric("messages", "1", "messages of the whole run, once for every consumer group or queue", ""),
        Metric("dropped_iterations", "1", _DROPPED, "lower"),
        *_bounded(Metric("availability", "share", _AVAILABILITY, "higher", ("route",))),
        Metric("goodput", "1/s", _GOODPUT, "higher", ("route",)),
        Metric("throughput", "1/s", "answers per second that were ok, degraded or refused", "higher", ("route",)),
        Metric("completed", "1/s", "orders per second whose last effect came to exist", "higher", ("route",)),
        Metric("offered", "1/s", "logical requests per second that arrived", "", ("route",)),
        *_bounded(Metric("apdex", "1", _APDEX, "higher", ("route",))),
        *_bounded(Metric("error_budget_burn", "1", _BURN, "lower", ("route",))),
        Metric("outcome_share", "share", "share of logical requests that ended with this outcome", "", ("outcome",)),
        Metric("amplification", "1", _AMPLIFICATION, "lower"),
        Metric(
            "wasted_work",
            "share",
            "share of all service work that was done for callers who had given up, or lost in a crash",
            "lower",
        ),
        Metric("recovery_time", "s", _RECOVERY, "lower", ("fault", "clock")),
        Metric(
            "detection_time",
            "s",
            "from the start of the fault until the first circuit breaker opened",
            "lower",
            ("fault",),
        ),
        Metric(
            "drain_time",
            "s",
            "from the end of the fault until the backlog of messages is back to what it was before",
            "lower",
            ("fault",),
        ),
        Metric(
            "lost_orders",
            "1",
            "orders of the whole run answered ok or degraded, incomplete, with nothing alive that could complete them",
            "lower",
        ),
        Metric("pending_orders", "1", _PENDING, "lower"),
        Metric("double_charges", "1", "charges beyond the first of an order, in the whole run", "lower"),
        Metric(
            "charged_not_reserved",
            "1",
            "orders of the whole run charged without a reservation at the end, and nothing alive that could make one",
            "lower",
        ),
        Metric("not_reserved_mean", "s", _NOT_RESERVED, "lower"),
        Metric(
            "charged_after_failure",
            "1",
            "orders of the whole run charged although the client was told that the request failed",
            "lower",
        ),
        Metric("oversold_items", "1", "units sold beyond the stock there was, in the whole run", "lower"),
        Metric("stale_reads", "share", _STALE, "lower", ("view",)),
        Metric("utilisation_max", "share", _BUSIEST, "lower"),
        Metric("utilisation", "share", _BUSY, "", ("station",)),
        Metric(
            "queue_mean",
            "1",
            "mean number of requests that wait at the service, all replicas together",
            "lower",
            ("service",),
        ),
        Metric(
            "lag_max",
            "1",
            "largest backlog of a consumer group, or of a queue, after the warm-up, in messages",
            "lower",
            ("group",),
        ),
        Metric(
            "messages_dead_lettered",
            "1",
            "messages of the whole run given up after the last redelivery, or dead-lettered by a queue",
            "lower",
        ),
        Metric("redeliveries", "1", "deliveries of messages beyond the first, in the whole run", "lower"),
        Metric(
            "cost",
            "cost",
            "replicas and nodes x time x price after the warm-up, all services, the gateway and node pools",
            "lower",
        ),
        Metric(
            "cost_per_thousand",
            "cost",
            "cost per thousand completed orders (answers where no effect is expected)",
            "lower",
        ),
    )
}


def split_key(key: str) -> tuple[str, str]:
    """`recovery_time(payments outage)` -> (`recovery_time`, `payments outage`)."""
    name, bracket, label = key.partition("(")
    return (name, label[:-1]) if bracket and key.endswith(")") else (key, "")


def base_of(key: str) -> str:
    """`recovery_time(payments outage)` -> `recovery_time`."""
    return key.partition("(")[0]


def metric_of(key: str) -> Metric | None:
    """The metric of a key; None for one of a plug-in."""
    return METRICS.get(base_of(key))


def unit_of(key: str) -> str:
    """Unit of a metric key; "1" where a plug-in gave none."""
    metric = metric_of(key)
    return metric.unit if metric is not None else "1"


def basis_of(key: str) -> str:
    """What a figure stands on, one of BASES; that of a plug-in is taken for one of the arrivals."""
    metric = metric_of(key)
    return metric.of if metric is not None else "arrivals"


def limits_of(key: str) -> tuple[float, float]:
    """What the figure of a key such as `availability(GET /)` can be; of those of a plug-in nothing is known."""
    metric = metric_of(key)
    return metric.limits if metric is not None else (-math.inf, math.inf)


def better_of(key: str) -> str:
    """'lower', 'higher', or '' where neither direction is good in itself, or nothing is known of it."""
    metric = metric_of(key)
    return metric.better if metric is not None else ""


def has_direction(key: str) -> bool:
    """Whether more, or less, of this metric is better in itself."""
    return better_of(key) != ""


def catalogue_order(key: str) -> tuple[int, str]:
    """Sorts metric keys in the order of the catalogue, labels in alphabetical order, those of plug-ins last."""
    return (_PLACES.get(base_of(key), len(_PLACES)), key)


_PLACES = {name: place for place, name in enumerate(METRICS)}


BOUNDED = tuple(name for name in METRICS if f"{name}_least" in METRICS)
"""What requests in flight at the end can bend."""


def bound_keys(key: str) -> tuple[str, str]:
    """`availability(POST /orders)` -> the keys of what it is at least and at most: `availability_least(POST /orders)`
    and `availability_most(...)`.
    """
    name, bracket, label = key.partition("(")
    return f"{name}_least{bracket}{label}", f"{name}_most{bracket}{label}"
