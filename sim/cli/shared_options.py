"""The shared options of a run, and what is done with them: progress, the table, JSON, the report."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.destination import Destination
from sim.cli.streams import say, tell
from sim.cli.words import share_of
from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.experiments.replicating.explaining import Explanation
    from sim.experiments.replicating.results import Comparison
    from sim.experiments.running.ledger import Progress
    from sim.experiments.running.options import RunKeywords
    from sim.experiments.searching.documents import Answer
    from sim.experiments.stability.results import Stability
    from sim.spec.study import Study


class SharedOptions:
    """The shared options of a run, and what is done with them."""

    def __init__(
        self,
        *,
        sets: tuple[str, ...],
        seed: int | None,
        plugins: tuple[str, ...],
        confine: Path | None,
        replications: int | None,
        engine: str,
        jobs: int | None,
        cluster: str | None,
        out: Path | None,
        json_file: str | None,
        quiet: bool,
        max_memory: str | None = None,
        precision: str | None = None,
        metrics: tuple[str, ...] = (),
        best: str | None = None,
        indifference: str | None = None,
        confidence: str = "95%",
        interval: str = "t",
        spread: bool = False,
        junit: str | None = None,
        github_summary: str | None = None,
        rows: bool = True,
    ) -> None:
        from sim.experiments.running.engines import known_engine
        from sim.experiments.running.journal import SOON, Journal
        from sim.experiments.running.resources import memory_limit

        self.rule: dict[str, Any] = {"replications": replications, "metrics": metrics, "interval": interval}
        self.rule["confidence"] = share_of("confidence", confidence)
        self.rule |= {"precision": share_of("precision", precision)} if precision is not None else {}
        self.rule |= {name: text for name, text in (("best", best), ("indifference", indifference)) if text is not None}
        self.sets, self.seed, self.plugins, self.confine = sets, seed, plugins, confine
        self.replications, self.engine, self.jobs = replications or 10, known_engine(engine), jobs
        self.out, self.json, self.quiet = out, Destination(json_file), quiet
        self._judged = {
            "junit": Destination(junit, "--junit"),
            "github": Destination(github_summary, "--github-summary"),
        }
        if jobs is not None and cluster is not None:
            raise UsageError("found --jobs and --cluster, expected one of them: the cluster has workers of its own")
        if max_memory is not None:
            memory_limit(max_memory)  # a wrong one is told before anything is read
        self.max_memory = max_memory
        self.cluster, self.journal, self.spread, self.rows = cluster, Journal(patience=SOON), spread, rows
        # whatever befalls the telling, what is finished is found again
        click.get_current_context().call_on_close(self.journal.close)

    def keywords(self, progress: Progress | None) -> RunKeywords:
        """Where and how the jobs run, as the verbs take it."""
        return {
            "jobs": self.jobs,
            "cluster": self.cluster,
            "engine": self.engine,
            "progress": progress,
            "journal": self.journal,
            "max_memory": self.max_memory,
        }

    def load(self, file: str) -> Study:
        """The study in a file, or a shipped one, changed as asked."""
        from sim.experiments.shipped import load
        from sim.units import rates_told_per

        study = load(file, self.sets, self.seed, self.plugins, self.confine)
        click.get_current_context().with_resource(rates_told_per(study.rates_per))  # until the command ends
        return study

    def warn(self, study: Study, variants: Sequence[str]) -> None:
        """What `sim check` would warn of in these variants, on stderr: one line of a kind, a handful in all."""
        from sim.experiments.on_paper.offered_load import check
        from sim.experiments.on_paper.places import CHANGED, HANDFUL

        if self.quiet:
            return
        try:
            found = check(study, [name for name in variants if name in study.variants]).warnings
        except UsageError as why:  # a plug-in that says nothing on paper can be run all the same
            tell(f"warning: nothing is known on paper: {why}")
            return
        kinds = {finding.kind: finding for finding in reversed(found)}  # the first of each
        told = [finding for finding in found if kinds[finding.kind] is finding][:HANDFUL]
        for finding in told:
            tell(f"{'changed' if finding.kind == CHANGED else 'warning'}: {finding.place}: {finding.finding}")
        if len(told) < len(found):
            tell(f"{len(found) - len(told)} more: sim check {shlex.quote(study.file or study.name)}")

    def most(self, study: Study, only: int | None = None) -> int:
        """Runs of each variant at most, those that find the warm-up among them."""
        from sim.experiments.replicating.pilot import PILOT
        from sim.experiments.replicating.plan import Plan

        plan = Plan(only=only, **self.rule)
        auto = any(scenario.auto_warmup for scenario in study.variants.values())
        return plan.most + (min(PILOT, plan.pilot) if auto else 0)

    def refuse_unwritable(self, out: Path | None) -> None:
        """Before the work, not after it."""
        from sim.report.writing import refuse_foreign, refuse_locked

        if out is not None:
            refuse_foreign(out)
            refuse_locked(out)
        for place in (self.json, *self._judged.values()):
            place.refuse()

    @contextlib.contextmanager
    def reporting_progress(self, replications: int, durations: Sequence[float]) -> Iterator[Progress | None]:
        """Progress on stderr; what is finished when this is broken off is in the journal."""
        from sim.experiments.running.progress import Teller

        teller = None if self.quiet else Teller(sys.stderr, replications * sum(durations))
        self._begun = time.monotonic()
        try:
            yield teller
        except BaseException:
            self.journal.close()
            raise
        finally:
            if teller is not None:
                teller.clear()
            if self.journal.trouble and not self.quiet:
                tell(f"note: finished runs are not kept: {self.journal.trouble}")

    @property
    def took(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._begun

    def _tell(self, document: str, *texts: str) -> None:
        """The JSON where it was asked for; the texts unless it has taken stdout."""
        self.json.write(document)
        for text in texts if not self.json.is_stdout else ():
            say(text)

    def show(
        self, answer: Explanation | Stability, headline: str, text: str, document: Callable[[str], str], out: Path
    ) -> int:
        """Show an answer that is no comparison, then write its report. `document` makes its JSON, of the answer in
        words.
        """
        from sim.report import write_report

        sentence = in_words(answer)
        self._tell(document(sentence), f"{headline}\n\n{text}", answer_line(sentence))
        self._say_report(write_report(answer, out))
        self.journal.done()
        return 0

    def _say_report(self, page: Path) -> None:
        """Where the report is, and how large: rows are most of it."""
        if self.json.is_stdout:
            return
        say(sizes_of(page.parent).rstrip("\n"))
        say(f"report: {os.path.relpath(page)}")

    def present(self, comparison: Comparison, out: Path | None) -> int:
        """Write what was asked for and show the table; 1 where an expectation failed."""
        from sim.experiments.replicating.document import as_json
        from sim.report.table import render_expectations, render_table

        took = time.monotonic() - self._begun
        table = render_table(comparison, max(80, shutil.get_terminal_size((118, 40)).columns), self.spread)
        below = filter(None, (*_earlier_lines(comparison), render_expectations(comparison), str(comparison.method)))
        sentence = in_words(comparison)
        self._tell(as_json(comparison, sentence), _headline(comparison, took), table, *below, answer_line(sentence))
        self._write_judged(comparison)
        if out is not None:  # last, so that the figures are safe whatever befalls the drawing
            self._say_report(write_report_of(comparison, out, self.rows))
        self.journal.done()
        return 0 if comparison.passed else 1

    def _write_judged(self, comparison: Comparison) -> None:
        """Expectations for a CI server, where they were asked for."""
        from sim.exporting import Subject, named

        for name, place in self._judged.items():
            if place.name is not None:
                baseline = comparison.variants[comparison.baseline]
                subject = Subject(comparison.study.name, baseline.name, baseline.scenario, comparison, every=True)
                place.write(named(name).write(subject), after=name == "github")

    def hand_over(self, answer: Answer, out: Path) -> None:
        """The same for a sweep or a search: text or JSON, then the report with its tables."""
        from sim.experiments.searching.documents import as_json
        from sim.report import write_report
        from sim.report.scaling import render_answer
        from sim.units import show_duration

        took = time.monotonic() - self._begun
        head = (
            f"{answer.study.name}: seed {answer.seed}, engine {answer.engine}, {show_duration(took)}, fingerprint "
            f"{answer.fingerprint}\n"
        )
        sentence = in_words(answer)
        self._tell(as_json(answer, sentence), head, render_answer(answer), answer_line(sentence))
        self._say_report(write_report(answer, out))


def write_report_of(comparison: Comparison, directory: Path, rows: bool = True) -> Path:
    """Draw the report of a comparison, with what it can be drawn from again where `rows` are wanted; its first page."""
    from sim.experiments.replicating.storing import files_of
    from sim.report import write_report

    write_report(comparison, directory, files_of(comparison, rows, in_words(comparison)))
    return directory / "index.html"


def in_words(found: Comparison | Explanation | Stability | Answer) -> str:
    """The answer in a sentence."""
    from sim.report.conclusions.answering import conclusion_of

    return conclusion_of(found).sentence


def answer_line(sentence: str) -> str:
    """The answer as it stands last in the terminal, within its width."""
    return _within(f"answer: {sentence}")


def _within(text: str) -> str:
    """A sentence in lines that the terminal has room for."""
    width = max(80, shutil.get_terminal_size((118, 40)).columns)
    return "\n".join([*textwrap.wrap(text, width, break_on_hyphens=False), ""])


def sizes_of(directory: Path) -> str:
    """`1.6 MB, and 12.6 MB in run.zip`: what a report takes, rows apart."""
    from sim.experiments.replicating.storing import ARCHIVE

    rows = directory / ARCHIVE
    archive = rows.stat().st_size if rows.is_file() else 0
    rest = (
        sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink()) - archive
    )
    told = f"written: {rest / 1e6:,.1f} MB"
    return _within(
        f"{told}, and {archive / 1e6:,.1f} MB of rows in {ARCHIVE}, from which `sim report` draws it again (--no-rows "
        "leaves them out)"
        if archive
        else told
    )


def _headline(comparison: Comparison, took: float) -> str:
    from sim.units import show_duration

    count = comparison.replications
    runs = f"{count} replication{'s' if count != 1 else ''}"
    return _within(
        f"{comparison.study.name}: {runs}, seed {comparison.seed}, engine {comparison.engine}, "
        f"{show_duration(took)}, fingerprint {comparison.fingerprint}"
    )


def _earlier_lines(comparison: Comparison) -> Iterator[str]:
    """What differs significantly from the earlier run, unpaired as it is."""
    from sim.report.verdict import not_seen
    from sim.report.words import label_of, show_difference
    from sim.vocabulary import unit_of

    earlier = comparison.earlier
    if earlier is None:
        return
    yield f"\nagainst {earlier.source}, unpaired (Welch's test)"
    for name, found in earlier.differences.items():
        significant = {key: difference for key, difference in found.items() if difference.significant}
        head = f"  {name} against {earlier.against[name]}"
        yield f"{head}: {'nothing differs significantly' if not significant else ''}".rstrip()
        for key, difference in significant.items():
            yield f"    {label_of(key)}  {show_difference(difference, unit_of(key))}"
        yield from (f"    {line}" for line in not_seen(found))
