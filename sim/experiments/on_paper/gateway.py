"""What the gateway itself does to a request on paper, and what its cache of answers spares."""

from __future__ import annotations

import math
from dataclasses import replace

from sim.experiments.on_paper.attempts import Ends, Tries
from sim.experiments.on_paper.times import Times, any_of
from sim.spec import actions as does
from sim.spec.distribution import Distribution
from sim.spec.gateway import Gateway, Jwt, Route


def own_work(gateway: Gateway, route: Route | None) -> list[Distribution]:
    """What the gateway itself does to one request of a route, or to one that is turned away before it is known where it
    goes.
    """
    parts = [gateway.work]
    if route is None or route.authenticate:
        parts += [action.time for action in gateway.authenticates if isinstance(action, does.TakesTime)]
    if route is not None and route.cache is not None and route.cache.scope == "replica":
        parts.append(route.cache.lookup)
    if route is not None and route.translate is not None:
        parts += [route.translate.work, route.translate.response_work]
    return [part for part in parts if part is not None]


def gateway_work(gateway: Gateway, route: Route | None) -> float:
    """Its mean, seconds; answers that the cache gives are translated already, and no signature is verified of a token
    that cannot be decoded.
    """
    total = math.fsum(part.mean for part in own_work(gateway, route))
    if isinstance(gateway.authentication, Jwt) and (route is None or route.authenticate):
        total -= gateway.authentication.malformed * gateway.authentication.work.mean
    if route is not None and route.translate is not None and route.translate.response_work is not None:
        total -= (1.0 - route.forwarded) * route.translate.response_work.mean
    return total


def behind_cache(called: Tries, route: Route) -> Tries:
    """The call of a route, where its cache answers a share of requests at once; a shared one is asked first."""
    cache, share = route.cache, route.forwarded
    if cache is None:
        return called
    ends = Ends(
        any_of([Times().of(1.0 - share), called.ends.ok.of(share)]),
        called.ends.refused.of(share),
        called.ends.failed.of(share),
    )
    if cache.scope == "shared":
        ends = ends.later(Times().then(cache.lookup))
    return replace(
        called, ends=ends, attempts=share * called.attempts, held=share * called.held, saved=share * called.saved
    )
