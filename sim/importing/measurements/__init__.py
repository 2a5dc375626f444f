"""What was measured from outside, as part of a scenario: load tests, access logs, monitoring, histograms, tables.

They tell how often requests came and how long answers took, and nothing of what is behind: alone they are one service
of which only its response is known, with manifests or traces they are the traffic, and the times of who calls nobody.
"""

from sim.importing.measurements.filling import alone, beside

__all__ = ["alone", "beside"]
