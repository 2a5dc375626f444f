"""WHAT WE SHOW: theme, charts, drawings of the topology, tables, the story in words, and the report that holds them
all.
"""

from sim.report.writing import write_report

__all__ = ["write_report"]
