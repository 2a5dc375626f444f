"""Putting things on a line near where they want to be, without overlap and without changing their order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def spread(
    wanted: Sequence[float], sizes: Sequence[float], least: float | None = None, most: float | None = None
) -> list[float]:
    """Centres of things of the given sizes, in the given order, as close to `wanted` as they may stand (least squares).

    `least` and `most` bound the outer edges where there is room; `least` wins where there is not.
    """
    offsets = [0.0] if sizes else []
    for before, after in itertools.pairwise(sizes):
        offsets.append(offsets[-1] + (before + after) / 2)
    blocks: list[list[float]] = []  # [sum, count] of runs that touch (pool adjacent violators)
    for want, offset in zip(wanted, offsets, strict=True):
        blocks.append([want - offset, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    places = [total / count for total, count in blocks for _ in range(int(count))]
    if most is not None and sizes:
        places = [min(place, most - sizes[-1] / 2 - offsets[-1]) for place in places]
    if least is not None and sizes:
        places = [max(place, least + sizes[0] / 2) for place in places]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]
