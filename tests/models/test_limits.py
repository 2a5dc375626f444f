"""Whose requests a limit counts together, where limits stand, and what a refusal says."""

import pytest

from sim import testing
from sim.errors import ScenarioError

GATE = """
duration: 2m
traffic:
  shop: {sends: GET /, users: {count: 1}, headers: {x-tier: gold}}
  app: {sends: GET /, users: {count: 1}, headers: {x-tier: free}, consumer: partner}
  bot: {sends: GET /other, consumer: partner, headers: {x-tier: free}}
gateway: {workers: 4, rate_limits: [LIMITS], routes: {GET /: {to: shop.get ROUTE}, GET /other: {to: shop.get}}}
services: {shop: {workers: unlimited SERVICE, endpoints: {get: [{work: 1ms}]}}}
"""


def played(limits="", shop=(), app=(), bot=(), route="", service=""):
    text = (
        GATE.replace("LIMITS", limits)
        .replace("ROUTE", route and f", {route}")
        .replace("SERVICE", service and f", {service}")
    )
    return testing.play(text, {"shop": list(shop), "app": list(app), "bot": list(bot)})


def passes(run, name):
    return [outcome == "ok" for outcome in run.outcomes(name)]


@pytest.mark.parametrize(
    ("per", "app", "bot"),
    [
        ("consumer", [True, False], [False]),  # one partner by both routes
        ("[route, consumer]", [True, False], [True]),
        ("[consumer, route]", [True, False], [True]),
        ("traffic", [True, False], [True]),
        ("all", [True, False], [False]),
        ("ip", [True, False], [True]),
    ],
)
def test_each_combination_of_keys_has_a_count_of_its_own(per, app, bot):
    run = played(f"{{per: {per}, rate: 1/m}}", app=[1.0, 2.0], bot=[3.0])
    assert (passes(run, "app"), passes(run, "bot")) == (app, bot)


def test_a_limit_by_header_counts_its_values_apart_and_one_with_when_counts_only_some():
    run = played("{per: header, header: x-tier, rate: 1/m}", shop=[1.0, 2.0], app=[3.0], bot=[4.0])
    assert (passes(run, "shop"), passes(run, "app"), passes(run, "bot")) == ([True, False], [True], [False])
    run = played("{per: all, when: {x-tier: free}, rate: 1/m}", shop=[1.0, 2.0], app=[3.0], bot=[4.0])
    assert (passes(run, "shop"), passes(run, "app"), passes(run, "bot")) == ([True, True], [True], [False])


def test_several_rates_hold_at_once_and_a_refusal_counts_for_none():
    """2 a second and 5 a minute: of three at once the third is refused by the second, and does not count for the
    minute.
    """
    run = played("{per: all, preset: kong, rates: [2/s, 5/m]}", shop=[1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0])
    assert passes(run, "shop") == [True, True, False, True, True, True, False]


def test_of_several_rates_the_longest_retry_after_is_told_in_whole_seconds():
    text = (
        GATE.replace("LIMITS", "{per: all, preset: kong, rates: [1/s, 1/m]}")
        .replace("ROUTE", "")
        .replace("SERVICE", "")
    )
    text = text.replace(
        "headers: {x-tier: gold}",
        "honor_retry_after: true, retry: {max_attempts: 2, backoff: {constant: 0s}, on: [rate_limited]}",
    )
    run = testing.play(text, {"shop": [10.0, 10.25], "app": [], "bot": []})
    assert run.outcomes("shop") == ["ok", "ok"]
    assert run.responses("shop") == [0.001, 50.001]  # 49.75 s until the minute is over, as whole seconds


@pytest.mark.parametrize(
    ("anonymous", "answers"),
    [
        ("shared", ["ok", "rate_limited"]),
        ("ip", ["ok", "rate_limited"]),
        ("free", ["ok", "ok"]),
        ("refused", ["rate_limited", "rate_limited"]),
    ],
)
def test_who_has_no_key_is_dealt_with_as_it_is_said(anonymous, answers):
    run = played(f"{{per: user, rate: 1/m, anonymous: {anonymous}}}", bot=[1.0, 2.0])
    assert run.outcomes("bot") == answers


def test_a_limit_of_a_route_stands_in_the_place_of_those_of_the_gateway_unless_both_are_kept():
    one = "rate_limits: [{per: all, rate: 3/m}]"
    run = played("{per: all, rate: 1/m}", shop=[1.0, 2.0, 3.0, 4.0], bot=[5.0, 6.0], route=one)
    assert (passes(run, "shop"), passes(run, "bot")) == ([True, True, True, False], [True, False])
    run = played("{per: all, rate: 2/m}", shop=[1.0, 2.0, 3.0], route=f"{one}, gateway_limits: kept")
    assert passes(run, "shop") == [True, True, False]


def test_a_limit_of_a_service_answers_429_and_takes_a_worker_first():
    run = played(shop=[1.0, 1.0], bot=[1.5], service="rate_limits: [{per: all, rate: 1/m}]")
    assert (run.outcomes("shop"), run.outcomes("bot")) == (["ok", "rate_limited"], ["rate_limited"])


def test_a_503_is_seen_as_shed_and_booked_as_limited():
    words = "{per: all, preset: nginx, rate: 1/m}"
    text = GATE.replace("LIMITS", words).replace("ROUTE", "").replace("SERVICE", "")
    text = text.replace("headers: {x-tier: gold}", "retry: {max_attempts: 2, backoff: {constant: 62s}, on: [shed]}")
    run = testing.play(text, {"shop": [0.0, 1.0], "app": [], "bot": []})
    assert run.outcomes("shop") == ["ok", "ok"]  # tried again, as what is shed; 1/m is 16 thousandths a second
    assert played(words, shop=[0.0, 1.0]).outcomes("shop") == ["ok", "rate_limited"]


def test_a_held_request_waits_for_its_turn_without_a_worker_of_an_event_loop():
    run = played("{per: all, preset: nginx, rate: 10/s, burst: 5}", shop=[1.0] * 4)
    assert run.responses("shop") == [0.001, 0.101, 0.201, 0.301]


def test_users_behind_one_address_share_a_limit_by_ip():
    text = GATE.replace("LIMITS", "{per: ip, rate: 1/m}").replace("ROUTE", "").replace("SERVICE", "")
    shared = text.replace("users: {count: 1}", "users: {count: 1000, addresses: 1}", 1)
    apart = text.replace("users: {count: 1}", "users: {count: 1000}", 1)
    times = {"shop": [1.0, 2.0, 3.0], "app": [], "bot": []}
    assert testing.play(shared, times).outcomes("shop").count("ok") == 1
    assert testing.play(apart, times).outcomes("shop").count("ok") == 3


def test_a_user_always_has_the_same_header():
    text = (
        GATE.replace("LIMITS", "{per: all, when: {x-tier: free}, rate: 1/h}")
        .replace("ROUTE", "")
        .replace("SERVICE", "")
    )
    text = text.replace("headers: {x-tier: gold}", "headers: {x-tier: {gold: 50%, free: 50%}}")
    run = testing.play(text, {"shop": [float(second) for second in range(1, 40)], "app": [], "bot": []})
    assert run.outcomes("shop").count("ok") in (1, 39)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("{per: usr, rate: 1/s}", "did you mean 'user'"),
        ("{per: [all, user], rate: 1/s}", "`all` alone"),
        ("{per: header, rate: 1/s}", "belong together"),
        ("{per: all, rate: 1/s, nodelay: true}", "words of leaky_bucket"),
        ("{per: all, rate: 1/s, rates: [1/m]}", "expected one of them"),
        ("{per: all, rate: 1/s, wait: 1s}", "resilience4j and guava"),
        ("{per: all, preset: kong, rate: 1/s, algorithm: gcra}", "counts in its own way"),
        ("{per: all, rate: 1/s, burst: 0}", "at least 1"),
        ("{per: all, preset: kongg, rate: 1/s}", "did you mean 'kong'"),
    ],
)
def test_slips_are_told_with_the_nearest_right_word(limit, told):
    with pytest.raises(ScenarioError, match=told.replace("[", r"\[")):
        played(limit, shop=[1.0])
