"""Parts of a scenario in Python, as `sim/spec/scenario.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part
from sim.experiments.shipped import load
from sim.spec.study import Study


def ledger(*, charge: str | None = None, reservation: str | None = None, follow: bool | None = None) -> Part:
    """Which effects are money and which are goods, for the business ledger.

    charge: The effect by which a customer pays; twice for one order is a double charge.
    reservation: The effect by which goods are set aside; a charge without it is counted.
    follow: Whether the timeline tells how many orders are charged and not reserved at each moment, and for how
        long.
    """
    return part(locals())


def recording(
    *,
    keep: Literal["rows", "summary"] | None = None,
    interval: Literal[0] | str | None = None,
    spans: Literal["none", "all", "exemplars"] | None = None,
) -> Part:
    """What is kept of a run: a row for every request and message, or a summary that does not grow with their number.

    keep: A row for every request and message, or a summary whose size does not grow with their number.
    interval: Time between two points of the time series.
    spans: One row per attempt on a service: of no requests, of all, or of the slowest and of a sample
        (`exemplars`).
    """
    return part(locals())


def scenario(
    *,
    version: Literal[1] = 1,
    name: str | None = None,
    duration: Literal["recording"] | Literal[0] | str,
    warmup: Literal["auto"] | Literal[0] | str | None = None,
    seed: int | None = None,
    traffic: Mapping[str, Mapping[str, Any] | str],
    gateway: Mapping[str, Any] | str | None = None,
    network: Mapping[str, Any] | str | None = None,
    services: Mapping[str, Mapping[str, Any] | str],
    node_pools: Mapping[str, Mapping[str, Any] | str] | None = None,
    account_concurrency: Mapping[str, Any] | int | str | None = None,
    policies: Mapping[str, Mapping[str, Any] | str] | None = None,
    brokers: Mapping[str, Mapping[str, Any] | str] | None = None,
    ledger: Mapping[str, Any] | str | None = None,
    faults: Sequence[Mapping[str, Any] | str] | None = None,
    record: Mapping[str, Any] | str | None = None,
    expect: Sequence[str] | None = None,
    plugins: Sequence[str] | None = None,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
) -> Study:
    """A system, its load and the harm done to it. All times in seconds.

    version: The version of the scenario language: 1.
    name: What the scenario is called in tables and reports.
    duration: How long is simulated, warm-up included.
    warmup: From when on figures count; what arrives before fills the system.
    seed: What all luck comes from: the same seed, the same run.
    traffic: The populations of clients, by name.
    gateway: The single entry before the services; without it clients send to endpoints.
    network: Latency and loss between components.
    services: The services, by name.
    node_pools: The nodes on which replicas stand, by the name of their pool; without any there is always room.
    account_concurrency: Requests that all functions together may have at once, as AWS Lambda's quota of a region
        (1,000 by default): what is reserved or provisioned is for its function alone, the rest for all that reserve
        nothing. Without it each has its own `limit`.
    policies: How callers guard their calls, by names that steps and routes refer to.
    brokers: The brokers with their topics, by name.
    ledger: Which effects are money and which are goods.
    faults: The harm done to the system, and when.
    record: What is kept of a run.
    expect: What must hold, each as `p99(response) < 800ms`; a run that fails one ends with exit code 1.
    plugins: The files of code that the scenario needs, relative to its own; each must be allowed by the user.
    variants: Patches on all that, by name; the first is the baseline.
    """
    return load(part(locals()))
