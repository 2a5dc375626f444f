"""The verb that explains a word of the language in the terminal: what it means, how it is written, an example."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from sim.cli.completing import language
from sim.cli.options import debug, plugin
from sim.cli.streams import columns_of_terminal, say
from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.spec.reference import Entry, Field

_MOST = 3  # owners of a field that are shown whole, with their examples
_WIDEST = 100  # columns of a line that is read


@click.command(short_help="Explain a word of the language, with an example.")
@click.argument("names", nargs=-1, metavar="[WORD]...", shell_complete=language)
@plugin
@debug
def words(names: tuple[str, ...], plugins: tuple[str, ...]) -> None:
    """What a word of a scenario means: its fields with units and defaults, the real system it follows, an example that
    runs, and what it does not model. Without a WORD all of them are listed.

    \b
    Example:
      sim words circuit_breaker       a field of policies, and what it holds
      sim words outage                a fault
      sim words Scenario              the top of a file, and the shop that the examples are variants of
    """
    from sim.spec.plugins import load_plugins
    from sim.spec.reference import entries

    load_plugins(plugins)
    width = min(columns_of_terminal(), _WIDEST)
    say("\n".join(_explained(names, entries(), width) if names else _list(width)))


def _explained(names: Sequence[str], known: Sequence[Entry], width: int) -> Iterator[str]:
    for place, name in enumerate(names):
        if place:
            yield ""
        yield from _explanation(name, known, width)


def _explanation(name: str, known: Sequence[Entry], width: int) -> Iterator[str]:
    """The entries of this name; of a field its owners, and what it holds."""
    found = [entry for entry in known if name in (entry.title, entry.cls.__name__)]
    owners: dict[Field, list[Entry]] = {}  # who have it with the same meaning
    for entry in known:
        for field in entry.fields:
            if field.word == name:
                owners.setdefault(field, []).append(entry)
    held = {word for field in owners for word in field.written.split()}
    found += [entry for entry in known if entry.cls.__name__ in held and entry not in found]
    if not found and not owners:
        from sim.spec.not_modelled import hint_for
        from sim.spec.reference import vocabulary

        raise UsageError(f"words: the language has no word '{name}'{hint_for(name, vocabulary())}")
    yield from _of_fields(owners, width, with_examples=not found)
    for entry in found:
        yield from ([""] if owners or entry is not found[0] else [])
        yield from _whole(entry, width)


def _of_fields(owners: Mapping[Field, Sequence[Entry]], width: int, with_examples: bool) -> Iterator[str]:
    for field, entries in owners.items():
        yield from _wrapped(f"{field.word}, of {', '.join(map(_name, entries))}: {_how(field)}", width, "", "  ")
        yield from _wrapped(field.meaning, width, "    ")
    every = list(dict.fromkeys(entry.title for entries in owners.values() for entry in entries))
    if len(every) > _MOST:
        yield from _wrapped(f"Each with its example: sim words {' '.join(every)}", width)
    elif with_examples:
        for field, entries in owners.items():
            for entry in entries:
                yield from _example(entry, field.word)


def _whole(entry: Entry, width: int) -> Iterator[str]:
    yield _name(entry)
    for paragraph in re.split(r"\n\s*\n", entry.about):
        yield from _wrapped(" ".join(paragraph.split()), width, "  ")
        yield ""
    for field in entry.fields:
        yield from _wrapped(f"{field.word}: {_how(field)}", width, "  ", "      ")
        yield from _wrapped(field.meaning, width, "      ")
    if entry.left:
        yield ""
        yield from _wrapped(f"Leaves behind: {entry.left}.".replace("`", ""), width, "  ")
    yield from _example(entry)


def _example(entry: Entry, marked: str = "") -> Iterator[str]:
    """Its example, the lines that say the marked word pointed at."""
    if entry.example is None:
        return
    whose = "the shop" if entry.title == "Scenario" else "on top of the shop (sim words Scenario)"
    yield ""
    yield f"  Example, {whose}:" if not marked else f"  Example of {_name(entry)}, {whose}:"
    for line in entry.example.strip().splitlines():
        here = bool(marked) and re.search(rf"\b{re.escape(marked)}\b", line) is not None
        yield f"  {'>' if here else ' '} {line}"


def _name(entry: Entry) -> str:
    return entry.title if entry.title == entry.cls.__name__ else f"{entry.title} ({entry.cls.__name__})"


def _how(field: Field) -> str:
    written = field.written.replace("`", "")
    default = f"{field.default}" if field.default == "required" else f"{field.default} by default"
    return "; ".join(part for part in (written, default if field.default else "") if part)


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _list(width: int) -> Iterator[str]:
    """All words by kind, and the parts that fields lead to."""
    from typing import get_args

    from sim.spec.base import Kind
    from sim.spec.base import words as registered
    from sim.spec.reference import TITLES, titles

    of_kinds = {cls for kind in get_args(Kind) for cls in registered(kind).values()}
    for kind in get_args(Kind):
        if registered(kind):
            yield from _wrapped(f"{TITLES[kind]}: {', '.join(registered(kind))}", width, "", "  ")
    parts = sorted(title for title, cls, _ in titles() if cls not in of_kinds)
    yield from _wrapped(f"Parts: {', '.join(parts)}", width, "", "  ")
    yield "sim words NAME explains one of them, or any field: sim words max_attempts"
