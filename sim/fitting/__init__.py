"""A model and a measurement: how far they are apart (`validate`), and what values bring them together (`fit`).

The measured arrivals are replayed through the model, so that what differs between the two is the system and its luck,
and not the load.
"""

from sim.fitting.calibration import Fit, fit
from sim.fitting.validation import Validation, validate

__all__ = ["Fit", "Validation", "fit", "validate"]
