"""Values that stand in for what nobody has supplied yet: those that `sim import` marked in a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.experiments.on_paper.offered_load import Finding
from sim.vocabulary import TO_BE_SUPPLIED

_MARK = re.compile(rf"(?:^|\s)#\s*{TO_BE_SUPPLIED}\b")
_NAMED = 5  # lines


def stand_ins(text: str) -> Iterator[Finding]:
    """One finding for all of them."""
    lines = [str(number) for number, line in enumerate(text.splitlines(), 1) if _MARK.search(line)]
    if lines:
        more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
        what = (
            f"{len(lines)} values stand in for what nobody measured"
            if len(lines) > 1
            else "a value stands in for what nobody measured"
        )
        why = "no figure means anything until they are supplied; take the mark out of the comment of one that is"
        yield Finding(
            f"line {', '.join(lines[:_NAMED])}{more}", f"{what} ({TO_BE_SUPPLIED})", why, kind=stand_ins.__name__
        )
