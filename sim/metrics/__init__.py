"""What it amounts to: records -> numbers.

Knows no engine; a measured trace and a simulated run answer to the same functions.
"""

from sim.metrics.keys import key_of, metric_keys
from sim.metrics.measurement import Measurement, measure

__all__ = ["Measurement", "key_of", "measure", "metric_keys"]
