"""The shop whose truth is known comes back out of its spans: who calls whom, in which order, how long, how often."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.experiments.replicating.comparison import run
from sim.importing import import_files
from sim.measured import read_measured
from sim.spec import load, load_text
from sim.spec.reading import read_yaml
from tests.importing.traces import shop

COUNT = 3000


@pytest.fixture(scope="module")
def spans():
    return shop.recorded(COUNT)


@pytest.fixture(scope="module")
def found(spans, tmp_path_factory):
    """Every format's scenario, as text."""
    folder = tmp_path_factory.mktemp("traces")
    texts = {}
    for name, write in shop.WRITERS.items():
        path = folder / f"shop-{name}"
        path.write_text(write(spans))
        texts[name] = import_files([str(path)], name="shop").text
    return texts


def structure(text: str) -> dict[str, list[object]]:
    """Endpoints and consumers with their steps, the times left out."""
    plain = {}
    for service, body in read_yaml(text)["services"].items():
        endpoints = [
            *body.get("endpoints", {}).items(),
            *((f"< {topic}", its["do"]) for topic, its in body.get("consumes", {}).items()),
        ]
        for name, steps in endpoints:
            plain[f"{service}.{name}"] = [step if "work" not in step else "work" for step in steps]
    return plain


@pytest.mark.parametrize("name", shop.WRITERS)
def test_calls_and_their_order_come_back_from_every_format(found, name):
    assert structure(found[name]) == {
        "frontend.GET /page": ["work", {"call": "catalog.List"}, {"call": "catalog.List"}],
        "frontend.POST /checkout": [
            "work",
            {"parallel": [{"call": "stock.Check"}, {"call": "prices.Get"}]},
            {"call": "payments.Charge"},
            {"publish": "orders"},
        ],
        "catalog.List": ["work"],
        "stock.Check": ["work"],
        "prices.Get": ["work"],
        "payments.Charge": ["work"],
        "shipping.< orders": ["work"],
    }


@pytest.mark.parametrize("name", shop.WRITERS)
def test_times_come_back_within_their_statistical_error(found, name):
    """A mean of n values is wrong by its deviation over the root of n; four of these are hardly ever exceeded."""
    scenario = next(iter(load_text(found[name]).variants.values()))
    truth = {  # service, endpoint, mean, coefficient of variation, runs
        ("catalog", "List"): (0.006, 1.0, 2 * 0.7 * COUNT),
        ("stock", "Check"): (0.003, math.sqrt(math.exp(0.16) - 1), 0.3 * COUNT),
        ("prices", "Get"): (0.0049, math.sqrt(math.exp(0.16) - 1), 0.3 * COUNT),
        ("payments", "Charge"): (0.008, 0.5, 0.3 * COUNT),
        ("frontend", "GET /page"): (0.004, math.sqrt(math.exp(0.36) - 1), 0.7 * COUNT),
    }
    for (service, endpoint), (mean, variation, runs) in truth.items():
        time = scenario.services[service].endpoints[endpoint].do[0].time
        assert time.mean == pytest.approx(mean, abs=4 * mean * variation / math.sqrt(runs) + 2e-6), (service, endpoint)
        assert math.sqrt(time.scv) == pytest.approx(variation, rel=0.15), (service, endpoint)
    assert scenario.network.default.latency.mean == pytest.approx(shop.WAY, rel=0.01)
    assert scenario.brokers["kafka"].replication.mean == pytest.approx(shop.ACK, rel=0.01)


@pytest.mark.parametrize("name", shop.WRITERS)
def test_rates_and_shares_come_back_within_their_statistical_error(found, name):
    traffic = next(iter(load_text(found[name]).variants.values())).traffic["clients"]
    assert traffic.arrivals.rate == pytest.approx(shop.RATE, abs=4 * shop.RATE / math.sqrt(COUNT))
    share = traffic.mix["frontend.POST /checkout"]
    assert share == pytest.approx(shop.CHECKOUTS, abs=4 * math.sqrt(0.3 * 0.7 / COUNT))


@pytest.mark.long
def test_what_was_recorded_is_what_a_run_of_the_scenario_shows(spans, found):
    """No thread is ever waited for, in the shop and in the scenario: the times of requests are the same but for luck."""
    recorded = np.array([span.end - span.start for span in spans if not span.parent])
    metrics = run(load_text(found["jaeger"]), engine="simpy", replications=4).variants["base"].metrics
    assert metrics["response_mean"].value == pytest.approx(recorded.mean(), rel=0.02)
    for name, share in (("response_p50", 0.5), ("response_p95", 0.95), ("response_p99", 0.99)):
        assert metrics[name].value == pytest.approx(float(np.quantile(recorded, share)), rel=0.06), name


def test_a_recording_replays_every_request_when_it_came(spans, tmp_path):
    (tmp_path / "traces.csv").write_text(shop.as_csv(spans))
    imported = import_files([str(tmp_path / "traces.csv")], name="shop", recording="requests.csv")
    (tmp_path / "requests.csv").write_text(imported.recording)
    (tmp_path / "shop.yaml").write_text(imported.text)
    study = load(tmp_path / "shop.yaml")
    rows = next(iter(study.variants.values())).traffic["clients"].arrivals.data
    starts = [span.start for span in spans if not span.parent]
    assert len(rows.values) == COUNT
    assert list(rows.values[:50]) == pytest.approx([start - starts[0] for start in starts[:50]], abs=1e-6)
    asked = [rows.routes[number] for number in rows.route[:50]]
    assert asked == [f"frontend.{span.operation}" for span in spans if not span.parent][:50]


def test_a_recording_is_a_measurement_that_names_requests_as_the_scenario_does(spans, tmp_path):
    (tmp_path / "traces.csv").write_text(shop.as_csv(spans))
    imported = import_files([str(tmp_path / "traces.csv")], recording="requests.csv")
    (tmp_path / "requests.csv").write_text(imported.recording)
    requests = read_measured(str(tmp_path / "requests.csv")).requests
    roots = [span for span in spans if not span.parent]
    assert requests.duration.tolist() == pytest.approx([span.end - span.start for span in roots], abs=1e-6)
    assert set(requests.routes) == {"frontend.GET /page", "frontend.POST /checkout"}
    assert requests.good.all()
