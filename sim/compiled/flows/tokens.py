"""Tokens at the gateway, as in `sim/models/authentication.py`: known, asked for, or waited for while another asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, JUMP, NEXT
from sim.compiled.codes import OK
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.gateway import FOR_ALL, FOR_ITSELF, INVALID, wait_for_verdict
from sim.compiled.memory import find, remember
from sim.compiled.places import chance, leave
from sim.compiled.rows.state import State
from sim.compiled.spans import OTHER, keep_stage
from sim.policies.base import reached

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Entry, Request, Task, TokenOp, TokenRule


@flow
def look_at_token(s: State, own: Task, op: TokenOp) -> Waits[int]:
    """JUMP with a good token; FAIL with one that another's call found bad.

    NEXT: this task asks, for itself or for all who come meanwhile.
    """
    token = the(TokenRule, 0)
    user = 0 if token.shared else the(Request, own.request).user
    own.asks_for = FOR_ALL
    if token.invalid > 0.0 and chance(s, op.draw, own) < token.invalid:
        own.asks_for = INVALID
    elif user < 0:
        own.asks_for = FOR_ITSELF
    if own.asks_for != FOR_ALL:
        return NEXT
    key = user * s.replica_count + own.replica.index
    known = find(s, token.known, key)
    if known >= 0 and not reached(s.now, the(Entry, known).time):
        return JUMP
    place = find(s, token.asking, key)
    if place < 0:
        place = remember(s, token.asking, key)
    entry = the(Entry, place)
    if entry.value < 0:
        entry.value = 1
        entry.first = None
        entry.last = None
        return NEXT
    wait_for_verdict(s, entry, own)
    if s.spans:
        keep_stage(s, own, OTHER, op.where, 0.0, -1)
    if op.host.event_loop and own.granted:
        leave(s, op.host, own)
    yield
    return JUMP if own.outcome == OK else FAIL


def modules() -> Iterable[Module]:
    """What is written of tokens."""
    yield Module("tokens", "Tokens at the gateway.", [Step(look_at_token, "look_at_token")])
