"""What `sim check --json` and `sim list --json` write: the shape of all our documents, with `schema` and `kind` at its
head.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sim.errors import Problem
from sim.experiments.on_paper.offered_load import CheckReport, OfferedLoad
from sim.experiments.replicating.document import SCHEMA


def checked(report: CheckReport) -> str:
    """The load of every variant (rates per second, times in seconds, shares) and the warnings; `problems` is empty."""
    variants = {name: _load(load) for name, load in report.loads.items()}
    warnings = [asdict(finding) for finding in report.warnings]
    body = {
        "scenario": report.name,
        "certain": report.certain,
        "problems": [],
        "variants": variants,
        "warnings": warnings,
    }
    return _written("check", body)


def refused(problems: Sequence[Problem]) -> str:
    """Everything that is wrong with a scenario, each with its file, line and column (0: not known) and its place in the
    document.
    """
    return _written("check", {"problems": [asdict(problem) for problem in problems]})


def questions(found: Mapping[str, str]) -> str:
    """The shipped scenarios: name -> question."""
    return _written("list", {"scenarios": [{"name": name, "question": question} for name, question in found.items()]})


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


def _written(kind: str, body: Mapping[str, Any]) -> str:
    document = {"schema": SCHEMA, "kind": kind, **body}
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Without what JSON does not have: unknown and infinite numbers are null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
