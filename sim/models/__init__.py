"""HOW IT BEHAVES: the SimPy models, one noun a file. `simulate` runs one replication of one scenario."""

from sim.models import fault, steps  # their behaviours are registered, as those of plug-ins are
from sim.models.running import simulate

__all__ = ["fault", "simulate", "steps"]
