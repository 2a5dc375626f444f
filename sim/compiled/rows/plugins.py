"""Rows of the steps of plug-ins: what each knows in each replica, and what its flow keeps of a task across a wait.

What fields they have plug-ins say (`sim/models/flows.py`); all rows are of one size, so that the interpreter need not
know.
"""

from __future__ import annotations

from sim.compiled.rows import running
from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import Table, Words

STEP_BYTES, FRAME_BYTES = 256, 64
STEP_WORDS = STEP_BYTES // 8


class PluginStep(Row, size=STEP_BYTES):
    """A step of a plug-in in one replica."""


class PluginFrame(Row, size=FRAME_BYTES):
    """What the flow of a step keeps of one task."""

    phase: int  # how far it is
    part: int  # that it goes through: how many operations behind its own


plugin_steps = Table("plugin_steps", PluginStep)
plugin_words = Words(plugin_steps)
plugin_frames = Table("plugin_frames", PluginFrame, width="deepest_frame", beside=running.tasks)
"""As many for each task as steps of plug-ins can stand within one another."""
plugin_functions = Table("plugin_functions", int)
"""Where the machine code of each flow begins."""
