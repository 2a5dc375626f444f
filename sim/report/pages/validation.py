"""The page of a model held against a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from sim.fitting.comparing import Compared
from sim.fitting.validation import Validation
from sim.report.charts.drawing import Chart
from sim.report.charts.measured import draw_measured
from sim.report.frame import Block, Cell, Fact, Head, Items, Line, Note, Page, Row, Rows, Section, Table, render
from sim.report.pages.parts import (
    PAGE,
    NotModelled,
    chart_files,
    charts_section,
    scenario_section,
    silence_section,
    sure_section,
)
from sim.report.validation import cells_of, pairs_in_words, render_validation, validation_json, verdict
from sim.units import show_share

_MOODS = {"within": "good", "outside": "bad", "open": ""}
_HEADS = ("figure", "measured", "simulated", "error", "borne", "finding")


def validation_files(validation: Validation, not_modelled: NotModelled) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report: the page, the charts, the text of the terminal, the JSON."""
    charts = draw_measured(validation)
    page = render(validation_page(validation, charts, not_modelled))
    told = {"validation.txt": render_validation(validation), "validation.json": validation_json(validation)}
    return {**chart_files(charts), **{PurePosixPath(name): text for name, text in told.items()}, PAGE: page}


def validation_page(validation: Validation, charts: Sequence[Chart], not_modelled: NotModelled) -> Page:
    """The page before it is set."""
    mood = {"valid": "good", "not valid": "bad"}.get(validation.verdict, "")
    return Page(
        name=validation.study.name,
        kicker=f"{validation.variant} against {validation.requests:,} measured requests",
        question=validation.study.question,
        conclusion=f"The model is {validation.verdict}.",
        points=[Line(sentence, mood) for sentence in verdict(validation)],
        sections=[
            Section("figures", "Figure by figure", _figures(validation)),
            *([charts_section(charts)] if charts else []),
            Section("measurement", "The measurement", [Items([Line(line.strip()) for line in validation.said])]),
            sure_section(_facts(validation)),
            silence_section(not_modelled),
            scenario_section(validation.study),
        ],
    )


def _figures(validation: Validation) -> list[Block]:
    heads = [Head(name) for name in _HEADS]
    table = Table("Both sides of every figure", heads, [Rows([_row(figure) for figure in validation.figures])])
    return [table, *([Note(pairs_in_words(validation.paired))] if validation.paired is not None else [])]


def _row(figure: Compared) -> Row:
    label, *cells, finding = cells_of(figure)
    return Row(label, [*map(Cell, cells), Cell(finding, mood=_MOODS[figure.finding])])


def _facts(validation: Validation) -> Iterator[Fact]:
    of = "of the measured, of the mean of the replications, and of the error of the one to the other"
    yield Fact("intervals", f"{show_share(validation.confidence)} confidence, {of}")
    yield Fact("outside", "is judged for all figures together")
    yield Fact("replications", str(validation.replications))
    yield Fact("scenario file", validation.study.file)
    yield Fact("settings", ", ".join(validation.study.sets))
