"""The API gateway: the single entry, with its own capacity."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, model_validator

from sim.spec.actions import Action, Calls, TakesTime
from sim.spec.base import MOST, Choice, Duration, Few, Flag, Leaves, Many, Price, Rate, Share, Spec, Workers, register
from sim.spec.distribution import AnyDistribution
from sim.spec.document import Data
from sim.spec.policy import AnswersWith, CallPolicy
from sim.spec.service import Queue
from sim.spec.traffic import Objective
from sim.units import rate_unit
from sim.vocabulary import EventKind, Outcome

MOST_STAMPS = 1_000_000  # of one sliding log


class Authentication(Spec):
    """Base of the ways to authenticate."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What one request that is authenticated asks of the gateway, and of whom it calls where it knows no better."""
        return ()


AnyAuthentication = Annotated[Authentication, Choice("authentication")]


@register("authentication", "jwt")
class Jwt(Authentication):
    """A signed token, verified locally: `work` on a gateway worker, no network."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.UNAUTHORIZED,))
    work: AnyDistribution
    """What verifying a token takes on a worker of the gateway."""
    invalid: Share = 0.0
    """The share of requests whose token is not good: they are `unauthorized`."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """It verifies the token."""
        return (TakesTime(self.work, computes=True, kept=True),)


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
    def actions(self) -> tuple[Action, ...]:
        """It looks into its cache, and asks the provider where that knows nothing."""
        asks = Calls(self.introspect, self.policy, remembered=self.cache_ttl, said_in="introspect")
        return (TakesTime(self.lookup, computes=True, kept=True), asks)


Algorithm = Literal["fixed_window", "token_bucket", "sliding_window_counter", "sliding_log", "gcra"]


def _counter(value: object) -> object:
    """The old name of it, which Kong gives to something that counts otherwise."""
    return "sliding_window_counter" if value == "sliding_window" else value


class RateLimit(Spec):
    """At most `rate` per user, per route, or in all. A refusal is a 429 with Retry-After, and uses up nothing. Whose
    algorithm it is:

    `fixed_window`, the default: Kong's `rate-limiting`. `rate * window` requests in each window of the clock; without a
    `window`, of the unit that the rate is written in, as Kong's `second`, `minute`, `hour` and `day`. `token_bucket`,
    the default where a `burst` is said: nginx's `limit_req burst=B nodelay`, which is `burst: B + 1` here, Envoy's
    local rate limit (`burst`: max_tokens), and Spring Cloud Gateway (`burst`: burstCapacity; there time counts in whole
    seconds). Without a `burst` it is 1: nginx without burst, Spring's default; requests closer than 1 / rate are
    refused. `sliding_window_counter`: the Python library limits (Flask-Limiter), after Cloudflare. Requests that it
    refuses do not count; in Kong's `rate-limiting-advanced` they do, unless `disable_penalty` is set: there a client
    that goes on above its limit is shut out. `sliding_log`: limits' moving window. `gcra`: throttled, with `burst` its
    MaxBurst: `burst` + 1 requests pass at once.

    One count for all replicas is Spring's and Kong's with `policy: redis`; `scope: node` is Kong's `policy: local`,
    nginx and Envoy.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED,),
        events=(EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED),
        series=("passed", "turned_away"),
    )
    per: Literal["user", "route", "all"]
    """Whose requests are counted together: of one user, of one route, or all."""
    rate: Rate = Field(gt=0)
    """How many pass, on average."""
    burst: Many = 1
    """How many may come at once, of `token_bucket` and `gcra`."""
    window: Duration = Field(default=1.0, gt=0)
    """Of `fixed_window`, `sliding_window_counter` and `sliding_log`: by default the unit that the rate is written in.
    """
    algorithm: Annotated[Algorithm, BeforeValidator(_counter)] = "fixed_window"
    """How it counts; by default `fixed_window`, or `token_bucket` where a burst is said."""
    scope: Literal["cluster", "node"] = "cluster"
    """One count for all replicas (`cluster`), or one in each (`node`)."""

    @property
    def counts_in_windows(self) -> bool:
        """Whether it counts requests in a `window`; otherwise it lets a `burst` pass."""
        return self.algorithm not in ("token_bucket", "gcra")

    @model_validator(mode="wrap")
    @classmethod
    def _what_follows_from_the_rest(cls, data: Data, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Fill in the algorithm that a burst means and the window that the unit of the rate means; both still count as
        not said.
        """
        if not isinstance(data, dict):
            return handler(data)
        follows: dict[str, Any] = {"algorithm": "token_bucket"} if "burst" in data else {}
        if (unit := rate_unit(data.get("rate"))) is not None:
            follows["window"] = unit
        limit = handler({**follows, **data})
        limit.model_fields_set.intersection_update(data)
        return limit

    @model_validator(mode="after")
    def _can_count_so_far(self) -> Self:
        """A counter counts in 64 bits; a log keeps a stamp of each request that passes."""
        most = MOST_STAMPS if self.algorithm == "sliding_log" else MOST
        if self.counts_in_windows and self.rate * self.window > most:
            raise ValueError(
                f"found {self.rate * self.window:,.0f} requests in each window, expected at most {most:,} for "
                f"{self.algorithm}"
            )
        return self


class Translate(Spec):
    """Protocol translation on the gateway's workers; `response_work` on the way back."""

    to: Literal["grpc"]
    """The protocol of the service behind."""
    work: AnyDistribution
    """What a request takes on its way in."""
    response_work: AnyDistribution | None = None
    """What an answer takes on its way back."""


class Route(Spec):
    """A route to an endpoint. `timeout` is that of all attempts and back-offs together (Envoy's and Istio's),
    `per_try_timeout` that of each attempt.

    `per_try_timeout` goes before the `timeout` of the policy, which is one of each attempt too; whatever ends first,
    counts. No timeout is assumed where none is said, as in Istio; Envoy itself has 15 s for all, nginx and Kong 60 s
    for each attempt between two reads.
    """

    to: str
    """The endpoint, as `service.endpoint`."""
    timeout: Duration | None = None
    """Of all attempts and pauses together, as Envoy's and Istio's."""
    per_try_timeout: Duration | None = None
    """Of each attempt; goes before the `timeout` of the policy."""
    policy: str | CallPolicy | None = None
    """How the call is guarded: the name of a policy, or one written here."""
    translate: Translate | None = None
    """Protocol translation on the gateway's workers."""
    authenticate: Flag = True
    """Whether requests of this route are authenticated."""
    objective: Objective | None = None
    """What the route promises."""
    completes_with: tuple[str, ...] = ()
    """The effects that must exist before an order counts as complete."""
    answers_with: AnswersWith = Field(default_factory=dict)
    """What failures are answered with where that is no `error`: `{breaker_open: shed}`."""

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
    """Queue and worker, authentication, limits, routing, translation: in this order.

    `event_loop` holds a worker for own work only.
    """

    replicas: Few = 1
    """How many there are, each with workers, queue and limits per node of its own."""
    workers: Workers
    """What each replica does at once, or `unlimited`."""
    concurrency: Literal["threads", "event_loop"] = "event_loop"
    """`event_loop`: a worker is held for the gateway's own work only; `threads`: until the answer is there."""
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
