"""Faults, in verbs that come in pairs: outage/restore, slow/recover, crash/restart, cut/mend, down/up.

They may overlap.

What they leave out the specs say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sim.models.behaviours import behaviour, behaviour_of
from sim.models.clock import CONTROL, Signal
from sim.models.draws import Draw
from sim.models.faulting import Harm
from sim.models.host import Host
from sim.models.release import Canary, SideBySide, Version
from sim.models.rollout import Rollout
from sim.models.task import Replica
from sim.models.world import World
from sim.spec import broker_fault
from sim.spec import fault as spec
from sim.vocabulary import EventKind


def first_up(host: Host, count: int) -> list[Replica]:
    """So many replicas that are up, the first of them."""
    return [replica for replica in host.replicas if not replica.down][:count]


def end_together(replicas: Iterable[Replica]) -> None:
    """All of these lose what is inside at this moment, one after the other: none has what another one loses."""
    for replica in replicas:
        replica.ending = True


@behaviour(spec.Outage)
class Outage:
    """A service is down: frozen, refusing, or unheard."""

    def __init__(self, fault: spec.Outage, world: World):
        self.world = world
        self.host = world.host(fault.of)
        self.how = fault.how
        if fault.how == "hang":
            self.host.watch_for_freezes()
        elif fault.how == "refuse":
            self.host.keep_track()

    def begin(self) -> None:
        """Down."""
        host = self.host
        if self.how == "hang":
            for replica in host.replicas:
                host.freeze(replica)
        elif self.how == "refuse":
            host.refusing += 1
            end_together(host.replicas)
            for replica in host.replicas:
                replica.closed += 1
                host.drop_all(replica)
            if host.refusing == 1:
                host.stop_consumers(host.replicas)
        else:
            self._cut(1)

    def end(self) -> None:
        """Restored."""
        host = self.host
        if self.how == "hang":
            for replica in host.replicas:
                host.unfreeze(replica)
        elif self.how == "refuse":
            host.refusing -= 1
            for replica in host.replicas:
                replica.closed -= 1
            if not host.refusing:
                host.start_consumers([replica for replica in host.replicas if not replica.down])
        else:
            self._cut(-1)
            self.world.reach_again()

    def _cut(self, by: int) -> None:
        """A black hole swallows what the service sends as well as what is sent to it."""
        self.host.unheard += by
        for wire in self.world.network.wires_of(self.host.name):
            wire.cuts += by
            wire.change()


@behaviour(spec.Slow)
class Slow:
    """Work that begins now takes longer, everywhere or in some replicas."""

    def __init__(self, fault: spec.Slow, world: World):
        self.host = world.host(fault.of)
        self.by = fault.by
        self.count = fault.replicas
        self.struck: list[Replica] = []
        if fault.replicas is not None:
            self.host.watch_for_uneven_paces()

    def begin(self) -> None:
        """Slow down."""
        if self.count is None:
            self.host.slowdowns.append(self.by)
            self.host.change_pace()
            return
        self.struck = first_up(self.host, self.count)
        for replica in self.struck:
            self.host.change_pace_of(replica, self.by)

    def end(self) -> None:
        """Recover."""
        if self.count is None:
            self.host.slowdowns.remove(self.by)
            self.host.change_pace()
            return
        for replica in self.struck:
            self.host.change_pace_of(replica, self.by, over=True)


@behaviour(spec.Errors)
class Errors:
    """A share of attempts ends with an error as soon as it has a worker."""

    def __init__(self, fault: spec.Errors, world: World):
        self.host = world.host(fault.of)
        self.share = fault.share
        self.count = fault.replicas
        self.struck: list[Replica] | None = None  # None: all
        self.chance = world.uniform(f"fault.{fault.name}")

    def begin(self) -> None:
        """Go wrong."""
        if self.count is not None:
            self.struck = first_up(self.host, self.count)
        self.host.error_faults.append(self)

    def end(self) -> None:
        """Go right."""
        self.host.error_faults.remove(self)


@behaviour(spec.Crash)
class Crash:
    """Replicas die with all they hold, the first that are up; they come back empty."""

    def __init__(self, fault: spec.Crash, world: World):
        self.world = world
        self.host = world.host(fault.of)
        self.host.keep_track()
        self.count = fault.replicas
        self.restart_after = fault.restart_after
        self.dead: list[Replica] = []

    def begin(self) -> None:
        """Crash."""
        victims = first_up(self.host, self.count)
        end_together(victims)
        for replica in victims:
            self.host.crash(replica)
            self.world.forget(replica)
        self.dead = victims
        if self.restart_after is not None:
            self.world.env.schedule(Signal(lambda _: self.end()), CONTROL, self.restart_after)

    def end(self) -> None:
        """Restart those that are still down."""
        dead, self.dead = self.dead, []
        for replica in dead:
            self.host.restart(replica)


@behaviour(spec.Zone)
class Zone:
    """All replicas of one zone die with all they hold; they come back empty."""

    def __init__(self, fault: spec.Zone, world: World):
        self.world = world
        self.zone = world.scenario.zones.index(fault.zone)
        self.hosts = [host for host in world.hosts() if self.zone in host.zones]
        for host in self.hosts:
            host.keep_track()
        self.dead: list[tuple[Host, Replica]] = []

    def begin(self) -> None:
        """Crash."""
        there = [(host, replica) for host in self.hosts for replica in host.replicas if replica.zone == self.zone]
        self.dead = [(host, replica) for host, replica in there if not replica.down]
        end_together(replica for _, replica in self.dead)
        for host, replica in self.dead:
            host.crash(replica)
            self.world.forget(replica)

    def end(self) -> None:
        """Restart those that are still down."""
        dead, self.dead = self.dead, []
        for host, replica in dead:
            host.restart(replica)


@behaviour(spec.NetworkFault)
class NetworkFault:
    """More latency, loss, or nothing at all between two components."""

    def __init__(self, fault: spec.NetworkFault, world: World):
        self.world = world
        self.wire = world.network.wire(*fault.between)
        self.loss = fault.loss
        self.cut = fault.partition
        self.delay = world.sampler(fault.latency, f"fault.{fault.name}") if fault.latency is not None else None

    def begin(self) -> None:
        """Disturb."""
        wire = self.wire
        if self.delay is not None:
            wire.delays.append(self.delay)
        if self.loss is not None:
            wire.losses.append(self.loss)
        wire.cuts += self.cut
        wire.change()

    def end(self) -> None:
        """Mend."""
        wire = self.wire
        if self.delay is not None:
            wire.delays.remove(self.delay)
        if self.loss is not None:
            wire.losses.remove(self.loss)
        wire.cuts -= self.cut
        wire.change()
        self.world.reach_again()


@behaviour(broker_fault.BrokerDown)
class BrokerDown:
    """A broker neither accepts nor delivers."""

    def __init__(self, fault: broker_fault.BrokerDown, world: World):
        self.broker: Any = world.brokers[fault.broker]
        self.node = fault.node

    def begin(self) -> None:
        """Down."""
        if self.node is not None:
            self.broker.fail_node(self.node)
        else:
            self.broker.fail()

    def end(self) -> None:
        """Up."""
        if self.node is not None:
            self.broker.restore_node(self.node)
            return
        self.broker.down -= 1
        if not self.broker.down:
            self.broker.restore()


@behaviour(spec.StoreDown)
class StoreDown:
    """The store of rate limits does not answer."""

    def __init__(self, fault: spec.StoreDown, world: World):
        self.stores = [
            limit.store for limit in world.limits() if limit.store is not None and limit.store.spec.name == fault.store
        ]
        self.how = fault.how

    def begin(self) -> None:
        """Down."""
        self._change(1)

    def end(self) -> None:
        """Up."""
        self._change(-1)

    def _change(self, by: int) -> None:
        for store in self.stores:
            if self.how == "hang":
                store.hanging += by
            else:
                store.refusing += by


@behaviour(spec.Flush)
class Flush:
    """A cache is empty from one moment to the next."""

    def __init__(self, fault: spec.Flush, world: World):
        self.host = world.host(fault.of)
        self.cache = fault.cache

    def begin(self) -> None:
        """Lose all."""
        self.host.caches[self.cache].flush()

    def end(self) -> None:
        """What was lost stays lost."""


@behaviour(spec.Deploy)
class Deploy:
    """New replicas for old ones: a few at a time, some first and then the others, or all beside the old ones."""

    def __init__(self, fault: spec.Deploy, world: World):
        self.world = world
        self.fault = fault
        host, new = world.host(fault.of), fault.new_version
        self.errors: Errors | None = None
        if new.slow != 1.0:
            host.watch_for_uneven_paces()
        if new.errors > 0.0:
            name = f"{fault.name}: new version"
            its = spec.Errors.model_construct(name=name, at=fault.at, of=fault.of, share=new.errors, replicas=1)
            self.errors = Errors(its, world)
        self.version = Version.of(new, self.errors, fault.canary.abort if fault.canary is not None else None)

    def begin(self) -> None:
        """The first of them."""
        fleet = self.world.fleets[self.fault.of]
        fleet.host.deploy(self.version)
        bounds = self.fault.steps(fleet.wanted)
        if self.fault.canary is not None:
            fleet.roll(Canary(fleet, self.version, bounds, self.fault.canary))
        elif self.fault.blue_green is not None:
            fleet.roll(SideBySide(fleet, self.version, self.fault.blue_green))
        else:
            fleet.version = self.version
            fleet.roll(Rollout(fleet, *bounds))

    def end(self) -> None:
        """What is new stays."""


@behaviour(spec.Random)
class Random:
    """A fault that comes and goes by chance, each time by draws of its own."""

    def __init__(self, fault: spec.Random, world: World):
        self.env = world.env
        self.recorder = world.recorder
        self.fault = fault
        inner = fault.fault.model_copy(update={"name": fault.inner_name})
        self.name = inner.name or ""
        self.harm: Harm = behaviour_of(inner)(inner, world)
        self.until_it_comes = world.sampler(fault.mtbf, f"fault.{fault.name}.mtbf")
        self.until_it_goes = world.sampler(fault.mttr, f"fault.{fault.name}.mttr")
        self.times = 0  # that it has come
        self.on = False
        self.over = True

    def begin(self) -> None:
        """Chance has a say from now on."""
        self.over = False
        self._wait(self.until_it_comes, self._come)

    def end(self) -> None:
        """And no more: what is there goes with it."""
        self.over = True
        if self.on:
            self._go(None)

    def _wait(self, draw: Draw, what: Callable[[object], None]) -> None:
        self.env.schedule(Signal(what), CONTROL, draw(self.times, 0))

    def _come(self, _: object) -> None:
        if self.over:
            return
        self.on = True
        self.recorder.event(EventKind.FAULT_BEGAN, self.name)
        self.harm.begin()
        self._wait(self.until_it_goes, self._go)

    def _go(self, _: object) -> None:
        if not self.on:
            return
        self.on = False
        self.times += 1
        self.recorder.event(EventKind.FAULT_ENDED, self.name)
        self.harm.end()
        if not self.over:
            self._wait(self.until_it_comes, self._come)
