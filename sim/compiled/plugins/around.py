"""What stands around the flow of every plug-in: its outcome becomes that of its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, NEXT
from sim.compiled.codes import OK
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.rows.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.compiled.flows.kinds import Task
    from sim.compiled.rows.plugins import PluginFrame, PluginStep


@flow
def step_of_plugin(
    s: State, own: Task, step: PluginStep, frame: PluginFrame, inner: Callable[..., Waits[int]]
) -> Waits[int]:
    """Go on where it ends well."""
    outcome = yield from inner(s, own, step, frame)
    own.outcome = outcome
    return NEXT if outcome == OK else FAIL
