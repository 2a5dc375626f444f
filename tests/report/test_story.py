from dataclasses import replace

import numpy as np
import pytest

import sim
from sim.records.tables import EVENT
from sim.report.episodes import breaker_episodes, clusters, failing_spells
from sim.report.pages.parts import periods_of
from sim.report.story import stories, tell
from sim.report.words import show
from sim.spec import load_text
from sim.vocabulary import EventKind, Outcome


@pytest.fixture(scope="module")
def told(comparison):
    return {name: [str(moment) for moment in moments] for name, moments in stories(comparison).items()}


def with_events(variant, rows, names):
    records = variant.records
    extended = (*records.names, *names)
    place = {name: index for index, name in enumerate(extended)} | {"": -1}
    events = np.array(
        [(time, kind, place[subject], place[other], value) for time, kind, subject, other, value in rows], EVENT
    )
    return replace(variant, records=replace(records, names=extended, events=events))


def test_a_fault_begins_and_ends_with_how_requests_fared(told):
    assert told["sync"][0] == "5:00 payments outage begins (outage, hang)."
    assert any(
        line.startswith(
            "8:00 payments outage ends. While it lasted, 99.61% as many requests were answered well as arrived, 99.61% by a fallback"
        )
        for line in told["sync"]
    )


def test_breakers_that_flap_are_told_in_three_sentences(told):
    assert [line for line in told["sync"] if "breakers" in line] == [
        "5:01 4 breakers orders → payments.charge open within 240 ms, 1.05 s into payments outage.",
        "5:11 breakers orders → payments.charge: half open for the first time; 68 times up to 8:08, and open again 64 times.",
        "8:07.6 all breakers orders → payments.charge are closed again, after 3 min 7 s.",
    ]


def test_shedding_begins_and_ends(told):
    assert "5:03.6 orders begins to shed requests, 3.6 s into payments outage." in told["sync-no-breaker"]
    assert "8:41.2 orders sheds its last request, after 3 min 38 s." in told["sync-no-breaker"]


def test_recovery_is_told_and_its_absence_too(told):
    assert (
        "8:47 success and p95 of the response are back to normal, 47 s after the end of payments outage."
        in told["sync-no-breaker"]
    )
    assert "15:00 completion is not back to what it was before payments outage." in told["sync-no-breaker"]


def test_a_backlog_has_a_peak_and_drains(told):
    assert "8:01 payment-group on order-events lags furthest behind: 7,200 messages." in told["async"]
    assert any("backlog of messages has drained" in line for line in told["async"])


def test_what_is_left_undone_ends_the_story(told):
    assert told["sync"][-1] == "15:00 the run ends; 7,160 orders answered well can never be completed."


def test_moments_stand_in_the_order_of_time(comparison):
    for moments in stories(comparison).values():
        assert [moment.time for moment in moments] == sorted(moment.time for moment in moments)


def test_hundreds_of_events_stay_a_dozen_sentences(single):
    rows = []
    for index in range(200):
        start = 130.0 + 3 * index
        rows += [
            (start, EventKind.BREAKER_OPENED, "a[0]", "b.c", 0.0),
            (start + 1, EventKind.BREAKER_HALF_OPENED, "a[0]", "b.c", 0.0),
        ]
        rows += [
            (start + 1.1, EventKind.BREAKER_CLOSED, "a[0]", "b.c", 0.0),
            (start, EventKind.SHEDDING_BEGAN, "a", "", 0.0),
        ]
        rows += [
            (start + 1, EventKind.SHEDDING_ENDED, "a", "", 0.0),
            (start, EventKind.BUDGET_EXHAUSTED, "a[0]", "b", 0.0),
        ]
        rows += [(start, EventKind.REPLICA_CRASHED, "a[1]", "", 0.0), (start, EventKind.OVERSOLD, "stockroom", "", 0.0)]
        rows += [
            (start, EventKind.PARTITIONS_ASSIGNED, "group", "topic", 3.0),
            (start, EventKind.LIMITING_BEGAN, "gateway", "", 0.0),
        ]
    variant = with_events(
        single.variants["sync"], sorted(rows), ("a[0]", "a[1]", "a", "b.c", "b", "stockroom", "group", "topic")
    )
    lines = [str(moment) for moment in tell(variant)]
    assert len(lines) < 25
    assert any("200 spells of open breakers" in line for line in lines)
    assert any("200 spells up to" in line and "3 min 20 s in all" in line for line in lines)
    assert any("retry budget of a → b is spent (200 times up to" in line for line in lines)


def test_a_breaker_still_open_at_the_end_is_said_to_be(single):
    variant = with_events(
        single.variants["sync"], [(850.0, EventKind.BREAKER_OPENED, "a[0]", "b.c", 0.0)], ("a[0]", "b.c")
    )
    assert any("still open or half open at the end" in str(moment) for moment in tell(variant))
    ((episode,),) = breaker_episodes(variant.records).values()
    assert (episode.closed, episode.end) == (False, 900.0)


def test_the_end_of_a_spell_is_told_with_how_long_it_was(single):
    rows = [(100.0, EventKind.SHEDDING_BEGAN, "a", "", 0.0), (150.0, EventKind.SHEDDING_ENDED, "a", "", 0.0)]
    lines = [str(moment) for moment in tell(with_events(single.variants["sync"], rows, ("a",)))]
    assert "2:30 a sheds its last request, after 50 s." in lines


def test_a_run_without_faults_and_events_has_little_to_tell(single):
    quiet = with_events(single.variants["sync"], [], ())
    quiet = replace(
        quiet,
        scenario=quiet.scenario.model_copy(update={"faults": ()}),
        records=replace(quiet.records, requests=quiet.records.requests[:0]),
    )
    assert tell(quiet) == ()


def test_clusters_are_split_at_gaps():
    assert clusters([5.0, 1.0, 1.5, 9.0], 1.0) == [[1.0, 1.5], [5.0], [9.0]]


CROWD = """
version: 1
duration: 3m
traffic:
  users: {sends: shop.buy, timeout: 1s, arrivals: {profile: [{rate: 5/s, for: 1m}, {rate: CROWD, for: 30s}, {rate: 5/s}]}}
services:
  shop: {workers: 1, endpoints: {buy: [{work: 100ms}]}}
"""


def told_of_a_crowd(rate, more=""):
    """The story of one worker who can do 10/s, and is asked for `rate` from 1:00 to 1:30 by users who wait a second."""
    comparison = sim.run(load_text(CROWD.replace("CROWD", rate) + more), replications=1)
    return comparison.variants["base"].records, [str(moment) for moment in tell(comparison.variants["base"])]


def test_an_overload_without_any_fault_is_told_with_its_end():
    records, lines = told_of_a_crowd("20/s")
    (spell,) = failing_spells(records)
    assert 60 < spell.start < 70
    assert spell.outcome == Outcome.TIMEOUT
    assert [line.partition(" ")[2] for line in lines] == [
        "more than half of the requests begin to fail, mostly by timeout.",
        f"most requests are answered again, after {spell.end - spell.start:.0f} s in which {show(spell.share, 'share')} failed.",
    ]


def test_an_overload_that_outlasts_the_run_is_said_to():
    records, lines = told_of_a_crowd("60/s")
    (spell,) = failing_spells(records)
    assert spell.end is None
    assert lines[-1].startswith("3:00 most requests still fail, ")


def test_what_a_fault_brings_about_is_told_once_by_the_fault():
    records, lines = told_of_a_crowd("5/s", "faults: [{name: dark, at: 60s, for: 30s, outage: shop}]\n")
    assert failing_spells(records)
    assert not any("begin to fail" in line for line in lines)


def test_a_load_that_can_be_borne_has_no_spell_of_failures():
    records, lines = told_of_a_crowd("8/s")
    assert (failing_spells(records), lines) == ([], [])


BRIEF = """
version: 1
duration: 2m
traffic: {users: {sends: shop.buy, timeout: 1s, items: {count: 2}, arrivals: {deterministic: 5/s}}}
services:
  shop:
    replicas: 2
    workers: 1
    endpoints: {buy: [{cache: {name: pages, key: item, then: [{work: 10ms}]}}]}
faults: [FAULT]
"""


@pytest.mark.parametrize(
    ("fault", "begins"),
    [
        ("{name: lost, at: 30s, flush: pages, of: shop}", "0:30 lost begins (flush, pages)."),
        ("{name: release, at: 30s, deploy: shop}", "0:30 release begins (deploy)."),
    ],
)
def test_what_is_over_at_once_is_not_said_to_last_to_the_end(fault, begins):
    variant = sim.run(load_text(BRIEF.replace("FAULT", fault)), replications=1).variants["base"]
    assert [str(moment) for moment in tell(variant) if moment.mood == "fault"] == [begins]
    assert [name for name, *_ in periods_of([variant.scenario])] == [f"{variant.scenario.faults[0].name} 0:30"]
