"""Traffic, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chance.arrivals import ArrivalTable
from sim.chance.keyed import stream_key
from sim.chance.popularity import popularity_table, stride
from sim.compiled.base import CHUNK
from sim.compiled.calendar import OF_CLIENT
from sim.compiled.draw_rows import row_of
from sim.compiled.flows.layers.retry import budget_of
from sim.compiled.pausing import with_steps
from sim.compiled.program import Unsupported
from sim.compiled.rows import traffic as rows
from sim.compiled.rows.calls import retries
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, whole_numbers
from sim.spec.arrivals import Closed
from sim.spec.base import word_of

if TYPE_CHECKING:
    from sim.compiled.program import Assembler
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.limits import LimitTables
    from sim.compiled.wiring.places import Places
    from sim.models.client import Client, Door
    from sim.models.workload import Workload


class TrafficTables:
    """Its rows."""

    def __init__(self, places: Places, calls: CallTables, limits: LimitTables, assembler: Assembler):
        self.limits, self.narrower = limits, Found(rows.NarrowerRoute)
        self.places, self.calls, self.guards, self.assembler = places, calls, calls.guards, assembler
        self.workloads, self.doors, self.populations = Found(rows.Workload), Found(rows.Door), Found(rows.Population)
        self.arrivals = ArrivalTable()
        self.visiting, self.virtual = Found(rows.Visiting), Found(rows.VirtualUsers)
        self.journeys: list[int] = []
        self.thresholds: list[float] = []
        self.shares: list[NDArray[np.float64]] = []
        for place, workload in enumerate(places.world.workloads):
            self._workload(place, workload)

    def _workload(self, place: int, workload: Workload) -> None:
        spec, client, name = workload.spec, workload.client, f"traffic.{workload.name}"
        self.workloads.add(
            spent=-np.inf,
            subject=self.places.subject(workload.name),
            base=workload.base,
            name=client.name_index,
            first_door=len(self.doors),
            doors=len(workload.doors),
            mix=row_of(workload.pick_door),
            users=self._population(spec.users, f"{name}.users", workload.first_user),
            items=self._population(spec.items, f"{name}.items", 0),
            caller=self.places.replica_at[client.replica],
            patient=workload.patient,
            tells=spec.deadline is not None,
            lane=self.places.lane(spec.timeout if spec.patience is None else None, OF_CLIENT, place),
            own_patience=NOBODY if spec.patience is None else row_of(client.own_patience),
            bears=np.inf if spec.timeout is None else spec.timeout,
            staying=spec.arrivals.population,
            retry=self.guards.policy(retries, with_steps(client.pauses, self.guards)),
            max_attempts=client.rule.max_attempts,
            jitter=row_of(client.jitter),
            honor=spec.honors_retry_after,
            route_rows=self.arrivals.add_rows(workload.routes),
            user_rows=self.arrivals.add_rows(workload.users),
            apart=workload.visit is not None or workload.virtual is not None,
            virtual=self._virtual(workload),
            visiting=self._visiting(workload),
            **self._source(place, workload, name),
            **self._budget(client),
        )
        self.thresholds += workload.thresholds
        first = len(self.doors) + len(workload.doors)
        for door in workload.doors:
            first = self._door(door, place, first)
        for door in workload.doors:
            for _, other in door.narrower:
                self._door(other, place, 0)
                self.thresholds.append(1.0)

    def _source(self, place: int, workload: Workload, name: str) -> dict[str, int]:
        """What makes the requests, and the program of a client. Raises Unsupported for arrivals of a plug-in."""
        arrivals = workload.spec.arrivals
        if isinstance(arrivals, Closed):
            think = row_of(self.places.world.sampler(arrivals.think, f"{name}.think"))
            return {"source": NOBODY, "pc": self.assembler.user(place, think, arrivals)}
        if hasattr(arrivals, "arrival_times"):
            raise Unsupported(f"the arrivals '{word_of(arrivals)}'")
        virtual = workload.virtual is not None
        of_one = workload.visit is None
        program = self.assembler.client(place, virtual) if of_one else self.assembler.visitor(place, virtual)
        return {"source": self.arrivals.add(arrivals, f"{name}.arrivals"), "pc": program}

    def _virtual(self, workload: Workload) -> int:
        """Those who run its iterations; NOBODY where it has no load generator."""
        virtual = workload.virtual
        return NOBODY if virtual is None else self.virtual.add(there=virtual.there, most=virtual.most)

    def _visiting(self, workload: Workload) -> int:
        """What its people do who come with several requests; NOBODY where they have one."""
        visit = workload.visit
        if visit is None:
            return NOBODY
        first = len(self.journeys)
        self.journeys += [workload.doors.index(door) for door in workload.journey]
        return self.visiting.add(
            requests=self.assembler.composed.times(workload.how_many, workload.falling),
            first=first,
            steps=len(workload.journey),
            think=row_of(workload.think),
            patience=row_of(workload.how_patient),
            leaves=visit.leaves_after_failure,
        )

    def _budget(self, client: Client) -> dict[str, int]:
        if client.budget is None:
            return {"budget": NOBODY, "tokens": NOBODY, "throttle": NOBODY, "library_budget": NOBODY}
        return budget_of(client.budget, self.guards)

    def _door(self, door: Door, workload: int, first: int) -> int:
        """A door; those of the narrower routes behind it stand from `first` on. Where the next ones may stand."""
        routes = len(self.narrower)
        for place, (wanted, _) in enumerate(door.narrower):
            conditions = self.limits.add_conditions(wanted)
            self.narrower.add(door=first + place, first=conditions, count=len(wanted))
        self.doors.add(
            target=self.calls.target(door.target),
            hop=self.calls.hop(door.hop),
            workload=workload,
            route=door.route,
            needs=door.needs,
            mark=door.mark,
            narrower=routes,
            narrowers=len(door.narrower),
        )
        return first + len(door.narrower)

    def _population(self, spec: Any, stream: str, number: int) -> int:  # noqa: ANN401 - a Popularity, or None
        if not spec:
            return NOBODY
        table = popularity_table(spec.count, spec.exponent)
        first = sum(part.size for part in self.shares)
        self.shares.append(table)
        return self.populations.add(
            key=np.uint64(stream_key(self.places.scenario.seed, self.places.replication, stream)),
            count=spec.count,
            exponent=spec.exponent,
            step=stride(spec.count),
            first=first,
            size=table.size,
            number=number,
        )

    def tables(self) -> Filled:
        """As they are at time 0."""
        scenario = self.places.scenario
        arrivals = self.arrivals.arrays(scenario.seed, self.places.replication, scenario.duration)
        yield rows.workloads, self.workloads.array()
        yield rows.visiting_rules, self.visiting.array()
        yield rows.virtual_users, self.virtual.array()
        yield rows.journeys, whole_numbers(self.journeys)
        yield rows.doors, self.doors.array()
        yield rows.narrower_routes, self.narrower.array()
        yield rows.thresholds, np.array(self.thresholds or [1.0])
        yield rows.populations, self.populations.array()
        yield rows.shares, np.concatenate(self.shares) if self.shares else np.zeros(1)
        yield rows.sources, arrivals.sources if arrivals.sources.size else np.zeros(1, arrivals.sources.dtype)
        yield rows.pieces, arrivals.pieces
        yield rows.recordings, arrivals.data
        yield rows.buffers, np.zeros((len(self.workloads), CHUNK))
