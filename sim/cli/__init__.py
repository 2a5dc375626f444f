"""The command line: one thin command per verb. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim import __version__
from sim.cli.completing import FILES, LINES, SHELLS, metrics, scenarios
from sim.cli.completing import variants as variant_names
from sim.cli.destination import Destination
from sim.cli.ending import Ending, came_of_interruption
from sim.cli.export import export
from sim.cli.mcp import mcp
from sim.cli.measuring import fit, validate
from sim.cli.new_file import exists_already, write_new
from sim.cli.options import Verbs, Whole, confine, debug, json_option, judging, loading, plugin, running, sampling
from sim.cli.plain_python import run_in_plain_python
from sim.cli.shared_options import SharedOptions, in_words, write_report_of
from sim.cli.streams import columns_of_terminal, mute, not_said, open_closed, say, tell
from sim.cli.watch import watch
from sim.cli.words import duration_of, durations_of, folder_of, listed, loads_of, quantiles_of, share_of, size_of
from sim.errors import Interrupted, ScenarioError, SimError, UsageError

if TYPE_CHECKING:
    from sim.experiments.searching.capacity_results import Capacity
    from sim.experiments.searching.cheapest import Cheapest

DEFECT = 3  # exit code of what should not have happened
BROKEN_OFF = Interrupted.exit_code


def main() -> NoReturn:
    """The entry point of the command `sim`."""
    open_closed()
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.closed:
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no tick shows a question mark
    warnings.showwarning = lambda message, *_: tell(f"note: {message}")
    ending = Ending()
    code = ending.exit_code(answer(sys.argv[1:], ending))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        mute()
    except OSError as error:
        mute()
        code = DEFECT
        tell(f"error: {not_said(error)}")
    ending.leave(code)


def answer(arguments: Sequence[str], ending: Ending | None = None) -> int:
    """Run one command line and give its exit code; errors are told on stderr, without a traceback unless asked.

    What an interruption broke off is handed to `ending`, which need not take it apart.
    """
    try:
        code = sim.main(list(arguments), prog_name="sim", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        tell(shown.getvalue().rstrip("\n"))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        tell("interrupted")
        if ending is not None:
            ending.broken_off = error
        return BROKEN_OFF
    except BrokenPipeError:
        mute()
        return 0
    except SimError as error:
        _tell(error)
        _write_refusal(error, arguments)
        _trace(error, arguments)
        if ending is not None and isinstance(error, Interrupted):
            ending.broken_off = error
        return error.exit_code
    except Exception as error:  # a defect of ours or of a plug-in: said in one line, with the way to see more
        if came_of_interruption(error):
            tell("interrupted")
            return BROKEN_OFF
        if not _trace(error, arguments):
            tell(f"error: unexpected {type(error).__name__}: {error}; --debug shows where")
        return DEFECT
    return code if isinstance(code, int) else 0


def _tell(error: SimError) -> None:
    if isinstance(error, ScenarioError):
        count = len(error.problems)
        tell("\n".join(map(str, error.problems)))
        tell(f"{count} problem{'s' if count != 1 else ''}")
    else:
        tell(str(error) if isinstance(error, Interrupted) else f"error: {error}")


def _write_refusal(error: SimError, arguments: Sequence[str]) -> None:
    """What is wrong with a scenario or a call, as JSON as well where that was asked for."""
    asked = [next((after for name, after in pairwise(arguments) if name == "--json"), None)]
    asked += [word.removeprefix("--json=") for word in arguments if word.startswith("--json=")]
    name = next((name for name in asked if name is not None), None)
    if error.exit_code != UsageError.exit_code or name is None:
        return
    from sim.errors import Problem
    from sim.experiments.envelope import refused, written

    problems = error.problems if isinstance(error, ScenarioError) else (Problem(str(error)),)
    with contextlib.suppress(SimError):  # that it cannot be written may be what is wrong
        place = Destination(name)
        place.refuse()
        place.write(written(refused(arguments[0], problems)))


def _trace(error: Exception, arguments: Sequence[str]) -> bool:
    if "--debug" not in arguments and not os.environ.get("SIM_DEBUG"):
        return False
    import traceback

    tell("".join(traceback.format_exception(error)).rstrip("\n"))
    return True


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(prog)s %(version)s")
def sim() -> None:
    """Simulate microservices under load and harm.

    \b
    Example:
      sim compare payment-outage      sync against async, same shoppers, same luck, same outage

    A FILE is a path or the name of a shipped scenario. Exit codes: 0 all well, 1 an expectation failed, 2 the call or
    the scenario is wrong, 3 the run itself failed, 130 interrupted (143 by SIGTERM).
    """


# ---- the verbs


@sim.command("list")
@json_option
@debug
def list_scenarios(json_file: str | None) -> None:
    """The shipped scenarios with the question each asks.

    \b
    Example:
      sim list
    """
    from sim.experiments import shipped

    names = shipped.names()
    told = Destination(json_file)
    told.refuse()
    if told.name is not None:
        from sim.report.check_document import questions

        told.write(questions({name: shipped.question(name) for name in names}))
    if told.is_stdout:
        return
    margin = max(map(len, names), default=0) + 2
    room = max(40, columns_of_terminal() - margin)
    for name in names:
        first, *rest = textwrap.wrap(shipped.question(name), room, break_on_hyphens=False) or [""]
        say("\n".join([f"{name:<{margin}}{first}", *(f"{'':<{margin}}{line}" for line in rest)]))
    if not names:
        say("no scenarios are shipped with this installation")


@sim.command()
@click.argument("name")
@click.option(
    "--from", "shipped", metavar="SCENARIO", shell_complete=scenarios, help="Begin with a shipped scenario (sim list)."
)
@json_option
@debug
def new(name: str, shipped: str | None, json_file: str | None) -> None:
    """A commented scenario to start from, written to NAME.yaml.

    \b
    Example:
      sim new my-shop
      sim check my-shop.yaml
      sim new my-outage --from payment-outage
    """
    from sim.experiments.shipped import copy_of, new_text

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", path.stem):
        raise UsageError(
            f"found the name '{path.stem if name else name}', expected letters, digits and dashes, such as my-shop"
        )
    told = Destination(json_file)
    told.refuse()
    write_new(path, new_text(path.stem) if shipped is None else copy_of(shipped, path.stem))
    if told.name is not None:
        from sim.experiments.envelope import head, written

        told.write(written({**head("new", path.stem), "file": str(path)}))
    if not told.is_stdout:
        say(f"wrote {path}; next: sim check {path}")


@sim.command("import", short_help="A scenario out of the files that a system has.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the scenario goes; to stdout by default.",
)
@click.option("--force", is_flag=True, help="Replace the file that --out names.")
@click.option("--kind", metavar="KIND", help="Read the files as this; told from their content by default.")
@click.option("--name", metavar="NAME", help="Of the scenario; that of the first file by default.")
@click.option(
    "--recording",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="CSV of every request that was recorded, replayed.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE|-",
    help="Write as JSON what was taken, left out and is to be supplied; - writes nothing else to stdout.",
)
@click.option("--quiet", is_flag=True, help="Do not say what was taken and left out.")
@confine
@debug
def import_scenario(
    files: tuple[str, ...],
    out: Path | None,
    force: bool,
    kind: str | None,
    name: str | None,
    recording: Path | None,
    json_file: str | None,
    quiet: bool,
    confine: Path | None,
) -> None:
    """A scenario out of the files that a system has, several together: Kubernetes manifests, Istio, Docker compose,
    Kong, Envoy, Spring, OpenAPI, AsyncAPI, isotope, lines of KEY=VALUE; out of traces (OTLP, Jaeger, Zipkin, CSV of
    spans), with times; and out of load tests, access logs, histograms and series of Prometheus, with traffic and
    response times.

    What each file is, is told from its content. What was taken, what was left out and why, and what has to be supplied
    (only what was measured says how long anything takes) is said on stderr, and stands in the scenario as comments.
    Nothing is fetched, and no file is read that is not named; - is the standard input.

    \b
    Example:
      sim import docker-compose.yaml .env --out shop.yaml
      sim import kubernetes/*.yaml kong.yaml --out shop.yaml --force
      sim import traces.json kubernetes/*.yaml --out shop.yaml --recording requests.csv
      sim import kong.yaml access.log payments.hgrm --out shop.yaml
      kubectl get deployments,services,ingresses,hpa -o yaml | sim import - --out shop.yaml
      sim check shop.yaml
    """
    from sim.experiments.envelope import head, written
    from sim.importing import import_files

    told = Destination(json_file)
    told.refuse()
    for path in (out, recording):
        if path is not None and not force and os.path.lexists(path):
            raise exists_already(path)
    replayed = os.path.relpath(recording, out.parent if out is not None else ".") if recording is not None else None
    imported = import_files(files, kind, out.stem if name is None and out is not None else name, confine, replayed)
    if recording is not None and imported.recording is not None:
        write_new(recording, imported.recording, force)
    if out is not None:
        write_new(out, imported.text, force)
    elif not told.is_stdout:
        say(imported.text.rstrip("\n"))
    known = {"scenario": imported.name, "answer": imported.told.sentence}
    told.write(written({**head("import", **known), **imported.told.as_json(), "text": imported.text}))
    if not quiet:
        tell(str(imported.told))
    if out is not None:
        tell(f"wrote {out}; next: sim check {out}")


@sim.command(short_help="Errors, load on every station, warnings; simulates nothing.")
@click.argument("file", shell_complete=scenarios)
@loading
@json_option
@debug
def check(
    file: str,
    sets: tuple[str, ...],
    seed: int | None,
    plugins: tuple[str, ...],
    confine: Path | None,
    json_file: str | None,
) -> None:
    """All errors of a scenario; then, without simulating, the load on every station and what is unwise.

    \b
    Example:
      sim check payment-outage
      sim check payment-outage --set services.payments.replicas=2
    """
    from sim.experiments.on_paper.offered_load import check as check_study
    from sim.experiments.shipped import load

    told = Destination(json_file)
    told.refuse()
    study = load(file, sets, seed, plugins, confine)
    report = check_study(study)
    if told.name is not None:
        from sim.report.check_document import checked

        told.write(checked(report))
    if not told.is_stdout:
        say(f"{study.name}: no errors; offered load on average and at the peak, without queueing and faults\n")
        say(str(report))


sim.add_command(fit)
sim.add_command(validate)


@sim.command(short_help="One variant; a table of results.")
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


@sim.command(short_help="All variants on the same luck; differences; a report.")
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
    chosen = [name.strip() for name in variants.split(",") if name.strip()] if variants is not None else None
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


@sim.command(short_help="Where the time of slow requests went, and which station fills first.")
@click.argument("file", shell_complete=scenarios)
@click.option("--variants", metavar="A,B", shell_complete=variant_names, help="Which variants; all by default.")
@click.option(
    "--quantiles", default="p50,p99", show_default=True, metavar="P,P", help="The requests around which of them."
)
@click.option("--route", metavar="NAME", help="Only the requests of this route.")
@click.option(
    "--clock",
    type=click.Choice(["response", "completion"]),
    help="Until the answer, or until the order is complete; the slower by default.",
)
@click.option("--all", "failures", is_flag=True, help="Requests that failed, too, not only those answered well.")
@loading
@running
def explain(
    file: str,
    variants: str | None,
    quantiles: str,
    route: str | None,
    clock: str | None,
    failures: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Where the time of requests went (queue, work, network, lag, earlier attempts, back-off ...), station by station;
    utilisation, saturation and errors of everything that can be full; what is full first; and what happened, from the
    event log.

    Of the two clocks, until the answer and until the order is complete, the slower one is explained.

    \b
    Example:
      sim explain payment-outage
      sim explain payment-outage --variants sync-no-breaker --all --quantiles p50,p99,p99.9
    """
    from sim.experiments.replicating.explaining import explain as explain_study
    from sim.report import explanation as told

    asked = SharedOptions(**{**options, "replications": options["replications"] or 5})
    study = asked.load(file)
    out = asked.out or Path("reports") / f"{folder_of(study)}-explained"
    asked.refuse_unwritable(out)
    chosen = listed(variants)
    which: dict[str, Any] = {"shares": quantiles_of(quantiles), "route": route, "failures": failures, "clock": clock}
    asked.warn(study, chosen or list(study.variants))
    with asked.reporting_progress(asked.replications, durations_of(study, chosen or list(study.variants))) as progress:
        found = explain_study(study, chosen, asked.replications, **which, **asked.keywords(progress))
    return asked.show(
        found,
        told.headline(found, asked.took),
        told.render_explanation(found),
        lambda answer: told.explanation_json(found, answer),
        out,
    )


@sim.command(short_help="Whether the system comes back after a disturbance, and at which load it no longer does.")
@click.argument("file", shell_complete=scenarios)
@click.option("--variant", metavar="NAME", shell_complete=variant_names, help="Which variant; the first by default.")
@click.option(
    "--stressor",
    metavar="TEXT",
    help="spike:3x:10s, outage:SERVICE:30s, slow:SERVICE:5x:30s; the faults of the scenario by default.",
)
@click.option(
    "--loads", metavar="X,Y", help="Factors on all open arrivals, or rates of them together: 0.5,1,2 or 20/s,40/s."
)
@click.option(
    "--precision",
    default="5%",
    show_default=True,
    metavar="SHARE",
    help="How closely thresholds are searched; 0 tries only --loads.",
)
@click.option("--watch", metavar="TIME", help="How long to look on after the stressor.")
@click.option("--dwell", metavar="TIME", help="How long on each step while the load goes up and down.")
@click.option("--no-hysteresis", is_flag=True, help="Without the run whose load goes up and down.")
@loading
@running
def stability(
    file: str,
    variant: str | None,
    stressor: str | None,
    loads: str | None,
    precision: str,
    watch: str | None,
    dwell: str | None,
    no_hysteresis: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Whether a variant returns to its state after a stressor, after how long, and from which load on it no longer
    does.

    Every load is run with and without the stressor, on the same luck; thresholds are searched by bisection. Loads that
    the system bears but does not come back to are metastable.

    \b
    Example:
      sim stability retry-storm --variant retries --set 'traffic.users.arrivals={poisson: 85/s}' --stressor
      spike:1.8x:10s sim stability payment-outage --variant sync-no-breaker --loads 0.5,1,2 --replications 2
    """
    from sim.experiments.stability.recovery import find_stability
    from sim.report import stability as told

    asked = SharedOptions(**{**options, "replications": options["replications"] or 5})
    study = asked.load(file)
    out = asked.out or Path("reports") / f"{folder_of(study)}-stability"
    asked.refuse_unwritable(out)
    asked.warn(study, [variant] if variant else list(study.variants)[:1])
    with asked.reporting_progress(0, []) as progress:
        found = find_stability(
            study,
            variant,
            stressor=stressor,
            loads=loads_of(loads, study, variant) if loads is not None else None,
            replications=asked.replications,
            precision=0.0 if precision in ("0", "0%") else share_of("precision", precision),
            watch=duration_of("watch", watch),
            dwell=duration_of("dwell", dwell),
            hysteresis=not no_hysteresis,
            **asked.keywords(progress),
        )
    return asked.show(
        found,
        told.headline(found, asked.took),
        told.render_stability(found),
        lambda answer: told.stability_json(found, answer),
        out,
    )


_over = click.option(
    "--over",
    multiple=True,
    metavar="PATH=VALUES",
    help="A list 2,4,8, a range 50/s..400/s:50/s, or load=0.5..2:0.5. Repeatable.",
)
_variants = click.option(
    "--variants", metavar="A,B", shell_complete=variant_names, help="Which variants; all by default."
)


@sim.command(short_help="Settings varied: scaling curves, laws, what matters.")
@click.argument("file", shell_complete=scenarios)
@_over
@click.option(
    "--design",
    default="grid",
    show_default=True,
    metavar="grid|lhs|sobol|sensitivity",
    help="Which points of the space are run.",
)
@click.option("--points", type=int, metavar="N", help="How many points a sampled design takes.")
@_variants
@loading
@running
def sweep(
    file: str,
    over: tuple[str, ...],
    design: str,
    points: int | None,
    variants: str | None,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Every variant at every point of a design: scaling curves with intervals, the laws they follow, and which setting
    matters.

    VALUES are a list (2,4,8), a range with a step (50/s..400/s:50/s, 1..64:x2), or for a sampled design an interval
    (0.1..0.5, 10ms..1s:log). Paths that take the same value are joined by +. The path `load` is a factor on all open
    arrivals. Finished runs are kept: the same command goes on where an earlier one was stopped.

    \b
    Example:
      sim sweep 02-more-workers --over services.shop.workers=1,2,4,8 --over load=1,2
      sim sweep payment-outage --over services.payments.replicas=2..6 --over load=0.5..2 --design sensitivity --points
      64
    """
    from sim.experiments.searching.opening import search_length
    from sim.experiments.searching.sweep import raise_failures
    from sim.experiments.searching.sweep import sweep as run_sweep

    asked = SharedOptions(**options)
    study, chosen = asked.load(file), listed(variants)
    out = asked.out or Path("reports") / f"{folder_of(study)}-sweep"
    asked.refuse_unwritable(out)
    asked.warn(study, chosen or list(study.variants))
    runs = asked.replications * search_length(study, over, design, points)
    with asked.reporting_progress(runs, durations_of(study, chosen or list(study.variants))) as progress:
        answer = run_sweep(
            study, over, chosen, asked.replications, design=design, points=points, **asked.keywords(progress)
        )
    asked.hand_over(answer, out)
    raise_failures(answer)
    asked.journal.done()
    return 0


@sim.command(short_help="The highest load that holds; the cheapest settings.")
@click.argument("file", shell_complete=scenarios)
@click.option("--resolution", default="2%", show_default=True, metavar="SHARE", help="How finely loads are told apart.")
@_over
@click.option(
    "--at", metavar="LOAD", help="Find the cheapest settings of --over that hold at this load: 1.5x, or 400/s."
)
@_variants
@loading
@running
def capacity(
    file: str,
    resolution: str,
    over: tuple[str, ...],
    at: str | None,
    variants: str | None,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Per variant the highest load at which every expectation holds, with its interval, and the expectation that breaks
    first.

    Load scales all open arrivals by one factor. With --over the capacity at each of these settings; with --at as well,
    the cheapest of them that hold at that load. Exit code 1 where no load, or no setting, holds.

    \b
    Example:
      sim capacity payment-outage --variants sync,async
      sim capacity 02-more-workers --over services.shop.workers=1,2,4,8
      sim capacity 02-more-workers --over services.shop.workers=1..16 --at 2x
    """
    from sim.experiments.searching.capacity import LOOKS, find_capacity
    from sim.experiments.searching.cheapest import find_cheapest
    from sim.experiments.searching.opening import search_length

    asked = SharedOptions(**options)
    study, chosen = asked.load(file), listed(variants)
    if at is not None and not over:
        raise UsageError(
            "--at: found no --over, expected the settings to choose from: --over services.payments.replicas=1..8"
        )
    out = asked.out or Path("reports") / f"{folder_of(study)}-capacity"
    asked.refuse_unwritable(out)
    points = search_length(study, over, "grid", None) if over and at is None else 1
    asked.warn(study, chosen or list(study.variants))
    with asked.reporting_progress(
        asked.replications * LOOKS * points, durations_of(study, chosen or list(study.variants))
    ) as progress:
        answer: Capacity | Cheapest
        if at is not None:
            answer = find_cheapest(study, over, at, chosen, asked.replications, **asked.keywords(progress))
        else:
            found = share_of("resolution", resolution)
            answer = find_capacity(
                study, chosen, asked.replications, over=over, resolution=found, **asked.keywords(progress)
            )
    asked.hand_over(answer, out)
    asked.journal.done()
    return 0 if answer.passed else 1


@sim.command()
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


@sim.command(short_help="Complete verbs, scenarios, variants and metrics in the shell.")
@click.argument("shell", metavar="|".join(SHELLS))
@debug
def completion(shell: str) -> None:
    """The line that switches completion on, and the file that it goes into.

    \b
    Example:
      sim completion bash >> ~/.bashrc
    """
    if shell not in SHELLS:
        raise UsageError(f"found the shell '{shell}', expected one of: {', '.join(SHELLS)}")
    say(LINES[shell])
    if sys.stdout.isatty():  # in a file or an eval it is not to be said at every start of a shell
        tell(f"this line belongs into {FILES[shell]}; a new shell then completes sim")


sim.add_command(watch)
sim.add_command(export)
sim.add_command(mcp)


@sim.command()
@click.option(
    "--reference",
    "as_reference",
    is_flag=True,
    help="The same to be read: every word, its fields, units, defaults and meaning, as Markdown.",
)
@click.option(
    "--documents", is_flag=True, help="JSON Schema of what --json writes instead: the head of every document."
)
@plugin
@debug
def schema(as_reference: bool, documents: bool, plugins: tuple[str, ...]) -> None:
    """JSON Schema of the scenario language, for editors; with the words of plug-ins that are named.

    \b
    Example:
      sim schema > scenario.schema.json
      sim schema --plugin scenarios/cache.py > with-cache.schema.json
      sim schema --reference > language.md
      sim schema --documents > documents.schema.json
    """
    import json

    from sim.spec.plugins import load_plugins
    from sim.spec.reference import reference
    from sim.spec.schema import json_schema

    if documents:
        from sim.experiments.envelope import head_schema

        say(json.dumps(head_schema(), indent=2))
        return
    load_plugins(plugins)
    say(reference().rstrip("\n") if as_reference else json.dumps(json_schema(), indent=2))
