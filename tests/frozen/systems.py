"""What is frozen: random systems by their seed, with records of every kind, and every variant that is shipped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import sim
from sim.experiments import shipped
from sim.experiments.on_paper.load_factor import open_rate
from sim.records.summary import SUMMARY_ARRAYS
from sim.records.tables import Records
from sim.spec import load_document
from sim.spec.scenario import Scenario
from sim.spec.walk import what_only_simpy_runs
from tests.models.any_scenario import any_scenario
from tests.models.random_systems.luck import Luck

SYSTEMS = 3000
MOST = 40_000  # requests of a shipped variant: longer ones are cut


@dataclass(frozen=True)
class System:
    """Something to run, and a digest of what was written to describe it."""

    name: str  # a seed, or `scenario:variant`
    document: dict[str, Any]
    scenario: Scenario

    @property
    def digest(self) -> str:
        """Of the document: it tells a change of the generator, or of a shipped file, from a change of the engines."""
        return _short(json.dumps(self.document).encode(), 4)


@dataclass(frozen=True)
class Print:
    """What is kept of a run."""

    document: str  # what was run
    fingerprint: str  # of requests, messages and events: what happened
    series: str  # of time series, books, oversold stock, and summaries: what was counted
    spans: str  # of spans and stages: what was told of single requests


def random_system(seed: int) -> System:
    """The system of this number; how it is recorded is drawn too."""
    luck = Luck(f"{seed}/record")
    record: dict[str, Any] = {"spans": luck.pick("spans", ("none", "all", "exemplars"))}
    if luck.maybe("interval", 0.3):
        record["interval"] = luck.pick("seconds", ("300ms", "7s"))
    if record["spans"] != "all" and luck.maybe("summary", 0.2):
        record["keep"] = "summary"
    document = {**any_scenario(seed), "record": record, "warmup": luck.pick("warm-up", ("0s", "0s", "2s"))}
    (scenario,) = load_document(document).variants.values()
    return System(str(seed), document, scenario)


def shipped_systems() -> Iterator[System]:
    """Every variant of every shipped scenario that needs no plug-in and that both engines run, cut to a number of requests."""
    for name in shipped.names():
        if "plugin" in name:
            continue
        study = sim.load(name, sets=["record.keep=rows", "record.spans=none"])
        if any(True for whole in study.variants.values() for _ in what_only_simpy_runs(whole)):
            continue
        for variant, whole in study.variants.items():
            if any(what_only_simpy_runs(whole)):
                continue  # what is frozen is what both engines make
            rate = open_rate(whole)
            cut = rate * whole.duration > MOST
            scenario = whole.model_copy(update={"duration": MOST / rate, "warmup": 0.0}) if cut else whole
            yield System(f"{name}:{variant}".replace(" ", "-"), {"variant": variant, **study.document}, scenario)


def print_of(system: System, records: Records) -> Print:
    """The digests of all that a run has left, whatever it kept of it."""
    counted = (
        repr((records.books, records.oversold, records.series)).encode() + _bits(records.ticks) + _bits(records.gauges)
    )
    if records.summary is not None:
        counted += b"".join(_bits(getattr(records.summary, name)) for name in SUMMARY_ARRAYS)
    told = np.ascontiguousarray(records.spans).tobytes() + np.ascontiguousarray(records.stages).tobytes()
    return Print(system.digest, records.fingerprint()[:12], _short(counted, 3), _short(told, 3))


def _bits(array: np.ndarray[Any, Any]) -> bytes:
    """The bytes of numbers, every nan alike."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array)
    return np.ascontiguousarray(array).tobytes()


def _short(text: bytes, size: int) -> str:
    return hashlib.blake2b(text, digest_size=size).hexdigest()
