"""Idempotency keys: whether a request with a known key is done, replayed, or refused as in progress (Stripe's
Idempotency-Key; the IETF draft "The Idempotency-Key HTTP Header Field" says the same; semantics.md 2.7).
"""

from __future__ import annotations

from sim.policies.base import policy, reached
from sim.vocabulary import Outcome

WORK, IN_PROGRESS = -1, -2
_GOOD = sum(1 << outcome for outcome in (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED))


@policy
def verdict(now: float, expires: float, outcome: int) -> int:
    """What becomes of one whose key was first seen before: WORK, IN_PROGRESS, or the outcome that is answered.

    `outcome` is what was answered to the first, IN_PROGRESS where it is still at work.
    """
    return WORK if reached(now, expires) else outcome


@policy
def is_kept(outcome: int, failures: int) -> int:
    """Whether an answer is; `failures` is 1 where all are."""
    return failures | ((_GOOD >> outcome) & 1)
