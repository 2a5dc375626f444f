"""Offered load against sums done by hand: visits, time held, utilisation, bottleneck, bounds of closed workloads."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sim.experiments.comparison import run
from sim.experiments.offered_load import Analysis, OfferedLoad, Station, check
from sim.spec import load_document


def document(services: dict[str, Any], arrivals: Any = None, **more: Any) -> dict[str, Any]:
    traffic = {"clients": {"sends": "front.ask", "arrivals": arrivals or {"poisson": "10/s"}}}
    return {"version": 1, "duration": "100s", "warmup": "1s", "traffic": traffic, "services": services, **more}


def load_of(services: dict[str, Any], arrivals: Any = None, **more: Any) -> OfferedLoad:
    (scenario,) = load_document(document(services, arrivals, **more)).variants.values()
    return Analysis(scenario).load("base")


def station(load: OfferedLoad, name: str, resource: str = "workers") -> Station:
    return next(station for station in load.stations if (station.name, station.resource) == (name, resource))


BACK = {"workers": 2, "endpoints": {"answer": [{"work": "30ms"}, {"wait": "10ms"}]}}


def front(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"workers": 4, "endpoints": {"ask": list(steps)}, **more}


def test_a_thread_is_held_while_the_callee_answers_and_a_loop_is_not():
    network = {"default": {"latency": "1ms"}}
    steps = ({"work": "5ms"}, {"wait": "3ms"}, {"call": "back.answer"})
    threads = station(load_of({"front": front(*steps), "back": BACK}, network=network), "front")
    loop = station(load_of({"front": front(*steps, concurrency="event_loop"), "back": BACK}, network=network), "front")
    assert threads.demand == pytest.approx(0.005 + 0.003 + 0.040 + 0.002)
    assert threads.utilisation == pytest.approx(10 * 0.050 / 4)
    assert loop.demand == pytest.approx(0.005)


def test_a_call_holds_no_longer_than_its_timeout():
    load = load_of({"front": front({"call": "back.answer", "policy": {"timeout": "25ms"}}), "back": BACK})
    assert station(load, "front").demand == pytest.approx(0.025)


def test_work_shares_cores_and_waits_use_none():
    load = load_of({"front": front({"work": "20ms"}, {"wait": "500ms"}, cores=2, replicas=3)})
    assert station(load, "front", "cores").utilisation == pytest.approx(10 * 0.020 / 6)
    assert station(load, "front").utilisation == pytest.approx(10 * 0.520 / 12)


def test_failures_and_refusals_thin_what_follows():
    steps = ({"fail": 0.2}, {"call": "back.answer"}, {"call": "back.answer"})
    load = load_of({"front": front(*steps), "back": {**BACK, "endpoints": {"answer": [{"refuse": 0.5}]}}})
    assert station(load, "back").rate == pytest.approx(10 * 0.8 * 1.5)


def test_a_fallback_runs_for_the_failed_share_alone():
    services = {
        "front": front({"call": "back.answer", "fallback": [{"call": "spare.answer"}]}, {"call": "last.answer"}),
        "back": {"workers": 1, "endpoints": {"answer": [{"fail": 0.1}, {"refuse": 0.5}]}},
        "spare": BACK,
        "last": BACK,
    }
    load = load_of(services)
    assert station(load, "spare").rate == pytest.approx(1.0)
    assert station(load, "last").rate == pytest.approx(10 * (0.9 * 0.5 + 0.1))


def test_branches_run_at_once_and_the_longest_counts():
    load = load_of({"front": front({"parallel": [{"wait": "10ms"}, [{"wait": "30ms"}, {"work": "5ms"}]]})})
    assert station(load, "front").demand == pytest.approx(0.035)


def test_a_reply_frees_the_caller_but_not_the_worker():
    services = {"front": front({"call": "back.answer"}), "back": {"workers": 2, "endpoints": {"answer": ["reply", {"work": "50ms"}]}}}
    load = load_of(services)
    assert station(load, "front").demand == 0
    assert station(load, "back").demand == pytest.approx(0.050)


def test_messages_reach_their_consumers_and_what_those_call():
    services = {
        "front": front({"publish": "orders"}),
        "shipping": {
            "workers": 3,
            "replicas": 2,
            "cores": 1,
            "endpoints": {"ship": [{"work": "20ms"}, {"call": "back.answer"}]},
            "consumes": {"orders": {"group": "shipping", "do": [{"perform": "shipping.ship"}]}},
        },
        "back": BACK,
    }
    load = load_of(services, brokers={"kafka": {"kind": "log", "replication": "4ms", "topics": {"orders": {"partitions": 4}}}})
    consumers = station(load, "shipping <- orders", "consumers")
    assert station(load, "front").demand == pytest.approx(0.004)
    assert (consumers.servers, consumers.rate) == (2, pytest.approx(10))  # one for each replica
    assert consumers.demand == pytest.approx(0.060)
    assert station(load, "shipping", "cores").utilisation == pytest.approx(10 * 0.020 / 2)
    assert station(load, "shipping").rate == 0
    assert station(load, "back").rate == pytest.approx(10)


def test_no_more_members_are_busy_than_there_are_partitions():
    shipping = {"workers": 8, "consumes": {"orders": {"group": "g", "consumers": 8, "do": [{"work": "1ms"}]}}}
    services = {"front": front({"publish": "orders"}), "shipping": shipping}
    load = load_of(services, brokers={"kafka": {"kind": "log", "topics": {"orders": {"partitions": 3}}}})
    assert station(load, "shipping <- orders", "consumers").servers == 3


def test_the_peak_is_that_of_the_profile():
    profile = {"profile": [{"for": "90s", "rate": "10/s"}, {"for": "10s", "rate": "60/s"}]}
    busy = station(load_of({"front": front({"work": "100ms"})}, profile), "front")
    assert (busy.rate, busy.rate_peak) == (pytest.approx(15), pytest.approx(60))
    assert (busy.utilisation, busy.utilisation_peak) == (pytest.approx(0.375), pytest.approx(1.5))


def test_the_bottleneck_is_full_first_and_the_capacity_says_when():
    load = load_of({"front": front({"work": "5ms"}, {"call": "back.answer"}), "back": BACK})
    assert load.bottleneck is not None
    assert load.bottleneck.name == "back"
    assert load.capacity == pytest.approx(5.0)


GATEWAY = {"workers": 2, "replicas": 2, "work": "1ms", "routes": {"GET /": {"to": "front.ask"}}}


def gated(**gateway: Any) -> OfferedLoad:
    text = document({"front": front({"work": "10ms"})})
    text["traffic"]["clients"]["sends"] = "GET /"
    (scenario,) = load_document({**text, "gateway": {**GATEWAY, **gateway}}).variants.values()
    return Analysis(scenario).load("base")


def test_the_gateway_is_a_station_of_its_own():
    load = gated(authentication={"jwt": {"work": "2ms", "invalid": 0.5}}, routes={"GET /": {"to": "front.ask", "translate": {"to": "grpc", "work": "4ms"}}})
    assert station(load, "gateway").rate == 10
    assert station(load, "gateway").demand == pytest.approx(0.003 + 0.5 * 0.004)
    assert station(load, "front").rate == pytest.approx(5)


def test_a_gateway_of_threads_is_held_until_the_answer():
    assert station(gated(concurrency="threads"), "gateway").demand == pytest.approx(0.011)


def test_a_limit_holds_the_load_back_so_that_nothing_behind_it_is_ever_full():
    limited = gated(rate_limits=[{"per": "all", "rate": "4/s"}], workers="unlimited")
    assert station(limited, "front").rate == pytest.approx(4)
    assert math.isinf(limited.capacity)


def test_introspection_costs_a_call_per_user_replica_and_lifetime_of_the_cache():
    """Each of the 100 users comes to each of the two replicas 0.05 times a second, and is forgotten after 10 s."""
    text = document({"front": front({"work": "1ms"}), "identity": {"workers": 4, "endpoints": {"check": [{"work": "5ms"}]}}})
    text["traffic"]["clients"] |= {"sends": "GET /", "users": {"count": 100}}
    oauth = {"introspect": "identity.check", "cache_ttl": "10s", "lookup": "0.1ms"}
    (scenario,) = load_document({**text, "gateway": {**GATEWAY, "authentication": {"oauth": oauth}}}).variants.values()
    assert station(Analysis(scenario).load("base"), "identity").rate == pytest.approx(10 / (1 + 0.05 * 10))


def test_a_closed_workload_sends_no_more_than_its_bounds():
    few = load_of({"front": front({"work": "100ms"})}, {"closed": {"users": 10, "think": "900ms"}})
    many = load_of({"front": front({"work": "100ms"})}, {"closed": {"users": 1000, "think": "900ms"}})
    assert few.closed[0].by_users == pytest.approx(10.0)
    assert few.closed[0].by_bottleneck == pytest.approx(40.0)
    assert station(few, "front").rate == pytest.approx(10)
    assert station(many, "front").rate == pytest.approx(40)
    assert station(many, "front").utilisation == pytest.approx(1)


def test_the_report_reads_as_a_table_and_variants_that_are_alike_share_one():
    text = document({"front": front({"work": "10ms"})})
    report = check(load_document({**text, "variants": {"a": {}, "b": {}, "c": {"services": {"front": {"replicas": 2}}}}}))
    lines = str(report).splitlines()
    assert lines[0] == "a, b"
    assert lines[1].split() == ["station", "resource", "servers", "rate", "at", "peak", "held", "load", "at", "peak"]
    assert lines[2].split() == ["front", "workers", "4", "10/s", "10/s", "10ms", "2.5%", "2.5%"]
    assert lines[3] == "  bottleneck: front (workers) at 2.5%; full at 40 times this load"
    assert "c" in lines
    assert "<pre>" in report._repr_html_()


def test_a_simulated_shop_is_as_busy_as_the_paper_says():
    """Utilisation law: threads of the front are held for its own work, the links and the whole answer of the back."""
    services = {"front": front({"work": {"exponential": "20ms"}}, {"fail": 0.25}, {"call": "back.answer"}, replicas=5), "back": {**BACK, "workers": 4}}
    study = load_document(document(services, {"poisson": "60/s"}, network={"default": {"latency": "2ms"}}))
    paper = Analysis(study.variants["base"]).load("base")
    simulated = run(study, replications=4, jobs=1).variants["base"].metrics
    for name in ("front", "back"):
        figure = simulated[f"utilisation({name})"]
        assert abs(station(paper, name).utilisation - figure.value) < 3 * figure.half_width + 0.02, name
