"""A step of a plug-in as operations: its flow, and behind it the parts, each of which leads back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.compiled import operations as op_of
from sim.models.sequence import StepSequence

if TYPE_CHECKING:
    from sim.compiled.program import Assembler, Label
    from sim.models.host import Host


def write_plugin(to: Assembler, step: Any, host: Host, fail: Label) -> bool:  # noqa: ANN401 - a behaviour
    """Write it; false: it has no flow.

    Where an endpoint is performed at another site its parts stand there once more, as far behind it.
    """
    placed = to.plugins.placed(step, host)
    if placed is None:
        return False
    to.emit(op_of.PLUGIN_BEGINS, depth=to.frames)
    function = to.plugins.function(placed.made)
    here = to.emit(op_of.PLUGIN_STEP, function=function, step=placed.first, depth=to.frames, fail=fail)
    after = to.label()
    to.emit(op_of.GO_TO, to=after)
    to.frames += 1
    to.most_frames = max(to.most_frames, to.frames)
    for name, part in placed.parts.items():
        placed.values[name] = len(to.rows) - here
        over = to.label()
        if isinstance(part, StepSequence):
            to.sequence(part, over)
        else:
            to.step(part, placed.host, over)
        to.emit(op_of.WELL)
        to.here(over)
        to.emit(op_of.GO_TO, to=here)
    to.frames -= 1
    to.here(after)
    return True
