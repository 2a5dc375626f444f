"""Parts of a scenario in Python, as `sim/spec/counting.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.builder.saying import Part, part


def how_many(
    *,
    exactly: Mapping[str, Any] | int | str | None = None,
    uniform: Sequence[Any] | None = None,
    geometric: Mapping[str, Any] | float | str | None = None,
    poisson: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """A number of times: `3`, `{uniform: [1, 5]}`, `{geometric: 3}`, `{poisson: 2}`.

    exactly: So many times.
    uniform: Any whole number from the first to the second, both included, each as likely.
    geometric: Once, and after each time once more with the same chance: the mean, at least 1.
    poisson: As many as independent occasions happen to be: the mean; it may be 0 times.
    """
    return part(locals())
