"""The share of Poisson arrivals that a rate limit refuses, and a bulkhead that makes nobody wait."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.spec.limits import RateLimit, requests_in

LARGEST = 2000  # tokens, servers, or requests of a window, that are followed one by one


def refused_share(limit: RateLimit, rate: float) -> float:
    """Of Poisson arrivals at `rate` per second under one key. Exact but for the sliding window counter, taken as a
    sliding log.

    Of the presets, whose clocks tick in milliseconds or seconds, and which may store permits, it is nearly that. Where
    what is refused counts as well (kong-advanced) the weighted count is taken as that of one window. A bandwidth of
    bucket4j whose refills fill it is a fixed window, and other ones are taken as greedy; a limiter of guava that warms
    up is taken as warm.
    """
    if rate <= 0.0:
        return 0.0
    if limit.preset == "kong-advanced" and not limit.disable_penalty:
        return _full(rate * limit.window, requests_in(limit.window, limit.rate))
    if limit.preset == "guava":
        return 1.0 - bucket_accepts(rate / limit.rate, 1 + math.floor(limit.rate * limit.wait))
    if limit.refill == "intervally" and limit.capacity <= requests_in(limit.window, limit.rate):
        return _beyond(rate * limit.window, limit.capacity)
    if not limit.counts_in_windows:
        return 1.0 - bucket_accepts(rate * limit.requested_tokens / limit.rate, limit.tokens)
    most = requests_in(limit.window, limit.rate)
    if limit.algorithm == "fixed_window":
        return _beyond(rate * limit.window, most)
    return erlang_b(rate * limit.window, most)


def bucket_accepts(load: float, tokens: int) -> float:
    """The share that a bucket of so many tokens lets pass, at `load` arrivals in the time of one token.

    What the bucket lacks is the workload of an M/D/1 queue that takes a customer only while its workload is at most
    tokens - 1 services. Below that it is the workload of the endless queue but for a factor: with F its distribution, 1
    at 0, the share accepted is F / (1 + load F) at tokens - 1 services, since what is accepted keeps the server busy.
    At whole services the workload is at most n services where at most n customers are there, whose stationary weights
    follow from one another without a subtraction (up-crossings equal down-crossings).
    """
    if tokens <= 1:
        return 1.0 / (1.0 + load)  # no queue at all, whatever the load
    if load > 100.0:
        return 1.0 / load  # it is never idle
    most = min(tokens, LARGEST) - 1
    more = _more_than(load, most + 1)  # P(more than k arrivals in the time of one token)
    first = math.exp(-load)
    weights, known = np.zeros(most + 1), 1
    weights[0] = 1.0
    for n in range(most):
        # nothing is subtracted, so sums in any order are as exact as their terms
        weights[n + 1] = (weights[0] * more[n] + weights[1 : n + 1] @ more[n:0:-1]) / first
        known += 1
        if not 1e-15 < weights[n + 1] < 1e200:  # more of it changes nothing, or is all that counts
            break
    total = float(weights[:known].sum())
    return total / (1.0 + load * total)


def _more_than(mean: float, count: int) -> NDArray[np.float64]:
    """P(N > k) of a Poisson variable, k = 0 ... count, summed from the far end."""
    far = int(count + mean + 12.0 * math.sqrt(mean) + 30.0)
    k = np.arange(far + 1)
    terms = np.exp(-mean + k * math.log(mean) - _log_factorials(far))
    return np.cumsum(terms[:0:-1])[::-1][: count + 1]


def _log_factorials(most: int) -> NDArray[np.float64]:
    """log k! of k = 0 ... most."""
    return np.append(0.0, np.cumsum(np.log(np.arange(1, most + 1))))


def _beyond(mean: float, most: int) -> float:
    """E[(N - most)+] / E[N] of a Poisson variable: what comes in a window beyond what may pass."""
    if mean > LARGEST:  # hardly to be told from a normal variable
        z = (most - mean) / math.sqrt(mean)
        return max(0.0, math.sqrt(mean) * _density(z) + (mean - most) * _tail(z)) / mean
    far = int(mean + 12.0 * math.sqrt(mean) + 30.0)
    terms = (k - most for k in range(most + 1, far + 1))
    weights = (math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1.0)) for k in range(most + 1, far + 1))
    return math.fsum(over * weight for over, weight in zip(terms, weights, strict=True)) / mean


def _full(mean: float, most: int) -> float:
    """P(N >= most) of a Poisson variable: what a window holds where what is refused counts too."""
    if mean > LARGEST or most > LARGEST:
        return _tail((most - 0.5 - mean) / math.sqrt(mean))
    return max(0.0, 1.0 - math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1.0)) for k in range(most)))


def erlang_b(load: float, servers: int) -> float:
    """The share of Poisson arrivals that find all servers taken and leave; of the time for which they are taken only
    the mean matters.
    """
    if servers > LARGEST:  # hardly to be told from a normal variable
        z = (servers - load) / math.sqrt(load) if load > 0.0 else math.inf
        return (
            max(1.0 - servers / load, _density(z) / math.sqrt(load) / _tail(-z) if z > -30.0 else 0.0)
            if z < 30.0
            else 0.0
        )
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def _density(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2.0))
