"""Transactions whose time is over: the models' own coordinator of a broker, over rows of this engine.

It looks rarely (`models/logs/transactions.py`). What begins and ends a transaction otherwise is machine code
(`transactions.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled import transactions
from sim.compiled.rows.logs import Broker as BrokerRow
from sim.compiled.rows.logs import brokers
from sim.compiled.rows.logs import transactions as transaction_rows
from sim.compiled.views import of_row
from sim.models.logs.transactions import Coordinator

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.nodes import BrokerView


class CoordinatorView(Coordinator):
    """The coordinator of a broker, whose transactions are views."""

    looks: bool = of_row()  # whether there is a look to come

    def __init__(self, machine: Machine, broker: BrokerView):
        self.machine, self.place, self.broker = machine, broker.place, broker
        self.row.look = machine.control.membership.order(lambda: self._look(None), lasting=True)

    @property
    def row(self) -> BrokerRow:
        """That of its broker."""
        return brokers(self.machine.s)[self.place]

    @property
    def begun(self) -> list[TransactionView]:  # type: ignore[override]  # it is looked through only
        """Those that are open, in the order in which they began."""
        found, place = [], self.row.begun.first
        while place >= 0:
            found.append(TransactionView(self.machine, place))
            place = transaction_rows(self.machine.s)[place].next
        return found

    def _look_later(self) -> None:
        transactions.look_at_transactions_later(self.machine.s, self.place)


class TransactionView:
    """A transaction that has begun."""

    def __init__(self, machine: Machine, place: int):
        self.machine, self.place = machine, place
        row = transaction_rows(machine.s)[place]
        self.began, self.timeout = row.began, row.timeout

    def end(self, committed: bool) -> None:
        """What waited for it can be read, or never will be."""
        if self.machine.s.must_grow:
            self.machine.grow()
        transactions.end_transaction(self.machine.s, self.place, committed)
