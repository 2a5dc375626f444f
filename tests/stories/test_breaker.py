"""Breakers: noise, probes, and what they count."""

from sim import testing

NOISY = """
duration: 30s
traffic: {{clients: {{sends: app.get, arrivals: {{poisson: {rate}/s}}}}}}
services:
  app: {{workers: unlimited, endpoints: {{get: [{{call: bank.get, policy: guarded}}]}}}}
  bank: {{workers: unlimited, endpoints: {{get: [{{fail: {fail}}}]}}}}
policies: {{guarded: {{circuit_breaker: {{failures: 5, within: 1s, open_for: 10s}}}}}}
record: {{spans: none}}
"""


def test_the_breaker_of_the_article_opens_on_noise_at_high_volume_and_turns_it_into_an_outage():
    """One failure in two thousand is five a second at 10,000/s: harmless for the callee's users, fatal with a breaker that counts."""
    played = testing.play(NOISY.format(rate=10000, fail="0.05%").replace("duration: 30s", "duration: 4s"))
    assert played.events("breaker_opened")[0].time < 3.0
    assert played.outcomes().count("breaker_open") > 100 * played.outcomes().count("error")


def test_the_same_share_of_failures_never_opens_it_at_low_volume():
    """Ten requests a second, one in twenty fails: a hundred times the share, and no five failures ever fall into one second."""
    played = testing.play(NOISY.format(rate=10, fail="5%").replace("duration: 30s", "duration: 300s"))
    assert played.outcomes().count("error") > 100
    assert not played.events("breaker_opened")


GUARDED = """
duration: 60s
traffic: {clients: {sends: app.get}}
services:
  app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: guarded}]}}
  bank: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}
policies: {guarded: {timeout: 1s, circuit_breaker: {failures: 3, within: 1s, open_for: 5s, half_open_calls: 2}}}
faults: [{at: 1s, for: 9s, errors: {of: bank, share: 100%}}]
"""


def test_the_life_of_a_breaker_from_closed_to_open_to_half_open_and_back():
    """Failures at 1.0 .. 1.2 open it; the call at 6.3 is a probe, fails, and opens it again; those at 11.4 and 11.5 close it."""
    arrivals = [0.0, 1.0, 1.1, 1.2, 1.3, 6.1, 6.3, 6.4, 11.2, 11.4, 11.5, 11.6]
    played = testing.play(GUARDED, arrivals)
    assert [(event.time, event.kind) for event in played.events() if event.kind.startswith("breaker")] == [
        (1.2, "breaker_opened"),
        (6.3, "breaker_half_opened"),
        (6.3, "breaker_opened"),
        (11.4, "breaker_half_opened"),
        (11.6, "breaker_closed"),
    ]
    words = {"o": "ok", "e": "error", "b": "breaker_open"}
    assert played.outcomes() == [words[letter] for letter in "oeeebbebboob"]
    assert len(played.attempts("bank.get")) == 7


def test_a_timeout_counts_when_it_fires_and_not_when_the_callee_is_done():
    played = testing.play(
        GUARDED.replace("errors: {of: bank, share: 100%}", "slow: {of: bank, by: 100x}"), [1.0, 1.5, 1.9]
    )
    assert [event.time for event in played.events("breaker_opened")] == [2.9]


def test_a_rejection_by_the_breaker_costs_the_callee_nothing_and_the_caller_no_time():
    played = testing.play(GUARDED, [1.0, 1.1, 1.2, 2.0])
    assert played.outcomes()[-1] == "breaker_open"
    assert played.responses()[-1] == 0.0
    assert len(played.attempts("bank.get")) == 3


def test_a_breaker_that_rejects_is_asked_again_only_where_the_retry_says_so():
    system = GUARDED.replace(
        "timeout: 1s,", "timeout: 1s, retry: {max_attempts: 3, backoff: {constant: 4s}, on: [breaker_open]},"
    )
    played = testing.play(system, [1.0, 1.1, 1.2, 2.0])
    assert played.responses()[3:] == [
        8.1
    ]  # rejected at 2.0 s and at 6.0 s; at 10.0 s, when the fault is over, the probe
    assert played.outcomes() == ["error", "error", "error", "ok"]
    assert testing.play(GUARDED, [1.0, 1.1, 1.2, 2.0]).outcomes()[3] == "breaker_open"


def test_probes_that_are_lost_with_a_killed_caller_are_given_back():
    """The caller of the only probe is refused away while it probes: the next call may probe in its stead, or nobody ever could."""
    system = GUARDED.replace("half_open_calls: 2", "half_open_calls: 1").replace("work: 100ms", "work: 500ms")
    system += "  - {name: caller, at: 11200ms, for: 100ms, outage: app, how: refuse}\n"
    system = system.replace(
        "faults: [{at: 1s, for: 9s, errors: {of: bank, share: 100%}}]\n",
        "faults:\n  - {at: 1s, for: 9s, errors: {of: bank, share: 100%}}\n",
    )
    played = testing.play(system, [1.0, 1.1, 1.2, 11.0, 12.0, 13.0])
    assert played.outcomes() == ["error", "error", "error", "unreachable", "ok", "ok"]


def test_probes_of_a_cancelled_caller_are_given_back():
    system = GUARDED.replace("half_open_calls: 2", "half_open_calls: 1").replace("sends: app.get", "sends: edge.get")
    system = system.replace(
        "services:",
        "services:\n  edge: {workers: unlimited, endpoints: {get: [{call: app.get, policy: {timeout: 300ms, on_timeout: cancel}}]}}",
    )
    system = system.replace(
        "faults: [{at: 1s, for: 9s, errors: {of: bank, share: 100%}}]",
        "faults: [{at: 1s, for: 9s, errors: {of: bank, share: 100%}}, {name: slow, at: 10s, for: 5s, slow: {of: bank, by: 10x}}]",
    )
    played = testing.play(system, [1.0, 1.1, 1.2, 12.0, 16.0])
    assert played.outcomes() == ["error", "error", "error", "timeout", "ok"]


def test_a_breaker_that_opens_in_the_middle_is_an_error_for_the_one_at_the_edge():
    """What the middle answers is a 500, whatever the reason; the reason is in the books."""
    system = GUARDED.replace("sends: app.get", "sends: edge.get")
    system = system.replace(
        "services:", "services:\n  edge: {workers: unlimited, endpoints: {get: [{call: app.get, policy: other}]}}"
    )
    system = system.replace(
        "policies: {guarded", "policies: {other: {circuit_breaker: {failures: 4, within: 1s}}, guarded"
    )
    played = testing.play(system, [1.0, 1.1, 1.2] + [1.3 + 0.01 * k for k in range(20)])
    assert [(event.time, event.subject) for event in played.events("breaker_opened")] == [
        (1.2, "app[0]"),
        (1.3, "edge[0]"),
    ]
    assert (set(played.outcomes()[:3]), set(played.outcomes()[3:])) == ({"error"}, {"breaker_open"})
    told = played.attempts("app.get")
    assert (len(told), told[-1].outcome) == (4, "breaker_open"), "after four failures nobody reaches the middle"


def test_a_crashed_caller_comes_back_with_a_closed_breaker():
    system = GUARDED.replace(
        "faults: [", "faults: [{name: crash, at: 2s, crash: {of: app, replicas: 1, restart_after: 1s}}, "
    )
    played = testing.play(system, [1.0, 1.1, 1.2, 1.5, 3.5])
    assert played.outcomes() == ["error", "error", "error", "breaker_open", "error"]


PROBING = """
duration: 30s
traffic: {clients: {sends: app.get}}
services:
  app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: p}]}}
  bank: {workers: unlimited, endpoints: {get: [{work: 1ms}]}}
policies:
  p:
    circuit_breaker:
      resilience4j:
        sliding_window_size: 1
        minimum_number_of_calls: 1
        wait_duration_in_open_state: 1s
        permitted_number_of_calls_in_half_open_state: 2
        max_wait_duration_in_half_open_state: 3s
faults: [{at: 1s, for: 500ms, errors: {of: bank, share: 100%}}, {at: 2500ms, for: 3s, outage: bank, how: blackhole}]
"""


def _states(played):
    return [
        (event.time, event.kind.removeprefix("breaker_"))
        for event in played.events()
        if event.kind.startswith("breaker")
    ]


def test_a_half_open_breaker_whose_time_is_over_has_opened_then_and_not_when_somebody_came():
    """The probe of 3.0 s is lost in a black hole, so the breaker opens at 6.0 s; who comes at 20 s finds it half-open again, and closes it."""
    told = [(1.0, "opened"), (3.0, "half_opened"), (6.0, "opened")]
    assert _states(testing.play(PROBING, [1.0, 3.0])) == told, "nobody comes any more"
    probed = [(20.0, "half_opened"), (20.001, "closed")]
    assert _states(testing.play(PROBING, [1.0, 3.0, 20.0, 20.0])) == told + probed


def test_a_breaker_that_dies_with_its_replica_is_closed_when_it_starts_again():
    system = PROBING.replace("faults: [", "faults: [{at: 2s, crash: {of: app, replicas: 1, restart_after: 1s}}, ")
    assert _states(testing.play(system, [1.0])) == [(1.0, "opened"), (2.0, "closed")]
