"""Functions: who meets a cold start, who is turned away, and when instances go. Times by hand, and Erlang's formula."""

import math

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.metrics import measure
from sim.models import simulate

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def play(said, arrivals, work="100ms", more="", others=""):
    text = f"""
    services: {{shop: {{workers: unlimited, serverless: {{cold_start: 400ms, idle_timeout: 10s, {said}}}, {more} endpoints: {{buy: [{{work: {work}}}]}}}}}}
    {others}
    """
    return testing.play_on_both(text, arrivals)


def level(played, name, at):
    frame = played.records.gauge_frame()
    return float(frame.loc[frame.index <= at, f"shop.{name}"].iloc[-1])


def test_who_finds_no_idle_instance_waits_for_a_new_one():
    """Two at once start two; who comes a second later finds both warm. At 12 s the one that was used at 1.1 s is gone since 11.1 s."""
    played = play("", [0.0, 0.0, 1.0, 12.0])
    assert played.responses() == pytest.approx([0.5, 0.5, 0.1, 0.5])
    assert level(played, "cold_starts", 60.0) == 3.0


def test_the_instance_that_was_used_last_is_used_and_the_other_one_goes():
    """Two are started at 0 s; one request in every second keeps one of them. The other one was used until 0.5 s, and is gone at 10.5 s."""
    played = play("", [0.0, 0.0, *(1.0 + second for second in range(20))])
    assert played.responses()[2:] == pytest.approx([0.1] * 20)
    assert (level(played, "instances", 10.0), level(played, "instances", 11.0), level(played, "instances", 12.0)) == (
        2.0,
        1.5,
        1.0,
    )


def test_beyond_the_limit_it_is_429():
    played = play("limit: 2", [0.0, 0.0, 0.0, 0.6])
    assert played.outcomes() == ["ok", "ok", "rate_limited", "ok"]
    assert level(played, "throttles", 60.0) == 1.0


def test_new_instances_come_no_faster_than_scaling_allows():
    """One in ten seconds, each busy for 30 s: half a start is left at 5 s, a whole one at 10 s."""
    played = play("scaling: {starts: 1, per: 10s}", [0.0, 5.0, 10.0, 11.0, 20.0], work="30s")
    assert played.outcomes() == ["ok", "rate_limited", "ok", "rate_limited", "ok"]


def test_requests_that_share_an_instance_wait_for_the_same_cold_start():
    """Two fit into one: the second waits what is left of its start, 0.3 s; the third has to start another."""
    played = play("concurrency: 2", [0.0, 0.1, 0.2])
    assert played.responses() == pytest.approx([0.5, 0.4, 0.5])
    assert level(played, "cold_starts", 60.0) == 2.0


def test_a_crash_takes_all_instances():
    played = play("", [0.0, 3.0], others="faults: [{at: 1s, crash: {}, of: shop, restart_after: 1s}]")
    assert played.responses() == pytest.approx([0.5, 0.5])


def test_an_instance_is_given_back_where_its_caller_has_gone():
    """The front gives up after 200 ms, in the cold start, and cancels; the instance is there at 0.6 s, warm."""
    text = """
    services:
      front: {workers: 9, endpoints: {ask: [{call: shop.buy, policy: {timeout: 200ms, on_timeout: cancel}}]}}
      shop: {workers: unlimited, serverless: {cold_start: 400ms, idle_timeout: 10s, limit: 1}, endpoints: {buy: [{work: 100ms}]}}
    """
    played = testing.play_on_both(text, [0.0, 0.6], sends="front.ask")
    assert played.outcomes() == ["timeout", "ok"]
    assert played.responses()[1] == pytest.approx(0.1)


def test_instances_are_paid_for_while_they_are_there_warm_or_not():
    """From 0 s until ten seconds after 0.5 s, at one a second."""
    text = """
    version: 1
    duration: 60s
    traffic: {clients: {sends: shop.buy, arrivals: {profile: [{rate: 0/s, for: 10ms}, {rate: 100/s, for: 10ms}, {rate: 0/s}]}}}
    services: {shop: {workers: unlimited, cost: 3600/h, serverless: {cold_start: 400ms, idle_timeout: 10s}, endpoints: {buy: [{work: 100ms}]}}}
    """
    (scenario,) = sim.load_text(text).variants.values()
    assert measure(simulate(scenario), scenario).values["cost"] == pytest.approx(10.5)


def test_who_finds_no_provisioned_instance_free_spills_over_to_a_cold_start():
    """Two are provisioned: of three at once the third starts one. A second later all are warm, and the provisioned ones come first."""
    played = play("provisioned: 2, billing: {}", [0.0, 0.0, 0.0, 1.0, 1.0, 30.0])
    assert played.responses() == pytest.approx([0.1, 0.1, 0.5, 0.1, 0.1, 0.1])
    assert [level(played, name, 60.0) for name in ("cold_starts", "spillover", "executions")] == [1.0, 1.0, 6.0]
    assert level(played, "instances", 60.0) == 2.0


def test_provisioned_instances_count_within_what_is_reserved():
    """Three in all, of which two are provisioned: the fourth at once is turned away."""
    played = play("provisioned: 2, reserved: 3", [0.0] * 4)
    assert played.outcomes() == ["ok", "ok", "ok", "rate_limited"]


def test_provisioned_instances_are_there_again_after_a_crash():
    played = play("provisioned: 1", [0.0, 3.0], others="faults: [{at: 1s, crash: {}, of: shop, restart_after: 1s}]")
    assert played.responses() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(
    ("shop", "mails"),
    [("", 1), ("reserved: 2", 3), ("provisioned: 2", 3), ("reserved: 4", 1)],
)
def test_functions_that_reserve_nothing_share_what_is_left_of_the_account(shop, mails):
    """Five in all. Four for the shop, then four mails: without a reserve one mail is left; with two (reserved or
    provisioned) three, since what the shop has beyond them is turned away or is one of the three."""
    text = f"""
    account_concurrency: 5
    services:
      front: {{workers: unlimited, endpoints: {{buy: [{{call: shop.buy}}], write: [{{call: mail.send}}]}}}}
      shop: {{workers: unlimited, serverless: {{cold_start: 0s, idle_timeout: 1m{", " if shop else ""}{shop}}}, endpoints: {{buy: [{{work: 1s}}]}}}}
      mail: {{workers: unlimited, serverless: {{cold_start: 0s, idle_timeout: 1m}}, endpoints: {{send: [{{work: 1s}}]}}}}
    traffic:
      buyers: {{sends: front.buy}}
      writers: {{sends: front.write}}
    """
    buyers = [0.0] * (2 if "provisioned" in shop or shop == "reserved: 2" else 4)
    played = testing.play_on_both(text, {"buyers": buyers, "writers": [0.5] * 4})
    assert played.outcomes().count("ok") == len(buyers) + mails


def test_a_function_is_billed_by_requests_by_work_and_by_what_is_provisioned():
    """One instance provisioned for 60 s: 60 x 1. Two requests at 10 ms and 510 ms, 100 ms each, in it: 0.2 x 3, and 2 x 5."""
    text = """
    version: 1
    duration: 60s
    traffic: {clients: {sends: shop.buy, arrivals: {profile: [{rate: 0/s, for: 10ms}, {rate: 2/s, for: 1s}, {rate: 0/s}]}}}
    services:
      shop:
        workers: unlimited
        serverless:
          {cold_start: 400ms, idle_timeout: 10s, provisioned: 1, billing: {request: 5, run: 2/s, provisioned: 1/s, run_provisioned: 3/s}}
        endpoints: {buy: [{work: 100ms}]}
    """
    (scenario,) = sim.load_text(text).variants.values()
    records = simulate(scenario)
    requests = len(records.requests)
    assert measure(records, scenario).values["cost"] == pytest.approx(60.0 + requests * (0.1 * 3.0 + 5.0))


def test_what_waits_for_a_cold_start_is_billed():
    """Without a provisioned one: each of two at once is billed 500 ms at 2/s, and a price of 5."""
    text = """
    version: 1
    duration: 60s
    traffic: {clients: {sends: shop.buy, arrivals: {deterministic: 1/m}}}
    services: {shop: {workers: unlimited, serverless: {cold_start: 400ms, idle_timeout: 10s, billing: {request: 5, run: 2/s}}, endpoints: {buy: [{work: 100ms}]}}}
    """
    (scenario,) = sim.load_text(text).variants.values()
    records = simulate(scenario)
    ended = (
        (records.requests["ended"] < 60.0).sum() if "ended" in records.requests.dtype.names else len(records.requests)
    )
    assert ended == len(records.requests)
    assert measure(records, scenario).values["cost"] == pytest.approx(ended * (5.0 + 2.0 * 0.5))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("limit: 9, reserved: 9", "`limit` beside `reserved`"),
        ("reserved: 2, provisioned: 3", r"3 provisioned, expected at most 2 \(reserved\)"),
        ("reserved: 11", "reserve or provision 11, expected at most account_concurrency, 10"),
    ],
)
def test_what_is_reserved_fits(said, words):
    text = f"""
    version: 1
    duration: 10s
    account_concurrency: 10
    traffic: {{clients: {{sends: shop.buy, arrivals: {{poisson: 1/s}}}}}}
    services: {{shop: {{workers: unlimited, serverless: {{cold_start: 1s, idle_timeout: 1m, {said}}}, endpoints: {{buy: [{{work: 1ms}}]}}}}}}
    """
    with pytest.raises(ScenarioError, match=words):
        sim.load_text(text)


def test_the_share_that_is_turned_away_is_that_of_erlang():
    """Without cold starts a limit of five is a system of five servers and no queue: at 4/s x 1 s it loses B(5, 4), whatever the times of work are."""
    text = """
    version: 1
    duration: 4000s
    seed: 3
    traffic: {clients: {sends: shop.buy, arrivals: {poisson: 4/s}}}
    services: {shop: {workers: unlimited, serverless: {cold_start: 0s, idle_timeout: 1h, limit: 5}, endpoints: {buy: [{work: {exponential: 1s}}]}}}
    """
    (scenario,) = sim.load_text(text).variants.values()
    lost = measure(simulate(scenario), scenario).values["outcome_share(rate_limited)"]
    terms = [4.0**k / math.factorial(k) for k in range(6)]
    assert lost == pytest.approx(terms[-1] / sum(terms), abs=0.015)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("workers: 4", "workers: 4"),
        ("workers: unlimited, replicas: 2", "replicas: 2"),
        ("workers: unlimited, cores: 1", "cores"),
    ],
)
def test_it_has_one_replica_with_unlimited_workers(said, found):
    text = f"""
    version: 1
    duration: 10s
    traffic: {{clients: {{sends: shop.buy, arrivals: {{poisson: 1/s}}}}}}
    services: {{shop: {{{said}, serverless: {{cold_start: 1s, idle_timeout: 1m}}, endpoints: {{buy: [{{work: 1ms}}]}}}}}}
    """
    with pytest.raises(ScenarioError, match=f"found `{found}` beside `serverless`"):
        sim.load_text(text)
