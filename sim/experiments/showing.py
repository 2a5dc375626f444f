"""How results show themselves, printed and in Jupyter: as the terminal shows them.

The report stands on a floor above, and is known here by name alone: who shows nothing does not import it.
"""

from __future__ import annotations

import importlib
from typing import Any

_ROOM = "sim.report.notebook"


class Shown:
    """A result that `print`, the prompt and Jupyter show as the terminal does: figures with units and intervals,
    differences with their marks, expectations, the answer.
    """

    def __repr__(self) -> str:
        return str(_room().text_of(self))

    def _repr_html_(self) -> str:
        return str(_room().html_of(self))


def _room() -> Any:  # noqa: ANN401 - a module of a floor above
    return importlib.import_module(_ROOM)
