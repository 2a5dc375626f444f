"""Parts of a scenario in Python, as `sim/spec/ageing.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def ageing(*, slow: Mapping[str, Any] | float | str, over: Literal[0] | Mapping[str, Any] | str) -> Part:
    """A leak: the longer a replica lives the slower it is, and a restart cures it (Huang et al., "Software
    Rejuvenation: Analysis, Module and Applications", FTCS 1995). Work takes 1 + (slow - 1) t / over times as
    long, t after it was ready, and `slow` times as long from `over` on.

    slow: How many times as long work takes in the end.
    over: How long it takes until then.
    """
    return part(locals())
