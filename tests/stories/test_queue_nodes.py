"""Nodes of a queue broker that are lost and come back, event by event, on both engines: who leads, what waits, what is
lost and what comes again. Times follow from the words alone: an election 267 ms after the loss, a commit of 1 ms, a try to
come back every 5 s.
"""

import pytest

from sim import testing
from sim.errors import ScenarioError

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SYSTEM = """
duration: 60s
traffic: {clients: {sends: orders.create, completes_with: [done]}}
services:
  orders: {workers: unlimited, replicas: PUBLISHERS, endpoints: {create: [{publish: jobs, PUBLISH}]}}
  worker: {workers: 1, replicas: REPLICAS, consumes: {jobs: {prefetch: 1, CONSUME, do: [{work: 100ms}, {effect: done}]}}}
brokers: {rabbit: {kind: queue, nodes: NODES, queues: {jobs: {QUEUE}, MORE}}}
network: {default: {latency: 0ms}}
faults: [FAULTS]
"""
LOST = "{name: NAME, at: AT, for: FOR, broker_down: rabbit, node: NODE}"


def lost(node, at, until, name=""):
    """A node that is down for a while."""
    text = LOST.replace("NAME", name or f"node {node}").replace("AT", f"{at}s").replace("FOR", f"{until - at}s")
    return text.replace("NODE", str(node))


def system(
    *faults,
    queue="type: quorum",
    publish="confirm: each",
    nodes="3",
    replicas=1,
    publishers=1,
    more="",
    consume="ack: manual",
):
    text = SYSTEM.replace("FAULTS", ", ".join(faults)).replace("QUEUE", queue).replace("PUBLISHERS", str(publishers))
    text = text.replace("PUBLISH", publish).replace("REPLICAS", str(replicas)).replace("CONSUME", consume)
    return text.replace("NODES", nodes).replace("MORE", more)


def play(text, arrivals):
    return testing.play_on_both(text, arrivals)


def answered_at(played):
    """When its publisher had its answer."""
    return [round(end, 9) for end in played.requests["end"]]


def done_at(played):
    return [
        round(arrival + completion, 9)
        for arrival, completion in zip(played.requests["arrival"], played.completions(), strict=True)
    ]


def outcomes(played):
    return list(played.outcomes())


def rows(played, queue="jobs"):
    frame = played.records.message_frame()
    return frame[frame["topic"] == queue].sort_values("offset", ignore_index=True)


def events(played):
    frame = played.records.event_frame()
    return [
        (round(time, 9), kind, subject, about)
        for time, kind, subject, about in zip(
            frame["time"], frame["kind"], frame["subject"], frame["object"], strict=True
        )
        if kind.startswith("leader")
    ]


# -- the leader is lost ------------------------------------------------------------------------------------------------


def test_a_lost_leader_is_followed_by_another_and_what_comes_meanwhile_is_confirmed_late():
    """Both are connected to node 0, and its loss at 5 s moves them to node 1. What comes at 5.1 s waits for the election
    at 5.267 s; the consumer tries again at 10 s.
    """
    played = play(system(lost(0, 5, 15)), [1.0, 5.1, 6.0])
    assert events(played) == [(5.0, "leader_lost", "rabbit[0]", ""), (5.267, "leader_elected", "rabbit[1]", "jobs")]
    assert answered_at(played) == [1.001, 5.268, 6.001]
    assert done_at(played) == [1.101, 10.1, 10.2]


def test_what_only_the_lost_node_had_is_lost_and_its_publisher_unreachable():
    """At 5 s the leader has it and no follower, and the channel that would have sent it again is gone as well."""
    played = play(system(lost(0, 5, 15), queue="type: quorum, commit: 10ms"), [4.995])
    assert outcomes(played) == ["unreachable"]
    assert answered_at(played) == [5.0]
    assert rows(played)["how"].tolist() == ["lost"]
    assert rows(played)["end"].tolist() == [5.0]


def test_what_a_channel_of_another_node_has_sent_is_sent_to_the_next_leader():
    """The second replica publishes by node 1: its message, not committed at 5 s, is committed at 5.267 s + 10 ms."""
    played = play(system(lost(0, 5, 15), queue="type: quorum, commit: 10ms", publishers=2), [1.0, 4.995])
    assert outcomes(played) == ["ok", "ok"]
    assert answered_at(played) == [1.01, 5.277]


def test_a_leader_that_is_lost_commits_nothing_under_the_next_one():
    """What it was sent at 4.995 s it would have committed at 5.495 s, when node 1 leads: that has it from 5.267 s on, and
    commits it 500 ms later.
    """
    played = play(system(lost(0, 5, 15), queue="type: quorum, commit: 500ms", publishers=2), [1.0, 4.995])
    assert outcomes(played) == ["ok", "ok"]
    assert answered_at(played) == [1.5, 5.767]


def test_what_two_leaders_were_to_commit_is_committed_once_by_the_third():
    """Node 1 leads from 5.267 s and is lost at 5.3 s; node 2 leads with node 0, which is back at 5.2 s, from 5.567 s on.
    The second and the third replica publish, of which that of node 1 has moved to node 2 with it when it is lost: what
    only it had is lost.
    """
    faults = lost(0, 5, 5.2), lost(1, 5.3, 15)
    played = play(system(*faults, queue="type: quorum, commit: 500ms", publishers=3), [1.0, 4.99, 4.995])
    assert [(time, subject) for time, kind, subject, _ in events(played) if kind == "leader_elected"] == [
        (5.267, "rabbit[1]"),
        (5.567, "rabbit[2]"),
    ]
    assert outcomes(played) == ["ok", "unreachable", "ok"]
    assert answered_at(played) == [1.5, 5.3, 6.067]
    assert rows(played)["how"].tolist() == ["processed", "lost", "processed"]
    assert rows(played)["deliveries"].tolist() == [1, 0, 1]


def test_a_leader_that_has_no_majority_for_a_while_commits_what_it_was_sent():
    """Both followers are gone from 5 s to 5.2 s: it leads on, and what it has from 4.995 s on is committed at 5.495 s."""
    faults = lost(1, 5, 5.2), lost(2, 5, 5.2)
    played = play(system(*faults, queue="type: quorum, commit: 500ms"), [4.995])
    assert events(played) == []
    assert answered_at(played) == [5.495]


def test_a_consumer_of_another_node_keeps_what_it_has_and_is_heard_by_the_next_leader():
    """The queue is led by node 1, since another one is declared before it: the consumer, on node 0, keeps its channel.
    It is done at 5.05 s, which the next leader hears at 5.267 s, and hands out the next one then.
    """
    text = system(lost(1, 5, 15), nodes="{count: 3, queue_leader_locator: balanced}")
    text = text.replace("queues: {jobs", "queues: {first: {}, jobs")
    played = play(text, [4.949, 4.949])
    assert done_at(played) == [5.05, 5.367]
    assert rows(played)["deliveries"].tolist() == [1, 1]
    assert rows(played)["end"].round(9).tolist() == [5.267, 5.367]


def test_what_a_consumer_of_the_lost_node_had_is_handed_out_again():
    """The first consumer, on node 0, has one in hand at 5 s: the other, on node 1, is handed it at 5.267 s."""
    played = play(system(lost(0, 5, 15), replicas=2), [4.949])
    assert rows(played)["deliveries"].tolist() == [2]
    assert rows(played)["end"].round(9).tolist() == [5.367]


def test_a_node_that_comes_back_follows():
    """Node 0 is back at 7 s; when node 1 is lost, node 2 is the next."""
    played = play(system(lost(0, 5, 7), lost(1, 20, 25)), [])
    assert [subject for _, kind, subject, _ in events(played) if kind == "leader_elected"] == ["rabbit[1]", "rabbit[2]"]


def test_until_the_others_know_it_there_is_no_election():
    played = play(system(lost(0, 5, 15), nodes="{count: 3, detection: 1s, election: 200ms}"), [5.1])
    assert answered_at(played) == [6.201]


def test_one_that_is_back_stands_for_election_before_the_others_know_of_the_loss():
    """They would notice it at 65 s; node 0 is back at 10 s and knows of no leader: there is one at 10.267 s, and no other
    election at 65.267 s.
    """
    played = play(system(lost(0, 5, 10), nodes="{count: 3, detection: 60s}"), [6.0])
    assert events(played) == [(5.0, "leader_lost", "rabbit[0]", ""), (10.267, "leader_elected", "rabbit[1]", "jobs")]
    assert answered_at(played) == [10.268]


def test_one_that_is_back_late_delays_no_election():
    """It would be over at 6.3 s, and that of the others is at 6.2 s."""
    played = play(system(lost(0, 5, 6.1), nodes="{count: 3, detection: 1s, election: 200ms}"), [5.1])
    assert answered_at(played) == [6.201]


def test_an_election_that_another_one_came_before_is_none_of_the_next_loss():
    """That of the first loss would be at 15.267 s, and node 1 leads from 7.267 s on. It is lost at 14 s, which is noticed
    at 24 s.
    """
    played = play(system(lost(0, 5, 7), lost(1, 14, 30), nodes="{count: 3, detection: 10s}"), [15.0])
    assert [(time, subject) for time, kind, subject, _ in events(played) if kind == "leader_elected"] == [
        (7.267, "rabbit[1]"),
        (24.267, "rabbit[2]"),
    ]
    assert answered_at(played) == [24.268]


# -- a follower is lost ------------------------------------------------------------------------------------------------


# -- what a node that is back lacks -------------------------------------------------------------------------------------

TWENTY = [round(3.0 + number / 10, 1) for number in range(20)]
SLOWLY = "{count: 3, catch_up: 10/s}"


def test_a_follower_that_is_back_is_in_no_majority_before_it_has_what_came_meanwhile():
    """Twenty messages in the eight seconds of its absence, at ten a second, and one more meanwhile: from 12.1 s on it has
    all. Node 1 is lost at 11 s, and the leader alone is no majority until then.
    """
    played = play(system(lost(2, 2, 10), lost(1, 11, 30), nodes=SLOWLY), [*TWENTY, 10.5, 11.5, 12.5])
    assert answered_at(played)[-3:] == [10.501, pytest.approx(12.1 + 0.001), 12.501]


def test_what_comes_while_a_follower_catches_up_it_takes_in_as_well():
    """Two at 10.5 s and 11 s: 200 ms more, until 12.2 s, without which node 1 is missed from 12.15 s on."""
    played = play(system(lost(2, 2, 10), lost(1, 12.15, 30), nodes=SLOWLY), [*TWENTY, 10.5, 11.0, 12.16])
    assert answered_at(played)[-1] == pytest.approx(12.2 + 0.001)


def test_one_that_lacks_something_votes_and_goes_on_catching_up_when_another_leads():
    """At 11 s it has ten of twenty when the leader is lost; node 1 leads 267 ms later, and one second after that there is
    a majority that has all.
    """
    played = play(system(lost(2, 2, 10), lost(0, 11, 30), nodes=SLOWLY), [*TWENTY, 11.5])
    assert events(played)[-1] == (11.267, "leader_elected", "rabbit[1]", "jobs")
    assert answered_at(played)[-1] == pytest.approx(12.267 + 0.001)


def test_one_that_lacks_something_does_not_lead():
    """Node 1 would be next."""
    played = play(system(lost(1, 2, 10), lost(0, 10.5, 30), nodes=SLOWLY), [*TWENTY, 13.0])
    assert events(played)[-1] == (10.767, "leader_elected", "rabbit[2]", "jobs")
    assert answered_at(played)[-1] == 13.001


def test_one_that_is_lost_again_keeps_what_it_took_in():
    """Five of twenty in half a second; back at 12 s, the other fifteen take 1.5 s, in which two is no majority."""
    faults = lost(2, 2, 10), lost(2, 10.5, 12, name="again"), lost(1, 12.5, 30)
    played = play(system(*faults, nodes=SLOWLY), [*TWENTY, 12.6])
    assert answered_at(played)[-1] == pytest.approx(13.5 + 0.001)


# -- nodes that do not hear one another ----------------------------------------------------------------------------------


def split(*nodes, at=5, until=15):
    return f"{{at: {at}s, for: {until - at}s, broker_split: rabbit, nodes: [{', '.join(map(str, nodes))}]}}"


def test_a_minority_confirms_nothing_until_it_hears_the_others_again():
    """Node 0 led; the others elect node 1 after 267 ms. Publishers are connected to nodes 0 and 1 in turn. Who consumes by
    node 0 has the two that wait from 14 s on.
    """
    played = play(system(split(0, until=14), publishers=2), [1.0, 1.5, 6.0, 6.5])
    assert events(played) == [(5.0, "leader_lost", "rabbit[0]", "jobs"), (5.267, "leader_elected", "rabbit[1]", "jobs")]
    assert answered_at(played) == [1.001, 1.501, 14.001, 6.501]
    assert done_at(played) == [1.101, 1.601, 14.2, 14.1]


def test_who_is_connected_to_the_majority_notices_nothing_of_the_rest():
    """Publishers by nodes 0 to 2 in turn, of which node 2 is alone; the consumer is connected to node 0."""
    played = play(system(split(2), publishers=3), [6.0, 6.1, 6.2, 7.0])
    assert answered_at(played) == [6.001, 6.101, 15.001, 7.001]
    assert done_at(played) == [6.101, 6.201, 15.101, 7.101]


def test_what_its_leader_had_not_committed_waits_with_it_in_the_minority():
    """Sent by node 0 at 4.995 s and not committed at 5 s; it is sent to the next leader at 15 s."""
    played = play(system(split(0), queue="type: quorum, commit: 10ms"), [4.995])
    assert answered_at(played) == [15.01]


def test_of_two_nodes_that_do_not_hear_one_another_neither_is_a_majority():
    played = play(system(split(1), nodes="2"), [6.0])
    assert answered_at(played) == [15.001]
    assert events(played) == []


def test_a_member_that_heard_nothing_lacks_what_came_meanwhile():
    """As one that was down (see above): all of twenty-one at 12.1 s, and node 1 is lost at 11 s."""
    played = play(system(split(2, at=2, until=10), lost(1, 11, 30), nodes=SLOWLY), [*TWENTY, 10.5, 11.5])
    assert answered_at(played)[-1] == pytest.approx(12.1 + 0.001)


def test_a_minority_that_pauses_sends_its_clients_to_the_others():
    """Two seconds after 5 s: what node 0 has kept since 6 s is lost with it, and its publisher hears so. From then on that
    one publishes by node 1, and the consumer comes back there at 10 s.
    """
    nodes = "{count: 3, partition_handling: pause_minority, net_ticktime: 2s}"
    played = play(system(split(0), nodes=nodes), [1.0, 6.0, 8.0, 16.0])
    assert outcomes(played) == ["ok", "unreachable", "ok", "ok"]
    assert answered_at(played) == [1.001, 7.0, 8.001, 16.001]
    assert done_at(played)[2:] == [10.1, 16.101]


def test_a_split_that_is_over_before_the_others_count_as_down_pauses_nobody():
    nodes = "{count: 3, partition_handling: pause_minority, net_ticktime: 20s}"
    assert answered_at(play(system(split(0), nodes=nodes), [6.0])) == [15.001]


def test_a_classic_queue_is_there_for_the_side_on_which_it_is():
    """On node 0: what is published by node 1 is nacked, and who consumes by node 1 comes back at 15 s."""
    played = play(system(split(0), queue="type: classic", publishers=2, replicas=2), [6.0, 6.1, 6.2])
    assert outcomes(played) == ["ok", "error", "ok"]
    assert rows(played)["end"].round(3).tolist() == [6.1, 6.1, 6.3]


@pytest.mark.parametrize("nodes", [[3], [0, 1, 2]])
def test_a_split_leaves_somebody_on_both_sides(nodes):
    with pytest.raises(ScenarioError, match="expected some of 0 to 2, and not all"):
        play(system(split(*nodes)), [1.0])


def test_a_lost_follower_changes_nothing():
    played = play(system(lost(2, 5, 15)), [1.0, 5.1, 6.0])
    assert events(played) == []
    assert answered_at(played) == [1.001, 5.101, 6.001]
    assert done_at(played) == [1.101, 5.201, 6.101]


def test_two_followers_are_a_majority_and_the_queue_waits_without_them():
    """From 6 s the leader is alone: what comes is confirmed 1 ms after one is back, at 15 s. What a consumer said at
    6.05 s is heard then, too, and it is handed the next one.
    """
    played = play(system(lost(1, 5, 15), lost(2, 6, 20)), [5.949, 7.0])
    assert events(played) == []
    assert answered_at(played) == [5.95, 15.001]
    assert done_at(played) == [6.05, 15.101]
    assert rows(played)["end"].round(9).tolist() == [15.0, 15.101]


# -- the majority is lost ----------------------------------------------------------------------------------------------


def test_without_a_majority_nobody_is_elected_until_there_is_one():
    """Nodes 0 and 1 are lost: node 2 cannot lead alone. Node 1 is back at 15 s, and led from 15.267 s is what was held
    back; its consumer is connected to node 2, where it came at 10 s.
    """
    played = play(system(lost(0, 5, 30), lost(1, 5.1, 15)), [5.2, 12.0])
    assert events(played) == [(5.0, "leader_lost", "rabbit[0]", ""), (15.267, "leader_elected", "rabbit[1]", "jobs")]
    assert answered_at(played) == [15.268, 15.268]
    assert done_at(played) == [15.368, 15.468]


def test_a_publisher_that_does_not_wait_so_long_hears_of_it():
    played = play(system(lost(0, 5, 30), lost(1, 5, 15), publish="confirm: each, policy: {timeout: 1s}"), [6.0])
    assert outcomes(played) == ["timeout"]
    assert rows(played)["how"].tolist() == ["processed"]  # it was only late


def test_with_two_nodes_one_is_no_majority():
    """They elect nobody, and the queue waits for the one that is lost."""
    played = play(system(lost(1, 5, 15), nodes="2"), [6.0])
    assert answered_at(played) == [15.001]


def test_with_five_members_two_may_be_lost():
    played = play(
        system(lost(0, 5, 15), lost(1, 5, 15), nodes="5", queue="type: quorum, quorum_initial_group_size: 5"), [6.0]
    )
    assert [subject for _, kind, subject, _ in events(played) if kind == "leader_elected"] == ["rabbit[2]"]
    assert answered_at(played) == [6.001]


def test_without_any_node_nobody_is_reached():
    """The last is gone at 7 s; the first is back at 15 s, the second at 16 s, with which it is a majority."""
    played = play(system(lost(0, 5, 15), lost(1, 6, 16), lost(2, 7, 30)), [8.0, 15.5, 17.0])
    assert outcomes(played) == ["unreachable", "ok", "ok"]
    assert answered_at(played) == [8.0, 16.268, 17.001]


# -- a classic queue ---------------------------------------------------------------------------------------------------


def test_a_classic_queue_is_down_with_its_node_and_keeps_what_was_on_disk():
    """The second message waits behind the first, which is in hand when node 0 is lost: both are there when it is back at
    14 s. The consumer tries at 10 and 15 s; it is done with the first at 5.05 s, which nobody hears, and does it again.
    """
    played = play(system(lost(0, 5, 14), queue="type: classic"), [4.95, 4.96])
    assert rows(played)["end"].round(9).tolist() == [15.1, 15.2]
    assert rows(played)["deliveries"].tolist() == [2, 1]


def test_consumers_of_other_nodes_are_cancelled_too():
    """The other one is connected to node 1, and would be handed nothing but by node 0."""
    played = play(system(lost(0, 5, 14), queue="type: classic", replicas=2), [4.95, 4.96])
    assert rows(played)["end"].round(9).tolist() == [15.1, 15.1]
    assert rows(played)["deliveries"].tolist() == [2, 2]


def test_what_is_published_to_a_classic_queue_that_is_down_is_nacked():
    played = play(system(lost(0, 5, 14), queue="type: classic"), [6.0, 14.5])
    assert outcomes(played) == ["error", "ok"]
    assert rows(played)["how"].tolist() == ["lost", "processed"]


def test_without_confirms_nobody_hears_of_it():
    played = play(system(lost(0, 5, 14), queue="type: classic", publish="confirm: none"), [6.0])
    assert outcomes(played) == ["ok"]
    assert rows(played)["how"].tolist() == ["lost"]


def test_what_was_not_on_disk_is_lost_with_the_node():
    """A commit takes 20 ms: of the message of 4.99 s the publisher, on node 1, hears at 5.01 s that it is gone; that of
    4.97 s was on disk.
    """
    played = play(system(lost(0, 5, 14), queue="type: classic, commit: 20ms", publishers=2), [4.97, 4.99])
    assert rows(played)["how"].tolist() == ["processed", "lost"]
    assert outcomes(played) == ["ok", "error"]
    assert answered_at(played) == [4.99, 5.01]


def of_two_priorities(commit, work=""):
    """Three messages of priority 1, at 4.0, 4.5 and 4.6 s, and three of 5, at 4.55, 4.8 and 4.9 s; each takes its consumer
    3 s. Node 0, on which they are, is down from 5.2 s to 14 s.
    """
    text = system(lost(0, 5.2, 14), queue=f"type: classic, max_priority: 10, {commit}").replace(
        "work: 100ms", "work: 3s"
    )
    text = text.replace("rabbit: {kind: queue,", f"rabbit: {{kind: queue, {work}")
    text = text.replace("completes_with: [done]}", "completes_with: [done]}, hurried: {sends: orders.hurry}")
    calm, urgent = (f"[{{publish: jobs, confirm: each, priority: {priority}}}]" for priority in (1, 5))
    text = text.replace("{create: [{publish: jobs, confirm: each}]}", f"{{create: {calm}, hurry: {urgent}}}")
    return play(text, {"clients": [4.0, 4.5, 4.6], "hurried": [4.55, 4.8, 4.9]})


@pytest.mark.parametrize("work", ["", "work: 150ms, "], ids=["taken in at once", "some on their way in"])
def test_what_is_lost_of_several_priorities_is_lost_in_the_order_in_which_it_came(work):
    """The first is in hand, the urgent ones are before the others, and none is on disk at 5.2 s. Where the process of the
    queue takes 150 ms for each, the last two are taken in at 5.1 and 5.25 s.
    """
    played = of_two_priorities("commit: 1500ms", work)
    frame = played.records.message_frame()
    assert frame["offset"].tolist() == [0, 1, 2, 3, 4, 5]
    assert set(frame["how"]) == {"lost"}
    assert set(frame["end"]) == {5.2}
    assert frame["deliveries"].tolist() == [1, 0, 0, 0, 0, 0]


def test_what_of_several_priorities_was_on_disk_stays():
    """A commit takes 500 ms: what came until 4.6 s is there when node 0 is back at 14 s, and the urgent one is done first,
    from 15.2 s on, when the consumer tries again; that of 4.0 s is done with at 7 s, which nobody hears.
    """
    played = of_two_priorities("commit: 500ms")
    assert rows(played)["how"].tolist() == ["processed"] * 4 + ["lost"] * 2
    assert rows(played)["end"].round(9).tolist() == [21.2, 24.2, 18.2, 27.2, 5.2, 5.2]


def test_another_node_is_no_matter_for_a_classic_queue():
    played = play(system(lost(1, 5, 14), queue="type: classic"), [6.0])
    assert done_at(played) == [6.1]


# -- disks -------------------------------------------------------------------------------------------------------------

SLOW = "{at: 1s, for: 50s, slow_disk: {of: rabbit, node: NODE, by: 100x}}"


def test_a_commit_takes_as_long_as_the_second_fastest_of_three():
    """One slow member is outvoted; when another one is lost, it is the second of two: 100 ms."""
    slow = SLOW.replace("NODE", "1")
    played = play(system(slow, lost(2, 5, 15)), [2.0, 6.0, 20.0])
    assert answered_at(played) == [2.001, 6.1, 20.001]


def test_a_leader_with_a_slow_disk_is_outvoted_as_well():
    played = play(system(SLOW.replace("NODE", "0")), [2.0])
    assert answered_at(played) == [2.001]


def test_two_slow_ones_of_three_are_a_majority():
    slow = (
        SLOW.replace("{at", "{name: a, at").replace("NODE", "1"),
        SLOW.replace("{at", "{name: b, at").replace("NODE", "2"),
    )
    played = play(system(*slow), [2.0])
    assert answered_at(played) == [2.1]


# -- what does not go together -----------------------------------------------------------------------------------------


def test_a_node_that_is_not_there():
    with pytest.raises(ScenarioError, match=r"found node 3 of 'rabbit', which has nodes 0 to 2"):
        testing.play(system(lost(3, 5, 15)), [])


def test_a_classic_queue_has_no_group():
    with pytest.raises(ScenarioError, match="on a classic queue, which is on one node"):
        testing.play(system(queue="type: classic, quorum_initial_group_size: 3"), [])
