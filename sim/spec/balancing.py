"""How callers choose a replica: more than the name of a policy."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self, TypeGuard, get_args

from pydantic import BeforeValidator, Field, model_validator

from sim.errors import nearest
from sim.spec.base import Between, Duration, Few, Flag, Leaves, Number, Share, Spec
from sim.units import shown
from sim.vocabulary import EventKind

LoadBalancing = Literal["round_robin", "random", "least_request", "power_of_two", "two_choices"]
Policy = Literal[LoadBalancing, "peak_ewma", "ring_hash", "maglev"]
PLAIN, POLICIES = get_args(LoadBalancing), get_args(Policy)
MOST_PLACES = 5_000_011  # of a Maglev table, as in Envoy


def is_plain(policy: Policy) -> TypeGuard[LoadBalancing]:
    """Whether its name says all of it: it needs to know nothing of a replica but how many requests are there."""
    return policy in PLAIN


Counted = Annotated[int, Between(0, 255)]  # a threshold of Kong: its counters have eight bits


Percentage = Annotated[Number, Field(ge=0, le=100)]


class OutlierDetection(Spec):
    """Envoy's outlier detection (source/common/upstream/outlier_detection_impl.cc), by each caller's replica for
    itself, as each Envoy decides alone.

    A replica that answers with 5xx (error, shed, unreachable, or a timeout, which is a 504) `consecutive_5xx` times in
    a row is ejected at once, unless more than `max_ejection_percent` of all would be. At the end of an `interval` it
    returns when it has been out for `base_ejection_time` times the number of its ejections; each interval without one
    takes one of these away. It returns to full traffic, unless `slow_start` is said.

    With `split_external_local_origin_errors` calls that find nobody or time out are no 5xx: they are counted apart, as
    failures of local origin, in a row and as a success rate. A call that times out was connected, which is a success
    of local origin and begins the row anew: only those that find nobody come to be many in a row. A connection counts
    when its call ends, not when it is made.

    Not modelled: failure percentages of local origin (Envoy enforces none of it by default), monitors of extensions.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.REPLICA_EJECTED, EventKind.REPLICA_RETURNED), series=("ejected",)
    )
    consecutive_5xx: Few | None = 5
    """Answers of 5xx in a row from which a replica is ejected; null: however many there are."""
    consecutive_gateway_failure: Few | None = None
    """The same of 502, 503 and 504 alone: shed, unreachable, timeouts; Envoy counts 5 and enforces none of it by
    default.
    """
    interval: Duration = Field(default=10.0, gt=0)
    """How often it is looked who returns, and at the success rates."""
    base_ejection_time: Duration = Field(default=30.0, gt=0)
    """For how long a replica is ejected the first time."""
    max_ejection_time: Duration = Field(default=300.0, gt=0)
    """No ejection is longer, or than `base_ejection_time` where that is."""
    max_ejection_percent: Percentage = 10.0
    """Percentage of replicas that may be ejected at once: with fewer than ten and the default nobody ever is."""
    always_eject_one_host: Flag = False
    """Whether one may be ejected whatever the percentage."""
    max_ejection_time_jitter: Duration = 0.0
    """By how much an ejection may be longer: each by as many whole milliseconds as are drawn, from 0 on."""
    enforcing_consecutive_5xx: Percentage = 100.0
    """How many times in a hundred a replica that `consecutive_5xx` finds is ejected, by a draw of each time."""
    enforcing_consecutive_gateway_failure: Percentage = 100.0
    """The same of `consecutive_gateway_failure`; what Envoy has by default, 0, is here not to say that word."""
    enforcing_success_rate: Percentage = 100.0
    """The same of `success_rate`."""
    enforcing_failure_percentage: Percentage = 100.0
    """The same of `failure_percentage`; what Envoy has by default, 0, is here not to say that word."""
    split_external_local_origin_errors: Flag = False
    """Whether calls that find nobody or time out are counted apart."""
    consecutive_local_origin_failure: Few | None = 5
    """Of these in a row, from which a replica is ejected; null: however many there are."""
    enforcing_consecutive_local_origin_failure: Percentage = 100.0
    """How many times in a hundred it then is."""
    enforcing_local_origin_success_rate: Percentage = 100.0
    """How many times in a hundred a replica is ejected whose success rate of local origin is far below the others."""
    success_rate: Flag = True
    """Whether replicas are ejected whose success rate is far below that of the others, at the end of an interval."""
    success_rate_minimum_hosts: Few = 5
    """Replicas with enough requests that it takes to compare them."""
    success_rate_request_volume: Few = 100
    """Requests in an interval that it takes to judge a replica."""
    success_rate_stdev_factor: Annotated[Number, Field(gt=0, le=1e6)] = 1900.0
    """Thousandths of a standard deviation below the mean from which a replica is ejected."""
    failure_percentage: Flag = False
    """Whether replicas are ejected by their percentage of failures, at the end of an interval, after the success rates;
    Envoy counts it and enforces none of it by default.
    """
    failure_percentage_threshold: Percentage = 85.0
    """Percentage of failures in an interval from which a replica is ejected."""
    failure_percentage_minimum_hosts: Few = 5
    """Replicas with enough requests that it takes."""
    failure_percentage_request_volume: Few = 50
    """Requests in an interval that it takes to judge a replica."""
    successful_active_health_check_uneject_host: Flag = True
    """Whether an ejected replica returns at the next of the service's `health_checks` that it passes."""

    @property
    def draws(self) -> bool:
        """Whether chance decides who is ejected, or for how long."""
        percentages = (
            self.enforcing_consecutive_5xx,
            self.enforcing_consecutive_gateway_failure,
            self.enforcing_success_rate,
            self.enforcing_failure_percentage,
            self.enforcing_consecutive_local_origin_failure,
            self.enforcing_local_origin_success_rate,
        )
        return self.max_ejection_time_jitter > 0.0 or any(0.0 < percent < 100.0 for percent in percentages)

    @model_validator(mode="after")
    def _splits_what_it_counts_apart(self) -> Self:
        apart = (
            "consecutive_local_origin_failure",
            "enforcing_consecutive_local_origin_failure",
            "enforcing_local_origin_success_rate",
        )
        for word in apart:
            if word in self.model_fields_set and not self.split_external_local_origin_errors:
                raise ValueError(
                    f"found {word} without `split_external_local_origin_errors: true`, which it belongs to"
                )
        return self


class PassiveHealthChecks(Spec):
    """Kong's passive health checks (lua-resty-healthcheck), by each caller's replica for itself, as by each node of
    Kong: the words of `healthchecks.passive` of an upstream, all of them 0, which is off, by default.

    A count that has come to its threshold takes a replica out, and nobody is sent there until the active checks of the
    service (`health_checks`) have passed `healthy_threshold` times: without these it is out for ever. Counts are no
    counts in a row: only a success that is itself counted (`successes`) takes back failures, so that with `successes:
    0` a replica goes at the fifth failure in its life. An answer of 2xx is a success, 500, 503 and 429 (error, shed,
    rate_limited) are `http_failures`; other answers count for nothing, a refusal by the business among them.

    As many as are unhealthy are left out (`panic_threshold` is 0 unless it is said: with nobody left calls are
    refused, as Kong does with 503).

    Not modelled: other lists of statuses, that a node of Kong tells of the last attempt of a request by its status
    alone, successes of calls that were under way when a replica went out, `healthchecks.threshold`.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.REPLICA_EJECTED, EventKind.REPLICA_RETURNED), series=("ejected",)
    )
    http_failures: Counted = 0
    """Answers of 500, 503 and 429 that take a replica out."""
    tcp_failures: Counted = 0
    """Connections that nobody accepts, or that break (`unreachable`)."""
    timeouts: Counted = 0
    """Calls that time out."""
    successes: Counted = 0
    """Successes that make a replica which has failed now and then wholly healthy again; any of them takes back all
    failures. 0: they count for nothing.
    """

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if not (self.http_failures or self.tcp_failures or self.timeouts):
            raise ValueError(
                "found no `http_failures`, `tcp_failures` or `timeouts` above 0, expected one: all are off"
            )
        return self


NextUpstream = Literal[
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
"""The conditions of nginx's proxy_next_upstream. Its `non_idempotent` and `off` are about retries."""


class NginxPassiveChecks(Spec):
    """max_fails, fail_timeout and backup of the servers of an nginx upstream (ngx_http_upstream_round_robin.c), by each
    caller's replica for itself, as by each worker without a `zone`.

    A replica that has failed `max_fails` times is left out while no more than `fail_timeout` whole seconds have passed
    since its last failure; then one request is as good as any other, and a success forgets all failures. A failure also
    takes weight / max_fails off its weight, which comes back by one at each choice. A replica that is the only one,
    without backups, is never left out. With nobody left calls are refused (502).

    The event log tells nothing of it: nginx notes when a server is disabled, and not when it is tried again.

    Not modelled: that a request is sent to no server twice (`tried`), the workers' shared `zone`, `max_conns`.
    """

    max_fails: Annotated[int, Between(0, 1_000_000)] = 1
    """Failures from which a replica is left out; 0: never."""
    fail_timeout: Annotated[Duration, Field(ge=1)] = 10.0
    """For how long, and the time in which failures count together; whole seconds."""
    next_upstream: tuple[NextUpstream, ...] = ("error", "timeout")
    """What is a failure, in the words of proxy_next_upstream. `error`, `timeout` and `invalid_header` always are, said
    or not: a connection that fails (`unreachable`) or a timeout of the caller. http_500, http_503 and http_429 are the
    answers error, shed and rate_limited. http_502 and http_504 are unreachable and timeout, which count anyway: a
    service answers an `error` where its own callees fail, which is http_500 here. http_403 and http_404 never are.
    """
    backup: tuple[Annotated[int, Between(0, 1_000_000)], ...] = ()
    """Replicas, from 0, that are chosen only where none of the others is left."""

    @model_validator(mode="after")
    def _in_whole_seconds(self) -> Self:
        if self.fail_timeout != math.floor(self.fail_timeout):
            raise ValueError(
                f"found a fail_timeout of {self.fail_timeout:g} s, expected whole seconds, as nginx reads it"
            )
        return self


class ZoneAware(Spec):
    """Envoy's zone aware routing (zone_aware.rst): as much as possible stays in the caller's zone, while each replica
    of the callee gets the same share. Caller and callee say `zones`; who is in none is sent anywhere.
    """

    leaves: ClassVar[Leaves] = Leaves(series=("from_same_zone", "from_other_zone"))
    min_cluster_size: Few = 6
    """Replicas that it takes; with fewer, zones do not matter."""


class Balancing(Spec):
    """`load_balancing: {policy: least_request, weights: [2, 1, 1]}`: each caller on its own, by what it
    knows itself.
    """

    positional = "policy"
    policy: Policy = "round_robin"
    """How a replica is chosen. `peak_ewma`: Finagle's, of two at random the lower latency times requests under way.
    `ring_hash` and `maglev`: a user always has the same one, while it is there.
    """
    weights: tuple[Annotated[int, Between(1, 1_000_000)], ...] = ()
    """Of `round_robin` and `least_request`: one for each replica; nginx's smooth weighted round robin, and its
    least_conn.
    """
    decay: Duration = Field(default=10.0, gt=0)
    """Of `peak_ewma`: the time in which an observation loses its weight."""
    ring_size: Few = 1024
    """Of `ring_hash`: points on the ring, for all replicas together (Envoy's minimum_ring_size)."""
    table_size: Annotated[int, Between(2, MOST_PLACES)] = 65_537
    """Of `maglev`: places of its table, a prime number (Envoy's table_size)."""
    outlier_detection: OutlierDetection | None = None
    """Replicas that fail are left out for a while."""
    passive_health_checks: PassiveHealthChecks | None = None
    """Replicas that fail are left out until active checks pass, in the words of Kong."""
    nginx: NginxPassiveChecks | None = None
    """Replicas that fail are left out for a while, in the words of nginx: of `round_robin` alone."""
    slow_start: Duration | None = Field(default=None, gt=0)
    """Of `round_robin` and `least_request`: a replica that comes back gets its share little by little for as long, a
    tenth of it at first (Envoy).
    """
    zone_aware: ZoneAware | None = None
    """Calls stay in the zone of the caller, as far as that is even. Not of `ring_hash` and `maglev`."""
    panic_threshold: Share = 0.5
    """Where fewer replicas than this share are left, nobody is left out any more (Envoy's healthy_panic_threshold). 0:
    there is no panic, and where nobody is left, nobody is called. So it is with `passive_health_checks` by default.
    """

    @property
    def ejects(self) -> bool:
        """Whether a caller leaves replicas out by what it sees of them."""
        return self.outlier_detection is not None or self.passive_health_checks is not None

    def _goes_with_nginx(self) -> None:
        if self.policy != "round_robin":
            raise ValueError(f"found `nginx` beside {self.policy}, expected round_robin")
        words = ("outlier_detection", "passive_health_checks", "slow_start", "zone_aware")
        if beside := [word for word in words if getattr(self, word) is not None]:
            raise ValueError(f"found `{beside[0]}` beside `nginx`, expected one of them")

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        even = self.policy not in ("round_robin", "least_request")
        if even and self.weights:
            raise ValueError(f"`weights` are words of round_robin and least_request, not of {self.policy}")
        if even and self.slow_start is not None:
            raise ValueError(
                f"`slow_start` is a word of round_robin and least_request, as in Envoy, not of {self.policy}"
            )
        if self.zone_aware is not None and self.policy in ("ring_hash", "maglev"):
            raise ValueError(
                f"found `zone_aware` beside {self.policy}, expected another policy: a user has one replica"
            )
        if self.outlier_detection is not None and self.passive_health_checks is not None:
            raise ValueError(
                "found `outlier_detection` beside `passive_health_checks`, expected one: Envoy's or Kong's"
            )
        if self.nginx is not None:
            self._goes_with_nginx()
        if any(self.table_size % number == 0 for number in range(2, math.isqrt(self.table_size) + 1)):
            raise ValueError(f"table_size: found {self.table_size}, expected a prime number, or places stay empty")
        for word, policy in (("decay", "peak_ewma"), ("ring_size", "ring_hash"), ("table_size", "maglev")):
            if word in self.model_fields_set and self.policy != policy:
                raise ValueError(f"`{word}` is a word of {policy}, not of {self.policy}")
        return self


_ELSEWHERE = {  # what other systems call them
    "least_conn": "least_request",
    "least_connections": "least_request",
    "leastconn": "least_request",
    "ewma": "peak_ewma",
    "ip_hash": "ring_hash",
    "consistent_hash": "ring_hash",
    "p2c": "two_choices",
}


def _balancing(value: object) -> object:
    """The name of a policy of old stays a word; any other one, and a map, is a `Balancing`."""
    if not isinstance(value, str) or value in PLAIN:
        return value
    if value not in POLICIES:
        near = _ELSEWHERE.get(value.lower()) or nearest(value, POLICIES)
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"found {shown(value)}, expected {', '.join(POLICIES)}, or a map with a `policy`{hint}")
    return Balancing.model_validate({"policy": value})


AnyBalancing = Annotated[LoadBalancing | Balancing, BeforeValidator(_balancing)]
