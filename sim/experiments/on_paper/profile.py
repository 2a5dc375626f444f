"""What one run of a list of steps amounts to on paper, and how such runs are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from sim.experiments.on_paper.attempts import Ends
from sim.experiments.on_paper.times import KnownTail, Times

Key = tuple[int, int]  # of an action: the id of its step, and its place among the actions of it
Place = tuple[str, str]  # callee and policy, by the places of whose bulkhead a call is limited


@dataclass
class Profile:
    """One run of a list of steps, on average."""

    ends: Ends = field(default_factory=lambda: Ends(Times()))  # when it is over; a thread is held until then
    answer: Ends | None = None  # when its caller has the answer, where that is earlier
    work: float = 0.0  # s of work: what a core, or a worker of an event loop, is held
    calls: dict[str, float] = field(default_factory=dict)  # endpoint -> visits by call, every attempt
    # endpoint -> s by which it is done sooner, where a timeout cancels
    saved: dict[str, float] = field(default_factory=dict)
    # attempts, and s for which they hold a place
    places: dict[Place, tuple[float, float]] = field(default_factory=dict)
    # name and key of a lock -> times that it is taken, and s for which it is held then
    locks: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    publishes: dict[tuple[str, str | None], float] = field(default_factory=dict)  # topic and key of its own -> messages
    poison: float = 0.0  # share of requests that fail here at every try
    kept: dict[Key, KnownTail] = field(default_factory=dict)  # what requests keep, here and wherever it calls

    @property
    def hold(self) -> float:
        """Mean seconds from the first step to the last."""
        return self.ends.expected

    @property
    def response(self) -> float:
        """Mean seconds until the caller has its answer."""
        return self.answered.expected

    @property
    def answered(self) -> Ends:
        """When and how the caller has its answer."""
        return self.answer or self.ends

    @property
    def failed(self) -> float:
        """Share that ends in a failure."""
        return self.answered.failed.share


K = TypeVar("K")


def tally(counts: dict[K, float], key: K, more: float) -> None:
    """So much more under a key; nothing leaves no trace."""
    if more > 0.0:
        counts[key] = counts.get(key, 0.0) + more


def add(profile: Profile, part: Profile, share: float = 1.0) -> None:
    """What a part does besides taking time."""
    profile.work += share * part.work
    profile.kept |= part.kept
    for place, visits in part.calls.items():
        tally(profile.calls, place, share * visits)
    for place, seconds in part.saved.items():
        tally(profile.saved, place, share * seconds)
    for topic, messages in part.publishes.items():
        tally(profile.publishes, topic, share * messages)
    for guard, (attempts, held) in part.places.items():
        so_far = profile.places.get(guard, (0.0, 0.0))
        profile.places[guard] = so_far[0] + share * attempts, so_far[1] + share * held
    for lock, (times, held) in part.locks.items():
        lock_held(profile, lock, share * times, share * held)


def lock_held(profile: Profile, lock: tuple[str, str], times: float, seconds: float) -> None:
    """A lock is taken so many times more, and held for so long in all."""
    taken, held = profile.locks.get(lock, (0.0, 0.0))
    profile.locks[lock] = taken + times, held + seconds


def repeated(profile: Profile, times: float) -> Profile:
    """So many runs, one after the other."""
    if times == 1.0:
        return profile
    again = Profile(Ends(Times(1.0, times * profile.hold)))
    again.answer = profile.answered
    add(again, profile, times)
    return again
