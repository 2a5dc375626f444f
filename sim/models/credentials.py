"""The access token of a caller, kept in each of its replicas: what is asked for once and used until it is nearly over.

It is an entry of a cache, one for all calls of a replica: good for `lives` less `refresh_before`, and for as long as
`refresh_before` still given where no other can be had. What it leaves out the spec says.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.models.cache import Looking
from sim.models.site import Site
from sim.spec.cache import Keeping
from sim.spec.credentials import ClientCredentials
from sim.spec.step import Step


def token_of(spec: ClientCredentials, asks: Sequence[Step], site: Site) -> Looking:
    """What a call from this site does for its token; `asks` is the request to the provider."""
    own = site.named(f"{site.name}.token")
    return Looking(kept_as(spec), spec.name, own, own.sequence(asks))


def kept_as(spec: ClientCredentials) -> Keeping:
    """What the cache is told. A `ttl` of 0, which nobody may write, is a token of which each call asks for another."""
    spared = spec.lives - spec.used if spec.if_refresh_fails == "use_old" else 0.0
    return Keeping.model_construct(key="all", ttl=spec.used, stale_if_error=spared, coalesce=spec.coalesce)
