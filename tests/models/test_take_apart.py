"""What a run leaves behind is freed by itself: a collector that walked a million of its tasks would hear no Ctrl-C."""

import gc

import sim
from sim import models

BUSY = """
version: 1
duration: 5s
traffic: {u: {sends: a.e, arrivals: {closed: {users: 3000, think: 1s}}}}
services:
  a: {workers: 2, endpoints: {e: [{call: b.f, policy: {timeout: 1s, retry: {max_attempts: 3}}}, {parallel: [[{work: 1ms}], [{work: 2ms}]]}]}}
  b: {workers: 4, endpoints: {f: [{work: {exponential: 5ms}}]}}
"""


def test_little_is_left_for_the_collector_of_garbage():
    """3,000 users and who works for them, each some ten objects; what is left is of the world itself, however many they are."""
    scenario = next(iter(sim.load_text(BUSY).variants.values()))
    models.simulate(scenario)  # what is imported at first use
    gc.collect()
    gc.disable()
    try:
        models.simulate(scenario)
        assert gc.collect() < 3000
    finally:
        gc.enable()
