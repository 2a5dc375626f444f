"""Parts of a scenario in Python, as `sim/spec/step.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.builder.saying import Part, part


def effect_options(*, idempotent: bool | None = None) -> Part:
    """How an effect behaves when it runs twice.

    idempotent: Whether a second time is recognised and leaves nothing behind.
    """
    return part(locals())


def take_options(*, check_to_write: Mapping[str, Any] | str | None = None) -> Part:
    """How stock is taken: with `check_to_write`, check and write are separate steps and may race.

    check_to_write: Time between looking whether there is one and taking it; meanwhile others look, too.
    """
    return part(locals())
