"""What the texts of options mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.spec.study import Study


_LONGEST_FOLDER = 100  # bytes; file systems take 255, and there are endings to come


def share_of(option: str, text: str) -> float:
    """`5%` -> 0.05"""
    from sim.units import share

    try:
        return share(text)
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def duration_of(option: str, text: str | None) -> float | None:
    """`2m` -> 120.0, in seconds."""
    from sim.units import duration

    try:
        return duration(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def size_of(option: str, text: str) -> float:
    """`4GiB` -> 4294967296.0, in bytes."""
    from sim.units import size

    try:
        return size(text)
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def listed(text: str | None) -> list[str] | None:
    """`a, b` -> a and b"""
    return [part.strip() for part in text.split(",") if part.strip()] if text is not None else None


def quantiles_of(text: str) -> list[float]:
    """`p50,p99.9` -> 0.5, 0.999"""
    try:
        return [float(Decimal(word.removeprefix("p")) / 100) for word in listed(text) or []]
    except InvalidOperation:
        raise UsageError(f"--quantiles: found {text}, expected some such as p50,p99,p99.9") from None


def loads_of(text: str, study: Study, variant: str | None) -> list[float]:
    """Factors as they are; rates as factors of what the scenario sends."""
    from sim.experiments.on_paper.load_factor import open_rate
    from sim.units import rate

    scenario = study.variants.get(variant or "", next(iter(study.variants.values())))
    sent = open_rate(scenario)
    if "/" in text and sent <= 0.0:
        raise UsageError(
            "--loads: found rates, but no open traffic sends anything to be a share of; expected factors such as "
            "0.5,1,2"
        )
    try:
        return [rate(word) / sent if "/" in word else float(word.removesuffix("x")) for word in listed(text) or []]
    except ValueError:
        raise UsageError(
            f"--loads: found '{text}', expected factors such as 0.5,1,2 or rates such as 20/s,40/s"
        ) from None


def durations_of(study: Study, names: Sequence[str]) -> list[float]:
    """Seconds that each of these variants lasts."""
    return [study.variants[name].duration for name in names if name in study.variants]


def folder_of(study: Study) -> str:
    """The name of the scenario as a folder."""
    words = re.sub(r"[^\w.-]+", "-", study.name).strip("-.") or "scenario"
    if len(words.encode()) <= _LONGEST_FOLDER:
        return words
    digest = hashlib.sha256(study.name.encode()).hexdigest()[:8]  # two long names with one beginning are two folders
    return f"{words.encode()[:_LONGEST_FOLDER].decode(errors='ignore')}-{digest}"
