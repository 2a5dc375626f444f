"""The test kit does what it says: it fills in, scripts, and reads back."""

import math

import pytest

from sim import testing
from sim.errors import ScenarioError, UsageError
from sim.metrics import measure
from sim.testing import play, scripted

SHOP = """
services:
  shop: {workers: 1, endpoints: {buy: [{work: 100ms}, {effect: sold}]}}
"""


def test_the_example_of_its_docstring_is_true():
    played = play(SHOP, arrivals=[0.0, 0.05])
    assert (played.outcomes(), played.responses()) == (["ok", "ok"], [0.1, 0.15])


def test_a_map_does_as_well_as_a_text_and_is_left_as_it_was():
    system = {"services": {"shop": {"workers": 1, "endpoints": {"buy": [{"work": "100ms"}]}}}}
    assert play(system, [0.0]).responses() == [0.1]
    assert list(system) == ["services"]


def test_the_run_goes_on_for_a_minute_after_the_last_arrival_unless_a_duration_is_given():
    assert play(SHOP, [3.5]).records.duration == 63.5
    assert play(SHOP + "duration: 5s", [3.5]).records.duration == 5.0
    assert play(SHOP, []).records.duration == 60.0


def test_arrivals_are_the_only_ones():
    text = SHOP + "traffic: {clients: {sends: shop.buy, arrivals: {poisson: 100/s}}}"
    assert len(play(text, [1.0]).requests) == 1
    assert len(play(text + "\nduration: 10s").requests) > 500


def test_several_sources_are_given_theirs_by_name():
    text = SHOP + "traffic: {one: {sends: shop.buy}, two: {sends: shop.buy}}"
    played = play(text, {"one": [0.0], "two": [0.05, 1.0]})
    assert played.responses() == [0.1, 0.15, 0.1]
    assert played.responses("two") == [0.15, 0.1]
    with pytest.raises(UsageError, match="one list of arrivals for the traffic one, two"):
        play(text, [0.0])
    with pytest.raises(UsageError, match="unknown traffic 'three'; known: one, two"):
        play(text, {"three": [0.0]})
    with pytest.raises(UsageError, match="unknown traffic 'three'"):
        played.outcomes("three")


def test_the_target_must_be_named_where_there_is_a_choice():
    text = SHOP.replace("sold}]", "sold}], look: [{work: 1ms}]")
    with pytest.raises(UsageError, match=r"say which of shop\.buy, shop\.look is called"):
        play(text, [0.0])
    assert play(text, [0.0], sends="shop.look").responses() == [0.001]
    with pytest.raises(UsageError, match="no endpoint"):
        play("services: {}", [0.0])


def test_a_gateway_is_entered_by_its_route():
    assert play(SHOP + "gateway: {workers: 1, routes: {GET /: {to: shop.buy}}}", [0.0]).requests["route"].tolist() == [
        "GET /"
    ]


def test_what_is_wrong_with_a_system_is_told_as_ever():
    with pytest.raises(ScenarioError, match="did you mean 'workers'"):
        play(SHOP.replace("workers", "wokers"), [0.0])
    with pytest.raises(UsageError, match="expected a system"):
        play("- shop", [0.0])


def test_scripted_draws_go_by_the_number_of_the_request():
    system = {"services": {"shop": {"workers": 9, "endpoints": {"buy": [{"work": scripted(0.3, 0.1)}]}}}}
    assert play(system, [0.0, 0.0, 0.0]).responses() == [0.3, 0.1, 0.3]


def test_attempts_and_effects_and_completions():
    played = play(
        SHOP
        + "traffic: {clients: {sends: shop.buy, completes_with: [sold], timeout: 50ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}}",
        [0.0],
    )
    first, second = played.attempts("shop.buy")
    assert first == ("clients", 0, "shop.buy", 0, 0.0, 0.0, 0.1, "ok", 1, True)
    assert (second.number, second.arrived, second.started, second.ended) == (2, 0.05, 0.1, 0.2)
    assert (played.effects(), played.completions(), played.outcomes()) == ([["sold"]], [0.1], ["timeout"])
    assert played.attempts("shop.look") == []


def test_what_did_not_happen_is_nan():
    played = play(SHOP + "duration: 10ms", [0.0])
    assert (played.outcomes(), math.isnan(played.responses()[0]), math.isnan(played.completions()[0])) == (
        ["in_flight"],
        True,
        True,
    )


def test_the_event_log_can_be_asked_for_some_kinds():
    played = play(SHOP + "faults: [{name: trouble, at: 1s, for: 2s, outage: shop}]", [])
    assert [(event.time, event.kind, event.subject) for event in played.events()] == [
        (1.0, "fault_began", "trouble"),
        (3.0, "fault_ended", "trouble"),
    ]
    assert [event.time for event in played.events("fault_ended")] == [3.0]


def test_the_timeline_reads_line_by_line():
    text = """
    traffic: {clients: {sends: shop.buy, timeout: 120ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}}
    services:
      shop: {workers: 1, endpoints: {buy: [{work: 100ms}, {publish: events}]}}
      mail: {workers: 1, consumes: {events: {group: mailers, do: []}}}
    brokers: {kafka: {kind: log, topics: {events: {}}}}
    """
    assert str(play(text, [0.0, 0.05])).splitlines() == [
        "0 clients#0 -> shop.buy",
        "0 shop.buy[0] clients#0 begins",
        "0.05 clients#1 -> shop.buy",
        "0.05 shop.buy[0] clients#1 arrives",
        "0.1 shop.buy[0] clients#0 ends ok",
        "0.1 shop.buy[0] clients#1 begins",
        "0.1 events[0]@0 for mailers published",
        "0.1 events[0]@0 for mailers processed",
        "0.1 clients#0 <- ok",
        "0.17 shop.buy[0] clients#1 attempt 2 arrives",
        "0.2 shop.buy[0] clients#1 ends ok, for nobody",
        "0.2 shop.buy[0] clients#1 attempt 2 begins",
        "0.2 events[0]@1 for mailers published",
        "0.2 events[0]@1 for mailers processed",
        "0.29 clients#1 <- timeout at clients",
        "0.3 shop.buy[0] clients#1 attempt 2 ends ok, for nobody",
        "0.3 events[0]@2 for mailers published",
        "0.3 events[0]@2 for mailers processed",
    ]


def test_replications_differ_and_repeat():
    text = SHOP.replace("100ms", "{exponential: 100ms}")
    assert play(text, [0.0], replication=1).responses() != play(text, [0.0]).responses()
    assert play(text, [0.0], replication=1).responses() == play(text, [0.0], replication=1).responses()


def test_a_run_of_one_s_own_can_be_read_in_the_same_way():
    import sim

    scenario = sim.load_text(
        "version: 1\nduration: 1s\ntraffic: {t: {sends: shop.buy, arrivals: {deterministic: 2/s}}}" + SHOP
    ).variants["base"]
    played = testing.Played(scenario, sim.simulate(scenario))
    assert played.outcomes() == ["ok"]
    assert played.attempts() == []  # `record: {spans: all}` was not asked for


def test_attempts_of_some_requests_are_not_passed_off_as_those_of_all():
    played = play(SHOP + "\nrecord: {spans: exemplars}", [0.0])
    assert len(played.records.spans) == 1
    with pytest.raises(UsageError, match=r"record\.spans: found exemplars, expected all"):
        played.attempts()
    assert [line.split(" ", 1)[1] for line in played.lines()] == ["clients#0 -> shop.buy", "clients#0 <- ok"]


def test_a_run_without_rows_can_be_measured_but_not_read_request_by_request():
    """`record` may be a bare word here too; spans are not kept beside a summary."""
    played = play(SHOP + "record: summary", [0.0, 0.05])
    assert measure(played.records, played.scenario).values["throughput"] == pytest.approx(2 / 60.05)
    with pytest.raises(
        UsageError, match="found record: summary, which keeps no rows of single requests; expected record: rows"
    ):
        played.outcomes()
