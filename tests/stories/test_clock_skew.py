"""Rate limits of nodes whose clocks are apart: what passes that should not, and what does not that should."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.spec.loading import load_document

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: 300s
gateway:
  replicas: 2
  workers: unlimited
  clock_skew: [SKEW]
  rate_limits: [{per: all, LIMIT}]
  routes: {GET /x: {to: app.get}}
services: {app: {workers: unlimited, endpoints: {get: [{work: 5ms}]}}}
faults: [FAULT]
"""


def play(limit, arrivals, skew="", fault=""):
    """Requests go to the first node and to the second by turns."""
    text = SYSTEM.replace("SKEW", skew).replace("LIMIT", limit).replace("FAULT", fault)
    return testing.play_on_both(text, arrivals)


def passed(played):
    return [outcome == "ok" for outcome in played.outcomes()]


def test_two_nodes_half_a_window_apart_let_twice_the_limit_through_in_every_minute():
    """A request a second, 10 a minute allowed. The first node enters minute i 30 s early, at 60 i - 30, and begins its
    count with the second one, which is in minute i - 1 still. The key lives for a minute from then on: while the second
    node is in minute i for another half, it finds it gone, and begins it anew with 10 of its own. The key of minute 0 is
    as old as the run, and lives until the second node has left it.
    """
    arrivals = [0.5 + second for second in range(300)]
    right = passed(play("rate: 10/m", arrivals))
    assert [sum(right[minute * 60 : minute * 60 + 60]) for minute in range(5)] == [10] * 5
    apart = passed(play("rate: 10/m", arrivals, "30s, 0s"))
    assert [sum(apart[begin : begin + 60]) for begin in range(30, 270, 60)] == [10, 20, 20, 20]


def test_a_second_is_enough_where_enough_come_in_it():
    """In the last second of each minute of the second node the first one's key has expired: the key of minute 1 begins
    at 59.1 with the first node, and at 119.2 the second is in that minute still.
    """
    arrivals = [minute * 60.0 + at for minute in range(4) for at in (58.1, 58.2, 59.1, 59.2, 59.3, 59.4, 60.1, 60.2)]
    found = passed(play("rate: 2/m", arrivals, "1s, 0s"))
    assert found[:8] == [True, True, True, False, True, False, False, False]
    assert found[8:16] == found[16:24] == [False, False, True, True, True, True, False, False]


def test_a_sliding_counter_weighs_what_the_node_behind_left_in_the_window_before():
    """At 31 s (61 by the first clock) window 0 holds 4 requests, and weighs 59/60 of that there: 3.93 < 4. The second
    node, at 32 s in window 0 still, finds it full.
    """
    arrivals = [1.0, 2.0, 3.0, 4.0, 31.0, 32.0]
    assert passed(play("rate: 4/m, algorithm: sliding_window_counter", arrivals, "30s, 0s")) == [True] * 5 + [False]


def test_a_log_keeps_out_whoever_is_behind_until_his_clock_has_caught_up():
    """Stamps of the first node are 30 s in the future: 31 and 33. A minute after 31 is 91 by either clock: for the first
    node that is 61 s. The list itself is gone a minute after the last that passed, at 63 s, for both.
    """
    limit = "rate: 2/m, algorithm: sliding_log"
    #            first, second, first, second ...
    arrivals = [1.0, 2.0, 3.0, 50.0, 61.1, 61.2, 63.0]
    assert passed(play(limit, arrivals, "30s, 0s")) == [True, True, False, False, True, False, True]
    assert passed(play(limit, arrivals)) == [True, True, False, False, True, False, True]
    early = [1.0, 2.0, 3.0, 60.5]
    assert passed(play(limit, early, "0s, -30s"))[3] is False  # 30.5 by its clock


def test_a_bucket_that_was_told_the_time_by_its_nodes_is_filled_by_every_turn():
    """Issue 2412 of Spring Cloud Gateway: of 4 tokens, 1 a second. The first node is 4 s ahead of the second: at each
    of its turns 4 s have passed since that, though all come within a second.
    """
    limit = "rate: 1/s, burst: 4, preset: spring-cloud-gateway"
    burst = [10.0 + 0.01 * number for number in range(40)]
    assert sum(passed(play(limit, burst, "4s, 0s"))) == 4
    assert sum(passed(play(f"{limit}, clock: node", burst))) == 4
    assert sum(passed(play(f"{limit}, clock: node", burst, "4s, 0s"))) == 40


def test_a_bucket_is_not_filled_by_a_clock_that_is_behind():
    """Time that has passed is cut at 0: four tokens, then one for the second that passes at the node ahead."""
    limit = "rate: 1/s, burst: 4, clock: node"
    arrivals = [10.0, 10.0, 10.0, 10.0]
    assert passed(play(limit, [*arrivals, 10.0], "0s, -5s")) == [True, True, True, True, True]
    ahead_first = [10.0, 10.5]  # the second node is behind: nothing is filled, one of three tokens goes
    assert passed(play("rate: 1/s, burst: 1, clock: node", ahead_first, "0s, -5s")) == [True, False]


def test_bucket4j_takes_tokens_of_the_future_once_and_sets_no_time_back():
    """Two tokens, one in 10 s. The first node, 10 s ahead, has taken the tokens of 20 s by 10 s, and the second is
    given none before its own clock is there, at 30 s.
    """
    limit = "preset: bucket4j, rates: [{rate: 0.1/s, window: 10s, burst: 2}], store: {latency: 0s}"
    arrivals = [10.0, 10.5, 11.0, 19.0, 19.5, 29.0, 29.9, 30.1]
    apart = passed(play(limit, arrivals, "10s, 0s"))
    assert apart == [True, True, False, False, False, False, True, False]
    assert passed(play(limit, arrivals)) == [True, True, False, False, False, True, False, True]


def test_gcra_keeps_out_who_is_behind():
    """T 10 s, burst 0. The first node allows at 1 s, 21 by its clock: tat 31, kept for 10 s. The second has 31 to wait
    for, and after 11 s there is nothing left of it.
    """
    limit = "rate: 6/m, algorithm: gcra, burst: 1, clock: node"
    played = play(limit, [1.0, 2.0, 3.0, 4.0], "20s, 0s")
    assert passed(played) == [True, False, True, False]  # tat 31 - 10 > 2; 31 - 10 <= 23; 41 - 10 > 4
    assert passed(play(limit, [1.0, 12.0], "20s, 0s")) == [True, True]


def test_what_counts_by_the_store_or_a_monotonic_clock_never_notices():
    arrivals = [0.1 * number for number in range(60)]
    for limit in (
        "rate: 30/m, burst: 5",
        "rate: 30/m, algorithm: gcra, burst: 5",
        "rate: 30/m, clock: store",
        "preset: nginx, rate: 30/m, burst: 2, nodelay: true",
        "preset: envoy-local, rate: 30/m, burst: 5",
        "preset: spring-cloud-gateway, rate: 1/s, burst: 5",
        "preset: flask-limiter, rate: 30/m, scope: cluster",
        "preset: guava, rate: 2/s",
        "preset: bucket4j, rate: 30/m, clock: monotonic",
    ):
        wrong = play(limit, arrivals, "7s, -40s", "{at: 2s, clock: gateway, by: 1m}")
        assert passed(wrong) == passed(play(limit, arrivals)), limit


def test_clocks_that_are_all_right_decide_as_without_a_word_of_them():
    """A step that comes when all is over, so that limits must reckon with it, and count as if it never came."""
    arrivals = [0.37 * number for number in range(300)]
    for limit in (
        "rate: 30/m",
        "preset: kong, rates: [2/s, 40/m]",
        "preset: kong-advanced, rate: 40/m",
        "preset: kong-advanced, rate: 60/m, scope: cluster, disable_penalty: true",
        "rate: 40/m, algorithm: sliding_log",
        "rate: 40/m, algorithm: sliding_window_counter",
        "rate: 1/s, burst: 6, clock: node",
        "rate: 1/s, burst: 6, preset: spring-cloud-gateway, clock: node",
        "rate: 40/m, algorithm: gcra, burst: 3, clock: node",
        "rate: 40/m, preset: bucket4j",
        "rate: 40/m, preset: flask-limiter, scope: cluster, algorithm: sliding_log",
    ):
        later = play(limit, arrivals, fault="{at: 299s, clock: gateway, by: 1m}")
        assert passed(later) == passed(play(limit, arrivals)), limit
        assert not all(passed(later)), limit


def test_a_clock_that_is_set_forward_begins_a_window_and_back_returns_to_the_old_one():
    """Kong's local policy, one a minute at each node. At 10 s both are set a minute ahead, at 20 s back."""
    limit = "preset: kong, rate: 1/m"
    arrivals = [1.0, 2.0, 3.0, 4.0, 11.0, 12.0, 13.0, 14.0, 21.0, 22.0]
    step = "{at: 10s, for: 10s, clock: gateway, by: 60s}"
    assert passed(play(limit, arrivals, fault=step)) == [
        True,
        True,
        False,
        False,
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    only = "{at: 10s, for: 10s, clock: gateway, by: 60s, replicas: 1}"
    assert passed(play(limit, arrivals, fault=only))[4:6] == [True, False]


def test_retry_after_is_told_by_the_clock_of_the_node_that_refuses():
    """At 10 s by a clock that is 20 s ahead: the minute is over in 30 s. Who comes again then is at the other node, for
    which it goes on.
    """
    text = SYSTEM.replace("SKEW", "20s, 0s").replace("LIMIT", "rate: 1/m").replace("FAULT", "")
    traffic = (
        "traffic: {clients: {sends: GET /x, honor_retry_after: true, retry: {max_attempts: 2, on: [rate_limited]}}}"
    )
    played = testing.play_on_both(text + traffic, [9.0, 9.5, 10.0])
    assert played.responses()[2] == pytest.approx(30.0)
    assert played.outcomes()[2] == "rate_limited"


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("preset: nginx, clock: node", "reads the monotonic one and no other"),
        ("preset: kong, clock: store", "reads the node one and no other"),
        ("scope: node, clock: store", "there is no store"),
        ("clock: monotonic", "cannot be compared"),
        ("window_from: first_request, clock: node", "expires by the clock of the store"),
    ],
)
def test_clocks_that_cannot_be_read_are_told(limit, words):
    with pytest.raises(ScenarioError, match=words):
        play(f"rate: 2/m, {limit}", [0.1])


def test_windows_are_not_too_many_apart():
    with pytest.raises(
        ScenarioError, match="windows of 1s, and clocks that are 2h apart, expected at most 1,000 windows"
    ):
        play("rate: 2/s", [0.1], "2h, 0s")


def told(limit, skew=("30s", "0s"), **more):
    service = {"replicas": 2, "workers": 100, "clock_skew": list(skew), "endpoints": {"get": [{"work": "5ms"}]}, **more}
    document = {
        "version": 1,
        "duration": "60s",
        "traffic": {"users": {"sends": "app.get", "arrivals": {"poisson": "60/s"}}},
        "services": {"app": {**service, "rate_limits": [{"per": "all", **limit}] if limit else []}},
    }
    (scenario,) = load_document(document).variants.values()
    analysis = analysis_of(scenario)
    return [
        (found.place, found.finding, found.why)
        for found in findings(analysis, analysis.load(""))
        if "clock" in found.kind
    ]


def test_check_says_what_clocks_do_to_a_count():
    ((place, finding, why),) = told({"rate": "10/m"})
    assert (place, finding) == (
        "services.app.rate_limits.0",
        "the clocks of 2 replicas that count together are up to 30s apart",
    )
    assert why.startswith("they count in up to 2 windows at once: 20 may pass where 10 should")
    ((_, _, why),) = told({"rate": "1/s", "burst": 20, "preset": "spring-cloud-gateway", "clock": "node"})
    assert "up to 20 tokens again" in why
    ((_, _, why),) = told({"rate": "10/m", "algorithm": "sliding_log"})
    assert "for up to 30s" in why


def test_check_says_where_a_clock_changes_nothing():
    ((place, finding, why),) = told({"rate": "10/m", "preset": "nginx"})
    assert place == "services.app.rate_limits.0"
    assert finding == "the clocks of app go wrong, and that changes nothing here"
    assert why == "nginx counts by a monotonic clock, which nobody sets"
    ((_, _, why),) = told({"rate": "10/m", "burst": 2})
    assert why == "token_bucket counts by the clock of its store, which is one for all replicas"
    ((place, _, _),) = told(None)
    assert place == "services.app"
    assert told({"rate": "10/m"}, ("0s",)) == []
