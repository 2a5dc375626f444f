"""What a host answers when the steps of an endpoint have ended, and what that tells its caller.

    what the steps ended with          a service answers     a gateway, which passes answers on
    its own error, refusal             that                  that
    a refusal of a callee              a refusal             a refusal
    error of a callee                  error                 error
    shed, rate_limited of a callee     error                 the same
    its own timeout, open breaker, full bulkhead, failed connection: error (500, 502, 504; INTERNAL)

unless `answers_with` of the endpoint or route says otherwise. What the host itself refuses (a full queue: 503) is
answered as what it is.

So it is with HTTP and gRPC: a failure of a callee reaches the caller of the caller only as the status that the service
in between chooses, and an exception that nobody handles becomes a 500 or UNKNOWN (gRPC, "Status codes and their use in
gRPC": the server chooses the status; UNAVAILABLE and a connection that breaks are made by the client's own library).
Hence Envoy's `connect-failure` and `reset` are of its own connection, `5xx` also what was answered; resilience4j's
CallNotPermittedException and BulkheadFullException are thrown in the caller's own process and never travel.
"""

from __future__ import annotations

from sim.spec.policy import AnswersWith
from sim.vocabulary import Outcome

Answers = tuple[int, ...]  # by the outcome of the steps

ITS_OWN = (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED, Outcome.UNAUTHORIZED)
"""What a service answers as it is; all else is an error."""
PASSED_ON = (*ITS_OWN, Outcome.RATE_LIMITED, Outcome.SHED)
"""What a gateway answers as it is."""


def answers_of(as_it_is: tuple[Outcome, ...], answers_with: AnswersWith) -> Answers:
    """The answer for each outcome of the steps."""
    words: dict[str, Outcome] = {outcome.word: outcome for outcome in Outcome}
    plain = {outcome: outcome if outcome in as_it_is else Outcome.ERROR for outcome in Outcome}
    plain |= {words[found]: words[answer] for found, answer in answers_with.items()}
    return tuple(int(plain[outcome]) for outcome in Outcome)
