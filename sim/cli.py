"""The command line: one thin command per verb. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim.errors import Interrupted, OutputError, RunError, ScenarioError, SimError, UsageError, did_you_mean

if TYPE_CHECKING:
    from sim.experiments.executors import Progress
    from sim.experiments.results import Comparison
    from sim.spec.study import Study

DEFECT = 3  # exit code of what should not have happened
BROKEN_OFF = Interrupted.exit_code


def main() -> NoReturn:
    """The entry point of the command `sim`."""
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that knows no tick shows a question mark
    code = answer(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _mute()
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
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Another seed than the scenario's."),
    _plugin,
)
_running = _options(
    click.option("--replications", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Independent runs of each variant."),
    click.option("--engine", default="auto", show_default=True, metavar="auto|simpy", help="What simulates; never changes a result."),
    click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes; as many as there are cores by default."),
    click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the report goes."),
    click.option("--json", "json_file", metavar="FILE|-", help="Write the figures as JSON; - writes nothing else to stdout."),
    click.option("--quiet", is_flag=True, help="No progress."),
    _debug,
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
        raise UsageError(f"found the name '{path.stem}', expected letters, digits and dashes, such as my-shop")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(new_text(path.stem))
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
@click.option("--only-replication", type=click.IntRange(min=0), metavar="K", help="Run replication K alone, as it was among the others.")
@_loading
@_running
def run(file: str, variant: str | None, only_replication: int | None, **options: Any) -> int:  # noqa: ANN401 - the shared options
    """One variant: a table of results, and a report where --out says.

    \b
    Example:
      sim run payment-outage --variant async
      sim run payment-outage --set services.payments.replicas=2 --replications 3 --json -
    """
    from sim.experiments.comparison import run as run_variant

    asked = _Asked(**options)
    study = asked.load(file)
    asked.refuse_unwritable(asked.out)
    count = 1 if only_replication is not None else asked.replications
    with asked.telling(count, _durations(study, [variant] if variant else list(study.variants)[:1])) as progress:
        comparison = run_variant(
            study, variant, asked.replications, jobs=asked.jobs, engine=asked.engine, progress=progress, only_replication=only_replication
        )
    return asked.present(comparison, asked.out)


@sim.command(short_help="All variants on the same luck; differences; a report.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--variants", metavar="A,B", help="Which variants, the baseline first; all by default.")
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
    with asked.telling(asked.replications, _durations(study, list(study.variants) if chosen is None else chosen)) as progress:
        comparison = compare_variants(study, chosen, asked.replications, jobs=asked.jobs, engine=asked.engine, progress=progress)
    if earlier:
        comparison = against_earlier(comparison, earlier[0])
    return asked.present(comparison, out)


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
@_debug
def schema() -> None:
    """JSON Schema of the scenario language, for editors.

    \b
    Example:
      sim schema > scenario.schema.json
    """
    import json

    from sim.spec.schema import json_schema

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
        replications: int,
        engine: str,
        jobs: int | None,
        out: Path | None,
        json_file: str | None,
        quiet: bool,
    ) -> None:
        from sim.experiments.comparison import chosen_engine

        self.sets, self.seed, self.plugins = sets, seed, plugins
        self.replications, self.engine, self.jobs = replications, chosen_engine(engine), jobs
        self.out, self.json_file, self.quiet = out, json_file, quiet

    def load(self, file: str) -> Study:
        from sim.experiments.shipped import load

        return load(file, self.sets, self.seed, self.plugins)

    def refuse_unwritable(self, out: Path | None) -> None:
        """Before the work, not after it."""
        from sim.report.writing import MARKER

        if out is not None and out.is_dir() and any(out.iterdir()) and not (out / MARKER).exists():
            raise UsageError(f"{out}: holds files that are not a report of sim, and is left alone; choose another --out")
        json_path = Path(self.json_file) if self.json_file not in (None, "-") else None
        if json_path is not None and json_path.is_dir():
            raise UsageError(f"--json {json_path}: is a directory, expected a file or -")
        for path in (out, json_path.parent if json_path is not None else None):
            there = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), None) if path is not None else None
            if there is not None and not (there.is_dir() and os.access(there, os.W_OK)):
                raise UsageError(f"{path}: cannot be written to")

    @contextlib.contextmanager
    def telling(self, replications: int, durations: Sequence[float]) -> Iterator[Progress | None]:
        """Progress on stderr, and the options that a failed run needs to be repeated."""
        from sim.experiments.progress import Teller

        teller = None if self.quiet else Teller(sys.stderr, replications * sum(durations))
        self._begun = time.monotonic()
        try:
            yield teller
        except RunError as error:
            if self.sets:
                error.args = (f"{error}\nwith: {' '.join(f'--set {text}' for text in self.sets)}",)
            raise
        finally:
            if teller is not None:
                teller.clear()

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
            for text in filter(None, (*_earlier_lines(comparison), render_expectations(comparison))):
                _say(text)
        if out is not None:  # last, so that the figures are safe whatever befalls the drawing
            place = _write_report(comparison, out)
            if self.json_file != "-":
                _say(f"report: {place}")
        return 0 if comparison.passed else 1


def _durations(study: Study, names: Sequence[str]) -> list[float]:
    return [study.variants[name].duration for name in names if name in study.variants]


def _folder(study: Study) -> str:
    """The name of the scenario, or of its file where it has none of its own, as a folder."""
    name = study.name if "name" in study.document or "studies" in study.document or not study.file else Path(study.file).stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "scenario"


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
    from sim.report.words import label_of, show_difference, unit_of

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
