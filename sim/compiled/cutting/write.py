"""Writes what is cut from flows, and the rows as flows see them: `python sim/compiled/cutting/write.py`.

It is run as a file and not as a module: the engine imports what is written, which may not be there yet, or name what
is no more. So something that answers to any name stands in its place meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

PACKAGE = "sim.compiled.written"
MODULES = ("attempts", "calls", "clients", "killed", "members", "publications", "steps", "watched")


class WhateverIsAsked(ModuleType):
    """A module that has whatever it is asked for."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: None


def main() -> None:
    """Write all of it."""
    for name in MODULES:
        sys.modules[f"{PACKAGE}.{name}"] = WhateverIsAsked(f"{PACKAGE}.{name}")
    from sim.compiled.flows.all import files

    for path, text in files():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose modules have names of their own
    main()
