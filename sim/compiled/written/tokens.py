"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Tokens at the gateway.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import NONE, handler, whole
from sim.compiled.gateway import wait_for_verdict
from sim.compiled.memory import find, remember
from sim.compiled.places import chance, leave
from sim.compiled.rows.gateway import entries, token_rules
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.programs import token_ops
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_stage
from sim.policies import base

FAIL = whole(2)
FOR_ALL = whole(0)
FOR_ITSELF = whole(1)
INVALID = whole(2)
JUMP = whole(4)
NEXT = whole(1)
OK = whole(0)
OTHER = whole(12)
base_reached = base.reached.compiled


@handler
def look_at_token(s: State, own: int, op: int) -> int:
    """JUMP with a good token; FAIL with one that another's call found bad."""
    own_row = tasks(s)[own]
    op_row = token_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return JUMP if own_row.outcome == OK else FAIL
    if pc == 0:
        token = 0
        token_row = token_rules(s)[token]
        user = 0 if token_row.shared else requests(s)[own_row.request].user
        own_row.asks_for = FOR_ALL
        if token_row.invalid > 0.0 and chance(s, op_row.draw, own) < token_row.invalid:
            own_row.asks_for = INVALID
        elif user < 0:
            own_row.asks_for = FOR_ITSELF
        if own_row.asks_for != FOR_ALL:
            own_row.phase = 0
            return NEXT
        else:
            key = user * s.replica_count + replicas(s)[own_row.replica].index
            known = find(s, token_row.known, key)
            if known >= 0 and (not base_reached(s.now, entries(s)[known].time)):
                own_row.phase = 0
                return JUMP
            else:
                place = find(s, token_row.asking, key)
                if place < 0:
                    place = remember(s, token_row.asking, key)
                entry = place
                entry_row = entries(s)[entry]
                if entry_row.value < 0:
                    entry_row.value = 1
                    entry_row.first = -1
                    entry_row.last = -1
                    own_row.phase = 0
                    return NEXT
                else:
                    wait_for_verdict(s, entry, own)
                    if s.spans:
                        keep_stage(s, own, OTHER, op_row.where, 0.0, NONE)
                    if hosts(s)[op_row.host].event_loop and own_row.granted:
                        leave(s, op_row.host, own)
                    own_row.phase = 1
                    return PARK
    return PARK
