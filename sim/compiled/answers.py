"""What an operation of a program answers to the interpreter."""

from __future__ import annotations

from sim.compiled.base import whole

PARK, NEXT, FAIL, AGAIN, JUMP = map(whole, range(5))
"""Wait (or be over), go on, go to `fail`, come back to it, go to `to`."""
