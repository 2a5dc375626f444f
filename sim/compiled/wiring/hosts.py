"""Hosts, their replicas, stocks and error faults, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled.base import OUTCOMES, UNLIMITED
from sim.compiled.calendar import OF_QUEUE
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import hosts as rows
from sim.compiled.rows import serverless as function_rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found, FoundPolicies, whole_numbers
from sim.models.cpu import Cpu
from sim.models.fault import Deploy, Errors
from sim.models.quota import QuotaCpu
from sim.policies.contention import ContentionRow
from sim.policies.quota import QuotaRow
from sim.policies.serverless import StartsRow

if TYPE_CHECKING:
    from sim.compiled.wiring.lines import LineTables
    from sim.compiled.wiring.places import Places
    from sim.models.host import Host
    from sim.models.task import Replica


class HostTables:
    """Their rows."""

    def __init__(self, places: Places, lines: LineTables):
        self.places = places
        self.lines = lines
        self.hosts, self.replicas = Found(rows.Host), Found(rows.Replica)
        self.errors, self.stocks = Found(rows.ErrorFault), Found(rows.Stock)
        self.fleets = Found(rows.Fleet)
        self.quotas, self.contentions = FoundPolicies(QuotaRow), FoundPolicies(ContentionRow)
        self.loops = Found(rows.Loop)
        for fleet in places.world.fleets.values():
            self.fleets.add(wanted=fleet.wanted, paid=float(fleet.paid))
        self.node_pools = Found(rows.NodePool)
        for pool in places.world.node_pools.values():
            self.node_pools.add(ready=pool.ready, paid=pool.paid)
        self.tallies = Found(rows.Tally)
        self.judged: set[str] = set()  # services
        for harm in places.harms:
            if isinstance(harm, Deploy) and harm.version.tally is not None:
                harm.version.place = self.tallies.add(bound=harm.version.tally.bound)
                self.judged.add(harm.fault.of)
        self.functions, self.starts = Found(function_rows.Function), FoundPolicies(StartsRow)
        self.accounts = Found(function_rows.FunctionAccount)
        if places.world.account is not None:
            self.accounts.add(most=places.world.account.most)
        self.error_at: dict[Errors, int] = {}
        self._struck = 0  # how many replicas stand in the lines of error faults of some of them
        self.left: list[int] = []
        for place, host in enumerate(places.hosts):
            self._host(place, host)
        for replica in places.replicas:
            self._replica(replica)
        for stock in places.stock_at:
            self.stocks.add(
                items=stock.items, first=len(self.left), kinds=len(stock.left), subject=places.subject(stock.service)
            )
            self.left += stock.left

    def _replica(self, replica: Replica) -> None:
        place = self.places.host_at.get(replica.host, NOBODY)
        self.replicas.add(
            slow=1.0,
            returned=-np.inf,
            host=place,
            index=replica.index,
            free=replica.free,
            cores=replica.cpu.cores if replica.cpu is not None else 0,
            granted=replica.granted,
            skew=replica.skew,
            quota=self.quotas.add(replica.cpu.row) if isinstance(replica.cpu, QuotaCpu) else NOBODY,
            contention=self._contention_of(replica),
            due=np.inf,
            down=int(replica.down),
            closed=replica.closed,
            absent=replica.absent,
            warm_since=replica.warm_since,
            when_left=NOBODY,
            tally=NOBODY,
            heard=place >= 0 and self.places.hosts[place].function is not None,
        )

    def _contention_of(self, replica: Replica) -> int:
        its = replica.cpu.contention if isinstance(replica.cpu, Cpu) else None
        return NOBODY if its is None else self.contentions.add(its)

    def _host(self, place: int, host: Host) -> None:
        first_error, errors_count = self._errors_of(host)
        self.hosts.add(
            slow=1.0,
            **_by_age(host),
            up_area=host.up_area,
            granted=host.granted,
            resizes=host.resizes,
            last_shed=-np.inf,
            last_overflow=-np.inf,
            listen_most=host.listening.most if host.listening is not None else 0,
            name=host.name_index,
            first=self.places.replica_at[host.replicas[0]],
            count=len(host.replicas),
            capacity=min(host.capacity, UNLIMITED),
            **self._loops_of(host),
            workers=host.workers,
            cores=host.cores or 0,
            preempts=host.preempts,
            up=host.up,
            lifo=host.lifo,
            discipline=self.lines.discipline_of[place],
            event_loop=host.event_loop,
            may_hang=host.may_hang,
            tracks=host.tracks,
            judged=host.name in self.judged,
            function=self._function_of(host),
            patience=self.places.lane(host.queue_timeout, OF_QUEUE, place),
            errors_first=first_error,
            errors_count=errors_count,
            subject=self.places.subject(host.name),
        )

    def _loops_of(self, host: Host) -> dict[str, int]:
        """The threads to which its connections are pinned, and the draw of one."""
        if host.loops is None:
            return {"loops": NOBODY, "loop_luck": NOBODY}
        first = len(self.loops)
        for _ in range(len(host.replicas) * host.workers):
            self.loops.add()
        return {"loops": first, "loop_luck": row_of(host.loops.chance)}

    def _function_of(self, host: Host) -> int:
        its = host.function
        if its is None:
            return NOBODY
        spec = its.spec
        self.starts.add(its.starts)
        return self.functions.add(
            idle_timeout=spec.idle_timeout,
            concurrency=spec.concurrency,
            limit=spec.most,
            there=spec.provisioned,
            provisioned=spec.provisioned,
            fresh=spec.provisioned,
            account=NOBODY if its.account is None else 0,
            cold_start=row_of(its.cold_start),
            roomy=(NOBODY, NOBODY),
            ready=(NOBODY, NOBODY),
        )

    def _errors_of(self, host: Host) -> tuple[int, int]:
        """The rows of the error faults of a host: the first, and how many."""
        first = len(self.errors)
        every = (harm.errors if isinstance(harm, Deploy) else harm for harm in self.places.harms)
        for harm in every:
            if isinstance(harm, Errors) and harm.host is host:
                line = NOBODY if harm.count is None else self._struck
                self._struck += 0 if harm.count is None else len(host.replicas)
                self.error_at[harm] = self.errors.add(share=harm.share, draw=row_of(harm.chance), struck=line)
        return first, len(self.errors) - first

    def tables(self) -> Filled:
        """As they are at time 0."""
        places = self.places
        draws = places.draws.table.arrays(places.scenario.seed, places.replication)
        left = whole_numbers(self.left)
        yield rows.hosts, self.hosts.array()
        yield rows.replicas, self.replicas.array()
        yield rows.fleets, self.fleets.array()
        yield rows.loops, self.loops.array()
        yield rows.contentions, self.contentions.array()
        yield rows.quotas, self.quotas.array()
        yield rows.node_pools, self.node_pools.array()
        yield rows.tallies, self.tallies.array()
        yield function_rows.serverless_functions, self.functions.array()
        yield function_rows.starts, self.starts.array()
        yield function_rows.accounts, self.accounts.array()
        yield rows.error_faults, self.errors.array()
        yield rows.struck, np.zeros(max(1, self._struck), np.int64)
        yield rows.zone_of, whole_numbers([replica.zone for replica in places.replicas])
        yield rows.from_zones, np.zeros((len(places.hosts), 2), np.int64)
        yield rows.stocks, self.stocks.array()
        yield rows.left, left
        yield rows.sold, np.zeros_like(left)
        yield rows.ran_out, np.zeros_like(left)
        yield rows.ended, np.zeros((len(places.hosts), OUTCOMES), np.int64)
        yield rows.draws, draws.rows
        yield rows.numbers, draws.data


def _by_age(host: Host) -> dict[str, float]:
    """How slow its replicas are at first, and in the end; who only ages is as quick at first as ever."""
    slow, decay = host.warm_up or (0.0 if host.ageing is None else 1.0, 1.0)
    aged, over = host.ageing or (0.0, 1.0)
    return {"warm_slow": slow, "warm_decay": decay, "aged_slow": aged, "aged_over": over}
