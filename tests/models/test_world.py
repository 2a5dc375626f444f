"""Whole runs: books that balance, results that do not depend on what is watched, and nothing that a strange scenario could break."""

import numpy as np
import pytest

from sim.errors import BooksDoNotBalance
from sim.models import simulate
from sim.models.running import run
from sim.models.world import World
from sim.spec import Scenario, load_document
from tests.models.any_scenario import any_scenario


def scenario_of(document) -> Scenario:
    return next(iter(load_document(document).variants.values()))


def same(one, other):
    """The same requests, to the last bit."""
    return one.names == other.names and one.requests.tobytes() == other.requests.tobytes()


def check(seed):
    """A strange scenario runs, balances its books (or `simulate` raises), and is the same however closely it is watched."""
    document = any_scenario(seed)
    scenario = scenario_of(document)
    records = simulate(scenario)
    assert all(book.balances for book in records.books)
    assert simulate(scenario).fingerprint() == records.fingerprint()
    watched = simulate(scenario.model_copy(update={"record": scenario.record.model_copy(update={"spans": "all"})}))
    assert watched.fingerprint() == records.fingerprint()
    wary = [
        {"name": f"never {i}", "at": "19.9999999s", "outage": name, "how": how}
        for i, name in enumerate(scenario.services)
        for how in ("hang",)
    ]
    wary += [
        {"name": f"never {i} either", "at": "19.9999999s", "crash": {"of": name, "replicas": 1}}
        for i, name in enumerate(scenario.services)
    ]
    begun = records.requests["end"] < 19.9999999
    looking_out = simulate(scenario_of({**document, "faults": [*document["faults"], *wary]})).requests
    assert np.array_equal(
        np.sort(records.requests["end"][begun]), np.sort(looking_out["end"][looking_out["end"] < 19.9999999])
    )
    spans = watched.spans
    ended = spans[~np.isnan(spans["ended"])]
    assert (ended["arrived"] <= ended["ended"]).all()
    assert not (ended["started"] < ended["arrived"]).any()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_strange_scenarios_run_and_balance_however_they_are_watched(seed):
    check(seed)


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(10, 20))
def test_many_more_strange_scenarios_do(hundred):
    for seed in range(hundred * 100, hundred * 100 + 100):
        check(seed)


SMALL = {
    "version": 1,
    "duration": "10s",
    "traffic": {"t": {"sends": "a.get", "arrivals": {"poisson": "20/s"}}},
    "services": {"a": {"workers": 2, "endpoints": {"get": [{"work": {"exponential": "50ms"}}]}}},
}


def test_books_that_do_not_balance_are_no_result():
    world = World(scenario_of(SMALL))
    world.services["a"].account.offered += 1
    with pytest.raises(BooksDoNotBalance, match="a: offered"):
        run(world)


def test_the_books_of_a_run_name_every_traffic_host_and_topic():
    document = {
        **SMALL,
        "brokers": {"k": {"kind": "log", "topics": {"events": {}}}},
        "gateway": {"workers": 1, "routes": {"GET /": {"to": "a.get"}}},
    }
    document["traffic"] = {"t": {"sends": "GET /", "arrivals": {"poisson": "20/s"}}}
    assert [book.component for book in simulate(scenario_of(document)).books] == ["t", "gateway", "a", "events"]


def test_progress_is_told_at_every_interval_up_to_the_end():
    heard = []
    simulate(scenario_of({**SMALL, "record": {"interval": "2s"}}), progress=heard.append)
    assert heard == [2.0, 4.0, 6.0, 8.0, 10.0]


def test_garbage_collection_is_as_it_was_after_a_run():
    import gc

    assert gc.isenabled()
    simulate(scenario_of(SMALL))
    assert gc.isenabled()


def test_ids_of_two_sources_never_meet():
    document = {
        **SMALL,
        "traffic": {name: {"sends": "a.get", "arrivals": {"poisson": "20/s"}} for name in ("one", "two")},
    }
    requests = simulate(scenario_of(document)).requests
    assert len(np.unique(requests["id"])) == len(requests)
    assert len(np.unique(requests["id"] >> 40)) == 2


def test_a_shared_guard_counts_once_in_the_share_of_open_breakers():
    text = {
        **SMALL,
        "traffic": {"t": {"sends": "b.get", "arrivals": {"deterministic": "20/s"}}},
        "services": {
            "b": {"replicas": 4, "workers": 5, "endpoints": {"get": [{"call": "a.get", "policy": "p"}]}},
            "a": {"workers": 5, "endpoints": {"get": [{"fail": 1.0}]}},
        },
        "policies": {"p": {"circuit_breaker": {"failures": 3, "within": "10s", "open_for": "60s"}, "scope": "service"}},
    }
    records = simulate(scenario_of(text))
    assert records.gauge("b -> a", "breaker_open")[-1] == 1.0
    assert int((records.requests["outcome"] == 9).sum()) == 3
