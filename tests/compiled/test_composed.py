"""Steps made of other steps, on both engines: whatever ends, freezes, dies or is cancelled in the midst of them."""

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
    workers: 3
    replicas: 2
    concurrency: CONCURRENCY
    queue: {capacity: 9, timeout: 300ms}
    endpoints:
      buy:
        - choose:
            - {share: 40%, do: [{repeat: {uniform: [0, 3]}, do: [{call: stock.take, policy: patient}, {work: 1ms}]}]}
            - {share: 40%, do: {repeat: {geometric: 2}, at_once: true, do: [{call: stock.take}, {fail: 3%}]}}
        - race:
            - [{parallel: [[{wait: {exponential: 30ms}}, {reply: {}}], {work: 1ms}]}, {call: stock.take}]
            - [{race: [{wait: {exponential: 20ms}}, [{call: stock.take}, {fail: 50%}]]}]
          losers: LOSERS
        - {background: [{call: stock.take}, {repeat: 2, do: {work: 2ms}}, {fail: 10%}]}
        - work: 2ms
  stock: {workers: 3, endpoints: {take: [{work: {exponential: 8ms}}]}}
policies: {patient: {timeout: 25ms, on_timeout: cancel, retry: {max_attempts: 2, backoff: {constant: 1ms}}}}
traffic: {crowd: {sends: shop.buy, arrivals: {poisson: 60/s}, timeout: 150ms, retry: {max_attempts: 2}}}
faults:
  - {name: frozen, at: 8s, for: 1s, outage: shop, how: hang}
  - {name: dead, at: 14s, crash: {of: shop, restart_after: 3s}}
  - {name: dark, at: 20s, for: 2s, outage: stock, how: refuse}
"""


@pytest.mark.parametrize("losers", ["abandon", "cancel"])
@pytest.mark.parametrize(
    ("spans", "concurrency"), [("none", "threads"), ("all", "threads"), ("exemplars", "event_loop")]
)
def test_branches_repetitions_races_and_background(spans, concurrency, losers):
    text = SYSTEM.replace("SPANS", spans).replace("CONCURRENCY", concurrency).replace("LOSERS", losers)
    (scenario,) = sim.load_text(text).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    assert len(one.requests) > 1000
    assert differences(one, other) == []
