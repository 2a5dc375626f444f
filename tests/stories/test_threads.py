"""What holds a thread, what holds a core, and what keeps one callee from holding them all."""

import pytest

from sim import testing

APP = """
duration: 60s
traffic:
  payers: {sends: app.pay}
  readers: {sends: app.read}
services:
  app:
    workers: 2
    concurrency: CONCURRENCY
    endpoints:
      pay: [{work: 10ms}, {call: bank.pay, policy: patient}]
      read: [{work: 10ms}]
  bank: {workers: 10, endpoints: {pay: [{work: 10ms}]}}
policies: {patient: {timeout: 5s}}
faults: [{at: 0s, for: 30s, outage: bank, how: hang}]
"""
ARRIVALS = {"payers": [1.0, 1.1, 1.2], "readers": [2.0, 2.1, 3.0]}


def test_an_event_loop_keeps_serving_while_a_callee_hangs_and_threads_do_not():
    loop = testing.play(APP.replace("CONCURRENCY", "event_loop"), ARRIVALS)
    assert loop.outcomes("readers") == ["ok"] * 3
    assert loop.responses("readers") == [0.01, 0.01, 0.01]
    threads = testing.play(APP.replace("CONCURRENCY", "threads"), ARRIVALS)
    assert threads.responses("readers")[0] == pytest.approx(1.0 + 0.01 + 5 + 0.1 - 2.0 + 0.01, abs=0.2)
    assert min(threads.responses("readers")) > 2.0


def test_the_wait_for_a_provider_holds_a_thread_but_no_event_loop_and_no_core():
    system = "services: {app: {workers: 1, CONCURRENCY endpoints: {pay: [{wait: 1s}, {work: 10ms}]}}}"
    assert testing.play(system.replace("CONCURRENCY", ""), [0.0, 0.0]).responses() == [1.01, 2.02]
    assert testing.play(system.replace("CONCURRENCY", "concurrency: event_loop,"), [0.0, 0.0]).responses() == [
        1.01,
        1.02,
    ]
    cores = testing.play(
        "services: {app: {workers: 2, cores: 1, endpoints: {pay: [{wait: 1s}, {work: 10ms}]}}}", [0.0, 0.0]
    )
    assert cores.responses() == [1.02, 1.02]


def test_more_threads_than_cores_slow_each_other_and_finish_no_sooner_together():
    """Four requests of 100 ms on one core: one thread answers at 100, 200, 300 and 400 ms, four threads answer all at 400 ms."""
    system = "services: {app: {workers: WORKERS, cores: 1, endpoints: {get: [{work: 100ms}]}}}"
    assert testing.play(system.replace("WORKERS", "1"), [0.0] * 4).responses() == [0.1, 0.2, 0.3, 0.4]
    assert testing.play(system.replace("WORKERS", "4"), [0.0] * 4).responses() == [0.4, 0.4, 0.4, 0.4]
    assert testing.play(system.replace("WORKERS", "2"), [0.0] * 4).responses() == [0.2, 0.2, 0.4, 0.4]


def test_threads_beyond_the_cores_only_help_where_threads_wait():
    system = "services: {app: {workers: WORKERS, cores: 1, endpoints: {get: [{work: 10ms}, {wait: 90ms}]}}}"
    assert max(testing.play(system.replace("WORKERS", "1"), [0.0] * 10).responses()) == 1.0
    assert max(testing.play(system.replace("WORKERS", "10"), [0.0] * 10).responses()) == 0.19


BULKHEAD = """
duration: 30s
traffic: {payers: {sends: app.pay}, readers: {sends: app.read}}
services:
  app:
    workers: 4
    endpoints: {pay: [{call: bank.pay, policy: guarded}], read: [{work: 10ms}]}
  bank: {workers: 10, endpoints: {pay: [{work: 1s}]}}
policies: {guarded: {bulkhead: {max_concurrent_calls: 2MAX_WAIT}}}
"""


def test_a_bulkhead_keeps_one_callee_from_taking_all_threads():
    arrivals = {"payers": [0.0, 0.01, 0.02, 0.03, 0.04], "readers": [0.1, 0.2]}
    guarded = testing.play(BULKHEAD.replace("MAX_WAIT", ""), arrivals)
    assert guarded.outcomes("payers") == ["ok", "ok", "bulkhead_full", "bulkhead_full", "bulkhead_full"]
    assert guarded.responses("readers") == [0.01, 0.01]
    bare = testing.play(
        BULKHEAD.replace(
            "policies: {guarded: {bulkhead: {max_concurrent_calls: 2MAX_WAIT}}}", "policies: {guarded: {}}"
        ),
        arrivals,
    )
    assert bare.responses("readers") == [
        0.92,
        0.83,
    ]  # from 1.01 s on, when the fifth payer has taken the thread of the first


def test_those_who_wait_for_a_bulkhead_are_let_in_first_come_first_served_or_refused_when_their_wait_is_over():
    played = testing.play(
        BULKHEAD.replace("workers: 4", "workers: 9").replace("MAX_WAIT", ", max_wait: 1100ms"),
        {"payers": [0.0, 0.5, 0.6, 0.7, 0.8], "readers": []},
    )
    assert played.outcomes() == ["ok", "ok", "ok", "ok", "bulkhead_full"]
    # places are free at 1.0 s and at 1.5 s, and then at 2.0 s, when the fifth has waited too long
    assert played.responses() == [1.0, 1.0, 1.4, 1.8, 1.1]


def test_the_timeout_of_a_call_includes_the_wait_for_the_bulkhead_and_leaves_no_ghost_in_its_queue():
    system = BULKHEAD.replace("workers: 4", "workers: 9").replace(
        "max_concurrent_calls: 2MAX_WAIT}", "max_concurrent_calls: 1, max_wait: 10s}, timeout: 1200ms"
    )
    played = testing.play(system, {"payers": [0.0, 0.1, 0.2, 0.3], "readers": []})
    # the second gets in at 1.0 s and gives up at 1.3 s; the third gets in then, gives up at 1.4 s, the fourth at 1.5 s
    assert played.outcomes() == ["ok", "timeout", "timeout", "timeout"]
    assert played.responses() == [1.0, 1.2, 1.2, 1.2]
    assert [attempt.arrived for attempt in played.attempts("bank.pay")] == [0.0, 1.0, 1.3, 1.4]


def test_a_bulkhead_and_a_breaker_belong_to_one_caller_replica_unless_their_scope_is_the_service():
    for scope, ok in (("replica", 4), ("service", 2)):
        system = BULKHEAD.replace("workers: 4", "workers: 4, replicas: 2").replace(
            "  app:\n    workers: 4", "  app:\n    replicas: 2\n    workers: 4"
        )
        system = system.replace(
            "    replicas: 2\n    workers: 4, replicas: 2", "    replicas: 2\n    workers: 4"
        ).replace("MAX_WAIT}", f"}}, scope: {scope}")
        assert testing.play(system, {"payers": [0.0] * 6, "readers": []}).outcomes().count("ok") == ok
