"""The verbs for larger questions: explain, stability, sweep, capacity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.completing import scenarios
from sim.cli.completing import variants as variant_names
from sim.cli.options import loading, running
from sim.cli.shared_options import SharedOptions
from sim.cli.words import duration_of, durations_of, folder_of, listed, loads_of, quantiles_of, share_of
from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.experiments.searching.capacity_results import Capacity
    from sim.experiments.searching.cheapest import Cheapest


@click.command(short_help="Where the time of slow requests went, and which station fills first.")
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


@click.command(short_help="Whether the system comes back after a disturbance, and at which load it no longer does.")
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
      sim stability retry-storm --variant retries --stressor spike:1.8x:10s \\
          --set 'traffic.users.arrivals={poisson: 85/s}'
      sim stability payment-outage --variant sync-no-breaker --loads 0.5,1,2 --replications 2
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


@click.command(short_help="Settings varied: scaling curves, laws, what matters.")
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
      sim sweep payment-outage --over services.payments.replicas=2..6 --over load=0.5..2 \\
          --design sensitivity --points 64
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


@click.command(short_help="The highest load that holds; the cheapest settings.")
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
      sim capacity payment-outage --variants async,async-queue
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
