"""The header x-death: how often a message was given up, by which queue and why, and whether it goes
round in a circle.
"""

from __future__ import annotations

from sim.models.queues.letter import Death, Letter

CAUSES = ("rejected", "expired", "maxlen", "delivery_limit")
"""Why a queue gives a message up."""


def count_death(letter: Letter, queue: str, cause: str) -> None:
    """Put it at the head of x-death, or count it there (docs/dlx.md)."""
    deaths = letter.deaths
    for index, death in enumerate(deaths):
        if (death.queue, death.cause) == (queue, cause):
            death.count += 1
            deaths.insert(0, deaths.pop(index))
            return
    deaths.insert(0, Death(queue, cause))


def in_circle(letter: Letter, queue: str) -> bool:
    """Whether it would come to a queue again without ever having been rejected on the way: then it is dropped there
    (rabbit_dead_letter:is_cycle).
    """
    for death in letter.deaths:
        if death.cause == "rejected":
            return False
        if death.queue == queue:
            return True
    return False
