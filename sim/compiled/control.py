"""What happens rarely, in Python: freezes, crashes, sessions that expire, and rebalances, as in `models/host.py` and `models/consumer.py`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled import attempts, calendar, consumers, guards, memory, places, relays, tasks, topics
from sim.models.unnoticed import breaker_forgotten
from sim.policies.assignor import range_assign
from sim.vocabulary import EventKind, MessageEnd, Outcome

if TYPE_CHECKING:
    from sim.compiled.machine import Machine

UNREACHABLE = int(Outcome.UNREACHABLE)
SKIPPED = int(MessageEnd.SKIPPED)


class Control:
    """Changes the arrays between two calls of the interpreter."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.wiring = machine.wiring
        self.tables = machine.tables
        self.refusing: dict[int, int] = {}
        self.lives: dict[int, int] = {}

    # -- orders ----------------------------------------------------------------------------------------------------

    def order(self, act: Any) -> int:  # noqa: ANN401 - a function
        """Something for Python to do; its number. The calendar has room for its event."""
        self.wiring.orders.append(act)
        self.machine.grow()
        return len(self.wiring.orders) - 1

    def order_in(self, delay: float, act: Any) -> None:  # noqa: ANN401 - a function
        """Let Python do something after a delay."""
        calendar.schedule(self.s, calendar.CONTROL, delay, calendar.ORDER, self.order(act))

    # -- arrays -------------------------------------------------------------------------------------------------------------

    @property
    def s(self) -> Any:  # noqa: ANN401 - one record of numpy
        """The record of the state."""
        return self.machine.tables.s

    @property
    def now(self) -> float:
        """Simulated time, s."""
        return float(self.s["now"])

    def new_task(self, replica: int, pc: int) -> int:
        """A task that runs a program of its own."""
        if self.s["slots_free"] <= self.s["slots_margin"]:
            self.machine.grow()
        task = int(tasks.new_task(self.s, -1, 0, 0, -1, replica))
        row = self.tables["slots"][task]
        row["then"], row["pc"] = tasks.GO_ON, pc
        if self.s["spans"]:
            self.tables["flows"][task]["number"] = -1  # consumers and relays are no flows; a user becomes one with each request
        return task

    def replicas(self, host: int) -> range:
        """The places of a host's replicas."""
        row = self.tables["hosts"][host]
        return range(int(row["first"]), int(row["first"] + row["count"]))

    # -- members and relays -------------------------------------------------------------------------------------------------

    def begin_member(self, member: int) -> None:
        """A consumer begins to poll, and with it another life."""
        self.lives[member] = self.lives.get(member, 0) + 1
        row = self.tables["members"][member]
        task = self.new_task(int(row["replica"]), int(row["pc"]))
        slot = self.tables["slots"][task]
        slot["own_thread"], slot["member"] = 1, member
        row["task"] = task
        calendar.make_ready(self.s, task)

    def begin_relay(self, outbox: int) -> None:
        """A relay begins to look."""
        row = self.tables["outboxes"][outbox]
        task = self.new_task(int(row["replica"]), int(row["pc"]))
        self.tables["slots"][task]["own_thread"] = 1
        row["task"] = task
        calendar.make_ready(self.s, task)

    def silence(self, task: int) -> None:
        """Stop a thread of its own, with what it waits for."""
        host = int(self.tables["replicas"][self.tables["slots"][task]["replica"]]["host"])
        guards.stop(self.s, task, host, 0, -1)

    def stop_member(self, member: int) -> None:
        """The process is gone."""
        row = self.tables["members"][member]
        row["died"] = row["died"] or self.tables["replicas"][row["replica"]]["down"]
        if not row["up"]:
            return
        row["up"] = 0
        self._hold(member)
        self.silence(int(row["task"]))
        row["task"] = -1
        batch = []
        delivery = int(row["batch_first"])
        while delivery >= 0:
            batch.append(delivery)
            delivery = int(self.tables["deliveries"][delivery]["next"])
        consumers.put_back(self.s, member)
        for delivery in batch:  # the partition may have moved to another member while this one was at it
            waiting = self.tables["deliveries"][delivery]
            topics.notify(self.s, int(waiting["lane"]), int(waiting["message"]))

    def start_member(self, member: int) -> None:
        """It is back."""
        row = self.tables["members"][member]
        if row["up"]:
            return
        row["up"] = 1
        self._hold(member)
        if row["died"]:
            row["died"] = 0
            for lane in range(row["first_lane"], row["first_lane"] + row["lanes"]):
                if self.tables["group_lanes"][lane]["owner"] == member:
                    self._reset_offset(member, int(row["group"]), lane)
        row["idle"] = 0
        self.begin_member(member)

    def stop_relay(self, outbox: int) -> None:
        """Its replica died."""
        row = self.tables["outboxes"][outbox]
        if row["task"] >= 0:
            if self.tables["slots"][row["task"]]["phase"] == relays.REPLICATING:
                relays.release_rest(self.s, outbox)
            self.silence(int(row["task"]))
        row["task"] = -1

    def start_relay(self, outbox: int) -> None:
        """It runs in the first replica that is up, if there is one."""
        row = self.tables["outboxes"][outbox]
        host = int(row["host"])
        up = [r for r in self.replicas(host) if not self.tables["replicas"][r]["down"] and not self.refusing.get(host)]
        row["replica"] = up[0] if up else -1
        if not up:
            row["task"] = -1
            return
        self.begin_relay(outbox)

    def stop_consumers(self, host: int, replicas: Iterable[int]) -> None:
        """Members and relays in these replicas stop."""
        gone = set(replicas)
        for member, row in enumerate(self.tables["members"][: len(self.wiring.members)]):
            if row["host"] == host and int(row["replica"]) in gone:
                self.stop_member(member)
                if self.tables["replicas"][row["replica"]]["down"]:
                    self.expire_session(member)
        for outbox, row in enumerate(self.tables["outboxes"][: len(self.wiring.outboxes)]):
            if row["host"] == host and int(row["replica"]) in gone:
                self.stop_relay(outbox)
                self.start_relay(outbox)

    def start_consumers(self, host: int, replicas: Iterable[int]) -> None:
        """They start again."""
        back = set(replicas)
        for member in range(len(self.wiring.members)):
            row = self.tables["members"][member]
            if row["host"] == host and int(row["replica"]) in back:
                self.start_member(member)
                if not row["belongs"]:
                    row["belongs"] = 1
                    self.rebalance(int(row["group"]))
        for outbox in range(len(self.wiring.outboxes)):
            if self.tables["outboxes"][outbox]["host"] == host and self.tables["outboxes"][outbox]["task"] < 0:
                self.start_relay(outbox)

    def expire_session(self, member: int) -> None:
        """A crashed member's partitions move when its session times out, unless it is back before."""
        life = self.lives[member]

        def expire() -> None:
            row = self.tables["members"][member]
            if self.tables["replicas"][row["replica"]]["down"] and row["belongs"] and self.lives[member] == life:
                row["belongs"] = 0
                self.rebalance(int(row["group"]))

        self.order_in(float(self.tables["members"][member]["session"]), expire)

    def rebalance(self, group: int) -> None:
        """Deal the partitions out again (Kafka's range assignor)."""
        wiring = self.wiring
        members = [wiring.member_at[member] for member in wiring.groups[group].members]
        there = [member for member in members if self.tables["members"][member]["belongs"]]
        first = int(self.tables["groups"][group]["first"])
        count = len(wiring.groups[group].partitions)
        owners = self.tables["group_lanes"]["owner"][first : first + count].copy()
        self.tables["group_lanes"]["owner"][first : first + count] = -1
        for member in members:
            if member not in there:
                self.tables["members"][member]["lanes"] = 0
                self._hold(member)
        for member, indices in zip(there, range_assign(len(there), count), strict=True):
            self.tables["members"][member]["first_lane"] = first + min(indices, default=0)  # the range assignor gives neighbours to each
            self.tables["members"][member]["lanes"] = len(indices)
            self._hold(member)
            for index in indices:
                self.tables["group_lanes"][first + index]["owner"] = member
                if owners[index] != member:
                    self._reset_offset(member, group, first + index)
            lanes = [self.tables["group_lanes"][first + index] for index in indices]
            if self.tables["members"][member]["idle"] and any(lane["first"] >= 0 or lane["retries_first"] >= 0 for lane in lanes):
                self.tables["members"][member]["idle"] = 0
                calendar.make_ready(self.s, int(self.tables["members"][member]["task"]))
        found = wiring.groups[group]
        self.machine.log(EventKind.PARTITIONS_ASSIGNED, found.name, found.topic.name, len(there))

    def _hold(self, member: int) -> None:
        """Whether it is up and holds partitions may have changed."""
        row = self.tables["members"][member]
        holding = bool(row["up"] and row["lanes"])
        if holding != bool(row["holding"]):
            row["holding"] = holding
            row["holding_area"] += -self.now if holding else self.now

    def _reset_offset(self, member: int, group: int, lane: int) -> None:
        """`latest` starts at the end of a partition in which the group has committed nothing."""
        row = self.tables["group_lanes"][lane]
        if not self.tables["members"][member]["latest"] or row["committed"]:
            return
        while row["first"] >= 0:
            if self.s["message_rows"] >= self.s["message_rows_most"] or self.s["short"]:
                self.machine.grow()
            delivery = int(row["first"])
            row["first"] = self.tables["deliveries"][delivery]["next"]
            if row["first"] < 0:
                row["last"] = -1
            else:
                self.tables["deliveries"][row["first"]]["previous"] = -1
            consumers.end_delivery(self.s, group, delivery, SKIPPED)

    # -- hosts --------------------------------------------------------------------------------------------------------------

    def freeze(self, replica: int) -> None:
        """Stop all that goes on in it; what arrives waits outside, unless a worker is idle."""
        row = self.tables["replicas"][replica]
        row["hung"] += 1
        if row["hung"] == 1:
            row["closed"] += 1
            row["hung_since"] = self.now
            if row["cores"]:
                places.stop_cores(self.s, replica)

    def unfreeze(self, replica: int) -> None:
        """Let it go on where it stopped."""
        row = self.tables["replicas"][replica]
        row["hung"] -= 1
        if row["hung"] == 0:
            row["closed"] -= 1
            row["frozen"] += self.now - row["hung_since"]
            if row["cores"]:
                places.start_cores(self.s, replica)
            self._shed_overdue(row, int(row["host"]))
            task = int(row["parked_first"])
            row["parked_first"] = row["parked_last"] = -1
            while task >= 0:
                slot = self.tables["slots"][task]
                following = int(slot["next"])
                if slot["waits"] == tasks.PARKED:
                    slot["waits"] = tasks.NOWHERE
                calendar.make_ready(self.s, task)
                task = following

    def _shed_overdue(self, replica: Any, host: int) -> None:  # noqa: ANN401 - a record
        """Those whose patience ended in the freeze, and who still wait."""
        waiters = self.tables["waiters"]
        note = int(replica["overdue_first"])
        replica["overdue_first"] = replica["overdue_last"] = -1
        while note >= 0:
            task = int(waiters[note]["slot"])
            if self.tables["slots"][task]["ticket"] == waiters[note]["ticket"]:
                attempts.waited_too_long(self.s, task, host)
            following = int(waiters[note]["next"])
            memory.free_note(self.s, note)
            note = following

    def drop_all(self, host: int, replica: int) -> None:
        """Everything inside ends as unreachable, those who wait first, so that nobody inherits a place."""
        waiting = [task for task in self.inside(replica) if self.tables["slots"][task]["waits"] == tasks.IN_QUEUE]
        for task in waiting:
            self._kill(host, task)
        for task in self.inside(replica):
            self._kill(host, task)
        if self.wiring.hosts[host] is self.wiring.world.gateway:
            self._forget_questions(int(self.tables["replicas"][replica]["index"]))

    def _kill(self, host: int, task: int) -> None:
        if self.s["short"]:
            self.machine.grow()
        guards.stop(self.s, task, host, 0, UNREACHABLE)

    def inside(self, replica: int) -> list[int]:
        """Attempts that have arrived at a replica and not left, first come first."""
        slots = self.tables["slots"]
        found = np.flatnonzero((slots["dead"] == 0) & (slots["replica"] == replica) & (slots["inside"] > 0))
        return [int(task) for task in found[np.argsort(slots["inside"][found])]]

    def crash(self, host: int, replica: int) -> None:
        """It dies with all it holds, what it remembers about others included."""
        row, own = self.tables["replicas"][replica], self.tables["hosts"][host]
        row["down"] = 1
        row["closed"] += 1
        self.tables["alive"][replica] = 0
        own["up_area"] += self.now
        own["up"] -= 1
        self.machine.log(EventKind.REPLICA_CRASHED, f"{self.wiring.hosts[host].name}[{row['index']}]")
        self.drop_all(host, replica)
        self.stop_consumers(host, [replica])
        self._forget_guards(host, replica)
        self._forget_balancers(replica)
        self._forget_producer(replica)
        if self.wiring.hosts[host] is self.wiring.world.gateway:
            self._forget_answers(int(row["index"]))

    def restart(self, host: int, replica: int) -> None:
        """It comes back, empty."""
        row, own = self.tables["replicas"][replica], self.tables["hosts"][host]
        if not row["down"]:
            return
        row["down"] = 0
        row["closed"] -= 1
        self.tables["alive"][replica] = 1
        own["up_area"] -= self.now
        own["up"] += 1
        self.machine.log(EventKind.REPLICA_RESTARTED, f"{self.wiring.hosts[host].name}[{row['index']}]")
        if not self.refusing.get(host):
            self.start_consumers(host, [replica])

    def _forget_guards(self, host: int, replica: int) -> None:
        """A crashed replica starts again with closed breakers, empty bulkheads and no budget."""
        fresh = self.wiring.policies
        for guard, name, about in self.wiring.guards_of(host, int(self.tables["replicas"][replica]["index"])):
            row = self.tables["guards"][guard]
            row["first"] = row["last"] = -1
            row["spent"] = -math.inf
            if row["breaker"] >= 0:
                self.machine.tell(breaker_forgotten(self.machine.breaker(guard), self.now, name, about))
                self.tables["breakers"][row["breaker"]] = fresh["breakers"][row["breaker"]]
                self.tables["rings"][row["ring"] : row["ring"] + row["size"]] = 0.0
            if row["budget"] >= 0:
                self.tables["budgets"][row["budget"]] = fresh["budgets"][row["budget"]]
                self.tables["rings"][row["tokens"] : row["tokens"] + 9] = 0.0
            if row["bulkhead"] >= 0:
                self.tables["bulkheads"][row["bulkhead"]] = fresh["bulkheads"][row["bulkhead"]]

    def _forget_balancers(self, replica: int) -> None:
        for place in self.tables["balancer_of"][:, replica]:
            if place >= 0:
                self.tables["balancers"][place] = self.wiring.policies["balancers"][place]
                self.tables["loads"][place] = 0

    def _forget_producer(self, replica: int) -> None:
        """Its next producer sticks to other partitions."""
        stickies = self.tables["stickies"]
        stickies["left"][replica :: self.tables["replicas"].size] = 0

    def _remembered(self, space: str, index: int) -> NDArray[np.intp]:
        """The entries of one kind, `known` or `asking`, of one replica of the gateway."""
        if not len(self.wiring.tokens):
            return np.zeros(0, np.intp)
        entries = self.tables["entries"]
        mine = (entries["used"] != 0) & (entries["space"] == self.tables["tokens"][0][space])
        return np.flatnonzero(mine & (entries["key"] % self.tables["replicas"].size == index))

    def _forget_answers(self, index: int) -> None:
        """A crashed replica of the gateway has lost its cache of tokens."""
        self.tables["entries"]["time"][self._remembered("known", index)] = 0.0

    def _forget_questions(self, index: int) -> None:
        """All in a replica of the gateway was dropped: nobody there asks for a token or waits for one any more."""
        for place in self._remembered("asking", index):
            entry = self.tables["entries"][place]
            entry["value"] = -1
            waiter = int(entry["first"])
            entry["first"] = entry["last"] = -1
            while waiter >= 0:
                slot = int(self.tables["waiters"][waiter]["slot"])
                self.tables["slots"][slot]["held"] -= 1
                if self.tables["slots"][slot]["dead"] and not self.tables["slots"][slot]["held"]:
                    tasks.free_slot(self.s, slot)
                following = int(self.tables["waiters"][waiter]["next"])
                memory.free_note(self.s, waiter)
                waiter = following
