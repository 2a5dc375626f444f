"""Caches on both engines: many who miss at once, whatever ends, freezes, dies or is cancelled in the midst of that."""

import pytest

import sim
from sim import compiled, models
from tests.compiled.same import differences

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
version: 1
duration: 30s
record: {spans: SPANS}
services:
  shop:
    workers: 9
    replicas: 2
    concurrency: CONCURRENCY
    endpoints:
      show:
        - cache:
            name: catalogue
            key: item
            scope: SCOPE
            size: 12
            evict: EVICT
            ttl: 400ms
            jitter: 20%
            negative_ttl: 100ms
            stale_while_revalidate: 200ms
            stale_if_error: 1s
            coalesce: true
            lookup: 0.5ms
            then: [{call: store.read, policy: patient}, {refuse: 3%}]
        - cache: {name: banner, key: all, ttl: 1s, coalesce: true, scope: SCOPE, then: [{wait: 30ms}, {fail: 20%}]}
        - {cache: {name: said, hit: 70%, then: {work: 1ms}}}
  store: {workers: 3, endpoints: {read: [{work: {exponential: 12ms}}]}}
policies: {patient: {timeout: 40ms, on_timeout: cancel, retry: {max_attempts: 2, backoff: {constant: 1ms}}}}
traffic:
  crowd:
    sends: shop.show
    arrivals: {poisson: 150/s}
    items: {count: 40, popularity: {zipf: 1.0}}
    timeout: 100ms
    retry: {max_attempts: 2}
faults:
  - {name: frozen, at: 8s, for: 1s, outage: shop, how: hang}
  - {name: dead, at: 14s, crash: {of: shop, restart_after: 3s}}
  - {name: cold, at: 18s, flush: catalogue, of: shop}
  - {name: dark, at: 20s, for: 2s, outage: store, how: refuse}
"""


@pytest.mark.parametrize("evict", ["lru", "lfu"])
@pytest.mark.parametrize(
    ("spans", "concurrency", "scope"),
    [("none", "threads", "replica"), ("all", "event_loop", "replica"), ("exemplars", "threads", "shared")],
)
def test_many_who_miss_at_once(spans, concurrency, scope, evict):
    text = SYSTEM.replace("SPANS", spans).replace("CONCURRENCY", concurrency)
    (scenario,) = sim.load_text(text.replace("SCOPE", scope).replace("EVICT", evict)).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    last = dict(zip((series.name for series in one.series), one.gauges[-1], strict=True))
    told = [f"shop.cache_{what} catalogue" for what in ("hits", "misses", "stale", "joined", "entries")]
    assert all(last[name] > 0 for name in told)
    assert differences(one, other) == []
