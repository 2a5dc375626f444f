"""A cache by itself: what it keeps, for how long, who waits for whom; and how often it hits, against Che and against a list."""

import math
from collections import OrderedDict

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.models import simulate
from sim.report.wiring import wiring_of


def play(cache, arrivals, then="{wait: 10ms}", shop="workers: 100", more="", items="{count: 1}"):
    return testing.play(
        f"""
        traffic: {{clients: {{sends: shop.look, items: {items}}}}}
        services: {{shop: {{{shop}, endpoints: {{look: [{{cache: {{name: c, {cache}, then: [{then}]}}}}]}}}}}}
        {more}
        """,
        list(arrivals),
    )


def last(played):
    records = played.records if hasattr(played, "records") else played
    names = (series.name.removeprefix("shop.cache_").removesuffix(" c") for series in records.series)
    return dict(zip(names, records.gauges[-1], strict=True))


# ---- one entry


def test_the_first_look_misses_and_the_next_hits_until_the_ttl_is_over():
    played = play("key: item, ttl: 5s", [0.0, 1.0, 5.0, 5.02, 6.0])
    assert played.responses() == [0.01, 0.0, 0.0, 0.01, 0.0]  # it came at 10 ms, and is good until 5.01 s
    assert (last(played)["hits"], last(played)["misses"], last(played)["entries"]) == (3.0, 2.0, 1.0)


def test_without_coalescing_all_who_miss_at_once_find_out_for_themselves():
    played = play("key: item, ttl: 5s", [0.0, 0.004, 0.009, 0.011])
    assert (played.responses(), last(played)["loads"]) == ([0.01, 0.01, 0.01, 0.0], 3.0)


def test_with_coalescing_one_finds_out_and_the_others_wait_for_him():
    played = play("key: item, ttl: 5s, coalesce: true", [0.0, 0.004, 0.009, 0.011])
    assert (played.responses(), last(played)["loads"], last(played)["joined"]) == ([0.01, 0.006, 0.001, 0.0], 1.0, 2.0)


def test_those_who_wait_get_the_error_too_and_an_error_is_not_kept():
    played = play("key: item, coalesce: true", [0.0, 0.004, 0.02], then="{wait: 10ms}, {fail: 100%}")
    assert (played.outcomes(), played.responses()) == (["error"] * 3, [0.01, 0.006, 0.01])


def test_where_the_first_is_stopped_another_takes_over():
    """His client goes away at 6 ms; the second, who has waited since 4 ms, begins anew then."""
    text = """
    traffic:
      hasty: {sends: GET /, items: {count: 1}}
      patient: {sends: GET /slow, items: {count: 1}}
    gateway:
      workers: 9
      routes:
        GET /: {to: shop.look, policy: {timeout: 6ms, on_timeout: cancel}}
        GET /slow: {to: shop.look}
    services:
      shop: {workers: 9, endpoints: {look: [{cache: {name: c, key: item, coalesce: true, then: {wait: 10ms}}}]}}
    """
    played = testing.play(text, {"hasty": [0.0], "patient": [0.004]})
    assert (played.outcomes("hasty"), played.outcomes("patient")) == (["timeout"], ["ok"])
    assert played.responses("patient") == [0.012]


def test_a_refusal_is_kept_only_with_a_ttl_of_its_own():
    then = "{wait: 10ms}, {refuse: 100%}"
    assert play("key: item, ttl: 5s", [0.0, 1.0], then=then).responses() == [0.01, 0.01]
    played = play("key: item, ttl: 5s, negative_ttl: 2s", [0.0, 1.0, 3.0], then=then)
    assert (played.outcomes(), played.responses()) == (["refused"] * 3, [0.01, 0.0, 0.01])


def test_a_stale_entry_is_given_while_one_brings_a_new_one():
    played = play("key: item, ttl: 5s, stale_while_revalidate: 10s", [0.0, 6.0, 6.004, 6.02, 30.0])
    assert played.responses() == [0.01, 0.0, 0.0, 0.0, 0.01]
    assert (last(played)["stale"], last(played)["loads"], last(played)["hits"]) == (2.0, 3.0, 1.0)


def test_a_stale_entry_is_given_where_a_new_one_cannot_be_had():
    """The first is good; from 3 s on the fault fails all calls."""
    text = """
    traffic: {clients: {sends: shop.look, items: {count: 1}}}
    services:
      shop: {workers: 9, endpoints: {look: [{cache: {name: c, key: item, ttl: 2s, stale_if_error: 4s, then: {call: db.read}}}]}}
      db: {workers: 9, endpoints: {read: [{wait: 10ms}]}}
    faults: [{at: 3s, errors: {of: db, share: 100%}}]
    """.replace("errors: {of: db, share: 100%}", "errors: {}, of: db, share: 100%")
    assert testing.play(text, [0.0, 4.0, 9.0]).outcomes() == ["ok", "ok", "error"]


def test_what_a_fallback_stood_in_for_is_not_kept():
    text = """
    traffic: {clients: {sends: shop.look, items: {count: 1}}}
    services:
      shop: {workers: 9, endpoints: {look: [{cache: {name: c, key: item, then: {call: db.read, fallback: [{work: 1ms}]}}}]}}
      db: {workers: 9, endpoints: {read: [{fail: 100%}]}}
    """
    assert testing.play(text, [0.0, 1.0]).outcomes() == ["degraded", "degraded"]


def test_each_replica_has_its_own_and_a_shared_one_is_for_all():
    assert play("key: item", [0.0, 1.0, 2.0, 3.0], shop="workers: 9, replicas: 2").responses() == [0.01, 0.01, 0.0, 0.0]
    shared = play("key: item, scope: shared, lookup: 1ms", [0.0, 1.0, 2.0], shop="workers: 9, replicas: 2")
    assert shared.responses() == [0.011, 0.001, 0.001]


def test_a_crash_empties_the_cache_of_its_replica_and_not_a_shared_one():
    crash = "faults: [{at: 1s, crash: {}, of: shop, restart_after: 1s}]"
    assert play("key: item", [0.0, 3.0, 4.0], more=crash).responses() == [0.01, 0.01, 0.0]
    assert play("key: item, scope: shared", [0.0, 3.0], more=crash).responses() == [0.01, 0.0]


def test_two_steps_of_one_name_look_into_one_cache():
    text = """
    traffic: {clients: {sends: {shop.look: 1, shop.buy: 0}, items: {count: 1}}}
    services:
      shop:
        workers: 9
        endpoints:
          look: [{cache: {name: c, key: item, then: {wait: 10ms}}}, {cache: {name: c, key: item, then: {wait: 10ms}}}]
          buy: [{work: 1ms}]
    """
    assert testing.play(text, [0.0]).responses() == [0.01]


def test_hits_by_share_are_hits_by_share():
    played = play("hit: 80%", [float(second) for second in range(2000)])
    assert played.responses().count(0.01) == pytest.approx(400, abs=4 * math.sqrt(400 * 0.8))


# ---- many entries

POPULAR = """
version: 1
duration: 600s
warmup: 100s
seed: 3
traffic: {visitors: {sends: shop.look, arrivals: {poisson: 100/s}, items: {count: 500, popularity: {zipf: 0.9}}}}
services: {shop: {workers: 100, endpoints: {look: [{cache: {name: c, CACHE, then: {wait: 1ms}}}]}}}
"""


def hit_share(cache):
    (scenario,) = sim.load_text(POPULAR.replace("CACHE", cache)).variants.values()
    records = simulate(scenario)
    names = [series.name for series in records.series]
    since = records.gauges[np.searchsorted(records.ticks, 100.0)]
    hits, misses = ((records.gauges[-1] - since)[names.index(f"shop.cache_{what} c")] for what in ("hits", "misses"))
    return hits / (hits + misses), records


def shares():
    weights = np.arange(1, 501) ** -0.9
    return weights / weights.sum()


@pytest.mark.long
def test_lru_under_zipf_hits_as_often_as_che_says():
    """Che's approximation: the characteristic time T with sum(1 - exp(-q T)) = size; an item hits with 1 - exp(-q T)."""
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - np.exp(-shares() * middle)).sum() < 50 else (low, middle)
    expected = (shares() * (1 - np.exp(-shares() * high))).sum()
    found, _ = hit_share("key: item, size: 50")
    assert found == pytest.approx(expected, abs=0.015)


@pytest.mark.long
def test_a_ttl_hits_as_often_as_renewals_say():
    """Of a Poisson stream with rate r an entry good for T meets r T hits for each miss: r T / (1 + r T)."""
    rates = 100 * shares()
    expected = (shares() * rates * 4.0 / (1 + rates * 4.0)).sum()
    found, _ = hit_share("key: item, ttl: 4s, coalesce: true")
    assert found == pytest.approx(expected, abs=0.015)


def test_lru_and_ttl_hit_request_by_request_as_a_list_says():
    """Event by event: the same requests against thirty lines that know nothing of the simulator."""
    _, records = hit_share("key: item, size: 40, ttl: 8s")
    rows = records.requests[np.argsort(records.requests["arrival"])]
    kept, coming, hits = OrderedDict(), [], 0
    for at, item in zip(rows["arrival"].tolist(), rows["item"].tolist(), strict=True):
        while coming and coming[0][0] < at:
            came, key = coming.pop(0)
            kept[key] = came + 8.0
            kept.move_to_end(key)
            if len(kept) > 40:
                kept.popitem(last=False)
        if item in kept:
            kept.move_to_end(item)
            if at < kept[item]:
                hits += 1
                continue
        coming.append((at + 0.001, item))
    assert last(records)["hits"] == hits > 10_000


@pytest.mark.parametrize(("look", "share"), [(9.5, 0.75), (10.0, 0.5), (10.5, 0.25)])
def test_jitter_spreads_the_ends_of_entries_evenly(look, share):
    """10 s give or take 10 %: three quarters are good after 9.5 s, a half after 10 s, a quarter after 10.5 s."""
    text = "services: {shop: {workers: 9, endpoints: {look: [{cache: {name: c, key: all, ttl: 10s, jitter: 10%, then: {work: 0ms}}}]}}}"
    hits = [last(testing.play(text, [0.0, look], replication=number))["hits"] for number in range(50)]
    assert np.mean(hits) == pytest.approx(share, abs=0.25)


# ---- elsewhere


def test_on_paper_every_look_misses_unless_the_share_is_said():
    text = """
    version: 1
    duration: 100s
    traffic: {a: {sends: shop.look, arrivals: {deterministic: 10/s}, items: {count: 5}}}
    services:
      shop: {workers: 20, endpoints: {look: [{cache: {name: c, HOW, lookup: 5ms, then: {call: db.read}}}]}}
      db: {workers: 20, endpoints: {read: [{work: 100ms}]}}
    """
    for how, share, badge in (("key: item, ttl: 30s", 1.0, "cached 30s"), ("hit: 75%", 0.25, "cached 75%")):
        study = sim.load_text(text.replace("HOW", how))
        (load,), (scenario,) = check(study).loads.values(), study.variants.values()
        by_name = {station.name: station.utilisation for station in load.stations}
        assert by_name == pytest.approx({"shop": 10 * (0.005 + 0.1 * share) / 20, "db": 10 * 0.1 * share / 20})
        (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.target == "service:db"]
        assert badge in arrow.badges


@pytest.mark.parametrize(
    ("cache", "words"),
    [
        ("size: 5", "found neither `key` nor `hit`, expected one of them"),
        ("key: all, hit: 50%", "found `key` and `hit` together"),
        ("hit: 50%, ttl: 5s", "found `ttl` beside `hit`, which keeps nothing"),
        ("key: all, stale_while_revalidate: 5s", "grows stale but no `ttl`"),
        ("key: item", "found no traffic with `items`"),
        ("key: itme", "'itme'"),
    ],
)
def test_what_is_said_wrong_is_told(cache, words):
    text = f"""
    version: 1
    duration: 10s
    traffic: {{a: {{sends: shop.look, arrivals: {{poisson: 1/s}}}}}}
    services: {{shop: {{workers: 1, endpoints: {{look: [{{cache: {{name: c, {cache}, then: [{{work: 1ms}}]}}}}]}}}}}}
    """
    with pytest.raises(ScenarioError) as caught:
        sim.load_text(text)
    assert words in str(caught.value)
