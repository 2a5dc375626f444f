"""Guards: what callers remember about callees.

One per replica of the caller, or one for all of them, under each policy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TypeVar

from sim.models.task import Replica
from sim.models.unnoticed import Late
from sim.spec.policy import CallPolicy


class Memory(ABC):
    """What one layer of a call remembers from one call to the next."""

    @abstractmethod
    def renewed(self, policy: CallPolicy) -> Memory:
        """That of a replica that starts again: it remembers nothing; what was counted stays."""

    def unnoticed(self, _now: float, _subject: str, _about: str) -> Iterable[Late]:
        """What has happened to it by now without anybody having come to notice: told when the clock stops."""
        return ()

    def forgotten(self, _now: float, _subject: str, _about: str) -> Iterable[Late]:
        """What is told when its replica dies, and it with it."""
        return ()


M = TypeVar("M", bound=Memory)


class Guard:
    """The memory of one caller about one callee, under one policy: that of each layer which keeps one."""

    __slots__ = ("_memories", "about", "policy")

    def __init__(self, policy: CallPolicy, about: str, memories: Iterable[Memory]):
        self.policy = policy
        self.about = about  # the callee, as events and series name it
        self._memories: dict[type[Memory], Memory] = {type(memory): memory for memory in memories}

    @property
    def memories(self) -> Iterable[Memory]:
        """Those of all layers that keep one, the outermost first."""
        return self._memories.values()

    def find(self, kind: type[M]) -> M | None:
        """The memory of this kind; None where the policy asks for none."""
        memory = self._memories.get(kind)
        return memory if isinstance(memory, kind) else None

    def of(self, kind: type[M]) -> M:
        """The memory of this kind, which the policy asks for."""
        return self._memories[kind]  # type: ignore[return-value]  # each stands under its own kind

    def renewed(self) -> Guard:
        """The guard of a replica that starts again."""
        return Guard(self.policy, self.about, [memory.renewed(self.policy) for memory in self._memories.values()])


Guards = dict[Replica, Guard]
"""The guards of one caller towards one callee under one policy, by replica of the caller; with `scope: service` all are
one.
"""


def sum_of(guards: Guards, kind: type[M], read: Callable[[M, float], float]) -> Callable[[float], float]:
    """What a time series reads: over all memories of a kind, the sum of what each tells of itself at a time, s."""
    return lambda now: sum(read(guard.of(kind), now) for guard in distinct(guards))


def distinct(guards: Guards) -> tuple[Guard, ...]:
    """Each guard once."""
    return tuple(dict.fromkeys(guards.values()))
