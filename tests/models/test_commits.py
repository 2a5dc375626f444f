"""When a consumer fetches and commits, event by event, and what a crash between makes of it."""

import pytest

from sim import testing

SYSTEM = """
duration: 60s
traffic: {clients: {sends: shop.buy, completes_with: [charged]}}
services:
  shop: {workers: unlimited, endpoints: {buy: [{publish: orders}]}}
  stock:
    workers: 1
    consumes: {orders: {group: g, auto_offset_reset: earliest, WORDS, do: [{work: 10ms}, {effect: charged}]}}
brokers: {kafka: {kind: log, topics: {orders: {}}}}
network: {default: {latency: 1ms}}
ledger: {charge: charged}
faults: [{at: CRASH, crash: {of: stock, replicas: 1, restart_after: 10s}}]
"""


def play(words, arrivals, crash="50s"):
    return testing.play(SYSTEM.replace("WORDS", words).replace("CRASH", crash), arrivals)


def rows(played):
    return played.records.message_frame().sort_values("offset")


def charged(played):
    return played.requests["charges"].tolist()


def test_a_fetch_is_answered_when_there_is_enough():
    """Four records of 1 KiB: at the broker 1 ms after they were published, with the consumer 1 ms after the fourth."""
    played = play("fetch: {min: 4KiB}", [0.1, 0.2, 0.3, 0.4])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.412, 0.422, 0.432, 0.442]


@pytest.mark.xdist_group("compiled")  # so that one process compiles, not each
@pytest.mark.parametrize("topic", ["{}", "{partitioner: round_robin}"])
def test_a_fetch_counts_the_bytes_that_each_publication_says(topic):
    """Two records of 2 KiB are 4 KiB: with the consumer 1 ms after the second is at the broker."""
    text = (
        SYSTEM.replace("WORDS", "fetch: {min: 4KiB}")
        .replace("CRASH", "50s")
        .replace("orders: {}}}}", f"orders: {topic}}}}}}}")
    )
    played = testing.play_on_both(text.replace("publish: orders", "publish: orders, size: 2KiB"), [0.1, 0.2])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.212, 0.222]


def test_a_fetch_is_answered_with_what_there_is_when_it_has_waited():
    """Asked for from 0 on: 1 ms there, 500 ms, 1 ms back; and asked for again when that is polled, at 502 ms."""
    played = play("fetch: {min: 1MiB, wait: 500ms}", [0.1, 0.9])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.512, pytest.approx(0.502 + 0.502 + 0.01)]


@pytest.mark.xdist_group("compiled")
def test_what_a_consumer_that_died_had_asked_for_is_gone_with_it():
    """Gone from 5 to 15 s, in which a record comes: its first fetch after that waits in full, 1 ms there, 4 s, 1 ms back."""
    text = SYSTEM.replace("WORDS", "fetch: {min: 1MiB, wait: 4s}").replace("CRASH", "5s")
    played = testing.play_on_both(text, [5.5])
    assert [round(time, 6) for time in rows(played)["end"]] == [15.0 + 4.002 + 0.01]


def test_a_fetch_waits_for_enough_also_while_its_consumer_is_busy():
    """Records of 1 KiB at the broker at 101, 102 and 121 ms, 40 ms of work each. The first two are 2 KiB: with the
    consumer at 103 ms, handled at 143 and 183 ms. The fetch that goes out at 103 ms finds 1 KiB alone and waits, 502 ms
    there and back, until 605 ms, though the consumer is idle from 183 ms on; two more records at 701 ms come at once.
    """
    text = SYSTEM.replace("WORDS", "fetch: {min: 2KiB, wait: 500ms}").replace("CRASH", "50s")
    played = testing.play_on_both(text.replace("work: 10ms", "work: 40ms"), [0.1, 0.101, 0.12, 0.7, 0.7])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.143, 0.183, 0.645, 0.742, 0.782]


def test_what_there_is_more_than_a_poll_takes_does_not_wait_again():
    """Three records are 3 KiB, of which each poll takes one: the last one has been fetched, though it is 1 KiB alone."""
    text = SYSTEM.replace("WORDS", "max_poll_records: 1, fetch: {min: 3KiB}").replace("CRASH", "50s")
    played = testing.play_on_both(text, [0.1, 0.1, 0.1])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.112, 0.122, 0.132]


@pytest.mark.parametrize(("nodes", "ends"), [(1, [0.112, 0.122]), (2, [0.512, 0.522])])
def test_each_node_waits_for_enough_by_itself(nodes, ends):
    """Two partitions, a record of 1 KiB in each, and 2 KiB wanted: enough where one node leads both, and where two do
    each waits for 500 ms, from 0 on and 1 ms on the way there and back.
    """
    partitions = f"nodes: {nodes}, topics: {{orders: {{partitions: 2, partitioner: round_robin}}}}"
    text = SYSTEM.replace("WORDS", "fetch: {min: 2KiB}").replace("CRASH", "50s")
    played = testing.play_on_both(text.replace("topics: {orders: {}}", partitions), [0.1, 0.1])
    assert sorted(round(time, 6) for time in rows(played)["end"]) == ends


@pytest.mark.parametrize(
    ("commit", "charges", "ends"),
    [
        # polled together at 1.002 s, 10 ms each; the crash comes in the middle of the third
        ("batch", [2, 2, 1], ["processed"] * 3),
        ("record", [1, 1, 1], ["processed"] * 3),
        ("before", [1, 1, 0], ["processed", "processed", "lost"]),
        ("automatic", [2, 2, 1], ["processed"] * 3),
    ],
)
def test_a_crash_between_handling_and_committing_decides_what_is_guaranteed(commit, charges, ends):
    played = play(f"commit: {commit}, fetch: {{min: 3KiB}}", [1.0, 1.0, 1.0], crash="1027ms")
    assert charged(played) == charges
    assert rows(played)["how"].tolist() == ends


@pytest.mark.parametrize(("crash", "charges"), [("4s", 2), ("6s", 1)])
def test_automatic_commits_come_every_five_seconds(crash, charges):
    """Handled at 1 s, committed by the poll at 5 s; a crash before that makes it handled twice."""
    assert charged(play("commit: automatic", [1.0], crash)) == [charges]


def test_a_consumer_that_closes_in_order_commits_what_it_has_handled():
    text = SYSTEM.replace("WORDS", "commit: automatic").replace(
        "{at: CRASH, crash: {of: stock, replicas: 1, restart_after: 10s}}",
        "{at: 3s, restart: {of: stock, one_by_one: 1s, takes: 2s, grace: 1s}}",
    )
    assert charged(testing.play(text, [1.0])) == [1]
