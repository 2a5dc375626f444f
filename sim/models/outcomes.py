"""The codes of outcomes as the plain numbers that tasks carry: a member of an enumeration is slower to read and to
compare.
"""

from sim.vocabulary import Outcome

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
