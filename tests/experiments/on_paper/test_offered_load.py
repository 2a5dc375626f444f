"""Offered load against sums done by hand: visits, time held, utilisation, bottleneck, bounds of closed workloads."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sim.experiments.on_paper import kept_demand
from sim.experiments.on_paper.offered_load import Analysis, OfferedLoad, Station, check
from sim.experiments.replicating.comparison import run
from sim.experiments.shipped import load
from sim.spec import load_document, load_text


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
    services = {
        "front": front({"call": "back.answer"}),
        "back": {"workers": 2, "endpoints": {"answer": ["reply", {"work": "50ms"}]}},
    }
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
    load = load_of(
        services, brokers={"kafka": {"kind": "log", "replication": "4ms", "topics": {"orders": {"partitions": 4}}}}
    )
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
    load = gated(
        authentication={"jwt": {"work": "2ms", "invalid": 0.5}},
        routes={"GET /": {"to": "front.ask", "translate": {"to": "grpc", "work": "4ms"}}},
    )
    assert station(load, "gateway").rate == 10
    assert station(load, "gateway").demand == pytest.approx(0.003 + 0.5 * 0.004)
    assert station(load, "front").rate == pytest.approx(5)


def test_a_gateway_of_threads_is_held_until_the_answer():
    assert station(gated(concurrency="threads"), "gateway").demand == pytest.approx(0.011)


def test_a_limit_holds_the_load_back_and_is_what_is_full():
    """Ten Poisson arrivals in a window of which four pass: E[min(N, 4)]."""
    limited = gated(rate_limits=[{"per": "all", "rate": "4/s"}], workers="unlimited")
    passing = sum(min(n, 4) * math.exp(-10) * 10**n / math.factorial(n) for n in range(60))
    assert station(limited, "front").rate == pytest.approx(passing)
    assert limited.bottleneck is not None
    assert (limited.bottleneck.name, limited.bottleneck.utilisation) == ("gateway all limit", pytest.approx(2.5))
    assert limited.capacity == pytest.approx(0.4, rel=1e-5)


def test_introspection_costs_a_call_per_user_replica_and_lifetime_of_the_cache():
    """Each of the 100 users comes to each of the two replicas 0.05 times a second, and is forgotten after 10 s."""
    text = document(
        {"front": front({"work": "1ms"}), "identity": {"workers": 4, "endpoints": {"check": [{"work": "5ms"}]}}}
    )
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
    report = check(
        load_document({**text, "variants": {"a": {}, "b": {}, "c": {"services": {"front": {"replicas": 2}}}}})
    )
    lines = str(report).splitlines()
    assert lines[0] == "a, b"
    assert lines[1].split() == ["station", "resource", "servers", "rate", "held", "load"], "it is steady: no peak"
    assert lines[2].split() == ["front", "workers", "4", "10/s", "10ms", "2.5%"]
    assert lines[3] == "  bottleneck: front (workers) at 2.5%; full at 40 times this load"
    assert "c" in lines
    assert "<pre>" in report._repr_html_()


def test_where_the_load_has_a_peak_it_stands_beside():
    text = document({"front": front({"work": "10ms"})}, {"profile": [{"rate": "10/s", "for": "5s"}, {"rate": "30/s"}]})
    lines = str(check(load_document({**text, "duration": "10s"}))).splitlines()
    assert lines[1].split() == ["station", "resource", "servers", "rate", "peak", "held", "load", "peak"]
    assert lines[2].split() == ["front", "workers", "4", "20/s", "30/s", "10ms", "5%", "7.5%"]


@pytest.mark.parametrize("name", ["black-friday", "black-friday-at-scale", "08-consumers", "05-breaker", "limits"])
def test_no_line_is_wider_than_the_terminal(name):
    """Long names and warnings go on in the next line; words stay whole, and nothing is lost."""
    report = check(load(name))
    assert max(map(len, report.text(80).splitlines())) <= 80
    assert sorted(report.text(80).split()) == sorted(str(report).split())


def test_a_simulated_shop_is_as_busy_as_the_paper_says():
    """Utilisation law: threads of the front are held for its own work, the links and the whole answer of the back."""
    services = {
        "front": front({"work": {"exponential": "20ms"}}, {"fail": 0.25}, {"call": "back.answer"}, replicas=5),
        "back": {**BACK, "workers": 4},
    }
    study = load_document(document(services, {"poisson": "60/s"}, network={"default": {"latency": "2ms"}}))
    paper = Analysis(study.variants["base"]).load("base")
    simulated = run(study, replications=4, jobs=1).variants["base"].metrics
    for name in ("front", "back"):
        figure = simulated[f"utilisation({name})"]
        assert abs(station(paper, name).utilisation - figure.value) < 3 * figure.half_width + 0.02, name


# ---- what is full


def test_a_timeout_cuts_each_call_and_not_their_mean():
    """99 % take 10 ms and 1 % 90 s: with a timeout of 1 s a thread is held 19.9 ms, not min(910 ms, 1 s)."""
    slow = {
        "workers": 5000,
        "endpoints": {
            "answer": [
                {"wait": {"mixture": [{"weight": "99%", "constant": "10ms"}, {"weight": "1%", "constant": "90s"}]}}
            ]
        },
    }
    load = load_of(
        {"front": front({"call": "back.answer", "policy": {"timeout": "1s"}}, workers=40), "back": slow},
        {"poisson": "30/s"},
    )
    assert station(load, "front").demand == pytest.approx(0.0199)
    assert station(load, "front").utilisation == pytest.approx(30 * 0.0199 / 40)
    assert station(load, "back").demand == pytest.approx(0.9099 + 0.0)


def test_attempts_that_are_made_again_are_visits_too():
    """A fifth of them fails, of up to three attempts each."""
    services = {
        "front": front({"call": "back.answer", "policy": {"retry": {"max_attempts": 3}}}),
        "back": {**BACK, "endpoints": {"answer": [{"fail": 0.2}]}},
    }
    assert station(load_of(services), "back").rate == pytest.approx(10 * (1 + 0.2 + 0.04))


def test_the_places_of_a_bulkhead_are_a_station():
    """Ten calls a second that take a second, and five places in each of two replicas."""
    services = {
        "front": front({"call": "back.answer", "policy": "few"}, workers=100, replicas=2),
        "back": {"workers": 100, "endpoints": {"answer": [{"wait": "1s"}]}},
    }
    load = load_of(services, policies={"few": {"bulkhead": {"max_concurrent_calls": 5}}})
    places = station(load, "front -> back", "places")
    assert (places.servers, places.rate, places.demand, places.utilisation) == (
        10,
        pytest.approx(10),
        pytest.approx(1),
        pytest.approx(1),
    )
    assert load.bottleneck == places
    assert load.capacity == pytest.approx(1.0)
    shared = load_of(services, policies={"few": {"scope": "service", "bulkhead": {"max_concurrent_calls": 5}}})
    assert station(shared, "front -> back", "places").utilisation == pytest.approx(2.0)
    assert shared.capacity == pytest.approx(0.5)


def analysis_of_events(topic: dict[str, Any], consumers: int, **clients: Any) -> Analysis:
    worker = {"workers": 9, "consumes": {"t": {"group": "g", "consumers": consumers, "do": [{"wait": "10ms"}]}}}
    text = document(
        {"front": front({"publish": "t"}), "worker": worker}, brokers={"kafka": {"kind": "log", "topics": {"t": topic}}}
    )
    text["traffic"]["clients"] |= clients
    (scenario,) = load_document(text).variants.values()
    return Analysis(scenario)


def events(topic: dict[str, Any], consumers: int, **clients: Any) -> OfferedLoad:
    return analysis_of_events(topic, consumers, **clients).load("base")


def partition_rates(topic: dict[str, Any], **clients: Any) -> list[float]:
    """Messages per second of each, of ten in all."""
    return [float(rate) for rate in analysis_of_events(topic, 2, **clients).rates.partitions["t"]]


def test_of_a_group_those_count_that_hold_partitions():
    one = station(events({"partitions": 1}, 4), "worker <- t", "consumers")
    assert (one.servers, one.utilisation) == (1, pytest.approx(0.1))


def test_a_member_with_more_partitions_than_the_others_is_hotter():
    """Ten partitions on four members: three of ten for the first."""
    hottest = station(events({"partitions": 10}, 4), "worker <- t", "hottest consumer")
    assert hottest.utilisation == pytest.approx(0.1 * 3 / 10)


def test_the_partition_of_a_popular_user_is_hot():
    """murmur2 of "0", "1", "2" modulo 3 decides who shares a partition: Kafka's own hash, and the shares 6/11, 3/11, 2/11."""
    from sim.policies.partitioner import murmur2

    load = events({"partitions": 3, "key": "user"}, 3, users={"count": 3, "popularity": {"zipf": 1}})
    shares = [0.0] * 3
    for user, share in enumerate((6 / 11, 3 / 11, 2 / 11)):
        shares[(murmur2(str(user).encode()) & 0x7FFFFFFF) % 3] += share
    assert station(load, "worker <- t", "hottest consumer").rate == pytest.approx(10 * max(shares))


def test_a_key_of_ones_own_is_hashed_as_its_text():
    """Of two partitions foobar, which murmur2 hashes to -790332482, has the first, and abc, 479470107, the second."""
    topic = {"partitions": 2, "key_header": "region"}
    both = partition_rates(topic, headers={"region": {"foobar": "70%", "abc": "30%"}})
    assert both == pytest.approx([7.0, 3.0])
    assert partition_rates(topic, headers={"region": "abc"}) == pytest.approx([0.0, 10.0])


def test_in_turn_every_partition_gets_the_same_whatever_the_key():
    topic = {"partitions": 2, "key": "user", "partitioner": "round_robin"}
    rates = partition_rates(topic, users={"count": 3, "popularity": {"zipf": 1}})
    assert rates == pytest.approx([5.0, 5.0])


def test_a_group_with_members_in_two_services_shares_its_messages():
    consume = {"t": {"group": "g", "consumers": 1, "do": [{"wait": "10ms"}]}}
    services = {
        "front": front({"publish": "t"}),
        "one": {"workers": 1, "consumes": consume},
        "two": {"workers": 1, "replicas": 2, "consumes": consume},
    }
    load = load_of(services, brokers={"kafka": {"kind": "log", "topics": {"t": {"partitions": 3}}}})
    assert station(load, "one <- t", "consumers").rate == pytest.approx(10 / 3)
    assert station(load, "two <- t", "consumers").rate == pytest.approx(20 / 3)


def test_messages_that_fail_are_delivered_again():
    worker = {
        "workers": 1,
        "consumes": {"t": {"group": "g", "max_deliveries": 2, "do": [{"wait": "10ms"}, {"fail": 0.5}]}},
    }
    load = load_of(
        {"front": front({"publish": "t"}), "worker": worker}, brokers={"kafka": {"kind": "log", "topics": {"t": {}}}}
    )
    assert station(load, "worker <- t", "consumers").demand == pytest.approx(0.015)


def test_a_token_bucket_of_one_refuses_a_third_at_half_its_rate():
    load = gated(rate_limits=[{"per": "all", "rate": "20/s", "burst": 1}])
    assert station(load, "front").rate == pytest.approx(10 * 2 / 3)
    assert station(load, "gateway all limit", "rate").utilisation == pytest.approx(0.5)


def test_computation_beyond_any_machine_is_told_and_an_ordinary_one_is_not():
    def told(rate: str, **more: Any) -> bool:
        services = {"front": front({"work": "20ms"}, workers=400, **more)}
        return any(
            "compute at once" in finding.finding
            for finding in check(load_document(document(services, {"poisson": rate}))).warnings
        )

    assert told("8000/s")
    assert not told("8000/s", replicas=4)
    assert not told("1000/s")
    assert not told("8000/s", cores=200)


def keeping(work: Any, **policy: Any) -> OfferedLoad:
    call = {
        "call": "back.answer",
        "policy": {"timeout": "100ms", "retry": {"max_attempts": 3, "backoff": {"constant": "0s"}}, **policy},
    }
    return load_of({"front": front(call, workers=99), "back": {"workers": 99, "endpoints": {"answer": [work]}}})


def test_a_request_that_keeps_its_work_is_as_heavy_at_every_try():
    """5 % take longer than the timeout by themselves: all three attempts of theirs time out, and nobody else's; drawn anew there are 0.05 + 0.0025 more.

    The heavy ones take the timeout and another mean each (no memory), three times.
    """
    mean = -0.1 / math.log(0.05)
    kept, drawn = (keeping({"work": {"exponential": f"{mean}s"}, "per": per}) for per in ("request", "attempt"))
    assert station(kept, "back").rate == pytest.approx(10 * 1.1, rel=0.01)
    assert station(kept, "back").utilisation * 99 == pytest.approx(10 * (mean + 2 * 0.05 * (0.1 + mean)), rel=0.02)
    assert station(kept, "front").demand == pytest.approx(mean * 0.95 + 2 * 0.05 * 0.1, rel=0.02)
    assert station(drawn, "back").rate == pytest.approx(10 * 1.0525)
    assert station(drawn, "back").demand == pytest.approx(mean)


def test_one_in_a_hundred_that_hangs_comes_back_as_often_as_it_may():
    """Its 90 s are worked off three times: 9.9 ms + 3 x 0.9 s for each call."""
    work = {"work": {"mixture": [{"weight": "99%", "constant": "10ms"}, {"weight": "1%", "constant": "90s"}]}}
    assert station(keeping(work), "back").utilisation * 99 == pytest.approx(10 * (0.0099 + 2.7), rel=0.01)
    assert station(keeping(work), "front").demand == pytest.approx(0.0099 + 0.01 * 0.3, rel=0.01)


def test_calls_within_calls_that_double_at_every_level_are_followed_all_the_same():
    """Each of 24 services calls the next one twice: 2^24 visits of the last, on paper at once."""
    names = ["front", *(f"s{level}" for level in range(24))]
    services: dict[str, Any] = {}
    for here, there in zip(names, [*names[1:], ""], strict=True):
        steps = [{"work": {"exponential": "1ms"}}, *([{"call": f"{there}.ask"}] * 2 if there else [])]
        services[here] = {"workers": 9, "endpoints": {"ask": steps}}
    load = load_of(services)
    assert station(load, "s23").rate == pytest.approx(10 * 2**24)
    assert station(load, "front").demand == pytest.approx(0.001 * (2**25 - 1))


def test_a_thousand_attempts_are_followed_as_far_as_they_matter():
    """Of a call that fails with 99 %, tried up to a thousand times with jitter: 1 / 0.01 attempts, all but 0.99^1000 of which in the end succeed."""
    retry = {"max_attempts": 1000, "backoff": {"constant": "1ms"}, "jitter": "full"}
    services = {
        "front": front({"call": "back.answer", "policy": {"timeout": "1s", "retry": retry}}, workers=999),
        "back": {"workers": 99, "endpoints": {"answer": [{"work": {"exponential": "1ms"}}, {"fail": 0.99}]}},
    }
    load = load_of(services)
    assert station(load, "back").rate == pytest.approx(10 * (1 - 0.99**1000) / 0.01)
    assert station(load, "front").demand == pytest.approx(
        (1 - 0.99**1000) / 0.01 * 0.001 + 0.0005 * ((1 - 0.99**1000) / 0.01 - 1), rel=0.01
    )


def test_what_is_held_without_end_stays_so_where_requests_keep_their_work(recwarn):
    """The mean of Pareto's with alpha 1 is infinite, however often it is averaged; what requests keep at `b` changes nothing there."""
    text = """\
version: 1
duration: 1m
traffic: {u: {sends: {a.x: 0.5, c.z: 0.5}, arrivals: {poisson: 5/s}}}
policies: {p: {timeout: 50ms, retry: {max_attempts: 3, backoff: {constant: 0s}}}}
services:
  a: {workers: 9, endpoints: {x: [{call: b.y, policy: p}]}}
  b: {workers: 9, endpoints: {y: [{work: {exponential: 40ms}}]}}
  c: {workers: 9, endpoints: {z: [{wait: {pareto: {alpha: 1, minimum: 1ms}}}]}}
"""
    load = check(load_text(text)).loads["base"]
    held = {station.name: station.utilisation for station in load.stations if station.resource == "workers"}
    assert held["c"] == math.inf
    assert 0.0 < held["b"] < 1.0
    assert not recwarn.list


def test_a_route_that_is_split_loads_each_of_its_endpoints_with_its_share():
    """10/s, of which 30 % go to the back: 7/s of 20 ms, and 3/s of 40 ms that are tried twice, since they always fail."""
    split = {"front": front({"work": "20ms"}), "back": {"workers": 2, "endpoints": {"answer": [{"work": "40ms"}]}}}
    gateway = {"workers": 4, "routes": {"GET /": {"to": "front.ask", "split": {"back.answer": 0.3}}}}
    traffic = {"clients": {"sends": "GET /", "arrivals": {"poisson": "10/s"}}}
    load = load_of(split, traffic=traffic, gateway=gateway)
    assert station(load, "front").utilisation == pytest.approx(7 * 0.020 / 4)
    assert station(load, "back").utilisation == pytest.approx(3 * 0.040 / 2)
    gateway["routes"]["GET /"]["policy"] = {"retry": {"max_attempts": 2, "backoff": {"constant": "0s"}}}
    split["back"]["endpoints"]["answer"].append({"fail": 1})
    load = load_of(split, traffic=traffic, gateway=gateway)
    assert station(load, "front").rate == pytest.approx(7)
    assert station(load, "back").rate == pytest.approx(6)


def test_what_is_endless_at_a_node_of_the_mean_is_endless_in_it():
    """Weights that are fitted to a mean may be negative: endless times of both signs would be no number at all."""
    assert kept_demand._with(kept_demand._with(0.0, 0.5, math.inf), -0.1, math.inf) == math.inf
    assert kept_demand._with(kept_demand._with(0.0, 0.5, 2.0), -0.25, 4.0) == 0.0


def test_routes_that_are_told_apart_get_what_their_headers_are_a_share_of():
    """Of 100/s a fifth is gold, half of that by the host that is asked for: 10/s. The rest is 10/s of gold, which passes
    the limit of each tier, and 80/s of free, of which 30/s pass.
    """
    limit = {"per": "header", "header": "x-tier", "rate": "30/s"}
    routes = {
        "GET /": {"to": "shop.all", "rate_limits": [limit]},
        "few": {"matches": "GET /", "headers": {"x-tier": "gold"}, "hosts": "eu.*", "to": "shop.few"},
    }
    headers = {"x-tier": {"Gold": 0.2, "free": 0.8}, "host": {"eu.shop": 0.5, "shop": 0.5}}
    made = document({"shop": {"workers": 1, "endpoints": {"all": [{"work": "1ms"}], "few": [{"work": "2ms"}]}}})
    made["traffic"] = {"clients": {"sends": "GET /", "arrivals": {"deterministic": "100/s"}, "headers": headers}}
    (scenario,) = load_document({**made, "gateway": {"workers": 1, "routes": routes}}).variants.values()
    shop = station(Analysis(scenario).load("base"), "shop")
    assert (shop.rate, shop.utilisation) == pytest.approx((50.0, 0.06))
