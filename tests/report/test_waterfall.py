"""The chart of the slowest requests: drawn where spans are kept, with every attempt named, and what became of it."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from sim.experiments.replicating.comparison import compare
from sim.report.charts import draw_charts
from sim.report.charts.waterfall import MOST_BARS, slowest_requests
from sim.report.pages.comparison import render_comparison
from sim.spec import load_text

SHOP = """
version: 1
duration: 20s
warmup: 2s
record: {spans: exemplars}
services:
  shop: {workers: 40, endpoints: {buy: [{work: 2ms}, {call: bank.pay, policy: {timeout: 200ms, retry: {max_attempts: 3, backoff: {constant: 50ms}}}}]}}
  bank: {workers: 8, endpoints: {pay: [{work: {exponential: 10ms}}]}}
network: {default: {latency: 1ms}}
traffic: {crowd: {sends: shop.buy, arrivals: {poisson: 50/s}}}
variants:
  frozen: {faults: [{name: dark, at: 10s, for: 3s, outage: bank, how: hang}]}
  refusing: {faults: [{name: dark, at: 10s, for: 3s, outage: bank, how: refuse}]}
  lossy: {faults: [{name: dark, at: 10s, for: 3s, network: {between: [shop, bank], loss: 50%}}]}
"""


def drawn(*sets):
    return compare(load_text(SHOP, sets=sets), replications=1, jobs=1, engine="simpy")


@pytest.fixture(scope="module")
def comparison():
    return drawn()


@pytest.fixture(scope="module")
def chart(comparison):
    return slowest_requests(comparison)


def words(svg):
    return [
        text
        for element in ElementTree.fromstring(svg).iter()
        if element.tag.endswith("text") and (text := "".join(element.itertext()).strip())
    ]


@pytest.mark.long
def test_it_is_among_the_charts_of_a_report_where_spans_are_kept(comparison):
    charts = draw_charts(comparison)
    assert "waterfall" in [chart.name for chart in charts]
    page = render_comparison(comparison, charts)
    assert '<h3 id="waterfall"><span class="named">The slowest request, attempt by attempt</span></h3>' in page
    assert "waterfall" not in [chart.name for chart in draw_charts(drawn("record.spans=none"))]


def test_exemplars_hold_the_slowest_of_all(chart):
    everything = slowest_requests(drawn("record.spans=all"))
    assert everything.alt == chart.alt
    assert everything.svg() == chart.svg()


def test_a_summary_knows_the_slowest_as_well(chart):
    its = slowest_requests(drawn("record.keep=summary"))
    assert its.alt == chart.alt
    assert its.svg() == chart.svg()


def test_attempts_are_named_and_retries_told_apart(chart):
    seen = words(chart.svg())
    assert {
        "frozen",
        "refusing",
        "lossy",
        "shop.buy",
        "bank.pay",
        "bank.pay, try 2",
        "bank.pay, try 3",
        "given up …",
        "time since its arrival, ms",
    } <= set(seen)
    assert any(re.fullmatch(r"shop\.buy, timeout after 7\d\d ms; arrived at 0:1\d.*", text) for text in seen), (
        "three times 200 ms, and twice 50 ms"
    )
    assert "unreachable" in seen


def test_it_says_in_words_what_became_of_every_attempt(chart):
    frozen = chart.alt[chart.alt.index("frozen: ") : chart.alt.index("refusing: ")]
    assert "in 4 attempts, 2 of them made again" in frozen
    gone = [int(ms) for ms in re.findall(r"given up at (\d+) ms", frozen)]
    assert [after - before for before, after in pairwise(gone)] == [250, 250]
    assert "bank.pay, try 3 from" in frozen


def test_only_what_is_drawn_is_in_the_legend(chart):
    assert "back-off" in words(chart.svg())
    assert "wait for the bulkhead" not in words(chart.svg())


def test_more_attempts_than_can_be_drawn_are_counted():
    """A hundred calls one after the other."""
    steps = ", ".join(["{call: bank.pay}"] * 100)
    chart = slowest_requests(drawn(f"services.shop.endpoints.buy=[{steps}]", "traffic.crowd.arrivals.poisson=2/s"))
    assert any(f"{101 - MOST_BARS} more attempts not shown" in text for text in words(chart.svg()))
    assert chart.figure.get_figheight() < 40
