"""Replicas that come and go: the models' own fleets, autoscalers and deployments, over the rows of this engine.

What they decide is rare, and all that they ask a host for is a number, or to take a replica down or bring one up. So
they run as they are (`models/fleet.py`, `node_pool.py`, `autoscaler.py`, `rollout.py`, `release.py`, `restarting.py`,
`process_pauses.py`, and `Random` of `fault.py`), as Python between two turns of the interpreter: their clock plans
orders, and their hosts and replicas are views of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.compiled import calendar
from sim.compiled.balancing import check_passed
from sim.compiled.lag_views import GroupView, QueueView
from sim.compiled.rows.balancing import view_of, views
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import timer_lanes
from sim.compiled.rows.hosts import ended, error_faults, fleets, hosts, node_pools, replicas, struck, tallies
from sim.compiled.tasks import STANDS_IN
from sim.compiled.views import of_row
from sim.models.clock import CONTROL, ORDINARY, Signal
from sim.models.draws import Draws
from sim.policies.base import noise
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.control import Control
    from sim.compiled.coordination import Patience
    from sim.compiled.rows.hosts import Host, Replica

Model = Any  # of a fault or a fleet, whose parts are exchanged for views


class Elasticity:
    """What fleets, autoscalers and faults of the models are given in the place of their world."""

    def __init__(self, control: Control):
        self.control = control
        self.env = Time(control)
        self.recorder = Log(control)
        self.hosts = [HostView(self, place) for place in range(len(control.wiring.hosts))]
        self.fleets = control.wiring.world.fleets
        self.place_of_fleet = {name: place for place, name in enumerate(self.fleets)}
        for name, fleet in self.fleets.items():
            self._take_over(self.view(name), fleet)
        self.node_pools = control.wiring.world.node_pools
        for name, pool in self.node_pools.items():
            self._take_over_pool(name, pool)
        for scaler in control.wiring.world.autoscalers:
            self._take_over_scaler(scaler)
        for vertical in control.wiring.world.vertical_scalers:
            self._take_over_vertical(vertical)
        for view in self.hosts:
            health: Model = view.model.health
            if health is not None:
                health.env, health.recorder, health.host = self.env, self.recorder, view
            if view.model.pauses is not None:
                self._take_over_pauses(view, view.model.pauses)

    def view(self, name: str) -> HostView:
        """Of a component, by its name."""
        return next(view for view in self.hosts if view.name == name)

    def _take_over(self, host: HostView, fleet: Model) -> None:
        fleet.env, fleet.recorder, fleet.system, fleet.host = self.env, self.recorder, self, host
        fleet.start_time = self.drawn(fleet.spec.start.time, f"{host.name}.start")
        for slot, replica in zip(fleet.slots, host.replicas, strict=True):
            slot.replica = replica
            look = Signal.calling(fleet.look_whether_empty, replica)
            replica.row.when_left = self.control.membership.order(look_at(look), lasting=True)

    def _take_over_pool(self, name: str, pool: Model) -> None:
        pool.env, pool.recorder = self.env, self.recorder
        pool.start_time = self.drawn(pool.spec.start, f"{name}.node.start")

    def _take_over_scaler(self, scaler: Model) -> None:
        host = self.view(scaler.fleet.host.name)
        scaler.env = scaler.metrics.env = self.env
        scaler.metrics.host = host
        scaler.groups = {
            name: [GroupView(self.control, group) for group in found] for name, found in scaler.groups.items()
        }
        scaler.queues = {name: QueueView(self.control, queue) for name, queue in scaler.queues.items()}

    def _take_over_pauses(self, host: HostView, pauses: Model) -> None:
        pauses.env, pauses.recorder, pauses.host = self.env, self.recorder, host
        pauses.every = self.drawn(pauses.spec.every, f"{host.name}.pauses.every")
        pauses.lasts = self.drawn(pauses.spec.lasts, f"{host.name}.pauses.for")

    def _take_over_vertical(self, scaler: Model) -> None:
        scaler.env, scaler.recorder = self.env, self.recorder
        scaler.host = self.view(scaler.host.name)

    def take_over_fault(self, harm: Model) -> None:
        """A restart, a deployment or what comes by chance."""
        if hasattr(harm, "world"):
            harm.world = self
        if hasattr(harm, "host"):
            harm.host = self.view(harm.host.name)

    def drawn(self, distribution: Model, stream: str) -> Model:
        """Draws of a distribution, which the models are wired without here."""
        return Draws.sampler(self.control.wiring.world.draws, distribution, stream)

    def forget(self, replica: ReplicaView) -> None:
        """It is gone: what it remembered about others is, too."""
        self.control.forget(replica.host.place, replica.place)

    def tell_of_fleets(self) -> None:
        """How many replicas and nodes are wanted and paid for may have changed: the time series read it in rows."""
        for place, fleet in enumerate(self.fleets.values()):
            row = fleets(self.control.s)[place]
            row.wanted, row.paid, row.paid_area = fleet.wanted, float(fleet.paid), float(fleet.paid_area)
        for vertical in self.control.wiring.world.vertical_scalers:
            row = fleets(self.control.s)[self.place_of_fleet[vertical.fleet.host.name]]
            row.cpu_target = vertical.target
        for place, pool in enumerate(self.node_pools.values()):
            its = node_pools(self.control.s)[place]
            its.ready, its.pending = pool.ready, len(pool.pending)
            its.paid, its.paid_area = pool.paid, float(pool.paid_area)


def look_at(signal: Signal) -> Model:
    """What an order does about a signal of the models."""
    return lambda: signal.then(signal)


class Time:
    """Their clock: what they plan becomes an order."""

    def __init__(self, control: Control):
        self.control = control

    @property
    def now(self) -> float:
        """s"""
        return self.control.s.now

    def schedule(self, signal: Signal, rank: int = CONTROL, delay: float = 0.0) -> None:
        """Plan it."""
        order = self.control.membership.order(look_at(signal))
        calendar.schedule(self.control.s, rank, float(delay), calendar.ORDER, order)

    def hold(self, signal: Signal, delay: float) -> None:
        """Its turn comes as an ordinary event."""
        self.schedule(signal, ORDINARY, delay)

    def late(self, patience: Patience, rank: int, time: float) -> None:
        """A timer at this time, which has a lane of its own."""
        s = self.control.s
        timer_lanes(s)[patience.lane].due = time
        due = time + (rank - ORDINARY) * noise(time)
        calendar.push(s, due, rank, int(calendar.LANE) | patience.lane << calendar.KIND_BITS)

    def wake(self, turn: int | Signal) -> None:
        """The turn of a task comes in the ready queue, or that of a signal, for which a task stands in."""
        membership, s = self.control.membership, self.control.s
        if isinstance(turn, int):
            calendar.make_ready(s, turn)
            return
        order = membership.order(look_at(turn))
        calendar.make_ready(s, membership.new_stand_in(STANDS_IN, order))


class Log:
    """Their event log."""

    def __init__(self, control: Control):
        self.control = control

    def event(self, kind: EventKind, subject: str, about: str = "", value: float = 0.0) -> None:
        """Note something worth telling."""
        self.control.machine.log(kind, subject, about, float(value))


class HostView:
    """A host, as fleets, autoscalers and restarts see one."""

    up: int = of_row()  # replicas that are up
    up_area: float = of_row()  # the integral of that, less what is yet to be added
    busy_area: float = of_row()  # the integral of its places that are taken
    queued: int = of_row()  # attempts that wait
    queue_area: float = of_row()  # the integral of those
    offered: int = of_row()  # attempts that have arrived

    def __init__(self, world: Elasticity, place: int):
        self.control = world.control
        self.env = world.env
        self.place = place
        self.model: Model = self.control.wiring.hosts[place]
        self.name, self.cores, self.workers = self.model.name, self.model.cores, self.model.workers
        self.replicas = [ReplicaView(self, index) for index in range(len(self.model.replicas))]
        self.account = self

    @property
    def row(self) -> Host:
        """Its row."""
        return hosts(self.control.s)[self.place]

    @property
    def busy(self) -> int:
        """Places that are taken."""
        return sum(self.workers - replica.row.free for replica in self.replicas)

    @property
    def open(self) -> int:
        """Attempts that have arrived and not ended."""
        return self.row.offered - int(ended.array(self.control.s)[self.place].sum())

    def keep_track(self) -> None:
        """It does: that was known when it was wired."""

    def take_down(self, replica: ReplicaView) -> None:
        """It is there no more, with all it holds."""
        self.control.take_down(self.place, replica.place)

    def resize(self, replica: ReplicaView, limit: float) -> None:
        """It may use so many cores on average from now on."""
        self.control.resize(self.place, replica.place, limit)

    def crash(self, replica: ReplicaView, told: EventKind) -> None:
        """The same, and it is told."""
        self.control.machine.log(told, f"{self.name}[{replica.index}]")
        self.take_down(replica)

    def bring_up(self, replica: ReplicaView) -> None:
        """It is there, empty and cold."""
        self.control.bring_up(self.place, replica.place)

    def restart(self, replica: ReplicaView) -> None:
        """It comes back, unless it was to end anyway."""
        self.control.restart(self.place, replica.place)

    def pause(self, replica: ReplicaView) -> None:
        """It freezes by itself."""
        self.row.paused += 1
        self.row.paused_area -= self.env.now
        self.control.freeze(replica.place)

    def go_on(self, replica: ReplicaView) -> None:
        """And is done with that."""
        self.row.paused -= 1
        self.row.paused_area += self.env.now
        self.control.unfreeze(replica.place)

    def retire(self, replica: ReplicaView) -> None:
        """Nobody chooses it any more; its consumers close when they have done what they have in hand."""
        self.delist(replica)
        self.control.membership.close(replica.place)

    def enlist(self, replica: ReplicaView) -> None:
        """It is there, and balancers know at once, or when it has passed a check."""
        self.control.enlist(self.place, replica.place)

    def delist(self, replica: ReplicaView) -> None:
        """It is to go, and all balancers know at once."""
        self.tell(replica.index, 0)
        if self.model.health is not None:
            self.model.health.forget(replica.index)

    def deploy(self, version: Model) -> None:
        """Replicas of this version will be there from now on."""
        if version.errors is not None:
            error_faults(self.control.s)[self._error_of(version)].on = True
            self.row.errors_on += 1

    def begin_version(self, replica: ReplicaView, version: Model) -> None:
        """It is ready, and of this version."""
        if version.slow != 1.0:
            self.control.machine.faults.change_pace_of(replica.place, version.slow)
        self._strike(replica, version, 1)
        replica.row.tally = version.place
        replica.hear()

    def end_version(self, replica: ReplicaView, version: Model) -> None:
        """It is gone: who comes to its place may be of another one."""
        if version.slow != 1.0:
            self.control.machine.faults.change_pace_of(replica.place, version.slow, over=True)
        self._strike(replica, version, 0)
        replica.row.tally = NOBODY
        replica.hear()

    def _strike(self, replica: ReplicaView, version: Model, hits: int) -> None:
        if version.errors is not None:
            line = error_faults(self.control.s)[self._error_of(version)].struck
            struck(self.control.s)[line + replica.index] = hits

    def _error_of(self, version: Model) -> int:
        place: int = self.control.wiring.host_tables.error_at[version.errors]
        return place

    def tally_of(self, version: Model) -> tuple[int, int, int]:
        """Attempts that have ended in its replicas, those that failed, and those that were late."""
        row = tallies(self.control.s)[version.place]
        return row.ended, row.failed, row.late

    @property
    def unheard(self) -> int:
        """How many black holes swallow what it sends."""
        return self.model.unheard

    def checked(self, index: int) -> ReplicaView:
        """A replica, for its checks."""
        return self.replicas[index]

    def pace_of(self, index: int) -> float:
        """How many times as long all takes there that begins now."""
        return self.row.slow * self.replicas[index].row.slow

    def tell(self, index: int, known: int) -> None:
        """Balancers are told what is known of a replica."""
        self.control.let_choose(self.replicas[index].place, known)

    def is_another(self, index: int) -> None:
        """They are told that it is another one from now on."""
        self.replicas[index].row.returned = self.env.now

    def uneject(self, index: int) -> None:
        """Callers that had ejected it as an outlier take it back."""
        s, wiring = self.control.s, self.control.wiring
        places = [int(place) for place in view_of.array(s)[self.place] if place >= 0]
        for place in sorted(places, key=lambda its: wiring.subjects[views(s)[its].about]):
            if views(s)[place].made:
                check_passed(s, place, index)

    def leave_groups(self, replica: ReplicaView) -> None:
        """Consumers in it leave their groups after what they have polled; relays move."""
        self.control.membership.leave(self.place, replica.place)

    def is_done(self, replica: ReplicaView) -> bool:
        """Whether nothing goes on in it any more."""
        return not self.control.goes_on(replica.place) and not self.control.membership.is_up_in(replica.place)


class ReplicaView:
    """One of its replicas."""

    closed: int = of_row()  # for how many reasons nobody gets an answer from it
    hung: int = of_row()  # how many freezes hold it
    warm_since: float = of_row()  # when it was ready, s
    absent: bool = of_row()  # whether there is none at its place

    def __init__(self, host: HostView, index: int):
        self.host, self.index = host, index
        self.place = host.control.replicas(host.place)[index]
        self.cpu = self if host.cores else None

    @property
    def row(self) -> Replica:
        """Its row."""
        return replicas(self.host.control.s)[self.place]

    @property
    def down(self) -> bool:
        """Whether it is."""
        return self.row.down > 0

    @property
    def draining(self) -> bool:
        """Whether nobody is sent to it any more, and it ends when it is empty."""
        return self.row.draining

    @draining.setter
    def draining(self, draining: bool) -> None:
        """From now on."""
        self.row.draining = draining
        self.hear()

    def hear(self) -> None:
        """Somebody wants to know what ends in it, or nobody does."""
        row = self.row
        row.heard = row.draining or row.tally >= 0 or self.host.row.function >= 0

    @property
    def inside(self) -> list[int]:
        """Attempts that have arrived and not left."""
        return self.host.control.inside(self.place)

    def area(self, now: float) -> float:
        """The integral of its busy cores."""
        row = self.row
        busy = 0 if row.stopped else min(row.running, row.cores)
        return row.used + (now - row.used_since) * busy
