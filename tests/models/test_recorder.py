"""What is written down: rows, names, time series at their ticks, and the event log."""

import numpy as np
import pytest

from sim import testing
from sim.models.columns import Table
from sim.models.recorder import Recorder
from sim.records.tables import EVENT, REQUEST


def test_a_table_keeps_whole_numbers_that_no_double_could_hold():
    table = Table(REQUEST)
    for number in (2**62 + 1, 2**62 + 2):
        table.append(number, 0.5, 1.5, float("nan"), 2**63, -1, -1, 0, 1, -1, 3, 9, 255, 0, True, False)
    rows = table.rows()
    assert rows["id"].tolist() == [2**62 + 1, 2**62 + 2]
    assert rows["effects"].tolist() == [2**63] * 2
    assert (rows["charges"].tolist(), rows["pending"].tolist(), rows["where"].tolist()) == (
        [255] * 2,
        [True] * 2,
        [-1] * 2,
    )


def test_an_empty_table_has_its_columns():
    assert Table(EVENT).rows().dtype.names == EVENT.names
    assert len(Table(EVENT).rows()) == 0


def test_names_have_one_number_each():
    recorder = Recorder(None)
    assert [recorder.name(word) for word in ("a", "b", "a")] == [0, 1, 0]
    assert recorder.names == ["a", "b"]


SHOP = """
duration: 2.5s
warmup: 700ms
record: {interval: 1s}
services: {shop: {workers: 2, endpoints: {buy: [{work: 500ms}]}}}
"""


def test_series_are_sampled_at_every_interval_at_the_end_of_the_warm_up_and_at_the_end():
    played = testing.play(SHOP, [0.0])
    assert played.records.ticks.tolist() == [0.0, 0.7, 1.0, 2.0, 2.5]


def test_a_mean_is_the_time_average_since_the_tick_before():
    played = testing.play(SHOP, [0.2, 0.6])
    # one busy from 0.2 to 0.7, a second from 0.6 to 1.1
    assert played.records.gauge("shop", "busy") == pytest.approx([0.0, 0.6 / 0.7, 1.0, 0.1, 0.0])
    assert played.records.gauge("shop", "attempts").tolist() == [0.0, 2.0, 2.0, 2.0, 2.0]
    assert played.records.gauge("shop", "in_flight").tolist() == [
        0.0,
        1.0,
        1.0,
        0.0,
        0.0,
    ]  # at 0.7 the first has just left


def test_a_sample_sees_all_that_its_instant_did():
    played = testing.play(SHOP, [0.5, 1.0])
    assert played.records.gauge("shop", "in_flight")[2] == 1.0  # the first left at 1.0, the second came at 1.0


def test_rows_stand_in_the_order_in_which_requests_were_closed():
    played = testing.play(SHOP.replace("500ms", "{replay: {data: [1.0, 0.1]}}"), [0.0, 0.2])
    assert played.records.requests["arrival"].tolist() == [0.2, 0.0]
    assert played.requests["arrival"].tolist() == [0.0, 0.2]


def test_a_request_that_is_not_answered_at_the_end_is_in_flight_and_pending_and_nowhere():
    played = testing.play(SHOP.replace("500ms", "10s"), [0.0])
    row = played.requests.iloc[0]
    assert (row["outcome"], row["where"], row["pending"]) == ("in_flight", "", True)
    assert np.isnan(row["end"])
    (attempt,) = played.attempts()
    assert (attempt.outcome, attempt.started, np.isnan(attempt.ended)) == ("in_flight", 0.0, True)


def test_the_attempts_of_a_client_are_counted_also_while_it_has_no_answer():
    text = (
        SHOP.replace("500ms", "10s")
        + "traffic: {clients: {sends: shop.buy, timeout: 1s, retry: {max_attempts: 9, backoff: {constant: 0s}}}}"
    )
    assert testing.play(text, [0.0]).requests[["outcome", "attempts"]].values.tolist() == [["in_flight", 3]]


def test_a_request_whose_answer_came_but_whose_work_goes_on_is_pending_and_answered():
    text = SHOP + "traffic: {clients: {sends: shop.buy, timeout: 100ms}}"
    played = testing.play(text.replace("500ms", "10s"), [0.0])
    row = played.requests.iloc[0]
    assert (row["outcome"], row["pending"], row["end"]) == ("timeout", True, 0.1)
    later = testing.play(text, [0.0]).requests.iloc[0]
    assert (later["outcome"], later["pending"]) == ("timeout", False)


def test_more_deliveries_than_the_column_holds_are_written_as_the_most_it_can_hold():
    played = testing.play(
        """
        services:
          a: {workers: 1, endpoints: {get: [{publish: events}]}}
          b: {workers: 1, consumes: {events: {group: g, auto_offset_reset: earliest, max_deliveries: 33000, do: [{fail: 100%}]}}}
        brokers: {kafka: {kind: log, topics: {events: {}}}}
        """,
        [0.0],
    )
    assert played.records.messages["deliveries"].tolist() == [32767]
    assert played.records.gauge("g events", "redelivered")[-1] == 32999.0


def test_spells_of_shedding_begin_once_and_end_with_their_last_refusal():
    """Whoever comes later, or the end of the run, finds that it has been quiet for ten seconds; the log says when it ended."""
    text = "duration: 60s\nservices: {shop: {workers: 1, queue: {capacity: 0}, endpoints: {buy: [{work: 500ms}]}}}"
    played = testing.play(text, [0.0, 0.1, 0.2, 5.0, 5.1, 30.0, 30.1])
    assert [(event.time, event.kind, event.value) for event in played.events()] == [
        (0.1, "shedding_began", 0.0),
        (5.1, "shedding_ended", 0.0),
        (30.1, "shedding_began", 0.0),
        (30.1, "shedding_ended", 0.0),
    ]
