"""A comparison as a job summary of GitHub (GitHub Flavored Markdown): the verdict first, then expectations, then the
figures behind a fold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sim.errors import printable
from sim.exporting.subject import Subject
from sim.report.grid import groups_of
from sim.report.table import found_in

# of Markdown, of HTML in it, and what would make a mention or a link
_MEANINGFUL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&$@:-])")


def write(subject: Subject) -> str:
    """The whole summary."""
    lines = [f"### {_mark(subject)} {_plain(subject.name)}: {_sentence(subject)}", "", _made(subject)]
    expectations = list(_expectations(subject))
    if expectations:
        lines += ["", *_table(["", "variant", "expected", "found"], expectations)]
    lines += ["", "<details><summary>Figures</summary>", "", *_figures(subject), "", "</details>", ""]
    return "\n".join(lines)


def _mark(subject: Subject) -> str:
    if not any(result.verdicts for result in subject.results):
        return "▫️"
    return "✅" if all(verdict.passed for result in subject.results for verdict in result.verdicts) else "❌"


def _sentence(subject: Subject) -> str:
    verdicts = [verdict for result in subject.results for verdict in result.verdicts]
    failed = sum(not verdict.passed for verdict in verdicts)
    if not verdicts:
        return "no expectations"
    expectations = f"{len(verdicts)} expectation{'s' if len(verdicts) != 1 else ''}"
    return f"{failed} of {expectations} failed" if failed else f"{expectations} hold{'s' if len(verdicts) == 1 else ''}"


def _made(subject: Subject) -> str:
    run = subject.run
    runs = f"{run.replications} replication{'s' if run.replications != 1 else ''}"
    return f"{runs}, seed {run.seed}, engine {run.engine}, fingerprint `{run.fingerprint}`"


def _expectations(subject: Subject) -> Iterator[list[str]]:
    """Those that failed first."""
    verdicts = [(verdict, result.name) for result in subject.results for verdict in result.verdicts]
    for verdict, name in sorted(verdicts, key=lambda both: both[0].passed):
        found = found_in(verdict.text, verdict.value, verdict.reason)
        yield ["✅" if verdict.passed else "❌", _plain(name), _plain(verdict.text), _plain(found)]


def _figures(subject: Subject) -> Iterator[str]:
    names = [result.name for result in subject.results]
    rows = []
    for group in groups_of(subject.run):
        rows.append([f"**{_plain(group.title)}**", *("" for _ in names)])
        for row in group.rows:
            cells = [row.cells[name] for name in names]
            shown = [f"{cell.value}{f' ({cell.difference}{cell.mark})' if cell.difference else ''}" for cell in cells]
            rows.append([_plain(row.label), *map(_plain, shown)])
    yield from _table(["", *map(_plain, names)], rows)
    if len(names) > 1:
        yield ""
        yield _plain(f"In brackets the paired difference to {names[0]}; * it is significant.")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _plain(text: str) -> str:
    """The text, of which nothing means anything but itself."""
    return _MEANINGFUL.sub(r"\\\1", printable(text, one_line=True))
