"""Writes what is cut from flows, and the rows as flows see them: `python sim/compiled/cutting/write.py`.

It is run as a file and not as a module: the engine imports what is written, which may not be there yet, or name what
is no more. So modules that have whatever they are asked for stand in its place meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

WRITTEN = "sim.compiled.written."


class StandIn(ModuleType):
    """A module that has whatever it is asked for."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: None


class StandIns(MetaPathFinder, Loader):
    """Finds one in the place of each module that is written."""

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """None for all others."""
        return ModuleSpec(name, self) if name.startswith(WRITTEN) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make it."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it to run."""


def main() -> None:
    """Write all of it."""
    sys.meta_path.insert(0, StandIns())
    from sim.compiled.flows.all import files

    for path, text in files():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose modules have names of their own
    main()
