"""Lines of KEY=VALUE, such as the `.env` beside a compose file: the values of variables that other files use."""

from __future__ import annotations

from collections.abc import Sequence

from sim.importing.draft import Draft
from sim.importing.interpolation import resolve
from sim.importing.parts import Part
from sim.importing.reading import VARIABLES, Document
from sim.spec.document import Data, Place


def recognises(value: Data) -> bool:
    """The document that the reader makes of such lines."""
    return isinstance(value, dict) and set(value) == {VARIABLES}


def read(documents: Sequence[Document], draft: Draft) -> None:
    """Values may use those above them, as in the `.env` of compose; later files go before earlier ones."""
    for document in documents:
        for name, part in Part(document.value, Place(document.file), "file", draft.notes)[VARIABLES].entries():
            draft.variables[name] = resolve(part.text(), draft.variables)
            draft.take(part.at, "variable")
