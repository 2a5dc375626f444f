"""Producers that stick to a partition, against thirty lines that know only queues: KIP-794 says what the burstiness of a topic without keys is."""

import random
import statistics

import numpy as np
import pytest

from .systems import run

PRODUCERS, PARTITIONS, BATCH, RATE, WORK, RECORD, WARMUP, END = 10, 12, 16, 400, 0.002, 0.010, 10.0, 120.0

TEXT = f"""
version: 1
duration: {END}s
warmup: {WARMUP}s
record: {{interval: 10s}}
traffic: {{shoppers: {{sends: orders.create, arrivals: {{poisson: {RATE}/s}}, completes_with: [done]}}}}
services:
  orders: {{replicas: {PRODUCERS}, workers: 400, endpoints: {{create: [{{work: {WORK}s}}, {{publish: placed}}]}}}}
  worker: {{replicas: 2, workers: 50, consumes: {{placed: {{group: g, consumers: 6, do: [{{wait: {RECORD}s}}, {{effect: done}}]}}}}}}
brokers: {{kafka: {{kind: log, topics: {{placed: {{partitions: {PARTITIONS}, key: sticky}}}}}}}}
"""


def completions(seed, balancing):
    """Each partition is a queue with one server; each producer fills a batch of one partition before it takes another at random."""
    luck = random.Random(seed)
    left, partition, free, found = [0] * PRODUCERS, [0] * PRODUCERS, [0.0] * PARTITIONS, []
    now, number = luck.expovariate(RATE), 0
    while now < END:
        producer = number % PRODUCERS if balancing == "round_robin" else luck.randrange(PRODUCERS)
        if left[producer] == 0:
            left[producer], partition[producer] = BATCH, luck.randrange(PARTITIONS)
        left[producer] -= 1
        place = partition[producer]
        free[place] = max(free[place], now + WORK) + RECORD
        if now >= WARMUP:
            found.append(free[place] - now)
        now, number = now + luck.expovariate(RATE), number + 1
    return found


def figures(times):
    """Mean and 99th percentile, s."""
    return np.mean(times), np.quantile(times, 0.99)


@pytest.mark.long
@pytest.mark.parametrize("replications", [1, pytest.param(10, marks=pytest.mark.long)])
@pytest.mark.parametrize(("balancing", "about"), [("random", (0.032, 0.208)), ("round_robin", (0.027, 0.225))])
def test_the_bursts_of_a_topic_without_keys_are_those_of_its_producers(balancing, about, replications):
    """All producers in one batch would take 100 ms on average. Requests dealt in turn come more evenly, and fill all batches at once."""
    expected = np.array([figures(completions(seed, balancing)) for seed in range(30)])
    for mean, value in zip(expected.mean(axis=0), about, strict=True):
        assert mean == pytest.approx(value, rel=0.05)
    found = []
    for replication in range(replications):
        rows = run(TEXT, f"services.orders.load_balancing={balancing}", replication=replication).requests
        found.append(figures((rows["completion"] - rows["arrival"])[~np.isnan(rows["completion"])]))
    for mine, theirs in zip(np.transpose(found), expected.T, strict=True):
        error = statistics.stdev(theirs) * (1 / replications + 1 / len(theirs)) ** 0.5
        assert abs(mine.mean() - theirs.mean()) < 4 * error
