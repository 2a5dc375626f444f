"""Back-offs in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, named


def constant(delay: Literal[0] | Mapping[str, Any] | str) -> Part:
    """The same pause before each retry.

    delay: The pause.
    """
    return named("constant", locals())


def exponential(
    base: Literal[0] | Mapping[str, Any] | str,
    *,
    multiplier: Mapping[str, Any] | float | str | None = None,
    throttled_base: Literal[0] | Mapping[str, Any] | str | None = None,
    max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """`base * multiplier**(k-1)` before retry k, at most `max` (AWS Architecture Blog, "Exponential Backoff and
    Jitter").

    base: The first pause.
    multiplier: How many times as long each is as the one before.
    throttled_base: In the place of `base` after an answer `rate_limited`: in botocore's standard mode 1 s, where
        `base` is 50 ms.
    max: No pause is longer.
    """
    return named("exponential", locals())


def linear(
    base: Literal[0] | Mapping[str, Any] | str, *, max: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """`base`, twice `base`, three times `base` ... at most `max`.

    base: The first pause, and by how much each is longer than the one before.
    max: No pause is longer.
    """
    return named("linear", locals())
