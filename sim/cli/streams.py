"""What is said on stdout and stderr, with nothing in it that a terminal would obey, and readers who have gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys

import click

from sim.errors import OutputError, UsageError, printable


def say(text: str) -> None:
    """A line to stdout. A reader who has gone (`| head`) ends the talking, not the work."""
    try:
        click.echo(printable(text))
    except BrokenPipeError:
        mute()
    except OSError as error:
        mute()
        raise OutputError(not_said(error)) from None


def columns_of_terminal() -> int:
    """The width of the terminal; where there is none, or it is narrower than what can be read, 80."""
    return max(80, shutil.get_terminal_size((80, 40)).columns)


def pour(content: bytes) -> None:
    """Bytes to stdout as they are; a terminal is shown none, since it would obey them."""
    if sys.stdout.isatty():
        raise UsageError("found a terminal, expected a file for what is no text: --out FILE, or a pipe")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    except BrokenPipeError:
        mute()
    except OSError as error:
        mute()
        raise OutputError(not_said(error)) from None


def tell(text: str) -> None:
    """A line to stderr; where that is gone, nobody is there to be told."""
    with contextlib.suppress(OSError):
        click.echo(printable(text), err=True)


def not_said(error: OSError) -> str:
    """What is told where stdout takes no more."""
    return f"stdout could not be written: {error.strerror or error}"


def open_closed() -> None:
    """A stream that was closed (`>&-`) goes nowhere; left closed, the next file that is opened would take its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def mute() -> None:
    """Let what is still to be said go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
