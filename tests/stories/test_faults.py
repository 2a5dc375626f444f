"""Harm: what each kind does to the client, to the work under way, and to what comes after."""

import numpy as np
import pytest

from sim import testing

CHAIN = """
duration: 30s
traffic: {clients: {sends: orders.create, completes_with: [captured]}}
services:
  orders: {workers: 10, endpoints: {create: [{work: 10ms}, {call: payments.charge, policy: provider}]}}
  payments: {workers: 1, queue: {capacity: 3}, endpoints: {charge: [{work: 100ms}, {effect: captured}]}}
policies: {provider: {timeout: 1s}}
ledger: {charge: captured}
"""


def chain(*faults):
    return CHAIN + "faults: [" + ", ".join(faults) + "]"


def test_a_hang_finishes_everything_after_the_restore_without_losing_or_adding_work():
    """One in work (60 ms done), two in the queue, two that arrive while it hangs: 40 + 3 x 100 ms are left, and the worker is never idle.

    What is frozen refuses nobody. At the thaw the last one finds three in the queue, which is full.
    """
    played = testing.play(chain("{at: 70ms, for: 10s, outage: payments, how: hang}"), [0.0, 0.01, 0.02, 1.0, 1.01])
    ends = [attempt.ended for attempt in played.attempts("payments.charge")]
    assert ends == [10.11, 10.21, 10.31, 10.41, 10.07]
    assert played.outcomes() == ["timeout"] * 5
    assert played.responses() == [1.01] * 5
    assert [event.time for event in played.events("shedding_began")] == [10.07]


def test_a_queue_timeout_that_comes_due_in_a_freeze_is_answered_at_the_thaw():
    """The second waits from 0.01 s, for 500 ms at most; the third arrives 400 ms before the thaw and has its turn in time."""
    system = (
        chain("{at: 70ms, for: 2s, outage: payments, how: hang}")
        .replace("capacity: 3", "timeout: 500ms")
        .replace("timeout: 1s", "timeout: 5s")
    )
    played = testing.play(system, [0.0, 0.01, 1.67])
    assert [(attempt.ended, attempt.outcome) for attempt in played.attempts("payments.charge")] == [
        (2.11, "ok"),
        (2.07, "shed"),
        (2.21, "ok"),
    ]
    assert played.events("shedding_began")[0].time == 2.07


def test_who_has_left_the_queue_in_a_freeze_is_not_refused_at_the_thaw():
    """The second has waited too long at 0.3 s, but at 1 s the first is cancelled and leaves it its place."""
    system = """
    duration: 10s
    traffic: {first: {sends: shop.buy, arrivals: {replay: {data: [0s]}}}, second: {sends: orders.create, arrivals: {replay: {data: [0s]}}}}
    services:
      shop: {workers: 1, endpoints: {buy: [{call: orders.create, policy: {timeout: 1s, on_timeout: cancel}}]}}
      orders: {workers: 1, queue: {timeout: 200ms}, endpoints: {create: [{work: 500ms}]}}
    faults: [{at: 50ms, for: 3s, outage: orders, how: hang}]
    """
    played = testing.play(system, {"first": [0.0], "second": [0.1]})
    assert (played.outcomes(), played.responses()) == (["timeout", "ok"], [1.0, 3.45])


def test_books_balance_where_the_clock_stops_in_a_freeze_with_a_refusal_to_come():
    system = (
        chain("{at: 70ms, outage: payments, how: hang}")
        .replace("capacity: 3", "timeout: 500ms")
        .replace("duration: 30s", "duration: 2s")
    )
    played = testing.play(system + "\nrecord: {spans: none}", [0.0, 0.01])
    assert [played.records.gauge("payments", quantity)[-1] for quantity in ("in_flight", "queue", "busy")] == [2, 1, 1]


def test_a_frozen_replica_does_not_even_fail():
    played = testing.play(
        chain(
            "{at: 1s, for: 2s, outage: payments, how: hang}", "{at: 1s, for: 5s, errors: {of: payments, share: 100%}}"
        ),
        [1.5],
    )
    assert [(attempt.ended, attempt.outcome) for attempt in played.attempts("payments.charge")] == [(3.0, "error")]


@pytest.mark.parametrize(
    ("policy", "work", "sent", "outcome", "response"),
    [
        (
            "timeout: 100ms",
            "10s",
            [0.01, 5.05],
            "timeout",
            5.15,
        ),  # the timeout comes due in the freeze; the back-off begins after it
        ("timeout: 20ms", "10s", [0.01, 5.0], "timeout", 5.02),  # the back-off is over in the freeze
        ("timeout: 100ms", "60ms", [0.01], "ok", 5.0),  # the answer comes in the freeze, and in time
    ],
)
def test_a_frozen_caller_sends_nothing_and_goes_on_with_what_it_heard_at_the_thaw(
    policy, work, sent, outcome, response
):
    """orders is frozen from 60 ms to 5 s, in the middle of its call."""
    system = CHAIN.replace("timeout: 1s", f"{policy}, retry: {{max_attempts: 2, backoff: {{constant: 50ms}}}}").replace(
        "workers: 1,", "workers: 2,"
    )
    system = (
        system.replace("work: 100ms", f"work: {work}") + "faults: [{at: 60ms, for: 4940ms, outage: orders, how: hang}]"
    )
    played = testing.play(system, [0.0])
    assert [attempt.arrived for attempt in played.attempts("payments.charge")] == sent
    assert (played.outcomes(), played.responses()) == ([outcome], [response])


def test_a_frozen_caller_asks_its_breaker_again_at_the_thaw_when_its_back_off_is_over():
    """The first opens the breaker for a second; the next is rejected without an attempt, and tries again when orders is back."""
    policy = "timeout: 20ms, retry: {max_attempts: 2, backoff: {constant: 50ms}, on: [breaker_open]}"
    policy += ", circuit_breaker: {failures: 1, within: 9s, open_for: 1s}"
    system = CHAIN.replace("timeout: 1s", policy).replace("capacity: 3", "capacity: 0")
    played = testing.play(system + "faults: [{at: 70ms, for: 1930ms, outage: orders, how: hang}]", [0.0, 0.04])
    assert [attempt.arrived for attempt in played.attempts("payments.charge")] == [0.01, 2.0]
    assert (played.outcomes(), played.responses()) == (["timeout", "timeout"], [0.03, 1.98])


def test_a_frozen_caller_whose_own_caller_cancels_gives_back_everything():
    """shop gives orders up while orders is frozen with an answer that it has not looked at."""
    system = """
    duration: 10s
    services:
      shop: {workers: 1, endpoints: {buy: [{call: orders.create, policy: {timeout: 1s, on_timeout: cancel}}]}}
      orders: {workers: 1, endpoints: {create: [{call: payments.charge, policy: {timeout: 500ms, bulkhead: {max_concurrent_calls: 1}}}]}}
      payments: {workers: 1, endpoints: {charge: [{work: 100ms}]}}
    faults: [{at: 50ms, for: 3s, outage: orders, how: hang}]
    """
    played = testing.play(system, [0.0, 5.0], sends="shop.buy")
    assert (played.outcomes(), played.responses()) == (["timeout", "ok"], [1.0, 0.1])
    assert played.records.requests["arrival"].tolist() == [
        0.0,
        5.0,
    ]  # in the order in which they were closed: nothing of the first lives on


def test_a_frozen_caller_that_inherits_a_place_in_the_bulkhead_gives_it_back_when_its_timeout_comes():
    """shop cancels the first, whose place the second gets in the freeze, in which its own timeout comes due too: nothing is sent."""
    system = """
    duration: 10s
    services:
      shop: {workers: 9, endpoints: {buy: [{call: orders.create, policy: {timeout: 1s, on_timeout: cancel}}], ask: [{call: orders.create}]}}
      orders: {workers: 9, endpoints: {create: [{call: payments.charge, policy: provider}]}}
      payments: {workers: 9, endpoints: {charge: [{work: 5s}]}}
    traffic: {first: {sends: shop.buy, arrivals: {replay: {data: [0s]}}}, second: {sends: shop.ask, arrivals: {replay: {data: [0s]}}}}
    policies: {provider: {timeout: 2s, bulkhead: {max_concurrent_calls: 1, max_wait: 9s}}}
    faults: [{at: 500ms, for: 3s, outage: orders, how: hang}]
    """
    played = testing.play(system, {"first": [0.0], "second": [0.1]})
    assert [attempt.arrived for attempt in played.attempts("payments.charge")] == [0.0]
    assert (played.outcomes(), played.responses()) == (["timeout", "timeout"], [1.0, 3.4])


def test_the_work_of_abandoned_attempts_is_done_and_counted_as_wasted():
    played = testing.play(chain("{at: 70ms, for: 10s, outage: payments, how: hang}"), [0.0, 0.01, 0.02])
    attempts = played.attempts("payments.charge")
    assert [attempt.abandoned for attempt in attempts] == [True, True, True]
    assert played.records.gauge("payments", "work_done")[-1] == pytest.approx(0.3)
    assert played.records.gauge("payments", "work_wasted")[-1] == pytest.approx(0.3)
    assert played.requests["charges"].tolist() == [1, 1, 1]
    assert played.completions() == [10.11, 10.2, 10.29]


@pytest.mark.parametrize("cores", ["", "cores: 1, "])
@pytest.mark.parametrize("steps", ["{work: 3s}", "{work: 1s}, {work: 1s}, {work: 1s}"])
def test_work_is_wasted_however_it_is_cut_into_steps(steps, cores):
    """The client gives up at 2 s and orders at 2.51 s: all of what payments does is for nobody, and counted once."""
    system = (
        CHAIN.replace("{work: 100ms}", steps)
        .replace("timeout: 1s", "timeout: 2.5s")
        .replace("payments: {workers: 1,", f"payments: {{workers: 1, {cores}")
    )
    played = testing.play(system.replace("completes_with", "timeout: 2s, completes_with"), [0.0])
    assert (played.outcomes(), played.attempts("payments.charge")[0].ended) == (["timeout"], 3.01)
    assert [played.records.gauge("payments", work)[-1] for work in ("work_done", "work_wasted")] == pytest.approx(
        [3.0, 3.0]
    )


@pytest.mark.parametrize(("patience", "outcome"), [("", "unreachable"), ("timeout: 330ms, ", "timeout")])
def test_what_a_replica_had_done_for_an_attempt_that_dies_with_it_is_wasted(patience, outcome):
    """One has ended, one has done the first of its two steps (its client may have given up just before), one waits."""
    system = (
        CHAIN.replace("{work: 100ms}", "{work: 100ms}, {work: 100ms}")
        + "faults: [{at: 350ms, crash: {of: payments, replicas: 1}}]"
    )
    played = testing.play(system.replace("completes_with", f"{patience}completes_with"), [0.0, 0.01, 0.02])
    assert played.outcomes() == ["ok", outcome, "unreachable"]
    assert [played.records.gauge("payments", work)[-1] for work in ("work_done", "work_wasted")] == pytest.approx(
        [0.3, 0.1]
    )


def test_a_refusing_service_kills_what_is_inside_and_answers_unreachable_at_once():
    played = testing.play(chain("{at: 70ms, for: 10s, outage: payments, how: refuse}"), [0.0, 0.01, 1.0, 10.5])
    assert played.outcomes() == ["unreachable", "unreachable", "unreachable", "ok"]
    assert played.responses() == [0.07, 0.06, 0.01, 0.11]
    assert played.requests["charges"].tolist() == [0, 0, 0, 1]
    assert played.requests["where"].tolist() == ["payments.charge"] * 3 + [""]


def test_a_black_hole_swallows_requests_and_answers_but_not_the_work():
    """What was inside is done and its answer lost; what is sent later never arrives."""
    played = testing.play(chain("{at: 70ms, for: 10s, outage: payments, how: blackhole}"), [0.0, 1.0, 10.5])
    assert played.outcomes() == ["timeout", "timeout", "ok"]
    assert played.responses() == [1.01, 1.01, 0.11]
    assert played.requests["charges"].tolist() == [
        1,
        0,
        1,
    ]  # the first was charged although the client was told it failed
    assert len(played.attempts("payments.charge")) == 2


def test_nothing_that_a_blackholed_service_sends_arrives_either():
    played = testing.play(chain("{at: 5ms, for: 10s, outage: orders, how: blackhole}"), [0.0])
    assert not played.attempts("payments.charge")
    assert played.outcomes() == ["in_flight"]  # its client, without a timeout, waits for ever


def test_a_crash_loses_the_work_in_flight_and_the_replica_restarts_empty():
    played = testing.play(
        chain("{at: 70ms, crash: {of: payments, replicas: 1, restart_after: 5s}}"), [0.0, 0.01, 1.0, 6.0]
    )
    assert played.outcomes() == ["unreachable", "unreachable", "unreachable", "ok"]
    assert played.responses() == [0.07, 0.06, 0.01, 0.11]
    assert played.requests["charges"].tolist() == [0, 0, 0, 1]
    assert [(event.time, event.kind) for event in played.events("replica_crashed", "replica_restarted")] == [
        (0.07, "replica_crashed"),
        (5.07, "replica_restarted"),
    ]


def test_the_other_replicas_take_over_from_a_crashed_one():
    system = chain("{at: 70ms, crash: {of: payments, replicas: 1}}").replace(
        "payments: {workers: 1", "payments: {replicas: 2, workers: 1"
    )
    played = testing.play(system, [0.0, 0.01, 1.0, 2.0])
    assert played.outcomes() == ["unreachable", "ok", "ok", "ok"]
    assert [attempt.replica for attempt in played.attempts("payments.charge")] == [0, 1, 1, 1]


def test_a_fault_hits_the_request_that_arrives_at_the_instant_in_which_it_begins_and_spares_the_one_at_its_end():
    played = testing.play(chain("{at: 5s, for: 5s, outage: payments, how: refuse}"), [4.98, 4.99, 9.98, 9.99])
    assert played.outcomes() == ["unreachable", "unreachable", "unreachable", "ok"]


@pytest.mark.parametrize("how", ["hang", "refuse", "blackhole"])
def test_overlapping_outages_end_with_the_last_of_them(how):
    faults = (
        f"{{name: one, at: 1s, for: 4s, outage: payments, how: {how}}}",
        f"{{name: two, at: 3s, for: 5s, outage: payments, how: {how}}}",
    )
    played = testing.play(chain(*faults), [6.0, 9.5])
    assert played.outcomes() == ["unreachable" if how == "refuse" else "timeout", "ok"]
    assert [(event.time, event.kind, event.subject) for event in played.events()] == [
        (1.0, "fault_began", "one"),
        (3.0, "fault_began", "two"),
        (5.0, "fault_ended", "one"),
        (8.0, "fault_ended", "two"),
    ]


def test_a_hang_within_a_hang_stretches_work_by_the_union_of_both():
    faults = (
        "{name: one, at: 50ms, for: 100ms, outage: payments, how: hang}",
        "{name: two, at: 100ms, for: 200ms, outage: payments, how: hang}",
    )
    played = testing.play(chain(*faults, "{name: three, at: 320ms, for: 100ms, outage: payments, how: hang}"), [0.0])
    assert played.responses() == [0.46]  # 110 ms of work, frozen from 50 to 300 and from 320 to 420 ms


def test_everything_may_be_down():
    faults = [
        f"{{name: {how} {of}, at: 1s, outage: {of}, how: {how}}}"
        for of in ("orders", "payments")
        for how in ("hang", "refuse", "blackhole")
    ]
    played = testing.play(chain(*faults), [0.0, 0.99, 1.0, 2.0])
    assert played.outcomes()[0] == "ok"
    assert set(played.outcomes()[1:]) <= {"unreachable", "in_flight"}


def test_all_replicas_down_is_unreachable_without_a_hop():
    played = testing.play(chain("{at: 1s, crash: {of: orders, replicas: 1}}"), [2.0])
    assert (played.outcomes(), played.responses()) == (["unreachable"], [0.0])


def test_work_that_begins_while_the_service_is_slow_takes_longer_and_slowdowns_multiply():
    faults = (
        "{name: one, at: 1s, for: 10s, slow: {of: payments, by: 2x}}",
        "{name: two, at: 5s, for: 2s, slow: {of: payments, by: 3x}}",
    )
    played = testing.play(chain(*faults), [0.0, 0.95, 2.0, 5.5, 8.0, 12.0])
    assert played.responses() == [0.11, 0.11, 0.21, 0.61, 0.21, 0.11]


def test_a_share_of_attempts_fails_as_soon_as_it_has_a_worker():
    system = (
        chain("{at: 0s, errors: {of: payments, share: 30%}}")
        .replace("duration: 30s", "duration: 400s")
        .replace("{work: 10ms}, ", "")
    )
    played = testing.play(system, [k * 0.2 for k in range(1900)])
    failed = played.requests.query("outcome == 'error'")
    assert abs(len(failed) / 1900 - 0.3) < 4 * np.sqrt(0.21 / 1900)
    assert set(failed["response"].round(9)) == {0.0}
    assert set(failed["where"]) == {"payments"}
    assert (failed["charges"] == 0).all()


NETWORK = """
network: {links: [{between: [orders, payments], latency: 10ms}]}
"""


def test_every_hop_takes_its_latency_each_way_and_a_fault_adds_to_it():
    played = testing.play(
        chain("{at: 1s, for: 1s, network: {between: [payments, orders], latency: 50ms}}") + NETWORK, [0.0, 1.5]
    )
    assert played.responses() == [0.13, 0.23]


def test_a_partition_between_two_services_loses_requests_and_answers():
    played = testing.play(
        chain("{at: 100ms, for: 5s, network: {between: [orders, payments], partition: true}}") + NETWORK,
        [0.0, 1.0, 6.0],
    )
    assert played.outcomes() == ["timeout", "timeout", "ok"]
    assert played.requests["charges"].tolist() == [1, 0, 1]


def test_what_is_already_on_its_way_when_the_partition_begins_arrives():
    played = testing.play(
        chain("{at: 15ms, for: 50ms, network: {between: [orders, payments], partition: true}}") + NETWORK, [0.0]
    )
    assert played.outcomes() == ["ok"]


def test_messages_are_lost_with_the_share_of_the_link_and_of_the_fault_together():
    """Kept: 0.9 x 0.5 on each of two ways."""
    system = (
        chain("{at: 0s, network: {between: [orders, payments], loss: 50%}}")
        + "\nnetwork: {links: [{between: [orders, payments], loss: 10%}]}"
    )
    system = system.replace("{work: 10ms}, ", "").replace("100ms}", "0s}").replace("duration: 30s", "duration: 400s")
    played = testing.play(system, [k * 0.1 for k in range(3000)])
    ok, expected = played.outcomes().count("ok") / 3000, 0.45**2
    assert abs(ok - expected) < 4 * np.sqrt(expected * (1 - expected) / 3000)
    arrived = len(played.attempts("payments.charge")) / 3000
    assert abs(arrived - 0.45) < 4 * np.sqrt(0.45 * 0.55 / 3000)


def test_a_frozen_caller_hears_its_answer_when_it_is_back():
    played = testing.play(chain("{at: 50ms, for: 5s, outage: orders, how: hang}"), [0.0])
    assert played.attempts("payments.charge")[0].ended == 0.11
    assert played.responses() == [5.05]


def test_a_full_queue_sheds_again_as_soon_as_the_hang_is_over():
    """One in work, four in a queue for three: the fifth was let in during the hang, the sixth, after it, is turned away at once."""
    played = testing.play(
        chain("{at: 5ms, for: 10s, outage: payments, how: hang}").replace("{work: 10ms}, ", ""),
        [0.0, 0.1, 0.2, 0.3, 0.4, 10.01],
    )
    assert played.outcomes() == ["timeout"] * 5 + ["shed"]
    assert played.responses()[5] == 0.0


def test_frozen_cores_go_on_where_they_stopped():
    system = """
    services: {app: {workers: 4, cores: 1, endpoints: {get: [{work: 100ms}]}}}
    faults: [{at: 100ms, for: 1s, outage: app, how: hang}]
    """
    assert testing.play(system, [0.0, 0.05]).responses() == [1.15, 1.15]


def test_killed_jobs_leave_the_cores_to_the_others():
    """Two share a core; at 100 ms the caller of one gives up and cancels: the other has the core for itself."""
    system = """
    traffic: {hasty: {sends: edge.hasty}, patient: {sends: edge.patient}}
    services:
      edge:
        workers: 4
        endpoints:
          hasty: [{call: app.get, policy: {timeout: 100ms, on_timeout: cancel}}]
          patient: [{call: app.get}]
      app: {workers: 4, cores: 1, endpoints: {get: [{work: 100ms}]}}
    """
    played = testing.play(system, {"hasty": [0.0], "patient": [0.0]})
    assert played.responses("hasty") == [0.1]
    assert played.responses("patient") == [0.15]
