"""Guards: what callers remember about callees. One per replica of the caller, or one for all of them, under each policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sim.models.task import Replica
from sim.spec.policy import CallPolicy


class Memory(Protocol):
    """What one layer of a call remembers from one call to the next."""

    def renewed(self, policy: CallPolicy) -> Memory:
        """That of a replica that starts again: it remembers nothing; what was counted stays."""


M = TypeVar("M", bound=Memory)


class Guard:
    """The memory of one caller about one callee, under one policy: that of each layer which keeps one."""

    __slots__ = ("_memories", "about", "policy")

    def __init__(self, policy: CallPolicy, about: str, memories: Iterable[Memory]):
        self.policy = policy
        self.about = about  # the callee, as events and series name it
        self._memories: dict[type[Memory], Memory] = {type(memory): memory for memory in memories}

    def find(self, kind: type[M]) -> M | None:
        """The memory of this kind; None where the policy asks for none."""
        memory = self._memories.get(kind)
        return memory if isinstance(memory, kind) else None

    def of(self, kind: type[M]) -> M:
        """The memory of this kind, which the policy asks for."""
        memory = self._memories[kind]
        assert isinstance(memory, kind)
        return memory

    def renewed(self) -> Guard:
        """The guard of a replica that starts again."""
        return Guard(self.policy, self.about, [memory.renewed(self.policy) for memory in self._memories.values()])


Guards = dict[Replica, Guard]
"""The guards of one caller towards one callee under one policy, by replica of the caller; with `scope: service` all are one."""


def distinct(guards: Guards) -> tuple[Guard, ...]:
    """Each guard once."""
    return tuple(dict.fromkeys(guards.values()))
