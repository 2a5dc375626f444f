"""Idempotency keys on the callee: the same logical request is not done twice."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sim.spec.base import Duration, Leaves, Spec


class Idempotency(Spec):
    """Every call of a logical request has a key, which its repetitions send again: another attempt, a redelivery. What
    was answered to the first is answered to them, without the work, for as long as the key is known; then it is done
    again.

    Rules and defaults are Stripe's (`Idempotency-Key`): a key may be forgotten 24 hours after it was first seen;
    failures are replayed like successes, unless it was not begun (a full queue, a limit); who comes while the first is
    still at work gets a 409. What a crash or a cancellation ends is forgotten. All replicas share the keys.
    """

    leaves: ClassVar[Leaves] = Leaves(series=("replayed", "key_conflicts"))
    positional = "ttl"
    ttl: Annotated[Duration, Field(gt=0)] = 86400.0
    """How long a key is known, from when it was first seen."""
    in_progress: Literal["error", "shed", "rate_limited", "refused"] = "error"
    """What is answered while the first is at work, as its caller sees the 409."""
    failures: Literal["kept", "forgotten"] = "kept"
    """Whether a failure is replayed, or is done again."""
