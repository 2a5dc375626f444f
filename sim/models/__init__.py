"""HOW IT BEHAVES: the SimPy models, one noun a file. `simulate` runs one replication of one scenario."""

from sim.models import steps  # its behaviours are registered, as those of plug-ins are
from sim.models.world import simulate

__all__ = ["simulate", "steps"]
