"""The page of a sweep, of a search for capacity, or of one for the cheapest settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from sim.experiments.searching.capacity_results import Capacity
from sim.experiments.searching.documents import Answer
from sim.experiments.searching.sweep_results import Sweep
from sim.report.charts.canvas import narrow
from sim.report.charts.drawing import Chart
from sim.report.charts.scaling import capacity_charts, sweep_charts
from sim.report.conclusions.searching import conclude_search
from sim.report.frame import Block, Card, Cards, Code, Fact, Items, Line, Page, Section, plain_table, render, slug
from sim.report.pages.parts import (
    PAGE,
    TEXT,
    NotModelled,
    chart_files,
    charts_section,
    repeat,
    scenario_section,
    silence_section,
    sure_section,
)
from sim.report.scaling import parts_of, render_answer
from sim.report.words import show, show_interval
from sim.units import told_per


def search_files(answer: Answer, not_modelled: NotModelled) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report: the page, the charts, the table as text."""
    charts = _charts(answer)
    with narrow():
        small = (
            {chart.name: chart for chart in _charts(answer)}
            if isinstance(answer, Sweep) and answer.design == "grid"
            else {}
        )
    return {
        **chart_files(charts),
        TEXT: render_answer(answer),
        PAGE: render(search_page(answer, charts, not_modelled, small)),
    }


def search_page(
    answer: Answer, charts: Sequence[Chart], not_modelled: NotModelled, small: Mapping[str, Chart] | None = None
) -> Page:
    """The page before it is set; `small` are charts for a narrow screen, by name."""
    conclusion = conclude_search(answer)
    first, *others = _sections(answer)
    return Page(
        name=answer.study.name,
        kicker=_kind(answer),
        question=answer.study.question,
        conclusion=conclusion.sentence,
        points=conclusion.points,
        sections=[
            Section("verdict", "In short", _cards(answer)),
            charts_section(charts, narrow=small),
            first,
            *others,
            sure_section(_facts(answer)),
            silence_section(not_modelled),
            scenario_section(answer.study),
        ],
    )


def _charts(answer: Answer) -> tuple[Chart, ...]:
    if isinstance(answer, Sweep):
        return sweep_charts(answer)
    return capacity_charts(answer) if isinstance(answer, Capacity) else ()


def _kind(answer: Answer) -> str:
    if isinstance(answer, Sweep):
        return f"sweep of {len(answer.points)} points ({answer.design})"
    return "search for capacity" if isinstance(answer, Capacity) else f"cheapest settings at load {answer.load}"


def _cards(answer: Answer) -> list[Block]:
    if isinstance(answer, Sweep):
        return [
            Cards(
                [
                    Card(variant, list(_extremes(answer, variant)), index)
                    for index, variant in enumerate(answer.variants)
                ]
            )
        ]
    if isinstance(answer, Capacity):
        cards = [
            Card(
                ", ".join((found.variant, *(f"{name}={value}" for name, value in found.settings.items()))),
                [
                    (
                        f"requests per {told_per()[1] if told_per()[1] != 's' else 'second'}",
                        f"{'> ' if found.rate.censored else ''}{show_interval(found.rate, '1/s').removeprefix('> ')}",
                    ),
                    ("times the load as written", f"{found.load.value:.3g}"),
                    ("breaks first", found.breaks_first or "nothing"),
                ],
                answer.variants.index(found.variant),
            )
            for found in answer.found[:12]
        ]
        return [Cards(cards)]
    chosen = [(choice, choice.settings or {}) for choice in answer.choices]
    return [
        Cards(
            [
                Card(choice.variant, list(settings.items()) or [("holds", "none of them")], index)
                for index, (choice, settings) in enumerate(chosen)
            ]
        )
    ]


def _extremes(sweep: Sweep, variant: str) -> Iterator[tuple[str, str]]:
    """The least and the most of the usual figures over all points."""
    for key, label, unit in (
        ("throughput", "throughput", "1/s"),
        ("response_p99", "response p99", "s"),
        ("availability", "availability", "share"),
    ):
        values = sweep.curve(variant, key)["value"].dropna()
        if not values.empty:
            yield label, " to ".join(dict.fromkeys((show(float(values.min()), unit), show(float(values.max()), unit))))
    verdicts = [its for (name, _), its in sweep.verdicts.items() if name == variant and its]
    if verdicts:
        yield (
            "points at which all expectations hold",
            f"{sum(all(verdict.passed for verdict in its) for its in verdicts)} of {len(verdicts)}",
        )


def _sections(answer: Answer) -> list[Section]:
    """Each part as a table and its remarks."""
    found = [(title, rows, remarks) for title, rows, remarks in parts_of(answer) if rows or remarks]
    taken: dict[str, int] = {}
    sections = []
    for title, rows, remarks in found:
        taken[title] = taken.get(title, 0) + 1
        anchor = f"table-{slug(title)}" if taken[title] == 1 else f"table-{slug(title)}-{taken[title]}"
        sections.append(
            Section(anchor, title, [*([plain_table(title, rows)] if rows else []), *_remarks(title, remarks)])
        )
    return sections


def _remarks(title: str, text: str) -> list[Block]:
    if not text:
        return []
    if title == "Scaling laws":
        return [Code(text, "Scaling laws")]
    return [Items([Line(line) for line in text.splitlines()])]


def _facts(answer: Answer) -> Iterator[Fact]:
    yield _again(answer)
    yield Fact(
        "replications",
        f"{answer.replications}{' at most' if not isinstance(answer, Sweep) else ''}, the same luck everywhere",
    )
    yield Fact("intervals", "95% confidence")
    yield Fact("seed", str(answer.seed))
    yield Fact("engine", answer.engine)
    yield Fact("fingerprint", answer.fingerprint, code=True)
    yield Fact("scenario file", answer.study.file)
    yield Fact("settings", ", ".join(answer.study.sets))


def _again(answer: Answer) -> Fact:
    """The command for the same runs."""
    variants = (
        answer.variants if isinstance(answer, (Sweep, Capacity)) else tuple(choice.variant for choice in answer.choices)
    )
    chosen = [] if list(variants) == list(answer.study.variants) else ["--variants", ",".join(variants)]
    over = [part for axis in answer.axes for part in ("--over", axis.text)]
    verb = "sweep" if isinstance(answer, Sweep) else "capacity"
    return repeat(
        answer.study,
        verb,
        *over,
        *_own_options(answer),
        *chosen,
        "--replications",
        str(answer.replications),
        "--seed",
        str(answer.seed),
    )


def _own_options(answer: Answer) -> list[str]:
    """What the command of each says of itself alone."""
    if isinstance(answer, Sweep):
        return [] if answer.design == "grid" else ["--design", answer.design, "--points", str(len(answer.points))]
    return ["--resolution", f"{answer.resolution * 100:g}%"] if isinstance(answer, Capacity) else ["--at", answer.load]
