"""How Envoy tries again, bounds connections and ejects hosts, as its own configuration and Istio's say it.

By Envoy's documentation ("Router", x-envoy-retry-on; `config.route.v3.RetryPolicy`): tries are beyond the first,
one by default; before a try it waits evenly from 0 to a bound that doubles from 25 ms up to ten times as much. A
try that takes longer than its own timeout ends as a 504, which `5xx` and `gateway-error` take in. A request of
HTTP/1.1 has a connection to itself; who finds none waits until the timeout of its route ("Circuit breaking").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.importing.draft import Said, Service
from sim.importing.durations import written
from sim.importing.parts import Part
from sim.spec.document import Data
from sim.units import duration

BASE_MS, MOST_MS = 25, 250
_ON = {
    "5xx": ("timeout", "error", "unreachable", "shed"),
    "gateway-error": ("timeout", "error", "shed"),
    "connect-failure": ("unreachable",),
    "reset": ("unreachable",),
    "reset-before-request": ("unreachable",),
    "refused-stream": ("unreachable",),
    "unavailable": ("unreachable", "shed"),
    "internal": ("error",),
    "deadline-exceeded": ("timeout",),
    "resource-exhausted": ("rate_limited",),
    "envoy-ratelimited": ("rate_limited",),
    "429": ("rate_limited",),
    "500": ("error",),
    "502": ("error",),
    "503": ("shed",),
    "504": ("error", "timeout"),
    "cancelled": (),  # its client has gone
    "retriable-4xx": (),  # 409 alone
    "retriable-status-codes": (),
    "retriable-headers": (),
    "http3-post-connect-failure": (),
}
_ORDER = ("timeout", "error", "unreachable", "shed", "rate_limited")


def retried(part: Part, words: str, extra: Iterable[str] = ()) -> list[str]:
    """The failures that are tried again, of a list in words; a word that is none of Envoy's is told."""
    found: set[str] = set()
    for word in [*(item.strip().lower() for item in words.split(",") if item.strip()), *extra]:
        if word in _ON:
            found.update(_ON[word])
        else:
            part.leave_out(f"retry on {word[:40]}", "is no condition of Envoy's that is known here")
    return [word for word in _ORDER if word in found]


def retry(tries: int, on: list[str], base: str = "", most: str = "") -> dict[str, Data]:
    """The retry of a policy, `tries` beyond the first; `base` and `most` as durations where they are said."""
    backoff = {"base": base or f"{BASE_MS}ms", "max": most or f"{MOST_MS}ms"}
    return {"max_attempts": min(tries + 1, 1000), "backoff": {"exponential": backoff}, "jitter": "full", "on": on}


def told(limited: Part) -> dict[str, Data]:
    """What `rate_limited_retry_back_off` says of a Retry-After: a longer one than `max_interval`, 300 s by default, is
    discarded. Other headers, and times of the clock, no limit here tells.
    """
    names = [header["name"].text().lower() for header in limited["reset_headers"].items()] if limited else []
    if "retry-after" not in names:
        return {}
    most = written(limited["max_interval"]) or "300s"
    return {"honor_retry_after": True, "max_retry_after": most, "above_max_retry_after": "ignore"}


_WAITS = "1h"  # for a connection: as long as the timeout of the route, which ends it before


def pool_of(size: int, pending: int | None) -> dict[str, Data]:
    """Connections of HTTP/1.1, and how many may wait for one; none of them is there before it is needed."""
    fields: dict[str, Data] = {"size": size, "acquire_timeout": _WAITS}
    return {**fields, "max_pending": pending} if pending is not None else fields


ISTIO = {
    "consecutive5xxErrors": "consecutive_5xx",
    "consecutiveErrors": "consecutive_5xx",  # its name until 1.5
    "consecutiveGatewayErrors": "consecutive_gateway_failure",
    "interval": "interval",
    "baseEjectionTime": "base_ejection_time",
    "maxEjectionPercent": "max_ejection_percent",
}
ENVOY = {
    name: name
    for name in (
        *("consecutive_5xx", "interval", "base_ejection_time", "max_ejection_time", "max_ejection_percent"),
        *("success_rate_minimum_hosts", "success_rate_request_volume", "success_rate_stdev_factor"),
    )
}


def outlier_detection(part: Part, names: Mapping[str, str]) -> dict[str, Data]:
    """The fields of `outlier_detection`; Istio has no success rate, and of Envoy what is not enforced is none."""
    fields: dict[str, Data] = {"success_rate": False} if names is ISTIO else {}
    for theirs, ours in names.items():
        its = part[theirs]
        if not its:
            continue
        if ours in ("interval", "base_ejection_time", "max_ejection_time"):
            if (text := written(its)) and duration(text) > 0:
                fields[ours] = text
        elif ours == "max_ejection_percent":
            if (share := its.number()) is not None:
                fields[ours] = min(share, 100.0)
        elif (count := its.whole(0, 10**6)) is not None:
            fields[ours] = count or None  # 0 turns it off
    if names is ENVOY:
        _enforced(part, fields)
    if fields.get("consecutive_gateway_failure", 0) is None:
        del fields["consecutive_gateway_failure"]
    counts = ("consecutive_5xx", "consecutive_local_origin_failure")  # null turns them off
    return {name: value for name, value in fields.items() if value is not None or name in counts}


def health_checks(part: Part) -> dict[str, Data]:
    """The fields of `health_checks`, of which Envoy wants each to be said."""
    fields: dict[str, Data] = {}
    for word in ("interval", "timeout"):
        if (text := written(part[word])) and duration(text) > 0:
            fields[word] = text
    for word in ("unhealthy_threshold", "healthy_threshold"):
        if (count := part[word].whole(0, 100_000)) is not None:
            fields[word] = max(count, 1)
    return fields


def _enforced(part: Part, fields: dict[str, Data]) -> None:
    if part["enforcing_consecutive_5xx"].number() == 0.0:
        fields["consecutive_5xx"] = None
    if part["enforcing_success_rate"].number() == 0.0:
        fields["success_rate"] = False
    if part["enforcing_consecutive_gateway_failure"].number():
        count = part["consecutive_gateway_failure"].whole(1, 10**6)
        fields["consecutive_gateway_failure"] = 5 if count is None else count
    for word in ("consecutive_5xx", "success_rate", "consecutive_gateway_failure"):
        percent = part[f"enforcing_{word}"].number()
        if percent is not None and 0.0 < percent < 100.0:
            fields[f"enforcing_{word}"] = percent
    if (text := written(part["max_ejection_time_jitter"])) and duration(text) > 0:
        fields["max_ejection_time_jitter"] = text
    if part["split_external_local_origin_errors"].is_true(False):
        fields["split_external_local_origin_errors"] = True
        for word in ("enforcing_consecutive_local_origin_failure", "enforcing_local_origin_success_rate"):
            if (percent := part[word].number()) is not None:
                fields[word] = min(max(percent, 0.0), 100.0)
        if (count := part["consecutive_local_origin_failure"].whole(0, 10**6)) is not None:
            fields["consecutive_local_origin_failure"] = count or None


def balanced(service: Service, outliers: dict[str, Data], panic: str, remark: str) -> None:
    """Outlier detection beside what was said of the balancing before."""
    before = service.load_balancing
    policy = before.value if before is not None and isinstance(before.value, str) else "round_robin"
    value: dict[str, Data] = {"policy": policy, "outlier_detection": outliers}
    if panic:
        value["panic_threshold"] = panic
    service.load_balancing = Said(value, f"{before.remark}; {remark}" if before is not None else remark)
