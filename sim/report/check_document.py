"""What `sim check --json` and `sim list --json` write behind the head that all our documents have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sim.experiments.envelope import head, written
from sim.experiments.on_paper.offered_load import CheckReport, OfferedLoad
from sim.report.words import count_of


def checked(report: CheckReport) -> str:
    """The load of every variant (rates per second, times in seconds, shares) and the warnings; `problems` is empty."""
    warnings = [asdict(finding) for finding in report.warnings]
    body = {
        "certain": report.certain,
        "variants": {name: _load(load) for name, load in report.loads.items()},
        "warnings": warnings,
    }
    return written({**head("check", report.name, passed=True, answer=_in_words(len(warnings))), **body})


def questions(found: Mapping[str, str]) -> str:
    """The shipped scenarios: name -> question."""
    scenarios = [{"name": name, "question": question} for name, question in found.items()]
    return written({**head("list"), "scenarios": scenarios})


def _in_words(warnings: int) -> str:
    return f"No errors, and {count_of(warnings, 'warning') if warnings else 'no warnings'}."


def _load(load: OfferedLoad) -> dict[str, Any]:
    bottleneck = load.bottleneck
    closed = [{**asdict(bound), "rate": bound.rate} for bound in load.closed]
    full = {"capacity": load.capacity, "bottleneck": bottleneck.name if bottleneck is not None else None}
    return {
        "stations": [asdict(station) for station in load.stations],
        **full,
        "closed": closed,
        "unknown": list(load.unknown),
    }
