"""Measuring as a whole: consistent, quick, and indifferent to the order of rows."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import measure
from sim.metrics.timeline import timeline
from sim.records.tables import REQUEST
from sim.vocabulary import Outcome

from .building import NAN, ORDERS, records, request, scenario

RUN = scenario(
    objective={"latency": "800ms", "availability": "99.9%"},
    faults=[{"name": "dark", "at": "40s", "for": "10s", "outage": "payments"}],
)


@st.composite
def requests(draw):
    outcome = draw(st.sampled_from(list(Outcome)))
    response = NAN if outcome is Outcome.IN_FLIGHT else draw(st.floats(0, 30))
    completion = draw(st.none() | st.just(NAN) | st.floats(0, 30))
    route = draw(st.sampled_from([ORDERS, "GET /orders"]))
    return request(
        draw(st.floats(0, 99.99)),
        response,
        outcome,
        completion=completion,
        pending=draw(st.booleans()),
        charges=draw(st.integers(0, 3)),
        route=route,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(requests(), max_size=30), st.randoms())
def test_what_holds_for_every_run(rows, random):
    found = measure(records(rows), RUN)
    values = found.values
    if values["offered"]:
        assert sum(values[f"outcome_share({outcome.word})"] for outcome in Outcome) == pytest.approx(1)
    assert values["goodput"] <= values["throughput"]
    assert values["requests"] == pytest.approx(values["offered"] * 90)
    for name in ("offered", "throughput", "goodput"):
        assert values[name] == pytest.approx(sum(value for key, value in values.items() if key.startswith(f"{name}(")))
    for clock in ("response", "response_all", "completion"):
        percentiles = [values[f"{clock}_{p}"] for p in ("p50", "p90", "p95", "p99", "p999")]
        assert percentiles == sorted(percentiles) or np.isnan(percentiles).all()
    for name in ("availability", "apdex"):
        bounds = values[f"{name}_least"], values[f"{name}_most"]
        assert np.isnan(bounds).all() or 0 <= bounds[0] <= bounds[1] <= 1
        assert np.isnan(values[name]) or bounds[0] <= values[name] <= bounds[1]
    assert found.censored <= values.keys()
    random.shuffle(rows)
    shuffled = measure(records(rows), RUN)
    assert shuffled.values == pytest.approx(values, nan_ok=True)
    assert shuffled.censored == found.censored


def test_a_million_requests_take_less_than_a_second():
    generator = np.random.default_rng(1)
    run = records([request(0, 1)], duration=900, warmup=120)
    rows = np.zeros(1_000_000, REQUEST)
    rows["arrival"] = np.sort(generator.uniform(0, 900, rows.size))
    rows["end"] = rows["arrival"] + generator.exponential(0.2, rows.size)
    rows["completion"] = rows["arrival"] + generator.exponential(0.9, rows.size)
    rows["expects"] = True
    rows["outcome"] = generator.choice([0, 0, 0, 0, 1, 8], rows.size)
    rows["source"] = 1
    run.requests = rows
    began = time.process_time()
    measure(
        run,
        scenario(duration=900, warmup=120, faults=[{"name": "dark", "at": "300s", "for": "3m", "outage": "payments"}]),
    )
    assert time.process_time() - began < 1.5  # half a second on a quiet machine
    began = time.process_time()
    timeline(run, scenario(duration=900, warmup=120))
    assert time.process_time() - began < 3.0
