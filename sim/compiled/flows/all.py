"""All that is written from flows: files and their texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sim.compiled.cutting.kinds import kinds
from sim.compiled.cutting.modules import WRITTEN
from sim.compiled.flows import (
    attempts,
    caches,
    calls,
    clients,
    composed,
    limits,
    locks,
    members,
    publications,
    queues,
    sagas,
    steps,
    tokens,
)

ROOMS = (attempts, caches, calls, clients, composed, limits, locks, members, publications, queues, sagas, steps, tokens)


def files() -> Iterator[tuple[Path, str]]:
    """Each file, and what stands in it."""
    yield Path(__file__).parent / "kinds.py", kinds()
    for room in ROOMS:
        for module in room.modules():
            yield WRITTEN / f"{module.name}.py", module.text()
