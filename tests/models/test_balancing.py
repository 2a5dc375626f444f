"""Balancers that know more: outliers leave and return, who comes back starts slowly, a user keeps his replica."""

import pytest

from sim import testing
from sim.errors import ScenarioError

TEXT = """
duration: 5m
traffic: {clients: {sends: a.get, users: {count: 50}}}
services: {a: {replicas: N, workers: unlimited, load_balancing: LB, endpoints: {get: [{wait: 100ms}]}}}
faults: [FAULT]
"""
BAD = "{errors: {of: a, share: 100%, replicas: 1}, at: 0s, for: 60s}"


def played(balancing, times, replicas=3, fault="{slow: {of: a, by: 1x}, at: 299s}"):
    text = TEXT.replace("LB", balancing).replace("FAULT", fault).replace("N", str(replicas))
    return testing.play(text, times)


def replicas_of(run):
    return [attempt.replica for attempt in run.attempts()]


def test_weights_are_those_of_nginx():
    run = played("{policy: round_robin, weights: [5, 1, 1]}", [i * 0.01 for i in range(7)])
    assert replicas_of(run) == [0, 0, 1, 0, 2, 0, 0]


def test_an_outlier_is_ejected_after_five_errors_and_returns_at_the_end_of_an_interval():
    """Every second one of ten meets an error: the fifth at 4 s. It is out for 30 s, until the look at 40 s, then for 60 s, until 110 s."""
    run = played("{outlier_detection: {}}", [i / 10 for i in range(1500)], 10, BAD)
    assert [(event.time, event.subject) for event in run.events("replica_ejected")] == [(4.0, "a[0]"), (44.1, "a[0]")]
    assert [event.time for event in run.events("replica_returned")] == [40.0, 110.0]
    assert run.outcomes().count("error") == 10


def test_who_is_ejected_again_at_the_end_of_an_interval_is_not_forgiven_by_it():
    """All that goes to one of two fails: rates of 100 and 0 %, mean and deviation 50, and 0 is below 50 - 0.5 x 50. Out from 5 s, for 2 s
    at least; from 15 s, for 4 s; from 25 s, for 6 s, which is over at the look of 35 s; from 40 s, for 8 s.
    """
    rule = "{consecutive_5xx: null, interval: 5s, base_ejection_time: 2s, always_eject_one_host: true, success_rate_minimum_hosts: 2,"
    rule = f"{{outlier_detection: {rule} success_rate_request_volume: 10, success_rate_stdev_factor: 500}}}}"
    run = played(rule, [i / 10 for i in range(490)], 2, BAD)
    assert [event.time for event in run.events("replica_ejected")] == [5.0, 15.0, 25.0, 40.0]
    assert [event.time for event in run.events("replica_returned")] == [10.0, 20.0, 35.0]


def test_failures_of_local_origin_are_none_of_the_server():
    """Half of all time out: 5xx in a row eject, and calls that were connected do not where these are counted apart."""
    slow, rule = (
        "{slow: {of: a, replicas: 1, by: 100x}, at: 0s, for: 60s}",
        "consecutive_5xx: 3, always_eject_one_host: true",
    )
    run = {
        words: testing.play(
            TEXT.replace("sends: a.get", "sends: a.get, timeout: 1s")
            .replace("LB", f"{{outlier_detection: {{{rule}{words}}}}}")
            .replace("FAULT", slow)
            .replace("N", "2"),
            [i / 2 for i in range(20)],
        )
        for words in ("", ", split_external_local_origin_errors: true, consecutive_local_origin_failure: 3")
    }
    assert [len(its.events("replica_ejected")) for its in run.values()] == [1, 0]


def test_kongs_passive_checks_take_a_replica_out_for_ever_unless_active_ones_bring_it_back():
    """Every second call of two fails: the third at 0.4 s. Active checks at 5 and 10 s pass, as errors are of endpoints; it fails again, and the checks of 15 and 20 s pass."""
    kong = "{passive_health_checks: {http_failures: 3}}"
    times = [i / 10 for i in range(200)]
    run = played(kong, times, 2, BAD)
    assert [(event.time, event.subject) for event in run.events("replica_ejected")] == [(0.4, "a[0]")]
    assert run.events("replica_returned") == []
    assert run.outcomes().count("error") == 3
    text = TEXT.replace("LB", f"{kong}, health_checks: {{interval: 5s, healthy_threshold: 2}}")
    checked = testing.play_on_both(text.replace("FAULT", BAD).replace("N", "2"), times)
    assert [event.time for event in checked.events("replica_returned")] == [10.0, 20.0]
    assert checked.outcomes().count("error") == 6


def test_where_kong_has_nobody_left_calls_are_refused():
    """Both fail: three each, and from 0.6 s on there is nobody, where Envoy's panic would send to all."""
    bad = BAD.replace("replicas: 1", "replicas: 2")
    run = played("{passive_health_checks: {http_failures: 3}}", [i / 10 for i in range(100)], 2, bad)
    assert run.outcomes().count("error") == 6
    assert run.outcomes().count("unreachable") == 94
    panic = played(
        "{passive_health_checks: {http_failures: 3}, panic_threshold: 50%}", [i / 10 for i in range(100)], 2, bad
    )
    assert panic.outcomes().count("error") == 100


def test_what_comes_back_at_the_place_of_an_ejected_one_has_a_clean_record():
    """Ejected at 4 s for 30 s, gone at 12 s and back at 14 s: Envoy has forgotten the host that it was told is gone."""
    fault = f"{BAD[:-9]}for: 9s}}, {{crash: {{of: a, replicas: 1, restart_after: 2s}}, at: 12s}}"
    run = played("{outlier_detection: {max_ejection_percent: 100}}", [i / 2 for i in range(100)], 2, fault)
    assert [(event.time, event.subject) for event in run.events("replica_ejected")] == [(4.0, "a[0]")]
    assert [event.time for event in run.events("replica_returned")] == [14.0]
    assert {attempt.replica for attempt in run.attempts() if 5.0 < attempt.arrived < 14.0} == {1}
    assert [attempt.replica for attempt in run.attempts() if 14.5 < attempt.arrived < 20.0].count(0) >= 5
    ejected = run.records.gauge_frame()["a.ejected"]
    assert (ejected.loc[11.0], ejected.loc[13.0], ejected.loc[15.0]) == (1.0, 0.0, 0.0)


def test_a_caller_that_is_gone_sees_nobody_left_out():
    text = """
    duration: 1m
    traffic: {clients: {sends: front.get}}
    services:
      front: {replicas: 2, workers: unlimited, endpoints: {get: [{call: a.get}]}}
      a:
        replicas: 2
        workers: unlimited
        load_balancing: {outlier_detection: {max_ejection_percent: 100}}
        endpoints: {get: [{wait: 1ms}]}
    faults:
    - {errors: {of: a, share: 100%, replicas: 1}, at: 0s, for: 15s}
    - {crash: {of: front, replicas: 1}, at: 20s}
    """
    ejected = testing.play(text, [i / 2 for i in range(120)]).records.gauge_frame()["a.ejected"]
    assert ejected.loc[19.0] == 1.0
    assert ejected.loc[59.0] == 0.0  # front[1] has it back since 40 s; front[0] would have had it out for ever


def test_with_the_default_percentage_nobody_of_nine_is_ever_ejected():
    run = played("{outlier_detection: {}}", [i / 10 for i in range(800)], 9, BAD)
    assert run.events("replica_ejected") == []
    assert run.outcomes().count("error") > 60


def test_a_panic_sends_to_all_rather_than_to_too_few():
    """Two of three are bad and ejected: one is left, a third, and that is less than half."""
    words = "outlier_detection: {max_ejection_percent: 100, success_rate: false}"
    bad = BAD.replace("replicas: 1", "replicas: 2")
    panic = played(f"{{{words}}}", [i / 10 for i in range(300)], 3, bad)
    calm = played(f"{{{words}, panic_threshold: 0%}}", [i / 10 for i in range(300)], 3, bad)
    assert panic.outcomes().count("error") > 150
    assert calm.outcomes().count("error") == 10


def test_timeouts_eject_a_slow_replica():
    text = """
    duration: 1m
    traffic: {clients: {sends: b.ask}}
    services:
      b: {workers: unlimited, endpoints: {ask: [{call: a.get, policy: {timeout: 200ms}}]}}
      a: {replicas: 10, workers: unlimited, load_balancing: {outlier_detection: {}}, endpoints: {get: [{wait: 100ms}]}}
    faults: [{slow: {of: a, by: 10x, replicas: 1}, at: 0s}]
    """
    run = testing.play(text, [i / 10 for i in range(250)])
    assert run.outcomes().count("timeout") == 5
    assert [event.object for event in run.events("replica_ejected")] == ["b[0]"]


def test_who_comes_back_from_a_crash_gets_his_share_little_by_little():
    """Back since 11 s: at 20 to 24 s it has 9 to 13 of 40 s of its start behind it."""
    crash = "{crash: {of: a, replicas: 1, restart_after: 10s}, at: 1s}"
    times = [20 + i / 100 for i in range(6000)]
    counts = {}
    for words in ("{policy: round_robin}", "{policy: round_robin, slow_start: 40s}"):
        run = played(words, [0.5, *times], 2, crash)
        first = [attempt.replica for attempt in run.attempts() if 20 <= attempt.arrived < 24]
        last = [attempt.replica for attempt in run.attempts() if 70 <= attempt.arrived < 74]
        counts[words] = first.count(0) / len(first), last.count(0) / len(last)
    assert counts["{policy: round_robin}"] == (0.5, 0.5)
    assert counts["{policy: round_robin, slow_start: 40s}"][0] == pytest.approx(0.275 / 1.275, abs=0.02)
    assert counts["{policy: round_robin, slow_start: 40s}"][1] == 0.5


def test_a_user_has_always_the_same_replica_by_maglev_and_nearly_all_keep_it_when_another_one_dies():
    times = [i / 10 for i in range(600)]
    run = played("maglev", times, 5, "{crash: {of: a, replicas: 1}, at: 30s}")
    homes = {}
    rows = run.records.request_frame().sort_values("arrival")
    for user, attempt in zip(rows["user"], run.attempts(), strict=False):
        homes.setdefault(int(user), []).append(attempt.replica)
    assert all(len(set(its)) <= 2 for its in homes.values()), "once another table, once another home"
    kept = [its for its in homes.values() if its[0] != 0]
    assert sum(len(set(its)) == 1 for its in kept) > 0.9 * len(kept)
    assert len({its[0] for its in homes.values()}) == 5


def test_a_user_has_always_the_same_replica_and_keeps_it_when_another_one_dies():
    times = [i / 10 for i in range(600)]
    run = played("ring_hash", times, 5, "{crash: {of: a, replicas: 1}, at: 30s}")
    homes = {}
    for request, attempt in zip(
        run.records.request_frame().sort_values("arrival")["user"], run.attempts(), strict=False
    ):
        homes.setdefault(int(request), []).append(attempt.replica)
    moved = [homes_of for homes_of in homes.values() if len(set(homes_of)) > 1]
    assert all(its[0] == 0 for its in moved)
    assert len({its[0] for its in homes.values()}) == 5


def test_peak_ewma_leaves_a_slow_replica_alone():
    slow = "{slow: {of: a, by: 10x, replicas: 1}, at: 0s}"
    found = {}
    for words in ("round_robin", "peak_ewma", "least_request"):
        run = played(words, [i / 20 for i in range(400)], 4, slow)
        found[words] = replicas_of(run).count(0) / 400
    assert found["round_robin"] == 0.25
    assert found["peak_ewma"] < 0.05
    assert found["peak_ewma"] < found["least_request"] < 0.2


@pytest.mark.parametrize(
    ("balancing", "told"),
    [
        ("peak_ewna", "did you mean 'peak_ewma'"),
        ("{policy: random, weights: [1, 1, 1]}", "not of random"),
        ("{weights: [1, 2]}", "found 2 weights, expected 3"),
        ("{policy: ring_hash, decay: 1s}", "`decay` is a word of peak_ewma"),
        ("{policy: maglev, table_size: 1000}", "found 1000, expected a prime number"),
        ("{passive_health_checks: {}}", "found no `http_failures`, `tcp_failures` or `timeouts` above 0"),
        ("{passive_health_checks: {timeouts: 300}}", "expected at most 255"),
        ("{passive_health_checks: {timeouts: 3}, outlier_detection: {}}", "expected one: Envoy's or Kong's"),
        ("{outlier_detection: {consecutive_5x: 3}}", "did you mean 'consecutive_5xx'"),
    ],
)
def test_slips_are_told(balancing, told):
    with pytest.raises(ScenarioError, match=told):
        played(balancing, [1.0])
