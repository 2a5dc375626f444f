"""What the shell may complete: scenarios, variants, metrics and formats.

Nothing is said where a file does not load: that is for the command itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from sim.errors import SimError

SHELLS = ("bash", "zsh", "fish")
LINES = {
    "bash": 'eval "$(_SIM_COMPLETE=bash_source sim)"',
    "zsh": 'eval "$(_SIM_COMPLETE=zsh_source sim)"',
    "fish": "_SIM_COMPLETE=fish_source sim | source",
}
FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/sim.fish"}


def scenarios(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Shipped scenarios, and the files of the folder by the shell's own means."""
    del context, parameter
    from sim.experiments import shipped

    return [*_items(shipped.names(), incomplete), CompletionItem(incomplete, type="file")]


def variants(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Those of the scenario that stands before it; of a list the part behind the last comma."""
    del parameter
    words = [context.params.get("file"), context.params.get("source"), *(context.params.get("files") or ())]
    # click sets no argument while an option lacks its value
    words += [word for word in context.args if not word.startswith("-")]
    given = next((word for word in words if word), None)
    if given is None:
        return []
    from sim.experiments.shipped import load

    try:
        names = list(load(given).variants)
    except SimError:  # the command will tell what is wrong with it
        return []
    before, comma, last = incomplete.rpartition(",")
    said = {name.strip() for name in before.split(",")}
    return _items([f"{before}{comma}{name}" for name in names if name not in said], f"{before}{comma}{last}")


def metrics(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of metrics, with what they mean."""
    del context, parameter
    from sim.vocabulary import METRICS

    return [
        CompletionItem(name, help=metric.meaning) for name, metric in METRICS.items() if name.startswith(incomplete)
    ]


def formats(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Formats of `sim export`, with what they are."""
    del context, parameter
    from sim.exporting import FORMATS

    return [CompletionItem(found.name, help=found.title) for found in FORMATS if found.name.startswith(incomplete)]


def language(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Words of the scenario language: kinds, parts and fields."""
    del context, parameter
    from sim.spec.reference import vocabulary

    return _items(sorted(vocabulary()), incomplete)


def _items(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
