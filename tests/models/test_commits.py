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
    """Asked for from 0 on: 1 ms there, 500 ms, 1 ms back; and asked for again at once."""
    played = play("fetch: {min: 1MiB, wait: 500ms}", [0.1, 0.9])
    assert [round(time, 6) for time in rows(played)["end"]] == [0.512, pytest.approx(0.512 + 0.502 + 0.01)]


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
