"""Locks on both engines, with crashes, freezes and cancelled calls in the midst of them, around caches and within them."""

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
  orders:
    workers: 20
    replicas: 2
    concurrency: CONCURRENCY
    endpoints:
      create:
        - lock: row
          key: item
          timeout: 400ms
          held_after_crash: 300ms
          do:
            - cache: {name: c, key: item, ttl: 30ms, coalesce: true, scope: shared, then: [{call: bank.pay, policy: patient}]}
            - {lock: log, key: all, do: [{wait: {exponential: 4ms}}]}
      change:
        - cache: {name: d, key: user, ttl: 50ms, coalesce: true, then: [{lock: log, key: all, deadlock_timeout: 20ms, do: [{work: 1ms}, {lock: row, key: item, deadlock_timeout: 50ms, do: [{wait: 3ms}]}]}]}
  bank:
    workers: 3
    endpoints: {pay: [{work: {exponential: 9ms}}, {lock: account, key: user, held_after_crash: 100ms, do: [{wait: 6ms}]}]}
policies: {patient: {timeout: 60ms, on_timeout: cancel}}
traffic:
  crowd: {sends: {orders.create: 80%, orders.change: 20%}, arrivals: {poisson: 70/s}, timeout: 500ms, items: {count: 4}, users: {count: 9}}
faults:
  - {name: frozen, at: 8s, for: 1s, outage: orders, how: hang}
  - {name: dead, at: 14s, crash: {of: orders, restart_after: 3s}}
  - {name: one, at: 20s, crash: {of: orders, replicas: 1, restart_after: 1s}}
  - {name: dark, at: 24s, crash: {of: bank, restart_after: 1s}}
"""


@pytest.mark.parametrize(("spans", "concurrency"), [("all", "threads"), ("exemplars", "event_loop")])
def test_locks_that_are_waited_for_given_up_and_left_behind(spans, concurrency):
    text = SYSTEM.replace("SPANS", spans).replace("CONCURRENCY", concurrency)
    (scenario,) = sim.load_text(text).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    last = dict(zip((series.name for series in one.series), one.gauges[-1], strict=True))
    assert last["orders.locks_taken row"] > 500
    assert last["orders.lock_timeouts row"] > 0
    assert last["orders.deadlocks row"] + last["orders.deadlocks log"] > 0
    assert differences(one, other) == []
