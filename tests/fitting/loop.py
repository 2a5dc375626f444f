"""A measurement made by an event loop of its own: stations in series, each with workers and exponential work, first come first served."""

from __future__ import annotations

import heapq

import numpy as np


def measured(n, rate, tiers, seed, draw=None):
    """Arrivals and responses of n requests; `tiers` are (workers, mean work in seconds)."""
    rng = np.random.default_rng(seed)
    arrival = np.cumsum(rng.exponential(1 / rate, n))
    ready = arrival.copy()
    for workers, mean in tiers:
        free = [0.0] * workers
        work = rng.exponential(mean, n) if draw is None else draw(rng, mean, n)
        for index in np.argsort(ready, kind="stable"):
            begin = max(ready[index], heapq.heappop(free))
            ready[index] = begin + work[index]
            heapq.heappush(free, ready[index])
    return arrival, ready - arrival


def write(path, arrival, response, route="shop.get"):
    """As a CSV of requests."""
    lines = [f"{begin:.9f},{took:.9f},{route}" for begin, took in zip(arrival, response, strict=True)]
    path.write_text("\n".join(["arrival,duration,route", *lines]) + "\n")
    return str(path)


def shop(work="{exponential: 10ms}", workers=1):
    """One station; the traffic of the file is another than the measured one."""
    return f"""version: 1
duration: 100s
warmup: 5s
traffic: {{clients: {{sends: shop.get, arrivals: {{poisson: 1/s}}}}}}
services:
  shop:
    workers: {workers}  # threads
    endpoints:
      get:
        - work: {work}
"""


TWO = """version: 1
duration: 100s
warmup: 5s
traffic: {clients: {sends: shop.get, arrivals: {poisson: 1/s}}}
network: {default: {latency: 0ms}}
services:
  shop: {workers: 1000, endpoints: {get: [{call: a.x}, {call: b.x}]}}
  a: {workers: 1, endpoints: {x: [{work: {exponential: 5ms}}]}}
  b: {workers: 1, endpoints: {x: [{work: {exponential: 5ms}}]}}
"""
