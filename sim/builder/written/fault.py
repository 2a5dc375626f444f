"""Faults in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, worded


def alarm(
    broker: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A memory alarm of a queue broker: whoever publishes is blocked, consumers go on (vm_memory_high_watermark).

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    broker: Which broker, of kind `queue`.
    """
    return worded("alarm", "broker", locals())


def broker_down(
    broker: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    node: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """A broker neither accepts nor delivers; publishing is unreachable at once. With `node`, only that one is down:
    after an election others lead what they have a copy of (partitions with replicas, quorum queues).

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    broker: Which broker.
    node: Which of its nodes (0, 1, ...); without it all of it. Node p modulo their number leads partition p of a
        log; of a queue broker `queue_leader_locator` says who leads what.
    """
    return worded("broker_down", "broker", locals())


def broker_split(
    broker: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    nodes: Sequence[Mapping[str, Any] | int | str],
) -> Part:
    """Nodes of a queue broker do not hear the others, nor the others them (a network partition); clients reach all.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    broker: Which broker, of kind `queue` and with `nodes`.
    nodes: Which of its nodes (0, 1, ...) are on one side; all others are on the other.
    """
    return worded("broker_split", "broker", locals())


def clock(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    by: Literal[0] | Mapping[str, Any] | str,
    replicas: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """The clocks of replicas jump by so much, forward or back (`by: -3s`), as after a step of ntpd or the pause of a
    virtual machine; when the fault is over they jump back.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    by: By how much: `3s` ahead, `-3s` behind.
    replicas: Of how many replicas, the first that are up when it begins; of all of them where it is not said.
    """
    return worded("clock", "of", locals())


def crash(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    replicas: Mapping[str, Any] | int | str | None = None,
    restart_after: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """`replicas` replicas die with all they hold; each starts empty after `restart_after` (without it they stay
    down).

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    replicas: How many replicas die.
    restart_after: When they start again, empty; without it they stay down.
    """
    return worded("crash", "of", locals())


def deploy(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    surge: Mapping[str, Any] | float | str | None = None,
    unavailable: Mapping[str, Any] | float | str | None = None,
    new_version: Mapping[str, Any] | str | None = None,
    canary: Mapping[str, Any] | str | None = None,
    blue_green: Mapping[str, Any] | str | None = None,
) -> Part:
    """A rolling deployment: all replicas of a service give way to new ones, a few at a time, as a Deployment does
    it; or by steps that may be given up (`canary`), or all at once when all are ready (`blue_green`).

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service.
    surge: How many more than wanted there may be, as a share of those, rounded up (maxSurge).
    unavailable: How many of those wanted may be missing, as a share of them, rounded down (maxUnavailable).
    new_version: How the new replicas differ from the old ones.
    canary: Whether some are new first, and it may be given up.
    blue_green: Whether all new ones are there before any old one goes; then `surge` and `unavailable` mean nothing.
    """
    return worded("deploy", "of", locals())


def errors(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    share: Mapping[str, Any] | float | str,
    replicas: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """A share of the attempts that reach a worker end at once with an error, in all replicas or in some.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    share: The share of attempts that end at once with an error.
    replicas: How many replicas fail so, the first that are up when it begins; all of them where it is not said.
    """
    return worded("errors", "of", locals())


def flush(
    cache: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    of: str,
) -> Part:
    """A cache loses all that it holds, in all replicas, as when a shared one is restarted; what comes is kept.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    cache: The name of the cache; of the gateway's the route.
    of: The service whose it is, or the `gateway`.
    """
    return worded("flush", "cache", locals())


def network(
    between: Sequence[Any],
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    latency: Mapping[str, Any] | str | None = None,
    loss: Mapping[str, Any] | float | str | None = None,
    partition: bool | None = None,
) -> Part:
    """The link between two components: `latency` is added, `loss` drops messages, `partition` drops all.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    between: The two components.
    latency: Is added to that of the link.
    loss: The share of messages that are dropped.
    partition: Whether all are dropped.
    """
    return worded("network", "between", locals())


def outage(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    how: Literal["hang", "refuse", "blackhole"] | None = None,
) -> Part:
    """A service, or `gateway`, is down: `hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops
    packets both ways.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    how: `hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops packets both ways.
    """
    return worded("outage", "of", locals())


def random(
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    mtbf: Mapping[str, Any] | str,
    mttr: Mapping[str, Any] | str,
    fault: Mapping[str, Any] | str,
) -> Part:
    """A fault that comes and goes by chance, from `at` on: after a time without it, it is there until it is
    repaired.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    mtbf: From a repair until it comes again (time between failures): `{exponential: 30d}`; a bare time is constant.
    mttr: How long it lasts each time (mean time to repair).
    fault: What comes: `{outage: payments}`, without `at` and `for`.
    """
    return worded("random", "", locals())


def restart(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    one_by_one: Literal[0] | Mapping[str, Any] | str | None = None,
    grace: Literal[0] | Mapping[str, Any] | str | None = None,
    takes: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Every replica is shut down in order and started again, one after the other.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    one_by_one: Time from the shutdown of one replica to that of the next.
    grace: How long it may take to finish (terminationGracePeriodSeconds); then it is killed.
    takes: From when it is gone until it is back.
    """
    return worded("restart", "of", locals())


def slow(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    by: Mapping[str, Any] | float | str,
    replicas: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Work and waits that begin during the fault take `by` times as long, in all replicas or in some.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: The service, or `gateway`.
    by: How many times as long work and waits take.
    replicas: How many replicas are slow, the first that are up when it begins; all of them where it is not said.
    """
    return worded("slow", "of", locals())


def slow_disk(
    of: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    node: Mapping[str, Any] | int | str | None = None,
    by: Mapping[str, Any] | float | str,
) -> Part:
    """The disks of a broker: until a message is confirmed it takes `by` times as long. Of a log, until followers on
    its nodes have it; with `node`, until that one has. A quorum queue waits for the fastest majority of its
    members.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    of: Which broker.
    node: Of a broker with nodes: which one (0, 1, ...).
    by: How many times as long a commit takes that begins now.
    """
    return worded("slow_disk", "of", locals())


def store_down(
    store: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    how: Literal["refuse", "hang"] | None = None,
) -> Part:
    """The store of rate limits is down: who asks it is refused at once, or waits for the `timeout` of the limit's
    `store`; then the request passes unlimited, or is an error, as `fault_tolerant` says.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    store: The name of the store.
    how: `refuse`: connections are refused at once; `hang`: nothing is heard of it.
    """
    return worded("store_down", "store", locals())


def zone(
    zone: str,
    *,
    name: str | None = None,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """All in one of the `zones` is down: replicas of services and of the gateway there die with all they hold, and
    start again, empty, when it is over.

    name: What it is called in tables, events and metrics; by default after what it does to whom.
    at: When it begins, from the start of the run, warm-up included.
    for_: How long it lasts; without it to the end.
    zone: Which one.
    """
    return worded("zone", "zone", locals())
