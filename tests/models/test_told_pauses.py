"""Callers who obey the Retry-After of a limit of their callee. One request passes in each window of 10 s of the clock, and the others are told how long the rest of it is."""

import pytest

from sim import testing
from sim.policies import retry_after
from sim.policies.retry import new_retry
from sim.spec.policy import Retry
from sim.vocabulary import Outcome

SHOP = """
duration: 60s
traffic:
  one: {sends: shop.buy}
  bot: {sends: stock.get}
policies: {told: {POLICY}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{call: stock.get, policy: told}]}}
  stock: {workers: WORKERS, rate_limits: [{per: all, rate: 0.1/s, window: 10s LIMIT}], endpoints: {get: [{work: 1ms}]}}
MORE
"""
OBEYS = "max_attempts: ATTEMPTS, backoff: {constant: 100ms}, on: [rate_limited, shed, timeout], honor_retry_after: true"


def played(retry="", *, limit="", policy="", attempts=2, workers="unlimited", more="", bot=()):
    words = OBEYS.replace("ATTEMPTS", str(attempts)) + (retry and f", {retry}")
    text = SHOP.replace("POLICY", f"retry: {{{words}}}" + (policy and f", {policy}"))
    text = text.replace("LIMIT", limit and f", {limit}").replace("WORKERS", workers).replace("MORE", more)
    return testing.play_on_both(text, {"one": [9.0, 9.2], "bot": list(bot)})


def second(run):
    return run.outcomes("one")[1], run.responses("one")[1]


@pytest.mark.parametrize(
    ("limit", "answered"),
    [
        ("", 0.801),  # refused at 9.2, told 0.8 s: again at 10.0
        ("retry_after: whole_seconds", 1.001),  # told a whole second: at 10.2
        ("retry_after: whole_seconds, status: 503", 1.001),
    ],
)
def test_a_caller_comes_back_when_the_answer_of_the_limit_says(limit, answered):
    assert second(played(limit=limit)) == ("ok", pytest.approx(answered, abs=1e-9))


def test_where_nothing_is_told_or_nobody_obeys_the_pause_is_that_of_the_back_off():
    silent = played(limit="retry_after: none")
    assert second(silent) == ("rate_limited", pytest.approx(0.1))
    deaf = SHOP.replace("POLICY", "retry: {max_attempts: 2, backoff: {constant: 100ms}, on: [rate_limited]}")
    deaf = deaf.replace("LIMIT", "").replace("WORKERS", "4").replace("MORE", "")
    assert second(testing.play_on_both(deaf, {"one": [9.0, 9.2], "bot": []})) == ("rate_limited", pytest.approx(0.1))


def test_the_longer_of_the_two_pauses_is_waited_for():
    text = SHOP.replace("POLICY", f"retry: {{{OBEYS}}}").replace("ATTEMPTS", "2").replace("100ms", "2s")
    text = text.replace("LIMIT", "").replace("WORKERS", "4").replace("MORE", "")
    assert second(testing.play_on_both(text, {"one": [9.0, 9.2], "bot": []})) == ("ok", pytest.approx(2.001))


@pytest.mark.parametrize(
    ("words", "attempts", "expected"),
    [
        ("max_retry_after: 800ms", 2, ("ok", 0.801)),  # no longer than is waited for
        ("max_retry_after: 700ms", 2, ("rate_limited", 0.0)),  # got and ky: no further attempt
        ("max_retry_after: 700ms, above_max_retry_after: ignore", 2, ("rate_limited", 0.1)),  # Envoy: at 9.3
        ("max_retry_after: 700ms, above_max_retry_after: ignore", 3, ("ok", 0.801)),  # told 0.7 s there: at 10.0
        ("max_retry_after: 500ms, above_max_retry_after: cut", 2, ("rate_limited", 0.5)),  # at 9.7
        ("max_retry_after: 500ms, above_max_retry_after: cut", 3, ("ok", 0.801)),  # told 0.3 s there: at 10.0
    ],
)
def test_a_longer_pause_than_is_waited_for_ends_the_call_or_is_left_out_or_cut(words, attempts, expected):
    outcome, seconds = second(played(words, attempts=attempts))
    assert (outcome, seconds) == (expected[0], pytest.approx(expected[1], abs=1e-9))


def test_a_call_that_is_not_tried_again_takes_nothing_from_the_budget():
    """Twenty calls that give up leave the one retry of the budget to the one whose pause is short."""
    text = SHOP.replace("POLICY", "retry: {max_attempts: 2, backoff: {constant: 0s}, on: [rate_limited], BUDGET}")
    text = text.replace(
        "BUDGET", "honor_retry_after: true, max_retry_after: 1s, budget: {ratio: 0.05, min_per_second: 0}"
    )
    text = text.replace("LIMIT", "").replace("WORKERS", "4").replace("MORE", "")
    run = testing.play_on_both(text, {"one": [1.0 + 0.1 * k for k in range(21)] + [9.2], "bot": []})
    assert run.outcomes("one") == ["ok", *["rate_limited"] * 20, "ok"]


def test_a_full_queue_tells_nothing_even_where_a_limit_has_told_something_before():
    """Told 0.8 s at 9.2; at 10.0 and 10.1 the only worker is busy and the queue full, which costs the back-off alone; it is free at 10.15."""
    text = (
        SHOP.replace("POLICY", f"retry: {{{OBEYS}}}")
        .replace("ATTEMPTS", "4")
        .replace("WORKERS", "1, queue: {capacity: 0}")
    )
    text = text.replace("LIMIT", ", when: {x-tier: free}").replace("MORE", "").replace("work: 1ms", "work: 200ms")
    text = text.replace("one: {sends: shop.buy}", "one: {sends: shop.buy, headers: {x-tier: free}}")
    run = testing.play_on_both(text, {"one": [8.0, 9.2], "bot": [9.95]})
    assert run.outcomes("one") == ["ok", "ok"]
    assert run.responses("one")[1] == pytest.approx(1.2)


def test_an_answer_that_comes_too_late_is_not_heard():
    """It is refused at 9.3, and would know at 9.4 that it is to wait for 0.7 s; but it has given up at 9.35, and tries again at 9.45."""
    run = played(policy="timeout: 150ms", more="network: {default: {latency: 100ms}}")
    assert second(run)[0] == "timeout"
    assert second(run)[1] == pytest.approx(0.4)


def test_a_pause_that_is_told_ends_at_the_total_timeout():
    assert second(played(policy="total_timeout: 500ms")) == ("timeout", pytest.approx(0.5))


def test_of_copies_the_pause_is_that_of_the_last_which_was_refused():
    """Copies at 9.2 and 9.7 are told 0.8 and 0.3 s; a refusal that another copy could mend waits for the second, and then for 0.3 s."""
    run = played(policy="hedge: {after: 500ms, max: 1, on: [shed]}")
    assert second(run) == ("ok", pytest.approx(0.801))


def test_the_gateway_obeys_as_a_caller_and_a_client_by_the_word_of_its_retry():
    gate = """
duration: 60s
traffic: {one: {sends: GET / CLIENT}}
gateway: {workers: 4, routes: {GET /: {to: stock.get ROUTE}}}
services: {stock: {workers: 4, rate_limits: [{per: all, rate: 0.1/s, window: 10s}], endpoints: {get: [{work: 1ms}]}}}
"""
    told = "retry: {max_attempts: 2, backoff: {constant: 100ms}, on: [rate_limited], honor_retry_after: true MOST}"
    for client, route in ((f", {told}", ""), ("", f", policy: {{{told}}}")):
        text = gate.replace("CLIENT", client).replace("ROUTE", route)
        assert second(testing.play_on_both(text.replace("MOST", ""), {"one": [9.0, 9.2]})) == (
            "ok",
            pytest.approx(0.801),
        )
        short = text.replace("MOST", ", max_retry_after: 500ms")
        assert second(testing.play_on_both(short, {"one": [9.0, 9.2]})) == ("rate_limited", 0.0)


def test_the_rule_by_itself():
    rule = new_retry(
        Retry.model_validate({"honor_retry_after": True, "max_retry_after": "5s", "above_max_retry_after": "cut"})
    )
    assert [retry_after.at_least(rule, 2.0, told) for told in (0.0, 1.0, 2.0, 4.0, 5.0, 9.0)] == [2, 2, 2, 4, 5, 5]
    assert [retry_after.heard(outcome, 3.0) for outcome in (Outcome.RATE_LIMITED, Outcome.SHED, Outcome.TIMEOUT)] == [
        3,
        3,
        0,
    ]
