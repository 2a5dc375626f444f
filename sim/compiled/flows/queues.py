"""Publications at a queue broker, and the threads of its consumers, as in `sim/models/queues`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.attempts import lose_answer
from sim.compiled.calendar import hold
from sim.compiled.channels import take_letter
from sim.compiled.codes import ERROR, OK, UNREACHABLE
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.exchanges import (
    are_confirmed,
    heard_of,
    is_held_back,
    publish_task,
    until_credit,
    wait_outside_of_worker,
)
from sim.compiled.flows.layers.attempt import send_and_forget
from sim.compiled.letters import stand_blocked
from sim.compiled.network import hop_delay
from sim.compiled.places import park
from sim.compiled.rows.state import State
from sim.compiled.spans import ANSWER, keep_stage
from sim.compiled.tasks import answer, done, forget

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import CallOp, Channel, ConfirmWait, Request, Task


@flow
def publication_at_exchange(s: State, own: Task) -> Waits[None]:
    """Read, route, and confirm where somebody waits for it."""
    yield from reach_queues(s, own)
    if own.outcome != OK:
        own.where = own.target.where
    if own.back is not None and own.caller is not None:
        delay = hop_delay(s, own.back, the(Request, own.request).id, own.chain)
        if delay > 0.0:
            hold(s, own, delay)
            yield
        elif delay < 0.0:
            lose_answer(s, own)
    answer(s, own, own.outcome)
    done(s, the(Request, own.request))
    forget(s, own)


@flow
def reach_queues(s: State, own: Task) -> Waits[None]:
    """OK, ERROR where it is refused, or UNREACHABLE where the broker is down, or goes down meanwhile."""
    own.outcome = OK
    while is_held_back(s, own.target.sender.broker):
        stand_blocked(s, own.target.sender.broker, own)
        yield
    if own.target.sender.broker.down:
        own.outcome = UNREACHABLE
        return
    if publish_task(s, own):
        if not are_confirmed(s, the(ConfirmWait, own.confirm), own):
            yield
        own.outcome = heard_of(s, the(ConfirmWait, own.confirm), ERROR, UNREACHABLE)
    if s.spans:
        keep_stage(s, own, ANSWER, own.target.where, 0.0, -1)


@flow
def publish_unconfirmed(s: State, own: Task, op: CallOp) -> Waits[int]:
    """Send it as soon as it is read, and go on."""
    while is_held_back(s, op.call.target.sender.broker):
        wait_outside_of_worker(s, op.host, own)
        stand_blocked(s, op.call.target.sender.broker, own)
        yield
    own.pause = until_credit(s, op.call)
    if own.pause > 0.0:
        wait_outside_of_worker(s, op.host, own)
        hold(s, own, own.pause)
        yield
    send_and_forget(s, own, op.call)
    return NEXT


@flow
def receive(s: State, own: Task) -> Waits[int]:
    """Take the next message that has come, as soon as the process is thawed and there is one."""
    while True:
        while own.replica.hung:
            park(s, own)
            yield
        if the(Channel, own.channel).inbox_first is not None:
            break
        channel = the(Channel, own.channel)
        channel.idle = True
        yield
    return take_letter(s, own)


def modules() -> Iterable[Module]:
    """What is written of queues."""
    steps = [
        Step(publication_at_exchange, "publication_at_exchange", ends=True, apart=True),
        Step(publish_unconfirmed, "publish_unconfirmed"),
        Step(receive, "receive"),
    ]
    yield Module("queues", "Publications at a queue broker, and the threads of its consumers.", steps)
