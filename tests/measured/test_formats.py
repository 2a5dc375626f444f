"""Each format as its documentation has it: small files, and the values that a reader of the documentation finds in them."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from sim.errors import ScenarioError, UsageError
from sim.measured import read_all, read_measured
from sim.measured.measurement import Gathered
from sim.vocabulary import Outcome

SAMPLES = Path(__file__).parent / "samples"

REQUESTS = {  # file -> kind, arrivals, durations, outcomes, routes, users
    "jmeter.jtl": (
        "JMeter CSV",
        [0, 0.54, 0.79],
        [1.649, 0.25, 60.001],
        "ok error timeout",
        ["create", "read", "read"],
        [0, 1, 1],
    ),
    "jmeter.xml": ("JMeter XML", [0, 0.54], [1.649, 0.012], "ok ok", ["create", "query"], [0, 1]),
    "simulation-3.9.log": (
        "Gatling simulation.log",
        [0, 0.08, 0.18],
        [0.03, 0.5, 60],
        "ok shed timeout",
        ["orders", "pay", "pay"],
        [-1] * 3,
    ),
    "simulation-2.3.log": ("Gatling simulation.log", [0], [0.03], "ok", ["orders"], [0]),
    "hey.csv": ("hey CSV", [0, 0.01], [0.015, 0.025], "rate_limited ok", ["", ""], [-1, -1]),
    "vegeta.json": ("vegeta results", [0, 0.5], [0.0125, 30], "ok timeout", ["GET /orders/{id}"] * 2, [-1, -1]),
    "vegeta.csv": ("vegeta CSV", [0, 0.5], [0.0125, 30], "ok unreachable", ["GET /orders/{id}"] * 2, [-1, -1]),
    "nginx.log": (
        "access log of nginx",
        [0, 1.75, 2.999, 4],
        [3, 0.25, 0.001, 0],
        "timeout ok shed refused",
        ["POST /pay", "GET /orders/{id}", "GET /orders/{id}", ""],
        [1, 0, 0, 2],
    ),
    "apache.log": (
        "access log of Apache",
        [0, 4],
        [0.1835, 2.5],
        "ok error",
        ["GET /apache_pb.gif", "GET /cgi"],
        [0, 0],
    ),
    "common.log": ("access log", [0, 1], [np.nan, np.nan], "ok refused", ["GET /apache_pb.gif", "GET /other"], [0, 1]),
    "envoy.log": (
        "access log of Envoy",
        [0, 0.5, 1],
        [0.226, 15, 0.005],
        "ok timeout shed",
        ["POST /api/v1/locations", "GET /api/v1/slow", "GET /status/{id}"],
        [-1] * 3,
    ),
    "access.jsonl": (
        "access log of JSON lines",
        [0, 1.249],
        [0.25, 0.001],
        "ok rate_limited",
        ["GET /orders/{id}", "POST /pay"],
        [0, 1],
    ),
    "caddy.jsonl": ("access log of JSON lines", [0], [0.25], "ok", ["GET /orders/{id}"], [0]),
    "requests.csv": (
        "CSV of requests",
        [0.25, 0.5, 1],
        [np.nan, 0.1, 2],
        "in_flight ok timeout",
        ["orders.create", "orders.create", "orders.read"],
        [1, 0, 0],
    ),
    "requests-own.csv": (
        "CSV of requests",
        [0.5, 1.5],
        [0.25, np.nan],
        "ok in_flight",
        ["orders.create"] * 2,
        [-1, -1],
    ),
}
TABLES = {  # file -> requests, failures, mean, {share: time}
    "locust_stats.csv": (600, 6, 0.0505, {0.5: 0.042, 0.95: 0.14, 0.99: 0.5, 1: 0.99}),
    "wrk.txt": (22464657, 17, 0.00063591, {0.5: 0.00025, 0.9: 0.0007, 0.99: 0.0058}),
    "wrk2.txt": (60018, 0, 0.00646, {0.5: 0.006671, 0.99: 0.010783, 1: 0.012351}),
    "hey.txt": (200, 10, 0.02, {0.1: 0.01, 0.5: 0.018, 0.9: 0.04, 0.99: 0.12}),
    "vegeta.txt": (1200, 535, 0.113172398, {0.5: 0.108272568, 0.95: 0.247771566, 1: 0.314815246}),
    "vegeta-report.json": (100, 0, 0.002371194, {0.5: 0.002854306, 0.99: 0.00353}),
    "spectrum.hgrm": (100, 0, 0.003, {0.5: 0.0025, 0.99: 0.009, 1: 0.012}),
    "quantiles.csv": (0, 0, np.nan, {0.5: 0.012, 0.95: 0.04, 0.99: 0.09}),
    "buckets.json": (0, 0, np.nan, {0.5: 0.1, 0.9: 0.5}),
}


def sample(name):
    return read_measured(str(SAMPLES / name))


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_as_the_format_says(name):
    kind, arrivals, durations, outcomes, routes, users = REQUESTS[name]
    measured = sample(name)
    requests = measured.requests
    assert measured.kind == kind
    assert requests.arrival - requests.arrival[0] == pytest.approx(np.array(arrivals) - arrivals[0], abs=1e-9)
    assert requests.duration == pytest.approx(durations, abs=1e-12, nan_ok=True)
    assert [Outcome(code).word for code in requests.outcome] == outcomes.split()
    assert [("", *requests.routes)[index + 1] for index in requests.route] == routes
    assert requests.user.tolist() == users


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_as_the_format_says(name):
    count, failures, mean, quantiles = TABLES[name]
    table = sample(name).distributions[-1]
    assert (table.count, table.failures) == (count, failures)
    assert table.mean == pytest.approx(mean, nan_ok=True)
    assert {share: table.quantile(share) for share in quantiles} == pytest.approx(quantiles, abs=1e-12)


def test_series_have_times_from_their_first_value():
    series = sample("prometheus.json").series[0]
    assert (series.name, series.times.tolist()) == ("rps{job=shop}", [0, 60, 120])
    assert series.values == pytest.approx([10, 20.5, np.nan], nan_ok=True)
    assert sample("series.csv").series[0].values.tolist() == [100, 120]
    history = {series.name: series for series in sample("locust_history.csv").series}
    assert history["Requests/s"].values.tolist() == [0, 6]
    assert history["User Count"].values.tolist() == [0, 6]
    assert history["95%"].values == pytest.approx([np.nan, 0.099], nan_ok=True)


def test_every_sample_is_told_from_its_content_and_says_what_it_lacks():
    for path in sorted(SAMPLES.iterdir()):
        measured = read_measured(str(path))
        assert str(measured).startswith(f"{path}: {measured.kind}")
        assert measured.missing or measured.requests is not None


# ---- HdrHistogram: a histogram written by hand, byte by byte


def leb(number):
    """ZigZag LEB128, as the format has it."""
    value, out = (number << 1) ^ (number >> 63), bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def payload(words):
    counts = b"".join(map(leb, words))
    content = struct.pack(">iiiiqqd", 0x1C849303 | 0x10, len(counts), 0, 2, 1, 10**12, 1.0) + counts
    packed = zlib.compress(content)
    return base64.b64encode(struct.pack(">ii", 0x1C849304 | 0x10, len(packed)) + packed).decode()


def hlog(*lines):
    head = [
        "#[Histogram log format version 1.3]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    return "\n".join([*head, *lines, ""])


def test_a_log_of_histograms_is_decoded_slot_by_slot(tmp_path):
    """Two digits: 256 slots of width 1, then 128 of width 2 from 256 on, whose middles are one above: slot 266 is (266 - 128) * 2 = 276, 277."""
    file = tmp_path / "a.hlog"
    file.write_text(
        hlog(f"0.0,1.0,0.000277,{payload([-5, 3, -260, 1])}", f"1.0,1.0,0.000277,{payload([-5, 1, -260, 5])}")
    )
    measured = read_measured(str(file))
    (table,) = measured.distributions
    assert (table.count, table.span) == (10, 2)
    assert table.values == pytest.approx([5e-9, 277e-9], abs=1e-15)
    assert table.shares.tolist() == [0.4, 1]
    assert table.mean == pytest.approx((4 * 5 + 6 * 277) / 10 * 1e-9)
    assert measured.series[0].values.tolist() == [4, 6]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0.0,1.0,1.0,HISTnobase64!", "no base64"),
        (f"0.0,1.0,1.0,{base64.b64encode(bytes(20)).decode()}", "not compressed as V0, V1 or V2"),
        (f"0.0,1.0,1.0,{payload([-(2**50)])}", "too many counts"),
        ("0.0,1.0", "no interval"),
    ],
    ids=["base64", "cookie", "counts", "cells"],
)
def test_what_is_wrong_in_a_log_of_histograms_is_told_with_its_line(tmp_path, line, words):
    file = tmp_path / "a.hlog"
    file.write_text(hlog(line))
    with pytest.raises(ScenarioError, match=rf"a.hlog:3: .*{words}"):
        read_measured(str(file))


def test_a_payload_that_unpacks_without_end_is_refused(tmp_path):
    packed = zlib.compress(bytes(64 * 2**20))
    bomb = base64.b64encode(struct.pack(">ii", 0x1C849304 | 0x10, len(packed)) + packed).decode()
    (tmp_path / "a.hlog").write_text(hlog(f"0.0,1.0,1.0,{bomb}"))
    with pytest.raises(ScenarioError, match="more than 16 MiB"):
        read_measured(str(tmp_path / "a.hlog"))


# ---- what is refused, and what is joined


def test_a_doctype_is_refused_and_no_entity_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    good = (SAMPLES / "jmeter.xml").read_text().replace("<testResults", f"{bomb}<testResults", 1)
    (tmp_path / "a.jtl").write_text(good)
    with pytest.raises(ScenarioError, match=r"a.jtl:2: found a DOCTYPE .*expected none"):
        read_measured(str(tmp_path / "a.jtl"))


def test_xml_that_was_cut_keeps_what_was_whole(tmp_path):
    text = (SAMPLES / "jmeter.xml").read_text()
    (tmp_path / "a.jtl").write_text(text[: text.index("<sample") + 40])
    measured = read_measured(str(tmp_path / "a.jtl"))
    assert len(measured.requests) == 1
    assert "is no XML from here on" in measured.passed_over.why


def test_a_kind_that_is_insisted_on_is_taken_and_a_wrong_one_told():
    assert read_measured(str(SAMPLES / "jmeter.jtl"), "jmeter").kind == "JMeter CSV"
    with pytest.raises(UsageError, match="unknown kind 'jmetre'; did you mean 'jmeter'"):
        read_measured(str(SAMPLES / "jmeter.jtl"), "jmetre")
    with pytest.raises(ScenarioError, match="expected"):
        read_measured(str(SAMPLES / "nginx.log"), "hgrm")


def test_files_together_stand_on_one_clock_and_their_users_apart(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("start,duration_ms,route,user\n2024-01-01 10:00:01,5,a,ann\n2024-01-01 10:00:03,6,b,ben\n")
    second.write_text("start,duration_ms,route,user\n2024-01-01 10:00:02,7,b,ann\n")
    requests = Gathered(read_all([str(first), str(second)])).requests()
    assert requests.arrival.tolist() == [0, 1, 2]
    assert requests.duration == pytest.approx([0.005, 0.007, 0.006])
    assert [requests.routes[index] for index in requests.route] == ["a", "b", "b"]
    assert requests.user.tolist() == [0, 2, 1]


def test_all_that_is_wrong_with_several_files_is_told_at_once(tmp_path):
    (tmp_path / "a.log").write_text("hello\n")
    (tmp_path / "b.log").write_text("\n")
    with pytest.raises(ScenarioError) as caught:
        read_all([str(tmp_path / "a.log"), str(tmp_path / "b.log")])
    assert len(caught.value.problems) == 2


def test_packed_and_binary_files_are_told(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\x00rest")
    with pytest.raises(ScenarioError, match="is a gzip file; unpack it first"):
        read_measured(str(tmp_path / "a.gz"))
    (tmp_path / "b").write_bytes(b"vegeta\x00gob")
    with pytest.raises(ScenarioError, match="is binary, expected text"):
        read_measured(str(tmp_path / "b"))
    (tmp_path / "c").write_text("x" * (2**20 + 2**16))
    with pytest.raises(ScenarioError, match="begins with"):
        read_measured(str(tmp_path / "c"))


def test_nothing_takes_longer_than_ten_years(tmp_path):
    text = (SAMPLES / "wrk2.txt").read_text(encoding="utf-8")
    (tmp_path / "wrk.txt").write_text(text.replace("12.351  ", "9" * 40))
    with pytest.raises(ScenarioError, match=r"found a request that took 1e\+37 s, expected at most ten years"):
        read_measured(str(tmp_path / "wrk.txt"))
