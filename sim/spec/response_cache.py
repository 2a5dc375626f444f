"""The response cache of a route: answers that the gateway gives by itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.spec.base import Duration, Leaves
from sim.spec.cache import Keeping
from sim.vocabulary import Outcome, Stage

KONG_TTL = 300.0  # s, `cache_ttl` of Kong's proxy-cache


class ResponseCache(Keeping):
    """Answers of a route that the gateway keeps and gives again, as Kong's `proxy-cache` does.

    It stands where Kong's does (priority 100): behind authentication (1450 for JWT), translation (998) and limits
    (910), and before the call. So a hit has been authenticated and counted like any other request, and spares the call
    and the translation of the answer, which is kept translated. What a limit refuses never looks. Each route has its
    own, named after it in the series. A cache begins empty; one in the memory of a replica of the gateway (`strategy:
    memory`) is empty again
    after a crash. An error is never kept.

    Which answers are kept is said by where it stands: under the routes whose `GET` may be kept (`request_method` of
    Kong is GET and HEAD). Kong keeps a 404 as long as a 200 (`response_code` 200, 301, 404): say `negative_ttl` for
    that. Its key has the consumer in it where the route is authenticated: say `key: item_of_user`. It lets all who miss
    at once through, so `coalesce` is off, and knows nothing of stale answers, which nginx does (`proxy_cache_lock`,
    `proxy_cache_use_stale updating` and `error`).

    On paper every look is a miss, as when the cache is cold, unless `hit` says how many are not.

    Not modelled: the size of an answer in bytes, `Cache-Control` of clients and services, `storage_ttl`, and purges but
    for the fault `flush`, which names the route.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.REFUSED,),
        stages=(Stage.WORK, Stage.WAIT, Stage.OTHER, Stage.FOLLOWED),
        series=("cache_hits", "cache_misses", "cache_stale", "cache_joined", "cache_loads", "cache_entries"),
    )
    ttl: Duration | None = Field(default=KONG_TTL, gt=0)
    """How long an answer is good, from when it came; Kong's default."""
