"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Publications at a queue broker, and the threads of its consumers.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.apart import by_address
from sim.compiled.attempts import lose_answer
from sim.compiled.base import NONE, handler, whole
from sim.compiled.calendar import hold
from sim.compiled.channels import take_letter
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
from sim.compiled.rows.calls import calls, targets
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.programs import call_ops
from sim.compiled.rows.queues import channels, queue_brokers, senders
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_stage
from sim.compiled.tasks import answer, done, forget

ANSWER = whole(10)
ERROR = whole(9)
NEXT = whole(1)
OK = whole(0)
UNREACHABLE = whole(10)


@by_address
@handler
def publication_at_exchange(s: State, own: int) -> int:
    """Read, route, and confirm where somebody waits for it."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        own_row.outcome = OK
        to = 1
    if pc == 1 or to == 1:
        if is_held_back(s, senders(s)[targets(s)[own_row.target].sender].broker):
            stand_blocked(s, senders(s)[targets(s)[own_row.target].sender].broker, own)
            own_row.phase = 1
            return PARK
        elif queue_brokers(s)[senders(s)[targets(s)[own_row.target].sender].broker].down:
            own_row.outcome = UNREACHABLE
            to = 5
        elif publish_task(s, own):
            if not are_confirmed(s, own_row.confirm, own):
                own_row.phase = 2
                return PARK
            else:
                to = 2
        else:
            to = 4
    if pc == 2 or to == 2:
        own_row.outcome = heard_of(s, own_row.confirm, ERROR, UNREACHABLE)
        to = 4
    if to == 4:
        if s.spans:
            keep_stage(s, own, ANSWER, targets(s)[own_row.target].where, 0.0, NONE)
        to = 5
    if to == 5:
        if own_row.outcome != OK:
            own_row.where = targets(s)[own_row.target].where
        if own_row.back >= 0 and own_row.caller != -1:
            delay = hop_delay(s, own_row.back, requests(s)[own_row.request].id, own_row.chain)
            if delay > 0.0:
                hold(s, own, delay)
                own_row.phase = 3
                return PARK
            else:
                if delay < 0.0:
                    lose_answer(s, own)
                to = 3
        else:
            to = 3
    if pc == 3 or to == 3:
        answer(s, own, own_row.outcome)
        done(s, own_row.request)
        forget(s, own)
        return PARK
    return PARK


@handler
def publish_unconfirmed(s: State, own: int, op: int) -> int:
    """Send it as soon as it is read, and go on."""
    own_row = tasks(s)[own]
    op_row = call_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 0:
        to = 1
    if pc == 1 or to == 1:
        if is_held_back(s, senders(s)[targets(s)[calls(s)[op_row.call].target].sender].broker):
            wait_outside_of_worker(s, op_row.host, own)
            stand_blocked(s, senders(s)[targets(s)[calls(s)[op_row.call].target].sender].broker, own)
            own_row.phase = 1
            return PARK
        else:
            own_row.pause = until_credit(s, op_row.call)
            if own_row.pause > 0.0:
                wait_outside_of_worker(s, op_row.host, own)
                hold(s, own, own_row.pause)
                own_row.phase = 2
                return PARK
            else:
                to = 2
    if pc == 2 or to == 2:
        send_and_forget(s, own, op_row.call)
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def receive(s: State, own: int) -> int:
    """Take the next message that has come, as soon as the process is thawed and there is one."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        to = 1
    if pc == 1 or to == 1:
        if replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 1
            return PARK
        elif channels(s)[own_row.channel].inbox_first >= 0:
            own_row.phase = 0
            return take_letter(s, own)
        else:
            channel = own_row.channel
            channel_row = channels(s)[channel]
            channel_row.idle = True
            own_row.phase = 1
            return PARK
    return PARK
