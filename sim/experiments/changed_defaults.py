"""The defaults of `version: 1` that have changed their meaning, and where a scenario relies on one of them.

Each rule answers with what the value was, what it is now, and what to write for the old one. The same list stands in CHANGELOG.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sim.experiments.offered_load import Finding
from sim.experiments.view import View
from sim.spec.base import Spec


def relies_on_default(spec: Spec, field: str) -> bool:
    """Whether the scenario leaves this field to its default."""
    return field not in spec.model_fields_set


def changed_defaults(view: View) -> Iterator[Finding]:
    """Every changed default that this variant relies on."""
    for rule in RULES:
        yield from rule(view)


RULES: Sequence[Callable[[View], Iterator[Finding]]] = ()
