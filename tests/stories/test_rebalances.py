"""Consumer groups that rebalance: what stands still, for how long, and what is handled twice, each by its real cause."""

import math

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies.assignor import assign_numbers

SYSTEM = """
duration: 320s
record: {spans: none}
traffic: {clients: {sends: orders.create, completes_with: [done]}}
services:
  orders: {workers: unlimited, endpoints: {create: [{publish: events}]}}
  worker:
    replicas: REPLICAS
    workers: 4
    consumes: {events: {group: g, auto_offset_reset: earliest, MEMBERSHIP, do: [{work: WORK}, {effect: done}]}}
brokers: {kafka: {kind: log, topics: {events: {partitions: PARTITIONS}}}}
network: {default: {latency: 1ms}}
ledger: {charge: done}
faults: [FAULT]
"""
OTHER = """
  other: {workers: 1, consumes: {events: {group: g, do: [{work: 1ms}]}}}
brokers:"""
FLOW = [80.0 + 0.05 * k for k in range(2900)]  # 20/s from 1:20 to 3:45: 2.5/s in each of eight partitions


def system(membership, fault="", replicas=4, partitions=8, work="10ms"):
    text = SYSTEM.replace("MEMBERSHIP", membership).replace("FAULT", fault).replace("WORK", work)
    return text.replace("REPLICAS", str(replicas)).replace("PARTITIONS", str(partitions))


def waits(played, since=0.0, until=math.inf, at_least=0.1):
    """Partition -> the longest that a record waited which became readable then, of those that waited so long: it stood still.

    Usually a record is handled within hundredths of a second.
    """
    frame = played.records.message_frame()
    its = frame[(frame["available"] >= since) & (frame["available"] < until)]
    longest = (its["end"] - its["available"]).groupby(its["partition"]).max()
    return {int(partition): round(wait, 3) for partition, wait in longest.items() if wait >= at_least}


def moments(played, *kinds):
    return [(event.time, event.value) for event in played.events(*kinds)]


def test_nobody_waits_as_long_as_nobody_comes_or_goes():
    assert waits(testing.play(system("membership: eager"), FLOW)) == {}


CRASH = "{at: 100s, crash: {of: worker, replicas: 1}}"


def test_a_crashed_consumer_costs_the_group_its_session_timeout():
    """Given up 45 s after its last heartbeat, which was up to 3 s before the crash; then the others have to notice and join."""
    played = testing.play(system("membership: eager", CRASH), FLOW)
    ((began, members),) = moments(played, "rebalance_began")
    ((assigned, left),) = moments(played, "partitions_assigned")
    assert (members, left) == (3.0, 3.0)
    assert 142.0 <= began <= 145.0
    assert began < assigned <= began + 3.1
    stood = waits(played, 100.0, 140.0)
    assert len(stood) == 2, "the two partitions of the dead one stand still for all that time, and no other"
    assert all(assigned - 102.5 < wait < assigned - 98.0 for wait in stood.values())


def test_a_static_member_that_is_back_in_time_costs_nothing_but_its_own_partitions():
    fault = "{at: 100s, crash: {of: worker, replicas: 1, restart_after: 10s}}"
    played = testing.play(system("membership: {static: true}", fault), FLOW)
    assert moments(played, "rebalance_began") == []
    stood = waits(played, 50.0, 150.0)
    assert len(stood) == 2
    assert all(wait == pytest.approx(10.0, abs=1.5) for wait in stood.values())


@pytest.mark.parametrize(("protocol", "stand_still"), [("eager", 8), ("cooperative", 2)])
def test_a_dynamic_member_that_is_back_makes_the_group_wait_for_the_session_of_the_one_that_died(protocol, stand_still):
    """Back after 10 s, as somebody new. An eager group has given everything up meanwhile; a cooperative one works on."""
    fault = "{at: 100s, crash: {of: worker, replicas: 1, restart_after: 10s}}"
    played = testing.play(system(f"membership: {protocol}", fault), FLOW)
    (began, members), *_ = moments(played, "rebalance_began")
    (assigned, left), *_ = moments(played, "partitions_assigned")
    assert (began, members, left) == (110.0, 5.0, 4.0)
    assert 142.0 <= assigned <= 145.1
    assert len(waits(played, 100.0, 140.0, at_least=20.0)) == stand_still


DEPLOY = "{at: 100s, restart: {of: worker, one_by_one: 30s, takes: 5s}}"


def test_a_deployment_makes_an_eager_group_stand_still_again_and_again_and_a_cooperative_one_not():
    """Four replicas leave and come back one after the other. Eager: all eight partitions stand still each time. Cooperative: those that move."""
    eager = testing.play(system("membership: eager", DEPLOY), FLOW)
    cooperative = testing.play(system("membership: cooperative", DEPLOY), FLOW)
    assert len(moments(eager, "rebalance_began")) == 8, "each replica leaves, and comes"
    for turn in range(4):
        window = (100.0 + 30.0 * turn, 125.0 + 30.0 * turn)
        assert len(waits(eager, *window)) >= 7, "all but one that happens to have no record in these seconds"
        assert len(waits(cooperative, *window)) <= 4, "the two of the one that leaves, and two that come back to it"
    for played in (eager, cooperative):
        assert played.requests["charges"].max() == 1, "who leaves in order commits first: nothing is handled twice"
        assert set(played.records.message_frame()["how"]) == {"processed"}


def test_a_deployment_of_static_members_moves_nothing():
    played = testing.play(system("membership: {static: true}", DEPLOY), FLOW)
    assert moments(played, "rebalance_began") == []
    assert [event.kind for event in played.events("replica_stopped", "replica_restarted")] == [
        "replica_stopped",
        "replica_restarted",
    ] * 4


def test_a_handler_longer_than_max_poll_interval_is_redelivered_for_ever():
    """40 s of work under a limit of 30: its member is given up, the record goes to another, and so on; each one charges."""
    played = testing.play(system("membership: {max_poll_interval: 30s}", work="40s", partitions=1), [0.0])
    (deliveries,), (charges,) = played.records.messages["deliveries"], played.requests["charges"]
    assert charges < deliveries <= charges + 2, "the last ones are under way"
    assert played.requests["charges"][0] >= 7
    assert played.records.message_frame()["how"].tolist() == ["queued"]
    began = [time for time, _ in moments(played, "rebalance_began")]
    assert began[0] == pytest.approx(30.0, abs=0.01)


def test_a_handler_just_shorter_is_not():
    played = testing.play(system("membership: {max_poll_interval: 30s}", work="29s", partitions=1), [0.0])
    assert played.requests["charges"].tolist() == [1]
    assert moments(played, "rebalance_began") == []


@pytest.mark.long
def test_members_that_come_and_go_leave_the_books_balanced_and_the_run_repeatable():
    faults = f"{DEPLOY}, {{at: 120s, crash: {{of: worker, replicas: 2, restart_after: 40s}}}}, {{at: 250s, for: 20s, broker_down: kafka}}"
    for protocol in ("eager", "cooperative"):
        one, other = (testing.play(system(f"membership: {protocol}", faults), FLOW) for _ in range(2))
        assert one.records.fingerprint() == other.records.fingerprint()
        assert set(one.records.message_frame()["how"]) == {"processed"}
        assert not any(math.isnan(time) for time in one.completions())


@pytest.mark.parametrize(
    ("owned", "partitions", "assigned"),
    [
        ([[0, 1], [2, 3], [4, 5], [6, 7]], 8, [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ([[0, 1], [], [4, 5], [6, 7]], 8, [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ([[0, 1, 2], [3, 4, 5], []], 6, [[0, 1], [3, 4], [2, 5]]),
        ([[0, 1, 2], [3, 4, 5]], 7, [[0, 1, 2, 6], [3, 4, 5]]),
        ([[0], [1], [2]], 2, [[0], [1], []]),
        ([], 3, []),
    ],
)
def test_a_sticky_assignment_is_balanced_and_moves_no_more_than_it_must(owned, partitions, assigned):
    assert assign_numbers("sticky", owned, partitions) == assigned


def test_a_queue_has_no_membership():
    text = system("prefetch: 5, membership: eager").replace(
        "kind: log, topics: {events: {partitions: 8}}", "kind: queue, queues: {events: {}}"
    )
    with pytest.raises(ScenarioError, match="the consumers of a queue are no group"):
        testing.play(text, [0.0])


@pytest.mark.parametrize(
    ("assignor", "stays"), [("range", 5), ("sticky", 6)], ids=["range deals all anew", "sticky keeps what it can"]
)
def test_what_the_survivors_of_a_group_keep_is_a_matter_of_its_assignor(assignor, stays):
    """Eight partitions, four members, the first of which dies: range deals 0-2, 3-5, 6-7 to those who had 2-3, 4-5, 6-7; sticky
    gives two of them one more.
    """
    before = [[0, 1], [2, 3], [4, 5], [6, 7]]
    after = assign_numbers(assignor, before[1:], 8)
    assert sum(len(set(had) & set(has)) for had, has in zip(before[1:], after, strict=True)) == stays
    played = testing.play(system(f"membership: {{assignor: {assignor}}}", CRASH), FLOW)
    assert [value for _, value in moments(played, "partitions_assigned")] == [3.0]
    assert not any(math.isnan(time) for time in played.completions())


def test_an_assignor_belongs_to_its_protocol():
    with pytest.raises(ScenarioError, match="assignor: sticky under protocol: cooperative"):
        testing.play(system("membership: {protocol: cooperative, assignor: sticky}"), FLOW)


def test_under_the_brokers_own_protocol_only_what_moves_stands_still():
    """KIP-848: the two partitions of the one that crashed, until its session of 45 s is over and their new owners have had a
    heartbeat, every 5 s; no round for the others.
    """
    played = testing.play(system("membership: consumer", CRASH), FLOW)
    ((began, members),) = moments(played, "rebalance_began")
    ((assigned, left),) = moments(played, "partitions_assigned")
    assert (members, left) == (3.0, 3.0)
    assert 140.0 <= began <= 145.0
    assert began < assigned <= began + 5.0
    stood = waits(played, 100.0, 140.0)
    assert len(stood) == 2
    assert all(began - 100.0 - 1.0 < wait <= assigned - 99.0 for wait in stood.values())
    behind = waits(played, 100.0, at_least=2.0)
    assert behind.keys() == stood.keys(), (
        "others wait for the backlog of 45 s at most, which is handled in little more than a second"
    )


def test_under_the_brokers_own_protocol_a_newcomer_gets_what_others_have_given_up_at_its_heartbeats():
    """A dynamic member that is back after 10 s joins beside the one that died: its partitions are free when that one's session is
    over, and meanwhile each of the three others gives one away.
    """
    fault = "{at: 100s, crash: {of: worker, replicas: 1, restart_after: 10s}}"
    played = testing.play(system("membership: consumer", fault), FLOW)
    assert not any(math.isnan(time) for time in played.completions())
    stood = waits(played, 50.0, 150.0, at_least=5.5)
    assert len(stood) <= 2, "what moves between the living is handed over within a heartbeat"


def test_a_handler_longer_than_the_poll_interval_loses_its_partitions_to_others_there_too():
    played = testing.play(system("membership: {protocol: consumer, max_poll_interval: 1s}", work="2s"), FLOW[:40])
    assert moments(played, "rebalance_began")


def test_members_of_one_group_say_the_same_of_it():
    with pytest.raises(ScenarioError, match=r"other\.consumes\.events: found another `membership` than 'worker' says"):
        testing.play(system("membership: eager").replace("\nbrokers:", OTHER), FLOW)
