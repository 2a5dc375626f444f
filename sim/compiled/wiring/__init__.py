"""Reads the wired models into tables: one `World` is made as for the SimPy engine, and never run.

So names, salts, streams, guards and groups are wired in one place only. What is written twice is how they behave.
`Places` knows which model is which row; a room for each kind of component finds its rows and hands out its tables as
they are at time 0.
"""

from sim.compiled.wiring.wired import Wiring

__all__ = ["Wiring"]
