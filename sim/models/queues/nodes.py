"""The nodes of a queue broker: which are up, who leads which queue, and to which one clients are connected.

A classic queue lives on one node: while that is down nobody can use it, its consumers are cancelled and try again, and
what is published to it is lost, or nacked where confirms are waited for (rabbit_classic_queue.erl: an abnormal exit is
a full reject). A quorum queue is led by one of its members; when that is lost another one is elected, of those that are
up the next one. Without a leader, or without a majority of its members, it takes nothing in, confirms nothing and hands
nothing out; what channels have sent to it waits, and is sent to the next leader (rabbit_fifo_client.erl). A node that
comes back follows: leaders do not go back by themselves (rabbitmq.com/docs/quorum-queues, "Leader Election and Failure
Handling", "Fault Tolerance and Minimum Number of Replicas Online").

A commit takes as long as the fastest majority of the members that are up: of three, of which one has a slow disk, as
long as ever, and as long as the slow one when another one is lost.

Not modelled: partitions between nodes, the time in which one that comes back catches up, the hop between the node to
which a client is connected and the leader, that a client hears of a node that is not heard of any more as late as the
other nodes do, which follower has the longest log, and new members in the place of lost ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from sim.spec.queue_broker import QueueBroker as Spec
from sim.vocabulary import EventKind

NOWHERE = -1  # no node: nobody leads it, or the broker has no nodes


class NodeListener(Protocol):
    """What becomes of a broker whose nodes go and come; each engine does it in its own way."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while."""

    def tell(self, kind: EventKind, subject: str, about: str, value: int) -> None:
        """Note what has happened."""

    def close(self, queue: str, leader: int) -> None:
        """A queue takes nothing in and hands nothing out; NOWHERE: it has no leader either."""

    def cut(self, node: int) -> None:
        """Connections to a node are gone, and consumers of classic queues that are closed are cancelled."""

    def drop(self, queue: str, node: int) -> None:
        """What neither this queue nor a channel on a node that is up has is lost."""

    def reopen(self, queue: str, leader: int) -> None:
        """A queue goes on, led by this node."""

    def slow(self, queue: str, times: float) -> None:
        """Commits that begin from now on take so many times as long."""

    def go_down(self) -> None:
        """No node is left."""

    def come_up(self) -> None:
        """One is back."""


class PlacedQueue:
    """One queue, as its nodes know it."""

    def __init__(self, name: str, quorum: bool, members: tuple[int, ...]):
        self.name = name
        self.quorum = quorum
        self.members = members
        self.leader = self.last = members[0]
        self.closed = False
        self.election = math.inf  # s; when a member will have been elected; inf: none stands

    @property
    def majority(self) -> int:
        """So many of its members are one."""
        return len(self.members) // 2 + 1


class QueueNodes:
    """The nodes of one queue broker, and what each of its queues has on them."""

    def __init__(self, name: str, spec: Spec, listener: NodeListener):
        assert spec.nodes is not None
        self.name = name
        self.spec = spec.nodes
        self.listener = listener
        count = spec.nodes.count
        self.down = [0] * count  # for how many faults each is
        self.slowdowns: list[list[float]] = [[] for _ in range(count)]  # of their disks
        self.at = list(range(count))  # to which one those are connected who began with this one
        self.held = [
            PlacedQueue(queue, spec.queues[queue].type == "quorum", spec.members(queue)) for queue in spec.queues
        ]

    @property
    def offline(self) -> int:
        """Queues that nobody can use."""
        return sum(held.closed for held in self.held)

    def connected(self, replica: int) -> int:
        """The node to which a replica is connected, by its number in its service."""
        return self.at[replica % len(self.at)]

    # -- they go and come --------------------------------------------------------------------------------------------

    def fail(self, node: int) -> None:
        """One is gone from one moment to the next."""
        self.down[node] += 1
        if self.down[node] > 1:
            return
        gone = [held for held in self.held if held.leader == node]
        for held in self.held:
            self._close(held, node)
        led = sum(held.quorum for held in gone)
        if led:
            self.listener.tell(EventKind.LEADER_LOST, f"{self.name}[{node}]", "", led)
        self._connect_to_others(node)
        self.listener.cut(node)
        for held in self.held:
            if held in gone or (held.quorum and held.leader == NOWHERE):
                self.listener.drop(held.name, node)
        self._set_commit_speeds()
        for held in gone:
            if held.quorum:
                self._stand(held, self.spec.detection + self.spec.election)
        if all(self.down):
            self.listener.go_down()

    def _close(self, held: PlacedQueue, node: int) -> None:
        led = held.leader == node
        if led:
            held.leader = NOWHERE
        if led or (not held.closed and len(self._up(held)) < held.majority):
            held.closed = True
            self.listener.close(held.name, held.leader)

    def _connect_to_others(self, node: int) -> None:
        """To the next one that is up; where none is, they wait for the first that comes back."""
        count = len(self.at)
        following = ((node + step) % count for step in range(1, count))
        other = next((place for place in following if not self.down[place]), node)
        self.at = [other if place == node else place for place in self.at]

    def restore(self, node: int) -> None:
        """One is back, with what it had on its disk."""
        alone = all(self.down)
        self.down[node] -= 1
        if self.down[node]:
            return
        if alone:
            self.at = [node] * len(self.at)
        self._set_commit_speeds()
        for held in self.held:
            if node not in held.members or not held.closed:
                continue
            if held.quorum and held.leader == NOWHERE:
                self._stand(held, self.spec.election)
            elif not held.quorum or len(self._up(held)) >= held.majority:
                self._reopen(held, held.leader if held.quorum else node)
        if alone:
            self.listener.come_up()

    # -- elections ---------------------------------------------------------------------------------------------------

    def _up(self, held: PlacedQueue) -> list[int]:
        return [node for node in held.members if not self.down[node]]

    def _stand(self, held: PlacedQueue, seconds: float) -> None:
        """A member stands for election, unless another one will be elected before it: one that is back knows of no
        leader, and does not wait until the others have noticed that it is lost.
        """
        due = self.listener.now + seconds
        if due < held.election:
            held.election = due
            self.listener.later(seconds, lambda: self._elect(held, due))

    def _elect(self, held: PlacedQueue, due: float) -> None:
        """The next one leads, where a majority can vote for it; where not, it is tried again when a member is back."""
        if due != held.election:  # another one was earlier
            return
        held.election = math.inf
        if len(self._up(held)) < held.majority:
            return
        begin = held.members.index(held.last) + 1
        leader = next(node for node in held.members[begin:] + held.members[:begin] if not self.down[node])
        self.listener.tell(EventKind.LEADER_ELECTED, f"{self.name}[{leader}]", held.name, 1)
        self._reopen(held, leader)

    def _reopen(self, held: PlacedQueue, leader: int) -> None:
        held.leader = held.last = leader
        held.closed = False
        self.listener.reopen(held.name, leader)

    # -- disks -------------------------------------------------------------------------------------------------------

    def slow_disk(self, node: int | None, by: float, *, begins: bool) -> None:
        """The disk of one node, or of all, is slower from now on, or no longer."""
        for slowdowns in self.slowdowns if node is None else [self.slowdowns[node]]:
            if begins:
                slowdowns.append(by)
            else:
                slowdowns.remove(by)
        self._set_commit_speeds()

    def _set_commit_speeds(self) -> None:
        for held in self.held:
            times = sorted(math.prod(self.slowdowns[node], start=1.0) for node in self._up(held))
            if len(times) >= held.majority:
                self.listener.slow(held.name, times[held.majority - 1])
