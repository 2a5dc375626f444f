"""Parts of a scenario in Python, as `sim/spec/response_cache.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def response_cache(
    *,
    key: Literal["item", "user", "item_of_user", "all"] | None = None,
    hit: Mapping[str, Any] | float | str | None = None,
    size: Mapping[str, Any] | int | str | None = None,
    evict: Literal["lru", "lfu"] | None = None,
    ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    jitter: Mapping[str, Any] | float | str | None = None,
    negative_ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    stale_while_revalidate: Literal[0] | Mapping[str, Any] | str | None = None,
    stale_if_error: Literal[0] | Mapping[str, Any] | str | None = None,
    coalesce: bool | None = None,
    scope: Literal["replica", "shared"] | None = None,
    lookup: Mapping[str, Any] | str | None = None,
) -> Part:
    """Answers of a route that the gateway keeps and gives again, as Kong's `proxy-cache` does.

    key: What an entry is kept for: each `item`, each `user`, each item of each user (`item_of_user`), or one entry
        for `all` requests.
    hit: The share of looks that find something, where no `key` makes it follow from popularity.
    size: How many entries fit; without it all.
    evict: Which entry goes where there is no room: the least recently used (`lru`), or the least frequently
        (`lfu`).
    ttl: How long an answer is good, from when it came; Kong's default.
    jitter: By how much of `ttl`, more or less, it differs from entry to entry, evenly.
    negative_ttl: How long a refusal (not found, sold out) is kept, and given again; without it refusals are not
        kept.
    stale_while_revalidate: How long after its `ttl` an entry is still given, while one request brings a new one in
        the background (RFC 5861).
    stale_if_error: How long after its `ttl` an entry is still given where no new one can be had (RFC 5861).
    coalesce: Whether all who miss the same key at once wait for the first of them, and get what he gets (single
        flight).
    scope: In the memory of each `replica`, or one for all of them (`shared`).
    lookup: What a look takes: work on a worker of the replica, or a wait where the cache is `shared`.
    """
    return part(locals())
