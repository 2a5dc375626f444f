"""How Envoy tries again, as its own configuration and Istio's say it.

By Envoy's documentation ("Router", x-envoy-retry-on; `config.route.v3.RetryPolicy`): tries are beyond the first,
one by default; before a try it waits evenly from 0 to a bound that doubles from 25 ms up to ten times as much. A
try that takes longer than its own timeout ends as a 504, which `5xx` and `gateway-error` take in.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.importing.parts import Part
from sim.spec.document import Data

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
