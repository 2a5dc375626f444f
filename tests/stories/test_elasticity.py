"""Systems that change by themselves: too late, in time, at once, one after the other; and caches that are lost."""

import numpy as np
import pytest

import sim
from sim.models import simulate
from sim.vocabulary import PASSED, EventKind


def run(text, **replaced):
    for word, said in replaced.items():
        text = text.replace(word.upper(), said)
    (scenario,) = sim.load_text(text).variants.values()
    return simulate(scenario)


def good(records, since, until):
    """The share of what arrives in a stretch of time that is answered well."""
    rows = records.requests[(records.requests["arrival"] >= since) & (records.requests["arrival"] < until)]
    return float(np.isin(rows["outcome"], [int(outcome) for outcome in PASSED]).mean())


# ---- a cache

PAGE = """
version: 1
duration: 100s
record: {keep: rows}
traffic: {visitors: {sends: shop.page, arrivals: {deterministic: 100/s}, timeout: 5s}}
services:
  shop: {workers: 2000, endpoints: {page: [{cache: {name: page, key: all, ttl: 40s, scope: shared, HOW then: [{call: db.read, policy: {timeout: 2s}}]}}]}}
  db: {workers: 1, endpoints: {read: [{wait: 1s}]}}
"""


@pytest.mark.long
@pytest.mark.parametrize(("variant", "comes_back"), [("unprotected", False), ("coalesce", True)])
def test_a_cache_that_is_lost_for_a_moment_is_lost_for_good_where_every_look_is_a_query(variant, comes_back):
    """What the database finds after more than three seconds it finds for nobody, and so nothing comes into the cache: but for
    the pages that came first, and these end after a minute.
    """
    study = sim.load("cache-stampede", sets=["duration=212s", "record.keep=rows"])
    records = simulate(study.variants[variant])
    assert good(records, 90.0, 115.0) > 0.99
    assert good(records, 190.0, 205.0) == (1.0 if comes_back else 0.0)


def test_one_query_is_enough_where_all_wait_for_it_and_nobody_waits_where_the_old_entry_is_given():
    coalesced = run(PAGE, how="coalesce: true,")
    stale = run(PAGE, how="coalesce: true, stale_while_revalidate: 10s,")
    assert good(coalesced, 0.0, 94.0) == good(stale, 0.0, 94.0) == 1.0
    waited = [
        (records.requests["end"] - records.requests["arrival"])[3000:6000].max() for records in (coalesced, stale)
    ]
    assert waited == pytest.approx([1.0, 0.0], abs=1e-9)


# ---- replicas

SALE = """
version: 1
duration: 400s
record: {keep: rows}
traffic:
  shoppers: {sends: shop.buy, arrivals: {profile: [{rate: 2/s, for: 100s}, {rate: 24/s, for: 200s}, {rate: 2/s}]}, timeout: 5s}
services:
  shop:
    replicas: 2
    workers: 4
    cores: 1
    queue: {capacity: 8}
    start: {time: START}
    AUTOSCALING
    endpoints: {buy: [{work: 200ms}]}
"""
HPA = "autoscaling: {min: 2, max: 20, metrics: [{cpu: 70%}]SCHEDULED}"


def test_an_autoscaler_is_late_by_what_a_replica_takes_to_start_and_a_schedule_is_not():
    """Twelve times the load within a moment: what is turned away until new replicas serve grows with their start."""
    fixed = run(SALE, autoscaling="", start="0s")
    quick = run(SALE, autoscaling=HPA, scheduled="", start="5s")
    slow = run(SALE, autoscaling=HPA, scheduled="", start="60s")
    planned = run(SALE, autoscaling=HPA, scheduled=", scheduled: [{at: 20s, for: 300s, replicas: 8}]", start="60s")
    crowd = [good(records, 100.0, 300.0) for records in (fixed, slow, quick, planned)]
    assert crowd == sorted(crowd)
    assert crowd[0] < 0.5 < crowd[1] < crowd[2] - 0.1
    assert crowd[3] == 1.0
    assert good(slow, 250.0, 300.0) > 0.9  # it does arrive in the end


def test_after_the_crowd_replicas_are_kept_for_five_minutes():
    """The stabilisation of Kubernetes: nobody goes before 300 s have passed without the wish for so many."""
    records = run(SALE.replace("duration: 400s", "duration: 700s"), autoscaling=HPA, scheduled="", start="5s")
    gone = records.events[records.events["kind"] == EventKind.REPLICA_DRAINING]["time"]
    assert gone.min() >= 300.0 + 285.0


DEPLOY = """
version: 1
duration: 200s
record: {keep: rows}
traffic: {shoppers: {sends: shop.page, arrivals: {poisson: 30/s}}}
services:
  shop:
    replicas: 4
    workers: 2
    queue: {capacity: 4}
    load_balancing: least_request
    start: {time: 20s}
    DRAIN
    endpoints: {page: [{work: 200ms}]}
faults: [{name: deploy, at: 50s, deploy: shop, HOW}]
"""


def test_a_deployment_costs_what_is_missing_meanwhile_and_a_surge_costs_nobody_anything():
    """Thirty a second for eight workers of 200 ms are 75 %. With one replica less they are all there is."""
    missing = run(DEPLOY, how="surge: 0%, unavailable: 25%", drain="")
    surge = run(DEPLOY, how="surge: 25%, unavailable: 0%", drain="")
    at_once = run(DEPLOY, how="surge: 0%, unavailable: 100%", drain="")
    before = [good(records, 0.0, 45.0) for records in (missing, surge, at_once)]
    during = [good(records, 50.0, 150.0) for records in (missing, surge, at_once)]
    assert before[0] == before[1] == before[2]
    assert during[1] >= before[1] - 0.01
    assert during[0] < during[1] - 0.01
    assert during[2] == pytest.approx(0.8, abs=0.03)  # 20 s of 100 s nobody is there
    assert good(missing, 160.0, 200.0) == pytest.approx(before[0], abs=0.03)
