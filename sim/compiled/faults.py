"""What faults do to the tables, as in `models/fault.py`: a beginning and an end for each kind."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sim.compiled import calendar, eviction
from sim.compiled.draw_rows import row_of
from sim.compiled.elasticity import look_at
from sim.compiled.rows.caches import caches
from sim.compiled.rows.calls import hops, wire_delays, wire_losses, wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import error_faults, hosts, replicas, struck, zone_of
from sim.compiled.rows.limits import limits
from sim.compiled.rows.logs import brokers, messages, partitions, topics
from sim.compiled.rows.running import give_back_note, notes
from sim.models import fault as faults
from sim.models.clock_fault import ClockStep
from sim.models.faulting import FaultEvent, Harm
from sim.models.queues.faults import Alarm, BrokerSplit, SlowDisk
from sim.models.queues.queue_broker import QueueBroker
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.control import Control
    from sim.compiled.elasticity import Elasticity


class Ours:
    """A fault that comes by chance, as this engine does it."""

    def __init__(self, faults: Faults, harm: Harm):
        self.faults, self.harm = faults, harm

    def begin(self) -> None:
        """Do the harm."""
        self.faults.begin(self.harm)

    def end(self) -> None:
        """Undo it."""
        self.faults.end(self.harm)


class Faults:
    """The faults of one run, and which of them disturb what now."""

    def __init__(self, control: Control):
        self.control = control
        self.wiring = control.wiring
        self.s = control.s
        self.membership = control.membership
        self.slowdowns: dict[int, list[float]] = {}  # by host
        self.paces: dict[int, list[float]] = {}  # slowdowns by replica, of faults that slow only some
        self.slow_ones: dict[faults.Slow, list[int]] = {}  # whom each of these slows
        self.losses: dict[int, list[float]] = {}  # by wire
        self.delays: dict[int, list[int]] = {}  # by wire
        self.dead: dict[faults.Crash, list[int]] = {}
        self.set_clocks: dict[ClockStep, list[int]] = {}  # whose
        self.dead_zones: dict[faults.Zone, list[int]] = {}
        self._changes: dict[type, tuple[Any, Any]] = {
            faults.Outage: (self.begin_outage, self.end_outage),
            faults.Slow: (self.begin_slow, self.end_slow),
            faults.Errors: (self.begin_errors, self.end_errors),
            faults.Crash: (self.begin_crash, self.end_crash),
            faults.Zone: (self.begin_zone, self.end_zone),
            faults.NetworkFault: (self.begin_network, self.end_network),
            faults.Flush: (self.begin_flush, self.end_flush),
            faults.StoreDown: (self.begin_store_down, self.end_store_down),
            ClockStep: (self.begin_clock, self.end_clock),
            faults.BrokerDown: (self.begin_broker_down, self.end_broker_down),
            Alarm: (self.begin_alarm, self.end_alarm),
            BrokerSplit: (self.begin_split, self.end_split),
            SlowDisk: (self.begin_slow_disk, self.end_slow_disk),
        }

    def plan(self, moment: Any) -> int:  # noqa: ANN401 - a signal of the models
        """The number of the order that begins or ends a fault, or lets an autoscaler look."""
        if not isinstance(moment, FaultEvent):  # of an autoscaler
            return self.membership.order(look_at(moment))

        def act() -> None:
            self.control.machine.log(EventKind.FAULT_BEGAN if moment.begins else EventKind.FAULT_ENDED, moment.name)
            (self.begin if moment.begins else self.end)(moment.harm)

        return self.membership.order(act)

    def begin(self, harm: Any) -> None:  # noqa: ANN401 - a fault of the models
        """Do the harm."""
        if type(harm) in self._changes:
            self._changes[type(harm)][0](harm)
        else:
            harm.begin()

    def end(self, harm: Any) -> None:  # noqa: ANN401 - likewise
        """Undo it."""
        if type(harm) in self._changes:
            self._changes[type(harm)][1](harm)
        else:
            harm.end()

    def take_over(self, elasticity: Elasticity) -> None:
        """Restarts, deployments and chance are those of the models; what comes by chance is ours."""
        for harm in self.wiring.harms:
            if type(harm) not in self._changes:
                elasticity.take_over_fault(harm)
            if isinstance(harm, faults.Random):
                harm.env, harm.recorder = elasticity.env, elasticity.recorder  # type: ignore[assignment]  # a clock of ours, of which it asks no more than both have
                harm.until_it_comes = elasticity.drawn(harm.fault.mtbf, f"fault.{harm.fault.name}.mtbf")
                harm.until_it_goes = elasticity.drawn(harm.fault.mttr, f"fault.{harm.fault.name}.mttr")
                harm.harm = Ours(self, harm.harm)

    def begin_outage(self, harm: faults.Outage) -> None:
        """Frozen, refusing, or unheard."""
        host = self.wiring.host_at[harm.host]
        if harm.how == "hang":
            for replica in self.control.replicas(host):
                self.control.freeze(replica)
        elif harm.how == "refuse":
            refusing = self.membership.refusing[host] = self.membership.refusing.get(host, 0) + 1
            self._end_together(self.control.replicas(host))
            for replica in self.control.replicas(host):
                replicas(self.s)[replica].closed += 1
                self.control.drop_all(host, replica)
            if refusing == 1:
                self.membership.stop(host, self.control.replicas(host))
        else:
            self._cut(harm, 1)

    def end_outage(self, harm: faults.Outage) -> None:
        """Restored."""
        host = self.wiring.host_at[harm.host]
        if harm.how == "hang":
            for replica in self.control.replicas(host):
                self.control.unfreeze(replica)
        elif harm.how == "refuse":
            self.membership.refusing[host] -= 1
            for replica in self.control.replicas(host):
                replicas(self.s)[replica].closed -= 1
            if not self.membership.refusing[host]:
                self.membership.start(
                    host, [replica for replica in self.control.replicas(host) if not replicas(self.s)[replica].down]
                )
        else:
            self._cut(harm, -1)
            self.reach_again()

    def _cut(self, harm: faults.Outage, by: int) -> None:
        harm.host.unheard += by
        for wire in self.wiring.world.network.wires_of(harm.host.name):
            place = self.wiring.wire_at[wire]
            wires(self.s)[place].cuts += by
            self._settle(place)

    def begin_slow(self, harm: faults.Slow) -> None:
        """Slow down."""
        host = self.wiring.host_at[harm.host]
        if harm.count is None:
            self.slowdowns.setdefault(host, []).append(harm.by)
            hosts(self.s)[host].slow = math.prod(self.slowdowns[host], start=1.0)
            return
        self.slow_ones[harm] = self._first_up(host, harm.count)
        for replica in self.slow_ones[harm]:
            self.change_pace_of(replica, harm.by)

    def end_slow(self, harm: faults.Slow) -> None:
        """Recover."""
        host = self.wiring.host_at[harm.host]
        if harm.count is None:
            self.slowdowns[host].remove(harm.by)
            hosts(self.s)[host].slow = math.prod(self.slowdowns[host], start=1.0)
            return
        for replica in self.slow_ones.pop(harm, []):
            self.change_pace_of(replica, harm.by, over=True)

    def change_pace_of(self, replica: int, by: float, over: bool = False) -> None:
        """A slowdown of one replica begins, or is over; those that are on now multiply."""
        paces = self.paces.setdefault(replica, [])
        if over:
            paces.remove(by)
        else:
            paces.append(by)
        replicas(self.s)[replica].slow = math.prod(paces, start=1.0)

    def begin_errors(self, harm: faults.Errors) -> None:
        """Go wrong."""
        host = self.wiring.host_at[harm.host]
        row = error_faults(self.s)[self.wiring.host_tables.error_at[harm]]
        row.on = True
        if harm.count is not None:
            those = self._first_up(host, harm.count)
            for index, replica in enumerate(self.control.replicas(host)):
                struck(self.s)[row.struck + index] = int(replica in those)
        hosts(self.s)[host].errors_on += 1

    def end_errors(self, harm: faults.Errors) -> None:
        """Go right."""
        error_faults(self.s)[self.wiring.host_tables.error_at[harm]].on = False
        hosts(self.s)[self.wiring.host_at[harm.host]].errors_on -= 1

    def begin_crash(self, harm: faults.Crash) -> None:
        """Crash the first that are up."""
        host = self.wiring.host_at[harm.host]
        victims = self._first_up(host, harm.count)
        self._end_together(victims)
        for replica in victims:
            self.control.crash(host, replica)
        self.dead[harm] = victims
        if harm.restart_after is not None:
            self.membership.order_in(harm.restart_after, lambda: self.end_crash(harm))

    def end_crash(self, harm: faults.Crash) -> None:
        """Restart those that are still down."""
        host = self.wiring.host_at[harm.host]
        for replica in self.dead.pop(harm, []):
            self.control.restart(host, replica)

    def begin_zone(self, harm: faults.Zone) -> None:
        """Crash all that is in it."""
        there = [replica for its in harm.hosts for replica in self.control.replicas(self.wiring.host_at[its])]
        there = [replica for replica in there if zone_of(self.s)[replica] == harm.zone]
        dead = self.dead_zones[harm] = [replica for replica in there if not replicas(self.s)[replica].down]
        self._end_together(dead)
        for replica in dead:
            self.control.crash(replicas(self.s)[replica].host, replica)

    def end_zone(self, harm: faults.Zone) -> None:
        """Restart those that are still down."""
        for replica in self.dead_zones.pop(harm, []):
            self.control.restart(replicas(self.s)[replica].host, replica)

    def _end_together(self, those: Iterable[int]) -> None:
        """All of these lose what is inside at this moment, one after the other."""
        for replica in those:
            replicas(self.s)[replica].ending = True

    def _first_up(self, host: int, count: int) -> list[int]:
        """So many replicas that are up, the first of them."""
        return [replica for replica in self.control.replicas(host) if not replicas(self.s)[replica].down][:count]

    def begin_network(self, harm: faults.NetworkFault) -> None:
        """Disturb."""
        wire = self.wiring.wire_at[harm.wire]
        if harm.delay is not None:
            self.delays.setdefault(wire, []).append(row_of(harm.delay))
        if harm.loss is not None:
            self.losses.setdefault(wire, []).append(harm.loss)
        wires(self.s)[wire].cuts += harm.cut
        self._disturb(wire)

    def end_network(self, harm: faults.NetworkFault) -> None:
        """Mend."""
        wire = self.wiring.wire_at[harm.wire]
        if harm.delay is not None:
            self.delays[wire].remove(row_of(harm.delay))
        if harm.loss is not None:
            self.losses[wire].remove(harm.loss)
        wires(self.s)[wire].cuts -= harm.cut
        self._disturb(wire)
        self.reach_again()

    def _disturb(self, wire: int) -> None:
        row = wires(self.s)[wire]
        losses, delays = self.losses.get(wire, []), self.delays.get(wire, [])
        row.losses, row.delays = len(losses), len(delays)
        wire_losses.array(self.s)[wire, : len(losses)] = losses
        wire_delays.array(self.s)[wire, : len(delays)] = delays
        self._settle(wire)

    def _settle(self, wire: int) -> None:
        """Hops of fixed length must look again, or need not any more."""
        row = wires(self.s)[wire]
        disturbed = row.loss > 0 or row.delays or row.losses or row.cuts
        for place in range(len(self.wiring.call_tables.hops)):
            hop = hops(self.s)[place]
            if hop.wire == wire:
                plain = hop.draw < 0 and hop.between_zones < 0.0
                hop.fixed = hop.length if plain and not disturbed else -1.0

    def begin_flush(self, harm: faults.Flush) -> None:
        """Lose all."""
        tables = self.wiring.cache_tables
        cache = caches(self.s)[tables.place_of[harm.host.caches[harm.cache]]]
        for store in range(cache.first, cache.first + cache.stores):
            eviction.clear(self.s, store)

    def end_flush(self, harm: faults.Flush) -> None:
        """What was lost stays lost."""

    def begin_store_down(self, harm: faults.StoreDown) -> None:
        """The store of rate limits does not answer."""
        self._change_stores(harm, 1)

    def end_store_down(self, harm: faults.StoreDown) -> None:
        """It does again."""
        self._change_stores(harm, -1)

    def _change_stores(self, harm: faults.StoreDown, by: int) -> None:
        for place, limit in enumerate(self.wiring.limit_tables.models):
            if limit.store in harm.stores:
                row = limits(self.s)[place]
                if harm.how == "hang":
                    row.hanging += by
                else:
                    row.refusing += by

    def begin_clock(self, harm: ClockStep) -> None:
        """Set the clocks of all, or of the first that are up."""
        host = self.wiring.host_at[harm.host]
        its = self.control.replicas(host)
        those = self.set_clocks[harm] = list(its) if harm.count is None else self._first_up(host, harm.count)
        for replica in those:
            replicas(self.s)[replica].skew += harm.by

    def end_clock(self, harm: ClockStep) -> None:
        """Set them back."""
        for replica in self.set_clocks.pop(harm, []):
            replicas(self.s)[replica].skew -= harm.by

    def begin_broker_down(self, harm: faults.BrokerDown) -> None:
        """Down: publications that wait for replicas are not acknowledged."""
        if harm.broker in self.wiring.queue_broker_at:
            listeners = self.membership.listeners
            if harm.node is not None:
                listeners.nodes[harm.broker].nodes.fail(harm.node)
            else:
                listeners.fail(harm.broker)
            return
        if harm.node is not None:
            self.control.machine.nodes.fail(harm.broker, harm.node)
            return
        self.control.machine.nodes.break_off(harm.broker)
        brokers(self.s)[self.wiring.broker_at[harm.broker]].down += 1
        for topic in harm.broker.topics:
            row = topics(self.s)[self.wiring.topic_at[topic]]
            for place in range(row.first, row.first + row.count):
                message = partitions(self.s)[place].first
                while message >= 0:
                    waiting = messages(self.s)[message]
                    if waiting.waiter >= 0:
                        calendar.put_ready(self.s, waiting.waiter)  # held while it waited: its turn takes that over
                        waiting.waiter = NOBODY
                    message = waiting.next

    def end_broker_down(self, harm: faults.BrokerDown) -> None:
        """Up."""
        if harm.broker in self.wiring.queue_broker_at:
            listeners = self.membership.listeners
            if harm.node is not None:
                listeners.nodes[harm.broker].nodes.restore(harm.node)
            else:
                listeners.end_failure(harm.broker)
            return
        if harm.node is not None:
            self.control.machine.nodes.restore(harm.broker, harm.node)
            return
        broker = self.wiring.broker_at[harm.broker]
        brokers(self.s)[broker].down -= 1
        if not brokers(self.s)[broker].down:
            self.wake_waiting(broker)

    def reach_again(self) -> None:
        """Something was mended: consumers that could not reach their broker try again."""
        for broker in self.wiring.world.brokers.values():
            if isinstance(broker, QueueBroker):
                self.membership.listeners.restore(broker)
            else:
                self.wake_waiting(self.wiring.broker_at[broker])

    def begin_alarm(self, harm: Alarm) -> None:
        """Out of memory."""
        self.membership.listeners.raise_alarm(harm.broker, 1)

    def end_alarm(self, harm: Alarm) -> None:
        """There is room again."""
        self.membership.listeners.raise_alarm(harm.broker, -1)

    def begin_split(self, harm: BrokerSplit) -> None:
        """Some nodes do not hear the others."""
        self.membership.listeners.nodes[harm.broker].nodes.split(harm.nodes)

    def end_split(self, harm: BrokerSplit) -> None:
        """They do again."""
        self.membership.listeners.nodes[harm.broker].nodes.unite(harm.nodes)

    def begin_slow_disk(self, harm: SlowDisk) -> None:
        """Slow down."""
        if harm.broker in self.wiring.broker_at:
            harm.begin()
            self.control.machine.nodes.tell_of_disks(harm.broker)
        else:
            self.membership.listeners.slow_disk(harm.broker, harm.node, harm.by, begins=True)

    def end_slow_disk(self, harm: SlowDisk) -> None:
        """Recover."""
        if harm.broker in self.wiring.broker_at:
            harm.end()
            self.control.machine.nodes.tell_of_disks(harm.broker)
        else:
            self.membership.listeners.slow_disk(harm.broker, harm.node, harm.by, begins=False)

    def wake_waiting(self, broker: int) -> None:
        """Consumers and relays that wait for a broker try again."""
        row = brokers(self.s)[broker]
        place = row.first
        row.first = row.last = NOBODY
        while place >= 0:
            note = notes(self.s)[place]
            calendar.put_ready(self.s, note.task)  # held while it waited: its turn takes that over
            following = note.next
            give_back_note(self.s, place)
            place = following
