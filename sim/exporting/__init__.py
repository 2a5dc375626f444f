"""WHAT OTHERS READ: runs and scenarios in the formats of other tools: traces, time series, test results, tables, load
scripts, settings.

One module writes one format, and none knows another. What a target cannot say is told as a comment in what is written,
never dropped in silence.
"""

from sim.exporting.formats import FORMATS, Format, named
from sim.exporting.subject import Subject

__all__ = ["FORMATS", "Format", "Subject", "named"]
