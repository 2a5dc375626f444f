"""Rows of balancers that go by more than the name of a policy: what is said of a callee, and what its callers know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Reference, Row
from sim.compiled.rows.tables import Table
from sim.policies.balancer import BalancerRow
from sim.policies.balancing import BALANCING, PEER, BalancingRow, PeerRow

if TYPE_CHECKING:
    from sim.compiled.rows.hosts import Host


class View(Row):
    """What one caller knows of the replicas of one callee."""

    next_look: float  # at the end of the interval
    rule: Reference[BalancingRow]
    # whose turn it is among all, where the name of a policy says it; behind it in each zone
    plain: Reference[BalancerRow]
    host: Reference[Host]
    peers: Reference[PeerRow]  # that of the first replica
    loads: int  # in `loads`: where its line begins
    points: int  # of the ring: where they begin in `ring_points`; of a table the offsets, and the skips beside
    size: int  # how many these are; of a table: how many places it has
    places: int  # of its table: where they begin in `hash_tables`; others may share it
    made_of: int  # of which replicas it was made, in `hash_tables_of`
    subject: int  # of the first replica, as events name it
    about: int  # the caller
    ejecting: int  # a draw: of who is ejected, and for how long
    entity: int  # whose luck that is: a number of the caller
    drawn: int  # how often it was drawn
    made: bool  # it has chosen at least once since its caller was there


balancing_rules = Table("balancing_rules", BalancingRow, dtype=BALANCING)
views = Table("views", View)
view_of = Table("view_of", int)
"""The view of each caller, a line of replicas for each host; -1: none."""
peers = Table("peers", PeerRow, dtype=PEER)
"""A row of each replica, for each possible caller."""
ring_points = Table("ring_points", int)
ring_owners = Table("ring_owners", int)
"""The index of the replica that has the point of the same place."""
hash_tables = Table("hash_tables", int)
"""Who has which place; behind each table is room for what its replicas have tried."""
hash_tables_of = Table("hash_tables_of", int)
zones_here = Table("zones_here", int)
"""Of the choice that is being made: the share of each zone of the replicas of the caller, in ten-thousandths."""
zones_there = Table("zones_there", int)
"""The same of the callee."""
allowed = Table("allowed", int)
"""Of the choice that is being made: whether each replica of the callee may be chosen."""
