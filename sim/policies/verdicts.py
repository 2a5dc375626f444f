"""What an outcome says to a circuit breaker: a failure, a success, or nothing.

Unless a scenario says otherwise, `timeout`, `error`, `unreachable` and `shed` are failures, and every other answer of
the callee is a success: a refusal by the business, and a 429 or 401 too. An HTTP client reports these as an answer, no
exception (java.net.http, fetch, requests, net/http), and a breaker that sees no error counts a success:
CircuitBreakerImpl.onResult of resilience4j, AdvancedCircuitBehavior.OnActionSuccess of Polly, opossum, pybreaker,
IsSuccessful of gobreaker. Clients that throw at a 429 (Spring's RestTemplate, Microsoft.Extensions.Http.Resilience)
have it among `records`.

What the caller's own layers refuse inside the breaker, a full bulkhead or its rate limit, is an exception to those
libraries, and so a failure; to the breakers that are no library's it says nothing.
"""

from __future__ import annotations

from sim.policies.base import policy
from sim.spec.policy import CircuitBreaker
from sim.vocabulary import FAILED, PASSED, Outcome

NO_VERDICT = -1
_ANSWERS = (*FAILED, *PASSED, Outcome.RATE_LIMITED, Outcome.UNAUTHORIZED)


def verdicts(spec: CircuitBreaker, exceptions: bool, limited: bool) -> tuple[int, int]:
    """The outcomes that are failures and those that are successes, a bit each.

    `exceptions`: whether refusals of the caller's own layers count; `limited`: whether it has a rate limit of its own,
    so that `rate_limited` is such a refusal.
    """
    own = {Outcome.BULKHEAD_FULL} | ({Outcome.RATE_LIMITED} if limited else set())
    heard = set(_ANSWERS) | own if exceptions else set(_ANSWERS) - own
    if spec.records is None:
        failing = set(FAILED) | (own if exceptions else set())
    else:
        failing = {outcome for outcome in Outcome if outcome.word in spec.records}
    ignored = {outcome for outcome in Outcome if outcome.word in spec.ignores}
    return _bits(failing - ignored), _bits(heard - failing - ignored)


def _bits(outcomes: set[Outcome]) -> int:
    return sum(1 << outcome for outcome in outcomes)


@policy
def verdict(failing: int, passing: int, outcome: int) -> int:
    """1 for a failure, 0 for a success, NO_VERDICT for what is ignored."""
    if (failing >> outcome) & 1:
        return 1
    if (passing >> outcome) & 1:
        return 0
    return NO_VERDICT
