"""The table of figures in the head of a scenario: found, checked against a run, and written anew.

    # What to look at, mean of 4 replications:
    #
    #   figure           half-busy     busy
    #   response_mean       200 ms   488 ms

`UPDATE_HEADS=1 python -m pytest -m long tests/house/test_heads.py` writes the figures of today's engine into the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TITLE = re.compile(r"^# What to look at, (?:mean of |in )(\d+) replications?:$", re.MULTILINE)
TOLERANCE = 0.05
ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def plugins_of(path: Path) -> list[str]:
    """What its user has to allow."""
    return [str(path.with_name("cache.py"))] if "\nplugins: [cache.py]" in path.read_text(encoding="utf-8") else []


@dataclass(frozen=True)
class HeadTable:
    """What the head says: how many replications, the variants, and their figures by metric key."""

    replications: int
    variants: list[str]
    figures: dict[str, list[str]]
    lines: slice  # where it stands in the file


def table_of(text: str) -> HeadTable | None:
    """The table in the head of a scenario, if it has one."""
    title = TITLE.search(text)
    if title is None:
        return None
    lines = text.splitlines()
    first = text[: title.start()].count("\n") + 2
    last = next(index for index in range(first, len(lines)) if not lines[index].startswith("#  "))
    cells = [re.split(r"\s{2,}", line.lstrip("# ").rstrip()) for line in lines[first:last]]
    return HeadTable(int(title[1]), cells[0][1:], {row[0]: row[1:] for row in cells[1:]}, slice(first, last))


def fresh(table: HeadTable, document: dict[str, Any]) -> dict[str, list[str]]:
    """The same figures from what `--json` writes."""
    metrics = [document["variants"][name]["metrics"] for name in table.variants]
    return {key: [show(of.get(key)) for of in metrics] for key in table.figures}


def show(figure: dict[str, Any] | None) -> str:
    """Three digits and a unit; `> ` before a figure that the end of the run has cut off."""
    if figure is None or figure["value"] is None:
        return "never" if figure is not None and figure.get("censored") else "-"
    return ("> " if figure.get("censored") else "") + _plain(figure["value"], figure["unit"])


def _plain(value: float, unit: str) -> str:
    if unit == "s":
        size, word = (1e-3, "ms") if value < 0.9995 else (1.0, "s") if value < 99.95 else (60.0, "min")
        return "0 s" if value == 0 else f"{value / size:.3g} {word}"
    if unit == "share":
        return f"{100 * value:.3g} %"
    number = f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"
    return f"{number}/s" if unit == "1/s" else number


def agree(said: str, found: str) -> bool:
    """Whether two shown figures are the same, give or take five in a hundred or the last digit."""
    (one, unit), (other, unit_found) = _parts(said), _parts(found)
    return said == found or (
        unit == unit_found and None not in (one, other) and abs(one - other) <= TOLERANCE * abs(other) + 0.02
    )


def _parts(shown: str) -> tuple[float | None, str]:
    match = re.fullmatch(r"(> )?([-\d.,e+]+)(.*)", shown)
    return (
        (float(match[2].replace(",", "")), (match[1] or "") + match[3])
        if match and any(map(str.isdigit, match[2]))
        else (None, shown)
    )


def rewrite(path: Path, table: HeadTable, found: dict[str, list[str]]) -> None:
    """Put these figures into the file."""
    rows = [["figure", *table.variants], *([key, *values] for key, values in found.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    drawn = [
        "#   "
        + "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[table.lines] = drawn
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
