"""An event store: aggregates as numbers of events, loaded by replaying them, and appended to by whoever saw the last.

Not modelled: that replays of one replica could share what they read.
"""

from __future__ import annotations

from typing import Any

from sim.models.behaviours import behaviour
from sim.models.flows import Frame, Memory, Part, Shared, State, StepRow, Total, Waits, compiled_as, flow, run
from sim.models.outcomes import ERROR, OK
from sim.models.site import Site
from sim.models.task import Activity, Replica, Task
from sim.policies.event_store import aggregate_of, append, keep_in_memory, to_replay, version_of
from sim.spec import event_store as spec
from sim.spec.distribution import Constant
from sim.spec.step import Wait, Work
from sim.spec.traffic import first_users

QUANTITIES = ("events_appended", "events_replayed", "version_conflicts")
PIECES = tuple(4**power for power in range(8))
"""Events that are replayed in one piece of work: any number is made of at most three of each of these. A flow of the
compiled engine passes time in parts of a fixed length only.
"""


class Store:
    """What has been appended, in all replicas of a service."""

    def __init__(self, step: spec.EventStore, site: Site) -> None:
        self.versions = [float(step.begins_with)] * aggregates_of(step.key, site)  # events of each aggregate
        self.steps = 0  # that load from it or append to it

    def label(self, name: str) -> str:
        """What the time series of one more step are called: the first bears the name of the store."""
        self.steps += 1
        return name if self.steps == 1 else f"{name} {self.steps}"


def aggregates_of(key: str, site: Site) -> int:
    """How many there can be: the items or users of all traffic, or one."""
    traffic = site.world.scenario.traffic
    if key == "item":
        return max((its.items.count for its in traffic.values() if its.items is not None), default=1)
    if key == "user":
        first = first_users(traffic)
        return max((first[name] + traffic[name].people for name in first), default=1)
    return 1


@behaviour(spec.EventStore)
class EventStore:
    """One step that loads an aggregate and appends to it."""

    def __init__(self, step: spec.EventStore, site: Site) -> None:
        self.step = step
        self.host = site.host
        self.where = site.where
        stores: dict[str, Store] = site.host.event_stores
        if step.name not in stores:
            stores[step.name] = Store(step, site)
        self.versions = stores[step.name].versions
        self.label = stores[step.name].label(step.name)
        self.load = site.named(f"{site.name}.load").sequence([Wait(time=step.load)] if step.load.mean > 0.0 else [])
        times = {count: Constant.model_construct(value=step.replay * count) for count in PIECES}
        self.pieces = [
            site.named(f"{site.name}.replay.{count}").sequence([Work(time=time)]) for count, time in times.items()
        ]
        self.then = site.named(f"{site.name}.then").sequence(step.then)
        writes = [Wait(time=step.append)] if step.append.mean > 0.0 and step.appends else []
        self.append = site.named(f"{site.name}.append").sequence(writes)
        self.appended = self.replayed = self.conflicts = 0
        self._watch(site)

    def _watch(self, site: Site) -> None:
        watch, host = site.world.recorder.watch, site.host.name
        watch(host, f"events_appended {self.label}", "total", lambda _: self.appended)
        watch(host, f"events_replayed {self.label}", "total", lambda _: self.replayed)
        watch(host, f"version_conflicts {self.label}", "total", lambda _: self.conflicts)

    def run(self, task: Task) -> Activity:
        """OK where the events are appended, or as `then` ends; ERROR where another command was faster."""
        step = self.step
        yield from self.load.run(task)
        key = aggregate_of(task.request.item, task.request.user, step.key == "item", step.key == "user")
        seen = version_of(self.versions, key)
        known = self._known(task.replica)
        left = to_replay(self.versions, known, key, step.snapshot_every or 0, step.in_memory)
        self.replayed += left
        if step.replay > 0.0:
            yield from self._replay(task, left)
        keep_in_memory(self._known(task.replica), key, seen, step.in_memory)
        outcome = yield from self.then.run(task)
        if outcome or not step.appends:
            return outcome
        yield from self.append.run(task)
        if append(self.versions, key, seen, step.appends):
            self.appended += step.appends
            keep_in_memory(self._known(task.replica), key, seen + step.appends, step.in_memory)
            return OK
        self.conflicts += 1
        task.where, task.root = self.where, 0
        return ERROR

    def _replay(self, task: Task, left: int) -> Activity:
        for count, piece in zip(reversed(PIECES), reversed(self.pieces), strict=True):
            while left >= count:
                yield from piece.run(task)
                left -= count
        return OK

    def _known(self, replica: Replica) -> list[float]:
        """What a replica keeps of each aggregate: how many events it has seen and one more; 0: nothing."""
        known: list[float] | None = replica.memory.get(self)
        if known is None:
            known = replica.memory[self] = self.nothing_known
        return known

    @property
    def nothing_known(self) -> list[float]:
        """As a replica begins."""
        return [0.0] * (len(self.versions) if self.step.in_memory else 1)


class StoreRow(StepRow):
    """The numbers of one step in one replica."""

    by_item: bool
    by_user: bool
    appends: int
    snapshot_every: int
    costs: bool  # whether replaying takes time
    in_memory: bool
    where: int
    load: Part
    piece_1: Part
    piece_4: Part
    piece_16: Part
    piece_64: Part
    piece_256: Part
    piece_1024: Part
    piece_4096: Part
    piece_16384: Part
    then: Part
    append: Part
    versions: Shared
    known: Memory
    events_appended: Total
    events_replayed: Total
    version_conflicts: Total

    @classmethod
    def begin(cls, behaviour: EventStore) -> dict[str, Any]:
        """From the behaviour above, as the model has made it."""
        step = behaviour.step
        return {
            "by_item": step.key == "item",
            "by_user": step.key == "user",
            "appends": step.appends,
            "snapshot_every": step.snapshot_every or 0,
            "costs": step.replay > 0.0,
            "in_memory": step.in_memory,
            "where": behaviour.where,
            "load": behaviour.load,
            **{f"piece_{count}": piece for count, piece in zip(PIECES, behaviour.pieces, strict=True)},
            "then": behaviour.then,
            "append": behaviour.append,
            "versions": behaviour.versions,
            "known": behaviour.nothing_known,
            **{name: f"{name} {behaviour.label}" for name in QUANTITIES},
        }


class Command(Frame):
    """What is kept of a command while time passes."""

    key: int
    seen: float  # version
    left: int  # events to replay


@compiled_as(EventStore, StoreRow, Command)
def command(s: State, own: Task, step: StoreRow, frame: Command) -> Waits[int]:
    """OK where the events are appended, or as `then` ends; ERROR where another command was faster."""
    yield from run(s, own, frame, step.load)
    frame.key = aggregate_of(own.request.item, own.request.user, step.by_item, step.by_user)
    frame.seen = version_of(step.versions, frame.key)
    frame.left = to_replay(step.versions, step.known, frame.key, step.snapshot_every, step.in_memory)
    step.events_replayed += frame.left
    if step.costs:
        yield from replay(s, own, step, frame)
    keep_in_memory(step.known, frame.key, frame.seen, step.in_memory)
    outcome = yield from run(s, own, frame, step.then)
    if outcome != OK or step.appends == 0:
        return outcome
    yield from run(s, own, frame, step.append)
    if append(step.versions, frame.key, frame.seen, step.appends):
        step.events_appended += step.appends
        keep_in_memory(step.known, frame.key, frame.seen + step.appends, step.in_memory)
        return OK
    step.version_conflicts += 1
    own.where = step.where
    own.root = 0
    return ERROR


@flow
def replay(s: State, own: Task, step: StoreRow, frame: Command) -> Waits[None]:
    """In as few pieces as there are."""
    while frame.left >= 16384:
        frame.left -= 16384
        yield from run(s, own, frame, step.piece_16384)
    while frame.left >= 4096:
        frame.left -= 4096
        yield from run(s, own, frame, step.piece_4096)
    while frame.left >= 1024:
        frame.left -= 1024
        yield from run(s, own, frame, step.piece_1024)
    while frame.left >= 256:
        frame.left -= 256
        yield from run(s, own, frame, step.piece_256)
    while frame.left >= 64:
        frame.left -= 64
        yield from run(s, own, frame, step.piece_64)
    while frame.left >= 16:
        frame.left -= 16
        yield from run(s, own, frame, step.piece_16)
    while frame.left >= 4:
        frame.left -= 4
        yield from run(s, own, frame, step.piece_4)
    while frame.left >= 1:
        frame.left -= 1
        yield from run(s, own, frame, step.piece_1)
