"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sim.cli.completing import metrics
from sim.errors import did_you_mean


class Verbs(click.Group):
    """Commands in the order of a working day, and a hint for a slip of the pen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were defined."""
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for, or the nearest one in an error."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"no such command '{args[0]}'{did_you_mean(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "whole number"  # as messages call it


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


debug = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error (or set SIM_DEBUG=1)."
)
plugin = click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE", help="Allow this Python plug-in to run. Repeatable."
)
json_option = click.option(
    "--json", "json_file", metavar="FILE|-", help="Write it as JSON; - writes nothing else to stdout."
)
confine = click.option(
    "--confine",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read no file outside of DIR, whatever a scenario names.",
)
loading = together(
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="PATH=VALUE",
        help="Change the scenario: services.payments.replicas=2. Repeatable.",
    ),
    click.option("--seed", type=Whole(0, 2**63 - 1), metavar="N", help="Another seed than the scenario's."),
    plugin,
    confine,
)
running = together(
    click.option(
        "--replications",
        type=Whole(min=1),
        metavar="N",
        help="Independent runs of each variant; 10 by default, 5 for explain and stability.",
    ),
    click.option(
        "--engine",
        default="auto",
        show_default=True,
        metavar="auto|simpy|compiled",
        help="What simulates; never changes a result.",
    ),
    click.option(
        "--jobs", type=Whole(min=1), metavar="N", help="Worker processes; as many as there are cores by default."
    ),
    click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster instead: tcp://10.0.0.5:8786."),
    click.option(
        "--max-memory",
        metavar="SIZE",
        help="Refuse what takes more on paper, end what comes to: 4GB; half of this machine's by default.",
    ),
    click.option(
        "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the report goes."
    ),
    click.option(
        "--json", "json_file", metavar="FILE|-", help="Write the figures as JSON; - writes nothing else to stdout."
    ),
    click.option("--quiet", is_flag=True, help="No progress and no warnings."),
    debug,
)

sampling = together(
    click.option(
        "--precision",
        metavar="SHARE",
        help="Replicate until the error of --metric is this small: 5%. --replications is the cap, 100 by default.",
    ),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME",
        shell_complete=metrics,
        help="As expectations have it: p99(response), the default. Repeatable.",
    ),
    click.option(
        "--interval",
        default="t",
        show_default=True,
        metavar="t|bootstrap",
        help="How intervals and differences are computed.",
    ),
    click.option(
        "--confidence", default="95%", show_default=True, metavar="SHARE", help="Of all intervals, and of --best."
    ),
    click.option(
        "--rows/--no-rows",
        default=True,
        help="Keep the rows of the first replication with the report, to draw it again by sim report.",
    ),
    click.option(
        "--spread", is_flag=True, help="Show where single runs lay, too: what one measured run is to be held against."
    ),
)
judging = together(
    click.option("--junit", metavar="FILE", help="Write expectations as JUnit XML, for a CI server."),
    click.option("--github-summary", metavar="FILE", help='Add a job summary to FILE: "$GITHUB_STEP_SUMMARY".'),
)
