"""Sweeps and searches for capacity in words and rows: what the terminal shows, and what the page of the report sets its
own way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sim.experiments.replicating.results import undecided
from sim.experiments.searching.capacity_results import Capacity, Found
from sim.experiments.searching.cheapest import Cheapest, Choice
from sim.experiments.searching.documents import Answer
from sim.experiments.searching.scaling import IDLE
from sim.experiments.searching.sweep_results import Sweep
from sim.report.words import label_of, listed, show, show_between, show_interval
from sim.stats.interval import Interval
from sim.stats.scaling import ScalingFit
from sim.units import told_per
from sim.vocabulary import BOUNDED, bound_keys, unit_of

MOST_ROWS = 60
_COLUMNS = ("requests", "throughput", "response_p99", "availability", "cost")
_SHOWN = ("response_p99", "throughput", "availability", "completion_p99", "cost_per_thousand")

Rows = list[list[str]]


def render_answer(answer: Answer) -> str:
    """What the terminal shows."""
    blocks = []
    for title, rows, remarks in parts_of(answer):
        texts = [_aligned(rows) if rows else "", remarks]
        blocks.append("\n".join(text for text in (reversed(texts) if title == "Cheapest" else texts) if text))
    return "\n\n".join(block for block in blocks if block) + "\n"


def parts_of(answer: Answer) -> list[tuple[str, Rows, str]]:
    """Title, rows (the first one of heads) and remarks of each part; without rows or without remarks where there are
    none.
    """
    warmup: list[tuple[str, Rows, str]] = [("Warm-up", [], str(answer.warmup))] if answer.warmup is not None else []
    if isinstance(answer, Sweep):
        failed = "\n".join(failure.reason for failure in answer.failures)
        more = len(answer.points) - MOST_ROWS
        beyond = f"... and {more:,} more points: all are in sweep.parquet, or in .summary" if more > 0 else ""
        figures, laws = ("Figures", _sweep_rows(answer), beyond), ("Scaling laws", list[list[str]](), _fits(answer))
        return [figures, *warmup, laws, ("Sensitivity", *_sensitivity(answer)), ("Failed runs", [], failed)]
    if isinstance(answer, Capacity):
        return [("Capacity", *_capacity(answer)), *warmup, ("Scaling laws", [], _capacity_fits(answer))]
    return [
        *(("Cheapest", _choice_rows(answer, choice), choice_in_words(answer, choice)) for choice in answer.choices),
        *warmup,
    ]


# ---- a sweep


def _sweep_rows(sweep: Sweep) -> Rows:
    """A row per point and variant: the settings, the usual figures, and which expectations fail."""
    known = {
        key for key in sweep.runs.columns if sweep.runs[key].notna().any() and (key != "cost" or sweep.runs[key].any())
    }
    keys = [key for key in _COLUMNS if key in known or (key in BOUNDED and bound_keys(key)[0] in known)]
    judged = bool(sweep.verdicts)
    head = [
        *(axis.label for axis in sweep.axes),
        *(["variant"] if len(sweep.variants) > 1 else []),
        *map(label_of, keys),
        *(["expectations"] if judged else []),
    ]
    rows = [head]
    wanted = [*keys, *(bound for key in keys if key in BOUNDED for bound in bound_keys(key))]
    curves = {
        (variant, key): sweep.curve(variant, key).to_dict("index") for variant in sweep.variants for key in wanted
    }
    for point in sweep.points[:MOST_ROWS]:
        for variant in sweep.variants:
            figures = {
                key: _figure(curves[variant, key][point.number])
                for key in wanted
                if point.number in curves[variant, key]
            }
            cells = [_cell(figures, key) for key in keys]
            verdicts = sweep.verdicts.get((variant, point.number), ())
            passed = [f"{sum(verdict.passed for verdict in verdicts)} of {len(verdicts)} hold"] if judged else []
            rows.append([*point.values, *([variant] if len(sweep.variants) > 1 else []), *cells, *passed])
    return rows


def _figure(row: dict[Any, Any]) -> Interval:
    return Interval(row["value"], row["low"], row["high"], row["n"], bool(row["censored"]))


def _cell(figures: Mapping[str, Interval], key: str) -> str:
    if (bounds := undecided(figures, key)) is not None:
        return show_between(bounds, unit_of(key))
    return show_interval(figures[key], unit_of(key)) if key in figures else "-"


def _fits(sweep: Sweep) -> str:
    """Each curve with its laws; where no curve has one, why, once for all of them."""
    if any(IDLE in fit.note for fit in sweep.fits) and all(fit.preferred is None for fit in sweep.fits):
        return f"no scaling law can be fitted: there are too few points but for those {IDLE}"
    lines = []
    for fit in sweep.fits:
        where = (
            ", ".join([fit.variant, *(f"{name}={value}" for name, value in fit.others.items())])
            if len(sweep.variants) > 1 or fit.others
            else ""
        )
        lines.append(f"throughput against {fit.axis}{f' ({where})' if where else ''}")
        lines += [f"  {_law(law)}" for law in (fit.usl, fit.amdahl) if law is not None]
        if (
            fit.preferred is not None
            and fit.usl is not None
            and fit.amdahl is not None
            and math.isfinite(fit.amdahl.aicc)
        ):
            lines.append(f"  {_NAMES[fit.preferred.law]} describes it better (AICc)")
        lines += [f"  {fit.note}"] if fit.note else []
    return "\n".join(lines)


_NAMES = {"usl": "USL", "amdahl": "Amdahl"}


def _law(fit: ScalingFit) -> str:
    contention = f"contention {_bounds(fit.alpha)}"
    coherency = f", coherency {_bounds(fit.beta)}" if fit.law == "usl" else ""
    if fit.law == "usl" and math.isfinite(fit.peak.value):
        limit = f"peak at {_bounds(fit.peak)} with {show(fit.peak_throughput.value, '1/s')}"
    else:
        limit = (
            f"never above {_bounds(fit.peak_throughput)}/s"
            if math.isfinite(fit.peak_throughput.value)
            else "no limit in sight"
        )
    # there is none of points that are all the same
    fits = f"; R² {fit.r_squared:.4f}" if math.isfinite(fit.r_squared) else ""
    return f"{_NAMES[fit.law] + ':':<8}one does {_bounds(fit.gamma)}/s, {contention}{coherency}; {limit}{fits}"


def _bounds(figure: Interval) -> str:
    value = f"{figure.value:.3g}" if math.isfinite(figure.value) else "infinity"
    if math.isnan(figure.low):
        return value
    return f"{value} [{figure.low:.3g}, {f'{figure.high:.3g}' if math.isfinite(figure.high) else 'infinity'}]"


def _sensitivity(sweep: Sweep) -> tuple[Rows, str]:
    table = sweep.sensitivity
    if table is None:
        return [], ""
    if table.empty:
        return [], "nothing varies between the points, so nothing matters"
    labels = {axis.name: axis.label for axis in sweep.axes}
    rows, told = [["metric", *(["variant"] if len(sweep.variants) > 1 else []), "setting", "alone", "in total"]], []
    keys = [key for key in _SHOWN if key in set(table["metric"])] or list(table["metric"].unique())[:5]
    for key in keys:
        block = table[table["metric"] == key].sort_values(["variant", "total"], ascending=[True, False])
        for _, row in block.iterrows():
            figures = [
                f"{row[kind]:.2f} [{row[f'{kind}_low']:.2f}, {row[f'{kind}_high']:.2f}]" for kind in ("first", "total")
            ]
            rows.append(
                [
                    label_of(key),
                    *([row["variant"]] if len(sweep.variants) > 1 else []),
                    labels[row["setting"]],
                    *figures,
                ]
            )
        for variant, its in block.groupby("variant", sort=False):
            told.append(
                f"{label_of(key)}{f' of {variant}' if len(sweep.variants) > 1 else ''}: {_what_matters(its, labels)}"
            )
    noise = table["noise"].dropna()
    if len(noise) and noise.max() > 0.05:
        told.append(
            f"at worst {noise.max():.0%} of the variance is the luck of the draw; more replications make it less"
        )
    return rows, "\n".join(told)


def _what_matters(block: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """The setting with the largest total index, or those that its interval does not tell from it; the largest comes
    first.
    """
    low = block["total_low"].iloc[0]
    first, *rivals = [
        labels[setting] for setting, high in zip(block["setting"], block["total_high"], strict=True) if high >= low
    ]
    if rivals:
        return f"{listed([first, *rivals])} cannot be told apart; more points would"
    return f"{first} matters most, with {show(block['total'].iloc[0], 'share')} of the variance in total"


# ---- capacity


def _capacity(capacity: Capacity) -> tuple[Rows, str]:
    rows = [
        [
            "variant",
            *(axis.label for axis in capacity.axes),
            f"requests/{told_per()[1]}",
            "95% interval",
            "times the load",
            "requests",
            "breaks first",
        ]
    ]
    rows += [[found.variant, *found.settings.values(), *_found(found)] for found in capacity.found]
    notes = [
        f"{', '.join((found.variant, *found.settings.values()))}: {found.note}"
        for found in capacity.found
        if found.note
    ]
    breaks = {row[-1] for row in rows[1:]}
    if len(rows) > 2 and len(breaks) == 1 and (first := breaks.pop()) != "-":  # a column that says nothing
        rows = [row[:-1] for row in rows]
        notes.insert(0, f"{first} breaks first in each of them")
    return rows, "\n".join(notes)


def _found(found: Found) -> list[str]:
    load, rate, (length, _) = found.load, found.rate, told_per()
    more = f" (and {len(found.breaks_too)} more)" if found.breaks_too else ""
    bound = ">= " if load.censored else ""
    limits = (
        "-"
        if math.isnan(rate.low)
        else f"{rate.low * length:.4g} .. {f'{rate.high * length:.4g}' if math.isfinite(rate.high) else 'more'}"
    )
    return [
        f"{bound}{rate.value * length:.4g}",
        limits,
        f"{bound}{load.value:.3g}x",
        show(found.requests, "1"),
        f"{found.breaks_first or '-'}{more}",
    ]


def _capacity_fits(capacity: Capacity) -> str:
    lines = []
    for variant, (usl, amdahl, note) in capacity.fits.items():
        lines.append(f"capacity against {capacity.axes[0].name}, {variant}")
        lines += [f"  {_law(law)}" for law in (usl, amdahl) if law is not None]
        lines += [f"  {note}"] if note else []
    return "\n".join(lines)


def choice_in_words(cheapest: Cheapest, choice: Choice) -> str:
    """`four-workers: services.shop.workers=7 holds at 2x the load, at 7 in all`"""
    if choice.settings is None:
        return f"{choice.variant}: none of these settings holds at {choice.load:.3g}x the load beyond doubt"
    unit = "per hour" if cheapest.priced else "in all (nothing has a price: the sum of the settings)"
    chosen = listed([f"{name}={value}" for name, value in choice.settings.items()])
    return (
        f"{choice.variant}: {chosen} holds at {choice.load:.3g}x the load, at {_priced(cheapest, choice.price)} {unit}"
    )


def _choice_rows(cheapest: Cheapest, choice: Choice) -> Rows:
    rows = [[*(axis.label for axis in cheapest.axes), "price", "requests", "", "what fails"]]
    words = {"holds": "holds", "open": "too close to tell", "fails": "fails"}
    for settings, price, probe in choice.looks:
        rows.append(
            [
                *settings.values(),
                _priced(cheapest, price),
                show(probe.requests, "1"),
                words[probe.sure],
                ", ".join(probe.broken),
            ]
        )
    return rows


def _priced(cheapest: Cheapest, price: float) -> str:
    return f"{price * 3600:.4g}" if cheapest.priced else f"{price:g}"


def _aligned(rows: Rows) -> str:
    """Columns, the words of the last to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1
    padded = (
        [
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    )
    return "\n".join(f"  {'  '.join(cells).rstrip()}" for cells in padded)
