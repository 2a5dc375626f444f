"""HOW IT BEHAVES, FAST: the same semantics as `models`, in an interpreter that reads the wired models as tables.

`simulate` gives the same Records as that of `models`, to the last bit. `program.py` and `wiring.py` turn the wired models into tables,
`interpreter.py` runs them, `machine.py` lets them grow, `control.py` and `faults.py` do what is rare.
"""

from sim.compiled.engine import simulate, why_not
from sim.compiled.machine_code import help_making, is_ready, make, prepare
from sim.compiled.program import Unsupported

__all__ = ["Unsupported", "help_making", "is_ready", "make", "prepare", "simulate", "why_not"]
