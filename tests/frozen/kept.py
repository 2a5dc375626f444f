"""The file of fingerprints: its lines, read and written."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from pathlib import Path

from tests.frozen.systems import Print

FILE = Path(__file__).with_name("fingerprints.txt")
HEAD = """\
# What both engines made of thousands of random systems, and of every shipped variant. Made by `python -m tests.frozen.freeze --why "..."`.
# why: when and for what reason any of it was made anew. library: what log and its kin gave on that machine, to the last bit.
# saw: a word of the vocabulary, and the first system in which it happened.
# Then, for each system: its seed or name, and digests of its document; of requests, messages and events; of series and books; of spans.
"""


@dataclass
class Kept:
    """What the file holds."""

    why: list[str] = field(default_factory=list)
    library: dict[str, str] = field(default_factory=dict)
    saw: dict[str, str] = field(default_factory=dict)  # word -> name of a system
    prints: dict[str, Print] = field(default_factory=dict)  # name of a system -> its digests


def read(path: Path = FILE) -> Kept:
    """The file; an empty one where there is none."""
    kept = Kept()
    for line in path.read_text().splitlines() if path.exists() else ():
        kind, _, rest = line.partition(" ")
        if kind == "why":
            kept.why.append(rest)
        elif kind == "library":
            name, digest = rest.split()
            kept.library[name] = digest
        elif kind == "saw":
            word, _, name = rest.rpartition(" ")
            kept.saw[word] = name
        elif kind != "#":
            kept.prints[kind] = Print(*rest.split())
    return kept


def write(kept: Kept, path: Path = FILE) -> None:
    """Write it whole."""
    lines = [f"why {reason}" for reason in kept.why]
    lines += [f"library {name} {digest}" for name, digest in kept.library.items()]
    lines += [f"saw {word} {name}" for word, name in kept.saw.items()]
    lines += [" ".join((name, *astuple(found))) for name, found in kept.prints.items()]
    path.write_text(HEAD + "\n".join(lines) + "\n")
