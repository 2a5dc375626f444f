"""What the models leave out, collected from the ends of their docstrings.

Nothing is imported or run for it: the source is read.
"""

from __future__ import annotations

import ast
from pathlib import Path

import sim
from sim.spec.plugins import texts_that_ran

_OPENINGS = ("Not modelled:", "Does not model:")


def collect_not_modelled(folder: Path | None = None) -> tuple[tuple[str, str], ...]:
    """(component, what its model leaves out) of every file in `sim/models/` that says so, and of the plug-ins that run,
    in the order of the names.
    """
    ours = Path(sim.__file__).parent / "models" if folder is None else folder
    sources = [(path.stem, path.read_text(encoding="utf-8")) for path in sorted(ours.rglob("*.py"))]
    sources += [(Path(path).stem, text) for path, text in sorted(texts_that_ran().items())] if folder is None else []
    found = ((name.replace("_", " "), left_out(text)) for name, text in sources)
    return tuple((name, text) for name, text in found if text)


def left_out(source: str) -> str:
    """The paragraph of a module's docstring that begins with `Not modelled:`; '' without one."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    for paragraph in docstring.split("\n\n"):
        for opening in _OPENINGS:
            before, found, text = " ".join(paragraph.split()).partition(opening)
            if found and not before:
                return text.strip()
    return ""
