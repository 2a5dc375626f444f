"""Parts of a scenario in Python, as `sim/spec/traffic.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def objective(
    *,
    latency: Literal[0] | Mapping[str, Any] | str | None = None,
    availability: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """What a route promises.

    latency: By when an answer is in time.
    availability: The share of requests that are to be answered well.
    """
    return part(locals())


def popularity(
    *,
    count: Mapping[str, Any] | int | str,
    popularity: Literal["uniform"] | Mapping[str, Mapping[str, Any] | float | str] | None = None,
) -> Part:
    """How often each of `count` users (or items) appears: uniform, or Zipf with the given exponent.

    count: How many there are.
    popularity: How often each appears: `uniform`, or `{zipf: EXPONENT}`.
    """
    return part(locals())


def traffic(
    *,
    sends: Mapping[str, Mapping[str, Any] | float | str] | str | None = None,
    arrivals: Mapping[str, Any] | str,
    visit: Mapping[str, Any] | Sequence[Any] | str | None = None,
    virtual_users: Mapping[str, Any] | str | None = None,
    users: Mapping[str, Any] | str | None = None,
    consumer: str | None = None,
    headers: Mapping[str, Mapping[str, Mapping[str, Any] | float | str] | str] | None = None,
    items: Mapping[str, Any] | Sequence[Any] | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    patience: Mapping[str, Any] | str | None = None,
    deadline: Literal["propagate"] | None = None,
    retry: Mapping[str, Any] | str | None = None,
    honor_retry_after: bool | None = None,
    objective: Mapping[str, Any] | str | None = None,
    completes_with: Sequence[str] | None = None,
) -> Part:
    """One population of clients. Latency is counted from the intended arrival.

    sends: A route, or `service.endpoint` where there is no gateway; a map from such names to shares gives a mix.
    arrivals: When requests come.
    visit: Whether what arrives is a person with several requests, and not a request.
    virtual_users: Of open arrivals: how many users a load generator has to run them (k6); whoever finds none free
        is dropped.
    users: Who sends them, where users are told apart by limits, keys or caches.
    consumer: On whose behalf they are sent, a consumer in Kong's sense (limits by `consumer`); without it each user
        is one.
    headers: What they carry, for limits and priorities: `{x-tier: gold}`, or shares, `{x-tier: {gold: 10%, free:
        90%}}`; a user always has the same.
    items: What they are about: the catalogue, whose item 0 is the same item in all traffic.
    timeout: How long a client waits for the answer of an attempt, always the same; without it, or a `patience`, for
        ever.
    patience: How long people wait, each as long as they are made: whoever is one of `users`, a visitor, or a user
        who stays always has the same patience, else each request has one. It begins anew with each attempt, and
        beside a `timeout` what is shorter counts.
    deadline: `propagate`: what clients call is told until when they wait, and stops then (gRPC); else a service
        works on.
    retry: Whether clients try again, and when.
    honor_retry_after: Whether a client that was rate limited waits as long as the Retry-After of the answer says;
        `honor_retry_after` of its `retry` says the same, and `max_retry_after` there how long it waits at most.
    objective: What is promised to these clients, where no gateway route says it.
    completes_with: The effects that must exist before an order counts as complete.
    """
    return part(locals())


def users(
    *,
    count: Mapping[str, Any] | int | str,
    popularity: Literal["uniform"] | Mapping[str, Mapping[str, Any] | float | str] | None = None,
    addresses: Mapping[str, Any] | int | str | None = None,
    population: str | None = None,
) -> Part:
    """The users of one traffic. Those of two traffics are different people, for limits, keys and caches, unless both
    name one `population`.

    count: How many there are.
    popularity: How often each appears: `uniform`, or `{zipf: EXPONENT}`.
    addresses: How many IP addresses they share, as evenly as can be (limits by `ip`); by default each user has one
        of their own.
    population: The name under which several traffics share their users; by default that of the traffic.
    """
    return part(locals())


def virtual_users(
    *, pre_allocated: Mapping[str, Any] | int | str, max: Mapping[str, Any] | int | str | None = None
) -> Part:
    """The users of a load generator, each of whom runs one iteration of an open traffic at a time: a request with
    its retries, or a visit. k6's constant-arrival-rate and ramping-arrival-rate.

    pre_allocated: How many there are from the beginning (preAllocatedVUs).
    max: How many there may be: each that is missed is there from then on (maxVUs); by default those that are
        pre-allocated.
    """
    return part(locals())
