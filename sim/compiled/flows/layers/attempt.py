"""One attempt: it is put on the wire, and its answer waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, ZERO, handler, inlined
from sim.compiled.calendar import hold, make_ready
from sim.compiled.codes import DEGRADED, OK, UNREACHABLE
from sim.compiled.cutting.words import Waits, flow, perhaps
from sim.compiled.deadlines import tell_deadline
from sim.compiled.flows.layer import Layer, Values, thawed
from sim.compiled.network import PUBLICATION, TO_EXCHANGE, choose, hop_between, leave_balancer
from sim.compiled.rows.calls import calls, targets
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import brokers, topics
from sim.compiled.rows.running import connections, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_sent
from sim.compiled.tasks import ARRIVE, PUBLISH, PUBLISH_AT_EXCHANGE, PUBLISH_AT_LEADER, new_task
from sim.compiled.transactions import take_part
from sim.policies.connecting import KEPT_ALIVE, LINUX_GIVES_UP

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Replica, Task
    from sim.compiled.wiring.calls import CallTables
    from sim.models.call import Call as ModelCall


@flow
def attempting(s: State, own: Task, call: Call) -> Waits[int]:
    """The outcome as it was answered; one that is degraded is an answer, and the caller's own will be degraded too."""
    if call.target.counts:
        own.sent = s.now
    own.callee = perhaps(Replica, send(s, own, call, own.tries))
    if own.callee is None:
        own.root = 0
        return UNREACHABLE
    yield
    if call.may_freeze and own.replica.hung:  # an answer or a timeout has woken it: nothing later can change it
        own.ticket += 1
        own.child = None
        yield from thawed(s, own, call)
    own.child = None
    if call.target.counts:
        leave_balancer(s, call.target, own.replica, own.callee, own.outcome, own.sent)
        own.callee = None
    if own.outcome == DEGRADED:
        own.degraded = True
        return OK
    return own.outcome


@flow
def balancer_hears(s: State, own: Task, call: Call) -> None:
    """For the balancer the attempt is over."""
    if call.target.counts and own.callee is not None:
        leave_balancer(s, call.target, own.replica, own.callee, -1, 0.0)


@inlined
def address_to_broker(s: State, task: int, child: int, kind: int, target: int) -> None:
    """What an attempt does at the other end of the wire that is a publication."""
    made = tasks(s)[child]
    made.on_wake = PUBLISH
    if kind != PUBLICATION:
        made.on_wake = PUBLISH_AT_EXCHANGE
        if kind != TO_EXCHANGE:
            made.on_wake = PUBLISH_AT_LEADER
            made.transaction = 0
            topic = topics(s)[targets(s)[target].topic]
            if brokers(s)[topic.broker].transacts:
                take_part(s, task, child, topic.broker)
    made.producer = tasks(s)[task].replica
    made.target = target


@inlined
def send(s: State, task: int, call: int, attempt: int) -> int:
    """Put one attempt on the wire; its replica, also where it is lost on its way, -1 where there is none."""
    own = tasks(s)[task]
    row = calls(s)[call]
    entity = requests(s)[own.request].id
    chain = link_chain(own.chain, row.salt, attempt)
    path = link_chain(own.path, row.salt, ZERO)
    target = targets(s)[row.target]
    replica = choose(s, row.target, own.replica, own.request, chain)
    if replica < 0:
        own.where = target.where
        return -1
    delay = hop_between(s, row.hop, entity, chain, own.replica, replica)
    if delay < 0.0:
        if s.spans:
            keep_sent(s, task, NONE, target.where, attempt)
        return replica
    requests(s)[own.request].alive += 1
    child = new_task(s, own.request, chain, path, task, replica)
    made = tasks(s)[child]
    made.back = row.back
    made.abandoned = own.abandoned
    if row.mark:
        made.mark = row.mark ^ path
    own.child = child
    if row.dials:
        made.connect = tries_to_connect(s, task, call)
    if row.propagates and own.call >= 0:  # else nobody waits for it
        tell_deadline(s, task, call, child)
    if target.kind >= PUBLICATION:
        address_to_broker(s, task, child, target.kind, row.target)
    else:
        made.on_wake = ARRIVE
        made.entry = target.entry
    if s.spans:
        keep_sent(s, task, child, target.where, attempt)
    if delay > 0.0:
        hold(s, child, delay)
    else:
        make_ready(s, child)
    return replica


@by_address
@handler
def tries_to_connect(s: State, task: int, call: int) -> float:
    """For how long, s; over a connection that a pool has kept, not at all."""
    row = calls(s)[call]
    if row.pools and not connections(s)[task].must_open:
        return KEPT_ALIVE
    return row.connect_timeout


@handler
def send_and_forget(s: State, task: int, call: int) -> None:
    """One attempt of which the caller hears no more."""
    own = tasks(s)[task]
    own.child = -1
    send(s, task, call, ZERO)
    if own.child >= 0:
        tasks(s)[own.child].caller = NOBODY
        own.child = -1


class Attempt(Layer):
    """The innermost layer, which every call has."""

    name = "attempt"
    flow = attempting
    killed = balancer_hears

    @staticmethod
    def of_call(call: ModelCall, _tables: CallTables, _place: int) -> Values:
        """Whether what travels must know how it got its connection, and for how long a new one is tried."""
        host, timeout = getattr(call.target, "host", None), call.policy.connect_timeout
        return {
            "dials": host is not None and host.listening is not None,
            "connect_timeout": LINUX_GIVES_UP if timeout is None else timeout,
        }
