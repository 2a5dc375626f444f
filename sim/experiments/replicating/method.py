"""How the figures of an experiment were come by, as far as it is not the ordinary way; said beside them, wherever they
are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.stats.batches import BATCHES
from sim.units import show_duration, show_rate, show_share
from sim.vocabulary import unit_of

ORDINARY = 0.95


@dataclass(frozen=True)
class FoundWarmup:
    """The warm-up that MSER-5 found, the longest of all variants, so that they stay paired."""

    seconds: float
    by_variant: dict[str, float]
    too_short: tuple[str, ...]  # the variants that had not settled by the half of the run
    pilot: int  # replications it was found from

    def __str__(self) -> str:
        found = f"warm-up: {show_duration(self.seconds)}, found by MSER-5 on the mean response of {_runs(self.pilot)}"
        if not self.too_short:
            return found
        return (
            f"{found}; run too short: {_listed(self.too_short)} had not settled by half of it, so lengthen it, or "
            "see whether the load can be borne at all"
        )


@dataclass(frozen=True)
class Precision:
    """Replications until the intervals are narrow enough, or until the cap."""

    relative: float  # asked for: the error of the mean, as a share of the truth
    metrics: tuple[str, ...]
    cap: int
    replications: int
    # half-width as a share of the mean, where it is still too wide
    missed: dict[str, float] = field(default_factory=dict)
    needed: int = 0  # about how many replications would do; 0: no number is known to
    unknown: tuple[str, ...] = ()  # without a finite value, of which more replications make none

    def __str__(self) -> str:
        if self.unknown:
            verb = "has" if len(self.unknown) == 1 else "have"
            return (
                f"precision: not reached, {_listed(self.unknown)} {verb} no finite value, after "
                f"{_runs(self.replications)}"
            )
        asked = f"{_listed(self.metrics)} within {show_share(self.relative)}"
        if not self.missed:
            return f"precision: {asked} after {_runs(self.replications)}"
        widths = "; ".join(
            f"{name} \u00b1 {show_share(width)}" if width < 1e3 else f"{name}, whose mean is about 0"
            for name, width in self.missed.items()
        )
        more = f"; it would take about {self.needed} replications" if self.needed else ""
        return (
            f"precision: not reached, {asked} was asked for: stopped at the cap of {_runs(self.cap)} with "
            f"{widths}{more}"
        )


@dataclass(frozen=True)
class Best:
    """The variant that Kim and Nelson's procedure selects."""

    metric: str
    indifference: str  # as it reads: 10ms
    confidence: float
    leader: str
    standing: tuple[str, ...]  # those that may still be the best; one: it is selected
    replications: dict[str, int]
    trouble: str = ""  # why nothing can be selected
    exact: bool = False  # nothing is random: the best is the best

    @property
    def decided(self) -> bool:
        """Whether one is selected, with its guarantee."""
        return len(self.standing) == 1 and not self.trouble

    def __str__(self) -> str:
        if self.trouble:
            return f"best: cannot be selected: {self.trouble}"
        if self.exact:
            return f"best: {self.leader} by {self.metric}: nothing is random"
        least, most = min(self.replications.values()), max(self.replications.values())
        spent = _runs(most) if least == most else f"{least} to {most} replications"
        if self.decided:
            sure = (
                f"right with a probability of at least {show_share(self.confidence)} if the best is ahead of all "
                f"others by {self.indifference} or more"
            )
            return f"best: {self.leader} by {self.metric}, {sure} (Kim and Nelson, {spent})"
        lead = f"{self.leader} leads so far, without a guarantee"
        return (
            f"best: not decided by {self.metric} when the cap was reached, after {spent}, between "
            f"{_listed(self.standing)}; {lead}"
        )


@dataclass(frozen=True)
class Inputs:
    """Inputs that are ranges, and how much of the variance between replications is due to them."""

    names: tuple[str, ...]  # their paths
    shares: dict[str, dict[str, float]]  # variant -> figure -> share of the variance; empty: too few replications
    needed: int  # replications from which it can be told

    def __str__(self) -> str:
        some = _listed(self.names[:3]) if len(self.names) <= 3 else f"{', '.join(self.names[:3])} and others"
        what = f"{len(self.names)} input{'s' if len(self.names) != 1 else ''} drawn anew in each replication ({some})"
        if not self.shares:
            return (
                f"inputs: {what}; the intervals hold their uncertainty; {self.needed} replications tell how much it is"
            )
        told = "; ".join(
            f"{name}: " + ", ".join(f"{key} {show_share(round(share, 2))}" for key, share in its.items())
            for name, its in self.shares.items()
        )
        return f"inputs: {what}; of the variance between replications they make: {told}"


@dataclass(frozen=True)
class Method:
    """All of it.

    The ordinary way: as many replications as were asked for, Student's t at 95 %, the warm-up as stated.
    """

    confidence: float = ORDINARY
    interval: str = "t"  # or "bootstrap"; for a single replication "batch means"
    warmup: FoundWarmup | None = None
    precision: Precision | None = None
    best: Best | None = None
    exact: bool = False  # nothing is random: one replication is enough, and its figures are their own intervals
    alike: int = 0  # so many replications were the same to the last request, although there is something random
    inputs: Inputs | None = None  # what is a range, and what that makes of the intervals

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """A sentence for each thing that is not ordinary."""
        if self.interval != "t" or self.confidence != ORDINARY:
            yield f"intervals: {show_share(self.confidence)}, {INTERVALS[self.interval]}"
        yield from self.parts()

    def parts(self) -> Iterator[str]:
        """What was found on the way: that nothing is random, the warm-up, the precision, the best."""
        if self.exact:
            yield "luck: nothing is random, so one replication is enough and its figures are exact"
        if self.alike:
            yield (
                f"luck: all {self.alike} replications are the same, request by request; something may be random, "
                "but it made no difference"
            )
        yield from (str(part) for part in (self.inputs, self.warmup, self.precision, self.best) if part is not None)


ORDINARILY = Method()

INTERVALS = {
    "t": "by Student's t over the replications",
    "bootstrap": (
        "by the studentised bootstrap over the replications; by Student's t where they are fewer than five "
        "or nearly all alike"
    ),
    "batch means": (
        f"from {BATCHES} batches of the one run, where its parts are independent of one another; - where they are not"
    ),
}


def in_words(amount: float, key: str) -> str:
    """An amount of a metric: `10ms`, `0.5%`, `20/s`."""
    unit = unit_of(key)
    shows = {"s": show_duration, "share": show_share, "1/s": show_rate}
    return shows[unit](amount) if unit in shows else f"{amount:g}"


def _runs(count: int) -> str:
    return f"{count} replication{'s' if count != 1 else ''}"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
