"""Whether who reads finds what he has written himself, and what it costs to wait for it."""

import math

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.metrics import measure
from sim.spec.loading import load_document

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def system(lag="100ms", how="", users=1):
    """Users place orders and list them; the copy that is read is `lag` behind."""
    people = {"count": users}
    return {
        "duration": "60s",
        "services": {
            "shop": {
                "workers": "unlimited",
                "endpoints": {
                    "place": [{"view_write": "orders"}, {"background": [{"wait": lag}, {"view_apply": "orders"}]}],
                    "list": [{"view_read": "orders", **(how or {})}, {"work": "1ms"}],
                    "primary": [{"wait": "40ms"}],
                },
            }
        },
        "traffic": {
            "writes": {"sends": "shop.place", "users": {**people, "population": "people"}},
            "reads": {"sends": "shop.list", "users": {**people, "population": "people"}},
        },
    }


def total(played, what, name="orders"):
    return played.records.gauge("shop", f"{what} {name}")[-1]


@pytest.mark.parametrize(("later", "stale"), [(0.0999, 1), (0.1001, 0)])
def test_a_copy_that_is_a_tenth_of_a_second_behind_is_stale_for_that_long(later, stale):
    played = testing.play_on_both(system(), {"writes": [1.0], "reads": [1.0 + later]})
    assert (total(played, "views_stale"), total(played, "views_fresh")) == (stale, 1 - stale)


def test_who_has_written_nothing_reads_nothing_old():
    played = testing.play_on_both(system(), {"writes": [1.0], "reads": [0.5, 0.9]})
    assert (total(played, "views_stale"), total(played, "views_fresh")) == (0, 2)


def test_a_second_write_is_looked_for_as_the_first_was():
    """Shown at 1.1 and 1.15; at 1.12 the second is missing, though the first is there."""
    played = testing.play_on_both(system(), {"writes": [1.0, 1.05], "reads": [1.12, 1.16]})
    assert (total(played, "views_stale"), total(played, "views_fresh")) == (1, 1)


def test_to_wait_for_it_costs_as_many_pauses_as_it_is_late():
    """Shown at 1.1; looked at 1.03, 1.05, 1.07, 1.09, 1.11: 80 ms and the work."""
    played = testing.play_on_both(system(how={"max_wait": "1s", "every": "20ms"}), {"writes": [1.0], "reads": [1.03]})
    assert total(played, "views_waited") == 1
    assert played.responses()[-1] == pytest.approx(0.081)


def test_what_is_not_there_when_the_wait_is_over_is_read_elsewhere():
    how = {"max_wait": "50ms", "every": "20ms", "otherwise": [{"perform": "shop.primary"}]}
    played = testing.play_on_both(system(how=how), {"writes": [1.0], "reads": [1.01]})
    assert [total(played, f"views_{end}") for end in ("fresh", "waited", "elsewhere", "stale")] == [0, 0, 1, 0]
    assert played.responses()[-1] == pytest.approx(0.05 + 0.04 + 0.001)  # 20, 20 and 10 ms, the primary, the work


@pytest.mark.parametrize(
    ("how", "waited"),
    [
        ({"max_wait": "10ms"}, 0.01),  # less than the 20 ms of `every`
        ({"max_wait": "20ms"}, 0.02),
        ({"max_wait": "50ms", "every": "20ms"}, 0.05),
        ({"max_wait": "60ms", "every": "20ms"}, 0.06),
        ({"max_wait": "61ms", "every": "20ms"}, 0.061),
    ],
)
def test_nobody_waits_for_longer_than_max_wait(how, waited):
    """Shown at 1.1, which none of them lives to see; 1 ms of work comes after it."""
    played = testing.play_on_both(system(how=how), {"writes": [1.0], "reads": [1.01]})
    assert total(played, "views_stale") == 1
    assert played.responses()[-1] == pytest.approx(waited + 0.001, abs=1e-9)


@pytest.mark.parametrize(("at", "end"), [(1.049, "views_stale"), (1.051, "views_waited")])
def test_the_last_look_is_when_max_wait_is_over(at, end):
    """Shown at 1.1; looked at 20, 40 and 50 ms after it began."""
    how = {"max_wait": "50ms", "every": "20ms"}
    played = testing.play_on_both(system(how=how), {"writes": [1.0], "reads": [at]})
    assert total(played, end) == 1
    assert played.responses()[-1] == pytest.approx(0.051, abs=1e-9)


@pytest.mark.parametrize(("stale", "outcome"), [("ok", "ok"), ("degraded", "degraded"), ("error", "error")])
def test_a_stale_read_is_told_as_one_says(stale, outcome):
    played = testing.play_on_both(system(how={"stale": stale}), {"writes": [1.0], "reads": [1.05]})
    assert played.outcomes() == ["ok", outcome]


def test_the_figure_counts_the_reads_of_all_steps_after_the_warm_up():
    """Of the view that is read by two steps: before the warm-up is over a stale one, after it one of four. Each step
    has a series of its own.
    """
    document = system() | {"warmup": "10s"}
    document["services"]["shop"]["endpoints"]["list"].append({"view_read": "orders"})
    played = testing.play(document, {"writes": [5.0, 20.0], "reads": [5.01, 20.0995, 30.0]})
    assert [total(played, "views_stale", name) for name in ("orders", "orders #2")] == [2, 1]
    assert measure(played.records, played.scenario).values["stale_reads(orders)"] == pytest.approx(1 / 4)


def test_a_user_does_not_miss_what_another_has_written():
    document = system(users=2)
    for traffic in document["traffic"].values():
        traffic["users"] = {"count": 1}  # two populations of one each
    played = testing.play_on_both(document, {"writes": [1.0], "reads": [1.05]})
    assert (total(played, "views_stale"), total(played, "views_fresh")) == (0, 1)


def test_an_older_write_that_is_shown_late_moves_nothing_back():
    """The first order is shown after a second, at 2.0, the second one after 10 ms. Who looks between them looks for the
    second, and what comes last hides it no more.
    """
    document = system(lag={"replay": {"data": [1.0, 0.01]}})
    played = testing.play_on_both(document, {"writes": [1.0, 1.5], "reads": [1.4, 1.505, 1.6, 2.5]})
    assert (total(played, "views_stale"), total(played, "views_fresh")) == (2, 2)


def test_the_share_that_is_stale_is_that_of_lags_that_are_longer():
    """A read 200 ms after each write of a user of his own kind; lags are exponential, 100 ms on average: exp(-2)."""
    document = system(lag={"exponential": "100ms"})
    writes = [float(second) for second in range(1, 2001)]
    document["duration"] = "2100s"
    played = testing.play(document, {"writes": writes, "reads": [at + 0.2 for at in writes]})
    share = total(played, "views_stale") / len(writes)
    assert share == pytest.approx(math.exp(-2.0), abs=4.0 * math.sqrt(math.exp(-2.0) * (1.0 - math.exp(-2.0)) / 2000))


@pytest.mark.parametrize(
    ("endpoints", "words"),
    [
        ({"list": [{"view_read": "orders"}]}, "unknown view 'orders'; nobody says `view_write: orders`"),
        ({"place": [{"view_write": "orders"}]}, "never shows what is written"),
        (
            {"place": [{"view_write": "orders"}, {"view_apply": "orders"}], "list": [{"view_read": "oders"}]},
            "unknown view 'oders'; did you mean 'orders'",
        ),
        (
            {"place": [{"view_write": "orders"}, {"view_write": "orders", "key": "all"}, {"view_apply": "orders"}]},
            "`key: all` where another write of 'orders' says user",
        ),
        (
            {
                "place": [
                    {"view_write": "a"},
                    {"view_apply": "a"},
                    {"view_read": "a", "stale": "error", "otherwise": [{"wait": "1ms"}]},
                ]
            },
            "found stale beside otherwise",
        ),
    ],
)
def test_views_that_cannot_be_are_told(endpoints, words):
    first = next(iter(endpoints))
    with pytest.raises(ScenarioError, match=words):
        testing.play({"services": {"shop": {"workers": 1, "endpoints": endpoints}}}, [0.1], sends=f"shop.{first}")


def test_a_view_behind_a_queue_is_as_stale_as_the_theory_of_that_says():
    """Events at random, 2.5/s, handled at random in 200 ms: M/M/1, so that from write to view an exponential time of
    400 ms passes on average. Who looks after an exponential think time of 500 ms is too early with 400 / (400 + 500).
    """
    played = testing.play(
        """
        duration: 4000s
        traffic:
          shoppers:
            arrivals: {poisson: 2.5/s}
            users: {count: 1000000}
            visit: {journey: [shop.place, shop.list], think: {exponential: 500ms}}
        services:
          shop: {workers: unlimited, endpoints: {place: [{view_write: orders}, {publish: placed}], list: [{view_read: orders}]}}
          view: {workers: 1, consumes: {placed: {group: view, do: [{wait: {exponential: 200ms}}, {view_apply: orders}]}}}
        brokers: {log: {kind: log, topics: {placed: {partitions: 1}}}}
        record: {spans: none}
        """
    )
    stale, fresh = total(played, "views_stale"), total(played, "views_fresh")
    assert fresh + stale > 8000
    assert stale / (fresh + stale) == pytest.approx(4.0 / 9.0, abs=0.03)


@pytest.mark.parametrize("who", ["call", "route"])
def test_who_writes_where_he_gets_a_token_has_written_himself(who):
    """The provider writes the view, in the request of the reader."""
    document = {"version": 1, **system(users=5)}
    del document["traffic"]["writes"]
    services, reads = document["services"], document["traffic"]["reads"]
    services["idp"] = {"workers": 1, "endpoints": {"token": services["shop"]["endpoints"].pop("place")}}
    services["other"] = {"workers": 1, "endpoints": {"write": [{"call": "idp.token"}]}}
    services["front"] = {"workers": 1, "endpoints": {"list": [{"call": "shop.list"}]}}
    reads["arrivals"] = {"poisson": "1/s"}
    needs = {"token": "idp.token"}
    if who == "call":
        services["front"]["endpoints"]["list"][0].update(needs)
    routes = {"read": {"to": "front.list", **(needs if who == "route" else {})}, "write": {"to": "other.write"}}
    document["gateway"] = {"workers": 1, "routes": routes}
    reads["sends"] = "read"
    others = {"count": 5, "population": "others"}
    document["traffic"]["writes"] = {"sends": "write", "arrivals": {"poisson": "1/s"}, "users": others}
    (scenario,) = load_document(document).variants.values()
    analysis = analysis_of(scenario)
    assert not [one for one in findings(analysis, analysis.load("")) if one.kind == "views_of_strangers"]


@pytest.mark.parametrize(("population", "told"), [("people", 0), ("others", 1)])
def test_check_says_where_readers_are_other_people(population, told):
    document = {"version": 1, **system(users=5)}
    for traffic in document["traffic"].values():
        traffic["arrivals"] = {"poisson": "1/s"}
    document["traffic"]["reads"]["users"]["population"] = population
    (scenario,) = load_document(document).variants.values()
    analysis = analysis_of(scenario)
    found = [one for one in findings(analysis, analysis.load("")) if one.kind == "views_of_strangers"]
    assert [one.finding for one in found] == [f"{population} read it, and people write: other people"] * told
