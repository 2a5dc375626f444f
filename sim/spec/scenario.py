"""The scenario: one system under one load, frozen. Variants are scenarios of their own (see sim.spec.study)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.spec.base import Duration, Spec
from sim.spec.broker import LogBroker
from sim.spec.fault import AnyFault
from sim.spec.gateway import Gateway
from sim.spec.network import Network
from sim.spec.policy import CallPolicy
from sim.spec.service import Service
from sim.spec.traffic import Traffic


class Ledger(Spec):
    """Which effects are money and which are goods, for the business ledger."""

    charge: str | None = None
    reservation: str | None = None


class Recording(Spec):
    """What is kept of a run."""

    interval: Duration = Field(default=1.0, gt=0)  # of the time series
    spans: Literal["none", "all"] = "none"  # one row per attempt on a service


class Scenario(Spec):
    """A system, its load and the harm done to it. All times in seconds."""

    version: Literal[1]
    name: str = "scenario"
    duration: Duration = Field(gt=0)
    warmup: Duration = 0.0
    seed: int = Field(default=1, ge=0, lt=2**63)
    traffic: dict[str, Traffic] = Field(min_length=1)
    gateway: Gateway | None = None
    network: Network = Network()
    services: dict[str, Service] = Field(min_length=1)
    policies: dict[str, CallPolicy] = {}
    brokers: dict[str, LogBroker] = {}
    ledger: Ledger = Ledger()
    faults: tuple[AnyFault, ...] = ()
    record: Recording = Recording()
    expect: tuple[str, ...] = ()
