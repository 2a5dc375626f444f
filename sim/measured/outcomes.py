"""From what a client or a proxy saw to an outcome: codes of HTTP (RFC 9110, RFC 6585) and those that proxies add."""

from __future__ import annotations

from sim.vocabulary import Outcome

_BY_STATUS = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.UNAUTHORIZED,
    407: Outcome.UNAUTHORIZED,
    408: Outcome.TIMEOUT,
    429: Outcome.RATE_LIMITED,
    499: Outcome.TIMEOUT,  # nginx: the client has closed the connection, for it would wait no longer
    502: Outcome.UNREACHABLE,  # a gateway that got no answer
    503: Outcome.SHED,  # overloaded
    504: Outcome.TIMEOUT,
}


def outcome_of(status: int) -> Outcome:
    """Of a code of HTTP; 0 (no answer at all) is unreachable, another 4xx a refusal: the callee did its work."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    if 100 <= status < 400:
        return Outcome.OK
    if 400 <= status < 500:
        return Outcome.REFUSED
    return Outcome.ERROR if 500 <= status < 600 else Outcome.UNREACHABLE


def outcome_of_error(words: str) -> Outcome:
    """Of the words with which a client tells that it got no answer."""
    text = words.lower()
    if "timeout" in text or "timed out" in text or "deadline exceeded" in text:
        return Outcome.TIMEOUT
    reached = ("refused", "reset", "no such host", "unreachable", "unknownhost", "connect", "eof", "nohttpresponse")
    return Outcome.UNREACHABLE if any(word in text for word in reached) else Outcome.ERROR
