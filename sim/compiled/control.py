"""What happens to hosts rarely, in Python: freezes, crashes and what they forget, as in `models/host.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import attempts, calendar, cores, ending, eviction, lines, places, produced, tasks
from sim.compiled.codes import UNREACHABLE
from sim.compiled.flows.calls import LAYERS
from sim.compiled.instances import forget_instances
from sim.compiled.membership import Membership
from sim.compiled.rows.balancing import balancing_rules, peers, views
from sim.compiled.rows.caches import collected
from sim.compiled.rows.calls import alive, balancer_of, balancers, loads, rings
from sim.compiled.rows.calls import guards as guard_rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.gateway import entries, token_rules
from sim.compiled.rows.hosts import hosts, quotas, replicas
from sim.compiled.rows.lines import codels, disciplines, replica_lines
from sim.compiled.rows.logs import dealt_out, stickies
from sim.compiled.rows.plugins import plugin_steps
from sim.compiled.rows.producers import producer_settings, producers
from sim.compiled.rows.running import give_back_note, notes
from sim.compiled.rows.running import tasks as task_rows
from sim.spec.cpu import LEAST_QUOTA
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.rows.gateway import TokenRule
    from sim.compiled.rows.hosts import Host, Replica
    from sim.compiled.rows.state import State


class Control:
    """Changes hosts between two calls of the interpreter."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.wiring = machine.wiring
        self.membership = Membership(machine, self.replicas)

    @property
    def s(self) -> State:
        """The state of the run."""
        return self.machine.s

    def replicas(self, host: int) -> range:
        """The places of a host's replicas."""
        row = hosts(self.s)[host]
        return range(row.first, row.first + row.count)

    # -- freezes -------------------------------------------------------------------------------------------------------

    def freeze(self, replica: int) -> None:
        """Stop all that goes on in it; what arrives waits outside, unless a worker is idle."""
        row = replicas(self.s)[replica]
        row.hung += 1
        if row.hung == 1:
            row.closed += 1
            row.hung_since = self.s.now
            if row.cores:
                cores.stop_cores(self.s, replica)

    def unfreeze(self, replica: int) -> None:
        """Let it go on where it stopped."""
        row = replicas(self.s)[replica]
        row.hung -= 1
        if row.hung:
            return
        row.closed -= 1
        row.frozen += self.s.now - row.hung_since
        if row.cores:
            cores.start_cores(self.s, replica)
        self._shed_overdue(row)
        if row.accepting.first >= 0:
            places.accept_connections(self.s, row.host, replica)
        task = row.parked.first
        row.parked.first = row.parked.last = NOBODY
        while task >= 0:
            own = task_rows(self.s)[task]
            following = own.next
            if own.waits == tasks.PARKED:
                own.waits = tasks.NOWHERE
            calendar.make_ready(self.s, task)
            task = following

    def _shed_overdue(self, replica: Replica) -> None:
        """Those whose patience ended in the freeze, and who still wait."""
        place = replica.overdue_first
        replica.overdue_first = replica.overdue_last = NOBODY
        while place >= 0:
            note = notes(self.s)[place]
            if task_rows(self.s)[note.task].ticket == note.ticket:
                attempts.waited_too_long(self.s, note.task, replica.host)
            following = note.next
            give_back_note(self.s, place)
            place = following

    # -- the end of what is inside -------------------------------------------------------------------------------------

    def drop_all(self, host: int, replica: int) -> None:
        """Everything inside ends as unreachable, those who wait first, so that nobody inherits a place."""
        replicas(self.s)[replica].ending = True
        waiting = [task for task in self.inside(replica) if task_rows(self.s)[task].waits == tasks.IN_QUEUE]
        for task in waiting:
            self._kill(host, task)
        for task in self.inside(replica):
            self._kill(host, task)
        for task in self._adrift(replica):
            hosts(self.s)[host].adrift -= 1
            self._kill(host, task)
        replicas(self.s)[replica].ending = False
        if self._is_gateway(host):
            self._forget_questions(replicas(self.s)[replica].index)

    def _kill(self, host: int, task: int) -> None:
        if self.s.must_grow:
            self.machine.grow()
        ending.stop(self.s, task, host, False, UNREACHABLE)

    def inside(self, replica: int) -> list[int]:
        """Attempts that have arrived at a replica and not left, first come first."""
        return self._numbered(replica, "inside")

    def goes_on(self, replica: int) -> bool:
        """Whether anything does in it, in the background too."""
        return bool(self.inside(replica) or self._adrift(replica))

    def _adrift(self, replica: int) -> list[int]:
        """What goes on in a replica and nobody waits for, in the order in which that began."""
        return self._numbered(replica, "adrift")

    def _numbered(self, replica: int, number: str) -> list[int]:
        """The tasks of a replica that have such a number, by it."""
        every = task_rows.array(self.s)
        found = np.flatnonzero((every["life"] == tasks.ALIVE) & (every["replica"] == replica) & (every[number] > 0))
        return [int(task) for task in found[np.argsort(every[number][found])]]

    # -- crashes -------------------------------------------------------------------------------------------------------

    def crash(self, host: int, replica: int) -> None:
        """It dies with all it holds, what it remembers about others included."""
        self.machine.log(EventKind.REPLICA_CRASHED, self._name_of(host, replica))
        self.take_down(host, replica)
        self.forget(host, replica)

    def take_down(self, host: int, replica: int) -> None:
        """It is there no more, with all it holds."""
        row, own = replicas(self.s)[replica], hosts(self.s)[host]
        row.down = 1
        row.closed += 1
        if self.wiring.hosts[host].health is None:
            self.let_choose(replica, 0)
        own.up_area += self.s.now
        own.up -= 1
        self._grant(own, -row.granted)
        self.drop_all(host, replica)
        if own.function >= 0:
            forget_instances(self.s, own.function)
        self._forget_line(host, row.index)
        self.membership.stop(host, [replica])
        self._forget_caches(host, row.index)
        self._forget_balancers(replica)
        plugins = self.wiring.plugin_tables
        plugins.renew(plugin_steps.array(self.s), rings.array(self.s), self.wiring.hosts[host], row.index)
        if self._is_gateway(host):
            self._forget_answers(row.index)
        if (pauses := self.wiring.hosts[host].pauses) is not None:
            pauses.go_down(row.index)

    def resize(self, host: int, replica: int, limit: float) -> None:
        """It may use so many cores on average from now on."""
        row, own = replicas(self.s)[replica], hosts(self.s)[host]
        period = quotas(self.s)[row.quota].period
        cores.resize_cores(self.s, replica, max(limit * period, LEAST_QUOTA))
        granted = min(limit, float(row.cores))
        if not row.down:
            self._grant(own, granted - row.granted)
        row.granted = granted

    def _grant(self, own: Host, more: float) -> None:
        own.granted += more
        own.granted_area -= more * self.s.now

    def forget(self, host: int, replica: int) -> None:
        """What it remembered about others is gone, and so is its producer."""
        self._forget_guards(host, replicas(self.s)[replica].index)
        self._forget_producer(replica)

    def let_choose(self, replica: int, value: int) -> None:
        """Tell balancers whether it is there."""
        alive(self.s)[replica] = value

    def _name_of(self, host: int, replica: int) -> str:
        return f"{self.wiring.hosts[host].name}[{replicas(self.s)[replica].index}]"

    def restart(self, host: int, replica: int) -> None:
        """It comes back, empty; one that was to end anyway does not."""
        row = replicas(self.s)[replica]
        if not row.down or row.absent or row.draining:
            return
        self.machine.log(EventKind.REPLICA_RESTARTED, self._name_of(host, replica))
        self.bring_up(host, replica)

    def bring_up(self, host: int, replica: int) -> None:
        """It is there from now on, empty and cold."""
        row, own = replicas(self.s)[replica], hosts(self.s)[host]
        row.down = 0
        row.closed -= 1
        row.warm_since = self.s.now
        self.enlist(host, replica)
        own.up_area -= self.s.now
        own.up += 1
        self._grant(own, row.granted)
        if not self.membership.refusing.get(host):
            self.membership.start(host, [replica])
        if (pauses := self.wiring.hosts[host].pauses) is not None:
            pauses.come_up(row.index)

    def enlist(self, host: int, replica: int) -> None:
        """Balancers know that it is there, at once or when it has passed a check."""
        row, health = replicas(self.s)[replica], self.wiring.hosts[host].health
        if health is not None:
            health.come_up(row.index)
        else:
            self.let_choose(replica, 1)
            row.returned = self.s.now

    def _forget_line(self, host: int, index: int) -> None:
        """It begins with an empty line that remembers nothing."""
        place = hosts(self.s)[host].discipline
        if place >= 0:
            lines.forget_turns(self.s, host, index)
            line = disciplines(self.s)[place].first + index
            at = replica_lines(self.s)[line].codel
            codels.array(self.s)[at] = self.wiring.fresh[codels][at]

    def _forget_guards(self, host: int, index: int) -> None:
        """A crashed replica starts again with closed breakers, empty bulkheads and no budget."""
        for guard, name, about in self.wiring.guard_tables.guards_of(host, index):
            for layer in LAYERS:
                layer.forgotten(self.machine, guard_rows(self.s)[guard], name, about)

    def _forget_caches(self, host: int, index: int) -> None:
        """What it kept in its memory is gone."""
        for first in self.wiring.cache_tables.in_replicas.get(host, ()):
            eviction.clear(self.s, first + index)
        for first in self.wiring.cache_tables.collected_in.get(host, ()):
            row = collected(self.s)[first + index]
            row.writes, row.waiting, row.has_timer = 0, 0, False

    def _forget_balancers(self, replica: int) -> None:
        for place in balancer_of.array(self.s)[:, replica]:
            if place >= 0:
                balancers.array(self.s)[place] = self.wiring.fresh[balancers][place]
        balancing, fresh = self.wiring.call_tables.balancing, self.wiring.fresh
        for place in balancing.views_of(replica):
            view = views(self.s)[place]
            last_turn = view.plain + balancing_rules(self.s)[view.rule].zones + 1
            balancers.array(self.s)[view.plain : last_turn] = fresh[balancers][view.plain : last_turn]
            first, last = view.peers, view.peers + hosts(self.s)[view.host].count
            peers.array(self.s)[first:last] = fresh[peers][first:last]
            views.array(self.s)[place] = fresh[views][place]
        for first, line in self.wiring.call_tables.loads_of.values():
            loads.array(self.s)[first + replica * line : first + (replica + 1) * line] = 0

    def _forget_producer(self, replica: int) -> None:
        """Its next producers stick to other partitions."""
        stickies.array(self.s)["left"][replica :: self.s.replica_count] = 0
        dealt_out.array(self.s)[replica :: self.s.replica_count] = 0
        for settings in range(self.wiring.producer_tables.brokers):
            place = producer_settings(self.s)[settings].there.first
            while place >= 0:
                following = producers(self.s)[place].next
                if producers(self.s)[place].replica == replica:
                    if self.s.must_grow:
                        self.machine.grow()
                    produced.close_producer(self.s, place)
                place = following

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _is_gateway(self, host: int) -> bool:
        return self.wiring.hosts[host] is self.wiring.world.gateway

    def _rule(self) -> TokenRule | None:
        return token_rules(self.s)[0] if len(self.wiring.gateway_tables.token_rules) else None

    def _remembered(self, space: int, index: int) -> list[int]:
        """The entries of a space that are of one replica of the gateway."""
        every = entries.array(self.s)
        mine = every["used"] & (every["space"] == space) & (every["key"] % self.s.replica_count == index)
        return [int(place) for place in np.flatnonzero(mine)]

    def _forget_answers(self, index: int) -> None:
        """A crashed replica of the gateway has lost its cache of tokens."""
        if (rule := self._rule()) is not None:
            for place in self._remembered(rule.known, index):
                entries(self.s)[place].time = 0.0

    def _forget_questions(self, index: int) -> None:
        """All in a replica of the gateway was dropped: nobody there asks for a token or waits for one any more."""
        rule = self._rule()
        for place in self._remembered(rule.asking, index) if rule is not None else ():
            entry = entries(self.s)[place]
            entry.value = -1
            waiting = entry.first
            entry.first = entry.last = NOBODY
            while waiting >= 0:
                task = notes(self.s)[waiting].task
                own = task_rows(self.s)[task]
                own.held -= 1
                if own.life == tasks.OVER and not own.held:
                    tasks.free_row(self.s, task)
                following = notes(self.s)[waiting].next
                give_back_note(self.s, waiting)
                waiting = following
