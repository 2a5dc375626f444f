"""Parts of a scenario in Python, as `sim/spec/phases.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def branch(*, probability: Mapping[str, Any] | float | str, mean: Literal[0] | Mapping[str, Any] | str) -> Part:
    """One exponential of a hyperexponential, and how often it is taken.

    probability: How often it is this one.
    mean: The mean of this one.
    """
    return part(locals())
