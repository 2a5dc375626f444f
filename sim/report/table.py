"""The result table as plain text; the page of a comparison sets the same groups its own way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from textwrap import wrap

from sim.experiments.replicating.results import Comparison, bounds_of
from sim.report.grid import Cell, Group, Row, groups_of
from sim.report.words import clock, listed, show
from sim.vocabulary import METRICS, split_key

_GAP = "  "
JUDGEMENTS = {
    "better": "better",
    "worse": "worse",
    "other": "differs",
    "equal": "the same in every replication",
    "same": "no significant difference",
    "few": "too few replications to judge",
    "open": "not judged: cut off by the end of the run, or known in one replication only",
    "": "one replication: not judged",
}
_WIDEST_LABEL = 32
_LABELS = (32, 26, 22, 18, 14)  # columns that a name is cut to, the first that leaves room for two variants
_NARROW = 100  # columns of a terminal below which names are cut in any case
_TOLD = 0.001  # of the requests; of fewer in flight at the end nothing is said


def render_table(comparison: Comparison, width: int = 110, spread: bool = False) -> str:
    """Aligned text of at most `width` columns: per variant a value with its half-width, and the paired difference to
    the baseline.

    Differences stand beside the values where the width allows it, below them where not; many variants are set in
    several blocks. With `spread` a line below says where single runs lay: that is what one measured run is to be held
    against, not the interval of the mean.
    """
    groups = groups_of(comparison)
    if spread:
        groups = tuple(
            replace(group, rows=tuple(chain.from_iterable(_with_spread(row) for row in group.rows))) for group in groups
        )
    if not groups:
        return "no figures: nothing was counted\n"
    groups = _with_short_names(groups, comparison, width)
    others = [name for name in comparison.variants if name != comparison.baseline]
    for beside in (True, False):
        if _fits(groups, [comparison.baseline, *others], beside, width):
            return _text(groups, [comparison.baseline, *others], beside, width) + _key(comparison, groups, width)
    blocks: list[list[str]] = [[comparison.baseline]]
    for name in others:
        if len(blocks[-1]) > 1 and not _fits(groups, [*blocks[-1], name], False, width):
            blocks.append([comparison.baseline])
        blocks[-1].append(name)
    return "\n".join(_text(groups, names, False, width) for names in blocks) + _key(comparison, groups, width)


def _with_short_names(groups: Sequence[Group], comparison: Comparison, width: int) -> tuple[Group, ...]:
    """Names of figures and stations as long as leaves room for the baseline and any one variant beside it."""
    first, *others = (comparison.baseline, *(name for name in comparison.variants if name != comparison.baseline))
    cut: tuple[Group, ...] = tuple(groups)
    for most in _LABELS if width >= _NARROW else _LABELS[1:]:
        cut = tuple(replace(group, rows=tuple(_shortened(row, most) for row in group.rows)) for group in groups)
        if all(_fits(cut, [first, *([name] if name else [])], False, width) for name in others or [""]):
            break
    return cut


def _shortened(row: Row, most: int) -> Row:
    """Its label, and in its cells the name of a station before the figure."""
    cells = {name: replace(cell, value=_with_short_station(cell.value, most)) for name, cell in row.cells.items()}
    return replace(row, label=_cut(row.label, most), cells=cells)


def _with_short_station(value: str, most: int) -> str:
    station, gap, figure = value.rpartition(" ")
    return f"{_cut(station, most)}{gap}{figure}" if value[:1].isalpha() and figure[:1].isdigit() else value


def render_expectations(comparison: Comparison) -> str:
    """A line per expectation with a tick or a cross and what was found; '' where none is stated."""
    lines = []
    for name, variant in comparison.variants.items():
        for verdict in variant.verdicts:
            found = found_in(verdict.text, verdict.value, verdict.reason)
            lines.append(f"  {'✓' if verdict.passed else '✗'} {name}: {verdict.text}   {found}")
    return "\n".join(("expectations", *lines, "")) if lines else ""


def found_in(text: str, value: float, reason: str = "") -> str:
    """What an expectation found, in the unit that its text suggests: `found 48 ms`."""
    if math.isnan(value):
        return reason or "no data"
    return f"found {show(value, _expected_unit(text))}{f' ({reason})' if reason else ''}"


def _fits(groups: Sequence[Group], names: list[str], beside: bool, width: int) -> bool:
    return max(len(line) for line in _text(groups, names, beside, width).splitlines()) <= width


def _text(groups: Sequence[Group], names: list[str], beside: bool, width: int) -> str:
    """All groups as aligned lines; `beside` gives the differences columns of their own, otherwise they stand on a
    second line.
    """
    heads = [
        "",
        names[0],
        *chain.from_iterable((name, f"against {names[0]}") if beside else (name,) for name in names[1:]),
    ]
    table: list[list[str] | str] = [heads]
    for group in groups:
        table.append(group.title)
        alike = [row for row in group.rows if _is_alike(row, names)]
        for row in (row for row in group.rows if row not in alike and any(row.cells[name].value for name in names)):
            table.extend(_beside(row, names) if beside else _below(row, names))
        if alike:
            table.append(_in_all(alike, names[0], width))
        if group.absent:
            table.append(f"  none anywhere: {listed(list(group.absent))}")
    sizes = [max(len(line[index]) for line in table if isinstance(line, list)) for index in range(len(heads))]
    return "".join(f"{line if isinstance(line, str) else _aligned(line, sizes)}\n" for line in table)


def _is_alike(row: Row, names: Sequence[str]) -> bool:
    """Whether a figure is the same in every variant: a line of its own would say nothing. How many requests there
    were keeps its line, for all others stand on it.
    """
    first, others = row.cells[names[0]], [row.cells[name] for name in names[1:]]
    same = all(cell.value == first.value and cell.judgement in ("equal", "") and cell.value for cell in others)
    return same and bool(others) and row.key != "requests"


def _in_all(rows: Sequence[Row], baseline: str, width: int) -> str:
    """What is the same everywhere, in a sentence: `  the same in all: requests 17,023 ± 1,399, offered 81 ± 7/s`."""
    said = "; ".join(f"{row.label} {row.cells[baseline].value}" for row in rows)
    lines = wrap(f"the same in all: {said}", width - 4, break_on_hyphens=False)
    return "\n".join(f"{'  ' if index == 0 else '    '}{line}" for index, line in enumerate(lines))


def _aligned(line: list[str], sizes: list[int]) -> str:
    return _GAP.join(
        (line[0].ljust(sizes[0]), *(text.rjust(size) for text, size in zip(line[1:], sizes[1:], strict=True)))
    ).rstrip()


def _beside(row: Row, names: list[str]) -> list[list[str]]:
    differences = chain.from_iterable((row.cells[name].value + " ", _difference(row.cells[name])) for name in names[1:])
    return [[_label(row), row.cells[names[0]].value + " ", *differences]]


def _below(row: Row, names: list[str]) -> list[list[str]]:
    """The differences on a line of their own, but where there is none to tell: a mark alone stands behind the value."""
    alone = not any(row.cells[name].difference.strip(" =") for name in names[1:])
    marks = {name: _mark_of(row.cells[name]) if alone else " " for name in names[1:]}
    values = [_label(row), *(f"{row.cells[name].value} {marks.get(name, ' ')}" for name in names)]
    return [values] if alone else [values, ["", "", *(_difference(row.cells[name]) for name in names[1:])]]


def _with_spread(row: Row) -> tuple[Row, ...]:
    """The row, and where single runs lay in a row of its own."""
    cells = {name: Cell(cell.spread) for name, cell in row.cells.items()}
    return (row, Row(row.key, "  single runs", "", cells)) if any(cell.value for cell in cells.values()) else (row,)


def _label(row: Row) -> str:
    return f"  {_cut(row.label, _WIDEST_LABEL)}"


def _cut(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _mark_of(cell: Cell) -> str:
    """The mark of a figure whose difference is nothing: `=`, `?` or none."""
    return cell.mark or ("=" if "=" in cell.difference else " ")


def _difference(cell: Cell) -> str:
    return f"{cell.difference} {cell.mark or ' '}" if cell.difference or cell.mark else ""


def _key(comparison: Comparison, groups: Sequence[Group], width: int) -> str:
    """What the marks mean, and how much stands behind the figures."""
    lines = [_spread(comparison), *_basis(comparison)]
    lines += [f"{name} is identical to {other}: every request the same" for name, other in comparison.identical.items()]
    if comparison.differences and comparison.judged:
        lines.append(
            f"* significant against {comparison.baseline}: paired differences, all metrics judged together; = the "
            "same in every replication"
        )
    if any(cell.judgement == "few" for group in groups for row in group.rows for cell in row.cells.values()):
        lines.append(
            "? too few replications to judge this difference; --json and the report say which would have shown"
        )
    if any(figure.censored for variant in comparison.variants.values() for figure in variant.metrics.values()):
        lines.append("> cut off by the end of the run: the true value is larger")
    return "".join(f"{part}\n" for line in lines for part in wrap(line, width))


def _basis(comparison: Comparison) -> Iterator[str]:
    """Which requests the figures stand on, and by how much those in flight at the end can bend them."""
    records = next(iter(comparison.variants.values())).records
    yield (
        f"latencies and shares are of the requests that arrived from {clock(records.warmup)} to "
        f"{clock(records.duration)}, "
        "rates of what left then; orders and money, messages and faults of the whole run"
    )
    bent = [
        bounds[1] - bounds[0]
        for variant in comparison.variants.values()
        if (bounds := bounds_of(variant.metrics, "availability")) is not None
    ]
    if max(bent, default=0.0) >= _TOLD:
        yield (
            f"in flight at the end: up to {show(max(bent), 'share')} of them, and by as much their end could bend a "
            "share"
        )


def _spread(comparison: Comparison) -> str:
    """What stands behind a value and its half-width."""
    counts = {len(variant.figures) for variant in comparison.variants.values()}
    if comparison.method.exact:
        return "nothing is random: the figures of the one replication are exact"
    if comparison.replications == 1:
        return (
            "one replication ± half-width from its own parts"
            if comparison.method.interval == "batch means"
            else "one replication: no intervals"
        )
    least = f"{min(counts)} to " if len(counts) > 1 else ""
    return f"mean over {least}{comparison.replications} replications ± half-width of the interval"


def _expected_unit(text: str) -> str:
    """Unit of the left side of an expectation: `p99(response, ..)` and `recovery_time(..)` are times,
    `availability(..)` a share.
    """
    name = split_key(text.partition("<")[0].partition(">")[0].partition("=")[0].strip())[0]
    if name in METRICS:
        return METRICS[name].unit
    return "s" if name in ("mean", "p50", "median", "p90", "p95", "p99", "p999") else "1"
