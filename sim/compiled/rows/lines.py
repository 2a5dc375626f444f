"""Rows of queues that are neither first in first out nor last in first out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows import running
from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.running import TaskLine
from sim.compiled.rows.tables import Pool, Returning, Table, Taking
from sim.policies.codel import CODEL, CodelRow

if TYPE_CHECKING:
    from sim.compiled.rows.identities import Reader


class Discipline(Row):
    """Who is served first at a host."""

    interval: float  # s; of adaptive LIFO
    kind: int  # PRIORITY ... in lines.py
    first: Reference[ReplicaLine]  # that of the first replica
    lines: int  # of PRIORITY and EARLIEST: where those of the first replica begin in `class_lines`
    classes: int  # how many each replica has; the last is of those who are not named
    deadlines: int  # of EARLIEST: of the first class, in `class_deadlines`
    named: int  # the first of `named`
    names: int  # how many these are
    reader: Reference[Reader]  # what tells classes or turns apart
    space: int  # of FAIR: of the keys of the first replica in `entries`
    joined: int  # how many have come
    push_out: bool
    drop_late: bool


class TurnLine(Row):
    """Keys that take turns, by their `next` and `previous`."""

    first: Perhaps[Turn]
    last: Perhaps[Turn]


class ReplicaLine(Row):
    """What the line of one replica knows beside who stands in it."""

    since: float  # s; when it was empty last
    codel: Reference[CodelRow]
    turns: TurnLine


class ClassLine(Row):
    """Those of one class who wait for one replica."""

    line: TaskLine
    waiting: int


class Turn(Row):
    """Those of one key who wait for one replica."""

    line: TaskLine
    key: int
    next: Perhaps[Turn]  # whose turn is next, or free one
    previous: Perhaps[Turn]


class Named(Row, fixed=True):
    """A key that has a class."""

    key: int
    rank: int


class Standing(Row):
    """How the task in the row of the same place stands in a line."""

    since: float  # s
    due: float  # s; by when it is to be begun
    number: int  # in the order in which they came
    line: int  # its row in `class_lines` or `turns`; -1: it has been taken out of it
    left: float  # core-seconds that its work has still to last, where it was interrupted
    interrupted: bool
    midway: bool  # it waits for a worker again: what is begun is not dropped


disciplines = Table("disciplines", Discipline)
replica_lines = Table("replica_lines", ReplicaLine)
class_lines = Table("class_lines", ClassLine)
class_deadlines = Table("class_deadlines", float)
named = Table("named", Named)
codels = Table("codels", CodelRow, dtype=CODEL)
turns = Table("turns", Turn, pool=Pool(64))
standings = Table("standings", Standing, beside=running.tasks)

take_turn, give_back_turn = Taking(turns), Returning(turns)
