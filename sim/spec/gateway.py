"""The API gateway: the single entry, with its own capacity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.spec.base import Choice, Duration, Flag, Price, Rate, Share, Spec, Whole, Workers, register
from sim.spec.distribution import AnyDistribution
from sim.spec.policy import CallPolicy
from sim.spec.service import Queue
from sim.spec.traffic import Objective


class Authentication(Spec):
    """Base of the ways to authenticate."""


AnyAuthentication = Annotated[Authentication, Choice("authentication")]


@register("authentication", "jwt")
class Jwt(Authentication):
    """A signed token, verified locally: `work` on a gateway worker, no network."""

    work: AnyDistribution
    invalid: Share = 0.0


@register("authentication", "oauth")
class OAuth(Authentication):
    """RFC 7662 introspection by a remote call, with a cache per user. A hit costs `lookup`; concurrent misses of one user call once.

    Only a "yes" is remembered, and only a "no" is `unauthorized`: when the provider cannot be asked, the request fails as the call did, or
    passes where `on_failure` says `allow`.
    """

    introspect: str  # service.endpoint of the identity provider
    policy: str | CallPolicy | None = None  # where it has no timeout: 10 s, as Kong's openid-connect
    cache_ttl: Duration = 3600.0  # Kong openid-connect's default where the answer names no expiry; 0: no cache
    lookup: AnyDistribution
    invalid: Share = 0.0
    on_failure: Literal["deny", "allow"] = "deny"


class RateLimit(Spec):
    """At most `rate` per user, per route, or in all. A refusal is a 429 with Retry-After."""

    per: Literal["user", "route", "all"]
    rate: Rate = Field(gt=0)
    burst: Whole = Field(default=1, ge=1)  # token_bucket, gcra
    window: Duration = Field(default=1.0, gt=0)  # fixed_window, sliding_window, sliding_log: limit = rate * window
    algorithm: Literal["token_bucket", "fixed_window", "sliding_window", "sliding_log", "gcra"] = "token_bucket"
    scope: Literal["cluster", "node"] = "cluster"  # node: each gateway replica counts alone, as Kong's `local`


class Translate(Spec):
    """Protocol translation on the gateway's workers; `response_work` on the way back."""

    to: Literal["grpc"]
    work: AnyDistribution
    response_work: AnyDistribution | None = None


class Route(Spec):
    """A route to an endpoint."""

    to: str
    timeout: Duration | None = None
    policy: str | CallPolicy | None = None
    translate: Translate | None = None
    authenticate: Flag = True
    objective: Objective | None = None
    completes_with: tuple[str, ...] = ()


class Gateway(Spec):
    """Queue and worker, authentication, limits, routing, translation: in this order. `event_loop` holds a worker for own work only."""

    replicas: Whole = Field(default=1, ge=1)
    workers: Workers
    concurrency: Literal["threads", "event_loop"] = "event_loop"
    queue: Queue = Queue()
    work: AnyDistribution | None = None  # routing and overhead of each request
    authentication: AnyAuthentication | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    routes: dict[str, Route] = Field(min_length=1)
    cost: Price = 0.0
