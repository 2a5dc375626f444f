"""What the interpreter does at a step of a plug-in."""

from __future__ import annotations

from sim.compiled import operations as op_of
from sim.compiled.answers import AGAIN, ELSEWHERE, NEXT
from sim.compiled.base import handler
from sim.compiled.rows.addresses import call_at
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.plugins import plugin_frames, plugin_functions
from sim.compiled.rows.programs import plugin_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State


@handler
def plugin_step(s: State, task: int) -> int:
    """Let the flow go on, or through one of its parts, which stand behind it and lead back to it."""
    own = tasks(s)[task]
    op = plugin_ops(s)[own.pc]
    frame = task * s.deepest_frame + op.depth
    if op.kind == op_of.PLUGIN_BEGINS:
        plugin_frames(s)[frame].phase = 0
        return NEXT
    step = op.step + replicas(s)[own.replica].index
    answer = call_at(plugin_functions(s)[op.function], s, task, step, frame)
    if answer != ELSEWHERE:
        return answer
    own.pc += plugin_frames(s)[frame].part
    return AGAIN
