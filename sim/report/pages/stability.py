"""The page of a look at stability: whether a system comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from sim.experiments.stability.results import Stability
from sim.report.charts.canvas import narrow
from sim.report.charts.drawing import Chart
from sim.report.charts.hysteresis import hysteresis_curve
from sim.report.conclusions.stability import conclude_stability
from sim.report.frame import Block, Card, Cards, Cell, Fact, Head, Page, Row, Rows, Section, Table, plain_table, render
from sim.report.pages.parts import (
    PAGE,
    NotModelled,
    chart_files,
    charts_section,
    repeat,
    scenario_section,
    silence_section,
    sure_section,
)
from sim.report.stability import loads_table, rate_in_words, render_stability, stability_json
from sim.report.words import clock, show, show_interval
from sim.units import show_duration


def stability_files(stability: Stability, not_modelled: NotModelled) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report: the page, the chart, the text of the terminal, the JSON."""
    charts = (hysteresis_curve(stability),)
    with narrow():
        small = {charts[0].name: hysteresis_curve(stability)}
    page = render(stability_page(stability, charts, not_modelled, small))
    told: dict[str, bytes | str] = {
        "stability.txt": render_stability(stability),
        "stability.json": stability_json(stability, conclude_stability(stability).sentence),
    }
    return {**chart_files(charts), **{PurePosixPath(name): text for name, text in told.items()}, PAGE: page}


def stability_page(
    stability: Stability, charts: Sequence[Chart], not_modelled: NotModelled, small: Mapping[str, Chart] | None = None
) -> Page:
    """The page before it is set; `small` are charts for a narrow screen, by name."""
    conclusion = conclude_stability(stability)
    return Page(
        name=stability.study.name,
        kicker=f"does {stability.variant} come back after {stability.stressor}?",
        question=stability.study.question,
        conclusion=conclusion.sentence,
        points=conclusion.points,
        sections=[
            Section("verdict", "In short", [Cards([_card(stability)])]),
            charts_section(charts, narrow=small),
            Section(
                "loads", "Every load that was tried", [plain_table("How every load fared", loads_table(stability))]
            ),
            Section("steps", "Load up, then down", _steps(stability)),
            sure_section(_facts(stability)),
            silence_section(not_modelled),
            scenario_section(stability.study),
        ],
    )


def _card(stability: Stability) -> Card:
    rows = [("load of the scenario", rate_in_words(stability.rate))]
    for label, threshold in (
        ("does not come back above", stability.vulnerable),
        ("collapses without it above", stability.collapse),
    ):
        if threshold.found:
            rows.append((label, f"{rate_in_words(threshold.low)} to {rate_in_words(threshold.high)}"))
    rows += (
        [("metastable", " to ".join(map(rate_in_words, stability.metastable)))]
        if stability.metastable is not None
        else []
    )
    at = min(stability.points, key=lambda point: abs(point.rate - stability.rate))
    rows.append((f"came back at {rate_in_words(at.rate)}", f"{at.recovered} of {at.replications}"))
    return Card(stability.variant, rows, 0)


def _steps(stability: Stability) -> list[Block]:
    rows = [
        Row(
            rate_in_words(step.rate),
            [
                Cell("up" if step.rising else "down"),
                Cell(show_interval(step.goodput, "1/s")),
                Cell(show(step.success.value, "share")),
                Cell(show(step.requests.value, "1")),
            ],
        )
        for step in stability.curve
    ]
    heads = [Head("load"), Head("going", words=True), Head("goodput"), Head("success"), Head("requests")]
    return [Table("The staircase of loads", heads, [Rows(rows)])] if rows else []


def _facts(stability: Stability) -> Iterator[Fact]:
    times, study = stability.times, stability.study
    factors = ",".join(f"{point.factor:.6g}" for point in stability.points)
    stressor = (
        ["--stressor", stability.stressor]
        if stability.stressor.partition(":")[0] in ("spike", "outage", "slow")
        else []
    )
    watch = ["--watch", show_duration(times.duration - times.end)]
    curve = ["--dwell", show_duration(stability.dwell)] if stability.curve else ["--no-hysteresis"]
    options = ["--variant", stability.variant, *stressor, "--loads", factors, "--precision", "0", *watch, *curve]
    yield repeat(
        study, "stability", *options, "--replications", str(stability.replications), "--seed", str(stability.seed)
    )
    yield Fact(
        "stressor",
        f"{stability.stressor}, from {clock(times.begin)} to {clock(times.end)}; looked on for "
        f"{show_duration(times.duration - times.end)}",
    )
    yield Fact("replications", f"{stability.replications} at each load, with and without the stressor on the same luck")
    yield Fact("warm-up", str(stability.warmup).removeprefix("warm-up: ") if stability.warmup is not None else "")
    yield Fact("seed", str(stability.seed))
    yield Fact("engine", stability.engine)
    yield Fact("fingerprint", stability.fingerprint, code=True)
    yield Fact("scenario file", study.file)
    yield Fact("settings", ", ".join(study.sets))
