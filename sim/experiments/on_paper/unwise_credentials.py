"""Warnings of `sim check` about access tokens of callers."""

from __future__ import annotations

from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.credentials import tokens_of
from sim.experiments.on_paper.offered_load import Finding
from sim.units import show_duration


def tokens_never_used_again(view: View) -> Iterator[Finding]:
    """Tokens that are due when they come: each call asks for one."""
    for place, token in tokens_of(view.scenario):
        if token.used == 0.0:
            found = (
                f"a token of {token.provider} lives {show_duration(token.lives)}, and another is asked for "
                f"{show_duration(token.refresh_before)} before its end"
            )
            yield Finding(place, found, "every call asks for one: say a shorter refresh_before")


RULES = (tokens_never_used_again,)
