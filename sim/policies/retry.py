"""Retry: which outcomes are tried again, and after what pause.

Pauses before retry k (k = 1 is the first retry), from AWS Architecture Blog, "Exponential Backoff and Jitter"
(semantics.md 2.1): `t` is base (constant), base * k (linear) or base * multiplier**(k-1) (exponential), at most
`longest`; then, with u uniform in (0, 1),

    none t;  full u * t;  equal t/2 + u * t/2;  decorrelated min(longest, base + u * (3 * previous - base)), whatever
             the growth;
    a share s: min(longest, t * (1 - s + 2 * s * u)), as Kafka's clients with s = 20 % (ExponentialBackoff).

Back-offs of libraries are in `library_backoffs.py`.
"""

from __future__ import annotations

import math

from sim.policies.base import Ring, policy
from sim.policies.library_backoffs import fill
from sim.policies.pauses import grown, spread_evenly
from sim.policies.retry_row import (
    CUTS,
    DECORRELATED,
    EQUAL,
    EXPONENTIAL,
    FULL,
    GIVES_UP,
    IGNORES,
    LINEAR,
    NONE,
    SPREAD,
)
from sim.policies.retry_row import RETRY as RETRY  # noqa: PLC0414 - a rule is found here
from sim.policies.retry_row import RetryRow as RetryRow  # noqa: PLC0414 - as is its row
from sim.spec.policy import ConstantBackoff, ExponentialBackoff, LinearBackoff, Retry, SequenceBackoff
from sim.vocabulary import Outcome

_RATE_LIMITED = int(Outcome.RATE_LIMITED)
_JITTERS = {"none": NONE, "full": FULL, "equal": EQUAL, "decorrelated": DECORRELATED}
_BEYOND = {"give_up": GIVES_UP, "ignore": IGNORES, "cut": CUTS}
CLIENT_JITTER = 0.2  # of pauses of Kafka's clients


def new_retry(spec: Retry) -> RetryRow:
    """The row of a retry rule."""
    row = RetryRow(max_attempts=spec.max_attempts)
    if isinstance(spec.jitter, str):
        row.jitter = _JITTERS[spec.jitter]
    else:
        row.jitter, row.spread = SPREAD, spec.jitter
    row.most_told = _or_unlimited(spec.max_retry_after)
    row.beyond = _BEYOND[spec.above_max_retry_after]
    row.mask = sum(1 << outcome for outcome in Outcome if outcome.word in spec.on)
    rule = spec.backoff
    if isinstance(rule, ConstantBackoff):
        row.base = rule.delay
    elif isinstance(rule, LinearBackoff):
        row.growth, row.base, row.longest = LINEAR, rule.base, _or_unlimited(rule.longest)
    elif isinstance(rule, ExponentialBackoff):
        row.growth, row.base, row.longest, row.multiplier = (
            EXPONENTIAL,
            rule.base,
            _or_unlimited(rule.longest),
            rule.multiplier,
        )
        row.throttled = -1.0 if rule.throttled_base is None else rule.throttled_base
    else:
        fill(row, rule)
        return row
    row.begin = row.base
    return row


def new_steps(spec: Retry) -> Ring:
    """The pauses of a sequence; of other back-offs none."""
    return list(spec.backoff.delays) if isinstance(spec.backoff, SequenceBackoff) else []


def _or_unlimited(longest: float | None) -> float:
    return math.inf if longest is None else longest


@policy
def retryable(row: RetryRow, outcome: int) -> int:
    """1 when an attempt that ended with this outcome code may be tried again, as far as the outcome goes."""
    return (row.mask >> outcome) & 1


@policy
def backoff_after(row: RetryRow, outcome: int, k: int, u: float, previous: float) -> float:
    """Seconds to pause before retry k >= 1 of an attempt that ended with this outcome code.

    `u` uniform in (0, 1), `previous` the pause before (row.begin for the first); both only for jitter.
    """
    throttled = outcome == _RATE_LIMITED and row.throttled >= 0.0
    return pause_from(row, row.throttled if throttled else row.base, k, u, previous)


@policy
def pause_from(row: RetryRow, base: float, k: int, u: float, previous: float) -> float:
    """The pause where the first is `base`."""
    if row.jitter == DECORRELATED:
        pause = base + u * (3.0 * previous - base)
        return row.longest if pause > row.longest else pause
    pause = base
    if row.growth == LINEAR:
        pause = base * k
    elif row.growth == EXPONENTIAL:
        pause = grown(row, base, k, row.longest)
    pause = spread_evenly(row, row.longest if pause > row.longest else pause, u)
    return row.longest if pause > row.longest else pause


@policy
def client_pause(tries: int, first: float, longest: float, u: float) -> float:
    """Seconds between two tries of one of Kafka's clients, after so many that came before the last: doubled each time,
    give or take a fifth, never longer than `longest` (ExponentialBackoff, CommonClientConfigs.RETRY_BACKOFF_JITTER).
    """
    pause = min(longest, first)
    for _ in range(tries):
        pause = min(longest, 2.0 * pause)
    return min(longest, pause * (1.0 - CLIENT_JITTER + 2.0 * CLIENT_JITTER * u))
