"""Parts of a scenario in Python, as `sim/spec/composed.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.builder.saying import Part, part


def alternative(*, share: Mapping[str, Any] | float | str | None = None, do: Sequence[Mapping[str, Any] | str]) -> Part:
    """One way to go on, and how often it is taken.

    share: How often it is taken; without one: whenever no other branch is. At most one branch goes without.
    do: Its steps.
    """
    return part(locals())
