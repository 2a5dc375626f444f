"""The response cache of a route: where it stands among the gateway's plug-ins, what it keeps for whom, and what it spares."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.report.wiring import wiring_of

TEXT = """
duration: 30s
traffic: {clients: {sends: GET /, items: {count: 1}, users: {count: 1}}}
gateway: {workers: 1, PLUGINS routes: {GET /: {to: shop.get, cache: {CACHE}, ROUTE}}}
services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}, {refuse: REFUSED}]}}}
"""


def gateway(cache="key: item", plugins="", route="authenticate: true", refused="0%"):
    text = TEXT.replace("CACHE", cache).replace("PLUGINS", plugins)
    return text.replace("ROUTE", route).replace("REFUSED", refused)


def last(played):
    records = played.records
    found = dict(zip((series.name for series in records.series), records.gauges[-1], strict=True))
    return {word: found[f"gateway.cache_{word} GET /"] for word in ("hits", "misses", "loads", "entries")}


def both(text, arrivals):
    return testing.play_on_both(text, arrivals)


def test_an_answer_is_kept_for_300_seconds_unless_a_ttl_is_said():
    """It comes at 100 ms, so it is good until 300.1 s."""
    arrivals = [0.0, 1.0, 300.0, 300.2]
    played = testing.play(gateway().replace("30s", "400s"), arrivals)
    assert played.responses() == [0.1, 0.0, 0.0, 0.1]
    assert last(played) == {"hits": 2.0, "misses": 2.0, "loads": 2.0, "entries": 1.0}
    assert testing.play(gateway("key: item, ttl: 500ms"), [0.0, 0.5, 0.7]).responses() == [0.1, 0.0, 0.1]


def test_a_hit_has_been_authenticated_and_counted_as_any_other_request():
    """Kong runs plug-ins by priority: jwt 1450, rate-limiting 910, proxy-cache 100. Three pass a limit of three, of whom
    one has reached the shop; the fourth never looks."""
    plugins = "authentication: {jwt: {work: 10ms}}, rate_limits: [{per: all, rate: 3/m, algorithm: fixed_window}],"
    played = both(gateway(plugins=plugins), [0.0, 1.0, 2.0, 3.0])
    assert played.outcomes() == ["ok", "ok", "ok", "rate_limited"]
    assert played.responses() == [0.11, 0.01, 0.01, 0.01]
    assert last(played) == {"hits": 2.0, "misses": 1.0, "loads": 1.0, "entries": 1.0}


def test_who_is_not_let_in_gets_no_answer_from_the_cache_either():
    played = testing.play(gateway(plugins="authentication: {jwt: {work: 1ms, invalid: 100%}},"), [0.0, 1.0])
    assert played.outcomes() == ["unauthorized", "unauthorized"]
    assert last(played)["misses"] == 0.0


def test_what_is_kept_is_translated():
    """grpc-gateway (998) has asked before proxy-cache looks; its filter of the body comes before what is kept. So the
    request is translated each time, and the answer once."""
    translate = "translate: {to: grpc, work: 3ms, response_work: 20ms}"
    assert both(gateway(route=translate), [0.0, 1.0]).responses() == [0.123, 0.003]


def test_each_user_has_answers_of_its_own_where_the_key_has_the_consumer_in_it():
    text = """
    duration: 30s
    traffic:
      one: {sends: GET /, items: {count: 1}, users: {count: 1}}
      two: {sends: GET /, items: {count: 1}, users: {count: 1}}
    gateway: {workers: 1, routes: {GET /: {to: shop.get, cache: {key: KEY}}}}
    services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}}
    """
    arrivals = {"one": [0.0, 2.0], "two": [1.0, 3.0]}
    for key, responses in (("item", ([0.1, 0.0], [0.0, 0.0])), ("item_of_user", ([0.1, 0.0], [0.1, 0.0]))):
        played = both(text.replace("KEY", key), arrivals)
        assert (played.responses("one"), played.responses("two")) == responses


def test_a_refusal_is_kept_only_where_it_is_said_how_long():
    assert testing.play(gateway(refused="100%"), [0.0, 1.0]).responses() == [0.1, 0.1]
    kept = testing.play(gateway("key: item, negative_ttl: 300s", refused="100%"), [0.0, 1.0])
    assert (kept.outcomes(), kept.responses()) == (["refused", "refused"], [0.1, 0.0])


def test_each_node_has_its_own_cold_one_and_a_crash_empties_it():
    """Clients go round two nodes. With `scope: shared` (Redis, for Kong's advanced one) the second finds what the first
    has brought."""
    plugins = "replicas: 2,"
    assert both(gateway(plugins=plugins), [0.0, 1.0, 2.0, 3.0]).responses() == [0.1, 0.1, 0.0, 0.0]
    shared = gateway("key: item, scope: shared, lookup: 1ms", plugins=plugins)
    assert both(shared, [0.0, 1.0, 2.0]).responses() == [0.101, 0.001, 0.001]
    crash = "faults: [{at: 1s, crash: {}, of: gateway, restart_after: 1s}]\n"
    assert both(gateway() + crash, [0.0, 0.5, 3.0]).responses() == [0.1, 0.0, 0.1]


def test_a_flush_names_the_route():
    flush = "faults: [{at: 1s, flush: GET /, of: gateway}]\n"
    assert both(gateway() + flush, [0.0, 0.5, 2.0]).responses() == [0.1, 0.0, 0.1]
    with pytest.raises(ScenarioError, match="unknown cache 'GET /a'; did you mean 'GET /'"):
        testing.play(gateway() + flush.replace("GET /", "GET /a"), [0.0])


def test_an_event_loop_waits_for_nobody_while_it_asks_for_an_answer():
    """All three miss at once, as in Kong; with nginx's `proxy_cache_lock` one asks and the others wait for it."""
    assert last(both(gateway(), [0.0, 0.01, 0.02]))["loads"] == 3.0
    played = both(gateway("key: item, coalesce: true"), [0.0, 0.01, 0.02])
    assert (played.responses(), last(played)["loads"]) == ([0.1, 0.09, 0.08], 1.0)


def test_a_stale_answer_is_given_while_one_brings_a_new_one():
    """nginx: `proxy_cache_use_stale updating` with `proxy_cache_background_update on`."""
    cache = "key: item, ttl: 1s, stale_while_revalidate: 10s"
    played = both(gateway(cache), [0.0, 2.0, 2.2])
    assert (played.responses(), last(played)["loads"]) == ([0.1, 0.0, 0.0], 2.0)


def test_a_key_wants_traffic_of_this_route_that_it_can_tell_apart():
    with pytest.raises(ScenarioError, match="found no traffic with `items`, by which it tells requests apart"):
        testing.play(gateway().replace("items: {count: 1}, ", ""), [0.0])


def test_on_paper_only_hits_that_are_said_spare_a_call():
    """10/s: of the shop, four workers of 100 ms; of the gateway, whose one worker looks for 1 ms, and translates the
    answers of the misses alone for 20 ms."""
    text = """
    version: 1
    duration: 100s
    traffic: {a: {sends: GET /, arrivals: {deterministic: 10/s}, items: {count: 5}}}
    gateway: {workers: 1, routes: {GET /: {to: shop.get, cache: {HOW, lookup: 1ms}, translate: {to: grpc, work: 0ms, response_work: 20ms}}}}
    services: {shop: {workers: 4, endpoints: {get: [{work: 100ms}]}}}
    """
    for how, misses, badge in (("key: item", 1.0, "cached 5m"), ("hit: 80%", 0.2, "cached 80%")):
        study = sim.load_text(text.replace("HOW", how))
        (load,), (scenario,) = check(study).loads.values(), study.variants.values()
        by_name = {station.name: station.utilisation for station in load.stations}
        assert by_name == pytest.approx({"gateway": 10 * (0.001 + 0.02 * misses), "shop": 10 * 0.1 * misses / 4})
        (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.target == "service:shop"]
        assert badge in arrow.badges
