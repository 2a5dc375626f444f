"""What `sim check` says of queue brokers: each rule has a system that meets it by its real cause, and a sound one meets none."""

import pytest

import sim
from sim.experiments.on_paper.offered_load import analysis_of, check
from sim.models import simulate

SOUND = """
version: 1
duration: 70s
warmup: 20s
seed: 5
traffic: {clients: {sends: front.ask, arrivals: {poisson: 100/s}, timeout: 10s}}
services:
  front: {workers: 32, queue: {capacity: 50}, endpoints: {ask: [{publish: news, routing_key: order.created, confirm: each, MESSAGE}]}}
  mail: {replicas: 2, workers: 1, consumes: {mail: {prefetch: 20, CONSUME, do: [{work: {exponential: 5ms}}, STEP]}}}
brokers:
  rabbit: {kind: queue, exchanges: {news: {type: topic, bindings: {order.*: BOUND}}}, queues: {mail: {type: quorum, QUEUE}, MORE}}
network: {default: {latency: 5ms}}
faults: [FAULT]
"""


def system(
    *,
    message="via: broker",
    consume="priority: 0",
    step="{work: 1ms}",
    bound="mail",
    queue="dead_letter: {routing_key: mail}",
    more="",
    fault="",
):
    text = SOUND.replace("MESSAGE", message).replace("CONSUME", consume).replace("STEP", step).replace("BOUND", bound)
    return text.replace("QUEUE", queue).replace("MORE", more).replace("FAULT", fault)


def warnings(text):
    return "\n".join(
        f"{finding.place}: {finding.finding}. {finding.why}" for finding in check(sim.load_text(text)).warnings
    )


def test_a_sound_one_is_not_warned_of():
    assert warnings(system()) == ""


DOWN = "{at: 50s, for: 5s, broker_down: rabbit}"
NODE = "{at: 50s, for: 5s, broker_down: rabbit, node: 0}"
HALVES = "{at: 50s, for: 5s, broker_split: rabbit, nodes: [0, 1]}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            system(queue="dead_letter: {routing_key: mail}, quorum_initial_group_size: 4", fault=HALVES).replace(
                "kind: queue,", "kind: queue, nodes: 4,"
            ),
            "queue mail: a quorum queue on 4 nodes. no side of the split has a majority of them",
        ),
        (
            system().replace("prefetch: 20", "prefetch: 1"),
            "mail <- mail: prefetch 1 against a round trip of 10ms and 6ms of work. a consumer can be busy for 37.5%",
        ),
        (
            system().replace("prefetch: 20", "prefetch: 1"),
            "together they handle 125/s at most; prefetch 3 hides the round trip",
        ),
        (  # 1 + 10 ms / 1e-313 s is beyond the numbers
            system(step="{work: 0ms}").replace("exponential: 5ms", "constant: 1e-310ms"),
            "no prefetch but 0 (unlimited) hides the round trip",
        ),
        (system().replace("prefetch: 20", "prefetch: 0"), "2 consumers with unlimited prefetch"),
        (
            system(fault=DOWN).replace("confirm: each,", ""),
            "front.ask: publishes to news without confirms. what is lost while rabbit is down is lost silently",
        ),
        (
            system(queue="max_length: 9, overflow: reject-publish").replace("confirm: each,", ""),
            "what is refused when mail is full is lost silently",
        ),
        (
            system().replace("routing_key: order.created, confirm: each,", "routing_key: created,"),
            "'news' has no queue for routing key 'created'",
        ),
        (
            system(step="{fail: 1%}", consume="on_failure: nack_requeue"),
            "1% of its messages fail and are put back without a limit",
        ),
        (
            system(step="{fail: 50%}", queue="delivery_limit: -1"),
            "50% of its messages fail and are put back without a limit",
        ),
        (
            system(step="{fail: 1%}", consume="on_failure: reject", queue=""),
            "mail gives messages up and has no `dead_letter`",
        ),
        (
            system(step="{fail: 1%}", consume="on_failure: reject"),
            "queue mail: what its consumers give up comes back to it at once. one that always fails goes round",
        ),
        (
            system(
                step="{fail: 1%}",
                consume="on_failure: reject",
                queue="dead_letter: {routing_key: relay}",
                more="relay: {message_ttl: 0s, dead_letter: {routing_key: mail}}",
            ),
            "queue mail: what its consumers give up comes back to it at once",
        ),
        (
            system(
                bound="[mail, later]",
                more="later: {dead_letter: {routing_key: mail}}",
                message="expiration: {uniform: [1s, 9s]}",
            ),
            "front.ask: waits of different lengths in one queue, later",
        ),
        (system(bound="[mail, heap]", more="heap: {}"), "queue heap: published to, but nobody consumes it"),
        (
            system().replace("100/s", "30000/s"),
            "queue mail: takes 30000/s at the peak, and no `work` of the broker is said",
        ),
    ],
)
def test_what_is_unwise_is_told(text, words):
    assert words in warnings(text)


def test_a_waiting_queue_on_the_way_of_dead_letters_is_what_retries_are_made_of():
    waiting = "wait: {message_ttl: 30s, dead_letter: {routing_key: mail}}"
    text = system(
        step="{fail: 1%}", consume="on_failure: reject", queue="dead_letter: {routing_key: wait}", more=waiting
    )
    assert "comes back" not in warnings(text)


@pytest.mark.parametrize(
    ("text", "rate", "held"),
    [
        (system(), 100.0, 0.006),
        (system(step="{fail: 20%}"), 100.0, 0.005 / 0.8),
        (
            system(
                step="{fail: 20%}",
                consume="on_failure: reject",
                queue="dead_letter: {routing_key: later}",
                more="later: {message_ttl: 1s, dead_letter: {routing_key: mail}}",
            ),
            125.0,
            0.005,
        ),
        (system(step="{fail: 10%, per: request}", queue="delivery_limit: 4"), 100.0, 0.005 * (0.9 + 0.1 * 5)),
        (system(step="{fail: 100%}", queue="delivery_limit: 2").replace("100/s", "40/s"), 40.0, 0.015),
    ],
    ids=["well", "put back", "waiting queue", "poison", "delivery limit"],
)
def test_load_on_paper_is_that_of_a_run(text, rate, held):
    """The rate at which messages come to the consumers, what each holds one, and so how busy they are."""
    (scenario,) = sim.load_text(text).variants.values()
    station = next(its for its in analysis_of(scenario).load("base").stations if its.resource == "consumers")
    assert (station.servers, station.rate, station.demand) == (
        2,
        pytest.approx(rate, rel=1e-3),
        pytest.approx(held, rel=1e-3),
    )
    busy = simulate(scenario).gauge("queue mail", "busy")
    assert busy[20:].mean() / 2 == pytest.approx(station.utilisation, rel=0.05)


def test_a_queue_whose_consumers_come_and_go_has_no_partitions_to_be_too_few():
    elastic = "replicas: 2, workers: 1, autoscaling: {max: 9, metrics: [{lag: {queue: mail}}]},"
    text = system().replace("replicas: 2, workers: 1,", elastic)
    assert elastic in text
    assert "partition" not in warnings(text)


# -- nodes -------------------------------------------------------------------------------------------------------------


def on_nodes(text, nodes="3"):
    """The same broker of several nodes."""
    return text.replace("rabbit: {kind: queue", f"rabbit: {{kind: queue, nodes: {nodes}")


def test_three_nodes_of_which_one_is_lost_are_sound():
    assert warnings(on_nodes(system(fault=NODE))) == ""


def test_two_nodes_have_no_majority_without_one_another():
    assert warnings(on_nodes(system(), "2")).startswith(
        "queue mail: a quorum queue on 2 nodes. the others are no majority"
    )


def test_a_classic_queue_goes_down_with_its_node():
    text = on_nodes(system(fault=NODE)).replace("type: quorum", "type: classic")
    assert "queue mail: a classic queue on node 0 of rabbit alone" in warnings(text)
    assert "alone" not in warnings(text.replace("node: 0", "node: 1"))


def test_without_confirms_nobody_hears_what_is_lost_with_the_node_that_leads():
    text = on_nodes(system(fault=NODE)).replace("confirm: each, ", "")
    assert "what is on its way when node 0 of rabbit goes down is lost silently" in warnings(text)
    assert warnings(text.replace("node: 0", "node: 1")) == ""
