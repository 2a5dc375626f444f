"""The parts that all pages have alike."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from sim.report.charts.drawing import Chart
from sim.report.frame import Block, Code, Drawing, Fact, Facts, Note, Section
from sim.report.theme import LIGHT, as_variables
from sim.report.words import clock, fault_name
from sim.spec.scenario import Scenario
from sim.spec.study import Study

CHARTS = PurePosixPath("charts")
PAGE, TEXT = PurePosixPath("index.html"), PurePosixPath("table.txt")
NotModelled = Sequence[tuple[str, str]]


def chart_block(chart: Chart, narrow: Chart | None = None) -> Drawing:
    """A chart with its title and how to read it."""
    small = _svg(narrow, f"{narrow.name}-narrow") if narrow is not None else ""
    return Drawing(
        _svg(chart, chart.name),
        chart.name,
        chart.title,
        chart.reading,
        narrow=small,
        values=chart.values(),
        by_variant=chart.by_variant,
    )


def _svg(chart: Chart, prefix: str) -> str:
    from markupsafe import escape

    svg = chart.svg(titled=False, prefix=prefix)
    boxes = f' data-boxes="{escape(chart.boxes(prefix))}"' if chart.panels else ""
    described = f'<svg class="chart" role="img" aria-label="{escape(chart.alt)}"{boxes} '
    return (as_variables(svg) if chart.theme is LIGHT else svg).replace("<svg ", described, 1)


def chart_files(charts: Iterable[Chart]) -> dict[PurePosixPath, bytes | str]:
    """Every chart as SVG and as PNG, in their folder."""
    files: dict[PurePosixPath, bytes | str] = {}
    for chart in charts:
        files[CHARTS / f"{chart.name}.svg"] = chart.svg()
        files[CHARTS / f"{chart.name}.png"] = chart.png()
    return files


def charts_section(
    charts: Iterable[Chart], title: str = "Charts", narrow: Mapping[str, Chart] | None = None
) -> Section:
    """All charts below one another, those that are drawn for a narrow screen, too, by name."""
    return Section("charts", title, [chart_block(chart, (narrow or {}).get(chart.name)) for chart in charts])


def sure_section(facts: Iterable[Fact], *more: Block) -> Section:
    """How sure, and how to repeat it."""
    return Section("sure", "How sure, and how to repeat it", [Facts(tuple(facts)), *more])


def repeat(study: Study, verb: str, *options: str) -> Fact:
    """The command that gives the same figures again. A study that came from no file has none."""
    sets = [part for setting in study.sets for part in ("--set", setting)]
    plugins = [part for plugin in study.plugins for part in ("--plugin", plugin)]
    parts = study.document.get("studies")
    files = [str(part["file"]) for part in parts] if parts is not None else [study.file]
    return Fact("again", shlex.join(["sim", verb, *files, *sets, *plugins, *options]) if all(files) else "", code=True)


def silence_section(not_modelled: NotModelled) -> Section:
    """What the models leave out."""
    said = Note("A simulator that hides its silence lies. Of what this scenario says the models leave out:")
    return Section(
        "silence",
        "What is not modelled",
        [said, Facts([Fact(name, text.replace("`", "")) for name, text in not_modelled])] if not_modelled else [],
    )


def scenario_section(study: Study) -> Section:
    """The file as it was written."""
    return Section(
        "scenario", "The scenario", [Code(study.text, "The scenario as it was written")] if study.text else []
    )


def periods_of(scenarios: Iterable[Scenario]) -> list[tuple[str, float, float]]:
    """What charts over time can be zoomed on: every fault, with a third of its length before and as much as it lasted
    after it.
    """
    found: dict[tuple[str, float, float], None] = {}
    for scenario in scenarios:
        for fault in scenario.faults:
            if fault.at >= scenario.duration:
                continue
            lasts = 0.0 if fault.momentary else fault.lasts
            end = scenario.duration if lasts is None else min(scenario.duration, fault.at + lasts)
            length = max(end - fault.at, scenario.duration / 60)
            name = f"{fault_name(fault)} {clock(fault.at)}{'' if fault.momentary else f'–{clock(end)}'}"
            found[name, max(0.0, fault.at - length / 3), min(scenario.duration, end + length)] = None
    return list(found)
