"""The codes of outcomes and of the ends of messages as the plain numbers that tasks and messages carry: a member of an
enumeration is slower to read and to compare.
"""

from sim.vocabulary import MessageEnd, Outcome

OK = int(Outcome.OK)
DEGRADED = int(Outcome.DEGRADED)
REFUSED = int(Outcome.REFUSED)
UNAUTHORIZED = int(Outcome.UNAUTHORIZED)
RATE_LIMITED = int(Outcome.RATE_LIMITED)
SHED = int(Outcome.SHED)
ERROR = int(Outcome.ERROR)
TIMEOUT = int(Outcome.TIMEOUT)
UNREACHABLE = int(Outcome.UNREACHABLE)
BREAKER_OPEN = int(Outcome.BREAKER_OPEN)
BULKHEAD_FULL = int(Outcome.BULKHEAD_FULL)
IN_FLIGHT = int(Outcome.IN_FLIGHT)
LOCK_TIMEOUT = int(Outcome.LOCK_TIMEOUT)
DEADLOCK = int(Outcome.DEADLOCK)

PROCESSED = int(MessageEnd.PROCESSED)
SKIPPED = int(MessageEnd.SKIPPED)
DEAD_LETTERED = int(MessageEnd.DEAD_LETTERED)
EXPIRED = int(MessageEnd.EXPIRED)
DROPPED = int(MessageEnd.DROPPED)
LOST = int(MessageEnd.LOST)
QUEUED = int(MessageEnd.QUEUED)
