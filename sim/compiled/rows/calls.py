"""Rows of calls: who can be called, on which way, and what a caller remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Fixed, Perhaps, Reference, Ring, Row
from sim.compiled.rows.running import TaskLine
from sim.compiled.rows.tables import Table
from sim.policies.aws_adaptive import ADAPTIVE, AdaptiveRow
from sim.policies.balancer import BALANCER, BalancerRow
from sim.policies.breaker import BREAKER, BreakerRow
from sim.policies.budget import BUDGET, BudgetRow
from sim.policies.bulkhead import BULKHEAD, BulkheadRow
from sim.policies.concurrency_row import CONCURRENCY, ConcurrencyRow
from sim.policies.connections import POOL, PoolRow
from sim.policies.hedging import HEDGE, HedgeRow
from sim.policies.library_breakers import LIBRARY, LibraryRow
from sim.policies.library_budgets import LIBRARY_BUDGET, LibraryBudgetRow
from sim.policies.retry import RETRY, RetryRow
from sim.policies.throttle import THROTTLE, ThrottleRow
from sim.policies.waiting import WAITING, WaitingRow

if TYPE_CHECKING:
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.hosts import Draw, Host, Replica
    from sim.compiled.rows.logs import Topic
    from sim.compiled.rows.programs import Op
    from sim.compiled.rows.queues import Sender


class Call(Row, fixed=True):
    """One call site: a target and a policy."""

    target: Reference[Target]
    hop: Reference[Hop]
    back: Reference[Hop]
    salt: int
    mark: int
    max_attempts: int
    retry: Reference[RetryRow]
    jitter: Reference[Draw]
    lane: Perhaps[TimerLane]  # of one attempt
    total_lane: Perhaps[TimerLane]  # of all attempts together
    bulkhead_lane: Perhaps[TimerLane]  # of the wait for a place; none: nobody waits
    guards: int  # where its guards stand in `guard_of`, by replica of the caller; -1: it has none
    subject: int  # place in the list of subjects: the caller, or its first replica
    about: int  # likewise: the callee
    pool_lane: Perhaps[TimerLane]  # of the wait for a connection; none: nobody waits
    hedge_rule: Reference[RetryRow]  # after which answers the next copy is sent at once
    most_copies: int  # beside the first
    max_pending: int  # who may wait for one; negative: whoever likes
    connect: int  # a draw: how long it takes to open one; -1: no time
    limit_about: int  # likewise: its rate limit
    adapts: bool  # its rate limit follows what is answered
    in_vain: float  # s; who is refused by that waits so long
    cancels: bool  # a timeout ends the attempt
    honors: bool  # what a limit of the callee asks for is waited for
    budgeted: bool  # retries are
    hears: bool  # its budget hears how attempts end
    breaks: bool  # it has a breaker
    bulkhead: bool  # likewise
    adaptive: bool  # the limit of that follows how calls end
    luck: int  # a draw of that; -1: none
    timed: bool  # all of it together may have a time limit
    propagates: bool  # it hands on until when its answer is waited for
    hedges: bool  # the same may be asked more than once
    cancels_losers: bool
    pools: bool  # it has a pool of connections
    dials: bool  # its callee has a listen backlog, and new connections are tried for so long:
    connect_timeout: float  # s
    limits: bool  # it has a rate limit of its own
    may_freeze: bool  # its caller
    per_replica: bool  # each replica of the caller has a guard of its own


class Target(Row, fixed=True):
    """What can be called: an endpoint, a route, a topic, or an exchange."""

    kind: int  # ENDPOINT ... in network.py
    where: int  # index into names
    only: Perhaps[Replica]  # the one that takes all attempts
    host: Perhaps[Host]
    first: Reference[Replica]
    count: int  # replicas
    uniforms: int  # how many its balancer draws
    uniform: int  # a draw; -1: none
    other_uniform: int  # likewise
    zone_uniform: int  # of the choice of a zone
    other_zone_uniform: int  # likewise
    entry: Reference[Op]
    topic: Reference[Topic]
    sender: Reference[Sender]  # to a queue broker
    key: int
    site: int
    counts: bool  # its balancer counts who is under way
    by_view: bool  # its callers go by more than the name of a policy
    loads: int  # in `loads`: the line of the first possible caller
    line: int  # how long such a line is; 0: nobody counts, and all share one


class Hop(Row, fixed=True):
    """One direction of one kind of message."""

    length: float  # s, where it is not drawn
    between_zones: float  # s, more from zone to zone; negative: an end of it is in none
    fixed: float  # s, where nothing disturbs it; -1: look
    draw: int  # -1: it is not drawn
    chance: int
    wire: Reference[Wire]
    salt: int


class Wire(Row):
    """What two hosts share, and faults disturb."""

    loss: float
    cuts: int
    losses: int  # faults that lose messages, in `wire_losses`
    delays: int  # faults that delay them, in `wire_delays`


class Guard(Row):
    """The memory of one caller about one callee."""

    spent: float  # when its budget was last found exhausted
    taken_area: float
    breaker: Fixed[Reference[BreakerRow]]  # -1: none; so of budget and bulkhead
    library: Fixed[Perhaps[LibraryRow]]  # a breaker of a library, in the place of the other
    ring: Ring
    size: int  # of the ring
    budget: Fixed[Reference[BudgetRow]]
    tokens: Ring
    throttle: Fixed[Perhaps[ThrottleRow]]  # of gRPC, in the place of the budget
    library_budget: Fixed[Perhaps[LibraryBudgetRow]]  # of Envoy or the AWS SDK, likewise
    bulkhead: Fixed[Reference[BulkheadRow]]
    concurrency: Fixed[Perhaps[ConcurrencyRow]]  # what sets the limit of the bulkhead
    concurrency_ring: Ring
    places_area: float  # where something does: integral of the places, less places * now
    comes_with: Perhaps[Host]  # it is there only while its replica is, and that of this host come and go
    line: TaskLine  # those who wait for a place in its bulkhead
    breaker_line: TaskLine  # those who wait for the end of the test call of its breaker
    passed: int
    turned_away: int
    limiter: Fixed[Reference[WaitingRow]]  # -1: none
    adaptive: Fixed[Perhaps[AdaptiveRow]]  # of the AWS SDK, in the place of the other
    refused: float  # s; when that has last refused anybody
    limit_passed: int
    limit_turned_away: int
    limit_in_line: int
    refusing: bool  # there was a refusal
    hedge: Fixed[Perhaps[HedgeRow]]
    hedge_ring: Ring
    hedge_budget: Fixed[Perhaps[BudgetRow]]
    hedge_tokens: Ring
    hedged: int  # copies
    hedges_won: int
    pool: Fixed[Perhaps[PoolRow]]
    pool_ring: Ring
    pool_line: TaskLine  # those who wait for a connection
    pool_waiting: int  # how many
    pool_turned_away: int
    opened: int  # connections
    pool_area: float


calls = Table("calls", Call)
targets = Table("targets", Target)
hops = Table("hops", Hop)
wires = Table("wires", Wire)
wire_losses = Table("wire_losses", float, width="network_faults")
wire_delays = Table("wire_delays", int, width="network_faults")
guards = Table("guards", Guard)
guard_of = Table("guard_of", int)
breakers = Table("breakers", BreakerRow, dtype=BREAKER)
library_rows = Table("library_rows", LibraryRow, dtype=LIBRARY)
budgets = Table("budgets", BudgetRow, dtype=BUDGET)
hedges = Table("hedges", HedgeRow, dtype=HEDGE)
pools = Table("pools", PoolRow, dtype=POOL)
throttles = Table("throttles", ThrottleRow, dtype=THROTTLE)
library_budgets = Table("library_budgets", LibraryBudgetRow, dtype=LIBRARY_BUDGET)
bulkheads = Table("bulkheads", BulkheadRow, dtype=BULKHEAD)
adaptive_limits = Table("adaptive_limits", AdaptiveRow, dtype=ADAPTIVE)
waiting_limits = Table("waiting_limits", WaitingRow, dtype=WAITING)
concurrency_limits = Table("concurrency_limits", ConcurrencyRow, dtype=CONCURRENCY)
retries = Table("retries", RetryRow, dtype=RETRY)
rings = Table("rings", float)
"""What breakers and budgets remember, one after the other."""
balancers = Table("balancers", BalancerRow, dtype=BALANCER)
balancer_of = Table("balancer_of", int)
"""The balancer of each caller, a line of replicas for each host; -1: none."""
loads = Table("loads", int)
"""Attempts under way at each replica of what is called: a line for each possible caller, where its balancer counts."""
alive = Table("alive", int)
"""Whether each replica is up."""
