"""The verbs for shells and editors: completion, schema."""

from __future__ import annotations

import sys

import click

from sim.cli.completing import FILES, LINES, SHELLS
from sim.cli.options import debug, plugin
from sim.cli.streams import say, tell
from sim.errors import UsageError


@click.command(short_help="Complete verbs, scenarios, variants and metrics in the shell.")
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


@click.command()
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
