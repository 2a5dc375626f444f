"""What one call of a tool may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bounds:
    """Bounds of every call, which no caller can widen."""

    folder: Path  # nothing outside of it is read, but shipped scenarios
    seconds: float = 60.0  # of the clock; then the process is ended
    memory: float = 2e9  # bytes, on paper before a run; with some room for the interpreter the process can have no more
    attempts: float = 5e6  # on services, of all runs of a call together, on paper before they begin
    plugins: tuple[str, ...] = ()  # files of code that scenarios may run


REPLICATIONS = 100  # of one call at most
LONGEST_ANSWER = 20_000  # characters of text; a table of a dozen variants has half of it
