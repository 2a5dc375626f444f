"""Parts of a scenario in Python, as `sim/spec/limits.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def period(
    *,
    rate: Mapping[str, Any] | str,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
    burst: Mapping[str, Any] | int | str | None = None,
    refill: Literal["greedy", "intervally"] | None = None,
    initial_tokens: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """One of several rates that are kept at once, each counted in a window of its own: `[10/s, 100/m]`.

    rate: How many pass, on average.
    window: In which they are counted: by default the unit that the rate is written in.
    burst: How many may come at once, of those that hold tokens; by default the `burst` of the limit.
    refill: Of `bucket4j`; by default the `refill` of the limit.
    initial_tokens: Of `bucket4j`; by default the `initial_tokens` of the limit.
    """
    return part(locals())


def rate_limit(
    *,
    per: Literal["user", "route", "all", "consumer", "ip", "header", "traffic"]
    | Sequence[Literal["user", "route", "all", "consumer", "ip", "header", "traffic"]],
    rate: Mapping[str, Any] | str | None = None,
    rates: Sequence[Mapping[str, Any] | str] | None = None,
    burst: Mapping[str, Any] | int | str | None = None,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
    window_from: Literal["clock", "first_request"] | None = None,
    algorithm: Literal["fixed_window", "token_bucket", "sliding_window_counter", "sliding_log", "gcra", "leaky_bucket"]
    | None = None,
    preset: Literal[
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
    | None = None,
    scope: Literal["cluster", "node"] | None = None,
    clock: Literal["node", "store", "monotonic"] | None = None,
    store: Mapping[str, Any] | str | None = None,
    delay: Mapping[str, Any] | int | str | None = None,
    nodelay: bool | None = None,
    wait: Literal[0] | Mapping[str, Any] | str | None = None,
    header: str | None = None,
    when: Mapping[str, Sequence[str] | str] | None = None,
    anonymous: Literal["shared", "ip", "free", "refused"] | None = None,
    status: Literal[429, 503] | Mapping[str, Any] | str | None = None,
    retry_after: Literal["exact", "whole_seconds", "none"] | None = None,
    disable_penalty: bool | None = None,
    requested_tokens: Mapping[str, Any] | int | str | None = None,
    refill: Literal["greedy", "intervally"] | None = None,
    initial_tokens: Mapping[str, Any] | int | str | None = None,
    warm_up: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """At most `rate` per user, per route, or in all. A refusal is a 429 with Retry-After, and uses up nothing. Whose
    algorithm it is:

    per: Whose requests are counted together: of one `user`, `route` (or endpoint), `consumer`, `ip`, `header` (its
        value), `traffic`, or `all`; of a list each combination has a count of its own.
    rate: How many pass, on average; must be said, here or in `rates`.
    rates: Several rates at once, in the place of `rate`: `[10/s, 100/m]`. A request must pass all, and counts for
        none where one refuses it.
    burst: How many may come at once, of `token_bucket` and `gcra`; of `leaky_bucket` how many more than one, 0 by
        default.
    window: Of `fixed_window`, `sliding_window_counter` and `sliding_log`: by default the unit that the rate is
        written in.
    window_from: Whether a `fixed_window` is one of the clock, or begins with the first request of its key; so does
        that of a `sliding_window_counter` on Redis.
    algorithm: How it counts; by default `fixed_window`, or `token_bucket` where a burst is said.
    preset: The library that decides so, with its defaults for the words below.
    scope: One count for all replicas (`cluster`), or one in each (`node`).
    clock: Whose clock it reads, which matters where clocks go apart (`clock_skew`, the fault `clock`): that of the
        `node` that asks, that of the `store`, which is one for all, or a `monotonic` one, which nobody sets. By
        default as its library does: windows of the clock and logs of one count go by the node (Kong, limits),
        buckets of one count by the store (Spring Cloud Gateway, throttled), token and leaky buckets in each node by
        a monotonic one (nginx, Envoy), everything else in a node by that node's clock. `node` of
        `spring-cloud-gateway` is that before 3.1.
    store: Where one count for all replicas is kept, with the time of its own: `{name: redis, latency: 500us}`;
        without it a decision takes no time, and is always made.
    delay: Of `leaky_bucket`: so many of the burst are not held, as nginx's `delay=`.
    nodelay: Of `leaky_bucket`: nobody of the burst is held, as nginx's `nodelay`.
    wait: Of `resilience4j` and `guava`: for how long a request may be held until its turn comes.
    header: Of `per: header`: which one (`headers` of traffic).
    when: Only requests whose headers have one of these values are counted: `{x-tier: free}`.
    anonymous: Requests that lack what they are counted by: all under one key (`shared`), by their address (`ip`,
        Kong), not at all (`free`, nginx), `refused`.
    status: What a refusal is answered with: 429, which is `rate_limited`, or 503, which a caller sees as `shed`.
    retry_after: Whether a refusal says when to come again: `exact`, in `whole_seconds` (RFC 9110 has no others), at
        least 1, or not at all.
    disable_penalty: Of `kong-advanced`: what is refused does not count.
    requested_tokens: Of `spring-cloud-gateway`: tokens that a request takes.
    refill: Of `bucket4j`: whether tokens come one by one, or those of a `window` together at its end.
    initial_tokens: Of `bucket4j`: tokens in the beginning; by default it is full.
    warm_up: Of `guava`: the warmupPeriod in which a limiter that was idle comes to its rate, from a third of it; 0:
        none.
    """
    return part(locals())
