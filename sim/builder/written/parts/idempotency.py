"""Parts of a scenario in Python, as `sim/spec/idempotency.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def idempotency(
    *,
    ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    in_progress: Literal["error", "shed", "rate_limited", "refused"] | None = None,
    failures: Literal["kept", "forgotten"] | None = None,
) -> Part:
    """Every call of a logical request has a key, which its repetitions send again: another attempt, a redelivery.
    What was answered to the first is answered to them, without the work, for as long as the key is known; then it
    is done again.

    ttl: How long a key is known, from when it was first seen.
    in_progress: What is answered while the first is at work, as its caller sees the 409.
    failures: Whether a failure is replayed, or is done again.
    """
    return part(locals())
