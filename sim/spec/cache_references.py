"""Whether what is written through a cache has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.errors import did_you_mean
from sim.spec.cache import Cache
from sim.spec.cache_write import CacheWrite
from sim.spec.document import Location
from sim.spec.service import Service
from sim.spec.walk import Visit, every_step


def cache_of(service: Service, name: str) -> Cache | None:
    """The cache of a service that has this name, and keeps something."""
    return next((cache for cache in _caches(service) if cache.name == name and cache.key is not None), None)


def _caches(service: Service) -> Iterator[Cache]:
    chains = [endpoint.do for endpoint in service.endpoints.values()]
    chains += [consume.do for consume in service.consumes.values()]
    yield from (step for chain in chains for step in every_step(chain) if isinstance(step, Cache))


def write_problems(services: dict[str, Service], visits: Iterable[Visit]) -> Iterator[tuple[Location, str]]:
    """Every write through a cache that its service does not have."""
    for visit in visits:
        step = visit.step
        if not isinstance(step, CacheWrite) or cache_of(services[visit.service], step.name) is not None:
            continue
        known = {cache.name for cache in _caches(services[visit.service]) if cache.key is not None}
        hint = did_you_mean(step.name, known) if known else f"; '{visit.service}' has no cache with a `key`"
        yield (*visit.at, "cache_write", "name"), f"unknown cache '{step.name}'{hint}"
