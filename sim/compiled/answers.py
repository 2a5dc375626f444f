"""What an operation of a program answers to the interpreter."""

from __future__ import annotations

from sim.compiled.base import whole

PARK, NEXT, FAIL, AGAIN, JUMP, ELSEWHERE = map(whole, range(6))
"""Wait (or be over), go on, go to `fail`, come back to it, go to `to`, go to a part of it (a step of a plug-in)."""
