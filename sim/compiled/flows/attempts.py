"""The life of one attempt at a host, as in `sim/models/entrance.py`: arrival, queue, place, steps, answer.

Where it waits has names: a host that lets somebody go and an interpreter that comes to the end of the steps know where
they resume it (`on_wake`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.attempts import ANSWER_BITS, ANSWER_MASK, be_offered, begin_steps, depart, lose_answer
from sim.compiled.calendar import arm, hold
from sim.compiled.codes import DEGRADED, OK, SHED, UNREACHABLE
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.flows.limits import pass_limits
from sim.compiled.flows.serverless import come_by_instance
from sim.compiled.keys import end_with_key, look_for_key
from sim.compiled.lines import hear_of_no_wait
from sim.compiled.network import answer_delay
from sim.compiled.places import (
    come_inside,
    drop_syn,
    error_fault_hits,
    loop_is_free,
    make_room,
    note_shed,
    park,
    take_loop,
    wait_in_queue,
    wait_outside,
    wait_to_be_accepted,
)
from sim.compiled.preempting import interrupt_for
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_start
from sim.compiled.tasks import COME_IN, DELIVER, GO_ON, KNOCK, LEAVE_QUEUE, START, answer, done, forget
from sim.policies.connecting import FIRST_PAUSE, GROWTH
from sim.policies.idempotency import WORK

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Request, Task


@flow
def attempt(s: State, own: Task) -> Waits[None]:
    """Get a place, go through the steps, give the place back, answer."""
    refusal = yield from have_place(s, own)
    if refusal == OK:
        refusal = yield from meet_error_faults(s, own)
        if refusal == OK and own.entry.limited:
            refusal = yield from come_by_what_limits(s, own)
    else:
        own.where = own.entry.endpoint
    known = WORK
    if refusal == OK and own.entry.keyed:
        known = look_for_key(s, own)
    if known != WORK:
        reason = own.root if own.root else known
        answered = known
    elif refusal != OK:  # what the host itself refuses is answered as what it is
        reason = own.root if own.root else refusal
        answered = refusal
    else:
        begin_steps(s, own)
        yield GO_ON
        if own.outcome == OK:
            reason = DEGRADED if own.degraded else OK
            answered = reason
        else:
            reason = own.root if own.root else own.outcome
            answered = (own.entry.answers >> (ANSWER_BITS * own.outcome)) & ANSWER_MASK
        own.root = 0 if reason == answered else reason
        if own.entry.keyed:
            end_with_key(s, own, answered)
    depart(s, own, answered, reason)
    if own.back is not None and own.caller is not None:
        delay = answer_delay(s, own.back, own, own.caller)
        if delay > 0.0:
            hold(s, own, delay)
            yield DELIVER
        elif delay < 0.0:
            lose_answer(s, own)
    answer(s, own, own.outcome)
    done(s, the(Request, own.request))
    forget(s, own)


@flow
def come_by_what_limits(s: State, own: Task) -> Waits[int]:
    """OK, or 429: first an instance, where there are such, then the limits."""
    function = own.entry.host.function
    refusal = OK
    if function is not None:
        refusal = yield from come_by_instance(s, own, function)
    if refusal == OK and own.entry.counted:
        refusal = yield from pass_limits(s, own, own.entry.limits)
    return refusal


@flow
def have_place(s: State, own: Task) -> Waits[int]:
    """OK with a place, or the refusal.

    From a process that is down nobody gets an answer. A frozen one does not even refuse: who finds no idle worker there
    waits in the listen backlog, and goes through the door in his turn at the thaw.
    """
    host = own.entry.host
    replica = own.replica
    be_offered(s, host, own)
    if host.listen_most > 0 and own.connect >= 0.0 and not (replica.closed == 0 and replica.free > 0):
        refusal = yield from knock(s, own)
        if refusal != OK:
            return refusal
    if replica.closed:
        if replica.hung == 0 or replica.closed > 1:  # it is not only frozen
            return UNREACHABLE
        if replica.free == 0 or replica.backlog > 0 or not loop_is_free(s, own):
            wait_outside(s, own)
            yield COME_IN
            come_inside(s, own)
    if replica.free > 0 and loop_is_free(s, own):
        replica.free -= 1
        host.busy_area -= s.now
        own.granted = True
        take_loop(s, own)
        if host.discipline is not None:
            hear_of_no_wait(s, host, own)
    elif host.preempts and interrupt_for(s, host, own):
        own.granted = True
    else:
        if replica.waiting >= host.capacity and host.listen_most > 0 and own.connect >= 0.0:
            wait_to_be_accepted(s, own)
        else:
            if replica.waiting >= host.capacity and host.listen_most == 0 and not make_room(s, host, own):
                note_shed(s, host)
                return SHED
            wait_in_queue(s, host, own, False)
            if host.patience is not None:
                arm(s, host.patience, own)
        yield LEAVE_QUEUE
        if not own.granted:
            note_shed(s, host)
            return own.outcome
    if s.spans:
        keep_start(s, own)
    return OK


@flow
def knock(s: State, own: Task) -> Waits[int]:
    """OK when the kernel takes the connection; UNREACHABLE when whoever asks for it gives up."""
    host = own.entry.host
    own.seconds = own.connect
    own.pause = FIRST_PAUSE
    while own.replica.unaccepted >= host.listen_most:
        hold(s, own, drop_syn(s, host, own))
        yield KNOCK
        if own.seconds <= own.pause or (own.caller is None and own.abandoned):
            own.back = None
            return UNREACHABLE
        own.seconds -= own.pause
        own.pause = own.pause * GROWTH
    return OK


@flow
def meet_error_faults(s: State, own: Task) -> Waits[int]:
    """ERROR where one of those that are on now hits it. What is frozen does not even fail."""
    host = own.entry.host
    while host.errors_on and own.replica.hung:
        park(s, own)
        yield START
    return error_fault_hits(s, host, own, own.entry.salt) if host.errors_on else OK


def modules() -> Iterable[Module]:
    """What is written of attempts."""
    step = Step(attempt, "attempt_step", phase="on_wake", runs=("GO_ON",), ends=True)
    yield Module("attempts", "The life of one attempt at a host.", [step])
