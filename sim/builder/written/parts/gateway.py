"""Parts of a scenario in Python, as `sim/spec/gateway.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def gateway(
    *,
    replicas: Mapping[str, Any] | int | str | None = None,
    workers: Literal["unlimited"] | Mapping[str, Any] | int | str,
    concurrency: Literal["threads", "event_loop"] | None = None,
    pinned: bool | None = None,
    zones: Sequence[str] | None = None,
    clock_skew: Sequence[Literal[0] | Mapping[str, Any] | str] | None = None,
    queue: Mapping[str, Any] | str | None = None,
    work: Mapping[str, Any] | str | None = None,
    authentication: Mapping[str, Any] | str | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    routes: Mapping[str, Mapping[str, Any] | str],
    cost: Mapping[str, Any] | str | None = None,
) -> Part:
    """Queue and worker, authentication, translation, limits, cache of answers: in this order.

    replicas: How many there are, each with workers, queue and limits per node of its own.
    workers: What each replica does at once, or `unlimited`.
    concurrency: `event_loop`: a worker is held for the gateway's own work only; `threads`: until the answer is
        there.
    pinned: Of an `event_loop`: whether each connection belongs to one of the threads, as in nginx, Envoy, Netty and
        Node's cluster: a busy one delays its connections though others are idle. A user has one connection, and
        users go round the threads; who comes without a user, or calls from another service, comes by any.
    zones: In which zones its replicas are, one after the other and from the first again.
    clock_skew: By how much the clocks of its replicas are ahead of the right time, one after the other and from the
        first again: `[0s, 2s, -500ms]`. Rate limits that read the clock of their node count by it (`clock` of a
        rate limit).
    queue: Where requests wait for a worker.
    work: Routing and overhead of each request.
    authentication: How the gateway knows who asks.
    rate_limits: How many requests it lets pass; all of them must.
    routes: What it offers, by the names that traffic sends to.
    cost: The price of a replica, by time.
    """
    return part(locals())


def keys(
    *,
    fetch: str,
    policy: Mapping[str, Any] | str | None = None,
    cache: Literal[0] | Mapping[str, Any] | str | None = None,
    rotated_every: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """The provider's set of keys (JWKS), which each replica of the gateway fetches and remembers, as Envoy's
    remote_jwks and Kong's openid-connect do.

    fetch: The endpoint of the identity provider that has them, as `service.endpoint`.
    policy: How that call is guarded; where it has no timeout 10 s, as Kong's openid-connect.
    cache: How long a set is remembered: Envoy's cache_duration, 10 minutes.
    rotated_every: How often the provider takes another key, counted from time 0; without it it keeps the one it
        has.
    """
    return part(locals())


def route(
    *,
    to: str,
    matches: str | None = None,
    headers: Mapping[str, Sequence[str] | str] | None = None,
    hosts: Sequence[str] | str | None = None,
    split: Mapping[str, Mapping[str, Any] | float | str] | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    per_try_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    policy: Mapping[str, Any] | str | None = None,
    token: Mapping[str, Any] | str | None = None,
    translate: Mapping[str, Any] | str | None = None,
    cache: Mapping[str, Any] | str | None = None,
    authenticate: bool | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    gateway_limits: Literal["replaced", "kept"] | None = None,
    objective: Mapping[str, Any] | str | None = None,
    completes_with: Sequence[str] | None = None,
    answers_with: Mapping[str, Literal["error", "shed", "rate_limited", "refused"]] | None = None,
) -> Part:
    """A route to an endpoint. Method and path are in its name, which traffic sends to. A route that `matches`
    another takes those of its requests that have the `headers` and the `hosts` it asks for, with limits, a policy
    and all else of its own, and the other the rest; of several the one that asks for more does, in the order of
    Kong's traditional router: hosts and headers, hosts alone, hosts with wildcards, more headers, fewer, and the
    first in the file.

    to: The endpoint, as `service.endpoint`.
    matches: The name of the route whose requests it takes a part of, by `headers` or `hosts`.
    headers: Of one that `matches`: what a request must carry, one of these values of each (`headers` of traffic):
        `{x-tier: [gold, silver]}`.
    hosts: Of one that `matches`: one of these must be the header `host` of a request; a `*` may stand for the first
        or the last labels, `*.example.com`.
    split: Shares that go to other endpoints in the place of `to`: a canary, `{orders-v2.create: 10%}`.
    timeout: Of all attempts and pauses together, as Envoy's and Istio's.
    per_try_timeout: Of each attempt; goes before the `timeout` of the policy.
    policy: How the call is guarded: the name of a policy, or one written here.
    token: The access token that the gateway must have before it calls: `{from: idp.token, lives: 1h}`. Hits of its
        `cache` need none.
    translate: Protocol translation on the gateway's workers: `{to: grpc, work: 0.2ms}`.
    cache: Answers that the gateway keeps and gives again, behind authentication, the translation of requests and
        limits.
    authenticate: Whether requests of this route are authenticated.
    rate_limits: Limits of this route alone, in the place of those of the gateway, as in Kong, nginx and Envoy the
        nearest one holds.
    gateway_limits: Whether limits of the route's own stand in the place of the gateway's, or beside them (`kept`):
        then it has to pass both.
    objective: What the route promises.
    completes_with: The effects that must exist before an order counts as complete.
    answers_with: What failures are answered with where that is no `error`: `{breaker_open: shed}`.
    """
    return part(locals())


def translate(
    *,
    to: Literal["grpc"],
    work: Mapping[str, Any] | str,
    response_work: Mapping[str, Any] | str | None = None,
    codes: Mapping[
        str,
        Literal[
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ],
    ]
    | None = None,
) -> Part:
    """Protocol translation on the gateway's workers, behind authentication and before limits, as Kong's
    grpc-gateway; `response_work` on the way back.

    to: The protocol of the service behind.
    work: What a request takes on its way in.
    response_work: What an answer takes on its way back.
    codes: The codes that failures of the service come with where they are others: `{rate_limited: UNAVAILABLE}` for
        one behind Envoy's local rate limit, which clients then see as 503, `shed`. RESOURCE_EXHAUSTED is seen as
        `rate_limited`, UNAVAILABLE as `shed`, the other codes of servers and CANCELLED as `error`, those of clients
        as `refused`.
    """
    return part(locals())
