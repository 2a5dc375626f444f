"""The verbs that hold a model against a measurement: validate, fit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.destination import Destination
from sim.cli.new_file import exists_already, write_new
from sim.cli.options import Whole, debug, loading, running, together
from sim.cli.shared_options import SharedOptions
from sim.cli.streams import say, tell
from sim.cli.words import duration_of, folder_of, share_of
from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.fitting.target import Part

_measuring = together(
    click.option(
        "--measured",
        "files",
        multiple=True,
        required=True,
        metavar="FILE",
        help="What was measured; told from its content. Repeatable.",
    ),
    click.option("--variant", metavar="NAME", help="Which variant; the first by default."),
    click.option(
        "--route",
        "routes",
        multiple=True,
        metavar="MEASURED=OURS",
        help="Which of our routes a measured one is. Repeatable.",
    ),
    click.option("--from", "begin", metavar="TIME", help="Leave out what came before, counted from the first request."),
    click.option("--until", metavar="TIME", help="Leave out what came from then on."),
    click.option("--kind", metavar="KIND", help="Read the files as this; told from their content by default."),
)


@click.command(short_help="How far the model is from a measurement; a verdict.")
@click.argument("file")
@_measuring
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="NAME=SHARE",
    help="mean, p50, p95, throughput (2%), p99 (3%), outcomes (1 point). Repeatable.",
)
@click.option("--confidence", default="95%", show_default=True, metavar="SHARE", help="Of all intervals.")
@click.option("--strict", is_flag=True, help="Exit code 1 also where too little was measured to tell.")
@loading
@running
def validate(
    file: str,
    files: tuple[str, ...],
    variant: str | None,
    routes: tuple[str, ...],
    begin: str | None,
    until: str | None,
    kind: str | None,
    tolerances: tuple[str, ...],
    confidence: str,
    strict: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """A scenario held against what was measured: the measured arrivals are replayed, and every figure of both sides
    stands beside the other, with intervals, the error and a verdict.

    Files are results of k6, JMeter, Locust, Gatling, wrk, hey and vegeta, access logs, histograms. Exit code 1: some
    figure is outside of its tolerance beyond doubt.

    \b
    Example:
      sim validate shop.yaml --measured k6.json
      sim validate shop.yaml --measured access.log --from 10m --tolerance p99=5% --route 'GET /cart/{id}=cart.read'
    """
    from sim.fitting.validation import tolerances_of
    from sim.fitting.validation import validate as held_against
    from sim.report import write_report
    from sim.report.validation import render_validation, validation_json

    asked = SharedOptions(**{**options, "replications": options["replications"] or 20})
    study = asked.load(file)
    out = asked.out or Path("reports") / f"{folder_of(study)}-validated"
    asked.refuse_unwritable(out)
    bounds = tolerances_of(tolerances)
    part = _part(routes, begin, until, kind, asked.confine)
    with asked.reporting_progress(0, []) as progress:
        found = held_against(
            study,
            files,
            variant,
            replications=asked.replications,
            tolerances=bounds,
            confidence=share_of("confidence", confidence),
            part=part,
            **asked.keywords(progress),
        )
    asked.json.write(validation_json(found))
    if not asked.json.is_stdout:
        say(render_validation(found).rstrip("\n"))
    page = write_report(found, out)
    if not asked.json.is_stdout:
        say(f"report: {os.path.relpath(page)}")
    asked.journal.done()
    return 1 if found.refuted or (strict and not found.valid) else 0


@click.command(short_help="The times of a scenario set so that it shows what was measured.")
@click.argument("file")
@_measuring
@click.option(
    "--free",
    multiple=True,
    metavar="PATH[=LOW..HIGH]",
    help="What to fit; by default the times marked TO BE SUPPLIED. Repeatable.",
)
@click.option(
    "--replications", type=Whole(min=4), metavar="N", help="Runs at each point of the search; 10 to 30 by default."
)
@click.option("--confidence", default="95%", show_default=True, metavar="SHARE", help="Of all intervals.")
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="auto|simpy|compiled",
    help="What simulates; never changes a result.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the fitted scenario goes; to stdout by default.",
)
@click.option("--force", is_flag=True, help="Replace the file that --out names.")
@click.option(
    "--json", "json_file", metavar="FILE|-", help="Write what was found as JSON; - writes nothing else to stdout."
)
@click.option("--quiet", is_flag=True, help="Do not say what was found.")
@loading
@debug
def fit(
    file: str,
    files: tuple[str, ...],
    variant: str | None,
    routes: tuple[str, ...],
    begin: str | None,
    until: str | None,
    kind: str | None,
    free: tuple[str, ...],
    replications: int | None,
    confidence: str,
    engine: str,
    out: Path | None,
    force: bool,
    json_file: str | None,
    quiet: bool,
    sets: tuple[str, ...],
    seed: int | None,
    plugins: tuple[str, ...],
    confine: Path | None,
) -> int:
    """The values of a scenario at which it shows what was measured, each with its interval: times (work, wait,
    latency), their spread (.cv behind a time), counts (workers).

    What the data cannot tell is not fitted, and named. The scenario is written with the fitted values, all else in it
    as it was, and where each came from; what was found is said on stderr.

    \b
    Example:
      sim fit shop.yaml --measured k6.json --out shop-fitted.yaml
      sim fit shop.yaml --measured access.log --free payments.charge.work=1ms..1s --free payments.workers=1..32
      sim fit shop.yaml --measured k6.json --until 10m --out fitted.yaml
      sim validate fitted.yaml --measured k6.json --from 10m
    """
    from sim.experiments.shipped import load
    from sim.fitting.calibration import fit as calibrated
    from sim.report.calibration import fit_json, render_fit

    told = Destination(json_file)
    told.refuse()
    if out is not None and not force and os.path.lexists(out):
        raise exists_already(out)
    study = load(file, sets, seed, plugins, confine)
    part = _part(routes, begin, until, kind, confine)
    sure = share_of("confidence", confidence)
    found = calibrated(
        study, files, free, variant, replications=replications, confidence=sure, engine=engine, part=part
    )
    if not quiet:
        tell(render_fit(found).rstrip("\n"))
    told.write(fit_json(found))
    if found.text is None:
        tell(
            f"the values do not stand in {file} itself; they are: "
            f"{' '.join(f'--set {setting!r}' for setting in found.sets)}"
        )
        if out is not None:
            raise UsageError(
                f"{out}: not written, for the fitted values come from elsewhere (--set, an alias, a variant)"
            )
    elif out is not None:
        write_new(out, found.text, force)
        tell(f"wrote {out}; next: sim validate {out} --measured {files[0]}")
    elif not told.is_stdout:
        say(found.text.rstrip("\n"))
    return 0


def _part(
    routes: tuple[str, ...], begin: str | None, until: str | None, kind: str | None, confine: Path | None
) -> Part:
    from sim.fitting.target import Part

    pairs = {}
    for text in routes:
        measured, sign, ours = text.rpartition("=")
        if not sign or not ours.strip():
            raise UsageError(f"--route {text[:60]}: expected MEASURED=OURS, such as 'GET /cart/{{id}}=cart.read'")
        pairs[measured.strip()] = ours.strip()
    end = duration_of("until", until)
    return Part(
        duration_of("from", begin) or 0.0, end if end is not None else float("inf"), pairs or None, kind, confine
    )
