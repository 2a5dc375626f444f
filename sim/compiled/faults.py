"""What faults do to the tables, as in `models/fault.py`: a beginning and an end for each kind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.compiled import calendar, memory
from sim.compiled.program import row_of
from sim.models import fault as faults
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.control import Control


class Faults:
    """The faults of one run, and which of them disturb what now."""

    def __init__(self, control: Control):
        self.control = control
        self.wiring = control.wiring
        self.tables = control.tables
        self.slowdowns: dict[int, list[float]] = {}  # by host
        self.losses: dict[int, list[float]] = {}  # by wire
        self.delays: dict[int, list[int]] = {}  # by wire
        self.dead: dict[faults.Crash, list[int]] = {}
        self._changes: dict[type, tuple[Any, Any]] = {
            faults.Outage: (self.begin_outage, self.end_outage),
            faults.Slow: (self.begin_slow, self.end_slow),
            faults.Errors: (self.begin_errors, self.end_errors),
            faults.Crash: (self.begin_crash, self.end_crash),
            faults.NetworkFault: (self.begin_network, self.end_network),
            faults.BrokerDown: (self.begin_broker_down, self.end_broker_down),
        }

    def plan(self, moment: faults.FaultEvent) -> int:
        """The number of the order that begins or ends a fault."""
        begin, end = self._changes[type(moment.harm)]

        def act() -> None:
            self.control.machine.log(EventKind.FAULT_BEGAN if moment.begins else EventKind.FAULT_ENDED, moment.name)
            (begin if moment.begins else end)(moment.harm)

        return self.control.order(act)

    def begin_outage(self, harm: faults.Outage) -> None:
        """Frozen, refusing, or unheard."""
        host = self.wiring.host_at[harm.host]
        if harm.how == "hang":
            for replica in self.control.replicas(host):
                self.control.freeze(replica)
        elif harm.how == "refuse":
            self.control.refusing[host] = self.control.refusing.get(host, 0) + 1
            for replica in self.control.replicas(host):
                self.tables["replicas"][replica]["closed"] += 1
                self.control.drop_all(host, replica)
            if self.control.refusing[host] == 1:
                self.control.stop_consumers(host, self.control.replicas(host))
        else:
            self._cut(harm, 1)

    def end_outage(self, harm: faults.Outage) -> None:
        """Restored."""
        host = self.wiring.host_at[harm.host]
        if harm.how == "hang":
            for replica in self.control.replicas(host):
                self.control.unfreeze(replica)
        elif harm.how == "refuse":
            self.control.refusing[host] -= 1
            for replica in self.control.replicas(host):
                self.tables["replicas"][replica]["closed"] -= 1
            if not self.control.refusing[host]:
                self.control.start_consumers(host, [replica for replica in self.control.replicas(host) if not self.tables["replicas"][replica]["down"]])
        else:
            self._cut(harm, -1)
            self.reach_again()

    def _cut(self, harm: faults.Outage, by: int) -> None:
        for wire in self.wiring.world.network.wires_of(harm.host.name):
            place = self.wiring.wire_at[wire]
            self.tables["wires"][place]["cuts"] += by
            self._settle(place)

    def begin_slow(self, harm: faults.Slow) -> None:
        """Slow down."""
        host = self.wiring.host_at[harm.host]
        self.slowdowns.setdefault(host, []).append(harm.by)
        self.tables["hosts"][host]["slow"] = math.prod(self.slowdowns[host], start=1.0)

    def end_slow(self, harm: faults.Slow) -> None:
        """Recover."""
        host = self.wiring.host_at[harm.host]
        self.slowdowns[host].remove(harm.by)
        self.tables["hosts"][host]["slow"] = math.prod(self.slowdowns[host], start=1.0)

    def begin_errors(self, harm: faults.Errors) -> None:
        """Go wrong."""
        self.tables["errors"][self.wiring.error_at[harm]]["on"] = 1
        self.tables["hosts"][self.wiring.host_at[harm.host]]["errors_on"] += 1

    def end_errors(self, harm: faults.Errors) -> None:
        """Go right."""
        self.tables["errors"][self.wiring.error_at[harm]]["on"] = 0
        self.tables["hosts"][self.wiring.host_at[harm.host]]["errors_on"] -= 1

    def begin_crash(self, harm: faults.Crash) -> None:
        """Crash the first that are up."""
        host = self.wiring.host_at[harm.host]
        victims = [replica for replica in self.control.replicas(host) if not self.tables["replicas"][replica]["down"]][: harm.count]
        for replica in victims:
            self.control.crash(host, replica)
        self.dead[harm] = victims
        if harm.restart_after is not None:
            self.control.order_in(harm.restart_after, lambda: self.end_crash(harm))

    def end_crash(self, harm: faults.Crash) -> None:
        """Restart those that are still down."""
        host = self.wiring.host_at[harm.host]
        for replica in self.dead.pop(harm, []):
            self.control.restart(host, replica)

    def begin_network(self, harm: faults.NetworkFault) -> None:
        """Disturb."""
        wire = self.wiring.wire_at[harm.wire]
        if harm.delay is not None:
            self.delays.setdefault(wire, []).append(row_of(harm.delay))
        if harm.loss is not None:
            self.losses.setdefault(wire, []).append(harm.loss)
        self.tables["wires"][wire]["cuts"] += harm.cut
        self._disturb(wire)

    def end_network(self, harm: faults.NetworkFault) -> None:
        """Mend."""
        wire = self.wiring.wire_at[harm.wire]
        if harm.delay is not None:
            self.delays[wire].remove(row_of(harm.delay))
        if harm.loss is not None:
            self.losses[wire].remove(harm.loss)
        self.tables["wires"][wire]["cuts"] -= harm.cut
        self._disturb(wire)
        self.reach_again()

    def _disturb(self, wire: int) -> None:
        row = self.tables["wires"][wire]
        losses, delays = self.losses.get(wire, []), self.delays.get(wire, [])
        row["losses"], row["delays"] = len(losses), len(delays)
        self.tables["wire_losses"][wire, : len(losses)] = losses
        self.tables["wire_delays"][wire, : len(delays)] = delays
        self._settle(wire)

    def _settle(self, wire: int) -> None:
        """Hops of fixed length must look again, or need not any more."""
        row = self.tables["wires"][wire]
        disturbed = row["loss"] > 0 or row["delays"] or row["losses"] or row["cuts"]
        for hop in self.tables["hops"][: len(self.wiring.hops)]:
            if hop["wire"] == wire:
                hop["fixed"] = hop["length"] if hop["row"] < 0 and not disturbed else -1.0

    def begin_broker_down(self, harm: faults.BrokerDown) -> None:
        """Down: publications that wait for replicas are not acknowledged."""
        self.tables["brokers"][self.wiring.broker_at[harm.broker]]["down"] += 1
        messages = self.tables["messages"]
        for topic in harm.broker.topics:
            row = self.tables["topics"][self.wiring.topic_at[topic]]
            for partition in self.tables["partitions"][row["first"] : row["first"] + row["count"]]:
                message = int(partition["first"])
                while message >= 0:
                    if messages[message]["waiter"] >= 0:
                        calendar.put_ready(self.tables.s, int(messages[message]["waiter"]))  # held while it waited: its turn takes that over
                        messages[message]["waiter"] = -1
                    message = int(messages[message]["next"])

    def end_broker_down(self, harm: faults.BrokerDown) -> None:
        """Up."""
        broker = self.wiring.broker_at[harm.broker]
        self.tables["brokers"][broker]["down"] -= 1
        if not self.tables["brokers"][broker]["down"]:
            self._restore(broker)

    def reach_again(self) -> None:
        """Something was mended: consumers that could not reach their broker try again."""
        for broker in range(len(self.wiring.broker_at)):
            self._restore(broker)

    def _restore(self, broker: int) -> None:
        waiters = self.tables["waiters"]
        row = self.tables["brokers"][broker]
        waiter = int(row["first"])
        row["first"] = row["last"] = -1
        while waiter >= 0:
            calendar.put_ready(self.tables.s, int(waiters[waiter]["slot"]))  # held while it waited: its turn takes that over
            following = int(waiters[waiter]["next"])
            memory.free_note(self.tables.s, waiter)
            waiter = following
