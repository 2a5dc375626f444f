"""A result as a notebook and the prompt show it: the text of the terminal, and the same as tables of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from sim.experiments.replicating.explaining import Explanation
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.experiments.searching.documents import Answer
from sim.experiments.stability.results import Stability
from sim.report.conclusions.answering import conclusion_of
from sim.report.explanation import parts_table, render_explanation, saturation, sentences, use_table
from sim.report.frame.blocks import Table, plain_table
from sim.report.frame.rendering import fragment
from sim.report.pages.comparison import figures_table
from sim.report.scaling import parts_of, render_answer
from sim.report.stability import loads_table, render_stability, verdict
from sim.report.table import render_expectations, render_table
from sim.report.words import count_of, label_of, show_interval
from sim.spec.study import Study
from sim.units import rates_told_per
from sim.vocabulary import unit_of

Result: TypeAlias = Comparison | Explanation | Stability | Answer
WIDTH = 110
"""Columns of a prompt, and of a cell of Jupyter."""


def text_of(found: Result | VariantResult) -> str:
    """What the terminal shows of it, with the answer last."""
    if isinstance(found, VariantResult):
        return _variant(found)
    with rates_told_per(_study_of(found).rates_per):
        return "\n".join([_made(found), "", *_texts(found), f"answer: {conclusion_of(found).sentence}"])


def html_of(found: Result) -> str:
    """The same as tables; every text escaped."""
    with rates_told_per(_study_of(found).rates_per):
        remarks = [line for text in _remarks(found) for line in text.splitlines() if line.strip()]
        answer, tables = conclusion_of(found).sentence, list(_tables(found))
        return fragment("notebook.html", made=_made(found), answer=answer, tables=tables, remarks=remarks)


def _study_of(found: Result) -> Study:
    return found.comparison.study if isinstance(found, Explanation) else found.study


def _made(found: Result) -> str:
    """What was run: `shop: seed 1, 10 replications, engine simpy`."""
    its = found.comparison if isinstance(found, Explanation) else found
    runs = count_of(its.replications, "replication")
    return f"{_study_of(found).name}: seed {its.seed}, {runs}, engine {its.engine}"


def _texts(found: Result) -> Iterator[str]:
    if isinstance(found, Comparison):
        yield render_table(found, WIDTH)
        yield from filter(None, (render_expectations(found), *found.method.lines()))
    elif isinstance(found, Explanation):
        yield render_explanation(found)
    else:
        yield render_stability(found) if isinstance(found, Stability) else render_answer(found)


def _tables(found: Result) -> Iterator[Table]:
    if isinstance(found, Comparison):
        yield figures_table(found)
    elif isinstance(found, Explanation):
        for name, variant in found.variants.items():
            yield plain_table(f"{name}: where the time went", parts_table(variant))
            yield plain_table(f"{name}: use", use_table(variant))
    elif isinstance(found, Stability):
        yield plain_table("loads", loads_table(found))
    else:
        yield from (plain_table(title, rows) for title, rows, _ in parts_of(found) if rows)


def _remarks(found: Result) -> Iterator[str]:
    if isinstance(found, Comparison):
        yield from (render_expectations(found), *found.method.lines())
    elif isinstance(found, Explanation):
        for variant in found.variants.values():
            yield from (*sentences(variant), *saturation(variant))
    elif isinstance(found, Stability):
        yield from verdict(found)
    else:
        yield from (remarks for _, _, remarks in parts_of(found))


def _variant(variant: VariantResult) -> str:
    """One variant of a comparison: every figure with its interval, in words and units."""
    lines = [
        (label_of(key), show_interval(figure, unit_of(key)))
        for key, figure in variant.metrics.items()
        if figure.value == figure.value  # nan is no figure
    ]
    width = max((len(label) for label, _ in lines), default=0)
    return "\n".join([variant.name, *(f"  {label.ljust(width)}  {figure}" for label, figure in lines)])
