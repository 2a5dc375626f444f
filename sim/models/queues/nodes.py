"""The nodes of a queue broker: which are up, who leads which queue, and to which one clients are connected.

A classic queue lives on one node: while that is down nobody can use it, its consumers are cancelled and try again, and
what is published to it is lost, or nacked where confirms are waited for (rabbit_classic_queue.erl: an abnormal exit is
a full reject). A quorum queue is led by one of its members; when that is lost another one is elected, of those that are
up the next one. Without a leader, or without a majority of its members, it takes nothing in, confirms nothing and hands
nothing out; what channels have sent to it waits, and is sent to the next leader (rabbit_fifo_client.erl). A node that
comes back follows: leaders do not go back by themselves (rabbitmq.com/docs/quorum-queues, "Leader Election and Failure
Handling", "Fault Tolerance and Minimum Number of Replicas Online").

With `catch_up` it takes in first what it lacks, at that rate, and what comes meanwhile. An entry is committed when a
majority has it and all before it (ra_server.erl, `agreed_commit`), so until then it counts for no commit; it may vote,
but nobody votes for one whose log is shorter (`is_candidate_log_up_to_date`). While nobody leads it gets nothing.

A commit takes as long as the fastest majority of the members that are up and lack nothing: of three, of which one has a
slow disk, as long as ever, and as long as the slow one when another one is lost.

While nodes are split (`broker_split`), a quorum queue is on the side that has a majority of its members; if it was led
on the other, a leader is elected as if that one was lost. Members of the other side lack what comes meanwhile. What
clients send by nodes of the other side the channels there keep for it (rabbit_fifo_client.erl), and no confirm comes;
consumers there get nothing until the queue is heard again, and what they have is handed out again (rabbit_fifo.erl, a
consumer that is `suspected_down`). A classic queue is on the side of its node; what is published to it by the other is
nacked, and who consumes there tries again and again. With `pause_minority` all nodes of a side that is not more than
half of them stop after `net_ticktime`, until they hear the others (rabbitmq.com/docs/partitions).

Not modelled: of splits `autoheal`, `pause_if_all_down`, that consumers and who publishes to a classic queue notice them
late, and that confirms of what was sent before one are not heard on the other side; clients that reach only one side;
that one that is back is sent a snapshot of what is still in the queue where the log before is deleted, the hop between
the node to which a client is connected and the leader, that a client hears of a node that is not heard of any more as
late as the other nodes do, and new members in the place of lost ones.
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

    def entries(self, queue: str) -> int:
        """Messages of a quorum queue that were committed so far."""

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

    def part(self, queue: str, beyond: frozenset[int]) -> None:
        """A queue hears nothing of these nodes: consumers that are connected to them are cut off; what comes by them is
        kept there for a quorum queue, and lost for a classic one.
        """

    def join(self, queue: str) -> None:
        """It hears all again, and what was kept for it; consumers of a quorum queue that were cut off are back."""

    def lose_kept(self, queue: str, node: int) -> None:
        """What a node kept for it is lost with that."""

    def slow(self, queue: str, times: float) -> None:
        """Commits that begin from now on take so many times as long."""

    def go_down(self) -> None:
        """No node is left."""

    def come_up(self) -> None:
        """One is back."""


class CatchingUp:
    """A member that is back takes in what it lacks; where nobody leads it waits."""

    def __init__(self, began: float = math.inf, target: int = 0):
        self.began = began  # s
        self.target = target  # entries that it has then

    def gained(self, has: int, now: float, rate: float) -> int:
        """Entries that it has by now, of which it had so many in the beginning."""
        return has if now <= self.began else min(self.target, has + int((now - self.began) * rate))


class PlacedQueue:
    """One queue, as its nodes know it."""

    def __init__(self, name: str, quorum: bool, members: tuple[int, ...]):
        self.name = name
        self.quorum = quorum
        self.members = members
        self.leader = self.last = members[0]
        self.closed = False
        self.beyond: frozenset[int] = frozenset()  # nodes that it does not hear
        self.election = math.inf  # s; when a member will have been elected; inf: none stands
        self.has: dict[int, int] = {}  # of members that were lost: entries of its log that each has
        self.lacking: dict[int, CatchingUp] = {}  # members that are back and have not all

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
        self.splits: list[frozenset[int]] = []  # that are on now
        self.divisions = 0
        self.paused: list[int] = []  # for they are in a minority
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
            if node in held.beyond:
                self.listener.lose_kept(held.name, node)
            else:
                self._close(held, [node])
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

    def _close(self, held: PlacedQueue, gone: list[int]) -> None:
        """It does without these nodes, if it can."""
        led = held.leader in gone
        for node in held.members if held.quorum else ():
            if node in gone:
                self._fall_behind(held, node)
        if led:
            held.leader = NOWHERE
            for lacking in list(held.lacking):
                self._fall_behind(held, lacking)
                held.lacking[lacking] = CatchingUp()
        if led or (not held.closed and len(self._complete(held)) < held.majority):
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
        those = [held for held in self.held if node in held.members and node not in held.beyond]
        for held in those:
            if held.quorum:
                self._catch_up(held, node)
        self._set_commit_speeds()
        for held in those:
            if held.closed and not held.quorum:
                self._reopen(held, node)
            elif held.closed:
                self._come_back(held)
        if alone:
            self.listener.come_up()

    def _come_back(self, held: PlacedQueue) -> None:
        """A quorum queue has more members than before: it may have a leader again, or a majority."""
        if held.leader == NOWHERE:
            self._stand(held, self.spec.election)
        else:
            self._go_on(held)

    # -- splits ------------------------------------------------------------------------------------------------------

    def split(self, nodes: frozenset[int]) -> None:
        """These do not hear the others any more, nor the others them."""
        self.splits.append(nodes)
        self._divide()

    def unite(self, nodes: frozenset[int]) -> None:
        """They do again."""
        self.splits.remove(nodes)
        self._divide()

    def _divide(self) -> None:
        self.divisions += 1
        self._heal()
        everyone = frozenset(range(len(self.down)))
        some = frozenset[int]().union(*self.splits)
        if not some or some == everyone:
            return
        sides = (some, everyone - some)
        for held in self.held:
            self._part(held, *sides)
        self._set_commit_speeds()
        if self.spec.partition_handling == "pause_minority":
            number = self.divisions
            self.listener.later(self.spec.net_ticktime, lambda: self._pause(number, sides))

    def _part(self, held: PlacedQueue, one: frozenset[int], other: frozenset[int]) -> None:
        """A queue is where most of its members are, or else where it was led."""
        own = one if held.last in one else other
        for side in (one, other):
            if len(side.intersection(held.members)) >= held.majority:
                own = side
        held.beyond = other if own is one else one
        before = held.leader
        self._close(held, [node for node in sorted(held.beyond) if not self.down[node]])
        self.listener.part(held.name, held.beyond)
        if before in held.beyond:
            self.listener.tell(EventKind.LEADER_LOST, f"{self.name}[{before}]", held.name, 1)
            self._stand(held, self.spec.detection + self.spec.election)

    def _heal(self) -> None:
        """All hear one another; who has paused goes on."""
        apart = [held for held in self.held if held.beyond]
        for held in apart:
            beyond, held.beyond = held.beyond, frozenset()
            for node in held.members if held.quorum else ():
                if node in beyond and not self.down[node]:
                    self._catch_up(held, node)
        self._set_commit_speeds()
        for held in apart:
            self.listener.join(held.name)
            if held.quorum and held.closed:
                self._come_back(held)
        paused, self.paused = self.paused, []
        for node in paused:
            self.restore(node)

    def _pause(self, number: int, sides: tuple[frozenset[int], ...]) -> None:
        """Nodes that are not more than half stop: their clients go to others."""
        if number != self.divisions:
            return
        for side in sides:
            if 2 * len(side) <= len(self.down):
                for node in sorted(side):
                    self.paused.append(node)
                    self.fail(node)

    # -- what members lack -------------------------------------------------------------------------------------------

    def _fall_behind(self, held: PlacedQueue, node: int) -> None:
        """A member has what it has now, and gets no more."""
        catching_up = held.lacking.pop(node, None)
        if catching_up is None:
            held.has[node] = self.listener.entries(held.name)
        elif self.spec.catch_up is not None:
            held.has[node] = catching_up.gained(held.has[node], self.listener.now, self.spec.catch_up)

    def _catch_up(self, held: PlacedQueue, node: int) -> None:
        """A member takes in what it lacks, if it lacks anything."""
        rate, entries = self.spec.catch_up, self.listener.entries(held.name)
        lacks = entries - held.has[node]
        if rate is None or lacks == 0:
            held.lacking.pop(node, None)
            return
        if held.leader == NOWHERE:
            held.lacking[node] = CatchingUp()
            return
        catching_up = held.lacking[node] = CatchingUp(self.listener.now, entries)
        self.listener.later(lacks / rate, lambda: self._has_caught_up(held, node, catching_up))

    def _has_caught_up(self, held: PlacedQueue, node: int, catching_up: CatchingUp) -> None:
        """It has what there was when it began; then it takes in what has come meanwhile."""
        if held.lacking.get(node) is not catching_up:  # it, or its leader, was lost
            return
        held.has[node] = catching_up.target
        self._catch_up(held, node)
        if node not in held.lacking:
            self._set_commit_speeds()
            if held.closed:
                self._go_on(held)

    def _complete(self, held: PlacedQueue) -> list[int]:
        """Its members that are up and lack nothing."""
        return [node for node in self._up(held) if node not in held.lacking]

    # -- elections ---------------------------------------------------------------------------------------------------

    def _up(self, held: PlacedQueue) -> list[int]:
        """Its members that are up and that it hears."""
        return [node for node in held.members if not self.down[node] and node not in held.beyond]

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
        begin, complete = held.members.index(held.last) + 1, self._complete(held)
        leader = next(node for node in held.members[begin:] + held.members[:begin] if node in complete)
        self.listener.tell(EventKind.LEADER_ELECTED, f"{self.name}[{leader}]", held.name, 1)
        held.leader = held.last = leader
        for node in list(held.lacking):
            self._catch_up(held, node)
        self._set_commit_speeds()
        if len(self._complete(held)) < held.majority:
            self.listener.close(held.name, leader)
        self._go_on(held)

    def _go_on(self, held: PlacedQueue) -> None:
        """Somebody leads a quorum queue: it goes on, if a majority of its members lacks nothing."""
        if len(self._complete(held)) >= held.majority:
            self._reopen(held, held.leader)

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
            times = sorted(math.prod(self.slowdowns[node], start=1.0) for node in self._complete(held))
            if len(times) >= held.majority:
                self.listener.slow(held.name, times[held.majority - 1])
