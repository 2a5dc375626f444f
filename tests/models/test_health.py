"""Health checks: who is gone, frozen or slow is chosen until they notice, and afterwards until they see it again. Times by hand."""

import pytest

from sim import testing
from sim.experiments.on_paper.offered_load import check
from sim.policies.health import HealthRow, note
from sim.spec import load_text

TEXT = """
duration: 1m
traffic: {clients: {sends: a.get, timeout: 2s}}
services: {a: {replicas: N, workers: unlimited, health_checks: CHECKS, MORE endpoints: {get: [{wait: 10ms}]}}}
faults: [FAULT]
"""
OFTEN = "{interval: 5s, timeout: 1s, unhealthy_threshold: 2, healthy_threshold: 2}"
TIMES = [i / 10 for i in range(550)]


def played(fault, checks=OFTEN, replicas=2, more="", times=TIMES):
    words = {"CHECKS": checks, "FAULT": fault, "MORE": more, "N": str(replicas)}
    text = TEXT
    for name, value in words.items():
        text = text.replace(name, value)
    return testing.play(text, times)


def told(run):
    kinds = ("replica_unhealthy", "replica_healthy")
    return [
        (round(event.time, 9), event.kind.removeprefix("replica_"), event.subject)
        for event in run.events()
        if event.kind in kinds
    ]


def test_a_dead_replica_is_called_until_two_checks_have_failed_and_again_when_two_have_passed():
    """Dead at 7 s, refuses at 10 and 15 s; back at 27 s, answers at 30 and 35 s. Half of the calls of eight seconds are refused."""
    run = played("{crash: {of: a, replicas: 1, restart_after: 20s}, at: 7s}")
    assert told(run) == [(15.0, "unhealthy", "a[0]"), (35.0, "healthy", "a[0]")]
    assert run.outcomes().count("unreachable") == 40
    assert {attempt.replica for attempt in run.attempts() if 15.0 < attempt.arrived < 35.0} == {1}
    healthy = run.records.gauge_frame()["a.healthy"]
    assert (healthy.loc[14.0], healthy.loc[16.0], healthy.loc[36.0]) == (2.0, 1.0, 2.0)


def test_without_checks_callers_know_of_a_crash_at_once():
    text = TEXT.replace("health_checks: CHECKS, MORE", "").replace("N", "2")
    run = testing.play(text.replace("FAULT", "{crash: {of: a, replicas: 1, restart_after: 20s}, at: 7s}"), TIMES)
    assert run.outcomes().count("unreachable") == 0


def test_a_frozen_replica_is_noticed_by_timeouts_a_second_after_each_check():
    """All freeze at 7 s: timeouts at 11 s and, five seconds later and one more, at 17 s; nobody is left to call. Thawed at 27 s: checks
    fail at 23 s, begin at 28 and 33 s and pass. Clients who came from 7 to 15 s have given up after two seconds, the last with who came
    before 17 s."""
    run = played("{outage: a, how: hang, at: 7s, for: 20s}", replicas=1)
    assert told(run) == [(17.0, "unhealthy", "a[0]"), (33.0, "healthy", "a[0]")]
    assert run.outcomes().count("timeout") == 100  # from 7 to 17 s
    assert run.outcomes().count("unreachable") == 160  # from 17 to 33 s: at once


def test_what_refuses_fails_at_once_and_a_black_hole_after_the_timeout():
    refuses = played("{outage: a, how: refuse, at: 7s, for: 20s}", replicas=1)
    assert told(refuses) == [(15.0, "unhealthy", "a[0]"), (35.0, "healthy", "a[0]")]
    unheard = played("{outage: a, how: blackhole, at: 7s, for: 20s}", replicas=1)
    assert told(unheard) == [(17.0, "unhealthy", "a[0]"), (33.0, "healthy", "a[0]")]


def test_a_slow_replica_fails_where_its_answer_takes_longer_than_the_timeout():
    """300 ms four times as slow are 1.2 s, three times 0.9 s, which is in time. Checks begin at 5, 10.3 and 16.3 s, and the last two end a second later."""
    checks = OFTEN.replace("1s", "1s, takes: 300ms", 1)
    assert told(played("{slow: {of: a, replicas: 1, by: 3x}, at: 7s}", checks)) == []
    assert told(played("{slow: {of: a, replicas: 1, by: 4x}, at: 7s}", checks)) == [(17.3, "unhealthy", "a[0]")]


def test_a_new_replica_is_called_when_its_first_check_has_passed():
    """Wanted at 10 s, up at 13 s, checked at once: 300 ms later it is there."""
    more = "autoscaling: {min: 1, max: 2, metrics: [], scheduled: [{at: 8s, for: 50s, replicas: 2}], sync_period: 10s}, start: {time: 3s},"
    run = played("{slow: {of: a, by: 1x}, at: 59s}", "{takes: 300ms}", 1, more)
    assert told(run) == [(13.3, "healthy", "a[1]")]
    assert min(attempt.arrived for attempt in run.attempts() if attempt.replica == 1) == pytest.approx(13.4, abs=0.1)


def test_a_replica_that_is_shut_down_in_order_is_known_to_go():
    """From 5 s on each in its turn; a new one comes two seconds after the old one has gone, and its first check passes at once."""
    run = played("{restart: {of: a, one_by_one: 10s, takes: 2s}, at: 5s}")
    assert run.outcomes().count("unreachable") == 0
    assert told(run) == [(7.0, "healthy", "a[0]"), (17.0, "healthy", "a[1]")]


def test_in_a_panic_those_are_called_too_that_fail():
    """Two of three refuse: a third is left, less than half, so Envoy's balancer sends to all; one that has no such threshold does not."""
    crash = "{crash: {of: a, replicas: 2}, at: 7s}"
    for policy, failed in (("{policy: round_robin}", 320), ("{panic_threshold: 0%}", 53), ("round_robin", 53)):
        run = played(crash, replicas=3, more=f"load_balancing: {policy},")
        found = run.outcomes()
        assert abs(found.count("unreachable") - failed) <= 1, policy  # two thirds from 7 s on, or until 15 s


def test_who_is_unhealthy_is_checked_in_an_interval_of_its_own():
    """Envoy's `unhealthy_interval`, Kong's `unhealthy.interval`. Down from 7 to 16.5 s; checks at 10, 15 (the second) and then each second."""
    crash = "{crash: {of: a, replicas: 1, restart_after: 9.5s}, at: 7s}"
    run = played(crash, checks="{interval: 5s, unhealthy_threshold: 2, unhealthy_interval: 1s}")
    assert told(run) == [(15.0, "unhealthy", "a[0]"), (17.0, "healthy", "a[0]")]


def test_a_check_that_passes_brings_an_ejected_replica_back():
    """Errors until 4.9 s: out at the fifth. The check at 5 s passes, as errors are of endpoints; without this it is out for 30 s."""
    bad = "{errors: {of: a, share: 100%, replicas: 1}, at: 0s, for: 4.9s}"
    balancing = "load_balancing: {outlier_detection: {max_ejection_percent: 100MORE}},"
    run = played(bad, more=balancing.replace("MORE", ""))
    assert [event.time for event in run.events("replica_ejected")] == [pytest.approx(0.8, abs=0.11)]
    assert [event.time for event in run.events("replica_returned")] == [5.0]
    kept = played(bad, more=balancing.replace("MORE", ", successful_active_health_check_uneject_host: false"))
    assert [event.time for event in kept.events("replica_returned")] == [40.0]


def test_of_one_that_was_never_checked_the_first_answer_says_all():
    row = HealthRow(healthy=False, checked=False)
    assert note(row, True, 3, 2)
    assert row.healthy
    failed = HealthRow(healthy=False, checked=False)
    assert [note(failed, passed, 3, 2) for passed in (False, True, True)] == [False, False, True]


def test_what_speaks_against_it_must_come_in_a_row():
    row = HealthRow()
    assert [note(row, passed, 2, 2) for passed in (False, True, False, False)] == [False, False, False, True]


@pytest.mark.parametrize(("takes", "told"), [("1s", 0), ("1001ms", 1)])
def test_a_check_that_cannot_be_in_time_is_a_warning(takes, told):
    text = (
        TEXT.replace("CHECKS", f"{{takes: {takes}}}").replace("MORE", "").replace("N,", "2,").replace("[FAULT]", "[]")
    )
    text = text.replace("sends: a.get", "sends: a.get, arrivals: {poisson: 5/s}")
    warnings = check(load_text(f"version: 1\n{text}")).warnings
    assert sum(its.kind == "checks_that_never_pass" for its in warnings) == told
