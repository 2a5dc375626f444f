"""People with several requests: visits, journeys, who leaves, and users who come one by one and keep a pace."""

import math

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.models import simulate

SHOP = "services: {shop: {workers: 500, endpoints: {look: [{work: 1s}], buy: [{work: 2s}], bad: [{work: 1s}, {fail: 100%}]}}}"


def play(visit, arrivals, more=""):
    return testing.play(f"traffic: {{clients: {{{more} visit: {{{visit}}}}}}}\n{SHOP}", list(arrivals))


def test_a_journey_goes_step_by_step_with_pauses_between():
    """Asked at 0 s, answered at 1 s; again at 6 s, and at 12 s."""
    played = play("journey: [shop.look, shop.look, shop.buy], think: 5s", [0.0])
    requests = played.requests
    assert requests["arrival"].tolist() == [0.0, 6.0, 12.0]
    assert requests["route"].tolist() == ["shop.look", "shop.look", "shop.buy"]
    assert played.responses() == [1.0, 1.0, 2.0]


def test_all_requests_of_a_visit_are_of_one_user_and_each_is_about_an_item_of_its_own():
    played = play(
        "journey: [shop.look, shop.look, shop.look]", [0.0, 0.5, 0.7], "users: {count: 100000}, items: {count: 100000},"
    )
    by_user = played.requests.groupby("user")
    assert by_user.size().tolist() == [3, 3, 3]
    assert played.requests["item"].nunique() == 9


def test_who_leaves_after_a_failure_does_not_ask_again():
    assert len(play("journey: [shop.bad, shop.look], leaves_after_failure: 100%", [0.0]).requests) == 1
    assert len(play("journey: [shop.bad, shop.look]", [0.0]).requests) == 2
    many = play("journey: [shop.bad, shop.look], leaves_after_failure: 30%", [float(second) for second in range(1000)])
    assert len(many.requests) == pytest.approx(1700, abs=4 * math.sqrt(1000 * 0.21))
    last = dict(zip((series.name for series in many.records.series), many.records.gauges[-1], strict=True))
    assert last["clients.visits"] == 1000
    assert last["clients.visits_left"] == 2000 - len(many.requests)


def test_who_is_not_answered_in_time_has_failed():
    played = play("journey: [shop.buy, shop.look], leaves_after_failure: 100%", [0.0], "timeout: 1500ms,")
    assert played.outcomes() == ["timeout"]


@pytest.mark.parametrize(
    ("requests", "mean"), [("4", 4.0), ("{geometric: 5}", 5.0), ("{poisson: 2}", 2 + math.exp(-2))]
)
def test_as_many_requests_as_are_said_come_and_the_load_is_that_of_the_paper(requests, mean):
    """Of a Poisson number none is taken for one: whoever comes asks once."""
    text = f"""
    version: 1
    duration: 3000s
    record: {{keep: rows}}
    traffic: {{people: {{sends: {{shop.look: 75%, shop.buy: 25%}}, arrivals: {{poisson: 1/s}}, visit: {{requests: {requests}, think: {{exponential: 3s}}}}}}}}
    {SHOP}
    """
    study = sim.load_text(text)
    (load,), (scenario,) = check(study).loads.values(), study.variants.values()
    records = simulate(scenario)
    busy = {series.name: column[1:].mean() for series, column in zip(records.series, records.gauges.T, strict=True)}
    assert load.stations[0].utilisation * 500 == pytest.approx(mean * 1.25)
    assert busy["shop.busy"] == pytest.approx(mean * 1.25, rel=0.08)
    assert all(book.balances for book in records.books)


def test_luck_of_a_visit_does_not_depend_on_how_others_fare():
    one = play("requests: {geometric: 3}, think: {exponential: 2s}", [0.0, 1.0, 2.0], "sends: shop.look,").requests
    two = play("requests: {geometric: 3}, think: {exponential: 2s}", [0.0, 1.5, 2.0], "sends: shop.look,").requests
    assert sorted(one["id"]) == sorted(two["id"])


# ---- users who stay


def closed(said, duration="30s"):
    text = f"""
    version: 1
    duration: {duration}
    record: {{keep: rows}}
    traffic: {{robots: {{sends: shop.look, arrivals: {{closed: {{{said}}}}}}}}}
    {SHOP}
    """
    study = sim.load_text(text)
    (scenario,) = study.variants.values()
    return study, simulate(scenario)


def test_users_come_one_by_one():
    _, records = closed("users: 5, think: 100s, ramp: 10s", "105s")
    assert sorted(records.requests["arrival"].tolist()) == [100.0, 102.0, 104.0]


def test_a_pace_is_kept_whatever_an_answer_takes_unless_it_takes_longer():
    """Every 5 s, though one answer takes 1 s; where that is as long as the pace allows, as soon as it is there."""
    _, records = closed("users: 1, think: 0s, pacing: 5s", "21s")
    assert np.round(records.requests["arrival"], 9).tolist() == [0.0, 5.0, 10.0, 15.0, 20.0]
    _, records = closed("users: 1, think: 0s, pacing: 500ms", "4500ms")
    assert np.round(records.requests["arrival"], 9).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_paced_users_send_what_the_paper_says():
    study, records = closed("users: 40, think: 0s, pacing: 4s", "400s")
    (load,) = check(study).loads.values()
    assert load.closed[0].rate == 10.0
    assert len(records.requests) / 400 == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "sends: shop.look, arrivals: {poisson: 1/s}, visit: {journey: [shop.look]}",
            "found `sends` beside the `journey`",
        ),
        (
            "arrivals: {poisson: 1/s}, visit: {journey: [shop.lok]}",
            "unknown endpoint 'shop.lok'; did you mean 'shop.look'?",
        ),
        ("sends: shop.look, arrivals: {poisson: 1/s}, visit: {think: 1s}", "found neither requests nor journey"),
        (
            "sends: shop.look, arrivals: {poisson: 1/s}, visit: {requests: 500}",
            "found 500 requests on average, expected at most 100",
        ),
        (
            "sends: shop.look, arrivals: {closed: {users: 1, think: 1s}}, visit: {requests: 5}",
            "expected an open process",
        ),
    ],
)
def test_what_is_said_wrong_is_told(said, words):
    with pytest.raises(ScenarioError) as caught:
        sim.load_text(f"version: 1\nduration: 10s\ntraffic: {{a: {{{said}}}}}\n{SHOP}")
    assert words in str(caught.value)
