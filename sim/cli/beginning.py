"""The verbs that simulate nothing: list, new, import, check."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import click

from sim.cli.completing import scenarios
from sim.cli.destination import Destination
from sim.cli.new_file import exists_already, write_new
from sim.cli.options import confine, debug, json_option, loading
from sim.cli.streams import columns_of_terminal, say, tell
from sim.errors import UsageError


@click.command("list")
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


@click.command()
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


@click.command("import", short_help="A scenario out of the files that a system has.")
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


@click.command(short_help="Errors, load on every station, warnings; simulates nothing.")
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
        say(f"{study.name}: no errors; offered load, without queueing and faults\n")
        say(report.text(columns_of_terminal()))
