"""An attempt comes by an instance of a function, as in `sim/models/serverless.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.calendar import hold
from sim.compiled.codes import OK, RATE_LIMITED
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.rows.state import State
from sim.compiled.serverless import have_instance
from sim.compiled.tasks import STARTED

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Function, Task


@flow
def come_by_instance(s: State, own: Task, function: Function) -> Waits[int]:
    """OK with an instance that is ready, or 429."""
    seconds = have_instance(s, own, function)
    if seconds < 0.0:
        return RATE_LIMITED
    if seconds > 0.0:
        hold(s, own, seconds)
        yield STARTED
    return OK
