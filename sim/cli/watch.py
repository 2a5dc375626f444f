"""`sim watch`: a scenario checked and run again whenever its file is saved."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from sim import files
from sim.cli.completing import scenarios
from sim.cli.options import debug, loading
from sim.cli.streams import tell
from sim.errors import Interrupted, UsageError

LOOKS = 0.3  # s between two looks at the file
_MOST = 4 * 2**20  # bytes: a scenario has no more
_QUICK = ("--replications", "1")


@click.command(
    short_help="Check and run again whenever the file is saved.", context_settings={"ignore_unknown_options": True}
)
@click.argument("file", shell_complete=scenarios)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF sim compare]...")
@loading
@debug
def watch(
    file: str,
    options: tuple[str, ...],
    sets: tuple[str, ...],
    seed: int | None,
    plugins: tuple[str, ...],
    confine: Path | None,
) -> int:
    """Check a scenario, and where it is without errors compare its variants, now and whenever its file is saved; until
    Ctrl-C.

    One replication of each variant, unless --replications says otherwise: quick to see what a change does, not how sure
    it is. Options of sim compare go through. Of the files that a scenario names (recordings, plug-ins) no changes are
    seen.

    \b
    Example:
      sim watch shop.yaml
      sim watch shop.yaml --variants sync,async --replications 4
    """
    from sim.cli import answer

    if not Path(file).is_file():
        raise UsageError(f"{file}: no such file, expected one that is saved now and then (sim new makes one)")
    repeated = _repeated(sets, seed, plugins, confine)
    for content in _saved(file):
        if sys.stdout.isatty():
            click.clear()
        code = answer(["check", file, *repeated])
        if code == 0:
            code = answer(["compare", file, *(() if "--replications" in options else _QUICK), *options, *repeated])
        if code == Interrupted.exit_code:  # in the midst of a run Ctrl-C ends it as well
            return code
        tell(f"watching {file} ({len(content):,} bytes); Ctrl-C ends it")
    return 0


def _repeated(sets: Sequence[str], seed: int | None, plugins: Sequence[str], confine: Path | None) -> list[str]:
    """The options of loading, as they were given."""
    words = [word for text in sets for word in ("--set", text)]
    words += ["--seed", str(seed)] if seed is not None else []
    words += [word for plugin in plugins for word in ("--plugin", plugin)]
    return [*words, *(["--confine", str(confine)] if confine is not None else [])]


def _saved(file: str) -> Iterator[bytes]:
    """What is in the file, now and whenever it is something else; while an editor has it half away nothing."""
    before: bytes | None = None
    while True:
        try:
            content = files.read(file, _MOST)
        except files.UnreadableError:
            content = before or b""
        if content and content != before:
            before = content
            yield content
        time.sleep(LOOKS)
