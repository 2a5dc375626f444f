"""Small runs of which every time is known by hand, and what is exported of them."""

from __future__ import annotations

import sim
from sim.exporting import Subject
from sim.exporting.tracing import perform_tracing

CALLS = """
version: 1
name: corner-shop
duration: 3s
traffic: {visitors: {sends: shop.buy, arrivals: {deterministic: 1/s}, timeout: 5s}}
network: {default: {latency: 10ms}}
services:
  shop: {workers: 4, endpoints: {buy: [{work: 100ms}, {call: stock.take}]}}
  stock: {workers: 4, endpoints: {take: [{work: 50ms}]}}
expect: [p99(response) < 200ms, availability >= 99%, p99(response) < 100ms]
"""
"""Arrivals at 1 s and 2 s. The client is beside the shop; every other hop takes 10 ms: an answer after 100 + 10 + 50 + 10 = 170 ms."""

EVENTS = """
version: 1
name: event-shop
duration: 3s
traffic: {visitors: {sends: shop.buy, arrivals: {deterministic: 1/s}, timeout: 5s, completes_with: [paid]}}
services:
  shop: {workers: 4, endpoints: {buy: [{work: 100ms}, {publish: orders}]}}
  till:
    workers: 4
    consumes: {orders: {group: tills, auto_offset_reset: earliest, do: [{work: 200ms}, {effect: paid}]}}
brokers: {kafka: {kind: log, replication: 5ms, topics: {orders: {partitions: 1}}}}
"""
"""No latency: 100 ms of work, 5 ms until the event is replicated, then 200 ms of a consumer. Two orders, a second apart."""


def exported(text: str, variant: str = "base", traced: bool = True, **more: object) -> Subject:
    """One replication of it, ready to be written."""
    study = sim.load_text(text)
    options = {"perform": perform_tracing} if traced else {}
    comparison = sim.compare(study, replications=1, jobs=1, engine="simpy", **options)
    return Subject(study.name, variant, comparison.variants[variant].scenario, comparison, **more)
