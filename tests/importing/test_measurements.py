"""Measurements as traffic and times: what the rows say, found again in the scenario."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.importing import import_files
from sim.importing.importer import _reader_of
from sim.importing.measurements import latencies, load
from sim.measured import Distribution
from sim.spec import load_text
from sim.spec.times import time_of

from .files import Found, imported

HERE = Path(__file__).parent
KONG = """
_format_version: "3.0"
services:
  - {name: orders, url: "http://orders:80", routes: [{name: orders, paths: [/api/orders]}]}
  - {name: cart, url: "http://cart:80", routes: [{name: cart, paths: [/api/cart]}]}
"""
HEAD = "arrival_ms,duration_ms,route,outcome\n"


def rows(*groups):
    """CSV of requests; a group is (count, gap in ms, duration in ms, route, outcome)."""
    lines, at = [], 0.0
    for count, gap, took, route, outcome in groups:
        for _ in range(count):
            lines.append(f"{at:g},{took:g},{route},{outcome}")
            at += gap
    return HEAD + "\n".join(lines) + "\n"


# ---- alone


def test_requests_alone_are_a_service_whose_answers_take_as_long(tmp_path):
    """90 good answers of 20 ms and 10 errors, one every 10 ms: 99 gaps in 990 ms are 100/s, a tenth of them fails."""
    found = imported(tmp_path, shop_csv=rows((90, 10, 20, "buy", "ok"), (10, 10, 5, "buy", "error")))
    service = found.document["services"]["shop"]
    assert service["endpoints"]["buy"] == [{"wait": "20ms"}, {"fail": "10%"}]
    assert found.document["traffic"]["clients"] == {"sends": "shop.buy", "arrivals": {"poisson": "100/s"}}
    assert "the same in 90 answers of shop.csv; waiting included" in found.remark("wait: 20ms")
    assert "of 100: 10 error" in found.remark("fail:")
    assert found.scenario.services["shop"].workers == 200


def test_routes_are_endpoints_with_their_shares(tmp_path):
    found = imported(tmp_path, shop_csv=rows((30, 10, 20, "GET /a", "ok"), (10, 10, 40, "POST /b", "ok")))
    assert found.document["traffic"]["clients"]["sends"] == {"shop.GET /a": "75%", "shop.POST /b": "25%"}
    assert found.document["services"]["shop"]["endpoints"]["POST /b"] == [{"wait": "40ms"}]


def test_a_recording_of_them_is_replayed(tmp_path):
    (tmp_path / "shop.csv").write_text(rows((3, 10, 20, "buy", "ok")))
    made = import_files([str(tmp_path / "shop.csv")], recording="requests.csv")
    assert made.recording.splitlines()[1:] == [
        "0,20000000,shop.buy,ok",
        "10000000,20000000,shop.buy,ok",
        "20000000,20000000,shop.buy,ok",
    ]
    assert "replay:" in made.text


def test_a_coarse_table_is_pieces_between_its_percentiles(tmp_path):
    """Half within 10 ms, 45 % from 10 to 20 ms, 4 % from 20 to 50 ms, and nothing is known of the last 1 %."""
    found = imported(tmp_path, bank_csv="percentile,latency_ms\n50,10\n95,20\n99,50\n")
    (step,) = found.document["services"]["bank"]["endpoints"]["handle"]
    assert step["wait"]["mixture"] == [
        {"weight": "50%", "uniform": ["0ms", "10ms"]},
        {"weight": "45%", "uniform": ["10ms", "20ms"]},
        {"weight": "4%", "uniform": ["20ms", "50ms"]},
        {"weight": "1%", "constant": "50ms"},
    ]
    assert "the slowest 1 % take as long as p99, no more is told" in found.text
    assert time_of(step["wait"]).mean == pytest.approx(0.5 * 5e-3 + 0.45 * 15e-3 + 0.04 * 35e-3 + 0.01 * 50e-3)


def test_the_first_piece_of_a_table_has_the_mean_that_was_measured():
    """p50 10 ms, p100 20 ms and a mean of 12 ms: the faster half has a mean of 9 ms, so it begins at 8 ms."""
    import numpy as np

    table = Distribution("", 100, np.array([0.010, 0.020]), np.array([0.5, 1.0]), mean=0.012)
    pieces = latencies.of_table(table, "x").value["wait"]["mixture"]
    assert pieces == [
        {"weight": "50%", "uniform": ["8ms", "10ms"]},
        {"weight": "50%", "uniform": ["10ms", "20ms"]},
    ]


def test_users_of_a_load_test_who_wait_are_closed_ones(tmp_path):
    """Two threads of JMeter: each sends 500 ms after its answer of 100 ms."""
    lines = ["timeStamp,elapsed,label,responseCode,responseMessage,threadName,success"]
    lines += [
        f"{1700000000000 + 600 * k + 7 * user},100,buy,200,OK,T {user},true" for k in range(20) for user in (1, 2)
    ]
    found = imported(tmp_path, run_jtl="\n".join(lines) + "\n")
    assert found.document["traffic"]["clients"]["arrivals"] == {"closed": {"users": 2, "think": "500ms"}}


def test_users_whose_pauses_are_luck_are_a_rate(tmp_path):
    """Arrivals at a rate, handed to whoever is free: pauses of 10 and of 990 ms are no pause of anybody's."""
    lines = ["timeStamp,elapsed,label,responseCode,responseMessage,threadName,success"]
    at = 1700000000000
    for number in range(40):
        lines.append(f"{at},100,buy,200,OK,T 1,true")
        at += 110 if number % 2 else 1090
    found = imported(tmp_path, run_jtl="\n".join(lines) + "\n")
    assert found.document["traffic"]["clients"]["arrivals"] == {"poisson": "1.632/s"}  # 39 gaps in 23.89 s


def test_a_rate_over_time_is_a_profile(tmp_path):
    found = imported(tmp_path, load_csv="time,rps\n0,100\n60,100\n120,300\n180,50\n")
    assert found.document["duration"] == "240s"
    assert found.document["traffic"]["clients"]["arrivals"]["profile"] == [
        {"for": "120s", "rate": "100/s"},
        {"for": "60s", "rate": "300/s"},
        {"for": "60s", "rate": "50/s"},
    ]
    assert "the time that a request takes here" in found.remark("work: 5ms")


def test_a_counter_is_a_rate_and_a_reset_is_seen(tmp_path):
    """60 requests in each of two minutes, then it began again and counted 120: 1/s, 1/s, 2/s."""
    found = imported(tmp_path, load_csv="time,http_requests_total\n0,0\n60,60\n120,120\n180,120\n")
    assert found.document["traffic"]["clients"]["arrivals"]["profile"][0] == {"for": "120s", "rate": "1/s"}
    found = imported(tmp_path, load_csv="time,http_requests_total\n0,0\n60,60\n120,120\n180,90\n240,210\n")
    rates = [piece["rate"] for piece in found.document["traffic"]["clients"]["arrivals"]["profile"]]
    assert rates == ["1/s", "1.5/s", "2/s"]


def test_counts_are_rates_by_the_length_of_their_interval(tmp_path):
    found = imported(tmp_path, load_csv="period,count\n0,6000\n60,12000\n120,6000\n")
    assert [piece["rate"] for piece in found.document["traffic"]["clients"]["arrivals"]["profile"]] == [
        "100/s",
        "200/s",
        "100/s",
    ]


def test_of_a_long_series_the_busiest_hour_is_taken(tmp_path):
    """Three hours of minutes; the second has 50/s, the others 10/s."""
    lines = [f"{60 * minute},{50 if 60 <= minute < 120 else 10}" for minute in range(180)]
    found = imported(tmp_path, load_csv="time,rps\n" + "\n".join(lines) + "\n")
    assert found.document["duration"] == "3600s"
    assert found.document["traffic"]["clients"]["arrivals"]["profile"] == [{"for": "3600s", "rate": "50/s"}]
    assert "the busiest 3600s of it, from 3600s on" in found.text


def test_a_series_of_something_else_is_told(tmp_path):
    with pytest.raises(ScenarioError, match="no series is called like a rate of requests"):
        imported(tmp_path, cpu_csv="time,cpu\n0,0.5\n60,0.7\n120,0.6\n")


# ---- beside manifests and traces


def test_a_log_beside_a_gateway_is_its_traffic_by_the_longest_path(tmp_path):
    found = imported(
        tmp_path,
        kong_yaml=KONG,
        access_csv=rows((30, 10, 20, "GET /api/orders/{id}", "ok"), (10, 10, 40, "POST /api/cart", "ok")),
    )
    clients = found.document["traffic"]["clients"]
    assert clients == {"sends": {"orders": "75%", "cart": "25%"}, "arrivals": {"poisson": "100/s"}}
    assert "answered in: mean 20ms, p95 20ms, callees included" in found.text
    assert found.document["services"]["orders"]["endpoints"]["handle"][0] == {"work": "5ms"}  # still to be supplied


def test_what_no_route_takes_is_told(tmp_path):
    found = imported(
        tmp_path, kong_yaml=KONG, access_csv=rows((9, 10, 20, "GET /api/cart", "ok"), (1, 10, 1, "GET /x", "ok"))
    )
    assert found.left_out("route GET /x") == [(0, "nothing of the other files is called like that")]
    assert found.document["traffic"]["clients"]["sends"] == "cart"


COMPOSE = 'services: {web: {ports: ["80:80"], environment: {BANK_ADDR: "bank:70"}}, bank: {image: example/bank}}\n'


def test_a_log_beside_one_entry_names_its_endpoints_and_leaves_times_of_callers_open(tmp_path):
    found = imported(
        tmp_path, compose_yaml=COMPOSE, access_csv=rows((30, 10, 20, "buy", "ok"), (30, 10, 20, "look", "ok"))
    )
    endpoints = found.document["services"]["web"]["endpoints"]
    assert list(endpoints) == ["buy", "look"]
    assert endpoints["buy"] == [{"work": "5ms"}, {"call": "bank.handle"}]
    assert found.document["traffic"]["clients"]["sends"] == {"web.buy": "50%", "web.look": "50%"}


def test_a_table_that_is_called_like_a_service_is_its_time(tmp_path):
    found = imported(tmp_path, compose_yaml=COMPOSE, bank_csv="percentile,latency_ms\n50,10\n100,20\n")
    (step,) = found.document["services"]["bank"]["endpoints"]["handle"]
    assert step == {
        "wait": {
            "mixture": [{"weight": "50%", "uniform": ["0ms", "10ms"]}, {"weight": "50%", "uniform": ["10ms", "20ms"]}]
        }
    }
    assert found.document["services"]["web"]["endpoints"]["handle"][0] == {"work": "5ms"}


def test_a_log_beside_traces_says_how_often_and_leaves_the_times_to_them(tmp_path):
    alone = Found(import_files([str(HERE / "samples" / "spans.csv")]))
    targets = alone.document["traffic"]["clients"]["sends"]
    first = next(iter(targets)) if isinstance(targets, dict) else targets
    (tmp_path / "access.csv").write_text(rows((101, 10, 20, first, "ok")))
    both = Found(import_files([str(HERE / "samples" / "spans.csv"), str(tmp_path / "access.csv")]))
    assert both.document["traffic"]["clients"]["arrivals"] == {"poisson": "100/s"}
    assert both.document["services"] == alone.document["services"]


# ---- which file is what


@pytest.mark.parametrize("sample", sorted((HERE / "samples").iterdir()), ids=lambda path: path.name)
def test_what_describes_a_system_is_taken_for_no_measurement(sample):
    described = not sample.name.endswith((".hgrm", ".log"))
    assert (_reader_of(str(sample), sample.read_bytes()) is None) == described or sample.name == "spans.csv"


@pytest.mark.parametrize("sample", sorted((HERE.parent / "measured" / "samples").iterdir()), ids=lambda path: path.name)
def test_every_measurement_becomes_a_scenario(sample):
    load_text(import_files([str(sample)]).text)


def test_a_kind_that_is_asked_for_is_insisted_on(tmp_path):
    (tmp_path / "a.txt").write_text("nothing of the kind\n")
    with pytest.raises(ScenarioError, match="a line that is not in the common or the combined format"):
        import_files([str(tmp_path / "a.txt")], "access-log")


def test_pieces_of_a_profile_are_even_and_last_as_long_as_the_series():
    import numpy as np

    pieces = load._segments(np.arange(1.0, 91.0), 90.0)
    assert len(pieces) == 30
    assert sum(float(piece["for"][:-1]) for piece in pieces) == 90.0
    assert all(float(a["rate"][:-2]) < float(b["rate"][:-2]) for a, b in pairwise(pieces))
