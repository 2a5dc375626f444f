"""The page of a comparison, or of one run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sim.experiments.replicating.method import INTERVALS, ORDINARILY
from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.conclusions.comparing import conclude
from sim.report.frame import (
    Block,
    Card,
    Cards,
    Cell,
    Drawing,
    Fact,
    Facts,
    Head,
    Heading,
    Judged,
    Note,
    Page,
    Row,
    Rows,
    Section,
    Story,
    Table,
    Told,
    render,
    slug,
)
from sim.report.pages.parts import (
    CHARTS,
    PAGE,
    TEXT,
    NotModelled,
    chart_files,
    charts_section,
    periods_of,
    repeat,
    scenario_section,
    silence_section,
    sure_section,
)
from sim.report.stations import busiest
from sim.report.story import tell
from sim.report.table import JUDGEMENTS, found_in, render_expectations, render_table
from sim.report.topology import draw_topology
from sim.report.verdict import Judgement, judge, not_seen
from sim.report.words import clock, count_of, label_of, lasting, listed, show_between, show_difference, show_interval
from sim.units import show_share
from sim.vocabulary import unit_of

if TYPE_CHECKING:
    from sim.report.charts import Chart
    from sim.report.grid import Cell as GridCell

_CARD = (
    ("availability", "availability"),
    ("response_p95", "response p95"),
    ("completion_p95", "completion p95"),
    ("lost_orders", "lost orders"),
    ("cost", "cost"),
)


def render_comparison(
    comparison: Comparison,
    charts: Sequence[Chart] | None = None,
    not_modelled: NotModelled = (),
    *,
    confidence: float = 0.95,
) -> str:
    """The whole page.

    `charts` saves drawing them twice; `not_modelled` names a component and what its model leaves out.
    """
    return render(comparison_page(comparison, charts, not_modelled, confidence=confidence))


def comparison_files(
    comparison: Comparison, not_modelled: NotModelled, confidence: float
) -> dict[PurePosixPath, bytes | str]:
    """Every file of the report: the page, the charts and drawings, the table as text."""
    from sim.report.charts import draw_charts

    charts = draw_charts(comparison)
    files = chart_files(charts)
    for index, (name, variant) in enumerate(comparison.variants.items(), start=1):
        files[CHARTS / f"topology-{index}-{slug(name)}.svg"] = draw_topology(
            variant.scenario, "topology", name, adaptive=False
        )
    files[TEXT] = "\n".join(part for part in (render_table(comparison), render_expectations(comparison)) if part)
    return {**files, PAGE: render_comparison(comparison, charts, not_modelled, confidence=confidence)}


def comparison_page(
    comparison: Comparison,
    charts: Sequence[Chart] | None = None,
    not_modelled: NotModelled = (),
    *,
    confidence: float = 0.95,
) -> Page:
    """The same before it is set."""
    from sim.report.charts import draw_charts, draw_narrow

    charts = draw_charts(comparison) if charts is None else charts
    narrow = draw_narrow(comparison) if charts else {}
    conclusion, count = conclude(comparison), len(comparison.variants)
    return Page(
        name=comparison.study.name,
        kicker=f"comparison of {count} variants" if count > 1 else "one run",
        question=comparison.study.question,
        conclusion=conclusion.sentence,
        points=conclusion.points,
        variants=list(comparison.variants),
        periods=periods_of(variant.scenario for variant in comparison.variants.values()),
        sections=[
            Section("verdict", "Verdict", _verdict(comparison)),
            charts_section(charts, narrow=narrow),
            Section("story", "What happened", _stories(comparison)),
            Section("systems", "The systems", _systems(comparison)),
            Section("figures", "Figures", [_figures_note(comparison), figures_table(comparison)]),
            Section("expectations", "Expectations", _expectations(comparison)),
            Section("earlier", "Against an earlier run", _earlier(comparison)),
            _sure(comparison, confidence),
            silence_section(not_modelled),
            scenario_section(comparison.study),
        ],
    )


def _verdict(comparison: Comparison) -> list[Block]:
    cards = [_card(index, name, variant) for index, (name, variant) in enumerate(comparison.variants.items())]
    places = list(comparison.variants)
    judged = (
        [_judged(places.index(judgement.variant), judgement) for judgement in judge(comparison)]
        if comparison.judged
        else []
    )
    return [Cards(cards), *judged]


def _card(index: int, name: str, variant: VariantResult) -> Card:
    figures = [(label, variant.metrics[key], unit_of(key)) for key, label in _CARD if key in variant.metrics]
    rows = [(label, show_interval(figure, unit)) for label, figure, unit in figures if not math.isnan(figure.value)]
    if (bounds := undecided(variant.metrics, "availability")) is not None and math.isnan(
        variant.metrics["availability"].value
    ):
        rows.append(("availability", show_between(bounds, "share")))
    station, busy = busiest(variant), variant.metrics.get("utilisation_max")
    if station and busy is not None:
        rows.append((f"busiest: {station}", show_interval(busy, "share")))
    return Card(name, rows, index)


def _judged(index: int, judgement: Judgement) -> Judged:
    lists = [(mood, clauses) for mood, clauses in (("better", judgement.better), ("worse", judgement.worse)) if clauses]
    same = [f"Identical to {judgement.baseline}: every request the same."] if judgement.identical else []
    return Judged(
        judgement.variant,
        judgement.baseline,
        index,
        lists,
        [*same, *(f"{words.capitalize()}: {said}." for words, said in judgement.remarks())],
    )


def _systems(comparison: Comparison) -> list[Block]:
    note = Note(
        "Solid arrows are calls, with the policies that guard them; dashed arrows are events. What a fault touches is "
        "marked ⚠."
    )
    drawings = [
        Drawing(draw_topology(variant.scenario, f"topology-{index}", name), title=name, variant=index)
        for index, (name, variant) in enumerate(comparison.variants.items())
    ]
    return [note, *drawings]


def _stories(comparison: Comparison) -> list[Block]:
    told = {name: tell(variant) for name, variant in comparison.variants.items()}
    if not any(told.values()):
        return []
    count = comparison.replications
    note = (
        f"As the first of {count} replications has it; what is said of the requests in a fault is the mean of all. "
        if count > 1
        else ""
    )
    columns = [
        (name, index, [Told(clock(moment.time, fine=True), moment.text, moment.mood) for moment in moments])
        for index, (name, moments) in enumerate(told.items())
    ]
    return [Note(f"{note}Times are min:s from the start of the run, warm-up included."), Story(columns)]


def _figures_note(comparison: Comparison) -> Note:
    several = len(comparison.variants) > 1 and comparison.judged
    note = (
        f"Means over {comparison.replications} replications. Below each value the paired difference to "
        f"{comparison.baseline}: ✓ significantly better, "
        "▲ significantly worse, ● significantly different, = the same in every replication, grey: not told apart; "
        "point at one to see what would have shown."
        if several
        else f"Means over {count_of(comparison.replications, 'replication')}."
    )
    return Note(f"{note} A value after > was cut off by the end of the run.")


def figures_table(comparison: Comparison) -> Table:
    """A column per variant, the difference below each value, marked where it is significant."""
    from sim.report.grid import groups_of

    names = list(comparison.variants)
    heads = [
        Head(name, "baseline" if len(names) > 1 and name == comparison.baseline else "", index)
        for index, name in enumerate(names)
    ]
    groups = [
        Rows(
            [Row(row.label, [_cell(row.cells[name]) for name in names], row.meaning) for row in group.rows],
            group.title,
            f"none anywhere: {listed(list(group.absent))}" if group.absent else "",
        )
        for group in groups_of(comparison)
    ]
    return Table("All figures, by variant", [Head(""), *heads], groups)


def _cell(cell: GridCell) -> Cell:
    if not cell.difference and not cell.mark:
        return Cell(cell.value)
    words = JUDGEMENTS[cell.judgement] + (f": {cell.shown}" if cell.shown else "")
    sign = {"better": "✓ ", "worse": "▲ ", "other": "● "}.get(cell.judgement, "")
    return Cell(cell.value, f"{sign}{cell.difference or words}", cell.judgement, words)


def _expectations(comparison: Comparison) -> list[Block]:
    rows = [
        Row(
            judged.text,
            [
                Cell(name),
                Cell("✓ holds" if judged.passed else "✗ fails", mood="better" if judged.passed else "worse"),
                Cell(found_in(judged.text, judged.value, judged.reason)),
            ],
        )
        for name, variant in comparison.variants.items()
        for judged in variant.verdicts
    ]
    heads = [Head("expectation"), Head("variant"), Head("holds"), Head("found")]
    return [Table("What the scenario expects, and what was found", heads, [Rows(rows)], figures=False)] if rows else []


def _earlier(comparison: Comparison) -> list[Block]:
    earlier = comparison.earlier
    if earlier is None:
        return []
    blocks: list[Block] = [
        Note(f"Against {earlier.source}. Nothing is paired, so only large differences show (Welch's test).")
    ]
    places: Mapping[str, int] = {name: index for index, name in enumerate(comparison.variants)}
    for name, found in earlier.differences.items():
        rows = [
            Row(label_of(key), [Cell(show_difference(difference, unit_of(key)))])
            for key, difference in found.items()
            if difference.significant
        ]
        against = earlier.against.get(name, name)
        blocks.append(Heading(name, places.get(name), f"against {against}"))
        heads = [Head("figure"), Head("difference")]
        blocks.append(
            Table(f"{name} against {against}", heads, [Rows(rows)], figures=False)
            if rows
            else Note("Nothing differs significantly.", loud=True)
        )
        blocks += [Note(f"{line.capitalize()}.") for line in not_seen(found)]
    return blocks


def _sure(comparison: Comparison, confidence: float) -> Section:
    again = Note(
        "The same scenario, seed and version give the same fingerprints, on any engine and any number of workers."
    )
    prints = [Fact(name, variant.fingerprint, code=True) for name, variant in comparison.variants.items()]
    return sure_section(_facts(comparison, confidence), Heading("Fingerprints of the variants"), again, Facts(prints))


def _facts(comparison: Comparison, confidence: float) -> Iterator[Fact]:
    scenario = next(iter(comparison.variants.values())).scenario
    several = comparison.replications > 1
    common = ", on common random numbers: all variants meet the same arrivals and the same luck" if several else ""
    warmup = f", the first {lasting(scenario.warmup)} of it warm-up and not counted" if scenario.warmup else ""
    yield _again(comparison)
    yield Fact("replications", f"{comparison.replications}{common}")
    yield Fact("intervals", _intervals(comparison, confidence))
    yield Fact(
        "differences",
        "paired by replication; significant after Holm's correction over all metrics"
        if several and comparison.differences
        else "",
    )
    yield Fact(
        "the answer",
        "of the criteria it names, every pair of variants is compared, all pairs judged together"
        if _ranked(comparison)
        else "",
    )
    yield Fact("run", f"{lasting(scenario.duration)}{warmup}")
    for part in comparison.method.parts():
        term, _, text = part.partition(": ")
        yield Fact(term, text)
    yield Fact("seed", str(comparison.seed))
    yield Fact("engine", comparison.engine)
    yield Fact("fingerprint", comparison.fingerprint, code=True)
    yield Fact("scenario file", comparison.study.file)
    yield Fact("plug-ins", ", ".join(comparison.study.plugins))


def _ranked(comparison: Comparison) -> bool:
    return len(comparison.variants) > 1 and comparison.judged


def _again(comparison: Comparison) -> Fact:
    """The command for the same replications of the same variants."""
    study, names = comparison.study, list(comparison.variants)
    chosen = [] if names == list(study.variants) else ["--variants", ",".join(names)]
    verb, which = (
        ("compare", chosen)
        if len(study.variants) > 1 and len(names) > 1
        else ("run", ["--variant", names[0]] if chosen else [])
    )
    return repeat(study, verb, *which, "--replications", str(comparison.replications), "--seed", str(comparison.seed))


def _intervals(comparison: Comparison, confidence: float) -> str:
    method = comparison.method
    if method.exact:
        return "none: nothing is random, the figures are exact"
    if comparison.replications == 1 and method.interval != "batch means":
        return "none: one replication"
    return (
        f"{show_share(method.confidence if method != ORDINARILY else confidence)} confidence, "
        f"{INTERVALS[method.interval]}"
    )
