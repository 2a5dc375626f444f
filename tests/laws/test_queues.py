"""A queue broker against queueing theory, and its books."""

import numpy as np
import pytest

import sim
from sim import compiled, testing
from sim.errors import BooksDoNotBalance
from sim.models.queues.queue import Queue

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

TEXT = """
version: 1
duration: 12000s
warmup: 100s
seed: 11
traffic: {clients: {sends: front.ask, arrivals: {poisson: 64/s}, completes_with: [done]}}
services:
  front: {workers: unlimited, endpoints: {ask: [{publish: jobs}]}}
  work: {replicas: 4, workers: 1, consumes: {jobs: {prefetch: PREFETCH, do: [{work: {exponential: 50ms}}, {effect: done}]}}}
brokers: {rabbit: {kind: queue, queues: {jobs: {}}}}
"""
RATE, SERVICE, CONSUMERS = 64.0, 0.05, 4


def in_system(prefetch):
    (scenario,) = sim.load_text(TEXT.replace("PREFETCH", str(prefetch))).variants.values()
    requests = compiled.simulate(scenario).requests
    measured = requests[(requests["arrival"] >= 100.0) & ~np.isnan(requests["completion"])]
    return measured["completion"] - measured["arrival"]


def erlang_c(servers, load):
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return servers * blocked / (servers - load * (1.0 - blocked))


def test_prefetch_1_is_one_queue_for_all_consumers_mmc():
    """The M/M/4 queue: mean 87.3 ms, 95th percentile 236.9 ms."""
    load = RATE * SERVICE
    waits = erlang_c(CONSUMERS, load)
    spare = CONSUMERS / SERVICE - RATE
    mean = SERVICE + waits / spare
    assert mean == pytest.approx(0.0873, abs=5e-5)
    found = in_system(1)
    assert found.mean() == pytest.approx(mean, rel=0.03)
    assert np.quantile(found, 0.95) == pytest.approx(0.2369, rel=0.03)


def test_unlimited_prefetch_is_a_queue_of_its_own_for_each_consumer_that_every_fourth_message_comes_to():
    """E4/M/1: the time in the system is exponential with rate mu (1 - sigma), where sigma = ((4 lambda) / (4 lambda + mu (1 - sigma)))^4."""
    mu, sigma = 1.0 / SERVICE, 0.5
    for _ in range(200):
        sigma = (RATE / (RATE + mu * (1.0 - sigma))) ** CONSUMERS
    mean = 1.0 / (mu * (1.0 - sigma))
    assert mean == pytest.approx(0.1634, abs=1e-4)
    found = in_system(0)
    assert found.mean() == pytest.approx(mean, rel=0.03)
    assert np.quantile(found, 0.95) == pytest.approx(np.log(20.0) * mean, rel=0.03)


MANY_WAYS = """
duration: 60s
traffic: {clients: {sends: front.ask, arrivals: {poisson: 60/s}}}
services:
  front: {workers: unlimited, endpoints: {ask: [{publish: all, confirm: each, expiration: {exponential: 3s}}]}}
  work:
    replicas: 2
    workers: 1
    consumes:
      jobs: {prefetch: 5, on_failure: reject, do: [{work: {exponential: 40ms}}, {fail: 20%}]}
      quorum: {prefetch: 0, do: [{work: {exponential: 40ms}}, {fail: 40%}]}
      hasty: {ack: automatic, do: [{work: {exponential: 20ms}}]}
brokers:
  rabbit:
    kind: queue
    work: {exponential: 2ms}
    exchanges: {all: {type: fanout, bindings: [jobs, quorum, hasty]}}
    queues:
      jobs: {max_length: 20, dead_letter: {routing_key: later}, commit: {exponential: 5ms}}
      later: {message_ttl: 2s, dead_letter: {routing_key: jobs}}
      quorum: {type: quorum, message_ttl: 4s, max_length: 60, overflow: reject-publish, delivery_limit: 3, dead_letter: {routing_key: parked}}
      hasty: {}
      parked: {max_length: 50}
network: {default: {latency: {exponential: 5ms}}}
faults:
  - {at: 10s, crash: {of: work, replicas: 1, restart_after: 7s}}
  - {at: 30s, for: 3s, broker_down: rabbit}
  - {at: 40s, for: 3s, alarm: rabbit}
  - {at: 45s, for: 6s, outage: work, how: refuse}
"""


def test_the_books_of_every_queue_balance_whatever_befalls_it():
    """Published = acknowledged + dead-lettered + expired + dropped + lost + in the queue + in hand, and every one has a row."""
    played = testing.play_on_both(MANY_WAYS)
    frame = played.records.message_frame()
    books = {book.component: book for book in played.records.books}
    ways = set()
    for queue in ("jobs", "later", "quorum", "hasty", "parked"):
        book, rows = books[queue], frame[frame["topic"] == queue]
        assert book.offered == len(rows) == sum(book.ended.values()) + book.open
        assert sorted(rows["offset"]) == list(range(len(rows)))
        for how, count in book.ended.items():
            assert (rows["how"] == how).sum() == count
        ways |= set(book.ended)
    assert ways == {"processed", "dead_lettered", "expired", "dropped", "lost"}


@pytest.mark.parametrize(
    ("fault", "redelivered", "ended"),
    [
        ("deploy: worker", 4, {"processed": 10}),
        ("restart: {of: worker}", 4, {"processed": 10}),
        ("crash: {of: worker, replicas: 1, restart_after: 1s}", 0, {"processed": 5, "dropped": 5}),
    ],
)
def test_no_limit_counts_what_a_consumer_gives_back_that_closes_in_order(fault, redelivered, ended):
    """At 1.5 s it has acknowledged the first, and has the second in hand and four behind it. In order it acknowledges
    that one, gives back the four, and is sent nothing more; a crash is a failed delivery of all five.
    """
    played = testing.play_on_both(
        f"""
        duration: 60s
        traffic: {{clients: {{sends: shop.buy}}}}
        services:
          shop: {{workers: unlimited, endpoints: {{buy: [{{publish: jobs}}]}}}}
          worker: {{workers: 1, consumes: {{jobs: {{do: [{{work: 1s}}], prefetch: 5}}}}}}
        brokers: {{rabbit: {{kind: queue, queues: {{jobs: {{type: quorum, commit: 0s, delivery_limit: 0}}}}}}}}
        network: {{default: {{latency: 0s}}}}
        faults: [{{at: 1500ms, {fault}}}]
        """,
        [0.0] * 10,
    )
    (book,) = (book for book in played.records.books if book.component == "jobs")
    assert book.ended == ended
    assert played.records.gauge_frame()["queue jobs.redelivered"].iloc[-1] == redelivered


@pytest.mark.long
def test_the_same_seed_gives_the_same_run():
    assert testing.play(MANY_WAYS).records.fingerprint() == testing.play(MANY_WAYS).records.fingerprint()


def test_a_queue_that_loses_a_message_is_found_out(monkeypatch):
    monkeypatch.setattr(Queue, "settle", lambda self, delivery: self.unacked.pop(delivery))
    with pytest.raises(BooksDoNotBalance, match="jobs"):
        testing.play(MANY_WAYS)
