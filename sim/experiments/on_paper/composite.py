"""Follows steps that are made of other steps through a scenario on paper: how often each list is gone through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

from sim.experiments.on_paper.attempts import Ends
from sim.experiments.on_paper.composing import all_at_once, enough_of, first_of, one_after_the_other
from sim.experiments.on_paper.profile import Profile, lock_held
from sim.experiments.on_paper.times import Times, any_of
from sim.spec import actions as does
from sim.spec.step import Step

Adding: TypeAlias = Callable[[float], None]
Composite: TypeAlias = does.Branches | does.Runs | does.Chooses | does.Repeats | does.Locks | does.Compensates


class Follows(Protocol):
    """Who follows the lists inside (`flow.Flow`)."""

    def inside(self, profile: Profile, ends: Ends, steps: Iterable[Step], service: str, depth: int) -> Ends:
        """How steps end that are come to so; what they do besides is done by the profile."""

    def apart(self, profile: Profile, steps: Iterable[Step], service: str, depth: int) -> tuple[Ends, Adding]:
        """How steps end by themselves, and what adds them to the profile so many times."""


def follow(flow: Follows, profile: Profile, action: Composite, service: str, depth: int) -> None:
    """What it makes of the run so far. Branches that are all waited for are not among these."""
    match action:
        case does.Branches(branches, enough=enough):
            _race(flow, profile, branches, enough, service, depth)
        case does.Runs(_, steps, share, aside=True):
            _, add = flow.apart(profile, steps, service, depth)
            add(profile.ends.ok.share * share)
        case does.Runs(_, steps, share):
            _choose(flow, profile, ((share, steps),), service, depth)
        case does.Chooses(ways):
            _choose(flow, profile, ways, service, depth)
        case does.Compensates(steps):
            _saga(flow, profile, steps, service, depth)
        case does.Locks():
            _lock(flow, profile, action, service, depth)
        case does.Repeats():
            _repeat(flow, profile, action, service, depth)


def _choose(
    flow: Follows, profile: Profile, ways: Sequence[tuple[float, Sequence[Step]]], service: str, depth: int
) -> None:
    """Lists of steps of which each is gone through by a share of those who come by."""
    before = profile.ends
    ok = [before.ok.of(max(0.0, 1.0 - math.fsum(share for share, _ in ways)))]
    refused, failed = [before.refused], [before.failed]
    for share, steps in ways:
        ends = flow.inside(profile, Ends(before.ok.of(share)), steps, service, depth)
        ok.append(ends.ok)
        refused.append(ends.refused)
        failed.append(ends.failed)
    profile.ends = Ends(any_of(ok), any_of(refused), any_of(failed))


def _repeat(flow: Follows, profile: Profile, action: does.Repeats, service: str, depth: int) -> None:
    """Steps that are gone through several times, each time anew."""
    once, add = flow.apart(profile, action.steps, service, depth)
    whole = all_at_once(once, action.times) if action.at_once else one_after_the_other(once, action.times)
    add(profile.ends.ok.share * whole.begun)
    _then(profile, whole.ends)


def _lock(flow: Follows, profile: Profile, action: does.Locks, service: str, depth: int) -> None:
    """Steps while which a lock is held that everybody has at once, on paper."""
    ends, add = flow.apart(profile, action.steps, service, depth)
    share = profile.ends.ok.share
    add(share)
    lock_held(profile, (action.lock, action.key), share, share * ends.expected)
    _then(profile, ends)


def _race(
    flow: Follows, profile: Profile, branches: Sequence[Sequence[Step]], enough: int, service: str, depth: int
) -> None:
    """Branches of which the first that end well are enough; the others go on to their end."""
    racing = []
    for steps in branches:
        ends, add = flow.apart(profile, steps, service, depth)
        add(profile.ends.ok.share)
        racing.append(ends)
    _then(profile, first_of(racing) if enough == 1 else enough_of(racing, enough))


def _saga(
    flow: Follows,
    profile: Profile,
    steps: Sequence[tuple[Sequence[Step], Sequence[Step]]],
    service: str,
    depth: int,
) -> None:
    """Transactions of which those before one that does not end well are undone, the last first."""
    back: list[Sequence[Step]] = []
    for do, undo in steps:
        before = profile.ends
        ends = flow.inside(profile, Ends(before.ok), do, service, depth)
        refused, failed = (_undone(flow, profile, lost, back, service, depth) for lost in (ends.refused, ends.failed))
        profile.ends = Ends(ends.ok, any_of([before.refused, refused]), any_of([before.failed, failed]))
        back.insert(0, undo)


def _undone(
    flow: Follows, profile: Profile, lost: Times, back: Sequence[Sequence[Step]], service: str, depth: int
) -> Times:
    """When all is undone that those have done who did not come further."""
    for undo in back if lost.share > 0.0 else ():
        ends = flow.inside(profile, Ends(lost), undo, service, depth)
        lost = any_of([ends.ok, ends.refused, ends.failed])
    return lost


def _then(profile: Profile, ends: Ends) -> None:
    """What comes after the steps so far ends so."""
    before, after = profile.ends, ends.later(profile.ends.ok)
    profile.ends = Ends(after.ok, any_of([before.refused, after.refused]), any_of([before.failed, after.failed]))
