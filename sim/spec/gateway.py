"""The API gateway: the single entry, with its own capacity."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Calls, TakesTime
from sim.spec.base import Duration, Few, Flag, Leaves, Offset, Price, Share, Spec, Workers, Zones, register, word_of
from sim.spec.choice import Choice
from sim.spec.credentials import ClientCredentials
from sim.spec.distribution import AnyDistribution
from sim.spec.limits import Headers, OneOrMore
from sim.spec.limits import RateLimit as RateLimit  # noqa: PLC0414 - limits are of the gateway first of all
from sim.spec.policy import Answer, AnswersWith, CallPolicy
from sim.spec.queueing import check_pinned
from sim.spec.response_cache import ResponseCache
from sim.spec.service import Queue
from sim.spec.step import Step, asking
from sim.spec.traffic import Objective
from sim.units import show_share
from sim.vocabulary import Outcome


class Authentication(Spec):
    """Base of the ways to authenticate."""

    @property
    def refused(self) -> float:
        """The share of requests that it does not let pass."""
        return 0.0

    @property
    def actions(self) -> tuple[Action, ...]:
        """What one request that is authenticated asks of the gateway, and of whom it calls where it knows no better."""
        return ()


AnyAuthentication = Annotated[Authentication, Choice("authentication")]


class Keys(Spec):
    """The provider's set of keys (JWKS), which each replica of the gateway fetches and remembers, as Envoy's
    remote_jwks and Kong's openid-connect do.

    Who comes while it is fetched waits for the same answer. Where it cannot be had, the answer is a 401 (Envoy's
    jwt_authn: JwksFetchFail), which nobody tries again unless told to; among outcomes such a request is what became of
    the fetch (`unreachable`, `timeout`). A new key is not in what is remembered: the first token that is signed
    with it has the set fetched anew, as Kong does (and Envoy not until its cache is over).
    """

    fetch: str
    """The endpoint of the identity provider that has them, as `service.endpoint`."""
    policy: str | CallPolicy | None = None
    """How that call is guarded; where it has no timeout 10 s, as Kong's openid-connect."""
    cache: Duration = 600.0
    """How long a set is remembered: Envoy's cache_duration, 10 minutes."""
    rotated_every: Annotated[Duration, Field(gt=0)] | None = None
    """How often the provider takes another key, counted from time 0; without it it keeps the one it has."""

    @property
    def remembered(self) -> float:
        """Seconds for which a set is good, at most."""
        return min(self.cache, self.rotated_every) if self.rotated_every is not None else self.cache


@register("authentication", "jwt")
class Jwt(Authentication):
    """A signed token, verified locally: `work` on a gateway worker, no network.

    In the order of Kong's jwt (handler.lua): a token that is none or cannot be decoded is refused before its signature
    is looked at, one with a wrong signature or that has expired after it. All three are `unauthorized` (401). What is
    signed with the key before the last has expired.
    """

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.UNAUTHORIZED,))
    work: AnyDistribution
    """What verifying a token takes on a worker of the gateway."""
    invalid: Share = 0.0
    """The share of requests whose signature is wrong."""
    expired: Share = 0.0
    """The share of requests whose token has expired (`exp` of Kong's claims_to_verify, which is empty by default)."""
    malformed: Share = 0.0
    """The share of requests without a token that can be decoded: refused at once, without `work`."""
    keys: Keys | None = None
    """Where the keys come from that signatures are verified with; without it the gateway has them."""

    @property
    def refused(self) -> float:
        """The share of requests that do not pass."""
        return self.malformed + self.invalid + self.expired

    @property
    def actions(self) -> tuple[Action, ...]:
        """It fetches the keys where it has none, and verifies the token."""
        verifies = TakesTime(self.work, computes=True, kept=True)
        if (its := self.keys) is None:
            return (verifies,)
        asks = Calls(its.fetch, its.policy, remembered=its.remembered, for_all=True, said_in="keys")
        return (asks, verifies)

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if self.refused > 1.0 + 1e-9:
            raise ValueError(f"found shares that add up to {show_share(self.refused)}, expected at most 100%")
        return self


@register("authentication", "oauth")
class OAuth(Authentication):
    """RFC 7662 introspection by a remote call, with a cache per user in each replica of the gateway, as each node of
    Kong has its own.

    A hit costs `lookup`; concurrent misses of one user in one replica call once; a crash of the replica empties its
    cache. Only a "yes" is remembered, and only a "no" is `unauthorized`: when the provider cannot be asked, the request
    fails as the call did, or passes where `on_failure` says `allow`.
    """

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.UNAUTHORIZED,))
    introspect: str
    """The endpoint of the identity provider that knows the tokens, as `service.endpoint`."""
    policy: str | CallPolicy | None = None
    """How that call is guarded; where it has no timeout 10 s, as Kong's openid-connect."""
    cache_ttl: Duration = 3600.0
    """How long a good answer is remembered; Kong openid-connect's default where the answer names no expiry; 0: no
    cache.
    """
    lookup: AnyDistribution
    """What looking into the cache takes on a worker of the gateway."""
    invalid: Share = 0.0
    """The share of requests whose token is not good: they are `unauthorized`."""
    on_failure: Literal["deny", "allow"] = "deny"
    """What becomes of a request whose token nobody could be asked about: `deny` or `allow`."""

    @property
    def refused(self) -> float:
        """The share of requests that do not pass."""
        return self.invalid

    @property
    def actions(self) -> tuple[Action, ...]:
        """It looks into its cache, and asks the provider where that knows nothing."""
        asks = Calls(self.introspect, self.policy, remembered=self.cache_ttl, said_in="introspect")
        return (TakesTime(self.lookup, computes=True, kept=True), asks)


GrpcCode = Literal[
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
]
_HTTP: dict[GrpcCode, Answer] = {
    "RESOURCE_EXHAUSTED": "rate_limited",  # 429
    "UNAVAILABLE": "shed",  # 503
    "CANCELLED": "error",  # 499
    "DEADLINE_EXCEEDED": "error",  # 504
    "UNKNOWN": "error",  # 500, as are the next three
    "UNIMPLEMENTED": "error",
    "INTERNAL": "error",
    "DATA_LOSS": "error",
}
"""What the statuses of Kong's grpc-gateway (handler.lua) are to a caller; all others are of the client, 4xx."""


class Translate(Spec):
    """Protocol translation on the gateway's workers, behind authentication and before limits, as Kong's grpc-gateway;
    `response_work` on the way back.

    A failure of the service comes as a gRPC code and leaves as the HTTP status of that: without `codes` a limit is
    RESOURCE_EXHAUSTED (429), a full queue UNAVAILABLE (503), an error UNKNOWN (500). Not modelled: streams of several
    messages, requests that cannot be translated (400).
    """

    to: Literal["grpc"]
    """The protocol of the service behind."""
    work: AnyDistribution
    """What a request takes on its way in."""
    response_work: AnyDistribution | None = None
    """What an answer takes on its way back."""
    codes: dict[Answer, GrpcCode] = Field(default_factory=dict)
    """The codes that failures of the service come with where they are others: `{rate_limited: UNAVAILABLE}` for one
    behind Envoy's local rate limit, which clients then see as 503, `shed`. RESOURCE_EXHAUSTED is seen as
    `rate_limited`, UNAVAILABLE as `shed`, the other codes of servers and CANCELLED as `error`, those of clients as
    `refused`.
    """

    @property
    def answers(self) -> AnswersWith:
        """What clients see of the failures that have a code."""
        return {failure: _HTTP.get(code, "refused") for failure, code in self.codes.items()}


class Route(Spec):
    """A route to an endpoint. Method and path are in its name, which traffic sends to. A route that `matches` another
    takes those of its requests that have the `headers` and the `hosts` it asks for, with limits, a policy and all else
    of its own, and the other the rest; of several the one that asks for more does, in the order of Kong's traditional
    router: hosts and headers, hosts alone, hosts with wildcards, more headers, fewer, and the first in the file.

    With a `split` each request that comes goes to one of several endpoints by a draw of its own, as
    Envoy's weighted_clusters: with all its retries, and under the policy of the route, by which each service has a
    breaker and places of its own. Not modelled: users who stay with what was drawn for them, and requests that no
    route matches (404).

    `timeout` is that of all attempts and back-offs together (Envoy's and Istio's),
    `per_try_timeout` that of each attempt.

    `per_try_timeout` goes before the `timeout` of the policy, which is one of each attempt too; whatever ends first,
    counts. No timeout is assumed where none is said, as in Istio; Envoy itself has 15 s for all, nginx and Kong 60 s
    for each attempt between two reads.
    """

    to: str
    """The endpoint, as `service.endpoint`."""
    matches: str | None = None
    """The name of the route whose requests it takes a part of, by `headers` or `hosts`."""
    headers: Headers = Field(default_factory=dict)
    """Of one that `matches`: what a request must carry, one of these values of each (`headers` of traffic):
    `{x-tier: [gold, silver]}`.
    """
    hosts: OneOrMore = ()
    """Of one that `matches`: one of these must be the header `host` of a request; a `*` may stand for the first or the
    last labels, `*.example.com`.
    """
    split: dict[str, Share] = Field(default_factory=dict)
    """Shares that go to other endpoints in the place of `to`: a canary, `{orders-v2.create: 10%}`."""
    timeout: Duration | None = None
    """Of all attempts and pauses together, as Envoy's and Istio's."""
    per_try_timeout: Duration | None = None
    """Of each attempt; goes before the `timeout` of the policy."""
    policy: str | CallPolicy | None = None
    """How the call is guarded: the name of a policy, or one written here."""
    token: ClientCredentials | None = None
    """The access token that the gateway must have before it calls: `{from: idp.token, lives: 1h}`. Hits of its `cache`
    need none.
    """
    translate: Translate | None = None
    """Protocol translation on the gateway's workers: `{to: grpc, work: 0.2ms}`."""
    cache: ResponseCache | None = None
    """Answers that the gateway keeps and gives again, behind authentication, the translation of requests and limits.
    """
    authenticate: Flag = True
    """Whether requests of this route are authenticated."""
    rate_limits: tuple[RateLimit, ...] = ()
    """Limits of this route alone, in the place of those of the gateway, as in Kong, nginx and Envoy the nearest one
    holds.
    """
    gateway_limits: Literal["replaced", "kept"] = "replaced"
    """Whether limits of the route's own stand in the place of the gateway's, or beside them (`kept`): then it has to
    pass both.
    """
    objective: Objective | None = None
    """What the route promises."""
    completes_with: tuple[str, ...] = ()
    """The effects that must exist before an order counts as complete."""
    answers_with: AnswersWith = Field(default_factory=dict)
    """What failures are answered with where that is no `error`: `{breaker_open: shed}`."""

    @model_validator(mode="after")
    def _matches_by_something(self) -> Self:
        asks = bool(self.headers or self.hosts)
        if asks != (self.matches is not None):
            raise ValueError(
                "`matches: ROUTE` and `headers` or `hosts` belong together: of which route does it take which requests?"
            )
        if any(header.lower() == "host" for header in self.headers):
            raise ValueError("headers: found host, expected it in `hosts`, as in Kong")
        for host in self.hosts:
            bare = host.removeprefix("*.") if host.startswith("*.") else host.removesuffix(".*")
            if not bare or "*" in bare:
                raise ValueError(
                    f"hosts: found {host}, expected a name in which `*` stands for the first labels or for the last: "
                    "`*.example.com`, `example.*`"
                )
        return self

    @model_validator(mode="after")
    def _splits_what_there_is(self) -> Self:
        total = math.fsum(self.split.values())
        if total > 1.0 + 1e-9:
            raise ValueError(f"split: found shares that add up to {show_share(total)}, expected at most 100%")
        if self.to in self.split:
            raise ValueError(f"split: found {self.to}, which `to` names; expected other endpoints: it gets the rest")
        return self

    @property
    def targets(self) -> dict[str, float]:
        """Its endpoints with their shares, that of `to` first."""
        rest = max(0.0, 1.0 - math.fsum(self.split.values())) if self.split else 1.0
        return {self.to: rest, **self.split}

    def call_names(self, name: str) -> dict[str, str]:
        """What its calls are called, by endpoint, where this is its own name."""
        plain = f"gateway.{name}.call"
        return {target: plain if target == self.to else f"{plain} {target}" for target in self.targets}

    @cached_property
    def asks(self) -> tuple[Step, ...]:
        """The request for a token, as a step."""
        return asking(self.token) if self.token is not None else ()

    @staticmethod
    def token_name(name: str) -> str:
        """What the site of that step is called, where this is the name of the route."""
        return f"gateway.{name}.call.token"

    @property
    def answers(self) -> AnswersWith:
        """What failures are answered with; what is said of one goes before the code that it comes with."""
        return {**(self.translate.answers if self.translate is not None else {}), **self.answers_with}

    @property
    def forwarded(self) -> float:
        """The share of requests that pass its limits and, on paper, reach its endpoint: all but hits that are said."""
        return 1.0 - (self.cache.hit or 0.0) if self.cache is not None else 1.0

    def limits(self, gateway: Gateway) -> tuple[RateLimit, ...]:
        """Those of the gateway that its requests must pass."""
        return gateway.rate_limits if not self.rate_limits or self.gateway_limits == "kept" else ()

    def guarded(self, policy: CallPolicy) -> CallPolicy:
        """The policy of this route: of one attempt and of all together the timeout that ends first, that of all only
        where there can be a second.
        """
        one = self.per_try_timeout if self.per_try_timeout is not None else policy.timeout
        total = min((limit for limit in (self.timeout, policy.total_timeout) if limit is not None), default=None)
        limits = [limit for limit in (one, total) if limit is not None]
        again = policy.retry is not None and policy.retry.max_attempts > 1
        return policy.model_copy(
            update={"timeout": min(limits, default=None), "total_timeout": total if again else None}
        )


class Gateway(Spec):
    """Queue and worker, authentication, translation, limits, cache of answers: in this order.

    `event_loop` holds a worker for own work only.
    """

    replicas: Few = 1
    """How many there are, each with workers, queue and limits per node of its own."""
    workers: Workers
    """What each replica does at once, or `unlimited`."""
    concurrency: Literal["threads", "event_loop"] = "event_loop"
    """`event_loop`: a worker is held for the gateway's own work only; `threads`: until the answer is there."""
    pinned: Flag = False
    """Of an `event_loop`: whether each connection belongs to one of the threads, as in nginx, Envoy, Netty and Node's
    cluster: a busy one delays its connections though others are idle. A user has one connection, and users go round
    the threads; who comes without a user, or calls from another service, comes by any.
    """
    zones: Zones = ()
    """In which zones its replicas are, one after the other and from the first again."""
    clock_skew: tuple[Offset, ...] = ()
    """By how much the clocks of its replicas are ahead of the right time, one after the other and from the first again:
    `[0s, 2s, -500ms]`. Rate limits that read the clock of their node count by it (`clock` of a rate limit).
    """
    queue: Queue = Queue()
    """Where requests wait for a worker."""
    work: AnyDistribution | None = None
    """Routing and overhead of each request."""
    authentication: AnyAuthentication | None = None
    """How the gateway knows who asks."""
    rate_limits: tuple[RateLimit, ...] = ()
    """How many requests it lets pass; all of them must."""
    routes: dict[str, Route] = Field(min_length=1)
    """What it offers, by the names that traffic sends to."""
    cost: Price = 0.0
    """The price of a replica, by time."""

    @property
    def authenticates(self) -> tuple[Action, ...]:
        """What authentication asks of the gateway for one request."""
        return self.authentication.actions if self.authentication is not None else ()

    @property
    def asks(self) -> dict[str, Calls]:
        """The calls of its authentication, by what they are called."""
        word = word_of(self.authentication) if self.authentication is not None else ""
        return {f"gateway.{word}.call": action for action in self.authenticates if isinstance(action, Calls)}

    @model_validator(mode="after")
    def _can_be_pinned(self) -> Self:
        check_pinned(self.pinned, self.concurrency, self.workers, self.queue)
        return self
