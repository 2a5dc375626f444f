"""Parts of a scenario in Python, as `sim/spec/saga.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.builder.saying import Part, part


def saga_step(*, do: Sequence[Mapping[str, Any] | str], undo: Sequence[Mapping[str, Any] | str] | None = None) -> Part:
    """One transaction, and what undoes it.

    do: What is done.
    undo: What undoes it; without any there is nothing to undo.
    """
    return part(locals())
