"""Rate limits: of the gateway, of one of its routes, or of a service; whose requests are counted together, and how."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, WithJsonSchema, model_validator

from sim.errors import nearest
from sim.spec.base import MOST, Between, Duration, Flag, Leaves, Many, Rate, Spec
from sim.spec.document import Data
from sim.spec.limit_clocks import BUCKETS, Clock, clock_of, clock_refused
from sim.spec.limit_store import LimitStore
from sim.units import rate_unit, shown
from sim.vocabulary import EventKind, Outcome

MOST_STAMPS = 1_000_000  # of one sliding log

KEYS = ("user", "route", "all", "consumer", "ip", "header", "traffic")
Algorithm = Literal["fixed_window", "token_bucket", "sliding_window_counter", "sliding_log", "gcra", "leaky_bucket"]
Preset = Literal[
    "nginx",
    "kong",
    "kong-advanced",
    "spring-cloud-gateway",
    "envoy-local",
    "resilience4j",
    "guava",
    "aws",
    "bucket4j",
    "flask-limiter",
]
Status = Literal[429, 503]
Refill = Literal["greedy", "intervally"]


def _values(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_VALUES = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]})
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_values), _VALUES]
Headers = dict[str, OneOrMore]
"""Header -> one value, or several."""

PRESETS: dict[str, dict[str, Any]] = {
    "nginx": {"algorithm": "leaky_bucket", "scope": "node", "status": 503, "retry_after": "none", "anonymous": "free"},
    "kong": {"algorithm": "fixed_window", "scope": "node", "retry_after": "whole_seconds", "anonymous": "ip"},
    "kong-advanced": {
        "algorithm": "sliding_window_counter",
        "scope": "node",
        "retry_after": "whole_seconds",
        "anonymous": "ip",
    },
    "spring-cloud-gateway": {"algorithm": "token_bucket", "retry_after": "none", "anonymous": "refused"},
    "envoy-local": {"algorithm": "token_bucket", "scope": "node", "retry_after": "none"},
    "aws": {"algorithm": "token_bucket", "retry_after": "none"},
    "resilience4j": {"algorithm": "fixed_window", "scope": "node", "retry_after": "none", "wait": "5s"},
    "guava": {"algorithm": "token_bucket", "scope": "node", "retry_after": "none", "wait": 0},
    "bucket4j": {"algorithm": "token_bucket", "scope": "node", "retry_after": "none"},
    "flask-limiter": {"algorithm": "fixed_window", "scope": "node", "retry_after": "none"},  # memory://
}
"""What each library does where nothing else is said: semantics.md 4.2 to 4.6; nobody but Kong tells a Retry-After
(Flask-Limiter does with RATELIMIT_HEADERS_ENABLED, which is off).
"""
_UNUSED: dict[str | None, tuple[str, ...]] = {"guava": ("burst", "window"), "bucket4j": ()}
"""Which of `burst` and `window` a preset has no use for, where that does not follow from whether it counts in windows.
"""
_OF_FLASK = ("fixed_window", "sliding_log", "sliding_window_counter")
_UNITS = (31_104_000.0, 2_592_000.0, 86_400.0, 3600.0, 60.0)
"""Seconds of a year, month, day, hour and minute: granularities of the library limits, whose year is twelve months."""


def requests_in(window: float, rate: float) -> int:
    """The whole requests of a window, or tokens of a refill, at least one: floor(rate * window), with what the noise of
    floats takes away.
    """
    return max(1, math.floor(rate * window * (1.0 + 1e-12) + 1e-9))


def _counter(value: object) -> object:
    """The old name of it, which Kong gives to something that counts otherwise."""
    return "sliding_window_counter" if value == "sliding_window" else value


def _keys(value: object) -> object:
    """One word, or several of them in a list: each combination of what they name has a count of its own."""
    words = value if isinstance(value, (list, tuple)) else value.split() if isinstance(value, str) else (value,)
    for word in words:
        if word not in KEYS:
            near = nearest(word, KEYS) if isinstance(word, str) else None
            hint = f"; did you mean '{near}'?" if near else ""
            raise ValueError(f"found {shown(word)}, expected one of {', '.join(KEYS)}, or a list of them{hint}")
    if not words or len(set(words)) < len(words) or ("all" in words and len(words) > 1):
        raise ValueError(f"found {shown(value)}, expected different words, and `all` alone")
    return " ".join(words)


_KEY = WithJsonSchema(
    {"anyOf": [{"enum": list(KEYS)}, {"type": "array", "minItems": 1, "items": {"enum": list(KEYS)}}]}
)
Per = Annotated[str, BeforeValidator(_keys), _KEY]


class Period(Spec):
    """One of several rates that are kept at once, each counted in a window of its own: `[10/s, 100/m]`."""

    positional = "rate"
    rate: Rate = Field(gt=0)
    """How many pass, on average."""
    window: Duration = Field(default=1.0, gt=0)
    """In which they are counted: by default the unit that the rate is written in."""
    burst: Annotated[int, Between(0, MOST)] | None = None
    """How many may come at once, of those that hold tokens; by default the `burst` of the limit."""
    refill: Refill | None = None
    """Of `bucket4j`; by default the `refill` of the limit."""
    initial_tokens: Annotated[int, Between(0, MOST)] | None = None
    """Of `bucket4j`; by default the `initial_tokens` of the limit."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_its_unit(cls, data: Data, handler: ModelWrapValidatorHandler[Self]) -> Self:
        unit = rate_unit(data.get("rate") if isinstance(data, dict) else data)
        if unit is None or isinstance(data, Spec):
            return handler(data)
        body = data if isinstance(data, dict) else {"rate": data}
        return handler({"window": unit, **body})


class RateLimit(Spec):
    """At most `rate` per user, per route, or in all. A refusal is a 429 with Retry-After, and uses up nothing. Whose
    algorithm it is:

    `fixed_window`, the default: Kong's `rate-limiting`. `rate * window` requests in each window of the clock; without a
    `window`, of the unit
    that the rate is written in, as Kong's `second`, `minute`, `hour` and `day`. `window_from: first_request`:
    express-rate-limit, INCR and EXPIRE.
    `token_bucket`, the default where a `burst` is said: nginx's `limit_req burst=B nodelay`, which is `burst: B + 1`
    here, Envoy's local rate limit
    (`burst`: max_tokens), and Spring Cloud Gateway (`burst`: burstCapacity; there time counts in whole seconds).
    Without a `burst` it is 1: nginx
    without burst, Spring's default; requests closer than 1 / rate are refused.
    `leaky_bucket`: nginx's `limit_req` as it is written there, in thousandths of a request and milliseconds: who is
    ahead of the rate by no more than
    `burst` (0 by default) is held until it is not; with `nodelay` nobody is held, with `delay: N` the first N are not.
    `sliding_window_counter`: the Python library limits (Flask-Limiter), after Cloudflare; with a `store` its window
    begins with the first request, as on Redis there (`window_from`). Requests that it refuses do
    not count; in Kong's
    `rate-limiting-advanced` they do, unless `disable_penalty` is set: there a client that goes on above its limit is
    shut out.
    `sliding_log`: limits' moving window, in which a request that is exactly a window old still counts. `gcra`:
    throttled, with `burst` its MaxBurst: `burst` + 1 requests pass at once.

    One count for all replicas is Spring's and Kong's with `policy: redis`; `scope: node` is Kong's `policy: local`,
    nginx and Envoy.

    A `preset` decides as that library does, with its defaults: `nginx` (503), `kong`, `kong-advanced` (refused requests
    count), `spring-cloud-gateway`
    (whole seconds; `burst` is burstCapacity, `requested_tokens`), `envoy-local` (`burst` is max_tokens, the rate
    tokens_per_fill / fill_interval),
    `aws` (the token bucket of API Gateway), and, which hold a request up to `wait`, `resilience4j` (`rate * window` is
    limitForPeriod, `window`
    limitRefreshPeriod, `wait` timeoutDuration) and `guava` (SmoothBursty, with `warm_up` SmoothWarmingUp; `wait` the
    timeout of tryAcquire).
    `bucket4j`: each of its `rates` is a bandwidth, `rate * window` tokens in each `window`, `burst` its capacity (by
    default as many), `refill` greedy or intervally, `initial_tokens`; a bucket in each replica, or one in a store.
    `flask-limiter`: `fixed_window` (from the first request), `sliding_log` (moving-window) or `sliding_window_counter`,
    in the memory of a worker (its `memory://`), or with `scope: cluster` or a `store` on Redis. Its limits are hit one
    after the other, the shortest unit first: those before the one that refuses have counted the request, and those
    after it are not asked.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED, Outcome.ERROR),
        events=(EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED),
        series=("passed", "turned_away", "undecided"),
    )
    per: Per
    """Whose requests are counted together: of one `user`, `route` (or endpoint), `consumer`, `ip`, `header` (its
    value), `traffic`, or `all`; of a
    list each combination has a count of its own.
    """
    rate: Rate = Field(default=1.0, gt=0)
    """How many pass, on average; must be said, here or in `rates`."""
    rates: tuple[Period, ...] = ()
    """Several rates at once, in the place of `rate`: `[10/s, 100/m]`. A request must pass all, and counts for none
    where one refuses it.
    """
    burst: Annotated[int, Between(0, MOST)] = 1
    """How many may come at once, of `token_bucket` and `gcra`; of `leaky_bucket` how many more than one, 0 by default.
    """
    window: Duration = Field(default=1.0, gt=0)
    """Of `fixed_window`, `sliding_window_counter` and `sliding_log`: by default the unit that the rate is written in.
    """
    window_from: Literal["clock", "first_request"] = "clock"
    """Whether a `fixed_window` is one of the clock, or begins with the first request of its key; so does that of a
    `sliding_window_counter` on Redis.
    """
    algorithm: Annotated[Algorithm, BeforeValidator(_counter)] = "fixed_window"
    """How it counts; by default `fixed_window`, or `token_bucket` where a burst is said."""
    preset: Preset | None = None
    """The library that decides so, with its defaults for the words below."""
    scope: Literal["cluster", "node"] = "cluster"
    """One count for all replicas (`cluster`), or one in each (`node`)."""
    clock: Clock | None = None
    """Whose clock it reads, which matters where clocks go apart (`clock_skew`, the fault `clock`): that of the `node`
    that asks, that of the `store`, which is one for all, or a `monotonic` one, which nobody sets. By default as its
    library does: windows of the clock and logs of one count go by the node (Kong, limits), buckets of one count by the
    store (Spring Cloud Gateway, throttled), token and leaky buckets in each node by a monotonic one (nginx, Envoy),
    everything else in a node by that node's clock. `node` of `spring-cloud-gateway` is that before 3.1.
    """
    store: LimitStore | None = None
    """Where one count for all replicas is kept, with the time of its own: `{name: redis, latency: 500us}`; without it a
    decision takes no time, and is always made.
    """
    delay: Annotated[int, Between(0, MOST)] = 0
    """Of `leaky_bucket`: so many of the burst are not held, as nginx's `delay=`."""
    nodelay: Flag = False
    """Of `leaky_bucket`: nobody of the burst is held, as nginx's `nodelay`."""
    wait: Duration = 0.0
    """Of `resilience4j` and `guava`: for how long a request may be held until its turn comes."""
    header: str | None = None
    """Of `per: header`: which one (`headers` of traffic)."""
    when: Headers = Field(default_factory=dict)
    """Only requests whose headers have one of these values are counted: `{x-tier: free}`."""
    anonymous: Literal["shared", "ip", "free", "refused"] = "shared"
    """Requests that lack what they are counted by: all under one key (`shared`), by their address (`ip`, Kong), not at
    all (`free`, nginx), `refused`.
    """
    status: Status = 429
    """What a refusal is answered with: 429, which is `rate_limited`, or 503, which a caller sees as `shed`."""
    retry_after: Literal["exact", "whole_seconds", "none"] = "exact"
    """Whether a refusal says when to come again: `exact`, in `whole_seconds` (RFC 9110 has no others), at least 1, or
    not at all.
    """
    disable_penalty: Flag = False
    """Of `kong-advanced`: what is refused does not count."""
    requested_tokens: Many = 1
    """Of `spring-cloud-gateway`: tokens that a request takes."""
    refill: Refill = "greedy"
    """Of `bucket4j`: whether tokens come one by one, or those of a `window` together at its end."""
    initial_tokens: Annotated[int, Between(0, MOST)] | None = None
    """Of `bucket4j`: tokens in the beginning; by default it is full."""
    warm_up: Duration = 0.0
    """Of `guava`: the warmupPeriod in which a limiter that was idle comes to its rate, from a third of it; 0: none."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What a count belongs to; empty for one count of all."""
        return () if self.per == "all" else tuple(self.per.split())

    @property
    def counts_in_windows(self) -> bool:
        """Whether it counts requests in a `window`; otherwise it lets a `burst` pass."""
        return self.algorithm not in BUCKETS

    @property
    def unused(self) -> tuple[str, ...]:
        """Which of `burst` and `window` change nothing here."""
        return _UNUSED.get(self.preset, ("burst",) if self.counts_in_windows else ("window",))

    @property
    def tokens(self) -> int:
        """How many pass at once after a rest, of one that does not count in windows."""
        if self.preset == "guava":
            return 1 if self.warm_up else 1 + int(self.rate)
        if self.preset == "bucket4j":
            return self.capacity
        if self.preset == "spring-cloud-gateway":
            return max(1, self.burst // self.requested_tokens)
        return self.burst + (1 if self.algorithm in ("gcra", "leaky_bucket") else 0)

    @property
    def capacity(self) -> int:
        """The tokens that a bandwidth of bucket4j holds."""
        return self.burst if "burst" in self.model_fields_set else requests_in(self.window, self.rate)

    @property
    def on_redis(self) -> bool:
        """Whether its counters are kept in Redis, by the clock of that."""
        return _is_on_redis(self.preset, self.scope, self.store)

    @property
    def reads(self) -> Clock:
        """Whose clock it reads."""
        if self.clock is not None:
            return self.clock
        return clock_of(self.preset, self.algorithm, self.scope, self.window_from)

    @property
    def in_turn(self) -> bool:
        """Whether rates and limits are hit one after the other, and count what a later one refuses."""
        return self.preset == "flask-limiter"

    @property
    def unit(self) -> float:
        """The largest unit of time that the window is a whole multiple of, seconds: by it flask-limiter sorts them."""
        return next((unit for unit in _UNITS if self.window % unit == 0.0), 1.0)

    @property
    def periods(self) -> tuple[Self, ...]:
        """A limit for each rate that is kept, in the order in which they are asked."""
        if not self.rates:
            return (self,)
        each = tuple(self._of(its) for its in self.rates)
        return tuple(sorted(each, key=lambda its: its.unit)) if self.in_turn else each

    def _of(self, its: Period) -> Self:
        own = {name: getattr(its, name) for name in ("burst", "refill", "initial_tokens")}
        said = {name: value for name, value in own.items() if value is not None}
        return self.model_copy(update={"rate": its.rate, "window": its.window, "rates": (), **said})

    @model_validator(mode="wrap")
    @classmethod
    def _what_follows_from_the_rest(cls, data: Data, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Fill in what a preset, a burst and the unit of the rate mean; all of it still counts as not said."""
        if not isinstance(data, dict):
            return handler(data)
        follows: dict[str, Any] = {"algorithm": "token_bucket"} if "burst" in data else {}
        preset = data.get("preset")
        if isinstance(preset, str):
            follows |= PRESETS.get(preset, {})
        if data.get("store") is not None:
            follows["scope"] = "cluster"
        if _begins_with_a_request({**follows, **data}):
            follows["window_from"] = "first_request"
        if "leaky_bucket" in (data.get("algorithm"), follows.get("algorithm")):
            follows["burst"] = 0
        if isinstance(data.get("rates"), (list, tuple)) and data["rates"] and "rate" not in data:
            first = data["rates"][0]
            follows["rate"] = first.get("rate") if isinstance(first, dict) else getattr(first, "rate", first)
        if (unit := rate_unit(data.get("rate", follows.get("rate")))) is not None:
            follows["window"] = unit
        limit = handler({**follows, **data})
        limit.model_fields_set.intersection_update(data)
        return limit

    @model_validator(mode="after")
    def _is_of_its_preset(self) -> Self:
        """Words that one library has, and algorithms that it has not."""
        said = self.model_fields_set
        words = {
            "disable_penalty": "kong-advanced",
            "requested_tokens": "spring-cloud-gateway",
            "refill": "bucket4j",
            "initial_tokens": "bucket4j",
            "warm_up": "guava",
        }
        for word, of in words.items():
            if self.preset != of and (word in said or any(word in its.model_fields_set for its in self.rates)):
                raise ValueError(f"`{word}` is a word of the preset {of}, not of {self.preset or self.algorithm}")
        if self.in_turn and self.algorithm not in _OF_FLASK:
            raise ValueError(f"found {self.algorithm}, expected one of {', '.join(_OF_FLASK)} for flask-limiter")
        if self.preset is not None and not self.in_turn and "algorithm" in said:
            raise ValueError(
                f"found algorithm beside preset, expected one of them: {self.preset} counts in its own way"
            )
        if self.counts_in_windows and any(its.burst is not None for its in self.rates):
            raise ValueError(f"`burst` is no word of {self.preset or self.algorithm}, which counts in windows")
        if self.preset == "bucket4j" and any(its.rate > 1e9 for its in self.periods):
            raise ValueError("bucket4j: found more than one token in a nanosecond, expected at most one")
        return self

    @model_validator(mode="after")
    def _can_read_that_clock(self) -> Self:
        """Clocks that the library cannot be told to read, or that cannot be had where it counts."""
        why = clock_refused(self.clock, self.preset, self.algorithm, self.scope, self.window_from)
        if why:
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _can_count_so_far(self) -> Self:
        """A counter counts in 64 bits; a log keeps a stamp of each request that passes."""
        most = MOST_STAMPS if self.algorithm == "sliding_log" else MOST
        for its in self.periods:
            if self.counts_in_windows and its.rate * its.window > most:
                raise ValueError(
                    f"found {its.rate * its.window:,.0f} requests in each window, expected at most {most:,} for "
                    f"{self.algorithm}"
                )
        return self

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        """Words that belong together."""
        said = self.model_fields_set
        if not said & {"rate", "rates"}:
            raise ValueError("the field 'rate' is missing")
        if self.algorithm != "leaky_bucket" and min(its.burst for its in self.periods) < 1:
            raise ValueError(f"burst: found 0, expected at least 1 for {self.algorithm}: nothing would ever pass")
        if "rate" in said and self.rates:
            raise ValueError("found rate beside rates, expected one of them")
        if ("header" in self.keys) != (self.header is not None):
            raise ValueError("`per: header` and `header: NAME` belong together: whose values are counted apart?")
        if self.algorithm != "leaky_bucket" and said & {"delay", "nodelay"}:
            raise ValueError(
                "`delay` and `nodelay` are words of leaky_bucket (preset nginx), not of "
                f"{self.preset or self.algorithm}"
            )
        if self.store is not None and self.scope == "node":
            raise ValueError("found store beside `scope: node`, expected one of them: each replica counts for itself")
        if self.nodelay and "delay" in said:
            raise ValueError("found nodelay beside delay, expected one of them, as in nginx")
        if "wait" in said and self.wait and self.preset not in ("resilience4j", "guava"):
            raise ValueError(
                "`wait` is a word of the presets resilience4j and guava; leaky_bucket holds those of its `burst`"
            )
        windows = self.algorithm in ("fixed_window", "sliding_window_counter")
        if self.window_from == "first_request" and (not windows or self.preset not in (None, "flask-limiter")):
            raise ValueError("`window_from: first_request` is a word of fixed_window and sliding_window_counter")
        return self


def _is_on_redis(preset: object, scope: object, store: object) -> bool:
    """With a store, or one count of Flask-Limiter's for all replicas."""
    return store is not None or (preset == "flask-limiter" and scope == "cluster")


def _begins_with_a_request(data: dict[str, Any]) -> bool:
    """Whether the windows of a limit begin with the first request of a key where nothing is said of it: with limits on
    Redis, and the fixed ones in memory too.
    """
    if data.get("preset") not in (None, "flask-limiter"):
        return False
    algorithm = _counter(data.get("algorithm"))
    if algorithm == "sliding_window_counter":
        return _is_on_redis(data.get("preset"), data.get("scope"), data.get("store"))
    return algorithm == "fixed_window" and data.get("preset") is not None
