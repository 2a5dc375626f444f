"""The budgets of Envoy and the AWS SDK: against what botocore decided, by Envoy's rule, and in calls, event by event."""

import random

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper import attempts
from sim.policies import library_budgets as budgets
from sim.policies import retry
from sim.spec.policy import Budget, Retry
from sim.vocabulary import Outcome

OK, ERROR, TIMEOUT, THROTTLED = (int(one) for one in (Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT, Outcome.RATE_LIMITED))


def quota(**fields):
    return budgets.new_library_budget(Budget.model_validate({"aws": fields}))


def envoy(**fields):
    return budgets.new_library_budget(Budget.model_validate({"envoy": fields}))


def ended(row, outcome, paid=budgets.NOTHING):
    """One attempt, from its beginning to its end; the tokens that are left."""
    budgets.attempt_begins(row)
    budgets.attempt_ends(row, outcome, paid)
    return row.available


def test_a_retry_takes_what_it_follows_and_a_good_end_brings_it_back():
    """Recorded from RetryQuotaChecker of botocore 1.44.8, of 30 tokens: error, throttled, error, good after a throttled one, good at once."""
    row = quota(initial_capacity=30)
    assert (budgets.take(row, ERROR), row.available) == (14, 16)
    assert (budgets.take(row, THROTTLED), row.available) == (5, 11)
    assert (budgets.take(row, ERROR), row.available) == (budgets.NOT_ALLOWED, 11)
    assert ended(row, OK, paid=5) == 16
    assert ended(row, OK) == 17
    assert ended(row, ERROR, paid=14) == 17


def test_tokens_are_never_more_than_there_were_and_the_last_one_can_be_spent():
    row = quota(initial_capacity=14)
    assert (ended(row, OK), budgets.take(row, ERROR), row.available) == (14, 14, 0)


def test_older_sdks_took_more_for_a_timeout():
    row = quota(retry_cost=5, timeout_retry_cost=10)
    assert [budgets.take(row, outcome) for outcome in (ERROR, TIMEOUT, THROTTLED)] == [5, 10, 5]


def test_of_envoy_so_many_retries_are_at_once():
    row = envoy()
    assert [budgets.take(row, ERROR) for _ in range(4)] == [1, 1, 1, budgets.NOT_ALLOWED]
    budgets.attempt_begins(row)
    budgets.attempt_ends(row, ERROR, 1)  # its own has ended before it is decided about
    assert budgets.take(row, ERROR) == 1


def test_a_budget_of_envoy_is_a_share_of_what_is_under_way_rounded_down():
    """20 % of 19 others is 3; the 20th call, where it was answered, still counts, and makes it 4."""
    row = envoy(retry_budget={})
    for _ in range(19):
        budgets.attempt_begins(row)
    assert [budgets.take(row, TIMEOUT) for _ in range(4)] == [1, 1, 1, budgets.NOT_ALLOWED]
    assert [budgets.take(row, ERROR), budgets.take(row, ERROR)] == [1, budgets.NOT_ALLOWED]


def test_without_a_minimum_no_call_alone_is_tried_again():
    row = envoy(retry_budget={"min_retry_concurrency": 0})
    budgets.attempt_begins(row)
    assert budgets.take(row, ERROR) == budgets.NOT_ALLOWED


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, REPLICAS endpoints: {ask: [{call: b.tell, policy: {timeout: 1s, retry: RETRY}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 10ms}]}}
faults: [{errors: {of: b, share: 100%}, at: 10s, for: 10s}]
"""


def made(run):
    """Attempts of each request."""
    of = [attempt.request for attempt in run.attempts("b.tell")]
    return [of.count(number) for number in range(max(of) + 1)]


def played(budget, times):
    retry = f"{{max_attempts: 3, backoff: {{constant: 100ms}}, budget: {budget}}}"
    return testing.play(TEXT.replace("RETRY", retry).replace("REPLICAS", ""), times)


def test_a_quota_of_forty_is_spent_after_two_retries():
    """14 twice for the first call, 12 are left, less than another retry takes."""
    run = played("{aws: {initial_capacity: 40}}", [11.0, 12.0, 21.0])
    assert made(run) == [3, 1, 1]
    assert [event.time for event in run.events("budget_exhausted")] == [12.0]


def test_three_calls_of_four_are_tried_again_at_once():
    """All fail at 11 s; three retries wait 100 ms, and the fourth is one too many. At 12 s all three are over."""
    run = played("{envoy: {}}", [11.0, 11.0, 11.0, 11.0, 12.0])
    assert made(run) == [3, 3, 3, 1, 3]


def test_a_pause_counts():
    """The first waits from 11.0 to 11.1 s, fails, and waits until 11.2 s: one that fails at 11.05 s finds no room, one at 11.15 s neither."""
    run = played("{envoy: {max_retries: 1}}", [11.0, 11.05, 11.15, 11.3])
    assert made(run) == [3, 1, 1, 3]


def test_words_of_two_kinds_do_not_mix():
    with pytest.raises(ScenarioError, match="counts in its own words: initial_capacity"):
        testing.play(TEXT.replace("RETRY", "{budget: {ratio: 20%, aws: {}}}").replace("REPLICAS", ""), [1.0])
    words = "{budget: {envoy: {max_retries: 3, retry_budget: {}}}}"
    with pytest.raises(ScenarioError, match="replaces it, as in Envoy"):
        testing.play(TEXT.replace("RETRY", words).replace("REPLICAS", ""), [1.0])


def test_on_paper_a_quota_is_worth_what_comes_back():
    """Half of the attempts fail: of each retry 7 of 14 tokens are lost in the mean, and each good first attempt brings one: a fourteenth of a retry for a call."""
    retry = Retry.model_validate({"max_attempts": 3, "budget": {"aws": {}}})
    allowed = attempts._allowed(0.5, 0.0, retry)
    each = 0.5 * allowed
    assert each + each**2 == pytest.approx(0.5 / 7.0)


def test_in_the_long_run_the_quota_pays_for_as_many_retries_as_on_paper():
    """Of 30,000 calls whose attempts fail half of the time: a fourteenth of a retry for a call, once the first 500 tokens are spent."""
    row, luck, retries = quota(), random.Random(1), 0
    for _ in range(30_000):
        paid = budgets.NOTHING
        for attempt in range(3):
            good = luck.random() < 0.5
            ended(row, OK if good else ERROR, paid)
            if good or attempt == 2 or (paid := budgets.take(row, ERROR)) == budgets.NOT_ALLOWED:
                break
            retries += 1
    assert (retries - 500 / 7) / 30_000 == pytest.approx(0.5 / 7.0, rel=0.05)


BUDGET = ", budget: {envoy: {retry_budget: {min_retry_concurrency: 0}}}"
OUTAGE = """
version: 1
duration: 10s
traffic: {clients: {sends: a.ask, arrivals: {poisson: 300/s}}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell, policy: {retry: RETRY}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 100ms}, {fail: 100%}]}}
"""


@pytest.mark.parametrize(("budget", "low", "high"), [("", 2.9, 3.0), (BUDGET, 1.17, 1.25)])
def test_in_an_outage_a_fifth_of_what_is_under_way_is_a_quarter_more_load(budget, low, high):
    """All fail after 100 ms: three attempts each. Of Envoy's budget a fifth of some 37 under way are retries: 1 / (1 - 0.2) attempts for a call, less what is rounded down."""
    run = testing.play(OUTAGE.replace("RETRY", f"{{max_attempts: 3, backoff: {{constant: 0s}}{budget}}}"))
    assert low < len(run.attempts("b.tell")) / len(run.outcomes()) <= high


def test_after_a_throttled_answer_the_sdk_waits_longer():
    """ExponentialBackoff of botocore 1.44.8: rand * min(scale * 2 ** (attempt - 1), 20), of 1 s where it was throttled, else of 50 ms."""
    backoff = {"exponential": {"base": "50ms", "throttled_base": "1s", "max": "20s"}}
    row = retry.new_retry(Retry.model_validate({"max_attempts": 9, "backoff": backoff, "jitter": "full"}))
    pauses = [[retry.backoff_after(row, outcome, k, 0.5, 0.0) for k in (1, 2, 6)] for outcome in (ERROR, THROTTLED)]
    assert pauses == [[0.025, 0.05, 0.8], [0.5, 1.0, 10.0]]


def test_in_a_call_too():
    text = TEXT.replace("faults: [{errors: {of: b, share: 100%}, at: 10s, for: 10s}]", "").replace("REPLICAS", "")
    text = text.replace(
        "b: {workers: unlimited,",
        "b: {workers: unlimited, rate_limits: [{per: all, rate: 6/m, window: 10s, algorithm: fixed_window}],",
    )
    rule = "{max_attempts: 2, on: [rate_limited], backoff: {exponential: {base: 50ms, throttled_base: 3s}}}"
    run = testing.play(text.replace("RETRY", rule), [1.0, 8.0])
    assert run.responses() == [0.01, 3.01]
