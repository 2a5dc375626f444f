"""What a refusal says of when to come again: Retry-After of a 429, or of the 503 of a limit (RFC 9110, 10.2.3).

The pause is the longer of what was told and of the back-off, so that a caller never comes earlier than he would have
(Azure.Core, DelayStrategy; Knative, retryAfterMax). Where more is told than is waited for: got and ky try no more
(maxRetryAfter), Envoy discards the header and backs off (RateLimitedRetryBackOff, max_interval).

Not modelled: the jitter that Envoy adds to what was told, and the pushback of gRPC (`grpc-retry-pushback-ms`), for no
limit here answers with one.
"""

from __future__ import annotations

from sim.policies.base import passed, policy
from sim.policies.retry_row import GIVES_UP, IGNORES, RetryRow
from sim.vocabulary import Outcome

_RATE_LIMITED, _SHED = int(Outcome.RATE_LIMITED), int(Outcome.SHED)


@policy
def heard(outcome: int, told: float) -> float:
    """What an attempt that ended so was told, s; 0: nothing. A caller that timed out has not read the answer."""
    return told if outcome in (_RATE_LIMITED, _SHED) else 0.0


@policy
def heard_by_client(outcome: int, told_by: int, told: float) -> float:
    """The same of a request that was last told something by an answer with the outcome `told_by`: each 429 says when to
    come again, a 503 where it is of a limit; a full queue asks for nothing.
    """
    return told if outcome in (_RATE_LIMITED, told_by) else 0.0


@policy
def gives_up(row: RetryRow, told: float) -> int:
    """1 when it is to wait for longer than it would, and therefore tries no more."""
    return 1 if passed(told, row.most_told) and row.beyond == GIVES_UP else 0


@policy
def at_least(row: RetryRow, pause: float, told: float) -> float:
    """The pause of the back-off, or what was told, s."""
    if passed(told, row.most_told):
        if row.beyond == IGNORES:
            return pause
        told = row.most_told
    return told if told > pause else pause
