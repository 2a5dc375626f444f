"""`sim mcp`: the verbs as tools for assistants."""

from __future__ import annotations

from pathlib import Path

import click

from sim.cli.options import Whole, debug, plugin
from sim.cli.words import duration_of, size_of
from sim.errors import UsageError


@click.command(short_help="The verbs as tools for assistants (Model Context Protocol).")
@click.option(
    "--confine",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    metavar="DIR",
    help="Read no file outside of DIR.",
)
@click.option("--max-time", default="60s", show_default=True, metavar="TIME", help="Of one call; then it is ended.")
@click.option("--max-memory", default="2GB", show_default=True, metavar="SIZE", help="Of one call.")
@click.option(
    "--max-attempts",
    type=Whole(min=1),
    default=5_000_000,
    show_default=True,
    metavar="N",
    help="On services, in all runs of a call.",
)
@plugin
@debug
def mcp(confine: Path, max_time: str, max_memory: str, max_attempts: int, plugins: tuple[str, ...]) -> None:
    """The verbs as tools for assistants and editors that speak the Model Context Protocol, over stdio: check, run,
    compare, capacity, explain and schema. Each call is a process of its own, with bounds of time, memory and work;
    nothing outside of --confine is read, and nothing is written.

    \b
    Example:
      sim mcp --confine scenarios
      sim mcp --confine . --max-time 5m --max-memory 8GB
    """
    from sim.assisting.bounds import Bounds
    from sim.assisting.server import serve

    if not confine.is_dir():
        raise UsageError(f"--confine {confine}: no such directory")
    seconds = duration_of("max-time", max_time) or 0.0
    if seconds <= 0.0:
        raise UsageError(f"--max-time: found {max_time}, expected more than 0")
    files = tuple(str(Path(plugin).resolve()) for plugin in plugins)
    serve(Bounds(confine.resolve(), seconds, size_of("max-memory", max_memory), max_attempts, files))
