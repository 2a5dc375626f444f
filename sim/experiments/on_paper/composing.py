"""What becomes of the times of steps that are made of other steps: repeated, at once, or the first of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.experiments.on_paper.attempts import FOLLOWED, Ends
from sim.experiments.on_paper.times import NEVER, NOTHING, Parts, Times, any_of, condensed, longest
from sim.spec.counting import HowMany


@dataclass(frozen=True)
class Composed:
    """How all ends, and how often the steps inside are begun."""

    ends: Ends
    begun: float


def one_after_the_other(once: Ends, times: HowMany) -> Composed:
    """Until one does not end well. From the 31st time on only the means are followed."""
    tails = (*times.tails, 0.0)
    so_far, begun = Times(), 0.0
    flat = Ends(*(Times(part.share, part.mean) for part in (once.ok, once.refused, once.failed)))
    ok, refused, failed = [so_far.of(1.0 - tails[0])], list[Times](), list[Times]()
    for number, tail in enumerate(tails[:-1]):
        its = once if number < FOLLOWED else flat
        if tail * so_far.share < NOTHING:
            break
        begun += tail * so_far.share
        refused.append(so_far.plus(its.refused).of(tail))
        failed.append(so_far.plus(its.failed).of(tail))
        so_far = so_far.plus(its.ok)
        ok.append(so_far.of(tail - tails[number + 1]))
    return Composed(Ends(any_of(ok), any_of(refused), any_of(failed)), begun)


def all_at_once(once: Ends, times: HowMany) -> Composed:
    """All are waited for; the first in order that does not end well says how it ends."""
    tails = (1.0, *times.tails, 0.0)
    each = any_of([once.ok, once.refused, once.failed])
    ok, refused, failed = list[Times](), list[Times](), list[Times]()
    for number, (tail, following) in enumerate(pairwise(tails)):
        if tail - following <= NOTHING:
            continue
        lasting = _longest_of(each, number).of(tail - following)
        good = once.ok.share**number
        bad = (
            0.0
            if good == 1.0
            else (1.0 - good) * once.refused.share / max(once.refused.share + once.failed.share, NOTHING)
        )
        ok.append(lasting.of(good))
        refused.append(lasting.of(bad))
        failed.append(lasting.of(max(0.0, 1.0 - good - bad)))
    return Composed(Ends(any_of(ok), any_of(refused), any_of(failed)), times.mean)


def first_of(branches: Sequence[Ends]) -> Ends:
    """The first branch that ends well; where none does, as the first of them, when all are over."""
    none = math.prod(1.0 - branch.ok.share for branch in branches)
    bad = [any_of([branch.refused, branch.failed]) for branch in branches]
    refused = failed = NEVER
    if none > NOTHING:
        lasting = longest(bad).of(none)
        share = branches[0].refused.share / bad[0].share
        refused, failed = lasting.of(share), lasting.of(1.0 - share)
    return Ends(_earliest([branch.ok for branch in branches]).of(1.0 - none), refused, failed)


def enough_of(branches: Sequence[Ends], enough: int) -> Ends:
    """When so many branches have ended well, or one more has not than may; of which kind that is by their shares."""
    bad = [any_of([branch.refused, branch.failed]) for branch in branches]
    ok, failed = _so_many([branch.ok for branch in branches], enough), _so_many(bad, len(branches) - enough + 1)
    share = math.fsum(branch.refused.share for branch in branches) / max(math.fsum(it.share for it in bad), NOTHING)
    return Ends(ok, failed.of(share), failed.of(1.0 - share))


def _so_many(several: Sequence[Times], number: int) -> Times:
    """When so many of several have come that do not depend on one another, each of which may never come; its share is
    how often they do.
    """
    several = [times for times in several if times.share > NOTHING]
    if len(several) < number:
        return NEVER
    laws = [times.law for times in several]
    at = np.unique(np.concatenate([law.at for law in laws]))
    there = np.zeros((number + 1, at.size))  # how likely it is that so many have come by then, the last: or more
    there[0] = 1.0
    for times, law in zip(several, laws, strict=True):
        come = times.share * np.concatenate([[0.0], np.cumsum(law.mass)])[np.searchsorted(law.at, at, side="right")]
        there[number] += there[number - 1] * come
        for count in range(number - 1, 0, -1):
            there[count] += come * (there[count - 1] - there[count])
        there[0] *= 1.0 - come
    mass = np.diff(there[number], prepend=0.0)
    share = float(mass.sum())
    if share <= NOTHING:
        return NEVER
    return Times(1.0, 0.0, Parts((condensed(at, mass / share, np.zeros(at.shape)),))).of(share)


def _earliest(several: Sequence[Times]) -> Times:
    """The least of several that do not depend on one another, each of which may never come, given that one does."""
    several = [times for times in several if times.share > NOTHING]
    if not several:
        return NEVER
    if all(not times.parts for times in several) and any(times.share >= 1.0 for times in several):
        surest = min(times.fixed for times in several if times.share >= 1.0)
        if all(times.share >= 1.0 or times.fixed >= surest for times in several):
            return Times(1.0, surest)
    laws = [times.law for times in several]
    at = np.unique(np.concatenate([law.at for law in laws]))
    late = np.ones(at.shape)
    for times, law in zip(several, laws, strict=True):
        late *= (
            1.0 - times.share * np.concatenate([[0.0], np.cumsum(law.mass)])[np.searchsorted(law.at, at, side="right")]
        )
    mass = -np.diff(late, prepend=1.0)
    return Times(1.0, 0.0, Parts((condensed(at, mass / mass.sum(), np.zeros(at.shape)),)))


def _longest_of(each: Times, number: int) -> Times:
    """The longest of so many alike."""
    if number == 0:
        return Times()
    if number == 1 or not each.parts:
        return Times(1.0, each.fixed, each.parts)
    law = each.law
    below = np.cumsum(law.mass) ** number
    mass = np.diff(below, prepend=0.0)
    return Times(1.0, 0.0, Parts((condensed(law.at, mass / mass.sum(), np.zeros(law.at.shape)),)))
