"""One look for all charts and drawings: colours that survive colour blindness and a grey printer, in a light and a dark
version.

A chart is drawn once, in the light colours; `as_variables` turns each of them into a CSS variable, so that the one
drawing follows the reader's light or dark setting and the printer. Every role therefore has a hexadecimal of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.vocabulary import Outcome

Dash = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Theme:
    """Colours by role. `variants` and `stations` are cycled; an outcome keeps its colour everywhere."""

    name: str
    paper: str
    ink: str
    muted: str
    rule: str
    shade: str  # the warm-up
    fault: str  # the band of a fault
    fault_ink: str
    good: str
    bad: str
    variants: tuple[str, ...]
    outcomes: Mapping[str, str]

    def variant(self, index: int) -> str:
        """Colour of the index-th variant."""
        return self.variants[index % len(self.variants)]

    def outcome(self, word: str) -> str:
        """Colour of an outcome."""
        return self.outcomes.get(word, self.muted)

    def roles(self) -> dict[str, str]:
        """Name of the CSS variable -> colour."""
        plain = {
            role: getattr(self, role) for role in ("paper", "ink", "muted", "rule", "shade", "fault", "good", "bad")
        }
        plain["fault-ink"] = self.fault_ink
        numbered = {f"variant-{index + 1}": colour for index, colour in enumerate(self.variants)}
        return (
            plain | numbered | {f"outcome-{word.replace('_', '-')}": colour for word, colour in self.outcomes.items()}
        )


LIGHT = Theme(
    name="light",
    paper="#fffffe",
    ink="#1c2430",
    muted="#5d6878",
    rule="#dde2e8",
    shade="#eef0f3",
    fault="#f7dcd2",
    fault_ink="#a63a12",
    good="#0a7d4f",
    bad="#b3261e",
    variants=("#0b6cb0", "#bd5600", "#008568", "#8a4a9e", "#857000", "#c0437c", "#1d7fa2", "#56606d"),
    outcomes={
        "ok": "#a9cfe0",
        "degraded": "#5d9fbd",
        "refused": "#b9b4d4",
        "rate_limited": "#f0c75e",
        "unauthorized": "#b5b9be",
        "shed": "#cc79a7",
        "breaker_open": "#e69f01",
        "bulkhead_full": "#96692e",
        "timeout": "#d55e00",
        "error": "#882255",
        "unreachable": "#4a3b52",
        "in_flight": "#d8dade",
        "lock_timeout": "#3f7f6b",
        "deadlock": "#1f4f42",
    },
)

DARK = Theme(
    name="dark",
    paper="#14181e",
    ink="#e6e9ee",
    muted="#9aa5b4",
    rule="#2d3540",
    shade="#1e242c",
    fault="#45261d",
    fault_ink="#ff9d75",
    good="#4fc38f",
    bad="#ff7b70",
    variants=("#5cb1ee", "#f39a45", "#36c49f", "#c48ad9", "#cdb741", "#ef86b2", "#6ccbe8", "#a4afbd"),
    outcomes={
        "ok": "#2f5f77",
        "degraded": "#5fa3c2",
        "refused": "#75709b",
        "rate_limited": "#e9c05a",
        "unauthorized": "#7b8188",
        "shed": "#d486b0",
        "breaker_open": "#e8a317",
        "bulkhead_full": "#a97b3e",
        "timeout": "#e56b12",
        "error": "#b84a80",
        "unreachable": "#8a7794",
        "in_flight": "#4a515a",
        "lock_timeout": "#5aa88f",
        "deadlock": "#86cdb6",
    },
)

HATCHES: dict[str, str] = {
    "degraded": "--",
    "refused": "|",
    "rate_limited": "\\\\\\",
    "unauthorized": "||||",
    "shed": "xxx",
    "breaker_open": "+++",
    "bulkhead_full": "-----",
    "timeout": "////",
    "error": "xxxxx",
    "unreachable": "|||||",
    "in_flight": "\\",
    "lock_timeout": "/////\\\\",
    "deadlock": "++++++",
}
"""So that a grey print still tells the outcomes apart; `ok` stays plain.

Lines only: each dot would cost a path in the SVG.
"""

OUTCOMES = tuple(outcome.word for outcome in Outcome)
DASHES: tuple[Dash, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (6, 1.6, 1.2, 1.6)),
    (0, (1.4, 1.2)),
    (0, (9, 2)),
    (0, (3, 1.2)),
    (0, (6, 1.4, 1.2, 1.4, 1.2, 1.4)),
    (0, (2, 3)),
)
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p")

_HASH = re.compile(r"#[0-9a-fA-F]{6}\b")


def dash(index: int) -> Dash:
    """Line style of the index-th variant, told apart without colour."""
    return DASHES[index % len(DASHES)]


def marker(index: int) -> str:
    """Marker of the index-th variant."""
    return MARKERS[index % len(MARKERS)]


def css_variables(theme: Theme) -> str:
    """`--ink: #...; --paper: #...;` for a style sheet."""
    return " ".join(f"--{role}: {colour};" for role, colour in theme.roles().items())


def as_variables(svg: str) -> str:
    """Replace the light colours of a drawing by CSS variables, each with its light colour as the fallback."""
    names = {colour: role for role, colour in LIGHT.roles().items()}

    def replace(match: re.Match[str]) -> str:
        role = names.get(match[0].lower())
        return f"var(--{role}, {match[0]})" if role else match[0]

    return _HASH.sub(replace, svg)


def rc(theme: Theme) -> dict[Any, Any]:
    """Settings for `matplotlib.rc_context` while a chart is drawn or saved."""
    return {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 8.5,
        "axes.labelsize": 8.5,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "axes.facecolor": "none",
        "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "axes.edgecolor": theme.muted,
        "axes.labelcolor": theme.muted,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "text.color": theme.ink,
        "text.parse_math": False,  # a dollar in the name of a fault is a dollar
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
        "ytick.minor.size": 0,
        "xtick.minor.size": 0,
        "grid.color": theme.rule,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.5,
        "lines.solid_capstyle": "round",
        "hatch.linewidth": 0.6,
        "hatch.color": theme.paper,
        "path.simplify": True,
        "path.simplify_threshold": 0.4,
        "svg.fonttype": "none",
        "svg.hashsalt": "sim",
        "axes.unicode_minus": True,
        "agg.path.chunksize": 0,
        "timezone": "UTC",
    }
