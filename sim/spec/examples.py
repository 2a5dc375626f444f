"""An example of every word of the language: `example_files/*.yaml` hold, under the name of a spec, a variant of one
shop (`shop.yaml`) in which its fields are said. The reference shows them, and tests hold that each is whole and runs,
and that no word is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from textwrap import dedent

from sim.spec.base import Spec

FOLDER = Path(__file__).parent / "example_files"
_SHOP = "shop.yaml"
_NAME = re.compile(r"^(\w+):\n", re.MULTILINE)


@cache
def shop() -> str:
    """The scenario that all examples are variants of, as a file would have it."""
    return (FOLDER / _SHOP).read_text(encoding="utf-8")


@cache
def examples() -> dict[str, str]:
    """Name of a spec -> what its example says on top of the shop, as it would stand under a variant's name."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name != _SHOP:
            _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
            found |= {name: _outdented(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return found


def example_of(cls: type[Spec]) -> str | None:
    """The example of a spec, which a plug-in writes into the class itself; None where there is none."""
    if cls.__module__.startswith("sim."):
        return examples().get(cls.__name__)
    return dedent(cls.__dict__.get("example", "")).strip("\n") or None  # its own, and not that of a base


def as_scenario(names: Iterable[str]) -> str:
    """The shop with these examples as its variants: a whole scenario file, whose recordings lie in `FOLDER`."""
    return on_the_shop({name: examples()[name] for name in names})


def on_the_shop(variants: Mapping[str, str]) -> str:
    """The shop with these variants."""
    indented = (f"  {name}:\n" + re.sub(r"^(?=.)", "    ", text, flags=re.MULTILINE) for name, text in variants.items())
    return shop() + "variants:\n" + "\n".join(indented) + "\n"


def _outdented(text: str) -> str:
    return re.sub(r"^  ", "", text.strip("\n"), flags=re.MULTILINE)
