"""Rows of traffic: who asks, how often, for what and about what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chance.arrivals import SOURCE
from sim.chance.rates import PIECE
from sim.compiled.rows.calls import Hop, Target
from sim.compiled.rows.declaring import Perhaps, Reference, Ring, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.composed import Repetition
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.hosts import Draw, Replica
    from sim.compiled.rows.programs import Op
    from sim.policies.budget import BudgetRow
    from sim.policies.library_budgets import LibraryBudgetRow
    from sim.policies.retry import RetryRow
    from sim.policies.throttle import ThrottleRow

Key = int
"""Of a stream of chance: below 2**64."""


class Workload(Row):
    """One traffic."""

    due: float  # of its next arrival
    spent: float  # when its budget was last found exhausted
    base: int  # of its entities, above their running number
    subject: int
    name: int
    arrived: int
    first_door: Reference[Door]
    doors: int
    mix: int  # a draw
    users: Perhaps[Population]
    items: Perhaps[Population]
    caller: Reference[Replica]
    pc: Reference[Op]
    lane: Perhaps[TimerLane]
    own_patience: Perhaps[Draw]  # of each client, in the place of the lane
    bears: float  # s; how long the program of a client waits, where that has a patience of its own
    staying: int  # users of a closed population
    retry: Reference[RetryRow]
    max_attempts: int
    jitter: Reference[Draw]
    budget: Perhaps[BudgetRow]
    tokens: Ring
    throttle: Perhaps[ThrottleRow]  # of gRPC, in the place of the budget
    library_budget: Perhaps[LibraryBudgetRow]  # of Envoy or the AWS SDK, likewise
    source: int  # -1: a closed population
    buffered: int  # arrivals made
    taken: int  # of those
    route_rows: int  # where `recordings` has its routes; -1: it has none
    user_rows: int  # likewise
    apart: bool  # its arrivals are visits, or need a virtual user
    virtual: Perhaps[VirtualUsers]
    visiting: Perhaps[Visiting]  # of those who come with several requests
    visits: int  # that have begun
    left: int  # of these, before their end, after a failure
    patient: bool  # its clients wait for their answers, and are tasks
    tells: bool  # they hand on until when they wait
    honor: bool  # they obey Retry-After


class Visiting(Row, fixed=True):
    """What people do who come with several requests."""

    requests: Reference[Repetition]  # how many, by chance
    first: int  # of the steps of their journey, in `journeys`
    steps: int  # 0: it is no journey
    think: int  # a draw
    patience: int  # a draw
    leaves: float  # which share leaves after a failure


class VirtualUsers(Row):
    """Those of a load generator, who run the iterations of one open traffic."""

    there: int
    most: int
    busy: int
    dropped: int  # arrivals that found none free


class Visit(Row):
    """Somebody with several requests."""

    number: int  # of the first of them
    place: int  # of the present one
    count: int
    user: int
    next: Perhaps[Visit]  # free one


class Population(Row):
    """Users or items, by popularity."""

    exponent: float
    count: int
    step: int
    first: int  # in `shares`
    size: int
    number: int  # of its first one
    key: Key


class Door(Row):
    """What a workload may ask for."""

    target: Reference[Target]
    hop: Reference[Hop]
    workload: Reference[Workload]  # whose it is
    route: int
    needs: int
    mark: int
    narrower: int  # first of the routes that take part of what is sent here, in `narrower_routes`
    narrowers: int


class NarrowerRoute(Row, fixed=True):
    """A route of the gateway that takes those requests of a door which carry something."""

    door: Reference[Door]
    first: int  # of what they must carry, in `conditions`
    count: int


class Source:
    """An open source, as sim/chance/arrivals.py has it."""


class Piece:
    """A piece of a rate, as sim/chance/rates.py has it."""


workloads = Table("workloads", Workload)
populations = Table("populations", Population)
shares = Table("shares", float)
doors = Table("doors", Door)
narrower_routes = Table("narrower_routes", NarrowerRoute)
thresholds = Table("thresholds", float)
"""Cumulative shares of the doors, beside."""
sources = Table("sources", Source, dtype=SOURCE)
pieces = Table("pieces", Piece, dtype=PIECE)
recordings = Table("recordings", float)
visiting_rules = Table("visiting_rules", Visiting)
virtual_users = Table("virtual_users", VirtualUsers)
visits = Table("visits", Visit, pool=Pool(1 << 8))
journeys = Table("journeys", int)
"""The doors of the steps of each journey, counted from the first of its workload."""
buffers = Table("buffers", float)
"""Arrivals that are made already, CHUNK for each workload."""

take_visit, give_back_visit = Taking(visits), Returning(visits)
