"""The verbs about variants side by side: run, compare, and report, which draws them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sim.cli.completing import metrics, scenarios
from sim.cli.completing import variants as variant_names
from sim.cli.destination import Destination
from sim.cli.options import Whole, debug, json_option, judging, loading, plugin, running, sampling
from sim.cli.plain_python import run_in_plain_python
from sim.cli.shared_options import SharedOptions, in_words, write_report_of
from sim.cli.streams import say
from sim.cli.words import durations_of, folder_of, listed, size_of
from sim.errors import UsageError


@click.command(short_help="One variant; a table of results.")
@click.argument("file", shell_complete=scenarios)
@click.option("--variant", metavar="NAME", shell_complete=variant_names, help="Which variant; the first by default.")
@click.option(
    "--only-replication", type=Whole(min=0), metavar="K", help="Run replication K alone, as it was among the others."
)
@click.option(
    "--checked", is_flag=True, help="With --engine compiled: in plain Python, every row and type looked at; far slower."
)
@sampling
@judging
@loading
@running
def run(file: str, variant: str | None, only_replication: int | None, checked: bool, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """One variant: a table of results, and a report where --out says.

    \b
    Example:
      sim run payment-outage --variant async
      sim run payment-outage --set services.payments.replicas=2 --replications 3 --json -
      sim run 01-one-queue --precision 5% --metric 'p99(response)'
    """
    if checked:
        run_in_plain_python(options["engine"])
    from sim.experiments.replicating.comparison import run as run_variant

    asked = SharedOptions(**options)
    study = asked.load(file)
    asked.refuse_unwritable(asked.out)
    chosen = [variant] if variant else list(study.variants)[:1]
    asked.warn(study, chosen)
    with asked.reporting_progress(asked.most(study, only_replication), durations_of(study, chosen)) as progress:
        comparison = run_variant(
            study, variant, **asked.rule, **asked.keywords(progress), only_replication=only_replication
        )
    return asked.present(comparison, asked.out)


@click.command(short_help="All variants on the same luck; differences; a report.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=scenarios)
@click.option(
    "--variants",
    metavar="A,B",
    shell_complete=variant_names,
    help="Which variants, the baseline first; all by default.",
)
@click.option(
    "--best",
    metavar="METRIC",
    shell_complete=metrics,
    help="Replicate until it is plain which variant is best by this metric; --replications is the cap, 100 by default.",
)
@click.option("--indifference", metavar="AMOUNT", help="The smallest difference that matters to --best: 10ms.")
@sampling
@judging
@loading
@running
def compare(files: tuple[str, ...], variants: str | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """Variants on common random numbers: their paired differences with intervals, and a report.

    Several files are compared as one, their variants named <file>:<variant>. The JSON of an earlier run may stand among
    them: then every variant is also set against that run (unpaired, by Welch's test).

    \b
    Example:
      sim compare payment-outage
      sim compare payment-outage --variants sync,async --replications 20 --out reports/friday
      sim compare shop.yaml yesterday.json
      sim compare 02-more-workers --best 'p99(response)' --indifference 10ms
    """
    from sim.experiments.replicating.arms import combine
    from sim.experiments.replicating.comparison import compare as compare_variants
    from sim.experiments.replicating.earlier_run import against_earlier, is_earlier_run

    asked = SharedOptions(**options)
    earlier = [file for file in files if is_earlier_run(file, asked.confine)]
    if len(earlier) > 1 or len(earlier) == len(files):
        raise UsageError("expected at least one scenario, and the JSON of one earlier run at most")
    study = combine([asked.load(file) for file in files if file not in earlier])
    chosen = listed(variants)
    out = asked.out or Path("reports") / folder_of(study)
    asked.refuse_unwritable(out)
    asked.warn(study, list(study.variants) if chosen is None else chosen)
    with asked.reporting_progress(
        asked.most(study), durations_of(study, list(study.variants) if chosen is None else chosen)
    ) as progress:
        comparison = compare_variants(study, chosen, **asked.rule, **asked.keywords(progress))
    if earlier:
        comparison = against_earlier(comparison, earlier[0], asked.confine)
    return asked.present(comparison, out)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--largest", default="4GiB", show_default=True, metavar="SIZE", help="Of the run in memory: it may be a stranger's."
)
@json_option
@plugin
@debug
def report(directory: Path, largest: str, plugins: tuple[str, ...], json_file: str | None) -> None:
    """Draw the report of a finished run again; its figures as --json.

    \b
    Example:
      sim report reports/payment-outage
    """
    from sim.experiments.replicating.document import as_json
    from sim.experiments.replicating.storing import open_run

    told = Destination(json_file)
    told.refuse()
    found = open_run(directory, plugins, size_of("largest", largest))
    page = write_report_of(found, directory)
    told.write(as_json(found, in_words(found)))
    if not told.is_stdout:
        say(f"report: {page}")
