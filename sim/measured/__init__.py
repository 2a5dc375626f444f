"""What was measured: files of load generators, access logs and monitoring -> columns of requests, distributions, rates.

A file is read line by line in bounded memory, its kind is told from its content (`kinds`), and a reader for that
kind, one module each, answers a `Measured`, with what it understood of units and clocks and what such a file does not
tell. Nothing here knows of simulation.
"""

from sim.measured.kinds import read_all, read_measured
from sim.measured.measurement import Distribution, Measured, Requests, Series

__all__ = ["Distribution", "Measured", "Requests", "Series", "read_all", "read_measured"]
