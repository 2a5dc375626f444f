"""The command line: one thin command per verb. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim.errors import Interrupted, OutputError, ScenarioError, SimError, UsageError, did_you_mean

if TYPE_CHECKING:
    from sim.experiments.answers import Answer
    from sim.experiments.capacity_results import Capacity
    from sim.experiments.cheapest import Cheapest
    from sim.experiments.executors import Progress
    from sim.experiments.results import Comparison
    from sim.report.charts.canvas import Chart
    from sim.spec.study import Study

DEFECT = 3  # exit code of what should not have happened
BROKEN_OFF = Interrupted.exit_code


def main() -> NoReturn:
    """The entry point of the command `sim`."""
    _open_closed()
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that knows no tick shows a question mark
    code = answer(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _mute()
    except OSError as error:
        _mute()
        code = DEFECT
        click.echo(f"error: {_not_said(error)}", err=True)
    sys.exit(code)


def answer(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; errors are told on stderr, without a traceback unless asked."""
    try:
        code = sim.main(list(arguments), prog_name="sim", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return BROKEN_OFF
    except BrokenPipeError:
        _mute()
        return 0
    except SimError as error:
        _tell(error)
        _trace(error, arguments)
        return error.exit_code
    except Exception as error:  # a defect of ours or of a plug-in: said in one line, with the way to see more
        if not _trace(error, arguments):
            click.echo(f"error: unexpected {type(error).__name__}: {error}; --debug shows where", err=True)
        return DEFECT
    return code if isinstance(code, int) else 0


def _tell(error: SimError) -> None:
    if isinstance(error, ScenarioError):
        count = len(error.problems)
        click.echo("\n".join(map(str, error.problems)), err=True)
        click.echo(f"{count} problem{'s' if count != 1 else ''}", err=True)
    else:
        click.echo(str(error) if isinstance(error, Interrupted) else f"error: {error}", err=True)


def _trace(error: Exception, arguments: Sequence[str]) -> bool:
    if "--debug" not in arguments and not os.environ.get("SIM_DEBUG"):
        return False
    import traceback

    traceback.print_exception(error)
    return True


def _say(text: str) -> None:
    """A line to stdout. A reader who has gone (`| head`) ends the talking, not the work."""
    try:
        click.echo(text)
    except BrokenPipeError:
        _mute()
    except OSError as error:
        _mute()
        raise OutputError(_not_said(error)) from None


def _not_said(error: OSError) -> str:
    return f"stdout could not be written: {error.strerror or error}"


def _open_closed() -> None:
    """A stream that was closed (`>&-`) goes nowhere; left closed, the next file that is opened would take its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _mute() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- options that several commands share


class _Verbs(click.Group):
    """Commands in the order of a working day, and a hint for a slip of the pen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"no such command '{args[0]}'{did_you_mean(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


class _Whole(click.IntRange):
    name = "whole number"  # as messages call it


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _options(*options: Decorator) -> Decorator:
    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_debug = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error (or set SIM_DEBUG=1).")
_plugin = click.option("--plugin", "plugins", multiple=True, metavar="FILE", help="Allow this Python plug-in to run. Repeatable.")
_loading = _options(
    click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Change the scenario: services.payments.replicas=2. Repeatable."),
    click.option("--seed", type=_Whole(0, 2**63 - 1), metavar="N", help="Another seed than the scenario's."),
    _plugin,
)
_running = _options(
    click.option("--replications", type=_Whole(min=1), metavar="N", help="Independent runs of each variant; 10 by default, 5 for explain and stability."),
    click.option("--engine", default="auto", show_default=True, metavar="auto|simpy|compiled", help="What simulates; never changes a result."),
    click.option("--jobs", type=_Whole(min=1), metavar="N", help="Worker processes; as many as there are cores by default."),
    click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster instead: tcp://10.0.0.5:8786."),
    click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the report goes."),
    click.option("--json", "json_file", metavar="FILE|-", help="Write the figures as JSON; - writes nothing else to stdout."),
    click.option("--quiet", is_flag=True, help="No progress."),
    _debug,
)

_sampling = _options(
    click.option("--precision", metavar="SHARE", help="Replicate until the error of --metric is this small: 5%. --replications is the cap, 100 by default."),
    click.option("--metric", "metrics", multiple=True, metavar="NAME", help="As expectations have it: p99(response), the default. Repeatable."),
    click.option("--interval", default="t", show_default=True, metavar="t|bootstrap", help="How intervals and differences are computed."),
    click.option("--confidence", default="95%", show_default=True, metavar="SHARE", help="Of all intervals, and of --best."),
)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="sim", message="%(prog)s %(version)s")
def sim() -> None:
    """Simulate microservices under load and harm.

    \b
    Example:
      sim compare payment-outage      sync against async, same shoppers, same luck, same outage

    A FILE is a path or the name of a shipped scenario. Exit codes: 0 all well, 1 an expectation failed, 2 the call or the
    scenario is wrong, 3 the run itself failed, 130 interrupted.
    """


# ---- the verbs


@sim.command("list")
@_debug
def list_scenarios() -> None:
    """The shipped scenarios with the question each asks.

    \b
    Example:
      sim list
    """
    from sim.experiments import shipped

    names = shipped.names()
    width = max(map(len, names), default=0)
    for name in names:
        _say(f"{name:<{width}}  {shipped.question(name)}")
    if not names:
        _say("no scenarios are shipped with this installation")


@sim.command()
@click.argument("name")
@_debug
def new(name: str) -> None:
    """A commented scenario to start from, written to NAME.yaml.

    \b
    Example:
      sim new my-shop
      sim check my-shop.yaml
    """
    from sim.experiments.shipped import new_text

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", path.stem):
        raise UsageError(f"found the name '{path.stem if name else name}', expected letters, digits and dashes, such as my-shop")
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(new_text(path.stem))
                file.flush()
            except OSError:
                path.unlink()  # half a scenario would be in the way of the next try
                raise
    except FileExistsError:
        raise UsageError(f"{path}: exists already; nothing was changed") from None
    except OSError as error:
        raise OutputError(f"{path}: could not be written: {error.strerror or error}") from None
    _say(f"wrote {path}; next: sim check {path}")


@sim.command(short_help="Errors, load on every station, warnings; simulates nothing.")
@click.argument("file")
@_loading
@_debug
def check(file: str, sets: tuple[str, ...], seed: int | None, plugins: tuple[str, ...]) -> None:
    """All errors of a scenario; then, without simulating, the load on every station and what is unwise.

    \b
    Example:
      sim check payment-outage
      sim check payment-outage --set services.payments.replicas=2
    """
    from sim.experiments.offered_load import check as check_study
    from sim.experiments.shipped import load

    study = load(file, sets, seed, plugins)
    report = check_study(study)
    _say(f"{study.name}: no errors; offered load on average and at the peak, without queueing, faults, retries and redeliveries\n")
    _say(str(report))


@sim.command(short_help="One variant; a table of results.")
@click.argument("file")
@click.option("--variant", metavar="NAME", help="Which variant; the first by default.")
@click.option("--only-replication", type=_Whole(min=0), metavar="K", help="Run replication K alone, as it was among the others.")
@_sampling
@_loading
@_running
def run(file: str, variant: str | None, only_replication: int | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """One variant: a table of results, and a report where --out says.

    \b
    Example:
      sim run payment-outage --variant async
      sim run payment-outage --set services.payments.replicas=2 --replications 3 --json -
      sim run 01-one-queue --precision 5% --metric 'p99(response)'
    """
    from sim.experiments.comparison import run as run_variant

    asked = _Asked(**options)
    study = asked.load(file)
    asked.refuse_unwritable(asked.out)
    with asked.telling(asked.most(study, only_replication), _durations(study, [variant] if variant else list(study.variants)[:1])) as progress:
        comparison = run_variant(study, variant, **asked.rule, **asked.place, progress=progress, only_replication=only_replication)
    return asked.present(comparison, asked.out)


@sim.command(short_help="All variants on the same luck; differences; a report.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--variants", metavar="A,B", help="Which variants, the baseline first; all by default.")
@click.option("--best", metavar="METRIC", help="Replicate until it is plain which variant is best by this metric; --replications is the cap, 100 by default.")
@click.option("--indifference", metavar="AMOUNT", help="The smallest difference that matters to --best: 10ms.")
@_sampling
@_loading
@_running
def compare(files: tuple[str, ...], variants: str | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """Variants on common random numbers: their paired differences with intervals, and a report.

    Several files are compared as one, their variants named <file>:<variant>. The JSON of an earlier run may stand among them: then
    every variant is also set against that run (unpaired, by Welch's test).

    \b
    Example:
      sim compare payment-outage
      sim compare payment-outage --variants sync,async --replications 20 --out reports/friday
      sim compare shop.yaml yesterday.json
      sim compare 02-more-workers --best 'p99(response)' --indifference 10ms
    """
    from sim.experiments.comparison import compare as compare_variants
    from sim.experiments.earlier import against_earlier, is_earlier_run
    from sim.experiments.several import combine

    asked = _Asked(**options)
    earlier = [file for file in files if is_earlier_run(file)]
    if len(earlier) > 1 or len(earlier) == len(files):
        raise UsageError("expected at least one scenario, and the JSON of one earlier run at most")
    study = combine([asked.load(file) for file in files if file not in earlier])
    chosen = [name.strip() for name in variants.split(",") if name.strip()] if variants is not None else None
    out = asked.out or Path("reports") / _folder(study)
    asked.refuse_unwritable(out)
    with asked.telling(asked.most(study), _durations(study, list(study.variants) if chosen is None else chosen)) as progress:
        comparison = compare_variants(study, chosen, **asked.rule, **asked.place, progress=progress)
    if earlier:
        comparison = against_earlier(comparison, earlier[0])
    return asked.present(comparison, out)


@sim.command(short_help="Where the time of slow requests went, and which station fills first.")
@click.argument("file")
@click.option("--variants", metavar="A,B", help="Which variants; all by default.")
@click.option("--quantiles", default="p50,p99", show_default=True, metavar="P,P", help="The requests around which of them.")
@click.option("--route", metavar="NAME", help="Only the requests of this route.")
@click.option("--all", "failures", is_flag=True, help="Requests that failed, too, not only those answered well.")
@_loading
@_running
def explain(file: str, variants: str | None, quantiles: str, route: str | None, failures: bool, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """Where the time of requests went (queue, work, network, earlier attempts, back-off ...), station by station; utilisation,
    saturation and errors of every station; which one is full first; and what happened, from the event log.

    \b
    Example:
      sim explain payment-outage
      sim explain payment-outage --variants sync-no-breaker --all --quantiles p50,p99,p99.9
    """
    from sim.experiments.explain import explain as explain_study
    from sim.report import explanation as told
    from sim.report.charts.composition import composition

    asked = _Asked(**{**options, "replications": options["replications"] or 5})
    study = asked.load(file)
    out = asked.out or Path("reports") / f"{_folder(study)}-explained"
    asked.refuse_unwritable(out)
    chosen = _listed(variants)
    which: dict[str, Any] = {"shares": _quantiles(quantiles), "route": route, "failures": failures}
    with asked.telling(asked.replications, _durations(study, chosen or list(study.variants))) as progress:
        found = explain_study(study, chosen, asked.replications, **which, **asked.place, progress=progress)
    return asked.show(told.headline(found, asked.took), told.render_explanation(found), told.explanation_json(found), composition(found), out, "explanation")


@sim.command(short_help="Whether the system comes back after a disturbance, and at which load it no longer does.")
@click.argument("file")
@click.option("--variant", metavar="NAME", help="Which variant; the first by default.")
@click.option("--stressor", metavar="TEXT", help="spike:3x:10s, outage:SERVICE:30s, slow:SERVICE:5x:30s; the faults of the scenario by default.")
@click.option("--loads", metavar="X,Y", help="Factors on all open arrivals, or rates of them together: 0.5,1,2 or 20/s,40/s.")
@click.option("--precision", default="5%", show_default=True, metavar="SHARE", help="How closely thresholds are searched; 0 tries only --loads.")
@click.option("--watch", metavar="TIME", help="How long to look on after the stressor.")
@click.option("--dwell", metavar="TIME", help="How long on each step while the load goes up and down.")
@click.option("--no-hysteresis", is_flag=True, help="Without the run whose load goes up and down.")
@_loading
@_running
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
    """Whether a variant returns to its state after a stressor, after how long, and from which load on it no longer does.

    Every load is run with and without the stressor, on the same luck; thresholds are searched by bisection. Loads that the system
    bears but does not come back to are metastable.

    \b
    Example:
      sim stability retry-storm --variant retries --set 'traffic.users.arrivals={poisson: 85/s}' --stressor spike:1.8x:10s
      sim stability payment-outage --variant sync-no-breaker --loads 0.5,1,2 --replications 2
    """
    from sim.experiments.stability import find_stability
    from sim.report import stability as told
    from sim.report.charts.hysteresis import hysteresis_curve

    asked = _Asked(**{**options, "replications": options["replications"] or 5})
    study = asked.load(file)
    out = asked.out or Path("reports") / f"{_folder(study)}-stability"
    asked.refuse_unwritable(out)
    with asked.telling(0, []) as progress:
        found = find_stability(
            study,
            variant,
            stressor=stressor,
            loads=_loads(loads, study, variant) if loads is not None else None,
            replications=asked.replications,
            precision=0.0 if precision in ("0", "0%") else _share("precision", precision),
            watch=_duration("watch", watch),
            dwell=_duration("dwell", dwell),
            hysteresis=not no_hysteresis,
            **asked.place,
            progress=progress,
        )
    return asked.show(told.headline(found, asked.took), told.render_stability(found), told.stability_json(found), hysteresis_curve(found), out, "stability")


_over = click.option("--over", multiple=True, metavar="PATH=VALUES", help="A list 2,4,8, a range 50/s..400/s:50/s, or load=0.5..2:0.5. Repeatable.")
_variants = click.option("--variants", metavar="A,B", help="Which variants; all by default.")


@sim.command(short_help="Settings varied: scaling curves, laws, what matters.")
@click.argument("file")
@_over
@click.option("--design", default="grid", show_default=True, metavar="grid|lhs|sobol|sensitivity", help="Which points of the space are run.")
@click.option("--points", type=int, metavar="N", help="How many points a sampled design takes.")
@_variants
@_loading
@_running
def sweep(file: str, over: tuple[str, ...], design: str, points: int | None, variants: str | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """Every variant at every point of a design: scaling curves with intervals, the laws they follow, and which setting matters.

    VALUES are a list (2,4,8), a range with a step (50/s..400/s:50/s, 1..64:x2), or for a sampled design an interval (0.1..0.5,
    10ms..1s:log). Paths that take the same value are joined by +. The path `load` is a factor on all open arrivals. Finished runs are
    kept: the same command goes on where an earlier one was stopped.

    \b
    Example:
      sim sweep 02-more-workers --over services.shop.workers=1,2,4,8 --over load=1,2
      sim sweep payment-outage --over services.payments.replicas=2..6 --over load=0.5..2 --design sensitivity --points 64
    """
    from sim.experiments.sweep import raise_failures, sweep_length
    from sim.experiments.sweep import sweep as run_sweep

    asked = _Asked(**options)
    study, chosen = asked.load(file), _listed(variants)
    out = asked.out or Path("reports") / f"{_folder(study)}-sweep"
    asked.refuse_unwritable(out)
    with asked.telling(asked.replications * sweep_length(study, over, design, points), _durations(study, chosen or list(study.variants))) as progress:
        answer = run_sweep(study, over, chosen, asked.replications, design=design, points=points, **asked.place, progress=progress)
    asked.hand_over(answer, out)
    raise_failures(answer)
    asked.journal.done()
    return 0


@sim.command(short_help="The highest load that holds; the cheapest settings.")
@click.argument("file")
@click.option("--resolution", default="2%", show_default=True, metavar="SHARE", help="How finely loads are told apart.")
@_over
@click.option("--at", metavar="LOAD", help="Find the cheapest settings of --over that hold at this load: 1.5x, or 400/s.")
@_variants
@_loading
@_running
def capacity(file: str, resolution: str, over: tuple[str, ...], at: str | None, variants: str | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """Per variant the highest load at which every expectation holds, with its interval, and the expectation that breaks first.

    Load scales all open arrivals by one factor. With --over the capacity at each of these settings; with --at as well, the cheapest of
    them that hold at that load. Exit code 1 where no load, or no setting, holds.

    \b
    Example:
      sim capacity payment-outage --variants sync,async
      sim capacity 02-more-workers --over services.shop.workers=1,2,4,8
      sim capacity 02-more-workers --over services.shop.workers=1..16 --at 2x
    """
    from sim.experiments.capacity import LOOKS, find_capacity
    from sim.experiments.cheapest import find_cheapest
    from sim.experiments.sweep import sweep_length

    asked = _Asked(**options)
    study, chosen = asked.load(file), _listed(variants)
    if at is not None and not over:
        raise UsageError("--at: found no --over, expected the settings to choose from: --over services.payments.replicas=1..8")
    out = asked.out or Path("reports") / f"{_folder(study)}-capacity"
    asked.refuse_unwritable(out)
    points = sweep_length(study, over, "grid", None) if over and at is None else 1
    with asked.telling(asked.replications * LOOKS * points, _durations(study, chosen or list(study.variants))) as progress:
        answer: Capacity | Cheapest
        if at is not None:
            answer = find_cheapest(study, over, at, chosen, asked.replications, **asked.place, progress=progress)
        else:
            found = _share("resolution", resolution)
            answer = find_capacity(study, chosen, asked.replications, over=over, resolution=found, **asked.place, progress=progress)
    asked.hand_over(answer, out)
    asked.journal.done()
    return 0 if answer.passed else 1


@sim.command()
@click.argument("directory", type=click.Path(path_type=Path))
@_plugin
@_debug
def report(directory: Path, plugins: tuple[str, ...]) -> None:
    """Draw the report of a finished run again.

    \b
    Example:
      sim report reports/payment-outage
    """
    from sim.experiments.storing import open_run

    _say(f"report: {_write_report(open_run(directory, plugins), directory)}")


@sim.command()
@_plugin
@_debug
def schema(plugins: tuple[str, ...]) -> None:
    """JSON Schema of the scenario language, for editors; with the words of plug-ins that are named.

    \b
    Example:
      sim schema > scenario.schema.json
      sim schema --plugin scenarios/cache.py > with-cache.schema.json
    """
    import json

    from sim.spec.plugins import load_plugins
    from sim.spec.schema import json_schema

    load_plugins(plugins)
    _say(json.dumps(json_schema(), indent=2))


# ---- what run and compare share


class _Asked:
    """The shared options of a run, and what is done with them."""

    def __init__(
        self,
        *,
        sets: tuple[str, ...],
        seed: int | None,
        plugins: tuple[str, ...],
        replications: int | None,
        engine: str,
        jobs: int | None,
        cluster: str | None,
        out: Path | None,
        json_file: str | None,
        quiet: bool,
        precision: str | None = None,
        metrics: tuple[str, ...] = (),
        best: str | None = None,
        indifference: str | None = None,
        confidence: str = "95%",
        interval: str = "t",
    ) -> None:
        from sim.experiments.engines import known_engine
        from sim.experiments.journal import Journal

        self.rule: dict[str, Any] = {"replications": replications, "metrics": metrics, "interval": interval}
        self.rule["confidence"] = _share("confidence", confidence)
        self.rule |= {"precision": _share("precision", precision)} if precision is not None else {}
        self.rule |= {name: text for name, text in (("best", best), ("indifference", indifference)) if text is not None}
        self.sets, self.seed, self.plugins = sets, seed, plugins
        self.replications, self.engine, self.jobs = replications or 10, known_engine(engine), jobs
        self.out, self.json_file, self.quiet = out, json_file, quiet
        if jobs is not None and cluster is not None:
            raise UsageError("found --jobs and --cluster, expected one of them: the cluster has workers of its own")
        self.cluster, self.journal = cluster, Journal()

    @property
    def place(self) -> dict[str, Any]:
        """Where and how the jobs run."""
        return {"jobs": self.jobs, "cluster": self.cluster, "engine": self.engine, "journal": self.journal}

    def load(self, file: str) -> Study:
        from sim.experiments.shipped import load

        return load(file, self.sets, self.seed, self.plugins)

    def most(self, study: Study, only: int | None = None) -> int:
        """Runs of each variant at most, those that find the warm-up among them."""
        from sim.experiments.plan import Plan
        from sim.experiments.settling import PILOT

        plan = Plan(only=only, **self.rule)
        auto = any(scenario.auto_warmup for scenario in study.variants.values())
        return plan.most + (min(PILOT, plan.pilot) if auto else 0)

    def refuse_unwritable(self, out: Path | None) -> None:
        """Before the work, not after it."""
        from sim.report.writing import refuse_foreign, refuse_locked

        if out is not None:
            refuse_foreign(out)
            refuse_locked(out)
        json_path = Path(self.json_file) if self.json_file not in (None, "-") else None
        if json_path is not None and json_path.is_dir():
            raise UsageError(f"--json {json_path}: is a directory, expected a file or -")
        if json_path is not None:
            refuse_locked(json_path.parent)

    @contextlib.contextmanager
    def telling(self, replications: int, durations: Sequence[float]) -> Iterator[Progress | None]:
        """Progress on stderr; what is finished is in the journal, however this ends."""
        from sim.experiments.progress import Teller

        teller = None if self.quiet else Teller(sys.stderr, replications * sum(durations))
        self._begun = time.monotonic()
        try:
            yield teller
        finally:
            self.journal.close()
            if teller is not None:
                teller.clear()
            if self.journal.trouble and not self.quiet:
                click.echo(f"note: finished runs are not kept: {self.journal.trouble}", err=True)

    @property
    def took(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._begun

    def show(self, headline: str, text: str, document: str, chart: Chart | None, out: Path, name: str) -> int:
        """Show an answer that is no comparison, and write it: text, JSON and chart."""
        from sim.experiments.storing import write_text
        from sim.report.writing import write_files

        if self.json_file == "-":
            _say(document.rstrip("\n"))
        else:
            if self.json_file is not None:
                write_text(self.json_file, document)
            _say(f"{headline}\n\n{text}")
        files: dict[str, bytes | str] = {f"{name}.txt": text, f"{name}.json": document}
        if chart is not None:
            files |= {f"{chart.name}.svg": chart.svg(), f"{chart.name}.png": chart.png()}
        write_files(files, out)
        if self.json_file != "-":
            _say(f"written to {out}: {', '.join(files)}")
        self.journal.done()
        return 0

    def present(self, comparison: Comparison, out: Path | None) -> int:
        """Write what was asked for and show the table; 1 where an expectation failed."""
        from sim.experiments.document import as_json
        from sim.experiments.storing import write_text
        from sim.report.table import render_expectations, render_table

        took = time.monotonic() - self._begun
        if self.json_file == "-":
            _say(as_json(comparison).rstrip("\n"))
        else:
            if self.json_file is not None:
                write_text(self.json_file, as_json(comparison))
            _say(_headline(comparison, took))
            _say(render_table(comparison, max(80, shutil.get_terminal_size((118, 40)).columns)))
            for text in filter(None, (*_earlier_lines(comparison), render_expectations(comparison), str(comparison.method))):
                _say(text)
        if out is not None:  # last, so that the figures are safe whatever befalls the drawing
            place = _write_report(comparison, out)
            if self.json_file != "-":
                _say(f"report: {place}")
        self.journal.done()
        return 0 if comparison.passed else 1

    def hand_over(self, answer: Answer, out: Path) -> None:
        """The same for a sweep or a search: text or JSON, then the report with its tables."""
        from sim.experiments.answers import as_json
        from sim.experiments.storing import write_text
        from sim.report import write_report
        from sim.report.scaling import render_answer
        from sim.units import show_duration

        took = time.monotonic() - self._begun
        if self.json_file == "-":
            _say(as_json(answer).rstrip("\n"))
        else:
            if self.json_file is not None:
                write_text(self.json_file, as_json(answer))
            _say(f"{answer.study.name}: seed {answer.seed}, engine {answer.engine}, {show_duration(took)}, fingerprint {answer.fingerprint}\n")
            _say(render_answer(answer).rstrip("\n"))
        place = write_report(answer, out)
        if self.json_file != "-":
            _say(f"report: {os.path.relpath(place)}")


def _share(option: str, text: str) -> float:
    from sim.units import share

    try:
        return share(text)
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def _duration(option: str, text: str | None) -> float | None:
    from sim.units import duration

    try:
        return duration(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None


def _listed(text: str | None) -> list[str] | None:
    return [part.strip() for part in text.split(",") if part.strip()] if text is not None else None


def _quantiles(text: str) -> list[float]:
    """`p50,p99.9` -> 0.5, 0.999"""
    try:
        return [float(Decimal(word.removeprefix("p")) / 100) for word in _listed(text) or []]
    except InvalidOperation:
        raise UsageError(f"--quantiles: found {text}, expected some such as p50,p99,p99.9") from None


def _loads(text: str, study: Study, variant: str | None) -> list[float]:
    """Factors as they are; rates as factors of what the scenario sends."""
    from sim.experiments.load import open_rate
    from sim.units import rate

    scenario = study.variants.get(variant or "", next(iter(study.variants.values())))
    try:
        return [rate(word) / open_rate(scenario) if "/" in word else float(word.removesuffix("x")) for word in _listed(text) or []]
    except ValueError:
        raise UsageError(f"--loads: found '{text}', expected factors such as 0.5,1,2 or rates such as 20/s,40/s") from None


def _durations(study: Study, names: Sequence[str]) -> list[float]:
    return [study.variants[name].duration for name in names if name in study.variants]


def _folder(study: Study) -> str:
    """The name of the scenario as a folder."""
    return re.sub(r"[^\w.-]+", "-", study.name).strip("-.") or "scenario"


def _write_report(comparison: Comparison, directory: Path) -> Path:
    from sim.experiments.storing import files_of
    from sim.report import write_report

    write_report(comparison, directory, files_of(comparison))
    return directory / "index.html"


def _headline(comparison: Comparison, took: float) -> str:
    from sim.units import show_duration

    count = comparison.replications
    runs = f"{count} replication{'s' if count != 1 else ''}"
    return f"{comparison.study.name}: {runs}, seed {comparison.seed}, engine {comparison.engine}, {show_duration(took)}, fingerprint {comparison.fingerprint}\n"


def _earlier_lines(comparison: Comparison) -> Iterator[str]:
    """What differs significantly from the earlier run, unpaired as it is."""
    from sim.experiments.results import unit_of
    from sim.report.words import label_of, show_difference

    earlier = comparison.earlier
    if earlier is None:
        return
    yield f"\nagainst {earlier.source}, unpaired (Welch's test)"
    for name, found in earlier.differences.items():
        significant = {key: difference for key, difference in found.items() if difference.significant}
        head = f"  {name} against {earlier.against[name]}"
        yield f"{head}: {'no significant difference' if not significant else ''}".rstrip()
        for key, difference in significant.items():
            yield f"    {label_of(key)}  {show_difference(difference, unit_of(key))}"
