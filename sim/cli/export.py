"""`sim export`: a run or a scenario in the format of another tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.completing import formats, scenarios
from sim.cli.destination import Destination
from sim.cli.options import Whole, confine, debug, json_option, plugin
from sim.cli.shared_options import SharedOptions
from sim.cli.streams import tell
from sim.cli.words import durations_of, size_of
from sim.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from datetime import datetime

    from sim.experiments.replicating.results import Comparison
    from sim.experiments.running.jobs import Perform
    from sim.exporting import Format, Subject
    from sim.spec.study import Study

_RUNS = {"verdicts": 10}  # replications of a format that judges; of all others one: they show the first


@click.command(short_help="A run or a scenario in the format of another tool.")
@click.argument("source", metavar="FILE|DIR", shell_complete=scenarios)
@click.option("--to", "to", required=True, metavar="FORMAT", shell_complete=formats, help="Which format; see above.")
@click.option("--out", metavar="FILE", help="Where it goes; to stdout by default.")
@click.option(
    "--variant", metavar="NAME", help="Which variant; without it the first, or all where the format holds several."
)
@click.option("--table", default="requests", show_default=True, metavar="requests|messages", help="Of csv and parquet.")
@click.option(
    "--start", metavar="DATE", help="The date of the start of the run: 2026-01-31T09:00:00Z; 2000-01-01 by default."
)
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Change the scenario. Repeatable.")
@click.option("--seed", type=Whole(0, 2**63 - 1), metavar="N", help="Another seed than the scenario's.")
@plugin
@confine
@click.option(
    "--replications", type=Whole(min=1), metavar="N", help="Runs of each variant; 10 for junit and github, else 1."
)
@click.option("--engine", default="auto", show_default=True, metavar="auto|simpy|compiled", help="What simulates.")
@click.option("--jobs", type=Whole(min=1), metavar="N", help="Worker processes; as many as there are cores by default.")
@click.option("--max-memory", metavar="SIZE", help="Refuse what takes more on paper: 4GB.")
@click.option("--largest", default="4GiB", show_default=True, metavar="SIZE", help="Of a finished run in memory.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress and no warnings.")
@debug
def export(source: str, to: str, **options: Any) -> int:  # noqa: ANN401 - the options above
    """A run or a scenario in the format of another tool. FILE is a scenario, which is run where the format needs it;
    DIR the report of a finished run, of which nothing is run again.

    \b
    Formats:
      otlp, jaeger, perfetto      traces of the slowest requests and of a sample
      openmetrics, grafana        the timeline for promtool, and a dashboard for it
      junit, github               expectations for a CI server; figures as a job summary
      csv, parquet                requests or messages, one row each
      k6                          the clients as a load script
      kubernetes, kong,           settings of what was decided; what a target cannot say
      resilience4j                stands in them as a comment

    \b
    Example:
      sim export payment-outage --to perfetto --out outage.json
      sim export reports/payment-outage --to junit --out sim.xml
      sim export payment-outage --to parquet --table messages --variant async --out messages.parquet
    """
    from sim.exporting import named

    wanted = named(to)
    began = _moment_of(options["start"])
    out = Destination(options["out"] or "-", "--out")
    out.refuse()
    told = Destination(options["json_file"])
    told.refuse()
    if told.is_stdout and out.is_stdout:
        raise UsageError("found --json - and no --out, expected one of the two to go elsewhere than to stdout")
    subject = _subject(source, wanted, began, options)
    content = wanted.write(subject)
    out.write(content)
    if told.name is not None:
        from sim.experiments.envelope import head, written

        size = len(content.encode() if isinstance(content, str) else content)
        told.write(written({**head("export", subject.name), "file": options["out"], "format": to, "bytes": size}))
    if not out.is_stdout and not options["quiet"]:
        tell(f"wrote {options['out']}: {wanted.title}")
    return 0


def _moment_of(text: str | None) -> datetime:
    from sim.exporting.subject import BEGIN, moment_of

    try:
        return BEGIN if text is None else moment_of(text)
    except ValueError as error:
        raise UsageError(f"--start: {error}") from None


def _subject(source: str, wanted: Format, began: datetime, options: dict[str, Any]) -> Subject:
    from sim.exporting import Subject

    comparison: Comparison | None = None
    if (folder := _folder(source)) is not None:
        comparison = _finished(folder, options)
        study, names = comparison.study, list(comparison.variants)
        scenarios = {name: result.scenario for name, result in comparison.variants.items()}
    else:
        asked = _asked(options, wanted)
        study = asked.load(source)
        scenarios, names = study.variants, list(study.variants)
    variant = options["variant"]
    if variant is not None and variant not in names:
        raise UsageError(f"unknown variant '{variant}'{did_you_mean(variant, names)}")
    every = wanted.every and variant is None
    chosen = names if every else [variant or names[0]]
    if comparison is None and wanted.needs != "scenario":
        comparison = _run(asked, study, chosen, wanted)
        scenarios = {name: result.scenario for name, result in comparison.variants.items()}
    return Subject(study.name, chosen[0], scenarios[chosen[0]], comparison, every, options["table"], began)


def _folder(source: str) -> str | None:
    """The folder of a finished run, by its own name or by that of the archive in it; None of anything else."""
    from sim.experiments.replicating.storing import ARCHIVE

    path = Path(source)
    if path.is_dir():
        return source
    return str(path.parent) if path.name == ARCHIVE and path.is_file() else None


def _finished(source: str, options: dict[str, Any]) -> Comparison:
    """The run in a directory, of which nothing can be changed any more."""
    from sim.experiments.replicating.storing import open_run
    from sim.files import lies_inside

    for name, option in (("sets", "--set"), ("seed", "--seed"), ("replications", "--replications")):
        if options[name]:
            raise UsageError(f"{option}: found a finished run, which stays as it is, expected a scenario")
    if options["confine"] is not None and not lies_inside(source, options["confine"]):
        raise UsageError(f"{source}: lies outside of {options['confine']}, which --confine names")
    return open_run(source, options["plugins"], size_of("largest", options["largest"]))


def _asked(options: dict[str, Any], wanted: Format) -> SharedOptions:
    passed = ("sets", "seed", "plugins", "confine", "engine", "jobs", "max_memory", "quiet")
    replications = options["replications"] or _RUNS.get(wanted.needs, 1)
    its = {name: options[name] for name in passed}
    return SharedOptions(**its, replications=replications, cluster=None, out=None, json_file=None)


def _run(asked: SharedOptions, study: Study, chosen: Sequence[str], wanted: Format) -> Comparison:
    from sim.experiments.replicating.comparison import compare

    asked.warn(study, chosen)
    with asked.reporting_progress(asked.most(study), durations_of(study, chosen)) as progress:
        options = asked.keywords(progress)
        options["perform"] = _perform(wanted)
        comparison = compare(study, list(chosen), **asked.rule, **options)
    asked.journal.done()
    return comparison


def _perform(wanted: Format) -> Perform:
    """What performs the jobs: where traces are wanted, with spans."""
    from sim.experiments.running.jobs import perform
    from sim.exporting.tracing import perform_tracing

    return perform_tracing if wanted.needs == "spans" else perform
