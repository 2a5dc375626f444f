"""Parts of a scenario in Python, as `sim/spec/balancing.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def balancing(
    *,
    policy: Literal[
        "round_robin", "random", "least_request", "power_of_two", "two_choices", "peak_ewma", "ring_hash", "maglev"
    ]
    | None = None,
    weights: Sequence[Mapping[str, Any] | int | str] | None = None,
    decay: Literal[0] | Mapping[str, Any] | str | None = None,
    ring_size: Mapping[str, Any] | int | str | None = None,
    table_size: Mapping[str, Any] | int | str | None = None,
    outlier_detection: Mapping[str, Any] | str | None = None,
    passive_health_checks: Mapping[str, Any] | str | None = None,
    nginx: Mapping[str, Any] | str | None = None,
    slow_start: Literal[0] | Mapping[str, Any] | str | None = None,
    zone_aware: Mapping[str, Any] | str | None = None,
    panic_threshold: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """`load_balancing: {policy: least_request, weights: [2, 1, 1]}`: each caller on its own, by what it knows
    itself.

    policy: How a replica is chosen. `peak_ewma`: Finagle's, of two at random the lower latency times requests under
        way. `ring_hash` and `maglev`: a user always has the same one, while it is there.
    weights: Of `round_robin` and `least_request`: one for each replica; nginx's smooth weighted round robin, and
        its least_conn.
    decay: Of `peak_ewma`: the time in which an observation loses its weight.
    ring_size: Of `ring_hash`: points on the ring, for all replicas together (Envoy's minimum_ring_size).
    table_size: Of `maglev`: places of its table, a prime number (Envoy's table_size).
    outlier_detection: Replicas that fail are left out for a while.
    passive_health_checks: Replicas that fail are left out until active checks pass, in the words of Kong.
    nginx: Replicas that fail are left out for a while, in the words of nginx: of `round_robin` alone.
    slow_start: Of `round_robin` and `least_request`: a replica that comes back gets its share little by little for
        as long, a tenth of it at first (Envoy).
    zone_aware: Calls stay in the zone of the caller, as far as that is even. Not of `ring_hash` and `maglev`.
    panic_threshold: Where fewer replicas than this share are left, nobody is left out any more (Envoy's
        healthy_panic_threshold). 0: there is no panic, and where nobody is left, nobody is called. So it is with
        `passive_health_checks` by default.
    """
    return part(locals())


def nginx_passive_checks(
    *,
    max_fails: Mapping[str, Any] | int | str | None = None,
    fail_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    next_upstream: Sequence[
        Literal[
            "error",
            "timeout",
            "invalid_header",
            "http_500",
            "http_502",
            "http_503",
            "http_504",
            "http_403",
            "http_404",
            "http_429",
        ]
    ]
    | None = None,
    backup: Sequence[Mapping[str, Any] | int | str] | None = None,
) -> Part:
    """max_fails, fail_timeout and backup of the servers of an nginx upstream (ngx_http_upstream_round_robin.c), by
    each caller's replica for itself, as by each worker without a `zone`.

    max_fails: Failures from which a replica is left out; 0: never.
    fail_timeout: For how long, and the time in which failures count together; whole seconds.
    next_upstream: What is a failure, in the words of proxy_next_upstream. `error`, `timeout` and `invalid_header`
        always are, said or not: a connection that fails (`unreachable`) or a timeout of the caller. http_500,
        http_503 and http_429 are the answers error, shed and rate_limited. http_502 and http_504 are unreachable
        and timeout, which count anyway: a service answers an `error` where its own callees fail, which is http_500
        here. http_403 and http_404 never are.
    backup: Replicas, from 0, that are chosen only where none of the others is left.
    """
    return part(locals())


def outlier_detection(
    *,
    consecutive_5xx: Mapping[str, Any] | int | str | None = None,
    consecutive_gateway_failure: Mapping[str, Any] | int | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    base_ejection_time: Literal[0] | Mapping[str, Any] | str | None = None,
    max_ejection_time: Literal[0] | Mapping[str, Any] | str | None = None,
    max_ejection_percent: Mapping[str, Any] | float | str | None = None,
    always_eject_one_host: bool | None = None,
    max_ejection_time_jitter: Literal[0] | Mapping[str, Any] | str | None = None,
    enforcing_consecutive_5xx: Mapping[str, Any] | float | str | None = None,
    enforcing_consecutive_gateway_failure: Mapping[str, Any] | float | str | None = None,
    enforcing_success_rate: Mapping[str, Any] | float | str | None = None,
    enforcing_failure_percentage: Mapping[str, Any] | float | str | None = None,
    split_external_local_origin_errors: bool | None = None,
    consecutive_local_origin_failure: Mapping[str, Any] | int | str | None = None,
    enforcing_consecutive_local_origin_failure: Mapping[str, Any] | float | str | None = None,
    enforcing_local_origin_success_rate: Mapping[str, Any] | float | str | None = None,
    success_rate: bool | None = None,
    success_rate_minimum_hosts: Mapping[str, Any] | int | str | None = None,
    success_rate_request_volume: Mapping[str, Any] | int | str | None = None,
    success_rate_stdev_factor: Mapping[str, Any] | float | str | None = None,
    failure_percentage: bool | None = None,
    failure_percentage_threshold: Mapping[str, Any] | float | str | None = None,
    failure_percentage_minimum_hosts: Mapping[str, Any] | int | str | None = None,
    failure_percentage_request_volume: Mapping[str, Any] | int | str | None = None,
    successful_active_health_check_uneject_host: bool | None = None,
) -> Part:
    """Envoy's outlier detection (source/common/upstream/outlier_detection_impl.cc), by each caller's replica for
    itself, as each Envoy decides alone.

    consecutive_5xx: Answers of 5xx in a row from which a replica is ejected; null: however many there are.
    consecutive_gateway_failure: The same of 502, 503 and 504 alone: shed, unreachable, timeouts; Envoy counts 5 and
        enforces none of it by default.
    interval: How often it is looked who returns, and at the success rates.
    base_ejection_time: For how long a replica is ejected the first time.
    max_ejection_time: No ejection is longer, or than `base_ejection_time` where that is.
    max_ejection_percent: Percentage of replicas that may be ejected at once: with fewer than ten and the default
        nobody ever is.
    always_eject_one_host: Whether one may be ejected whatever the percentage.
    max_ejection_time_jitter: By how much an ejection may be longer: each by as many whole milliseconds as are
        drawn, from 0 on.
    enforcing_consecutive_5xx: How many times in a hundred a replica that `consecutive_5xx` finds is ejected, by a
        draw of each time.
    enforcing_consecutive_gateway_failure: The same of `consecutive_gateway_failure`; what Envoy has by default, 0,
        is here not to say that word.
    enforcing_success_rate: The same of `success_rate`.
    enforcing_failure_percentage: The same of `failure_percentage`; what Envoy has by default, 0, is here not to say
        that word.
    split_external_local_origin_errors: Whether calls that find nobody or time out are counted apart.
    consecutive_local_origin_failure: Of these in a row, from which a replica is ejected; null: however many there
        are.
    enforcing_consecutive_local_origin_failure: How many times in a hundred it then is.
    enforcing_local_origin_success_rate: How many times in a hundred a replica is ejected whose success rate of
        local origin is far below the others.
    success_rate: Whether replicas are ejected whose success rate is far below that of the others, at the end of an
        interval.
    success_rate_minimum_hosts: Replicas with enough requests that it takes to compare them.
    success_rate_request_volume: Requests in an interval that it takes to judge a replica.
    success_rate_stdev_factor: Thousandths of a standard deviation below the mean from which a replica is ejected.
    failure_percentage: Whether replicas are ejected by their percentage of failures, at the end of an interval,
        after the success rates; Envoy counts it and enforces none of it by default.
    failure_percentage_threshold: Percentage of failures in an interval from which a replica is ejected.
    failure_percentage_minimum_hosts: Replicas with enough requests that it takes.
    failure_percentage_request_volume: Requests in an interval that it takes to judge a replica.
    successful_active_health_check_uneject_host: Whether an ejected replica returns at the next of the service's
        `health_checks` that it passes.
    """
    return part(locals())


def passive_health_checks(
    *,
    http_failures: Mapping[str, Any] | int | str | None = None,
    tcp_failures: Mapping[str, Any] | int | str | None = None,
    timeouts: Mapping[str, Any] | int | str | None = None,
    successes: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Kong's passive health checks (lua-resty-healthcheck), by each caller's replica for itself, as by each node of
    Kong: the words of `healthchecks.passive` of an upstream, all of them 0, which is off, by default.

    http_failures: Answers of 500, 503 and 429 that take a replica out.
    tcp_failures: Connections that nobody accepts, or that break (`unreachable`).
    timeouts: Calls that time out.
    successes: Successes that make a replica which has failed now and then wholly healthy again; any of them takes
        back all failures. 0: they count for nothing.
    """
    return part(locals())


def zone_aware(*, min_cluster_size: Mapping[str, Any] | int | str | None = None) -> Part:
    """Envoy's zone aware routing (zone_aware.rst): as much as possible stays in the caller's zone, while each
    replica of the callee gets the same share. Caller and callee say `zones`; who is in none is sent anywhere.

    min_cluster_size: Replicas that it takes; with fewer, zones do not matter.
    """
    return part(locals())
