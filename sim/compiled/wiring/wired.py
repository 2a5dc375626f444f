"""The tables of one scenario and replication, as they are at time 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.draw_rows import row_of
from sim.compiled.operations import COURIER
from sim.compiled.plugins.tables import PluginTables
from sim.compiled.program import Assembler, Unsupported
from sim.compiled.rows import events, programs
from sim.compiled.wiring.caches import CacheTables
from sim.compiled.wiring.calls import CallTables
from sim.compiled.wiring.composed import ComposedTables
from sim.compiled.wiring.found import Filled, whole_numbers
from sim.compiled.wiring.gateway import GatewayTables
from sim.compiled.wiring.guards import GuardTables
from sim.compiled.wiring.hosts import HostTables
from sim.compiled.wiring.idempotency import KeyTables
from sim.compiled.wiring.identities import IdentityTables
from sim.compiled.wiring.limits import LimitTables
from sim.compiled.wiring.lines import LineTables
from sim.compiled.wiring.locks import LockTables
from sim.compiled.wiring.logs import LogTables
from sim.compiled.wiring.places import Places
from sim.compiled.wiring.producers import ProducerTables
from sim.compiled.wiring.queues import QueueTables, SenderTables
from sim.compiled.wiring.sagas import SagaTables
from sim.compiled.wiring.series import SeriesTables
from sim.compiled.wiring.sessions import SessionTables
from sim.compiled.wiring.traffic import TrafficTables
from sim.spec.walk import what_only_simpy_runs

if TYPE_CHECKING:
    from sim.spec.scenario import Scenario


class Wiring(Places):
    """The models of one run, their places, their programs and their rows.

    Raises `Unsupported` for a scenario with a part that only the SimPy engine runs.
    """

    def __init__(self, scenario: Scenario, replication: int):
        for found in what_only_simpy_runs(scenario):
            raise Unsupported(found if " " in found else f"the word '{found}'")
        super().__init__(scenario, replication)
        self._look_around()
        self._assemble()
        self._enter()
        self._begin()
        self.fresh = dict(self._policies())  # what a crash brings them back to

    def _look_around(self) -> None:
        """Rows of what is there before anybody does anything."""
        self.identity_tables = IdentityTables(self)
        self.limit_tables = LimitTables(self, self.identity_tables)
        self.line_tables = LineTables(self, self.identity_tables)
        self.host_tables = HostTables(self, self.line_tables)
        self.guard_tables = GuardTables(self)
        self.sender_tables = SenderTables(self)
        self.call_tables = CallTables(self, self.guard_tables, self.sender_tables)
        self.composed_tables = ComposedTables()
        self.cache_tables = CacheTables(self)
        self.saga_tables = SagaTables()
        self.key_tables = KeyTables()
        self.session_tables = SessionTables(self)
        self.lock_tables = LockTables(self)
        self.plugin_tables = PluginTables(self.guard_tables)
        self.producer_tables = ProducerTables(self, self.call_tables)

    def _assemble(self) -> None:
        """Programs, and what consumers are about."""
        gateway = self.world.gateway
        work = gateway.spec.work if gateway is not None else None
        self.assembler: Assembler = Assembler(
            self,
            self.call_tables,
            self.producer_tables,
            self.composed_tables,
            self.limit_tables,
            self.cache_tables,
            self.saga_tables,
            self.key_tables,
            self.session_tables,
            self.lock_tables,
            self.plugin_tables,
        )
        if work is not None:
            self.assembler.gateway_work = row_of(self.world.sampler(work, "gateway.work"))
        self.assembler.courier = self.assembler.emit(COURIER)
        self.log_tables: LogTables = LogTables(
            self, self.call_tables, self.assembler, self.sender_tables, self.identity_tables, self.producer_tables
        )
        self.queue_tables = QueueTables(self, self.call_tables, self.assembler, self.sender_tables)

    def _begin(self) -> None:
        """Traffic, and the series that are watched; the program is whole then."""
        self.traffic_tables = TrafficTables(self, self.call_tables, self.limit_tables, self.assembler)
        self.gateway_tables = GatewayTables(self)
        self.ops = self.assembler.table()
        self.plugin_tables.fill()
        self.series_tables = SeriesTables(
            self,
            self.guard_tables,
            self.cache_tables,
            self.saga_tables,
            self.key_tables,
            self.session_tables,
            self.lock_tables,
            self.plugin_tables,
        )

    def _enter(self) -> None:
        """The programs of endpoints and routes."""
        known = self.call_tables.programs
        for service in self.world.services.values():
            for endpoint in service.endpoints.values():
                known[endpoint] = self.assembler.entrance(endpoint.entrance)
        if self.world.gateway is not None:
            for route in self.world.gateway.routes.values():
                known[route] = self.assembler.entrance(route.entrance, route)

    def _policies(self) -> Filled:
        yield from self.guard_tables.tables()
        yield from self.call_tables.tables()
        yield from self.line_tables.tables()

    def tables(self) -> Filled:
        """All that were found; what only grows while a run goes on is not among them."""
        yield events.timer_lanes, self.lanes.array()
        yield programs.ops, self.ops
        yield programs.branches, whole_numbers([label.place for label in self.assembler.branches])
        for room in (
            self.identity_tables,
            self.limit_tables,
            self.line_tables,
            self.host_tables,
            self.guard_tables,
            self.call_tables,
            self.log_tables,
            self.producer_tables,
            self.queue_tables,
            self.composed_tables,
            self.cache_tables,
            self.saga_tables,
            self.key_tables,
            self.session_tables,
            self.lock_tables,
            self.traffic_tables,
            self.gateway_tables,
            self.series_tables,
            self.plugin_tables,
        ):
            yield from room.tables()
