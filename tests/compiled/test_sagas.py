"""Sagas on both engines, with crashes, freezes and cancelled calls in the midst of them."""

import pytest

import sim
from sim import compiled, models
from tests.compiled.same import differences

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
version: 1
duration: 30s
record: {spans: SPANS}
ledger: {charge: paid, reservation: reserved}
services:
  orders:
    workers: 9
    replicas: 2
    concurrency: CONCURRENCY
    endpoints:
      create:
        - saga:
            - {do: [{call: bank.pay, policy: patient}], undo: [{call: bank.refund, policy: patient}]}
            - do: [{saga: [{do: [{wait: 5ms}], undo: [{work: 1ms}]}, {do: [{refuse: 20%}]}], undo_attempts: 2}, {effect: reserved}]
              undo: [{wait: 3ms}, {fail: 40%}, {retract: reserved}]
            - {do: [{call: bank.pay, policy: patient}, {fail: 20%}]}
          undo_attempts: 3
          undo_pause: 20ms
          answers_first: FIRST
  bank:
    workers: 3
    endpoints: {pay: [{work: {exponential: 9ms}}, {effect: paid}], refund: [{work: 2ms}, {retract: paid}]}
policies: {patient: {timeout: 40ms, on_timeout: cancel}}
traffic: {crowd: {sends: orders.create, arrivals: {poisson: 60/s}, timeout: 150ms, completes_with: [paid, reserved]}}
faults:
  - {name: frozen, at: 8s, for: 1s, outage: orders, how: hang}
  - {name: dead, at: 14s, crash: {of: orders, restart_after: 3s}}
  - {name: dark, at: 20s, for: 2s, outage: bank, how: refuse}
"""


@pytest.mark.parametrize("first", ["true", "false"])
@pytest.mark.parametrize(("spans", "concurrency"), [("all", "threads"), ("exemplars", "event_loop")])
def test_sagas_that_come_about_or_not(spans, concurrency, first):
    text = SYSTEM.replace("SPANS", spans).replace("CONCURRENCY", concurrency).replace("FIRST", first)
    (scenario,) = sim.load_text(text).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    last = dict(zip((series.name for series in one.series), one.gauges[-1], strict=True))
    assert all(last[f"orders.sagas_{what}"] > 0 for what in ("completed", "compensated", "stuck"))
    assert differences(one, other) == []
