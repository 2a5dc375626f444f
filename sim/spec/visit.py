"""People who send several requests one after the other, think between them, and may leave in the middle."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Leaves, Share, Spec
from sim.spec.counting import HowMany
from sim.spec.distribution import AnyDistribution, Constant

MOST_REQUESTS = 1000  # of one visit
_Journey = Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_REQUESTS)]


class Visit(Spec):
    """What arrives is a person, who sends a request, thinks, and sends the next: a partly open system.

    Few requests for each behave as an open system, many as a closed one (Schroeder et al., NSDI 2006).
    All of a visit are of one user. On paper nobody leaves before the end.

    Not modelled: requests at once (a browser's connections), pages that depend on what was answered, and people who
    come back.
    """

    leaves: ClassVar[Leaves] = Leaves(series=("visits", "visits_left"))
    requests: HowMany | None = None
    """How many requests somebody sends, each by the shares of `sends`; at least 1, at most 1000."""
    journey: _Journey | None = None
    """Or which, one after the other: routes or endpoints. Then `sends` is not said."""
    think: AnyDistribution = Constant(value=0.0)
    """The pause between an answer and the next request."""
    leaves_after_failure: Share = 0.0
    """Which share leaves after a request that was not answered well; a request that timed out is one."""

    @property
    def mean(self) -> float:
        """Requests of a visit, where nobody leaves."""
        if self.journey is not None:
            return float(len(self.journey))
        return 1.0 + sum(self.requests.tails[1:MOST_REQUESTS]) if self.requests is not None else 1.0

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.requests is None) == (self.journey is None):
            found = "requests and journey together" if self.requests is not None else "neither requests nor journey"
            raise ValueError(f"found {found}, expected one of them")
        if self.requests is not None and self.requests.mean > MOST_REQUESTS / 10:
            most = MOST_REQUESTS // 10
            raise ValueError(f"found {self.requests.mean:g} requests on average, expected at most {most}")
        return self
