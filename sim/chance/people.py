"""Whose a request is, by its id: what belongs to a person is drawn by that."""

from __future__ import annotations

from sim.chance.shared import shared

NUMBER_BITS = 40  # a request id is (digest of its source << 40) | running number
_NUMBER = (1 << NUMBER_BITS) - 1


@shared
def person_of(request: int, of_a_visit: int, staying: int) -> int:
    """The number of whoever sends a request: of somebody with a visit, which has so many numbers of its own; of one of
    so many who stay, and take turns with the numbers; where both are 0 every request is somebody else's.
    """
    number = request & _NUMBER
    if of_a_visit > 0:
        return request - number % of_a_visit
    return request - number + number % staying if staying > 0 else request
