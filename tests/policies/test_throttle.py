"""gRPC's retry throttling against its own published test, and in a call."""

import json
from pathlib import Path

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies import throttle

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "grpc_retry_throttle.json").read_text())


def test_tokens_come_and_go_as_in_grpcs_own_test():
    row = throttle.new_throttle(GOLDEN["max_tokens"], GOLDEN["token_ratio"])
    for kind, tokens, *allowed in GOLDEN["events"]:
        if kind == "F":
            throttle.failed(row)
            assert throttle.allows(row) is allowed[0]
        else:
            throttle.succeeded(row)
        assert row.tokens == round(1000 * tokens)


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {retry: RETRY}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 1ms}]}}
faults: [{errors: {of: b, share: 100%}, at: 10s, for: 10s}]
"""
RETRY = "{max_attempts: 3, backoff: {constant: 10ms}, budget: {grpc: {max_tokens: 10, token_ratio: 0.1}}}"


def test_five_failures_of_ten_tokens_stop_the_retries():
    """Of three attempts each: 7 tokens after the first call; the second has two, and finds five, which are not more than half."""
    run = testing.play(TEXT.replace("RETRY", RETRY), [11.0, 12.0, 13.0, 14.0])
    assert [sum(attempt.request == i for attempt in run.attempts("b.tell")) for i in range(4)] == [3, 2, 1, 1]
    assert len(run.events("budget_exhausted")) >= 1


def test_successes_bring_them_back():
    good = [21.0 + i / 100 for i in range(60)]
    bad = TEXT.replace("for: 10s}]", "for: 10s}, {name: again, errors: {of: b, share: 100%}, at: 30s}]")
    run = testing.play(bad.replace("RETRY", RETRY), [11.0, 12.0, 13.0, *good, 31.0])
    assert len([attempt for attempt in run.attempts("b.tell") if attempt.arrived >= 31]) == 3


def test_the_words_of_both_kinds_do_not_mix():
    with pytest.raises(ScenarioError, match="counts in its own words"):
        testing.play(TEXT.replace("RETRY", "{budget: {ratio: 20%, grpc: {max_tokens: 10, token_ratio: 0.1}}}"), [1.0])
    with pytest.raises(ScenarioError, match="the field 'ratio' is missing"):
        testing.play(TEXT.replace("RETRY", "{budget: {ttl: 1s}}"), [1.0])
