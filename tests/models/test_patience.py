"""Clients who differ in patience: whose it is, when it is over, and what figures make of who has gone."""

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.metrics import measure
from sim.vocabulary import Outcome

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

HALF = "{mixture: [{weight: 50%, constant: 300ms}, {weight: 50%, constant: 2s}]}"  # the answer comes after 1 s
SHOP = """
duration: 40s
traffic: {people: {ARRIVALS, patience: PATIENCE, SAID}}
services: {shop: {workers: unlimited, endpoints: {look: [{wait: 1s}], buy: [{wait: 1s}]}}}
"""
OPEN = "sends: shop.look, arrivals: {poisson: 5/s}"


def played(said="", patience=HALF, arrivals=OPEN):
    text = (
        SHOP.replace("ARRIVALS", arrivals).replace("PATIENCE", patience).replace(", SAID", f", {said}" if said else "")
    )
    return testing.play_on_both(text)


def ended(run):
    """Requests that have ended: (id, when it arrived, how long it took, how it ended)."""
    rows = np.sort(run.records.requests, order="arrival")
    rows = rows[rows["outcome"] != Outcome.IN_FLIGHT]
    return [
        (int(row["id"]), float(row["arrival"]), round(float(row["end"] - row["arrival"]), 9), Outcome(row["outcome"]))
        for row in rows
    ]


def by_person(run, person):
    """Person -> the ways in which his requests ended, where he has several."""
    found = {}
    for row in run.records.requests:
        if row["outcome"] != Outcome.IN_FLIGHT:
            found.setdefault(person(row), []).append(int(row["outcome"]))
    return [set(ways) for ways in found.values() if len(ways) > 2]


def test_each_request_has_a_patience_of_its_own():
    found = ended(played())
    assert {(took, outcome) for _, _, took, outcome in found} == {(0.3, Outcome.TIMEOUT), (1.0, Outcome.OK)}
    assert 0.4 < np.mean([outcome == Outcome.OK for *_, outcome in found]) < 0.6


def test_a_user_always_has_the_same():
    ways = by_person(played("users: {count: 6}"), lambda row: row["user"])
    assert len(ways) == 6
    assert all(len(way) == 1 for way in ways)
    assert len(set.union(*ways)) == 2, "and others have another"


def test_whoever_stays_or_comes_for_several_requests_always_has_the_same():
    stay = played(arrivals="sends: shop.look, arrivals: {closed: {users: 7, think: 500ms}}")
    ways = by_person(stay, lambda row: (int(row["id"]) & 0xFFFFFFFFFF) % 7)
    assert len(ways) == 7
    assert all(len(way) == 1 for way in ways)
    visits = played(arrivals="arrivals: {poisson: 1/s}, visit: {journey: [shop.look, shop.buy, shop.look]}")
    ways = by_person(visits, lambda row: (int(row["id"]) & 0xFFFFFFFFFF) // 1000)
    assert len(ways) > 20
    assert all(len(way) == 1 for way in ways)
    assert len(set.union(*ways)) == 2


def test_two_traffics_of_one_population_are_the_same_people():
    text = f"""
    duration: 60s
    traffic:
      web: {{{OPEN}, patience: {HALF}, users: {{count: 8, population: all}}}}
      app: {{{OPEN}, patience: {HALF}, users: {{count: 8, population: all}}}}
    services: {{shop: {{workers: unlimited, endpoints: {{look: [{{wait: 1s}}]}}}}}}
    """
    ways = by_person(testing.play_on_both(text), lambda row: row["user"])
    assert len(ways) == 8
    assert all(len(way) == 1 for way in ways)


def test_beside_a_timeout_what_is_shorter_counts():
    found = {(took, outcome) for _, _, took, outcome in ended(played("timeout: 500ms"))}
    assert found == {(0.3, Outcome.TIMEOUT), (0.5, Outcome.TIMEOUT)}


def test_it_begins_anew_with_each_attempt():
    found = {
        (took, outcome) for _, _, took, outcome in ended(played("retry: {max_attempts: 2, backoff: {constant: 0s}}"))
    }
    assert found == {(0.6, Outcome.TIMEOUT), (1.0, Outcome.OK)}


def test_a_server_that_is_told_stops_when_it_is_over():
    """Of the four that arrive in the first two seconds and wait for 0.3 s, each holds one of two workers for so long; not for 1 s."""
    text = """
    duration: 4s
    traffic: {people: {sends: shop.look, patience: 300ms, deadline: propagate}}
    services: {shop: {workers: 2, endpoints: {look: [{wait: 1s}]}}}
    """
    for said, seconds in ((text, 4 * 0.3), (text.replace(", deadline: propagate", ""), 4 * 1.0)):
        run = testing.play_on_both(said, [0.5, 1.0, 1.5, 2.0])
        assert {took for _, _, took, _ in ended(run)} == {0.3}
        spans = run.records.every_span()
        assert np.sum(np.fmin(spans["ended"], 4.0) - spans["arrived"]) == pytest.approx(seconds)


def test_who_has_gone_is_neither_in_time_nor_satisfied_however_soon_it_went():
    """0.3 s are within T of Apdex, 0.5 s; but it had no answer. One after 1 s is tolerated."""
    run = played()
    ways = [outcome for *_, outcome in ended(run)]
    values = measure(run.records, run.scenario).values
    answered = ways.count(Outcome.OK)
    assert values["outcome_share(timeout)"] == pytest.approx(ways.count(Outcome.TIMEOUT) / len(run.records.requests))
    assert values["goodput"] == pytest.approx(answered / 40.0)
    assert values["apdex"] == pytest.approx(0.5 * answered / len(ways), rel=0.01)


def test_without_an_end_to_patience_nobody_can_be_told_of_it():
    text = "version: 1\n" + SHOP.replace("ARRIVALS", OPEN).replace("patience: PATIENCE", "deadline: propagate").replace(
        ", SAID", ""
    )
    with pytest.raises(ScenarioError, match="hands on the `timeout` or `patience` of the client, and there is none"):
        sim.load_text(text)


def test_on_paper_those_ask_again_whose_patience_the_answer_exceeds():
    """Both exponential with a mean of 1 s: half of the attempts are too late, and each may be followed by one more."""
    text = "version: 1\n" + SHOP.replace("ARRIVALS", OPEN).replace("PATIENCE", "{exponential: 1s}").replace(
        "SAID", "retry: {max_attempts: 2}"
    )
    (load,) = check(
        sim.load_text(
            text.replace("unlimited", "100").replace("look: [{wait: 1s}]", "look: [{wait: {exponential: 1s}}]")
        )
    ).loads.values()
    assert load.stations[0].rate == pytest.approx(5.0 * 1.5, rel=0.01)
