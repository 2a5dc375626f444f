"""Retries as load: a storm that outlasts its cause, what stops it, and how attempts multiply over layers."""

from itertools import pairwise

import pytest

from sim import testing

# 85 requests/s on 10 workers of 100 ms; a ten-second spike to 150/s; callers wait 1 s (house-style.md).
STORM = """
duration: 160s
seed: 7
traffic:
  callers:
    sends: edge.get
    arrivals: {profile: [{rate: 85/s, for: 30s}, {rate: 150/s, for: 10s}, {rate: 85/s}]}
services:
  edge: {workers: unlimited, endpoints: {get: [{call: backend.get, policy: guarded}]}}
  backend: {workers: 10, endpoints: {get: [{work: 100ms}]}}
policies: {guarded: POLICY}
record: {spans: none}
"""


def storm(policy, begin=90.0, end=120.0):
    """Shares of outcomes between fifty and eighty seconds after the spike, or later."""
    requests = testing.play(STORM.replace("POLICY", policy)).requests
    late = requests[(requests["arrival"] >= begin) & (requests["arrival"] < end)]
    return late["outcome"].value_counts(normalize=True).to_dict()


def test_without_retries_the_service_recovers_from_the_spike_by_itself():
    assert storm("{timeout: 1s}").get("ok", 0) > 0.99


def test_retries_without_budget_keep_the_service_down_long_after_the_spike_is_over():
    """The load is 85/s on a capacity of 100/s, and yet nearly nobody is served: the work is done for callers who have given up."""
    assert storm("{timeout: 1s, retry: {max_attempts: 4, backoff: {constant: 0s}}}").get("ok", 0) < 0.05


@pytest.mark.long
def test_a_retry_budget_ends_the_storm():
    """With a twentieth more, 89/s come to a capacity of 100/s: what the spike left behind is gone after a minute or so."""
    assert (
        storm("{timeout: 1s, retry: {max_attempts: 4, backoff: {constant: 0s}, budget: 5%}}", 130.0, 159.0).get("ok", 0)
        > 0.99
    )
    assert storm("{timeout: 1s, retry: {max_attempts: 4, backoff: {constant: 0s}}}", 130.0, 159.0).get("ok", 0) < 0.05


def test_a_budget_that_the_capacity_has_no_room_for_does_not_end_it():
    """A fifth of 85/s more is 102/s."""
    assert (
        storm("{timeout: 1s, retry: {max_attempts: 4, backoff: {constant: 0s}, budget: 20%}}", 130.0, 159.0).get(
            "ok", 0
        )
        < 0.05
    )


def test_a_circuit_breaker_ends_the_storm():
    policy = "{timeout: 1s, retry: {max_attempts: 4, backoff: {constant: 0s}}, circuit_breaker: {failures: 5, within: 1s, open_for: 5s, half_open_calls: 3}}"
    assert storm(policy).get("ok", 0) > 0.99


LAYERS = """
services:
  a: {workers: 1, endpoints: {get: [{work: 1ms}, {call: b.get, policy: again}]}}
  b: {workers: 10, endpoints: {get: [{work: 1ms}, {call: c.get, policy: again}]}}
  c: {workers: 100, endpoints: {get: [{work: 1ms}, {call: d.get, policy: again}]}}
  d: {workers: 100, endpoints: {get: [{work: 1ms}, {fail: 100%}]}}
policies: {again: {retry: {max_attempts: 3, backoff: {constant: 0s}}}}
"""


def test_three_layers_of_three_attempts_make_27_of_one_request_in_a_total_outage():
    played = testing.play(LAYERS, [0.0], sends="a.get")
    assert [len(played.attempts(f"{layer}.get")) for layer in "abcd"] == [1, 3, 9, 27]
    assert played.outcomes() == ["error"]
    assert played.requests["where"].tolist() == ["d.get"]


def test_a_budget_in_every_layer_leaves_one_attempt_where_nothing_was_deposited():
    """One request deposits a fifth of a retry: with a single request nobody has earned any."""
    played = testing.play(LAYERS.replace("max_attempts: 3", "max_attempts: 3, budget: 20%"), [0.0], sends="a.get")
    assert len(played.attempts("d.get")) == 1


def test_a_budget_of_a_fifth_lets_at_most_a_fifth_more_through():
    played = testing.play(
        LAYERS.replace("max_attempts: 3", "max_attempts: 3, budget: 20%"),
        [0.01 * k for k in range(1000)],
        sends="c.get",
    )
    attempts = len(played.attempts("d.get"))
    assert 1190 <= attempts <= 1200


def spent(played):
    return [(round(event.time), event.subject, event.object) for event in played.events("budget_exhausted")]


def test_a_spent_budget_is_told_once_in_a_spell_of_refusals():
    """c may not try d again at 0 s, nor at 5 s, nor at 25 s, after 20 s without a refusal."""
    played = testing.play(
        LAYERS.replace("max_attempts: 3", "max_attempts: 3, budget: 20%"), [0.0, 5.0, 25.0], sends="c.get"
    )
    assert spent(played) == [(0, "c[0]", "d"), (25, "c[0]", "d")]


def test_a_client_whose_budget_is_spent_is_told_of_by_its_name():
    client = "traffic: {clients: {sends: d.get, retry: {max_attempts: 3, backoff: {constant: 0s}, budget: 20%}}}"
    played = testing.play(LAYERS + client, [0.0, 5.0, 25.0])
    assert spent(played) == [(0, "clients", ""), (25, "clients", "")]


AGAIN = """
services:
  a: {workers: 1, endpoints: {get: [{call: b.get, policy: {retry: {RETRY}}}]}}
  b: {workers: 1, endpoints: {get: [{fail: 100%}]}}
"""


def test_only_what_the_policy_names_is_tried_again():
    system = AGAIN.replace("RETRY", "max_attempts: 5, on: [timeout]").replace("fail", "STEP")
    assert len(testing.play(system.replace("STEP", "fail"), [0.0], sends="a.get").attempts("b.get")) == 1
    refused = testing.play(
        system.replace("STEP", "refuse").replace("[timeout]", "[timeout, error, shed]"), [0.0], sends="a.get"
    )
    assert (len(refused.attempts("b.get")), refused.outcomes()) == (1, ["refused"])


@pytest.mark.parametrize(
    ("backoff", "times"),
    [
        ("{constant: 100ms}", [0.0, 0.1, 0.2, 0.3]),
        ("{linear: {base: 100ms, max: 250ms}}", [0.0, 0.1, 0.3, 0.55]),
        ("{exponential: {base: 100ms, multiplier: 3}}", [0.0, 0.1, 0.4, 1.3]),
    ],
)
def test_attempts_go_out_after_the_pauses_of_the_back_off(backoff, times):
    system = AGAIN.replace("RETRY", "max_attempts: 4, backoff: BACKOFF")
    assert [
        attempt.arrived
        for attempt in testing.play(system.replace("BACKOFF", backoff), [0.0], sends="a.get").attempts("b.get")
    ] == times


def test_a_pause_with_full_jitter_is_drawn_anew_for_each_retry_and_never_longer_than_the_rule():
    system = AGAIN.replace("RETRY", "max_attempts: 200, backoff: {constant: 1s}, jitter: full") + "duration: 300s"
    times = [attempt.arrived for attempt in testing.play(system, [0.0], sends="a.get").attempts("b.get")]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(set(pauses)) == len(pauses) == 199
    assert 0.4 < sum(pauses) / len(pauses) < 0.6
    assert max(pauses) <= 1.0


def again(played, service):
    """Attempts that came for a request which had sent one from the same site before."""
    return played.records.gauge(service, "attempts")[-1] - played.records.gauge(service, "first_attempts")[-1]


def test_a_retry_counts_as_one_only_where_a_first_attempt_had_come():
    """The second client is told to wait until it may come in: the shop sees one attempt of each, and has answered no retry."""
    system = """
    traffic: {clients: {sends: GET /, retry: {max_attempts: 2, backoff: {constant: 0s}, on: [rate_limited]}, honor_retry_after: true}}
    gateway: {workers: 1, rate_limits: [{per: all, rate: 1/s}], routes: {GET /: {to: shop.get}}}
    services: {shop: {workers: 1, endpoints: {get: [{work: 1ms}]}}}
    """
    played = testing.play(system, [0.0, 0.1])
    assert (played.outcomes(), len(played.attempts("shop.get"))) == (["ok", "ok"], 2)
    assert (again(played, "gateway"), again(played, "shop")) == (1, 0)


def test_what_a_retry_calls_for_the_first_time_is_no_retry():
    """c fails at first, before it has called d; the second attempt at c is a retry, the one at d that it makes is not."""
    flaky = LAYERS.replace("{fail: 100%}", "").replace("{constant: 0s}", "{constant: 15ms}")
    played = testing.play(flaky + "faults: [{at: 0s, for: 10ms, errors: {of: c, share: 100%}}]", [0.0], sends="a.get")
    assert (played.outcomes(), [again(played, layer) for layer in "abcd"]) == (["ok"], [0, 0, 1, 0])


def test_retries_of_retries_all_count():
    played = testing.play(LAYERS, [0.0], sends="a.get")
    assert [again(played, layer) for layer in "abcd"] == [0, 2, 8, 26]


def test_what_a_redelivered_message_causes_once_more_is_a_retry():
    """Three deliveries of one event, each of which calls twice: the first of either call is none."""
    system = """
    services:
      shop: {workers: 1, endpoints: {buy: [{publish: bought}]}}
      mail: {workers: 1, consumes: {bought: {group: mail, max_deliveries: 3, do: [{call: post.send}, {call: post.file}]}}}
      post: {workers: 1, endpoints: {send: [], file: [{fail: 100%}]}}
    brokers: {kafka: {kind: log, topics: {bought: {partitions: 1}}}}
    """
    played = testing.play(system, [0.0], sends="shop.buy")
    assert (len(played.attempts("post.send")), again(played, "post")) == (3, 4)
