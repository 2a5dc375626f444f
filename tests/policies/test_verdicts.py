"""What an outcome says to a breaker, by default and by `records` and `ignores`, and as the libraries' own rules have it."""

import pytest

from sim import testing
from sim.policies import breaker as breakers
from sim.policies import library_breakers as library
from sim.policies.verdicts import NO_VERDICT, verdict, verdicts
from sim.spec.policy import CircuitBreaker
from sim.vocabulary import Outcome

BAD, GOOD, NOTHING = 1, 0, NO_VERDICT


def said(exceptions=True, limited=False, **words):
    failing, passing = verdicts(CircuitBreaker.model_validate(words), exceptions, limited)
    return {outcome.word: verdict(failing, passing, int(outcome)) for outcome in Outcome}


def test_by_default_what_the_callee_answers_is_a_success_unless_it_is_a_5xx_or_no_answer():
    """HTTP clients report a 4xx as an answer: no exception, so that onResult, OnActionSuccess and `success` hear of it."""
    assert {word for word, its in said().items() if its == BAD} == {
        "timeout", "error", "unreachable", "shed", "bulkhead_full",
    }  # fmt: skip
    assert {word for word, its in said().items() if its == GOOD} == {
        "ok", "degraded", "refused", "rate_limited", "unauthorized",
    }  # fmt: skip


def test_what_its_own_layers_refuse_is_an_exception_to_a_library_and_nothing_to_ours():
    """BulkheadFullException and RequestNotPermitted are recorded by resilience4j, whose breaker is around both."""
    assert said(limited=True)["rate_limited"] == BAD
    ours = said(exceptions=False, limited=True)
    assert (ours["rate_limited"], ours["bulkhead_full"]) == (NOTHING, NOTHING)
    assert said(exceptions=False)["rate_limited"] == GOOD


@pytest.mark.parametrize(
    ("records", "ignores", "outcome", "expected"),
    [  # resilience4j: ignoreExceptions wins, then recordExceptions, and what neither names is a success
        (["error"], [], "error", BAD),
        (["error"], [], "timeout", GOOD),
        (["error"], [], "bulkhead_full", GOOD),
        (["error"], ["error"], "error", NOTHING),
        (["error"], ["timeout"], "timeout", NOTHING),
        (None, ["timeout"], "timeout", NOTHING),
        (None, ["timeout"], "error", BAD),
        (["rate_limited", "refused"], [], "rate_limited", BAD),
        (["rate_limited", "refused"], [], "refused", BAD),
        ([], [], "error", GOOD),
    ],
)
def test_ignores_wins_over_records_and_the_rest_is_a_success(records, ignores, outcome, expected):
    words = {"ignores": ignores} | ({} if records is None else {"records": records})
    assert said(**words)[outcome] == expected


def test_an_ignored_probe_gives_its_permit_back_and_a_429_closes():
    words = {"consecutive": 1, "open_for": "1s", "ignores": ["timeout"]}
    row, ring = library.new_library_breaker(CircuitBreaker.model_validate(words))
    library.settle(row, ring, 0.0, library.admit(row, ring, 0.0), int(Outcome.ERROR))
    library.settle(row, ring, 1.1, library.admit(row, ring, 1.0), int(Outcome.TIMEOUT))
    assert (row.state, row.permits) == (breakers.HALF_OPEN, 1)
    library.settle(row, ring, 1.3, library.admit(row, ring, 1.2), int(Outcome.RATE_LIMITED))
    assert row.state == breakers.CLOSED


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {circuit_breaker: BREAKER}}]}}
  b: {workers: unlimited, endpoints: {tell: {do: [{fail: 100%}], answers_with: {error: rate_limited}}}}
"""


@pytest.mark.parametrize(
    ("breaker", "refused"),
    [
        ("{failures: 2, within: 1s}", 0),
        ("{failures: 2, within: 1s, records: [rate_limited]}", 3),
        ("{consecutive: 2, records: [rate_limited]}", 3),
        ("{consecutive: 2, records: [rate_limited], ignores: [rate_limited]}", 0),
    ],
)
def test_a_callee_that_answers_429_opens_only_who_records_it(breaker, refused):
    run = testing.play(TEXT.replace("BREAKER", breaker), [1.0, 1.1, 1.2, 1.3, 1.4])
    assert run.outcomes()[5 - refused :] == ["breaker_open"] * refused
    assert "breaker_open" not in run.outcomes()[: 5 - refused]
