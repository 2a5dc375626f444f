"""What services and the gateway have in common: replicas with places, which faults can slow, freeze, refuse or kill.

Not modelled: time to notice that a replica is gone, unless it has health checks (else balancers know at once), a bound
of the listen backlog where the queue says none, and a change of pace of work that is under
way when a slowdown begins or ends (it keeps the pace it began with; a freeze does stop it).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sim.chance.chain import link_chain
from sim.models.context import Context
from sim.models.cpu import Cpu
from sim.models.ending import kill
from sim.models.freezing import Freezable
from sim.models.health import HealthChecks
from sim.models.listening import Listening
from sim.models.outcomes import ERROR, IN_FLIGHT, OK, UNREACHABLE
from sim.models.places import UNLIMITED_PLACES
from sim.models.process_pauses import ProcessPauses
from sim.models.quota import QuotaCpu
from sim.models.spell import Spell
from sim.models.task import IN_QUEUE, Replica, Task
from sim.policies.contention import new_contention
from sim.records.tables import Book
from sim.spec.contention import Contention
from sim.spec.cpu import LEAST_QUOTA, CpuLimit
from sim.spec.service import Queue
from sim.vocabulary import EventKind, Outcome


class Host(Freezable):
    """A named component with replicas. Subclasses say what happens to a task that has got its place."""

    def __init__(
        self,
        context: Context,
        name: str,
        replicas: int,
        workers: int,
        cores: int | None,
        queue: Queue,
        most: int | None = None,
        cpu: CpuLimit | None = None,
        contention: Contention | None = None,
    ):
        super().__init__(context, name, workers, queue)
        self.cores: float | None = cores if cpu is None else min(cpu.limit, cores or math.inf)  # of each, on average
        self.replicas = [
            Replica(self, index, self.workers, self._cores_of(cores, cpu, contention))
            for index in range(most or replicas)
        ]
        self.comes_and_goes = most is not None and most > replicas  # replicas do (`models/fleet.py`)
        self.alive = [1] * len(self.replicas)  # what balancers are told
        self._fill_replicas(replicas)
        if cpu is not None:
            self._watch_quotas()
        # Replicas keep track of who is inside: for spans, or for those who ask for it (`keep_track`).
        self.tracks = self.spans is not None
        self.returned: dict[int, float] = {}  # by index: when a replica came back last, s
        self.pauses: ProcessPauses | None = None  # None: none of its replicas stands still by itself
        self.health: HealthChecks | None = None  # None: balancers know at once
        self.zones: list[int] = []  # of each replica its zone, by number; empty: it is in none
        self.all_zones = 0  # that there are
        self.from_zones = [0, 0]  # calls that came from the zone of their replica, and from another one
        self.unheard = 0  # how many black holes swallow what it sends
        self.drained: Callable[[Replica], None] = _nothing  # is told when something has ended in a draining replica
        self.slowdowns: list[float] = []
        self.error_faults: list[Any] = []
        self.refusing = 0  # how many outages refuse now
        self.up = replicas
        self.up_area = 0.0
        self.resizes = False  # its replicas have limits that change (`models/vertical_scaler.py`)
        self.granted = replicas * (self.cores or 0.0)  # cores of those that are up
        self.granted_area = 0.0
        self._have_no_mechanisms()
        self.shedding = Spell(context.recorder, EventKind.SHEDDING_BEGAN, EventKind.SHEDDING_ENDED, name)
        self._watch()
        if queue.listen_backlog is not None:
            self.listening = Listening(context, self, queue.listen_backlog, self.replicas)
            self.watch_outside()
            self.keep_track()

    def _have_no_mechanisms(self) -> None:
        """What steps and policies that need it put here."""
        self.caches: dict[str, Any] = {}  # by name (`models/cache.py`)
        self.cache_writes: dict[str, Any] = {}  # by the name of the cache (`models/cache_write.py`)
        self.event_stores: dict[str, Any] = {}  # by name (`models/event_store.py`)
        self.locks: dict[str, Any] = {}  # by name: what is told of each (`models/lock.py`)
        self.sagas: Any = None  # what is told of them (`models/saga.py`)
        self.sessions: Any = None  # of users (`models/session.py`)
        self.function: Any = None  # where its instances come by themselves (`models/serverless.py`)
        self.background_failed: int | None = None  # None: nothing is done in the background here

    def _fill_replicas(self, there: int) -> None:
        """So many are there in the beginning; the others may come."""
        for replica in self.replicas:
            replica.granted = self.cores or 0.0
        for replica in self.replicas[there:]:
            replica.absent = replica.down = True
            replica.closed = 1
            self.alive[replica.index] = 0

    def _cores_of(self, cores: int | None, cpu: CpuLimit | None, contention: Contention | None) -> Cpu | None:
        """What a replica computes on: so does work that may be interrupted, has a quota, or is slowed by other work."""
        if not cores and not self.preempts and cpu is None and contention is None:
            return None
        shared = cores or UNLIMITED_PLACES
        made = Cpu(self.env, shared) if cpu is None else QuotaCpu(self.env, shared, cpu.limit, cpu.period)
        made.contention = None if contention is None else new_contention(contention)
        return made

    def _watch_quotas(self) -> None:
        cpus = [replica.cpu for replica in self.replicas if isinstance(replica.cpu, QuotaCpu)]
        watch = self.recorder.watch
        watch(self.name, "throttled", "mean", lambda now: sum(cpu.throttled_for(now) for cpu in cpus))
        watch(self.name, "throttled_periods", "total", lambda _: sum(cpu.row.times for cpu in cpus))

    @property
    def plain_work(self) -> bool:
        """Work is nothing but time: no shared cores, no worker to come by first, no freeze to look out for."""
        simple = self.warm_up is None and self.ageing is None and self.uneven is None
        return self.replicas[0].cpu is None and not self.event_loop and not self.may_hang and simple

    @property
    def busy(self) -> int:
        """Places that are taken, in all replicas."""
        return sum(self.workers - replica.free for replica in self.replicas)

    @property
    def open(self) -> int:
        """Attempts that have arrived and not ended."""
        return self.account.offered - sum(self.account.ended)

    def error_fault_hits(self, task: Task, salt: int) -> int:
        """ERROR if one of the error faults that are on now hits this attempt; by its salt each endpoint has luck of its
        own.
        """
        for fault in self.error_faults:
            if fault.struck is not None and task.replica not in fault.struck:
                continue
            if fault.chance(task.request.id, link_chain(task.chain, salt, 0)) < fault.share:
                task.where = self.name_index
                task.root = 0
                return ERROR
        return OK

    # -- harm ------------------------------------------------------------------------------------------------------

    def change_pace(self) -> None:
        """The slowdowns that are on now multiply."""
        self.slow = math.prod(self.slowdowns, start=1.0)

    def watch_for_uneven_paces(self) -> None:
        """A fault may slow some replicas and not others; known before the first event."""
        if self.uneven is None:
            self.uneven = {}

    def change_pace_of(self, replica: Replica, by: float, over: bool = False) -> None:
        """A slowdown of one replica begins, or is over; those that are on now multiply."""
        assert self.uneven is not None
        slowdowns = self.uneven.setdefault(replica, [])
        if over:
            slowdowns.remove(by)
        else:
            slowdowns.append(by)

    def drop_all(self, replica: Replica) -> None:
        """Everything inside ends as unreachable, those who wait first, so that nobody inherits a place."""
        replica.ending = True
        for task in [task for task in replica.inside if task.waits == IN_QUEUE]:
            kill(task, UNREACHABLE)
        for task in list(replica.inside):
            kill(task, UNREACHABLE)
        adrift, replica.adrift = replica.adrift, {}
        for task in adrift:
            kill(task, UNREACHABLE)
        replica.ending = False

    def crash(self, replica: Replica, told: EventKind = EventKind.REPLICA_CRASHED) -> None:
        """It dies with all it holds. What others hold for it, they forget when they are told (`models/fault.py`)."""
        self.recorder.event(told, f"{self.name}[{replica.index}]")
        self.take_down(replica)

    def take_down(self, replica: Replica) -> None:
        """It is there no more, with all it holds."""
        replica.down = True
        replica.closed += 1
        if self.health is None:
            self.alive[replica.index] = 0
        self.up_area += self.env.now
        self.up -= 1
        self._grant(-replica.granted)
        self.drop_all(replica)
        if self.function is not None:
            self.function.forget()
        if self.lines is not None:
            self.lines.forget(replica)
        self.stop_consumers([replica])
        replica.balancers.clear()
        replica.memory.clear()
        if self.pauses is not None:
            self.pauses.go_down(replica.index)

    def restart(self, replica: Replica) -> None:
        """It comes back, empty; one that was to end anyway does not."""
        if not replica.down or replica.absent or replica.draining:
            return
        self.recorder.event(EventKind.REPLICA_RESTARTED, f"{self.name}[{replica.index}]")
        self.bring_up(replica)

    def bring_up(self, replica: Replica) -> None:
        """It is there from now on, empty and cold."""
        replica.down = False
        replica.closed -= 1
        replica.warm_since = self.env.now
        self.enlist(replica)
        self.up_area -= self.env.now
        self.up += 1
        self._grant(replica.granted)
        if not self.refusing:
            self.start_consumers([replica])
        if self.pauses is not None:
            self.pauses.come_up(replica.index)

    def resize(self, replica: Replica, limit: float) -> None:
        """It may use so many cores on average from now on."""
        assert isinstance(replica.cpu, QuotaCpu)
        period = replica.cpu.row.period
        replica.cpu.resize(max(limit * period, LEAST_QUOTA))
        granted = min(limit, float(replica.cpu.cores))
        if not replica.down:
            self._grant(granted - replica.granted)
        replica.granted = granted

    def _grant(self, more: float) -> None:
        self.granted += more
        self.granted_area -= more * self.env.now

    def retire(self, replica: Replica) -> None:
        """It is to be shut down in order: nobody chooses it any more, and it finishes what it has."""
        self.delist(replica)

    def enlist(self, replica: Replica) -> None:
        """It is there, and balancers know at once, or when it has passed a check."""
        if self.health is not None:
            self.health.come_up(replica.index)
        else:
            self.tell(replica.index, 1)
            self.is_another(replica.index)

    def delist(self, replica: Replica) -> None:
        """It is to go, and all balancers know at once."""
        self.tell(replica.index, 0)
        if self.health is not None:
            self.health.forget(replica.index)

    # -- versions --------------------------------------------------------------------------------------------------

    def deploy(self, version: Any) -> None:  # noqa: ANN401 - a version of `models/release.py`
        """Replicas of this version will be there from now on."""
        if version.errors is not None:
            version.errors.struck = []
            self.error_faults.append(version.errors)

    def begin_version(self, replica: Replica, version: Any) -> None:  # noqa: ANN401 - likewise
        """It is ready, and of this version."""
        if version.slow != 1.0:
            self.change_pace_of(replica, version.slow)
        if version.errors is not None:
            version.errors.struck.append(replica)
        replica.tally = version.tally

    def end_version(self, replica: Replica, version: Any) -> None:  # noqa: ANN401 - likewise
        """It is gone: who comes to its place may be of another one."""
        if version.slow != 1.0:
            self.change_pace_of(replica, version.slow, over=True)
        if version.errors is not None:
            version.errors.struck.remove(replica)
        replica.tally = None

    def tally_of(self, version: Any) -> tuple[int, int, int]:  # noqa: ANN401 - likewise
        """Attempts that have ended in its replicas, those that failed, and those that were late."""
        return version.tally.ended, version.tally.failed, version.tally.late

    # -- zones -----------------------------------------------------------------------------------------------------

    def spread(self, zones: Sequence[str], every: Sequence[str]) -> None:
        """Its replicas are in these zones, of all there are, one after the other."""
        self.all_zones = len(every)
        if not zones:
            return
        self.zones = [every.index(zones[replica.index % len(zones)]) for replica in self.replicas]
        for replica, zone in zip(self.replicas, self.zones, strict=True):
            replica.zone = zone
        self.recorder.watch(self.name, "from_same_zone", "total", lambda _: self.from_zones[False])
        self.recorder.watch(self.name, "from_other_zone", "total", lambda _: self.from_zones[True])

    def clocks_are(self, skews: Sequence[float]) -> None:
        """The clocks of its replicas are so far ahead, one after the other."""
        for replica in self.replicas if skews else ():
            replica.skew = skews[replica.index % len(skews)]

    def count_zone(self, crosses: bool) -> None:
        """A call comes from the zone of its replica, or crosses from another one."""
        self.from_zones[crosses] += 1

    # -- what balancers know ---------------------------------------------------------------------------------------

    def checked(self, index: int) -> Replica:
        """A replica, for its checks."""
        return self.replicas[index]

    def pace_of(self, index: int) -> float:
        """How many times as long all takes there that begins now."""
        uneven = () if self.uneven is None else self.uneven.get(self.replicas[index], ())
        return self.slow * math.prod(uneven, start=1.0)

    def tell(self, index: int, known: int) -> None:
        """Balancers are told whether a replica is there: 1 or 0, or that it is failing."""
        self.alive[index] = known

    def is_another(self, index: int) -> None:
        """They are told that it is another one from now on, of which nothing is known."""
        self.returned[index] = self.env.now

    def uneject(self, index: int) -> None:
        """A check has passed (services have balancers that may have ejected it)."""

    def is_done(self, replica: Replica) -> bool:
        """Whether nothing goes on in it any more, in the background either; for hosts that keep track."""
        return not replica.inside and not replica.adrift

    def stop_consumers(self, replicas: Sequence[Replica]) -> None:
        """Consumers and relays in these replicas stop (services have some)."""

    def start_consumers(self, replicas: Sequence[Replica]) -> None:
        """They start again."""

    def leave_groups(self, replica: Replica) -> None:
        """Consumers in it leave their groups after what they have polled; relays move."""

    # -- what nobody waits for -------------------------------------------------------------------------------------

    def watch_background(self) -> None:
        """Steps of it go on in the background: how many do, and how many have failed, are series of it."""
        if self.background_failed is None:
            self.background_failed = 0
            watch = self.recorder.watch
            watch(self.name, "background", "level", lambda _: sum(len(replica.adrift) for replica in self.replicas))
            watch(self.name, "background_failed", "total", lambda _: self.background_failed or 0)

    # -- accounts --------------------------------------------------------------------------------------------------

    def keep_track(self) -> None:
        """Somebody will want to know who is inside: a fault that kills, a policy that cancels, an event loop."""
        self.tracks = True

    def depart(self, task: Task, outcome: int, where: int) -> None:
        """An attempt has ended here, one way or another; for hosts that keep track."""
        self.account.ended[outcome] += 1
        del task.replica.inside[task]
        if task.replica.tally is not None:
            task.replica.tally.note(task, outcome, self.env.now)
        if self.function is not None:
            self.function.give_back(task)
        if task.replica.draining:
            self.drained(task.replica)
        if self.spans is not None:
            self._keep_span(task, outcome, where, self.env.now)

    def close(self) -> None:
        """The clock has stopped: attempts that are still inside have spans without an end. Requests close later."""
        if self.spans is not None:
            for replica in self.replicas:
                for task, where in replica.inside.items():
                    self._keep_span(task, IN_FLIGHT, where, math.nan)

    def _keep_span(self, task: Task, outcome: int, where: int, ended: float) -> None:
        assert self.spans is not None
        self.spans.append(
            task.request.id,
            task.chain,
            task.arrived,
            task.started,
            ended,
            where,
            task.replica.index,
            outcome,
            task.abandoned,
            task.flow,
        )

    def book(self) -> Book:
        """Attempts that arrived, how they ended, and those found inside by counting."""
        inside = (
            sum(len(replica.inside) for replica in self.replicas)
            if self.tracks
            else self.busy + self.queued + self.outside
        )
        account = self.account
        return Book(
            self.name,
            account.offered,
            {outcome.word: account.ended[outcome] for outcome in Outcome if account.ended[outcome]},
            inside,
        )

    def _cores_area(self, now: Any) -> Any:  # noqa: ANN401 - a time, or many
        """The integral of the cores that replicas have that are up."""
        if self.resizes:
            return self.granted_area + self.granted * now
        return (self.up_area + self.up * now) * (self.cores or 0)

    def _watch(self) -> None:
        watch, account = self.recorder.watch, self.account
        watch(self.name, "busy", "mean", lambda now: account.busy_area + self.busy * now)
        watch(self.name, "queue", "mean", lambda now: self.queue_area + self.queued * now)
        watch(self.name, "replicas", "mean", lambda now: self.up_area + self.up * now)
        watch(
            self.name,
            "workers",
            "mean",
            lambda now: (self.up_area + self.up * now) * self.workers if self.workers < UNLIMITED_PLACES else math.inf,
        )
        if self.cores:
            watch(
                self.name,
                "cores_busy",
                "mean",
                lambda now: sum(replica.cpu.area(now) for replica in self.replicas if replica.cpu),
            )
            watch(self.name, "cores", "mean", self._cores_area)
        watch(self.name, "in_flight", "level", lambda _: self.open)
        watch(self.name, "attempts", "total", lambda _: account.offered)
        watch(self.name, "first_attempts", "total", lambda _: account.offered - account.offered_again)
        watch(self.name, "work_done", "total", lambda _: account.work_done)
        watch(self.name, "work_wasted", "total", lambda _: account.work_wasted)


def _nothing(_: Replica) -> None:
    """Nobody asks."""
