"""Replicas that come and go: when a controller wants them, how one starts, serves, drains and is gone; worked out by hand."""

import math

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.metrics.gauges import Gauges
from sim.metrics.stations import costs
from sim.models import simulate
from sim.report.scalings import scalings
from sim.report.wiring import wiring_of
from sim.vocabulary import EventKind, MessageEnd

SHOP = """
version: 1
duration: 420s
record: {keep: rows}
traffic: {clients: {sends: shop.buy, arrivals: {deterministic: 30/s}}}
services:
  shop:
    replicas: 2
    workers: 40
    cores: 1
    load_balancing: least_request
    AUTOSCALING
    start: {time: 30s}
    endpoints: {buy: [{work: 100ms}]}
"""


def wanted(records, service="shop"):
    rows = records.events[records.events["kind"] == EventKind.SCALED]
    return [(float(row["time"]), int(row["value"])) for row in rows if records.names[row["subject"]] == service]


def run(text):
    (scenario,) = sim.load_text(text).variants.values()
    return scenario, simulate(scenario)


def test_a_load_of_three_cores_is_followed_as_it_is_by_hand():
    """Target 50 %. At 15 s two replicas are full: four are wanted, ready at 45 s. At 30 and 45 s those that start count as
    idle: 50 %. At 60 s all four are full, since 45 core-seconds have been left over: eight, ready at 90 s, when all of that
    is worked off. From 105 s on they use 37 %, six would do; but eight were wanted last at 90 s, and five minutes must
    go by without that: at 390 s two of them go.
    """
    autoscaling = "autoscaling: {max: 20, metrics: [{cpu: 50%}]}"
    scenario, records = run(SHOP.replace("AUTOSCALING", autoscaling))
    assert wanted(records) == [(15.0, 4), (60.0, 8), (390.0, 6)]
    assert all(book.balances for book in records.books)
    assert [text for _, text in scalings(records)] == [
        "shop grows from 2 to 8 replicas up to 1:00.",
        "shop shrinks from 8 to 6 replicas.",
    ]
    (box,) = [box for box in wiring_of(scenario).boxes.values() if box.name == "shop"]
    assert "scales from 1 to 20: cpu 50%" in box.lines


def test_a_pace_and_a_window_are_kept():
    """One replica in half a minute, and only what was wanted for 45 s: first at 60 s, from the wishes of 30, 45 and 60 s."""
    rules = "behavior: {scale_up: {stabilization: 45s, policies: [{pods: 1, period: 30s}]}}"
    _, records = run(SHOP.replace("AUTOSCALING", f"autoscaling: {{max: 20, metrics: [{{cpu: 50%}}], {rules}}}"))
    assert wanted(records)[0] == (60.0, 3)
    steps = np.diff([0.0, *(time for time, _ in wanted(records))])
    assert (steps[1:5] >= 30.0).all()
    assert {
        after - before for (_, before), (_, after) in zip(wanted(records)[:4], wanted(records)[1:5], strict=True)
    } == {1}


@pytest.mark.parametrize(
    ("metric", "most"),
    [("workers: 5%", 2), ("requests: 10/s", 3), ("in_flight: 1", 3), ("queue: 5", 1)],
)
def test_other_metrics_are_means_of_a_replica(metric, most):
    """30/s of 100 ms on four replicas keep 3 of 160 workers busy, 1.9 %, and nobody waits. Five minutes after the first look
    fewer may be enough: 1.9 / 5 x 4 = 1.5, 7.5 / 10 x 4 = 3, 0.75 / 1 x 4 = 3, and none but the least there may be.
    """
    text = SHOP.replace("AUTOSCALING", f"autoscaling: {{max: 20, metrics: [{{{metric}}}]}}").replace(
        "replicas: 2", "replicas: 4"
    )
    _, records = run(text.replace("duration: 420s", "duration: 320s"))
    assert wanted(records) == [(315.0, most)]


def test_what_starts_is_paid_for_and_serves_nobody():
    """Two more from 15 s on, at a price of 3,600 an hour: 2 x 40 s + 2 x 25 s = 130; ready at 45 s, after the end."""
    text = SHOP.replace("AUTOSCALING", "cost: 3600/h\n    autoscaling: {max: 20, metrics: [{cpu: 50%}]}").replace(
        "420s", "40s"
    )
    scenario, records = run(text)
    assert float(costs(Gauges(records), scenario, np.array([0.0, 40.0]))[0]) == pytest.approx(130.0)
    frame = records.gauge_frame()
    assert (frame["shop.replicas"].iloc[-1], frame["shop.replicas_paid"].iloc[-1]) == (2.0, 4.0)


def test_a_schedule_is_kept_whatever_is_measured():
    """As KEDA's cron scaler: at 60 s four are wanted, and there are four in one step, since by four it may grow at once."""
    scheduled = "autoscaling: {max: 20, scheduled: [{at: 60s, for: 90s, replicas: 4}], behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100}]}}}"
    _, records = run(SHOP.replace("AUTOSCALING", scheduled).replace("30/s", "1/s").replace("420s", "200s"))
    assert wanted(records) == [(15.0, 1), (60.0, 4), (150.0, 1)]


# ---- starting, draining


def fleet(more, arrivals, steps="[{work: 1s}]", duration="duration: 200s"):
    text = f"""
    {duration}
    traffic: {{clients: {{sends: shop.buy}}}}
    services: {{shop: {{replicas: 2, workers: 50, {more}, endpoints: {{buy: {steps}}}}}}}
    """
    return testing.play(text, arrivals)


DOWN = "autoscaling: {min: 1, max: 4, metrics: [{requests: 100/s}], behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100}]}}}"


def events(played, *kinds):
    return [(event.time, event.kind, event.subject) for event in played.events(*kinds)]


def test_a_replica_that_drains_ends_what_it_has_and_is_sent_nothing_more():
    """At 15 s the second goes; it has 10 s of work since 14 s, and is gone at 24 s."""
    played = fleet(DOWN, [13.9, 14.0, 16.0, 17.0], "[{work: 10s}]")
    assert played.outcomes() == ["ok"] * 4
    assert [attempt.replica for attempt in played.attempts()] == [0, 1, 0, 0]
    assert events(played, "scaled", "replica_draining", "replica_stopped") == [
        (15.0, "scaled", "shop"),
        (15.0, "replica_draining", "shop[1]"),
        (24.0, "replica_stopped", "shop[1]"),
    ]


def test_what_outlasts_the_grace_is_cut_off():
    played = fleet(f"{DOWN}, drain: 5s", [13.9, 14.0], "[{work: 10s}]")
    assert (played.outcomes(), played.responses()) == (["ok", "unreachable"], [10.0, 6.0])
    assert [event.value for event in played.events("replica_stopped")] == [1.0]


def test_what_is_on_its_way_to_a_replica_that_is_gone_is_lost_unless_it_waits_a_while():
    text = """
    duration: 60s
    traffic: {{clients: {{sends: GET /}}}}
    network: {{default: {{latency: 2s}}}}
    gateway: {{workers: 9, routes: {{GET /: {{to: shop.buy}}}}}}
    services: {{shop: {{replicas: 2, workers: 9, {down}, drain: {{grace: 30s, pre_stop: {pre_stop}}}, endpoints: {{buy: [{{work: 1s}}]}}}}}}
    """
    outcomes = [
        testing.play(text.format(down=DOWN, pre_stop=pre_stop), [13.9, 14.0]).outcomes() for pre_stop in ("0s", "5s")
    ]
    assert outcomes == [["ok", "unreachable"], ["ok", "ok"]]


def test_a_replica_is_slow_at_first():
    """Ready at 25 s. At 35 s, one decay later, work takes 1 + 2 / e times as long: 1.736 s; an old one takes 1 s."""
    up = "autoscaling: {min: 3, max: 4, metrics: [{requests: 100/s}]}, start: {time: 10s, warm_up: {slow: 3x, decay: 10s}}"
    played = fleet(up, [35.0, 35.0, 35.0])
    assert events(played, "replica_starting", "replica_ready") == [
        (15.0, "replica_starting", "shop[2]"),
        (25.0, "replica_ready", "shop[2]"),
    ]
    assert sorted(played.responses()) == pytest.approx([1.0, 1.0, 1.0 + 2.0 / math.e])


def test_a_restart_after_a_crash_is_slow_at_first_too():
    crash = "faults: [{at: 5s, crash: {}, of: shop, restart_after: 1s}]"
    text = f"""
    services: {{shop: {{workers: 9, start: {{warm_up: {{slow: 2x, decay: 1000s}}}}, endpoints: {{buy: [{{work: 1s}}]}}}}}}
    {crash}
    """
    assert testing.play(text, [0.0, 6.0], sends="shop.buy").responses() == pytest.approx([1.0, 2.0])


def test_those_that_are_down_go_first_and_one_that_was_taken_away_is_not_restarted():
    crash = "faults: [{at: 10s, crash: {}, of: shop, restart_after: 10s}]"
    text = f"""
    duration: 60s
    traffic: {{clients: {{sends: shop.buy}}}}
    services: {{shop: {{replicas: 2, workers: 9, {DOWN}, endpoints: {{buy: [{{work: 1s}}]}}}}}}
    {crash}
    """
    played = testing.play(text, [30.0, 31.0])
    assert events(played, "replica_stopped", "replica_restarted") == [(15.0, "replica_stopped", "shop[0]")]
    assert [attempt.replica for attempt in played.attempts()] == [1, 1]


def test_a_breaker_of_a_new_replica_knows_nothing():
    text = """
    duration: 100s
    traffic: {clients: {sends: shop.buy}}
    services:
      shop: {replicas: 1, workers: 9, autoscaling: {min: 2, max: 2, metrics: [{requests: 100/s}]}, endpoints: {buy: [{call: bank.pay, policy: p}]}}
      bank: {workers: 9, endpoints: {pay: [{fail: 100%}]}}
    policies: {p: {circuit_breaker: {failures: 1, within: 60s, open_for: 60s, half_open_calls: 1}}}
    """
    played = testing.play(text, [1.0, 2.0, 20.0, 21.0, 22.0])
    assert len(played.attempts("bank.pay")) == 2  # one of each replica, and then their breakers are open


# ---- KEDA

EVENTS = """
version: 1
duration: 900s
warmup: 0s
record: {keep: rows}
traffic: {clients: {sends: shop.buy, arrivals: {profile: [{rate: 0/s, for: 100s}, {rate: 20/s, for: 100s}, {rate: 0/s}]}}}
services:
  shop: {workers: 50, endpoints: {buy: [{publish: orders}]}}
  mail:
    replicas: 1
    workers: 1
    autoscaling: {min: 0, max: 9, metrics: [{lag: {group: mails, target: 100}}]}
    consumes: {orders: {group: mails, auto_offset_reset: earliest, max_poll_records: 10, do: [{work: 200ms}]}}
brokers: {kafka: {kind: log, topics: {orders: {partitions: 4, key: order}}}}
"""


def test_consumers_come_with_the_lag_and_are_gone_without_it():
    """Nothing to do until 100 s; none is left after the cooldown of 300 s. 2,000 messages in 100 s, 5/s each: four members,
    as many as there are partitions, and a fifth, since KEDA cuts by whole multiples (a lag of 401 to 499 is five times a
    hundred); all is worked off, and when there has been nothing for more than five minutes the last one goes.
    """
    text = EVENTS.replace("{rate: 0/s, for: 100s}", "{rate: 0/s, for: 400s}").replace(
        "duration: 900s", "duration: 1400s"
    )
    _, records = run(text)
    steps = wanted(records, "mail")
    assert steps[0] == (330.0, 0)  # the first look after more than 300 s without anything
    assert steps[1] == (420.0, 1)  # the first look with something
    assert max(count for _, count in steps) == 5
    assert steps[-1][1] == 0
    assert len(records.messages) == len(records.requests) > 1900
    assert set(records.messages["how"]) == {MessageEnd.PROCESSED}
    assert all(book.balances for book in records.books)


def test_members_that_leave_give_their_partitions_up_at_once():
    text = """
    duration: 120s
    traffic: {clients: {sends: shop.buy}}
    services:
      shop: {workers: 50, endpoints: {buy: [{publish: orders}]}}
      mail:
        replicas: 2
        workers: 1
        autoscaling: {min: 1, max: 2, metrics: [{lag: {group: mails, target: 100}}], behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100}]}}}
        consumes: {orders: {group: mails, auto_offset_reset: earliest, do: [{work: 3s}]}}
    brokers: {kafka: {kind: log, topics: {orders: {partitions: 2, key: order}}}}
    """
    played = testing.play(text, [14.0, 14.1, 14.2, 14.3, 20.0, 20.1])
    (gone,) = played.events("replica_stopped")
    (moved,) = played.events("partitions_assigned")
    assert gone.subject == "mail[1]"
    assert moved.time == gone.time > 15.0  # not after the 45 s of a session
    assert [row["how"] for row in played.records.messages] == [0] * 6
    assert {int(row["deliveries"]) for row in played.records.messages} == {1}  # nothing was done twice


JOBS = """
duration: 200s
traffic: {clients: {sends: shop.buy}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: jobs}]}}
  work: {workers: 1, autoscaling: AUTOSCALING, consumes: {jobs: {prefetch: 0, do: [{work: 10s}]}}}
brokers: {rabbit: {kind: queue, queues: {jobs: {}}}}
"""


@pytest.mark.parametrize(("target", "replicas"), [("", 3), (", target: 10", 5)])
def test_consumers_of_a_queue_come_by_its_length_what_they_have_in_hand_included(target, replicas):
    """50 messages at 1 s, all handed to the one consumer, which has ended one at 15 s: 49 / 20, and 49 / 10."""
    text = JOBS.replace("AUTOSCALING", f"{{max: 9, metrics: [{{lag: {{queue: jobs{target}}}}}]}}")
    found = wanted(testing.play(text, [1.0] * 50).records, "work")
    assert found[0] == (15.0, replicas)


def test_the_last_consumer_of_a_queue_goes_when_it_has_been_empty_for_the_cooldown():
    """Two messages are ended at 21 s; looked at every 30 s, active last at 0 s as none was there at 30 s."""
    text = JOBS.replace("AUTOSCALING", "{min: 0, max: 9, metrics: [{lag: {queue: jobs}}], cooldown_period: 60s}")
    found = wanted(testing.play(text, [1.0, 1.0, 125.0]).records, "work")
    assert found == [(90.0, 0), (150.0, 1)]


@pytest.mark.parametrize(
    ("lag", "words"),
    [
        ("{group: jobs}", "'jobs' is a queue, which has no groups; expected lag: {queue: jobs}"),
        ("{queue: job}", "unknown queue 'job'; did you mean 'jobs'?"),
        ("{group: workers}", "unknown group 'workers'; the service is a member of no group"),
        ("{target: 5}", "found nothing, expected one of group, queue"),
        ("{group: jobs, queue: jobs}", "found group and queue together"),
    ],
)
def test_slips_about_a_lag_are_told(lag, words):
    with pytest.raises(ScenarioError) as caught:
        testing.play(JOBS.replace("AUTOSCALING", f"{{max: 9, metrics: [{{lag: {lag}}}]}}"), [1.0])
    assert words in str(caught.value)


def test_replicas_that_are_not_there_have_no_places_towards_others():
    """One of two there, of twenty that there could be: two calls of 500 ms at a time fill its bulkhead and its pool."""
    text = """
    duration: 100s
    traffic: {clients: {sends: front.get}}
    policies: {p: {bulkhead: {max_concurrent_calls: 2, max_wait: 1s}, pool: {size: 2}}}
    services:
      front: {workers: 9, autoscaling: {max: 10, metrics: [{requests: 1000/s}]}, endpoints: {get: [{call: a.x, policy: p}]}}
      a: {workers: unlimited, endpoints: {x: [{wait: 500ms}]}}
    """
    frame = testing.play(text, [0.25 * number for number in range(400)]).records.gauge_frame()
    assert frame["front -> a.places"].iloc[-1] == 2.0
    assert frame["front -> a pool.places"].iloc[-1] == 2.0


# ---- what is said wrong


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{max: 5}", "found cpu as a metric, but 'shop' has neither `cores` nor `cpu`"),
        ("{min: 6, max: 5, metrics: [{requests: 1/s}]}", "found min 6 above max 5"),
        ("{max: 5, metrics: [{cpu: 50%, queue: 3}]}", "found cpu and queue together, expected one of cpu, workers"),
        ("{max: 5, metrics: [{lag: {group: mials}}]}", "unknown group 'mials'"),
        ("{min: 0, max: 5, metrics: [{requests: 1/s}]}", "found min: 0 without a `lag` or `scheduled`"),
        (
            "{max: 5, metrics: [{requests: 1/s}], scheduled: [{at: 1s, for: 1s, replicas: 9}]}",
            "found 9 scheduled replicas",
        ),
        (
            "{max: 5, behavior: {scale_up: {policies: [{pods: 1, percent: 5}]}}, metrics: [{requests: 1/s}]}",
            "pods and percent together",
        ),
        ("{max: 5, metric: [{requests: 1/s}]}", "unknown field 'metric'; did you mean 'metrics'?"),
    ],
)
def test_what_is_said_wrong_is_told(said, words):
    text = f"""
    version: 1
    duration: 10s
    traffic: {{a: {{sends: shop.look, arrivals: {{poisson: 1/s}}}}}}
    services: {{shop: {{workers: 1, autoscaling: {said}, endpoints: {{look: [{{work: 1ms}}]}}}}}}
    """
    with pytest.raises(ScenarioError) as caught:
        sim.load_text(text)
    assert words in str(caught.value)
