"""The report as one HTML file: no scripts, nothing loaded from anywhere, everything that a user wrote escaped."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from sim.experiments.replicating.method import INTERVALS, ORDINARILY
from sim.experiments.replicating.results import Comparison, VariantResult, undecided, unit_of
from sim.report.stations import busiest
from sim.report.story import Moment, tell
from sim.report.stylesheet import stylesheet
from sim.report.table import found_in, html_table
from sim.report.theme import LIGHT, as_variables
from sim.report.topology import draw_topology
from sim.report.verdict import Judgement, expectations_in_words, judge, not_seen
from sim.report.words import clock, count_of, label_of, lasting, show_between, show_difference, show_interval
from sim.stats.interval import Interval
from sim.units import show_share

if TYPE_CHECKING:
    from sim.report.charts import Chart

_CARD = (
    ("availability", "availability"),
    ("response_p95", "response p95"),
    ("completion_p95", "completion p95"),
    ("lost_orders", "lost orders"),
    ("cost", "cost"),
)


def render_html(
    comparison: Comparison, charts: Sequence[Chart] | None = None, not_modelled: Sequence[tuple[str, str]] = (), *, confidence: float = 0.95
) -> str:
    """The whole page. `charts` saves drawing them twice; `not_modelled` names a component and what its model leaves out."""
    if charts is None:
        from sim.report.charts import draw_charts

        charts = draw_charts(comparison)
    sections = [
        ("verdict", "Verdict", _verdict(comparison)),
        ("systems", "The systems", _systems(comparison)),
        ("story", "What happened", _stories(comparison)),
        ("figures", "Figures", _figures(comparison)),
        ("charts", "Charts", "".join(chart_figure(chart) for chart in charts)),
        ("expectations", "Expectations", _expectations(comparison)),
        ("earlier", "Against an earlier run", _earlier(comparison)),
        ("sure", "How sure, and how to repeat it", _sure(comparison, confidence)),
        ("silence", "What is not modelled", silence_section(not_modelled)),
        ("scenario", "The scenario", _scenario(comparison)),
    ]
    return page(comparison.study.name, _header(comparison), sections)


def page(name: str, header: str, sections: Sequence[tuple[str, str, str]]) -> str:
    """A page of (anchor, title, HTML), those without content left out."""
    kept = [(anchor, title, body) for anchor, title, body in sections if body]
    nav = " ".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title, _ in kept)
    body = "".join(f'<section id="{anchor}"><h2>{escape(title)}</h2>{content}</section>\n' for anchor, title, content in kept)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="generator" content="sim"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
        f"<title>{escape(name)} · sim</title><style>{stylesheet()}</style></head>\n<body><main>"
        f'<header>{header}<nav aria-label="Sections">{nav}</nav></header>\n{body}</main></body></html>\n'
    )


def slug(name: str) -> str:
    """A name as part of an id or a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "variant"


def _header(comparison: Comparison) -> str:
    count = len(comparison.variants)
    kind = f"comparison of {count} variants" if count > 1 else "one run"
    question = f'<p class="question">{escape(comparison.study.question)}</p>' if comparison.study.question else ""
    return f'<p class="kicker">sim · {kind}</p><h1>{escape(comparison.study.name)}</h1>{question}'


def _verdict(comparison: Comparison) -> str:
    cards = "".join(_card(index, name, variant) for index, (name, variant) in enumerate(comparison.variants.items()))
    expected = expectations_in_words(comparison)
    tick = '<b class="good">✓</b>' if comparison.passed else '<b class="bad">✗</b>'
    lines = "".join(f"<p>{tick} {escape(sentence)}</p>" for sentence in expected)
    if not comparison.judged and len(comparison.variants) > 1:
        lines += "<p>One replication gives no intervals: these figures are one draw of luck, and no verdict. Run more replications.</p>"
    judged = "".join(_judgement(comparison, judgement) for judgement in judge(comparison)) if comparison.judged else ""
    return f'<div class="cards">{cards}</div>{lines}{judged}'


def _card(index: int, name: str, variant: VariantResult) -> str:
    rows = [(label, variant.metrics[key], unit_of(key)) for key, label in _CARD if key in variant.metrics]
    cells = "".join(f"<dt>{label}</dt><dd>{_quiet(figure, unit)}</dd>" for label, figure, unit in rows if not math.isnan(figure.value))
    if (bounds := undecided(variant.metrics, "availability")) is not None and math.isnan(variant.metrics["availability"].value):
        cells += f"<dt>availability</dt><dd>{show_between(bounds, 'share')}</dd>"
    station = busiest(variant)
    busy = variant.metrics.get("utilisation_max")
    if station and busy is not None:
        cells += f"<dt>busiest: {escape(station)}</dt><dd>{_quiet(busy, 'share')}</dd>"
    return f'<div class="card v{index % 8 + 1}"><h3>{escape(name)}</h3><dl>{cells}</dl></div>'


def _quiet(figure: Interval, unit: str) -> str:
    """A figure with its half-width in small type."""
    value, sign, rest = show_interval(figure, unit).partition(" ± ")
    return f"{escape(value)} <small>± {escape(rest)}</small>" if sign else escape(value)


def _judgement(comparison: Comparison, judgement: Judgement) -> str:
    index = list(comparison.variants).index(judgement.variant)
    head = f'<h3><span style="color:var(--variant-{index % 8 + 1})">{escape(judgement.variant)}</span> against {escape(judgement.baseline)}</h3>'
    lists = "".join(
        f'<div><h4 class="{mood}">{sign} {mood}</h4><ul>{"".join(f"<li>{escape(clause)}</li>" for clause in clauses)}</ul></div>'
        for mood, sign, clauses in (("better", "✓", judgement.better), ("worse", "▲", judgement.worse))
        if clauses
    )
    same = f"<p>Identical to {escape(judgement.baseline)}: every request the same.</p>" if judgement.identical else ""
    same += "".join(f'<p class="muted">{words.capitalize()}: {escape(clauses)}.</p>' for words, clauses in judgement.remarks())
    return f'<div class="judgement">{head}{lists}{same}</div>'


def _systems(comparison: Comparison) -> str:
    figures = []
    for index, (name, variant) in enumerate(comparison.variants.items()):
        drawing = draw_topology(variant.scenario, f"topology-{index}", name)
        head = f'<h3 style="color:var(--colour)">{escape(name)}</h3>'
        figures.append(f'<figure class="v{index % 8 + 1}">{head}<div class="scroll" tabindex="0">{drawing}</div></figure>')
    note = "Solid arrows are calls, with the policies that guard them; dashed arrows are events. What a fault touches is marked ⚠."
    return f'<p class="muted">{note}</p>{"".join(figures)}'


def _stories(comparison: Comparison) -> str:
    told = {name: tell(variant) for name, variant in comparison.variants.items()}
    if not any(told.values()):
        return ""
    columns = "".join(_story(index, name, moments) for index, (name, moments) in enumerate(told.items()))
    count = comparison.replications
    note = f"As the first of {count} replications has it; what is said of the requests in a fault is the mean of all. " if count > 1 else ""
    return f'<p class="muted">{note}Times are min:s from the start of the run, warm-up included.</p><div class="stories">{columns}</div>'


def _story(index: int, name: str, moments: Sequence[Moment]) -> str:
    items = "".join(f'<li class="{moment.mood}"><span class="when">{clock(moment.time, fine=True)}</span>{escape(moment.text)}</li>' for moment in moments)
    return f'<div class="v{index % 8 + 1}"><h3>{escape(name)}</h3><ol class="story">{items or "<li>The event log has nothing to tell.</li>"}</ol></div>'


def _figures(comparison: Comparison) -> str:
    several = len(comparison.variants) > 1 and comparison.judged
    note = (
        f"Means over {comparison.replications} replications. Below each value the paired difference to {escape(comparison.baseline)}: ✓ significantly better, "
        "▲ significantly worse, ● significantly different, = the same in every replication, grey: not told apart; point at one to see what would have shown."
        if several
        else f"Means over {count_of(comparison.replications, 'replication')}."
    )
    return f'<p class="muted">{note} A value after &gt; was cut off by the end of the run.</p><div class="scroll" tabindex="0">{html_table(comparison)}</div>'


def chart_figure(chart: Chart) -> str:
    """A chart with its title and how to read it."""
    svg = as_variables(chart.svg(titled=False)) if chart.theme is LIGHT else chart.svg(titled=False)
    svg = svg.replace("<svg ", f'<svg class="chart" role="img" aria-label="{escape(chart.alt, quote=True)}" ', 1)
    head = f'<h3 id="{chart.name}">{escape(chart.title)}</h3>'
    return f'<figure>{head}<figcaption>{escape(chart.reading)}</figcaption><div class="scroll" tabindex="0">{svg}</div></figure>\n'


def _expectations(comparison: Comparison) -> str:
    rows = []
    for name, variant in comparison.variants.items():
        for judged in variant.verdicts:
            mark = '<b class="good">✓ holds</b>' if judged.passed else '<b class="bad">✗ fails</b>'
            found = escape(found_in(judged.text, judged.value, judged.reason))
            rows.append(f"<tr><td>{mark}</td><td>{escape(name)}</td><td><code>{escape(judged.text)}</code></td><td>{found}</td></tr>")
    if not rows:
        return ""
    head = '<thead><tr><th scope="col"></th><th scope="col">variant</th><th scope="col">expectation</th><th scope="col">found</th></tr></thead>'
    return f'<div class="scroll" tabindex="0"><table class="plain">{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _earlier(comparison: Comparison) -> str:
    earlier = comparison.earlier
    if earlier is None:
        return ""
    parts = [f'<p class="muted">Against {escape(earlier.source)}. Nothing is paired, so only large differences show (Welch\'s test).</p>']
    for name, found in earlier.differences.items():
        rows = "".join(
            f"<tr><td>{escape(label_of(key))}</td><td>{escape(show_difference(difference, unit_of(key)))}</td></tr>"
            for key, difference in found.items()
            if difference.significant
        )
        table = f'<table class="plain"><tbody>{rows}</tbody></table>' if rows else "<p>Nothing differs significantly.</p>"
        table += "".join(f'<p class="muted">{escape(line.capitalize())}.</p>' for line in not_seen(found))
        parts.append(f"<h3>{escape(name)} against {escape(earlier.against.get(name, name))}</h3>{table}")
    return "".join(parts)


def _sure(comparison: Comparison, confidence: float) -> str:
    scenario = next(iter(comparison.variants.values())).scenario
    several = comparison.replications > 1
    facts = [
        ("replications", f"{comparison.replications}{', on common random numbers: all variants meet the same arrivals and the same luck' if several else ''}"),
        ("intervals", _intervals(comparison, confidence)),
        ("differences", "paired by replication; significant after Holm's correction over all metrics" if several and comparison.differences else ""),
        ("run", f"{lasting(scenario.duration)}{f', the first {lasting(scenario.warmup)} of it warm-up and not counted' if scenario.warmup else ''}"),
        *((term, text) for term, _, text in (part.partition(": ") for part in comparison.method.parts())),
        ("seed", str(comparison.seed)),
        ("engine", comparison.engine),
        ("fingerprint", comparison.fingerprint),
        ("scenario file", comparison.study.file),
        ("plug-ins", ", ".join(comparison.study.plugins)),
    ]
    rows = "".join(f"<dt>{term}</dt><dd>{escape(text)}</dd>" for term, text in facts if text)
    prints = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(variant.fingerprint)}</code></dd>" for name, variant in comparison.variants.items())
    again = "The same scenario, seed and version give the same fingerprints, on any engine and any number of workers."
    return f'<dl class="facts">{rows}</dl><h3>Fingerprints of the variants</h3><p class="muted">{again}</p><dl class="facts">{prints}</dl>'


def _intervals(comparison: Comparison, confidence: float) -> str:
    method = comparison.method
    if method.exact:
        return "none: nothing is random, the figures are exact"
    if comparison.replications == 1 and method.interval != "batch means":
        return "none: one replication"
    return f"{show_share(method.confidence if method != ORDINARILY else confidence)} confidence, {INTERVALS[method.interval]}"


def silence_section(not_modelled: Sequence[tuple[str, str]]) -> str:
    """What the models leave out."""
    if not not_modelled:
        return ""
    rows = "".join(f"<dt>{escape(component)}</dt><dd>{escape(text)}</dd>" for component, text in not_modelled)
    return f'<p class="muted">A simulator that hides its silence lies. The models behind these figures leave out:</p><dl class="facts">{rows}</dl>'


def _scenario(comparison: Comparison) -> str:
    return f'<pre class="scenario" tabindex="0"><code>{escape(comparison.study.text)}</code></pre>' if comparison.study.text else ""
