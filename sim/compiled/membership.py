"""Consumers and relays come, go and share out partitions, in Python, for it happens rarely.

As in `models/consumer.py` and `models/outbox.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sim.compiled import calendar, committing, consumers, ending, letters, producing, relays, topics
from sim.compiled.base import NONE
from sim.compiled.codes import SKIPPED
from sim.compiled.committing import AUTOMATIC
from sim.compiled.listeners import Listeners
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import deliveries, group_partitions, groups, held, members, node_fetches, outboxes
from sim.compiled.rows.queues import channels as channel_rows
from sim.compiled.rows.running import flows, tasks
from sim.compiled.tasks import GO_ON, LOOKS_AT_COMMIT, LOOKS_AT_FETCH, new_task
from sim.policies.assignor import range_assign
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.coordination import MemberView
    from sim.compiled.machine import Machine
    from sim.compiled.rows.state import State


class Membership:
    """The members and relays of one run."""

    def __init__(self, machine: Machine, replicas_of: Callable[[int], range]):
        self.machine = machine
        self.wiring = machine.wiring
        self.replicas_of = replicas_of
        self.refusing: dict[int, int] = {}  # by host: how many faults make it refuse
        self.lives: dict[int, int] = {}  # of each member
        self.free_orders: list[int] = []  # numbers of those that were carried out
        self.lasting_orders: set[int] = set()
        self.last_orders: dict[int, int] = {}  # of each member that is to stop in order
        self.listeners = Listeners(self)
        self.leaving: set[int] = set()  # members, when what they have polled is over
        self.closing: set[int] = set()  # members that stop when their batch is committed
        self.managed: dict[int, MemberView] = {}  # those whose group rebalances

    @property
    def s(self) -> State:
        """The state of the run."""
        return self.machine.s

    # -- orders --------------------------------------------------------------------------------------------------------

    def order(self, act: Callable[[], None], lasting: bool = False) -> int:
        """Something for Python to do, once unless it is `lasting`; its number. The calendar has room for its event."""
        if self.free_orders:
            number = self.free_orders.pop()
            self.wiring.orders[number] = act
        else:
            number = len(self.wiring.orders)
            self.wiring.orders.append(act)
            self.machine.grow()
        if lasting:
            self.lasting_orders.add(number)
        return number

    def obey(self, number: int) -> None:
        """Do what was ordered."""
        act = self.wiring.orders[number]
        if number not in self.lasting_orders:
            self.free_orders.append(number)
        act()

    def order_in(self, delay: float, act: Callable[[], None]) -> None:
        """Let Python do something after a delay."""
        calendar.schedule(self.s, calendar.CONTROL, delay, calendar.ORDER, self.order(act))

    def new_task(self, replica: int, pc: int) -> int:
        """A task that runs a program of its own."""
        if self.s.must_grow:
            self.machine.grow()
        task = int(new_task(self.s, NOBODY, 0, 0, NOBODY, replica))
        own = tasks(self.s)[task]
        own.on_wake, own.pc = GO_ON, pc
        if self.s.spans:
            flows(self.s)[task].number = -1  # consumers and relays are no flows; a user becomes one with each request
        return task

    def new_stand_in(self, then: int, order: int = 0) -> int:
        """A task that is no thread: when its turn comes, something is done, or an order carried out."""
        task = self.new_task(self.wiring.replica_at[self.wiring.world.nowhere], 0)
        own = tasks(self.s)[task]
        own.on_wake, own.phase = then, order
        return task

    def begin_to_look(self) -> None:
        """Somebody looks at fetches that wait, and at automatic commits."""
        for member in range(len(self.wiring.members)):
            row = members(self.s)[member]
            if row.fetch_min > 0.0:
                row.fetcher = self.new_stand_in(LOOKS_AT_FETCH)
                tasks(self.s)[row.fetcher].member = member
            if row.commits == AUTOMATIC:
                row.committer = self.new_stand_in(LOOKS_AT_COMMIT)
                tasks(self.s)[row.committer].member = member

    def silence(self, task: int) -> None:
        """Stop a thread of its own, with what it waits for."""
        host = replicas(self.s)[tasks(self.s)[task].replica].host
        ending.stop(self.s, task, host, False, NONE)

    # -- members -------------------------------------------------------------------------------------------------------

    def begin_member(self, member: int) -> None:
        """A consumer begins to poll, and with it another life."""
        self.lives[member] = self.lives.get(member, 0) + 1
        row = members(self.s)[member]
        row.task = task = self.new_task(row.replica, row.pc)
        own = tasks(self.s)[task]
        own.own_thread, own.member = True, member
        row.next_commit = self.s.now + row.commit_interval
        for place in range(row.first_fetch, row.first_fetch + row.fetch_nodes):
            fetch = node_fetches(self.s)[place]
            fetch.began, fetch.number, fetch.buffered, fetch.answered = self.s.now, 0, False, False
        calendar.make_ready(self.s, task)

    def stop_member(self, member: int) -> None:
        """The process is gone."""
        if member in self.managed:
            self.managed[member].stop()
        else:
            self.stop_polling(member)

    def stop_polling(self, member: int) -> None:
        """It is dead, or refuses: what it polled and did not commit will be delivered again."""
        row = members(self.s)[member]
        row.died = row.died or replicas(self.s)[row.replica].down > 0
        if not row.up:
            return
        row.up = False
        row.order = NOBODY
        self.leaving.discard(member)
        self.hold(member)
        self.silence(row.task)
        row.task = NOBODY
        if member in self.closing and not replicas(self.s)[row.replica].down:
            self.commit_handled(member)
        self.closing.discard(member)
        self.give_back(member, gone=True)
        self.left(row.replica)

    def commit_handled(self, member: int) -> None:
        """Under automatic commits: what is handled is committed."""
        if self.s.must_grow:
            self.machine.grow()
        committing.commit_handled(self.s, member)

    def give_back(self, member: int, *, gone: bool) -> None:
        """What it polled and did not commit is to be read again."""
        batch = []
        delivery = members(self.s)[member].batch.first
        while delivery >= 0:
            batch.append(delivery)
            delivery = deliveries(self.s)[delivery].next
        consumers.put_back(self.s, member, gone)
        if members(self.s)[member].loses:
            return
        for delivery in batch:  # the partition may have moved to another member while this one was at it
            waiting = deliveries(self.s)[delivery]
            topics.notify(self.s, waiting.partition, waiting.message)

    def left(self, replica: int) -> None:
        """A thread in a replica has stopped, which may have been the last thing that kept it."""
        if replicas(self.s)[replica].draining:
            calendar.schedule(self.s, calendar.CONTROL, 0.0, calendar.ORDER, replicas(self.s)[replica].when_left)

    def close(self, replica: int) -> None:
        """Members in a replica stop in order: what they have in hand is handled and committed first."""
        for member in self._in(replica):
            row = members(self.s)[member]
            if not row.up:
                continue
            if member in self.managed:
                self.managed[member].close()
                continue
            self.closing.add(member)
            if row.processing:
                row.order = self.last_order(member)
            else:
                self.stop_member(member)
        for channel in self.listeners.in_replica(replica):
            self.listeners.close(channel)

    def leave(self, host: int, replica: int) -> None:
        """Members in a replica leave their groups when what they have polled is over; relays move at once."""
        for member in self._in(replica):
            row = members(self.s)[member]
            if not row.up:
                continue
            if member in self.managed:
                self.managed[member].leave()
                continue
            self.leaving.add(member)
            if row.processing:
                row.order = self.last_order(member)
            else:
                self._leave(member)
        for channel in self.listeners.in_replica(replica):
            self.listeners.close(channel)
        self._move_relays(host, {replica})

    def is_up_in(self, replica: int) -> bool:
        """Whether a member in a replica is at work, or waits for some."""
        is_up = any(members(self.s)[member].up for member in self._in(replica))
        return is_up or self.listeners.is_up_in(replica)

    def _in(self, replica: int) -> list[int]:
        return [place for place in range(len(self.wiring.members)) if members(self.s)[place].replica == replica]

    def last_order(self, member: int) -> int:
        """To stop it when its batch is committed."""
        if member not in self.last_orders:
            self.last_orders[member] = self.order(lambda: self._stop_in_order(member), lasting=True)
        return self.last_orders[member]

    def _stop_in_order(self, member: int) -> None:
        if member in self.leaving:
            self._leave(member)
        elif members(self.s)[member].order >= 0:
            self.stop_member(member)

    def _leave(self, member: int) -> None:
        """Leave the group: its partitions move at once, not when a session times out."""
        row = members(self.s)[member]
        self.leaving.discard(member)
        self.silence(row.task)
        self.commit_handled(member)
        self.closing.discard(member)
        row.task, row.order = NOBODY, NOBODY
        row.up = row.idle = False
        self.hold(member)
        row.belongs = False
        self.rebalance(row.group)
        self.left(row.replica)

    def start_polling(self, member: int) -> None:
        """It is back."""
        row = members(self.s)[member]
        if row.up:
            return
        row.up = True
        self.hold(member)
        if row.died:
            row.died = False
            for place in range(row.first_held, row.first_held + row.partitions):
                partition = held(self.s)[place]
                if group_partitions(self.s)[partition].owner == member:
                    self.reset_offset(member, partition)
        row.idle = False
        self.begin_member(member)

    # -- relays --------------------------------------------------------------------------------------------------------

    def begin_relay(self, outbox: int) -> None:
        """A relay begins to look."""
        row = outboxes(self.s)[outbox]
        row.task = task = self.new_task(row.replica, row.pc)
        tasks(self.s)[task].own_thread = True
        calendar.make_ready(self.s, task)

    def stop_relay(self, outbox: int) -> None:
        """Its replica died."""
        row = outboxes(self.s)[outbox]
        if row.task >= 0:
            if tasks(self.s)[row.task].phase in (relays.REPLICATING, relays.WRITING, relays.SPREADING):
                relays.release_written(self.s, outbox)
            elif tasks(self.s)[row.task].phase == relays.CONFIRMING:
                letters.end_wait(self.s, row.waiter)
            elif tasks(self.s)[row.task].phase in (relays.BLOCKED, relays.HEARING):
                producing.release_records(self.s, outbox)
            self.silence(row.task)
        row.task = NOBODY

    def start_relay(self, outbox: int) -> None:
        """It runs in the first replica that is up, if there is one."""
        row = outboxes(self.s)[outbox]
        up = [r for r in self.replicas_of(row.host) if self._runs(r) and not self.refusing.get(row.host)]
        row.replica = up[0] if up else NOBODY
        if not up:
            row.task = NOBODY
            return
        self.begin_relay(outbox)

    def _runs(self, replica: int) -> bool:
        row = replicas(self.s)[replica]
        return not row.down and not row.draining

    # -- both ----------------------------------------------------------------------------------------------------------

    def stop(self, host: int, gone: Iterable[int]) -> None:
        """Members and relays in these replicas stop."""
        there = set(gone)
        for member in range(len(self.wiring.members)):
            row = members(self.s)[member]
            if row.host == host and row.replica in there:
                self.stop_member(member)
                if replicas(self.s)[row.replica].down and member not in self.managed:
                    self.expire_session(member)
        for channel in self._listeners_in(host, there):
            self.listeners.stop(channel)
        self._move_relays(host, there)

    def _listeners_in(self, host: int, there: set[int]) -> list[int]:
        every = range(len(self.wiring.channel_at))
        rows = [channel_rows(self.s)[place] for place in every]
        return [place for place in every if rows[place].host == host and rows[place].replica in there]

    def _move_relays(self, host: int, gone: set[int]) -> None:
        for outbox in range(len(self.wiring.outboxes)):
            box = outboxes(self.s)[outbox]
            if box.host == host and box.replica in gone:
                self.stop_relay(outbox)
                self.start_relay(outbox)

    def start(self, host: int, back: Iterable[int]) -> None:
        """They start again."""
        there = set(back)
        for member in range(len(self.wiring.members)):
            row = members(self.s)[member]
            if row.host == host and row.replica in there and not replicas(self.s)[row.replica].draining:
                self._rejoin(member)
        for channel in self._listeners_in(host, there):
            if not replicas(self.s)[channel_rows(self.s)[channel].replica].draining:
                self.listeners.start(channel)
        for outbox in range(len(self.wiring.outboxes)):
            box = outboxes(self.s)[outbox]
            if box.host == host and box.task < 0:
                self.start_relay(outbox)

    def _rejoin(self, member: int) -> None:
        """It polls again, and has its partitions back if the group had given it up."""
        row = members(self.s)[member]
        if member in self.managed:
            self.managed[member].rejoin()
            return
        self.start_polling(member)
        if not row.belongs:
            row.belongs = True
            self.rebalance(row.group)

    # -- partitions ----------------------------------------------------------------------------------------------------

    def expire_session(self, member: int) -> None:
        """A crashed member's partitions move when its session times out, unless it is back before."""
        life = self.lives.get(member, 0)

        def expire() -> None:
            row = members(self.s)[member]
            if replicas(self.s)[row.replica].down and row.belongs and self.lives.get(member, 0) == life:
                row.belongs = False
                self.rebalance(row.group)

        self.order_in(members(self.s)[member].session, expire)

    def rebalance(self, group: int) -> None:
        """Deal the partitions out again (Kafka's range assignor)."""
        found = self.wiring.groups[group]
        every = [self.wiring.member_at[member] for member in found.members]
        there = [member for member in every if members(self.s)[member].belongs]
        first, count = groups(self.s)[group].first, len(found.partitions)
        owners = [group_partitions(self.s)[place].owner for place in range(first, first + count)]
        for place in range(first, first + count):
            group_partitions(self.s)[place].owner = NOBODY
        for member in every:
            if member not in there:
                members(self.s)[member].partitions = 0
                self.hold(member)
        for member, indices in zip(there, range_assign(len(there), count) if there else [], strict=True):
            self._assign(member, first, indices, owners)
        self.machine.log(EventKind.PARTITIONS_ASSIGNED, found.name, found.topic.name, float(len(there)))

    def _assign(self, member: int, first: int, indices: Iterable[int], owners: list[int]) -> None:
        """These partitions of its group belong to a member from now on."""
        mine = list(indices)
        row = members(self.s)[member]
        row.first_held = first + min(mine, default=0)  # the range assignor gives neighbours to each
        row.partitions = len(mine)
        self.hold(member)
        for index in mine:
            group_partitions(self.s)[first + index].owner = member
            if owners[index] != member:
                self.reset_offset(member, first + index)
        taken = [group_partitions(self.s)[first + index] for index in mine]
        if row.idle and any(partition.waiting.first >= 0 or partition.retries.first >= 0 for partition in taken):
            row.idle = False
            calendar.make_ready(self.s, row.task)

    def hold(self, member: int) -> None:
        """Whether it is up and holds partitions may have changed."""
        row = members(self.s)[member]
        holding = row.up and row.partitions > 0
        if holding != row.holding:
            row.holding = holding
            row.holding_area += -self.s.now if holding else self.s.now

    def reset_offset(self, member: int, partition: int) -> None:
        """`latest` starts at the end of a partition in which the group has committed nothing."""
        row = group_partitions(self.s)[partition]
        if not members(self.s)[member].latest or row.committed:
            return
        waiting = row.waiting
        while waiting.first >= 0:
            if self.s.must_grow:
                self.machine.grow()
            delivery = waiting.first
            waiting.first = deliveries(self.s)[delivery].next
            if waiting.first < 0:
                waiting.last = NOBODY
            else:
                deliveries(self.s)[waiting.first].previous = NOBODY
            consumers.end_delivery(self.s, row.group, delivery, SKIPPED)
