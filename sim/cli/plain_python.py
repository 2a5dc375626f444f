"""What `--checked` does before anything is loaded."""

from __future__ import annotations

import os
import sys

from sim.errors import UsageError


def run_in_plain_python(engine: str) -> None:
    """Let this process and its workers run the compiled engine as the plain Python that it is written in.

    Raises UsageError for another engine, and where machine code is loaded already.
    """
    from sim.chance.shared import machine_code_is_off

    if engine != "compiled":
        raise UsageError(f"--checked: found --engine {engine}, expected --engine compiled, whose rows are checked")
    if "sim.chance.compiler" in sys.modules and not machine_code_is_off():
        expected = "a process of its own, or NUMBA_DISABLE_JIT=1"
        raise UsageError(f"--checked: found machine code loaded in this process, expected {expected}")
    os.environ["NUMBA_DISABLE_JIT"] = "1"
