"""Sessions: who loses one, by balancing, restart and scale-in, and what that costs. By hand, one request after the other."""

import pytest

from sim import testing
from sim.errors import ScenarioError

TEXT = """
duration: 2m
traffic: {clients: {sends: shop.show, users: {count: USERS}}}
services:
  shop: {replicas: N, workers: unlimited, MORE endpoints: {show: [{session: SESSION}, {wait: 10ms}]}}
faults: [FAULT]
"""
HELD = "{in: replica, begin: [{wait: 100ms}], rebuild: [{wait: 300ms}]}"
NONE = "{slow: {of: shop, by: 1x}, at: 119s}"


def played(session, times, replicas=2, users=1, more="", fault=NONE):
    text = TEXT
    for word, value in {
        "SESSION": session,
        "N": str(replicas),
        "USERS": str(users),
        "MORE": more,
        "FAULT": fault,
    }.items():
        text = text.replace(word, value)
    return testing.play(text, times)


def told(run):
    last = run.records.gauge_frame().iloc[-1]
    return tuple(int(last[f"shop.sessions_{what}"]) for what in ("begun", "found", "lost"))


def test_who_is_sent_round_loses_his_session_each_time():
    """It follows him: what the first replica held is no session of his any more when he comes back there."""
    run = played(HELD, [1.0, 2.0, 3.0, 4.0])
    assert told(run) == (1, 0, 3)
    assert run.outcomes() == ["ok", "degraded", "degraded", "degraded"]
    assert run.responses() == pytest.approx([0.11, 0.31, 0.31, 0.31])


def test_in_a_store_it_is_found_by_all_and_each_request_pays_for_the_look():
    run = played("{in: store, lookup: 5ms, begin: [{wait: 100ms}]}", [1.0, 2.0, 3.0, 4.0])
    assert told(run) == (1, 3, 0)
    assert run.responses() == pytest.approx([0.115, 0.015, 0.015, 0.015])


def test_balancing_by_user_keeps_it_until_the_replica_dies():
    crash = "{crash: {of: shop, replicas: 2, restart_after: 1s}, at: 2.5s}"
    run = played(HELD, [1.0, 2.0, 5.0, 6.0], more="load_balancing: ring_hash,", fault=crash)
    assert told(run) == (1, 2, 1)
    assert run.outcomes() == ["ok", "ok", "degraded", "ok"]


def test_a_restart_of_the_only_replica_loses_all_sessions_and_a_store_none():
    times = [1 + i / 10 for i in range(20)] + [10 + i / 10 for i in range(20)]
    restart = "{restart: {of: shop, takes: 1s}, at: 5s}"
    here = played(HELD, times, 1, users=500, fault=restart)
    users = here.requests["user"]
    again = len(set(users[:20]) & set(users[20:]))
    assert told(here)[2] == again
    stored = played("{in: store}", times, 1, users=500, fault=restart)
    assert told(stored)[2] == 0


def test_a_scale_in_costs_the_sessions_of_the_replica_that_goes():
    """On the ring only those users move whose replica has gone: each of them loses his session once, the others none."""
    fast = "behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100, period: 5s}]}}"
    schedule = "scheduled: [{at: 0s, for: 28s, replicas: 3}], sync_period: 10s"
    more = f"autoscaling: {{min: 2, max: 3, metrics: [], {schedule}, {fast}}}, load_balancing: ring_hash,"
    times = [1 + i / 10 for i in range(100)] + [60 + i / 10 for i in range(300)]
    run = played("{in: replica}", times, 3, users=30, more=more)
    assert [event.subject for event in run.events("replica_stopped")] == ["shop[2]"]
    users = list(run.requests["user"])
    before, after = (
        {users[its.request]: its.replica for its in run.attempts("shop.show") if (its.arrived > 30) == late}
        for late in (0, 1)
    )
    lost = [user for user, replica in before.items() if replica == 2 and user in after]
    assert 3 <= len(lost) <= 17
    assert told(run)[2] == len(lost)
    assert all(after[user] == replica for user, replica in before.items() if replica != 2 and user in after)


def test_it_is_over_when_nobody_has_come_for_as_long_as_it_lasts():
    """Found after 8 s; begun anew after 10 s to the very second, and after 11 s."""
    run = played("{in: store, expires: 10s}", [1.0, 9.0, 19.0, 28.0, 39.0])
    assert told(run) == (3, 2, 0)


def test_how_a_request_ends_that_met_a_lost_session_is_said():
    for lost in ("ok", "degraded", "refused"):
        run = played(f"{{lost: {lost}}}", [1.0, 2.0])
        assert run.outcomes() == ["ok", lost]
    again = played(
        "{lost: refused}",
        [1.0, 2.0, 4.0],
        more="load_balancing: ring_hash,",
        fault="{crash: {of: shop, replicas: 2, restart_after: 100ms}, at: 1.5s}",
    )
    assert again.outcomes() == ["ok", "refused", "ok"]


def test_one_that_could_not_be_begun_is_none():
    run = played("{in: store, begin: [{fail: 100%}]}", [1.0, 2.0])
    assert run.outcomes() == ["error", "error"]
    assert told(run) == (2, 0, 0)


def test_at_random_each_request_but_the_first_loses_it_with_the_chance_of_another_replica():
    """Of four replicas three are others: 3/4 of 4,000, give or take 27."""
    run = played("{lost: ok}", [1 + i / 100 for i in range(4001)], 4, more="load_balancing: random,")
    begun, found, lost = told(run)
    assert begun == 1
    assert found + lost == 4000
    assert lost == pytest.approx(3000, abs=4 * 27.4)


@pytest.mark.parametrize("word", ["rebuild: [{wait: 1ms}]", "lost: ok"])
def test_a_store_loses_nothing(word):
    with pytest.raises(ScenarioError, match="expected `in: replica`: a store loses nothing"):
        played(f"{{in: store, {word}}}", [1.0])


def test_without_users_nobody_has_a_session():
    with pytest.raises(ScenarioError, match="found no traffic with `users`"):
        testing.play(
            TEXT.replace(", users: {count: USERS}", "")
            .replace("SESSION", HELD)
            .replace("N,", "2,")
            .replace("MORE ", "")
            .replace("FAULT", NONE),
            [1.0],
        )
