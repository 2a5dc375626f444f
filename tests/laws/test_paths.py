"""Every single request, compared with a reckoning of a few lines that knows nothing of the engine: same arrivals, same work, same times."""

import heapq

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.vocabulary import Outcome

from .systems import run

SYSTEM = """
version: 1
duration: 60s
record: {interval: 10s}
traffic:
  clients: {sends: station.serve, arrivals: {poisson: 10/s}}
services:
  station: {workers: 1, endpoints: {serve: [work: {exponential: 100ms}]}}
"""
WORKS = (
    "exponential: 100ms",
    "lognormal: {mean: 100ms, cv: 2}",
    "uniform: [50ms, 150ms]",
    "gamma: {mean: 100ms, cv: 0.5}",
    "hyperexponential: {mean: 100ms, cv: 3}",
)
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def path(*sets, **options):
    """Arrivals, work and rows of all requests."""
    system = run(SYSTEM, *sets, **options)
    rows = system.requests
    work = system.draws(
        system.scenario.services["station"].endpoints["serve"].do[0].time, "station.serve.work", rows["id"]
    )
    return system, rows["arrival"], work


def queue(arrivals, work, workers, capacity, patience):
    """First come, first served: (end, outcome) of each, by the time at which the next worker is free."""
    free = [0.0] * workers
    leaving_queue = []  # when each of those who came got a worker or gave up
    found = []
    for arrived, seconds in zip(arrivals, work, strict=True):
        leaving_queue = [time for time in leaving_queue if time > arrived]
        starts = max(arrived, free[0])
        if starts > arrived and len(leaving_queue) >= capacity:
            found.append((arrived, Outcome.SHED))
            continue
        if starts - arrived > patience:
            leaving_queue.append(arrived + patience)
            found.append((arrived + patience, Outcome.SHED))
            continue
        leaving_queue.append(starts)
        heapq.heapreplace(free, starts + seconds)
        found.append((starts + seconds, Outcome.OK))
    return found


def assert_same(rows, found, duration=60.0):
    ended = rows["outcome"] != Outcome.IN_FLIGHT
    expected = np.array([end for end, _ in found])
    assert (ended == (expected <= duration)).all()
    assert np.allclose(rows["end"][ended], expected[ended], rtol=0, atol=1e-9)
    assert rows["outcome"][ended].tolist() == [outcome for (_, outcome), has in zip(found, ended, strict=True) if has]


@pytest.mark.long
@some
@given(
    rate=st.integers(1, 60),
    workers=st.integers(1, 5),
    work=st.sampled_from(WORKS),
    capacity=st.one_of(st.just("unlimited"), st.integers(0, 8)),
    patience=st.one_of(st.none(), st.sampled_from([20, 130, 450])),
    seed=st.integers(0, 10_000),
)
def test_a_queue_with_workers_a_bound_and_impatience(rate, workers, work, capacity, patience, seed):
    station = (
        f"services.station.workers={workers}",
        f"services.station.queue.capacity={capacity}",
        f"services.station.endpoints.serve.0.work={work}",
    )
    waits = (f"services.station.queue.timeout={patience}ms",) if patience else ()
    system, arrivals, work = path(*station, *waits, f"traffic.clients.arrivals.poisson={rate}/s", f"seed={seed}")
    bound = np.inf if capacity == "unlimited" else capacity
    assert_same(system.requests, queue(arrivals, work, workers, bound, patience / 1000 if patience else np.inf))


@some
@given(rate=st.integers(1, 40), cores=st.integers(1, 4), work=st.sampled_from(WORKS), seed=st.integers(0, 10_000))
def test_cores_shared_by_all(rate, cores, work, seed):
    """Processor sharing, advanced from event to event with everybody's remaining work."""
    sets = (
        "services.station.workers=unlimited",
        f"services.station.cores={cores}",
        f"services.station.endpoints.serve.0.work={work}",
    )
    system, arrivals, work = path(*sets, f"traffic.clients.arrivals.poisson={rate}/s", f"seed={seed}", "duration=20s")
    left, now, ends = {}, 0.0, np.full(arrivals.size, np.inf)
    for index, arrived in enumerate([*arrivals, 20.0]):
        while left:
            pace = min(1.0, cores / len(left))
            first = min(left, key=left.get)
            done = now + left[first] / pace
            passed = min(done, arrived) - now
            left = {each: rest - passed * pace for each, rest in left.items()}
            now = min(done, arrived)
            if done > arrived:
                break
            ends[first] = now
            del left[first]
        now = arrived
        if index < arrivals.size:
            left[index] = work[index]
    assert_same(system.requests, [(end, Outcome.OK) for end in ends], duration=20.0)


@pytest.mark.parametrize("discipline", ["fifo", "lifo"])
def test_last_come_first_served_serves_the_newest(discipline):
    """One worker; whoever is next is the oldest, or the newest, of those who wait at that moment."""
    system, arrivals, work = path(
        f"services.station.queue.discipline={discipline}", "traffic.clients.arrivals.poisson=9/s"
    )
    waiting, free, following, ends = [], 0.0, 0, np.full(arrivals.size, np.inf)
    while following < arrivals.size or waiting:
        if not waiting:
            free = max(free, arrivals[following])
        while following < arrivals.size and arrivals[following] <= free:
            waiting.append(following)
            following += 1
        chosen = waiting.pop(0 if discipline == "fifo" else -1)
        free += work[chosen]
        ends[chosen] = free
    assert_same(system.requests, [(end, Outcome.OK) for end in ends])


@pytest.mark.parametrize(
    ("balancing", "replicas"),
    [("round_robin", 1), ("round_robin", 3), ("random", 1), ("least_request", 1), ("power_of_two", 1)],
)
def test_round_robin_deals_in_turn_and_one_replica_is_one_queue(balancing, replicas):
    station = (f"services.station.load_balancing={balancing}", f"services.station.replicas={replicas}")
    system, arrivals, work = path(*station, "traffic.clients.arrivals.poisson=20/s")
    found = [None] * arrivals.size
    for replica in range(replicas):
        found[replica::replicas] = queue(arrivals[replica::replicas], work[replica::replicas], 1, np.inf, np.inf)
    assert_same(system.requests, found)


TOPIC = """
version: 1
duration: 60s
record: {interval: 10s}
traffic:
  shop: {sends: shop.order, arrivals: {poisson: 30/s}, completes_with: [done]}
services:
  shop: {workers: unlimited, endpoints: {order: [{publish: orders}]}}
  worker:
    workers: 2
    consumes: {orders: {group: workers, consumers: 4, auto_offset_reset: earliest, do: [{perform: worker.handle}]}}
    endpoints: {handle: [{work: {exponential: 50ms}}, {effect: done}]}
brokers:
  kafka: {kind: log, topics: {orders: {partitions: 4}}}
"""


def test_a_consumer_of_one_partition_is_a_queue():
    """In each partition the records are taken one after the other, in order, however many a poll brings."""
    for polled in (1, 500):
        system = run(TOPIC, "services.worker.workers=4", f"services.worker.consumes.orders.max_poll_records={polled}")
        rows, messages = system.requests, system.records.messages
        work = system.draws(
            system.scenario.services["worker"].endpoints["handle"].do[0].time, "worker.handle.work", rows["id"]
        )
        partition = dict(zip(messages["request"].tolist(), messages["partition"].tolist(), strict=True))
        its = np.array([partition[request] for request in rows["id"].tolist()])
        assert np.bincount(its).min() > 300
        for index in range(4):
            mine = its == index
            expected = np.array([end for end, _ in queue(rows["arrival"][mine], work[mine], 1, np.inf, np.inf)])
            done = rows["completion"][mine]
            assert (np.isnan(done) == (expected > 60)).all()
            assert np.allclose(done[~np.isnan(done)], expected[~np.isnan(done)], rtol=0, atol=1e-9)


def test_work_is_conserved_whatever_the_order():
    """Nobody is idle while somebody waits: the work left at any time is the same first or last come first served, or shared on a core."""
    ends = []
    for sets in (
        (),
        ("services.station.queue.discipline=lifo",),
        ("services.station.workers=unlimited", "services.station.cores=1"),
    ):
        system, arrivals, _ = path(*sets, "traffic.clients.arrivals.poisson=9/s", "duration=200s")
        done = system.requests["end"]
        starts_of_idleness = [
            time for time in np.sort(done[~np.isnan(done)]) if np.sum(arrivals <= time) == np.sum(done <= time)
        ]
        ends.append(starts_of_idleness)
    assert len(ends[0]) > 20
    for other in ends[1:]:
        assert np.allclose(ends[0], other, rtol=0, atol=1e-9)
