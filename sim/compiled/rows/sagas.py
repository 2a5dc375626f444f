"""Rows of sagas: what is said of one, what is told of those of a service, and how far one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.programs import Op


class SagaCounts(Row):
    """What is told of all sagas of one service."""

    completed: int
    compensated: int
    stuck: int
    open: int  # between their first transaction and their end; those that are stuck, too


class Saga(Row, fixed=True):
    """What is said of one."""

    counts: Reference[SagaCounts]
    salt: int  # of an undo that is tried again
    attempts: int  # of an undo, at most; -1: as many as it takes
    pause: float  # s; between two of these
    aside: Perhaps[Op]  # the program of who undoes all when the failure was answered; else it is not yet


class SagaRun(Row):
    """A saga that is under way, and how far it is."""

    counts: Reference[SagaCounts]
    done: int  # transactions that are to be undone where another does not come about
    tries: int  # of the present undo that did not end well
    chain: int  # before anything was undone
    path: int
    outcome: int  # of the transaction that did not come about
    where: int
    root: int
    next: Perhaps[SagaRun]  # the one in the midst of which its task began this one, or free one


class Ledger(Row):
    """What is told of charges and reservations, where somebody follows them."""

    area: float
    open: int  # charged and not reserved
    entered: int
    was_in: bool  # the one that is about to change


ledgers = Table("ledgers", Ledger)
saga_counts = Table("saga_counts", SagaCounts)
sagas = Table("sagas", Saga)
saga_runs = Table("saga_runs", SagaRun, pool=Pool(1 << 7))

take_saga_run, give_back_saga_run = Taking(saga_runs), Returning(saga_runs)
