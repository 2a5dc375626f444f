"""Parts of a scenario in Python, as `sim/spec/library_backoffs.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def tenacity_exponential(
    *,
    multiplier: Literal[0] | Mapping[str, Any] | str | None = None,
    exp_base: Mapping[str, Any] | float | str | None = None,
    min: Literal[0] | Mapping[str, Any] | str | None = None,
    max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Arguments of wait_exponential and wait_random_exponential: `multiplier * exp_base^(n-1)` before retry n.

    multiplier: The first pause.
    exp_base: How many times as long each is as the one before.
    min: No pause is shorter.
    max: No pause is longer.
    """
    return part(locals())


def tenacity_incrementing(
    *,
    start: Literal[0] | Mapping[str, Any] | str | None = None,
    increment: Literal[0] | Mapping[str, Any] | str | None = None,
    max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Arguments of wait_incrementing: `start + increment * (n-1)`.

    start: The first pause.
    increment: By how much each is longer than the one before.
    max: No pause is longer.
    """
    return part(locals())


def tenacity_jitter(
    *,
    multiplier: Literal[0] | Mapping[str, Any] | str | None = None,
    exp_base: Mapping[str, Any] | float | str | None = None,
    min: Literal[0] | Mapping[str, Any] | str | None = None,
    max: Literal[0] | Mapping[str, Any] | str | None = None,
    jitter: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Arguments of wait_exponential_jitter: `multiplier * exp_base^(n-1)` and an even share of `jitter`, kept
    between `min` and `max` (`multiplier` was called `initial` before tenacity 9.2).

    multiplier: The first pause.
    exp_base: How many times as long each is as the one before.
    min: No pause is shorter.
    max: No pause is longer.
    jitter: What is added at most.
    """
    return part(locals())


def tenacity_random(
    *, min: Literal[0] | Mapping[str, Any] | str | None = None, max: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """Arguments of wait_random: evenly between two times.

    min: The shortest pause.
    max: The longest pause.
    """
    return part(locals())
