"""Exemplars: the requests of which spans and stages are kept where those of all would be too many. Both engines choose
through here.

They are the slowest, and a uniform sample that is drawn by lot (those whose ids have the least lots), of the requests
that arrived after the warm-up. An engine keeps the rows of a request while it is open, and hands them over when it
closes, unless it knows already that the request is neither slow nor lucky enough. What is known only tightens, and ties
are broken by id, so that it does not matter when it learns of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.records.tables import SPAN, STAGE

SLOWEST, SAMPLED = 100, 100  # requests of each kind, which may be the same
UNANSWERED = -1.0
MOST_LUCK = (1 << 63) - 1

CANDIDATE = np.dtype(
    [
        ("id", "i8"),
        ("response", "f8"),  # s; UNANSWERED: none
        ("lot", "i8"),  # `chance.keyed.lot` of its id
        ("spans", "i8"),  # how many rows it has
        ("stages", "i8"),
    ]
)
"""One row per request that was handed over, in the order in which they closed.

Its spans and stages stand in this order too.
"""


class Exemplars:
    """The rows of those that are exemplars among the requests that have closed so far."""

    def __init__(self) -> None:
        self.candidates = np.empty(0, CANDIDATE)
        self.spans = np.empty(0, SPAN)
        self.stages = np.empty(0, STAGE)
        self.slow = 0.0  # s; who was answered sooner is none of the slowest
        self.lucky = MOST_LUCK  # who has a larger lot is not in the sample

    def add(self, candidates: NDArray[np.void], spans: NDArray[np.void], stages: NDArray[np.void]) -> None:
        """Take over the next requests that have closed, with their rows, and forget those that are no exemplars any
        more.
        """
        candidates = np.concatenate([self.candidates, candidates])
        slowest = np.lexsort((candidates["id"], -candidates["response"]))[:SLOWEST]
        slowest = slowest[candidates["response"][slowest] != UNANSWERED]
        sample = np.lexsort((candidates["id"], candidates["lot"]))[:SAMPLED]
        kept = np.zeros(candidates.size, dtype=bool)
        kept[slowest] = kept[sample] = True
        self.spans = np.concatenate([self.spans, spans])[np.repeat(kept, candidates["spans"])]
        self.stages = np.concatenate([self.stages, stages])[np.repeat(kept, candidates["stages"])]
        if slowest.size == SLOWEST:
            self.slow = float(candidates["response"][slowest[-1]])
        if sample.size == SAMPLED:
            self.lucky = int(candidates["lot"][sample[-1]])
        self.candidates = candidates[kept]
