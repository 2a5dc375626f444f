"""The page of an explanation: where the time of requests went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from sim.experiments.replicating.explaining import Explanation
from sim.report.charts.canvas import narrow
from sim.report.charts.composition import composition
from sim.report.charts.drawing import Chart
from sim.report.conclusions.explaining import conclude_explanation
from sim.report.explanation import (
    arrived,
    explanation_json,
    left_out,
    parts_table,
    render_explanation,
    sentences,
    use_table,
)
from sim.report.frame import (
    Block,
    Card,
    Cards,
    Cell,
    Fact,
    Head,
    Heading,
    Items,
    Line,
    Note,
    Page,
    Row,
    Rows,
    Section,
    Story,
    Table,
    Told,
    plain_table,
    render,
)
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
from sim.report.story import tell
from sim.report.words import clock, show, show_interval


def explanation_files(explanation: Explanation, not_modelled: NotModelled) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report: the page, the chart, the text of the terminal, the JSON."""
    chart = composition(explanation)
    charts = (chart,) if chart is not None else ()
    with narrow():
        small = composition(explanation)
    page = render(explanation_page(explanation, charts, not_modelled, {small.name: small} if small is not None else {}))
    told: dict[str, bytes | str] = {
        "explanation.txt": render_explanation(explanation),
        "explanation.json": explanation_json(explanation, conclude_explanation(explanation).sentence),
    }
    return {**chart_files(charts), **{PurePosixPath(name): text for name, text in told.items()}, PAGE: page}


def explanation_page(
    explanation: Explanation,
    charts: Sequence[Chart],
    not_modelled: NotModelled,
    small: Mapping[str, Chart] | None = None,
) -> Page:
    """The page before it is set; `small` are charts for a narrow screen, by name."""
    its, conclusion = explanation.comparison, conclude_explanation(explanation)
    return Page(
        name=its.study.name,
        kicker=f"where the time of requests went{f', {explanation.route}' if explanation.route else ''}",
        question=its.study.question,
        conclusion=conclusion.sentence,
        points=conclusion.points,
        variants=list(explanation.variants),
        sections=[
            Section("verdict", "In short", [Cards(_cards(explanation))]),
            charts_section(charts, "Where the time went", small),
            Section("parts", "Every part, in figures", _parts(explanation)),
            Section("use", "What was busy, and what was full", _use(explanation)),
            Section("story", "What happened", _stories(explanation)),
            sure_section(_facts(explanation)),
            silence_section(not_modelled),
            scenario_section(its.study),
        ],
    )


def _cards(explanation: Explanation) -> list[Card]:
    cards = []
    for index, (name, variant) in enumerate(explanation.variants.items()):
        rows = [
            (f"{variant.clock} {quantile}", f"{'> ' if its.open else ''}{show_interval(its.value, 's')}")
            for quantile, its in variant.quantiles.items()
        ]
        busiest = variant.busiest
        if busiest is not None:
            rows.append((f"busiest: {busiest.station} ({busiest.resource})", show(busiest.utilisation.value, "share")))
        rows += [
            (f"full from {clock(busy.full_at)}", f"{busy.station} ({busy.resource})") for busy in variant.filled[:2]
        ]
        cards.append(Card(name, rows, index))
    return cards


def _parts(explanation: Explanation) -> list[Block]:
    blocks: list[Block] = []
    for index, (name, variant) in enumerate(explanation.variants.items()):
        (_, _, *heads), *rows = parts_table(variant)
        said = [
            Line(arrived(explanation, variant)),
            *map(Line, sentences(variant)),
            *map(Line, left_out(explanation, variant)),
        ]
        columns = [Head("where", words=True), Head("what", words=True), *map(Head, heads)]
        table = Table(
            f"Where the time of {name} went",
            columns,
            [Rows([Row(row[0], [Cell(cell) for cell in row[1:]]) for row in rows])],
        )
        blocks += [Heading(name, index), Items(said), *([table] if variant.quantiles else [])]
    return blocks


def _use(explanation: Explanation) -> list[Block]:
    note = (
        "Utilisation, saturation and errors of everything that can be full: mean over the replications; full from: "
        "the median of the moments."
    )
    blocks: list[Block] = [Note(note)]
    for index, (name, variant) in enumerate(explanation.variants.items()):
        blocks += [Heading(name, index), plain_table(f"Stations of {name}", use_table(variant))]
    return blocks


def _stories(explanation: Explanation) -> list[Block]:
    told = {name: tell(variant.result) for name, variant in explanation.variants.items()}
    if not any(told.values()):
        return []
    columns = [
        (name, index, [Told(clock(moment.time, fine=True), moment.text, moment.mood) for moment in moments])
        for index, (name, moments) in enumerate(told.items())
    ]
    return [
        Note("As the first replication has it. Times are min:s from the start of the run, warm-up included."),
        Story(columns),
    ]


def _facts(explanation: Explanation) -> Iterator[Fact]:
    its = explanation.comparison
    names = list(explanation.variants)
    options = ["--quantiles", ",".join(next(iter(explanation.variants.values())).quantiles) or "p50,p99"]
    options += ["--route", explanation.route] if explanation.route else []
    options += ["--all"] if explanation.failures else []
    clocks = {variant.clock for variant in explanation.variants.values()}
    options += ["--clock", clocks.pop()] if len(clocks) == 1 else []
    options += [] if names == list(its.study.variants) else ["--variants", ",".join(names)]
    yield repeat(its.study, "explain", *options, "--replications", str(its.replications), "--seed", str(its.seed))
    yield Fact("requests", "those that failed, too" if explanation.failures else "those answered well")
    yield Fact("replications", f"{its.replications}, the same luck for all variants")
    yield Fact("seed", str(its.seed))
    yield Fact("engine", its.engine)
    yield Fact("fingerprint", its.fingerprint, code=True)
    yield Fact("scenario file", its.study.file)
    yield Fact("settings", ", ".join(its.study.sets))
