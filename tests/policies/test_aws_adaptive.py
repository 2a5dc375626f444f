"""The AWS SDK's adaptive retry mode: against what botocore set, and in calls, event by event."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies import aws_adaptive

RECORDED = [  # of ClientRateLimiter, botocore 1.44.8, whose clock was ours: time, throttled; max_rate, available_capacity, measured rate
    (0.25, 0, 0.5, 0.25, 0.0),
    (0.75, 0, 0.5, 0.5, 3.2),
    (1.25, 1, 1.568, 0.75, 2.24),
    (1.75, 0, 2.10929, 1.534, 2.048),
    (2.25, 1, 1.40672, 1.40672, 2.0096),
    (4.0, 0, 1.60384, 1.40672, 0.80192),
    (9.0, 0, 0.640768, 1.0, 0.320384),
]


def test_rates_and_tokens_are_those_of_botocore():
    row = aws_adaptive.AdaptiveRow()
    for time, throttled, *expected in RECORDED:
        aws_adaptive.hear(row, time, throttled)
        assert [row.fill_rate, row.tokens, row.measured] == pytest.approx(expected, abs=1e-6)


def test_nobody_waits_before_the_first_throttled_answer():
    row = aws_adaptive.AdaptiveRow()
    assert [aws_adaptive.ask(row, 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_client_that_is_made_later_counts_from_its_whole_second():
    row = aws_adaptive.AdaptiveRow(unborn=1)
    aws_adaptive.hear(row, 7.6, 0)
    assert (row.bucket, row.measured, row.last_fail) == (7.5, pytest.approx(0.8 * 1 / 0.5), 7.6)


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {POLICY rate_limit: LIMIT}}]}}
  b: {workers: unlimited, rate_limits: [{per: all, rate: 6/m, window: 10s, algorithm: fixed_window}], endpoints: {tell: [{wait: 10ms}]}}
"""


def played(times, policy="", limit="{preset: aws_adaptive}"):
    return testing.play(TEXT.replace("POLICY", policy).replace("LIMIT", limit), times)


def test_after_a_throttled_answer_a_call_waits_for_its_token():
    """Good at 1.01 s: measured 0.8 * 1 / 1 = 0.8, rate 0.4 * 1.01^3 = 0.412, so 0.5; the bucket is full with 1 token.

    Throttled at 2 s: measured 0.8 * 1 / 1 + 0.2 * 0.8 = 0.96, rate 0.7 * 0.96 = 0.672. The token is there for the call at 2.5 s. That is throttled, too:
    measured 0.8 * 1 / 0.5 + 0.2 * 0.96 = 1.792, and the rate 0.7 * 0.672 = 0.47, so 0.5. At 2.6 s 0.05 has come; the other 0.95 takes 1.9 s.
    """
    run = played([1.0, 2.0, 2.5, 2.6])
    assert run.outcomes() == ["ok", "rate_limited", "rate_limited", "rate_limited"]
    assert run.responses() == pytest.approx([0.01, 0.0, 0.0, 1.9])


def test_the_wait_ends_with_the_total_timeout():
    run = played([1.0, 2.0, 2.5, 2.6], policy="total_timeout: 500ms,")
    assert run.outcomes()[3] == "timeout"
    assert run.responses()[3] == pytest.approx(0.5)


def test_it_has_no_settings():
    with pytest.raises(ScenarioError, match="beside preset aws_adaptive, which has none"):
        played([1.0], limit="{preset: aws_adaptive, rate: 10/s}")
