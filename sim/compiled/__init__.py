"""HOW IT BEHAVES, FAST: the same semantics as `models`, in an interpreter that reads the wired models as tables.

`simulate` gives the same Records as that of `models`, to the last bit. `wiring/` and `program.py` turn the wired models
into rows, each kind of which is declared in `rows/`; `interpreter.py` runs them, by the flows of `flows/` where they
wait, which `cutting/` turns into the functions of `written/`; `room.py` lets them grow; what is
rare is done by `control.py`, `membership.py` and `faults.py`, and what is left at the end by `closing.py` and
`books.py`.
"""

from sim.compiled.engine import simulate, why_not
from sim.compiled.machine_code import help_making, is_ready, make, prepare
from sim.compiled.program import Unsupported

__all__ = ["Unsupported", "help_making", "is_ready", "make", "prepare", "simulate", "why_not"]
