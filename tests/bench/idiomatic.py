"""The order flow of order_flow.yaml as SimPy's documentation would have it: processes, resources, `yield call | timeout`, a monitor.

It keeps what our records keep: a row per request, counts and outcomes per service, and for exact time averages of busy workers and
queue the state of every station at each change, as SimPy's guide to monitoring does; and nothing of what is derived from those.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
import simpy


@dataclass
class Row:
    """One request."""

    number: int
    arrival: float
    end: float
    outcome: str
    where: str
    attempts: int


class TokenBucket:
    """410 requests a second, bursts of 25."""

    def __init__(self, env: simpy.Environment):
        self.env, self.tokens, self.last = env, 25.0, 0.0

    def take(self) -> bool:
        self.tokens = min(25.0, self.tokens + (self.env.now - self.last) * 410.0)
        self.last = self.env.now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Breaker:
    """Five failures in a second open it for half a second; then one probe."""

    def __init__(self, env: simpy.Environment):
        self.env, self.state, self.failures, self.until, self.log = env, "closed", deque(), 0.0, []

    def allows(self) -> bool:
        if self.state == "closed":
            return True
        if self.state == "open" and self.env.now >= self.until:
            self._become("half open")
            return True
        return False

    def passed(self) -> None:
        if self.state == "half open":
            self._become("closed")
            self.failures.clear()

    def failed(self) -> None:
        now = self.env.now
        self.failures.append(now)
        while self.failures[0] <= now - 1.0:
            self.failures.popleft()
        if self.state == "half open" or (self.state == "closed" and len(self.failures) >= 5):
            self.until = now + 0.5
            self._become("open")

    def _become(self, state: str) -> None:
        self.state = state
        self.log.append((self.env.now, state))


class Station:
    """A service: a resource, a distribution of work, and its accounts."""

    def __init__(self, env: simpy.Environment, name: str, workers: int, work, failing: float = 0.0):
        self.env, self.name, self.work, self.failing = env, name, work, failing
        self.workers = simpy.Resource(env, workers)
        self.offered, self.outcomes, self.busy_time, self.samples = 0, Counter(), 0.0, []

    def note(self) -> None:
        self.samples.append((self.env.now, self.workers.count, len(self.workers.queue)))


class OrderFlow:
    """Gateway, orders, inventory, payments."""

    HOP, TIMEOUT, BACKOFF = 0.0005, 1.0, 0.010

    def __init__(self, env: simpy.Environment, seed: int):
        self.env = env
        self.rng = rng = np.random.default_rng(seed)
        self.bucket = TokenBucket(env)
        self.gateway = Station(env, "gateway", 8, lambda: rng.exponential(0.001))
        self.orders = Station(env, "orders", 32, lambda: rng.exponential(0.005))
        self.inventory = Station(env, "inventory", 16, lambda: rng.exponential(0.010), 0.002)
        self.payments = Station(env, "payments", 64, lambda: rng.lognormal(np.log(0.040) - 0.5, 1.0), 0.005)
        self.breakers = {station.name: Breaker(env) for station in (self.inventory, self.payments)}
        self.rows: list[Row] = []

    def run(self, rate: float, duration: float) -> None:
        self.env.process(self.arrivals(rate))
        self.env.run(until=duration)

    def arrivals(self, rate: float):
        number = 0
        while True:
            yield self.env.timeout(self.rng.exponential(1 / rate))
            self.env.process(self.request(number))
            number += 1

    def request(self, number: int):
        row = Row(number, self.env.now, float("nan"), "ok", "", 1)
        self.gateway.offered += 1
        with self.gateway.workers.request() as place:
            self.gateway.note()
            yield place
            self.gateway.note()
            started = self.env.now
            yield self.env.timeout(self.gateway.work())
            self.gateway.busy_time += self.env.now - started
        self.gateway.note()
        if self.bucket.take():
            row.outcome, row.where = yield from self.order()
        else:
            row.outcome, row.where = "rate_limited", "gateway"
        self.gateway.outcomes[row.outcome] += 1
        row.end = self.env.now
        self.rows.append(row)

    def order(self):
        yield self.env.timeout(self.HOP)
        outcome, where = "ok", ""
        self.orders.offered += 1
        with self.orders.workers.request() as place:
            self.orders.note()
            yield place
            self.orders.note()
            started = self.env.now
            yield self.env.timeout(self.orders.work())
            for callee in (self.inventory, self.payments):
                outcome = yield from self.guarded(callee)
                if outcome != "ok":
                    where = callee.name
                    break
            self.orders.busy_time += self.env.now - started
        self.orders.note()
        self.orders.outcomes[outcome] += 1
        yield self.env.timeout(self.HOP)
        return outcome, where

    def guarded(self, callee: Station):
        breaker = self.breakers[callee.name]
        for attempt in (1, 2):
            if not breaker.allows():
                return "breaker_open"
            call = self.env.process(self.remote(callee))
            yield call | self.env.timeout(self.TIMEOUT)
            outcome = call.value if call.processed else "timeout"
            if outcome == "ok":
                breaker.passed()
                return "ok"
            breaker.failed()
            if attempt == 1:
                yield self.env.timeout(self.BACKOFF)
        return outcome

    def remote(self, callee: Station):
        yield self.env.timeout(self.HOP)
        callee.offered += 1
        with callee.workers.request() as place:
            callee.note()
            yield place
            callee.note()
            started = self.env.now
            yield self.env.timeout(callee.work())
            callee.busy_time += self.env.now - started
        callee.note()
        outcome = "error" if self.rng.random() < callee.failing else "ok"
        callee.outcomes[outcome] += 1
        yield self.env.timeout(self.HOP)
        return outcome
