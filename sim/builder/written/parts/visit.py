"""Parts of a scenario in Python, as `sim/spec/visit.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.builder.saying import Part, part


def visit(
    *,
    requests: Mapping[str, Any] | Sequence[Any] | float | str | None = None,
    journey: Sequence[str] | None = None,
    think: Mapping[str, Any] | str | None = None,
    leaves_after_failure: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """What arrives is a person, who sends a request, thinks, and sends the next: a partly open system.

    requests: How many requests somebody sends, each by the shares of `sends`; at least 1, at most 1000.
    journey: Or which, one after the other: routes or endpoints. Then `sends` is not said.
    think: The pause between an answer and the next request.
    leaves_after_failure: Which share leaves after a request that was not answered well; a request that timed out is
        one.
    """
    return part(locals())
