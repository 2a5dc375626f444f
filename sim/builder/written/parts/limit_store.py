"""Parts of a scenario in Python, as `sim/spec/limit_store.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def limit_store(
    *,
    name: str | None = None,
    latency: Mapping[str, Any] | str,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    fault_tolerant: bool | None = None,
) -> Part:
    """A store such as Redis, which every request is counted in: Kong's `policy: redis`, Spring Cloud Gateway.

    name: Which one: limits that name the same store lose it together (`{store_down: redis}`).
    latency: What a round trip takes; of Redis in the same data centre some 0.1 to 1 ms.
    timeout: How long an answer is waited for while the store hangs (Kong's redis.timeout, 2000 ms).
    fault_tolerant: Whether requests pass while the store is down (Kong's default, and what Spring always does), or
        are answered with an error (Kong's `fault_tolerant: false`).
    """
    return part(locals())
