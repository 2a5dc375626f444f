"""Hedging of exponential answers: the law of the lesser of two, and the load that it adds."""

import numpy as np
import pytest

from .systems import Golden, run

TEXT = """
version: 1
duration: 3000s
record: {interval: 100s}
traffic: {clients: {sends: a.ask, arrivals: {poisson: 100/s}}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {hedge: {after: 59.9146455ms}}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: {exponential: 20ms}}]}}
"""


@pytest.mark.long
@pytest.mark.parametrize("after", ["59.9146455ms", "p95"])
def test_t12d_a_copy_after_the_p95_cuts_the_tail_and_costs_a_twentieth(after):
    """P(T > t) = exp(-mu t) exp(-mu (t - d)) beyond d; a percentile that is measured finds the same d."""
    system = run(
        TEXT, f"services.a.endpoints.ask=[{{call: b.tell, policy: {{hedge: {{after: {after}}}}}}}]", "warmup=20s"
    )
    asked = system.records.requests.size
    with Golden("T12d") as golden:
        golden.near("mean", system.response.mean(), relative=0.02)
        golden.near("p99", np.quantile(system.response, 0.99), relative=0.03)
        golden.near("p999", np.quantile(system.response, 0.999), relative=0.06)
        golden.near("extra_load", system.gauges.values("b", "attempts")[-1] / asked - 1.0, relative=0.06)
