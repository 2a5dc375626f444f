"""A model and a measurement: how far they are apart (`validate`, `compare`), and what brings them together (`fit`).

The measured arrivals are replayed through the model, so that what differs between the two is the system and its luck,
and not the load.
"""

from sim.fitting.calibration import Fit, fit
from sim.fitting.side_by_side import compare
from sim.fitting.validation import Validation, validate

__all__ = ["Fit", "Validation", "compare", "fit", "validate"]
