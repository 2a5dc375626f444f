"""Whose clock a rate limit reads: by itself, and which it may be told to."""

from __future__ import annotations

from typing import Literal

Clock = Literal["node", "store", "monotonic"]
CLOCK_OF_PRESET: dict[str, Clock] = {
    "nginx": "monotonic",
    "envoy-local": "monotonic",
    "resilience4j": "monotonic",
    "guava": "monotonic",
    "kong": "node",
    "kong-advanced": "node",
    "bucket4j": "node",
    "spring-cloud-gateway": "store",
    "aws": "store",
}
"""Whose clock a library reads. nginx: ngx_current_msec, which is ngx_monotonic_time (ngx_times.c). Envoy: its
MonotonicTime; resilience4j and Guava: System.nanoTime. Kong: timestamp.get_timestamps of ngx.time(), the start of the
window is in the name of the key (policies/init.lua); its advanced one begins windows at the floor of the node's time.
Bucket4j: TimeMeter.SYSTEM_MILLISECONDS of the client, on Redis too (AbstractCompareAndSwapBasedProxyManager.java).
Spring Cloud Gateway: TIME of Redis since 3.1 and late 3.0.x (its issue 2412); before, the Instant.now() of each node.
"""
OTHER_CLOCKS = ("spring-cloud-gateway", "bucket4j")  # libraries that can be told another one, or could once
BUCKETS = ("token_bucket", "gcra", "leaky_bucket")


def clock_of(preset: str | None, algorithm: str, scope: str, window_from: str) -> Clock:
    """The one that a limit reads where nothing is said of it. Of Flask-Limiter, and where there is no preset: windows
    that are named after their time, and logs, go by the node (limits' moving window sends its time.time()); a key that
    expires does so by the store, as buckets of one count go by it (throttled's redigostore asks TIME). In each node
    token and leaky buckets go by a monotonic one (nginx, Envoy), everything else by that node's clock.
    """
    if preset is not None and preset != "flask-limiter":
        return CLOCK_OF_PRESET[preset]
    if scope == "node":
        return "monotonic" if algorithm in ("token_bucket", "leaky_bucket") else "node"
    return "node" if algorithm not in BUCKETS and window_from == "clock" else "store"


def clock_refused(clock: Clock | None, preset: str | None, algorithm: str, scope: str, window_from: str) -> str:
    """Why a limit cannot read the clock that it is told to; nothing where it can, or is told none."""
    its = preset or ("leaky_bucket" if algorithm == "leaky_bucket" else None)
    if clock is None:
        return ""
    if its is not None and its not in OTHER_CLOCKS:
        reads = clock_of(preset, algorithm, scope, window_from)
        return f"found a clock beside {its}, which reads the {reads} one and no other"
    if scope == "cluster" and clock == "monotonic":
        return (
            "found `clock: monotonic` of one count for all replicas, expected node or store: readings of monotonic "
            "clocks of two machines cannot be compared"
        )
    if scope == "node" and clock == "store":
        return "found `clock: store` beside `scope: node`, expected node or monotonic: there is no store"
    if scope == "cluster" and clock == "node" and window_from == "first_request":
        return (
            "found `clock: node` of a window from the first request, expected store: that is a key which expires by "
            "the clock of the store"
        )
    return ""
