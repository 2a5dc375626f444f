"""How a member of a group comes by its batches, and commits them, as in `sim/models/consumer.py`.

What it does with them is its program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.calendar import ORDER, ORDINARY, ask_python, schedule
from sim.compiled.consumers import commit_batch
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.places import park
from sim.compiled.polling import cut_off, fill_batch, wait_for_broker, watch_batch
from sim.compiled.rows.state import State

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Member, Task


@flow
def poll(s: State, own: Task) -> Waits[int]:
    """Fetch a batch, as soon as the process is thawed, the broker there, and something to fetch."""
    while True:
        while own.replica.hung:
            park(s, own)
            yield
        while cut_off(s, the(Member, own.member)):
            wait_for_broker(s, the(Member, own.member).broker, own)
            yield
        if the(Member, own.member).called:
            ask_python(s, the(Member, own.member).errand)
            yield
        fill_batch(s, the(Member, own.member))
        if the(Member, own.member).batch.first is not None:
            break
        idle = the(Member, own.member)
        idle.idle = True
        yield
    member = the(Member, own.member)
    member.processing = True
    member.busy_area -= s.now
    group = member.group
    group.busy += 1
    group.busy_area -= s.now
    member.following = member.batch.first
    if member.patience is not None:
        watch_batch(s, member)
    return NEXT


@flow
def commit(s: State, own: Task) -> Waits[int]:
    """Commit the batch, as soon as the broker is there."""
    while cut_off(s, the(Member, own.member)):
        wait_for_broker(s, the(Member, own.member).broker, own)
        yield
    commit_batch(s, own)
    if the(Member, own.member).order >= 0:
        schedule(s, ORDINARY, 0.0, ORDER, the(Member, own.member).order)
        yield
    return NEXT


def modules() -> Iterable[Module]:
    """What is written of members."""
    steps = [Step(poll, "poll"), Step(commit, "commit")]
    yield Module("members", "How a member of a group comes by its batches, and commits them.", steps)
