"""Files as a user would name them, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from sim.importing import Imported, import_files
from sim.spec import load_text
from sim.spec.reading import read_yaml


@dataclass
class Found:
    """An import: its text, its document, and all that was said."""

    imported: Imported

    @property
    def text(self) -> str:
        return self.imported.text

    @property
    def document(self) -> Any:
        return read_yaml(self.text)

    @property
    def scenario(self) -> Any:
        return next(iter(load_text(self.text).variants.values()))

    def remark(self, words: str) -> str:
        """The one line of the text that holds these words."""
        lines = [line.strip() for line in self.text.splitlines() if words in line]
        assert len(lines) == 1, lines
        return lines[0]

    def left_out(self, what: str) -> list[tuple[int, str]]:
        """Line and reason of what was left out under this name."""
        return [(note.line, note.why) for note in self.imported.told.left_out if note.what == what]


def imported(folder: Any, kind: str | None = None, **files: str) -> Found:
    """What these files together become; `a_yaml` is the file `a.yaml`."""
    names = []
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(dedent(text).lstrip("\n"))
        names.append(str(path))
    return Found(import_files(names, kind))
