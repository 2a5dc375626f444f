"""gRPC's retry throttling: tokens that failures take and successes bring back (gRFC A6; retry_throttle.cc).

It begins with `max_tokens`. A failure that could be tried again takes one, whether it is or not; a success brings
`token_ratio`. Retries are made while there are more than half of `max_tokens`, strictly. Thousandths, as integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import dtype_of, policy


@dataclass(slots=True)
class ThrottleRow:
    """The tokens of one caller towards one callee, thousandths."""

    tokens: int = 0
    most: int = 0
    ratio: int = 0


THROTTLE = dtype_of(ThrottleRow)


def new_throttle(max_tokens: int, token_ratio: float) -> ThrottleRow:
    """A full one; of the ratio three digits count, as gRPC reads it."""
    return ThrottleRow(1000 * max_tokens, 1000 * max_tokens, int(token_ratio * 1000.0 + 1e-6))


@policy
def failed(row: ThrottleRow) -> None:
    """A failure that may be tried again."""
    row.tokens = row.tokens - 1000 if row.tokens > 1000 else 0


@policy
def succeeded(row: ThrottleRow) -> None:
    """An answer."""
    row.tokens = row.tokens + row.ratio if row.tokens + row.ratio < row.most else row.most


@policy
def allows(row: ThrottleRow) -> bool:
    """Whether a retry may be made now."""
    return row.tokens > row.most // 2
